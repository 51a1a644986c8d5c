"""The licence office: the only place that knows the order in which a licence comes to be.

1. Check the approval result, the face data and the metadata: pure, nothing is stored.
2. Reserve (tenant, case, licence type) in a transaction of its own, before any key is touched.
   A twin of the request waits here; a reservation whose lease is over is taken over.
3. Render the face: the unsealed PDF, and the same page as OFD.
4. Seal both: SES with SM2 over the OFD, PAdES with RSA over the PDF.
5. Verify our own output; what the verifier does not accept is never released.
6. Put both files into the blob store, durable before the row says so.
7. One transaction: the sealer re-checks the seal and publishes its uses, the licence is in force.
8. Answer from the row.

Whatever fails between 2 and 7 leaves nothing but an abandoned reservation, which a retry takes up
under the same identifier. After a crash the lease says when.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from keys.algorithms import sm3
from licence_store import library, lookup
from licence_store.approval import FaultList, check_approval_result
from licence_store.codes import TextRule, check_text
from licence_store.errors import (
    AuthorityMismatch,
    FieldFault,
    FileUnavailable,
    InvalidApprovalResult,
    InvalidRequest,
    LicenceBusy,
    LicenceTypeNotAllowed,
)
from licence_store.face_data import check_face_data
from licence_store.files import read_file
from licence_store.identifiers import assign_identifier, make_serial
from licence_store.library import (
    KeptLicence,
    Reservation,
    ReservationStatus,
    Reserved,
    RevocationOrder,
)
from licence_store.links import make_link
from licence_store.metadata import MetadataSource, build_metadata
from licence_store.model import (
    ApprovalResult,
    FileFormat,
    Licence,
    LicenceFile,
    content_digest,
    derive_index_keys,
)
from licence_store.rendering.errors import TemplateNotFound
from licence_store.rendering.face import FaceInput, RenderedFace
from licence_store.rendering.manifest import LicenceTemplate
from licence_store.retries import RequestNote, forget_request, note_request
from licence_store.settings import LicenceSettings
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.blobs import BlobStore
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.seals.model import PDFProfile

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25
_REASON_RULE = TextRule(longest=500, shortest=2, multiline=True)


class FaceLayout(Protocol):
    """The layout engine, as the office needs it: ``rendering.face.FaceRenderer``."""

    @property
    def templates(self) -> Mapping[str, LicenceTemplate]:
        """Return the templates by licence type code."""
        ...

    def render_face(self, template: LicenceTemplate, face: FaceInput) -> RenderedFace:
        """Render both forms; raises when a text does not fit or a character has no glyph."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceSealing:
    """The order to seal one form of a licence."""

    caller: Caller
    seal_id: str
    identifier: str
    case_number: str
    licence_type_code: str
    face: RenderedFace
    matter_code: str = ""
    """Service item of the case, for mandates that cover some matters only."""
    pdf_profile: PDFProfile = PDFProfile.RSA_PADES


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A sealed document and the use of the seal that is written down for it."""

    document: bytes
    use_id: str


class LicenceSealer(Protocol):
    """The sealing service, as the office needs it."""

    def find_seal(self, authority_code: str, licence_type_code: str) -> str:
        """Return the id of the authority's active seal that is mandated for this type."""
        ...

    def seal_ofd(self, order: LicenceSealing) -> SealedFile:
        """Seal the OFD; the intent is committed before the key is used."""
        ...

    def seal_pdf(self, order: LicenceSealing) -> SealedFile:
        """Seal the PDF; the intent is committed before the key is used."""
        ...

    def commit_uses(
        self, connection: Connection, use_ids: Sequence[str], authority_code: str
    ) -> None:
        """Re-check the seal and publish these uses, inside the caller's transaction."""
        ...

    def abandon_uses(self, use_ids: Sequence[str], authority_code: str) -> None:
        """Close intents that led to nothing; must leave published ones as they are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeParts:
    """Everything the office works with."""

    database: Database
    blobs: BlobStore
    renderer: FaceLayout
    sealer: LicenceSealer
    check_release: Callable[[bytes, bytes], None]
    """Our own verifier over the sealed OFD and PDF; raises ``SelfCheckFailed``."""
    clock: Clock
    randomness: Callable[[int], bytes]
    pause: Callable[[float], None]
    index_secret: bytes
    settings: LicenceSettings = field(default_factory=LicenceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The licence, and whether this very request brought it into force."""

    licence: Licence
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """A reservation and everything its licence is made from."""

    caller: Caller
    template: LicenceTemplate
    result: ApprovalResult
    reserved: Reserved
    metadata: dict[str, str]


class LicenceOffice:
    """Issues licences, ends them, and hands out their files."""

    def __init__(self, parts: OfficeParts) -> None:
        self._parts = parts
        self._database = parts.database

    # Issuing

    def issue(self, caller: Caller, result: ApprovalResult, idempotency_key: str) -> Issued:
        """Turn an approval result into a sealed licence in force, exactly once.

        The same content again returns the same licence and the same files. Raises
        ``IdempotencyMismatch`` for a key that came with other content, ``LicenceExists`` for other
        content of a case that has its licence, ``LicenceBusy`` when a twin of the request does not
        finish in time, and whatever renderer and sealer refuse.
        """
        template = self._check(caller, result)
        number = _printed_number(template, result)
        note = RequestNote(
            authority_code=caller.authority_code,
            caller_id=caller.caller_id,
            idempotency_key=idempotency_key,
            content_digest=content_digest(result),
            now=self._parts.clock.now(),
        )
        reserved = self._reserve(template, result, number, note)
        if reserved.status is ReservationStatus.ISSUED:
            return Issued(licence=self.show(caller, reserved.identifier), is_new=False)
        use_ids: list[str] = []
        is_kept = False
        try:
            order = _Making(
                caller=caller,
                template=template,
                result=result,
                reserved=reserved,
                metadata=_record(
                    template, result, reserved.identifier, number, reserved.reserved_at
                ),
            )
            licence = self._make(order, use_ids)
            is_kept = True
        finally:
            if not is_kept:
                self._give_up(reserved, use_ids, note)
        return Issued(licence=licence, is_new=True)

    def _check(self, caller: Caller, result: ApprovalResult) -> LicenceTemplate:
        """Step 1: refuse what can be refused without storing anything."""
        check_approval_result(result)
        if caller.authority_code != result.issuing_authority.code:
            raise AuthorityMismatch
        template = self._parts.renderer.templates.get(result.licence_type_code)
        if template is None:
            raise TemplateNotFound(licence_type_code=result.licence_type_code)
        allowed = template.allowed_authorities
        if allowed is not None and caller.authority_code not in allowed:
            raise LicenceTypeNotAllowed(licence_type_code=result.licence_type_code)
        check_face_data(template, result)
        return template

    def _reserve(
        self, template: LicenceTemplate, result: ApprovalResult, number: str, note: RequestNote
    ) -> Reserved:
        """Step 2: take the case's place, waiting for a twin to finish."""
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            wanted = self._reservation(template, result, number)
            with self._database.transaction() as connection:
                note_request(connection, note)
                reserved = library.reserve(connection, wanted)
            if reserved.status is not ReservationStatus.BUSY:
                return reserved
            if waited >= self._parts.settings.wait_seconds:
                raise LicenceBusy(identifier=reserved.identifier)
            self._parts.pause(pause)
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE)

    def _reservation(
        self, template: LicenceTemplate, result: ApprovalResult, number: str
    ) -> Reservation:
        now = self._parts.clock.now()
        tenant = result.issuing_authority.code
        identifier = assign_identifier(
            licence_type_code=result.licence_type_code,
            authority_code=tenant,
            serial=make_serial(self._parts.randomness(16)),
        )
        # Refuses a contradiction before a row exists; the kept record is made again in step 3.
        _record(template, result, identifier, number, now)
        index_keys = derive_index_keys(self._parts.index_secret, tenant)
        return Reservation(
            approval_result=result,
            identifier=identifier,
            qr_digest=sm3(index_keys.qr_token(identifier)),
            holder_digest=index_keys.holder_digest(result.holder),
            licence_number=number,
            licence_type_name=template.name,
            template_version=template.version,
            now=now,
            lease_until=now + timedelta(seconds=self._parts.settings.lease_seconds),
        )

    def _make(self, order: _Making, use_ids: list[str]) -> Licence:
        """Go through steps 3 to 8; a use of a seal is in ``use_ids`` as soon as it is known."""
        parts, reserved = self._parts, order.reserved
        sealing = self._render(order)
        ofd = parts.sealer.seal_ofd(sealing)
        use_ids.append(ofd.use_id)
        pdf = parts.sealer.seal_pdf(sealing)
        use_ids.append(pdf.use_id)
        parts.check_release(ofd.document, pdf.document)
        kept = KeptLicence(
            reserved=reserved,
            metadata=order.metadata,
            files=(
                self._store(FileFormat.OFD, ofd, sealing.seal_id),
                self._store(FileFormat.PDF, pdf, sealing.seal_id),
            ),
            caller_id=order.caller.caller_id,
            now=parts.clock.now(),
        )
        with self._database.transaction() as connection:
            parts.sealer.commit_uses(connection, use_ids, reserved.authority_code)
            library.keep(connection, kept)
            return lookup.find(connection, reserved.authority_code, reserved.identifier)

    def _render(self, order: _Making) -> LicenceSealing:
        """Step 3: choose the seal first, so that a missing one costs no rendering."""
        reserved, result = order.reserved, order.result
        seal_id = self._parts.sealer.find_seal(reserved.authority_code, result.licence_type_code)
        face = FaceInput(
            face_data=result.face_data,
            metadata=order.metadata,
            qr_link=self.qr_link(reserved.authority_code, reserved.identifier),
            is_test=self._parts.settings.test_mode,
            doc_id=sm3(reserved.identifier.encode()).hex()[:32],
            rendered_at=reserved.reserved_at,
        )
        return LicenceSealing(
            caller=order.caller,
            seal_id=seal_id,
            identifier=reserved.identifier,
            case_number=result.case_number,
            licence_type_code=result.licence_type_code,
            face=self._parts.renderer.render_face(order.template, face),
            matter_code=result.service_item_code,
            pdf_profile=order.template.pdf_profile,
        )

    def _store(self, form: FileFormat, sealed: SealedFile, seal_id: str) -> LicenceFile:
        """Step 6: durable when this returns."""
        return LicenceFile(
            format=form,
            digest=self._parts.blobs.put(sealed.document),
            size=len(sealed.document),
            seal_id=seal_id,
            seal_use_id=sealed.use_id,
        )

    def _give_up(self, reserved: Reserved, use_ids: Sequence[str], note: RequestNote) -> None:
        """Free the case and the key for a retry; what was committed after all stays as it is."""
        if use_ids:
            self._parts.sealer.abandon_uses(use_ids, reserved.authority_code)
        with self._database.transaction() as connection:
            library.abandon(connection, reserved)
            forget_request(connection, note)

    def sweep(self) -> int:
        """Abandon reservations that a crash left behind; return how many. For the operator."""
        with self._database.transaction() as connection:
            return len(library.sweep(connection, self._parts.clock.now()))

    # After issuing

    def show(self, caller: Caller, identifier: str) -> Licence:
        """Return a licence of the caller's tenant; raises ``LicenceNotFound``."""
        with self._database.transaction() as connection:
            return lookup.find(connection, caller.authority_code, identifier)

    def list_licences(self, caller: Caller, wanted: lookup.ListFilter) -> tuple[Licence, ...]:
        """List the licences of the caller's tenant, newest first."""
        with self._database.transaction() as connection:
            return lookup.list_licences(connection, caller.authority_code, wanted)

    def read_file(self, licence: Licence, form: FileFormat) -> bytes:
        """Return the bytes of a licence's file; raises ``FileUnavailable`` or ``FileDamaged``."""
        file = licence.file(form)
        if file is None:
            raise FileUnavailable(format=form.value)
        return read_file(self._parts.blobs, file)

    def revoke(self, order: RevocationOrder) -> Licence:
        """End a licence's force; raises ``LicenceNotFound`` or ``LicenceStateRefused``."""
        found = FaultList()
        with found.at("/reason"):
            check_text(order.reason, _REASON_RULE)
        with found.at("/basis_document"):
            check_text(order.basis_document)
        if found.faults:
            raise InvalidRequest(tuple(found.faults))
        with self._database.transaction() as connection:
            return library.record_revocation(connection, order)

    def qr_link(self, authority_code: str, identifier: str) -> str:
        """Return the public link of a licence; the same at every call."""
        index_keys = derive_index_keys(self._parts.index_secret, authority_code)
        return make_link(self._parts.settings.public_url, index_keys.qr_token(identifier))


def _printed_number(template: LicenceTemplate, result: ApprovalResult) -> str:
    """Return the number the face shows; a request that names another one is refused."""
    on_face = result.face_data.get(template.number_field, "")
    if result.licence_number is None and not on_face:
        fault = FieldFault(pointer="/licence_number", detail="缺少证照编号")
        raise InvalidApprovalResult((fault,))
    if result.licence_number is not None and on_face not in ("", result.licence_number):
        fault = FieldFault(pointer="/licence_number", detail="证照编号与照面信息中的编号不一致")
        raise InvalidApprovalResult((fault,))
    return result.licence_number or on_face


def _record(
    template: LicenceTemplate,
    result: ApprovalResult,
    identifier: str,
    number: str,
    created_at: datetime,
) -> dict[str, str]:
    return build_metadata(
        MetadataSource(
            approval_result=result,
            identifier=identifier,
            licence_number=number,
            licence_type_name=template.name,
            define_authority_name=template.define_authority_name,
            created_at=created_at,
        )
    )

"""Put a seal on a document, and answer for every use of a seal key (ADR 0005).

1. Mandate: may this caller use this seal for this licence type and matter now?
2. State: the seal is active and in its period, key and certificate belong together and are valid.
3. Prepare: lay the seal out, so that what will be signed is fixed.
4. Intent: the clock must not be behind the last one; count the use under its mandate, write down
   who seals what, with which key, commit.
5. Sign through the key store, and have the signature value time-stamped.
6. Finish, read our own output back and check it.
7. Return the document with the use's id. Whoever releases it calls ``commit_uses`` in the
   transaction that does: the seal is looked at again, and the log gets its leaf.

A use that leads to nothing is closed as abandoned: here when a step fails, by ``abandon_uses`` when
the caller gives up, by ``sweep`` after a crash.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from keys.keystore import Signer
from seal_service.errors import InvalidSealOrder, UnsupportedFormat
from seal_service.formats.ofd.container import OFDContainer
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.seals import lookup, mandates, uses
from seal_service.seals.model import (
    MadeSeal,
    Mandate,
    PDFProfile,
    Seal,
    SealPlace,
    SigningIdentity,
)
from seal_service.seals.ofd_form import prepare_ofd, prepare_ofd_document
from seal_service.seals.pdf_form import PDFSeal, prepare_pdf, prepare_pdf_document
from seal_service.seals.pdf_values import identity_of
from seal_service.seals.pending import PendingSeal
from seal_service.seals.placing import DocumentLayout
from seal_service.seals.policy import (
    WantedUse,
    check_identity,
    check_mandate,
    check_mandates,
    check_usable,
    covers,
    is_usable,
)
from seal_service.seals.rehearsal import PDF_START, ZIP_START
from seal_service.seals.uses import DocumentFormat, UseIntent
from seal_service.settings import SealSettings
from seal_service.translog import log
from seal_service.translog.entries import UseFacts

DOCUMENT_KIND = re.compile(r"[a-z][a-z0-9-]{1,20}")
"""Licence types have digits and capital letters only (GB/T 36904), so neither can be the other."""

Stamp = Callable[[bytes], bytes]
"""Returns a time-stamp token over a value, as ``keys.tsa.TSA.stamp`` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingOrder:
    """Who seals what with which seal, and where."""

    caller: Caller
    seal_id: str
    case_number: str
    licence_type_code: str
    subject: str
    """What the document is: a licence identifier. Stands in the use, never in the log."""
    places: tuple[SealPlace, ...]
    matter_code: str = ""
    """Service item of the case; a mandate may be for some matters only."""
    pdf_profile: PDFProfile = PDFProfile.RSA_PADES


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOrder:
    """Who puts which seal on a document that is no licence, and how."""

    caller: Caller
    seal_id: str
    case_number: str
    document_kind: str
    """What kind of document, as mandates name it; never the code of a licence type."""
    subject: str
    """The document's name, or the case it belongs to. Stands in the use, never in the log."""
    layout: DocumentLayout
    matter_code: str = ""
    pdf_profile: PDFProfile = PDFProfile.RSA_PADES
    """How a PDF is sealed; an OFD package is sealed in one way only."""

    def to_use(self) -> SealingOrder:
        """Return what the mandate and the use are about.

        Raises ``InvalidSealOrder`` for a kind that could pass for a licence type: a mandate to seal
        licences of one type would then cover any document.
        """
        if DOCUMENT_KIND.fullmatch(self.document_kind) is None:
            raise InvalidSealOrder("文件种类只用小写字母、数字与连字符", field="document_kind")
        return SealingOrder(
            caller=self.caller,
            seal_id=self.seal_id,
            case_number=self.case_number,
            licence_type_code=self.document_kind,
            subject=self.subject,
            places=(),
            matter_code=self.matter_code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """A sealed document that nobody may see before its use is committed."""

    document: bytes
    use_id: str
    format: DocumentFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class SealerParts:
    """Everything the sealer works with."""

    database: Database
    clock: Clock
    randomness: Callable[[int], bytes]
    keys: Signer
    stamp_sm2: Stamp
    stamp_rsa: Stamp
    settings: SealSettings = field(default_factory=SealSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cleared:
    """A use that passed steps 1 and 2, and the mandates under one of which it may begin."""

    order: SealingOrder
    seal: Seal
    made: MadeSeal
    mandates: tuple[Mandate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """How one form of document is sealed."""

    format: DocumentFormat
    identity: SigningIdentity
    stamp: Stamp
    prepare: Callable[[datetime], PendingSeal]


class Sealer:
    """Seals documents with the seals of the register. May be shared between threads."""

    def __init__(self, parts: SealerParts) -> None:
        self._parts = parts
        self._database = parts.database

    def find_seal(self, authority_code: str, licence_type_code: str) -> str:
        """Return the id of the tenant's newest usable seal that is mandated for a licence type.

        Raises ``MandateMissing``, or why the mandated seal cannot be used.
        """
        now = self._parts.clock.now()
        wanted = WantedUse(caller_id=None, licence_type_code=licence_type_code)
        with self._database.reading() as connection:
            found = mandates.mandates_for_type(connection, authority_code, licence_type_code)
            check_mandate(found, wanted, now)
            seal_ids = [mandate.grant.seal_id for mandate in found if covers(mandate, wanted, now)]
            candidates = lookup.find_many(connection, authority_code, seal_ids)
        for seal in candidates:
            if is_usable(seal, now):
                return seal.seal_id
        check_usable(candidates[0], now)
        return candidates[0].seal_id

    def seal_ofd(self, order: SealingOrder, package: bytes | OFDContainer) -> Sealing:
        """Seal an OFD package and lock it.

        Raises ``MandateMissing``, ``SealNotFound``, ``SealSuspended``, ``SealRevoked``,
        ``SealExpired``, ``InvalidKey``, ``AlreadySealed``, ``InvalidPlacement``,
        ``MalformedDocument``, ``SelfCheckFailed``, or what key store, time-stamp authority or
        database refuse.
        """
        cleared = self._check(order)
        made = cleared.made
        job = _Job(
            format=DocumentFormat.OFD,
            identity=made.sm2,
            stamp=self._parts.stamp_sm2,
            prepare=lambda at: prepare_ofd(package, made, order.places, at),
        )
        return self._seal(cleared, job)

    def seal_pdf(self, order: SealingOrder, pdf: bytes) -> Sealing:
        """Seal a PDF and certify it against every change; raises as ``seal_ofd`` does."""
        cleared = self._check(order)
        seal = PDFSeal(made=cleared.made, name=cleared.seal.name, profile=order.pdf_profile)
        job = self._pdf_job(seal, lambda at: prepare_pdf(pdf, seal, order.places, at))
        return self._seal(cleared, job)

    def _pdf_job(self, seal: PDFSeal, prepare: Callable[[datetime], PendingSeal]) -> _Job:
        is_rsa = seal.profile is PDFProfile.RSA_PADES
        return _Job(
            format=DocumentFormat.PDF,
            identity=identity_of(seal.made, seal.profile),
            stamp=self._parts.stamp_rsa if is_rsa else self._parts.stamp_sm2,
            prepare=prepare,
        )

    def seal_document(self, order: DocumentOrder, document: bytes) -> Sealing:
        """Seal any OFD or PDF, ours or not, sealed before or not; raises as ``seal_ofd`` does.

        Also ``UnsupportedFormat`` and ``InvalidSealOrder``. Earlier signatures must hold, and hold
        afterwards.
        """
        layout, cleared = order.layout, self._check(order.to_use())
        made = cleared.made
        if document.startswith(PDF_START):
            seal = PDFSeal(made=made, name=cleared.seal.name, profile=order.pdf_profile)
            job = self._pdf_job(seal, lambda at: prepare_pdf_document(document, seal, layout, at))
        elif document.startswith(ZIP_START):
            if order.pdf_profile is not PDFProfile.RSA_PADES:
                raise InvalidSealOrder("OFD 文件没有 PDF 签章格式可选", field="pdf_profile")
            job = _Job(
                format=DocumentFormat.OFD,
                identity=made.sm2,
                stamp=self._parts.stamp_sm2,
                prepare=lambda at: prepare_ofd_document(document, made, layout, at),
            )
        else:
            raise UnsupportedFormat
        return self._seal(cleared, job)

    def _check(self, order: SealingOrder) -> _Cleared:
        """Go through steps 1 and 2, but for the key of the form."""
        now = self._parts.clock.now()
        tenant = order.caller.authority_code
        wanted = WantedUse(
            caller_id=order.caller.caller_id,
            licence_type_code=order.licence_type_code,
            matter_code=order.matter_code,
        )
        with self._database.reading() as connection:
            seal = lookup.find(connection, tenant, order.seal_id)
            found = mandates.mandates_of(connection, tenant, order.seal_id)
        covering = check_mandates(found, wanted, now)
        made = check_usable(seal, now)
        return _Cleared(order=order, seal=seal, made=made, mandates=covering)

    def _seal(self, cleared: _Cleared, job: _Job) -> Sealing:
        """Go through steps 2 to 7 for one form of document."""
        order, seal = cleared.order, cleared.seal
        now = self._parts.clock.now()
        key_name = job.identity.key_name
        check_identity(job.identity, self._parts.keys.public_key(key_name), now)
        pending = job.prepare(now.replace(microsecond=0))
        intent = UseIntent(
            use_id=f"su-{self._parts.randomness(16).hex()}",
            authority_code=seal.authority_code,
            seal_id=seal.seal_id,
            epoch=seal.epoch,
            key_name=key_name,
            caller_id=order.caller.caller_id,
            case_number=order.case_number,
            licence_type_code=order.licence_type_code,
            subject=order.subject,
            format=job.format,
            document_digest=pending.document_digest,
            opened_at=now,
        )
        with self._database.transaction() as connection:
            uses.check_clock(connection, now, after=self._parts.settings.clock_counts_after)
            mandate = mandates.claim(connection, cleared.mandates, now)
            uses.open_use(connection, replace(intent, mandate_id=mandate.mandate_id))
        is_done = False
        try:
            signature = self._parts.keys.sign_with(key_name, pending.to_sign)
            document = pending.finish(signature, job.stamp(signature))
            is_done = True
        finally:
            if not is_done:
                self.abandon_uses([intent.use_id], seal.authority_code)
        return Sealing(document=document, use_id=intent.use_id, format=job.format)

    def commit_uses(
        self, connection: Connection, use_ids: Sequence[str], authority_code: str
    ) -> None:
        """Close uses as committed and give each its leaf, inside the caller's transaction.

        Looks at the seals again under a lock: raises ``SealSuspended``, ``SealRevoked`` or
        ``SealExpired`` when one was stopped since the signature was made (T-STO-07), and
        ``SealUseClosed``. The caller must then roll back and release nothing.
        """
        now = self._parts.clock.now()
        committed = uses.commit_uses(connection, authority_code, use_ids, now)
        facts = [
            UseFacts(
                use_id=use.intent.use_id,
                authority_code=use.intent.authority_code,
                seal_id=use.intent.seal_id,
                epoch=use.intent.epoch,
                document_digest=use.intent.document_digest,
                committed_at=now,
            )
            for use in committed
        ]
        log.append(connection, facts, self._parts.randomness)

    def abandon_uses(self, use_ids: Sequence[str], authority_code: str) -> None:
        """Close open uses as abandoned; committed ones stay as they are (T-STO-18)."""
        with self._database.transaction() as connection:
            uses.abandon_uses(connection, authority_code, use_ids, self._parts.clock.now())

    def sweep(self) -> int:
        """Close uses that a crash left open; return how many. For start-up and the operator."""
        now = self._parts.clock.now()
        opened_before = now - timedelta(seconds=self._parts.settings.intent_seconds)
        with self._database.transaction() as connection:
            return uses.sweep(connection, opened_before, now)

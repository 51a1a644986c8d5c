"""Gather what the judge needs, read-only, and let it judge: files, codes, and our own releases.

1. Open the document once; see what it claims: licence identifier, seal numbers.
2. Ask the library for that licence and whether its authority is one of ours, the register for those
   seals, the log for the use. Nothing is written, nothing is fetched from elsewhere (G-3).
3. Take trust, intermediates and revocation lists as they are handed in; take the time once.
4. Judge (``verifier.judge``), which is pure.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from keys.algorithms import sm3
from keys.certificates import Certificate
from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from licence_store import lookup as library
from licence_store.errors import FileDamaged, InvalidIdentifier, LicenceNotFound
from licence_store.files import read_file
from licence_store.identifiers import parse_identifier
from licence_store.links import read_code
from licence_store.lookup import ListFilter
from licence_store.model import FileFormat, Licence
from licence_store.states import LicenceState, Validity
from seal_service.errors import SealNotFound
from seal_service.plumbing.blobs import BlobStore
from seal_service.plumbing.bounded import BoundedPool
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import StoredFileDamaged
from seal_service.seals import lookup as register
from seal_service.seals.states import SealEvent, SealState, state_at
from seal_service.translog import log
from verifier.bounded_judging import judge_apart, judge_bounded
from verifier.given_evidence import GivenEvidence, read_evidence
from verifier.judge import (
    JudgeContext,
    OpenedDocument,
    judge_document,
    judge_opened,
    judge_record,
    open_document,
)
from verifier.policy import DEFAULT_POLICY, Policy
from verifier.records import IDENTIFIER_ITEM, Claimed, LibraryRecords, LicenceRecord, SealRecord
from verifier.release import check_release
from verifier.rules.chain import ChainEvidence
from verifier.rules.findings import unknown
from verifier.rules.licence import judge_force
from verifier.verdict import Check, LicenceFacts, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """What chains are judged against at this moment."""

    trust: TrustStore
    intermediates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = field(default_factory=RevocationEvidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationParts:
    """Everything verification works with; no key among it."""

    database: Database
    blobs: BlobStore
    clock: Clock
    material: Callable[[], TrustMaterial]
    """Asked at every verification: lists of revoked certificates change."""
    policy: Policy = DEFAULT_POLICY
    is_test: bool = False
    """Whether the licences of this library are for tests only."""
    pool: BoundedPool | None = None
    """Where uploads are judged; None judges them in this process, for tools and tests."""


class Verification:
    """Verifies for one installation. May be shared between threads."""

    def __init__(self, parts: VerificationParts) -> None:
        self._parts = parts

    def judge_upload(self, data: bytes) -> Verdict:
        """Judge a file that somebody holds; it is forgotten afterwards."""
        evidence = self.evidence()

        def look_up(claimed: Claimed) -> LibraryRecords:
            with self._parts.database.reading() as connection:
                return gather(connection, claimed, evidence.now, is_test=self._parts.is_test)

        if self._parts.pool is not None:
            return judge_bounded(self._parts.pool, data, evidence, look_up)
        return judge_apart(data, evidence, lambda claimed: _answered(claimed, look_up))

    def judge_given(self, data: bytes, given: GivenEvidence) -> Verdict:
        """Judge a file against evidence given and nothing else: not our trust, not our library.

        Raises ``EvidenceRefused`` or ``PolicyRefused``.
        """
        evidence = read_evidence(given, now=self._parts.clock.now())
        context = JudgeContext(evidence=evidence)
        if self._parts.pool is not None:
            return self._parts.pool.run(judge_document, data, context)
        return judge_document(data, context)

    def judge_code(self, code: str) -> Verdict:
        """Judge the licence behind a printed code by the master file the library holds.

        Raises ``LicenceNotFound`` for every code that leads nowhere, however it is wrong.
        """
        evidence = self.evidence()
        with self._parts.database.reading() as connection:
            licence = gather_for_code(connection, code)
            data = self._master(licence)
            opened = None if data is None else open_document(data)
            if opened is None or opened.claims.get(IDENTIFIER_ITEM) != licence.identifier:
                record = _record(connection, licence, "", is_test=self._parts.is_test)
                return _damaged(record, evidence.now)
            records = gather(connection, opened, evidence.now, is_test=self._parts.is_test)
        return judge_opened(opened, JudgeContext(evidence=evidence, records=records))

    def check_release(self, ofd: bytes, pdf: bytes) -> None:
        """Judge both forms of a licence before anybody gets them; raises ``SelfCheckFailed``."""
        check_release(ofd, pdf, self.evidence())

    def evidence(self) -> ChainEvidence:
        """Return what chains are judged against now: our own trust, lists and policy."""
        material = self._parts.material()
        return ChainEvidence(
            trust=material.trust,
            intermediates=material.intermediates,
            revocation=material.revocation,
            now=self._parts.clock.now(),
            policy=self._parts.policy,
        )

    def _master(self, licence: Licence) -> bytes | None:
        """Return the OFD of a licence; None where the library has lost or damaged it."""
        file = licence.file(FileFormat.OFD)
        if file is None:
            return None
        try:
            return read_file(self._parts.blobs, file)
        except (FileDamaged, StoredFileDamaged):
            return None


def _answered(question: object, look_up: Callable[[Claimed], LibraryRecords]) -> object:
    return look_up(question) if isinstance(question, Claimed) else None


def _damaged(record: LicenceRecord, now: datetime) -> Verdict:
    """Say that the library itself is not in order, so that nothing is confirmed (T-STO-09)."""
    lost = unknown(Check.LICENCE_RECORD, "record-damaged", record.facts.identifier)
    return judge_record([lost, *judge_force(record, now)], record.facts, now)


# Gathering


def gather(
    connection: Connection,
    opened: OpenedDocument | Claimed,
    now: datetime,
    *,
    is_test: bool = False,
) -> LibraryRecords:
    """Return what library, register and log say of what a document claims."""
    identifier = opened.claims.get(IDENTIFIER_ITEM, "")
    licences: dict[str, LicenceRecord] = {}
    authorities: frozenset[str] = frozenset()
    if identifier:
        try:
            found = library.find_for_verification(connection, identifier)
            licences[identifier] = _record(connection, found, opened.kind, is_test=is_test)
        except LicenceNotFound:
            authorities = _authorities(connection, identifier)
    return LibraryRecords(
        authorities=authorities,
        licences=licences,
        seals=_seals(connection, opened.seal_ids, now),
    )


def gather_for_code(connection: Connection, code: str) -> Licence:
    """Return the licence behind a printed code; raises ``LicenceNotFound``."""
    return library.find_by_qr_token(connection, read_code(code))


def _authorities(connection: Connection, identifier: str) -> frozenset[str]:
    """Return the authority an identifier names, if it is a tenant of ours."""
    try:
        code = parse_identifier(identifier).authority_code
    except InvalidIdentifier:
        # The check character may be what was changed: look at the part by its place.
        parts = identifier.upper().split(".")
        code = parts[6] if len(parts) > 6 else ""
    if not code:
        return frozenset()
    licences = library.list_licences(connection, code, ListFilter(limit=1))
    is_ours = bool(licences) or bool(register.list_seals(connection, code, limit=1))
    return frozenset({code}) if is_ours else frozenset()


def _record(connection: Connection, licence: Licence, kind: str, *, is_test: bool) -> LicenceRecord:
    result = licence.approval_result
    return LicenceRecord(
        facts=_facts(connection, licence, is_test=is_test),
        authority_code=licence.authority_code,
        state=licence.state,
        validity=Validity(valid_from=result.valid_from, valid_until=result.valid_until),
        metadata=licence.metadata,
        file_digests={file.format.value: file.digest for file in licence.files},
        issued_at=licence.issued_at,
        is_logged=_is_logged(connection, licence, kind),
    )


def _facts(connection: Connection, licence: Licence, *, is_test: bool) -> LicenceFacts:
    result = licence.approval_result
    reason, since = "", None
    if licence.revocation is not None:
        reason, since = licence.revocation.reason, licence.revocation.revoked_at
    elif licence.state is not LicenceState.IN_FORCE:
        events = library.history(connection, licence.authority_code, licence.identifier)
        if events:
            reason, since = events[-1].reason, events[-1].happened_at
    return LicenceFacts(
        identifier=licence.identifier,
        name=licence.licence_type_name,
        licence_number=licence.licence_number,
        holder_name=result.holder.name,
        holder_code=result.holder.code,
        holder_code_type=result.holder.code_type.value,
        issuing_authority_name=result.issuing_authority.name,
        state=licence.state.value,
        state_reason=reason,
        state_since=since,
        issued_on=result.issued_on.isoformat(),
        valid_from=result.valid_from.isoformat(),
        valid_until=result.valid_until.isoformat() if result.valid_until else "",
        test=is_test,
    )


def _is_logged(connection: Connection, licence: Licence, kind: str) -> bool | None:
    """Return whether the use of the seal on this form is in the published log."""
    file = next((file for file in licence.files if file.format.value == kind), None)
    if file is None:
        return None
    return log.is_published(connection, licence.authority_code, file.seal_use_id)


def _seals(
    connection: Connection, seal_ids: Iterable[str], now: datetime
) -> dict[str, tuple[SealRecord, ...]]:
    found: dict[str, tuple[SealRecord, ...]] = {}
    for seal_id in seal_ids:
        try:
            seal, events = register.find_for_verification(connection, seal_id)
        except SealNotFound:
            continue
        if seal.made is None:
            continue
        state = state_at(events, now, seal.application.valid_until)
        record = SealRecord(
            seal_id=seal_id,
            digest=sm3(seal.made.eseal_der),
            authority_code=seal.authority_code,
            authority_name=seal.application.face.name,
            state="" if state is None else state.value,
            active_periods=active_periods(events),
        )
        found[seal_id] = (record,)
    return found


def active_periods(
    events: Sequence[SealEvent],
) -> tuple[tuple[datetime, datetime | None], ...]:
    """Return when a seal might be used, from its history.

    That it expired is no stop: its own period says so, and is another check. A key that was lost
    since an instant ends every use from that instant on (T-PKI-27).
    """
    periods: list[tuple[datetime, datetime | None]] = []
    begun: datetime | None = None
    for event in events:
        if event.after is SealState.ACTIVE:
            begun = begun or event.happened_at
        elif begun is not None and event.after is not SealState.EXPIRED:
            periods.append((begun, event.happened_at))
            begun = None
    if begun is not None:
        periods.append((begun, None))
    lost = [event.counts_from for event in events if event.effective_at is not None]
    return tuple(periods) if not lost else _cut(periods, min(lost))


def _cut(
    periods: Iterable[tuple[datetime, datetime | None]], end: datetime
) -> tuple[tuple[datetime, datetime | None], ...]:
    """Leave of the periods what lies before an instant."""
    return tuple(
        (begin, end if until is None else min(until, end))
        for begin, until in periods
        if begin < end
    )

"""Rules on licences: the library decides beside the signatures (G-7: own licence beats signature).

1. Does the document claim to be ours: does it name an identifier of one of our authorities?
2. Is there such a licence, and is this its file, byte for byte?
3. Does what the document says of itself equal the record; is its seal the issuer's; is it logged?
4. Force, apart from authenticity: state of the licence, then its period on this day in China.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keys.certificates import Certificate
from licence_store.metadata import compare_records
from licence_store.states import LicenceState, Standing, day_in_china, standing_on
from verifier.records import IDENTIFIER_ITEM, LibraryRecords, LicenceRecord, SealRecord
from verifier.rules.findings import failed, notice, passed
from verifier.verdict import Check, Finding

CLAUSE = "GB/T 36904; GB/T 36903"
AUTHORITY_ITEM = "CertificateIssuingAuthorityCode"
STATE_REASONS: Mapping[LicenceState, str] = {
    LicenceState.SUSPENDED: "suspended",
    LicenceState.REPLACED: "replaced",
    LicenceState.CANCELLED: "cancelled",
    LicenceState.WITHDRAWN: "withdrawn",
    LicenceState.REVOKED: "licence-revoked",
    LicenceState.VOIDED: "voided",
    LicenceState.TRANSFERRED: "transferred",
    LicenceState.ISSUING: "not-issued",
    LicenceState.ABANDONED: "not-issued",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """A document that may claim to be ours."""

    kind: str
    """``ofd`` or ``pdf``."""
    digest: str
    """SM3, hexadecimal."""
    claims: Mapping[str, str]
    """GB/T 36903 items as the document carries them."""
    is_signed: bool = False
    seals: Sequence[SealRecord] = ()
    """Register rows of the seals it bears."""
    signers: Sequence[Certificate] = ()
    """Certificates whose signatures hold."""

    @property
    def identifier(self) -> str:
        """Return the licence identifier the document names, or nothing."""
        return self.claims.get(IDENTIFIER_ITEM, "")


def find_record(claimant: Claimant, records: LibraryRecords | None) -> LicenceRecord | None:
    """Return the record of the licence a document claims to be."""
    return None if records is None else records.licences.get(claimant.identifier)


def is_library_file(claimant: Claimant, record: LicenceRecord | None) -> bool:
    """Return whether the document is the library's file, byte for byte."""
    return record is not None and record.file_digests.get(claimant.kind) == claimant.digest


def judge_licence(
    claimant: Claimant, records: LibraryRecords | None, now: datetime
) -> list[Finding]:
    """Judge a document by the library; empty where it does not claim to be ours."""
    findings = list(_named_issuer(claimant))
    if records is None or not records.claims_ours(claimant.identifier):
        return findings
    record = records.licences.get(claimant.identifier)
    check, subject = Check.LICENCE_RECORD, claimant.identifier
    if record is None:
        return [*findings, failed(check, "record-unknown", subject, clause=CLAUSE)]
    if is_library_file(claimant, record):
        findings.append(passed(check, "record-matches", subject, clause=CLAUSE))
    else:
        reason = "record-differs" if claimant.is_signed else "stripped"
        findings.append(failed(check, reason, subject, clause=CLAUSE))
    return [
        *findings,
        *_content(claimant, record),
        *_issuer(claimant, record),
        *_log(record),
        *judge_force(record, now),
    ]


# 3. Content, issuer, log


def _content(claimant: Claimant, record: LicenceRecord) -> Iterator[Finding]:
    """Compare the items in the document with the record; values are not repeated (G-9)."""
    shown = {name: text for name, text in claimant.claims.items() if name in record.metadata}
    full = claimant.kind == "ofd"
    library = record.metadata if full else {name: record.metadata[name] for name in shown}
    different = compare_records({"library": library, "document": shown})
    for one in different:
        yield failed(Check.CONTENT_MATCH, "content-mismatch", one.item, clause=CLAUSE)
    if not different:
        yield passed(Check.CONTENT_MATCH, "content-matches", clause=CLAUSE)


def _issuer(claimant: Claimant, record: LicenceRecord) -> Iterator[Finding]:
    """Compare the owner of each seal with the authority that issued (T-SES-28)."""
    check = Check.ISSUER_MATCH
    foreign = [
        seal.seal_id for seal in claimant.seals if seal.authority_code != record.authority_code
    ]
    for seal_id in foreign:
        yield failed(check, "issuer-mismatch", seal_id, clause=CLAUSE)
    codes = {signer.organisation_code for signer in claimant.signers} - {None, ""}
    if codes - {record.authority_code}:
        yield failed(check, "issuer-mismatch", record.authority_code, clause=CLAUSE)
    elif not foreign and (claimant.seals or codes):
        yield passed(check, "issuer-matches", record.authority_code, clause=CLAUSE)


def _named_issuer(claimant: Claimant) -> Iterator[Finding]:
    """Compare the authority the document names with its signers, without any library."""
    named = claimant.claims.get(AUTHORITY_ITEM)
    codes = {signer.organisation_code for signer in claimant.signers} - {None, ""}
    if named and codes and named not in codes:
        yield failed(Check.ISSUER_MATCH, "issuer-mismatch", named, clause=CLAUSE)


def _log(record: LicenceRecord) -> Iterator[Finding]:
    if record.is_logged is None:
        return
    if record.is_logged:
        yield passed(Check.LOG_INCLUSION, "logged")
    else:
        # A leaf is staged with the release and published a moment later.
        yield notice(Check.LOG_INCLUSION, "not-logged")


# 4. Force


def judge_force(record: LicenceRecord, now: datetime) -> list[Finding]:
    """Judge state and period of a licence; authenticity is another question."""
    reason = STATE_REASONS.get(record.state)
    if reason is None:
        state = passed(Check.LICENCE_STATE, "in-force", record.facts.identifier)
    else:
        since = record.facts.state_since
        detail = "" if since is None else since.isoformat()
        state = failed(Check.LICENCE_STATE, reason, record.facts.identifier, detail=detail)
    # The period is judged whatever the state is, so that both answers are seen.
    standing = standing_on(LicenceState.IN_FORCE, record.validity, day_in_china(now))
    period = f"{record.facts.valid_from}/{record.facts.valid_until}"
    if standing is Standing.NOT_YET:
        return [state, failed(Check.VALIDITY_PERIOD, "licence-not-yet-valid", period)]
    if standing is Standing.EXPIRED:
        return [state, failed(Check.VALIDITY_PERIOD, "licence-expired", period)]
    return [state, passed(Check.VALIDITY_PERIOD, "in-period", period)]

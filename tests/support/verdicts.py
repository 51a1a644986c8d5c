"""Verdicts for tests: the defaults are a genuine licence in force, the keywords are flaws.

All names, bodies and numbers are invented; the check digits are right.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from licence_store.codes import HolderCodeType
from tests.support.licences import AUTHORITY, HOLDER, make_food_result, make_identifier
from verifier.verdict import (
    Check,
    Coverage,
    Finding,
    LicenceFacts,
    Outcome,
    Result,
    SealFacts,
    SignatureVerdict,
    TimeSource,
    Verdict,
    integrity_of,
    outcome_of,
    trust_of,
    worst,
)

JUDGED_AT = datetime(2026, 11, 26, 2, 14, 9, tzinfo=UTC)
SEALED_AT = datetime(2026, 11, 24, 4, 0, 3, tzinfo=UTC)
REVOKED_AT = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
"""Already the 25th in Beijing."""
DIGEST = "6f2d3c1b0a99887766554433221100ffeeddccbbaa99887766554433221100ff"
PERSON = {
    "holder_name": "欧阳明远",
    "holder_code": "110101199003074514",
    "holder_code_type": HolderCodeType.CITIZEN_ID.value,
}

_GOOD_REASONS: Mapping[Check, tuple[str, str]] = {
    Check.CONTAINER: ("ok", "GB/T 33190-2016, 6"),
    Check.STRUCTURE: ("ok", "GB/T 38540-2020, 6"),
    Check.ALGORITHM: ("ok", "GB/T 35276"),
    Check.DOCUMENT_DIGEST: ("digest-holds", "GB/T 38540-2020, 7.3"),
    Check.COVERAGE: ("covered", "GB/T 33190-2016, 18.2"),
    Check.SIGNATURE_VALUE: ("signature-holds", "GB/T 38540-2020, 7.3"),
    Check.SIGNER_BOUND: ("signer-listed", "GB/T 38540-2020, 7.3"),
    Check.SEAL_VALUE: ("seal-signature-holds", "GB/T 38540-2020, 7.2"),
    Check.SEAL_COPY: ("seal-copies-agree", "GB/T 33190-2016, 18.2"),
    Check.SEAL_MAKER_CHAIN: ("trusted", "GB/T 38540-2020, 7.2"),
    Check.SEAL_PERIOD: ("seal-in-period", "GB/T 38540-2020, 7.2"),
    Check.STAMP: ("stamp-placed", "GB/T 33190-2016, 18.2"),
    Check.TIMESTAMP: ("timestamp-holds", "GB/T 38540-2020, 7.3"),
    Check.SIGNING_TIME: ("time-plausible", "GB/T 38540-2020, 7.3"),
    Check.SIGNER_CHAIN: ("trusted", "GB/T 38540-2020, 7.3"),
    Check.REVOCATION: ("not-revoked", "RFC 5280, 6.3"),
    Check.SEAL_STATE: ("seal-active", ""),
    Check.LICENCE_RECORD: ("record-matches", ""),
    Check.CONTENT_MATCH: ("content-matches", ""),
    Check.ISSUER_MATCH: ("issuer-matches", ""),
    Check.LOG_INCLUSION: ("logged", ""),
    Check.LICENCE_STATE: ("in-force", "GB/T 36903-2018"),
    Check.VALIDITY_PERIOD: ("in-period", "GB/T 36903-2018"),
}
_OF_DOCUMENT = frozenset(
    {
        Check.CONTAINER,
        Check.COVERAGE,
        Check.LICENCE_RECORD,
        Check.CONTENT_MATCH,
        Check.ISSUER_MATCH,
        Check.LOG_INCLUSION,
        Check.LICENCE_STATE,
        Check.VALIDITY_PERIOD,
    }
)
_OF_LIBRARY = _OF_DOCUMENT - {Check.CONTAINER, Check.COVERAGE} | {Check.SEAL_STATE}


def make_finding(check: Check = Check.CONTAINER, **changes: object) -> Finding:
    """Make a passed finding; keywords replace its fields."""
    reason, clause = _GOOD_REASONS.get(check, ("ok", ""))
    good = Finding(check=check, result=Result.PASSED, reason=reason, clause=clause)
    return replace(good, **changes)  # type: ignore[arg-type]  # a builder's keywords are flaws


def make_facts(**changes: object) -> LicenceFacts:
    """Make the library's facts of a food permit in force; keywords replace fields."""
    facts = LicenceFacts(
        identifier=make_identifier(make_food_result()),
        name="食品经营许可证",
        licence_number="JY23201020010244",
        holder_name=HOLDER.name,
        issuing_authority_name=AUTHORITY.name,
        state="in_force",
        issued_on="2026-11-24",
        valid_from="2026-11-24",
        valid_until="2031-11-23",
        test=True,
        holder_code=HOLDER.code,
        holder_code_type=HOLDER.code_type.value,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def make_verdict(
    *flaws: Finding, licence: LicenceFacts | None = None, is_ours: bool = True, **changes: object
) -> Verdict:
    """Make a verdict in which each flaw takes the place of the passed finding of its check."""
    by_check = {flaw.check: flaw for flaw in flaws}
    wanted = [check for check in _GOOD_REASONS if is_ours or check not in _OF_LIBRARY]
    findings = [by_check.pop(check, make_finding(check)) for check in wanted]
    findings.extend(by_check.values())
    of_document = tuple(f for f in findings if f.check in _OF_DOCUMENT)
    signature = make_signature(tuple(f for f in findings if f.check not in _OF_DOCUMENT))
    of_force = (Check.LICENCE_STATE, Check.VALIDITY_PERIOD)
    about_truth = [f for f in findings if f.check not in of_force]
    has_force = outcome_of(f for f in findings if f.check in of_force) is Outcome.VALID
    verdict = Verdict(
        outcome=worst((outcome_of(of_document), signature.outcome)),
        authentic=outcome_of(about_truth) is Outcome.VALID,
        in_force=has_force if is_ours else None,
        judged_at=JUDGED_AT,
        document_digest=DIGEST,
        document_kind="ofd",
        signatures=(signature,),
        findings=of_document,
        licence=(licence or make_facts()) if is_ours else None,
    )
    return replace(verdict, **changes)  # type: ignore[arg-type]


def make_signature(findings: tuple[Finding, ...], **changes: object) -> SignatureVerdict:
    """Make the verdict on one seal from its findings; keywords replace fields."""
    signature = SignatureVerdict(
        kind="ofd-seal",
        name="/Doc_0/Signs/Sign_0/Signature.xml",
        outcome=outcome_of(findings),
        integrity=integrity_of(findings),
        trust=trust_of(findings),
        signed_at=SEALED_AT,
        time_source=TimeSource.TIMESTAMP,
        signer=f"CN={AUTHORITY.name}, O={AUTHORITY.name}",
        seal=SealFacts(id="32010200000001", name=f"{AUTHORITY.name}电子证照专用章", version=4),
        findings=findings,
    )
    return replace(signature, **changes)  # type: ignore[arg-type]


def make_revoked(**changes: object) -> Verdict:
    """Make the verdict on a genuine licence that was revoked as a penalty."""
    facts: dict[str, object] = {
        "state": "revoked",
        "state_reason": "擅自改变经营场所，经责令改正拒不改正",
        "state_since": REVOKED_AT,
    }
    flaw = make_finding(Check.LICENCE_STATE, result=Result.FAILED, reason="licence-revoked")
    return make_verdict(flaw, licence=make_facts(**{**facts, **changes}))


def make_expired() -> Verdict:
    """Make the verdict on a genuine licence past its last day."""
    flaw = make_finding(Check.VALIDITY_PERIOD, result=Result.FAILED, reason="licence-expired")
    licence = make_facts(issued_on="2021-11-25", valid_from="2021-11-25", valid_until="2026-11-24")
    return make_verdict(flaw, licence=licence)


def make_tampered() -> Verdict:
    """Make the verdict on one of our files, changed after sealing."""
    return make_verdict(
        make_finding(
            Check.DOCUMENT_DIGEST,
            result=Result.FAILED,
            reason="digest-changed",
            subject="/Doc_0/Pages/Page_0/Content.xml",
        ),
        make_finding(Check.LICENCE_RECORD, result=Result.FAILED, reason="record-differs"),
    )


def make_foreign() -> Verdict:
    """Make the verdict on another issuer's intact file whose roots are not configured."""
    return make_verdict(
        make_finding(
            Check.SEAL_MAKER_CHAIN,
            result=Result.UNKNOWN,
            reason="untrusted",
            subject="CN=测试制章中心, O=测试制章中心, C=CN",
        ),
        make_finding(
            Check.SIGNER_CHAIN,
            result=Result.UNKNOWN,
            reason="untrusted",
            subject="CN=临江市档案局, C=CN",
        ),
        make_finding(Check.REVOCATION, result=Result.UNKNOWN, reason="status-unknown"),
        make_finding(Check.TIMESTAMP, result=Result.NOTICE, reason="timestamp-absent"),
        is_ours=False,
    )


def make_unsigned() -> Verdict:
    """Make the verdict on a file without any seal."""
    return Verdict(
        outcome=Outcome.UNSIGNED,
        authentic=False,
        in_force=None,
        judged_at=JUDGED_AT,
        document_digest=DIGEST,
        document_kind="pdf",
        coverage=Coverage(),
        findings=(make_finding(Check.CONTAINER),),
    )

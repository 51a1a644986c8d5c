"""Rules on OFD documents (GB/T 33190-2016 chapter 18; GB/T 38540-2020): every signature, alone.

1. Judge each signature: its structure, every digest, its value and certificates.
2. Compute what the signatures that hold leave open, and what was added after a lock.
3. Conclude each signature; the worst decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from keys.algorithms import OID_SM2_WITH_SM3, DigestAlgorithm, sm3
from keys.certificates import Certificate
from keys.errors import ServiceError
from seal_service.formats.cms import verify_gbt35275_signer
from seal_service.formats.ofd.container import OFDContainer
from seal_service.formats.ofd.coverage import coverage, locking_signatures_passed_over
from seal_service.formats.ofd.model import OFDSignature, SignatureKind
from seal_service.formats.ofd.own_form import claims_own_form
from seal_service.formats.ofd.signatures import ReferenceResult, check_references
from seal_service.formats.ses import SealSignature, parse_seal_signature
from verifier.rules.findings import (
    SEVERITY_RESULT,
    deviations,
    failed,
    finding,
    notice,
    passed,
    refusal,
    unknown,
)
from verifier.rules.judged import DocumentContext, JudgedValue, conclude
from verifier.rules.ofd_listing import judge_listing, listing_paths
from verifier.rules.ofd_opening import OpenedOFD
from verifier.rules.ofd_stamps import judge_stamps
from verifier.rules.ses import SealedOriginal, judge_seal
from verifier.rules.signed_data import SignedOriginal, judge_signed_data
from verifier.verdict import (
    Check,
    Coverage,
    Finding,
    Integrity,
    SignatureVerdict,
    in_order,
    integrity_of,
)

CLAUSE = "GB/T 33190-2016, 18"
REFERENCE_REASONS = {
    ReferenceResult.CHANGED: "digest-changed",
    ReferenceResult.MISSING: "digest-missing",
    ReferenceResult.MALFORMED: "digest-malformed",
}
PROBLEM_CHECKS = {"no-coverage": Check.COVERAGE, "check-value": Check.DOCUMENT_DIGEST}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedOFD:
    """What is to be said of a package."""

    signatures: tuple[SignatureVerdict, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    signers: tuple[Certificate, ...] = ()
    """Certificates whose signatures hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft(JudgedValue):
    """One signature's verdict before coverage is known."""

    signature: OFDSignature


def judge_ofd(opened: OpenedOFD, context: DocumentContext) -> JudgedOFD:
    """Judge every signature of a package that was opened."""
    container_findings = _container(opened, context)
    if opened.container is None or opened.document is None:
        return JudgedOFD(signatures=(), coverage=Coverage(), findings=container_findings)
    drafts = [_judge(opened, opened.container, one, context) for one in opened.signatures]  # 1
    held = [draft for draft in drafts if integrity_of(draft.findings) is Integrity.HOLDS]
    holding = [draft.signature for draft in held]
    left_open = _left_open(opened, holding)
    passed_over = locking_signatures_passed_over(opened.signatures)
    verdicts = [  # 2 and 3
        _conclude(
            draft,
            [
                *_later_changes(draft.signature, passed_over, opened),
                *_coverage(draft.signature, holding, opened, left_open, context),
            ],
        )
        for draft in drafts
    ]
    listing = judge_listing(opened.container, context.evidence)
    findings = [*container_findings]
    if listing is not None and not drafts:
        # The listing holds no digests: alone it protects nothing.
        findings.append(failed(Check.COVERAGE, "no-coverage", clause=CLAUSE))
    if holding:
        findings += _open_entries(left_open, opened, context)
    return JudgedOFD(
        signatures=tuple(verdicts if listing is None else [*verdicts, listing]),
        coverage=left_open,
        findings=in_order(findings),
        signers=tuple(draft.signer for draft in held if draft.signer is not None),
    )


def _container(opened: OpenedOFD, context: DocumentContext) -> tuple[Finding, ...]:
    """Say how the package was read; bytes around it are weighed by the policy (T-OFD-06)."""
    findings = list(opened.findings)
    if opened.has_extra:
        result = SEVERITY_RESULT[context.evidence.policy.container_deviation]
        findings.append(finding(Check.CONTAINER, result, "container-extra", clause=CLAUSE))
    return tuple(findings) or (passed(Check.CONTAINER, "ok", clause=CLAUSE),)


# 1. One signature


def _judge(
    opened: OpenedOFD, container: OFDContainer, signature: OFDSignature, context: DocumentContext
) -> _Draft:
    is_own = claims_own_form(signature)
    findings = [
        *_problems(signature),
        *deviations(
            Check.STRUCTURE, signature.notices, signature.path, is_own=is_own, clause=CLAUSE
        ),
        *_methods(signature),
        *_references(container, signature),
    ]
    draft = _Draft(signature=signature, kind=_kind(signature), findings=tuple(findings))
    if signature.signed_value is None:
        return draft
    if signature.kind is SignatureKind.SIGN:
        return _judge_sign(draft, context, is_own=is_own)
    value = opened.seal_values[signature.path]
    if isinstance(value, ServiceError):
        broken = refusal(Check.STRUCTURE, value, signature.signed_value_path or "")
        return replace(draft, findings=(*draft.findings, broken))
    return _judge_seal(draft, value, context, is_own=is_own)


def _kind(signature: OFDSignature) -> str:
    return "ofd-sign" if signature.kind is SignatureKind.SIGN else "ofd-seal"


def _problems(signature: OFDSignature) -> Iterator[Finding]:
    """Report what Signature.xml lacks."""
    for problem in signature.problems:
        check = PROBLEM_CHECKS.get(problem.reason, Check.STRUCTURE)
        reason = "no-coverage" if problem.reason == "no-coverage" else "malformed"
        yield failed(check, reason, signature.path, clause=CLAUSE, detail=problem.reason)


def _methods(signature: OFDSignature) -> Iterator[Finding]:
    """Judge the digest method; MD5, the default of the standard, proves nothing (T-OFD-56)."""
    check = Check.ALGORITHM
    if signature.digest_problem:
        yield failed(
            check, signature.digest_problem, signature.check_method or "MD5", clause=CLAUSE
        )
    elif signature.method == OID_SM2_WITH_SM3 and signature.digest not in (
        DigestAlgorithm.SM3,
        None,
    ):
        yield failed(check, "algorithm-mismatch", "CheckMethod", clause=CLAUSE)


def _references(container: OFDContainer, signature: OFDSignature) -> Iterator[Finding]:
    """Compare every protected entry; name each one that is not what it was (T-OFD-40)."""
    check = Check.DOCUMENT_DIGEST
    results = check_references(container, signature)
    bad = [one for one in results if one.result is not ReferenceResult.OK]
    for one in bad:
        reason = REFERENCE_REASONS.get(one.result)
        if reason is not None:
            yield failed(check, reason, one.path, clause=CLAUSE)
    if results and not bad:
        yield passed(check, "digest-holds", f"{len(results)}", clause=CLAUSE)
    elif bad and all(one.result not in REFERENCE_REASONS for one in bad):
        yield unknown(check, "unsupported-algorithm", signature.check_method, clause=CLAUSE)


def _judge_seal(
    draft: _Draft, value: SealSignature, context: DocumentContext, *, is_own: bool
) -> _Draft:
    signature = draft.signature
    original = SealedOriginal(
        digest=sm3(signature.signature_xml),
        location=f"/{signature.path}",
        method=signature.method,
        seal_copy=signature.seal,
        is_own=is_own,
        known_since=context.known_since,
        seals=context.seal_records(value.seal.seal_id),
    )
    judged = judge_seal(value, original, context.evidence)
    findings = [
        *draft.findings,
        *judged.findings,
        *judge_stamps(signature, value.seal, is_own=is_own),
        *_written_time(signature, value, is_own=is_own),
    ]
    return replace(
        draft,
        findings=tuple(findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=judged.signer,
        seal=judged.seal,
    )


def _written_time(
    signature: OFDSignature, value: SealSignature, *, is_own: bool
) -> Iterator[Finding]:
    """Compare SignatureDateTime, which proves nothing, with the signed time (T-OFD-67)."""
    if not is_own or value.signed_at is None:
        return
    if signature.signed_at_text != f"{value.signed_at:%Y%m%d%H%M%SZ}":
        yield failed(
            Check.SIGNING_TIME, "time-mismatch", signature.signed_at_text[:40], clause=CLAUSE
        )


def _judge_sign(draft: _Draft, context: DocumentContext, *, is_own: bool) -> _Draft:
    signature = draft.signature
    message = signature.signed_value or b""
    if _is_seal_signature(message):
        # A seal that is passed off as a plain signature would escape the checks of its seal.
        switched = failed(Check.STRUCTURE, "type-switched", signature.path, clause=CLAUSE)
        return replace(draft, findings=(*draft.findings, switched))
    original = SignedOriginal(
        verify=lambda signed_data: verify_gbt35275_signer(signed_data, signature.signature_xml),
        is_own=is_own,
        known_since=context.known_since,
    )
    judged = judge_signed_data(message, original, context.evidence)
    signer = judged.signer
    return replace(
        draft,
        findings=(*draft.findings, *judged.findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=None if signer is None else signer.certificate,
    )


def _is_seal_signature(value: bytes) -> bool:
    try:
        parse_seal_signature(value)
    except ServiceError:
        return False
    return True


# 2. Coverage and later changes


def _later_changes(
    signature: OFDSignature, passed_over: Sequence[OFDSignature], opened: OpenedOFD
) -> Iterator[Finding]:
    """Report a signature that was added after this one locked the list (T-OFD-60)."""
    check = Check.LATER_CHANGES
    if any(one.path == signature.path for one in passed_over):
        yield failed(check, "appended-after-lock", signature.list_path, clause=CLAUSE)
        return
    later = opened.signatures[opened.signatures.index(signature) + 1 :]
    reason = "allowed-later-changes" if later else "no-later-changes"
    yield passed(check, reason, clause=CLAUSE)


def _left_open(opened: OpenedOFD, holding: Sequence[OFDSignature]) -> Coverage:
    """Compute what the signatures that hold leave open together.

    Where none holds, say at least which entries are not what some signature protects. A lock binds
    only while its signature holds: a broken one is reported by its own findings.
    """
    if opened.container is None or opened.document is None:
        return Coverage()
    paths = {one.path for one in holding}
    signatures = [one if one.path in paths else _unlocked(one) for one in opened.signatures]
    found = coverage(
        opened.container, opened.document, signatures=signatures, holding=holding or signatures
    )
    # A listing of the whole package (GM/T 0099) carries its own signature.
    unreferenced = found.unreferenced
    if not opened.is_own:
        listing = listing_paths(opened.container)
        unreferenced = tuple(path for path in unreferenced if path not in listing)
    return Coverage(uncovered=found.uncovered, unreferenced=unreferenced)


def _unlocked(signature: OFDSignature) -> OFDSignature:
    kept = tuple(one for one in signature.references if one.path != signature.list_path)
    return replace(signature, references=kept)


def _coverage(
    signature: OFDSignature,
    holding: Sequence[OFDSignature],
    opened: OpenedOFD,
    overall: Coverage,
    context: DocumentContext,
) -> Iterator[Finding]:
    """Say what this signature leaves open, and whether another one takes care of it."""
    if not signature.references or opened.container is None or opened.document is None:
        return
    if not any(one.path == signature.path for one in holding):
        return
    alone = _left_open(opened, [signature])
    if not alone.uncovered and not alone.unreferenced:
        yield passed(Check.COVERAGE, "covered", clause=CLAUSE)
        return
    everything = {*overall.uncovered, *overall.unreferenced}
    others = [p for p in (*alone.uncovered, *alone.unreferenced) if p not in everything]
    if others:
        detail = ", ".join(others[:5])
        yield notice(Check.COVERAGE, "covered-by-another", clause=CLAUSE, detail=detail)
    yield from _open_entries(overall, opened, context)


def _open_entries(
    found: Coverage, opened: OpenedOFD, context: DocumentContext
) -> Iterator[Finding]:
    """List every entry that no holding signature covers (T-OFD-42, T-OFD-43)."""
    check, policy = Check.COVERAGE, context.evidence.policy
    drawn = SEVERITY_RESULT[policy.uncovered_drawn]
    other = SEVERITY_RESULT[policy.uncovered_other]
    for path in found.uncovered:
        yield finding(check, drawn, "uncovered", path, clause=CLAUSE)
    for path in found.unreferenced:
        if opened.is_own:
            yield failed(check, "unreferenced", path, clause=CLAUSE)
        else:
            yield finding(check, other, "unreferenced", path, clause=CLAUSE)
    if not found.uncovered and not found.unreferenced:
        yield passed(check, "covered", clause=CLAUSE)


# 3. Conclusion


def _conclude(draft: _Draft, more: Sequence[Finding]) -> SignatureVerdict:
    return conclude(draft, f"/{draft.signature.path}", [*draft.findings, *more])

"""Rules on seal signatures (SES): GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025.

Every step is made and reported, whatever the others gave; the order is that of ``Check``:

1. Structure: version, extensions, picture; deviations of real issuers.
2. Algorithms agree between document, seal signature, seal and certificates.
3. dataHash is of this original, propertyInfo names its place.
4. Signature value over TBS_Sign; the signer is in the seal's certificate list.
5. The seal's own value, and the copy of the seal beside it.
6. The maker's chain, at the instant the policy names.
7. The seal's period at the signing time; time stamps; whether the claimed time can be true.
8. The signer's chain at the signing time; revocation; what the seal register says.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import OID_SM2_WITH_SM3, KeyAlgorithm
from keys.certificates import Certificate, parse_certificate
from keys.errors import ServiceError
from keys.path import Usage
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses import (
    ESeal,
    SealSignature,
    SESVersion,
    check_signer_listed,
    verify_signature_value,
)
from verifier.records import SealRecord
from verifier.rules.chain import (
    ChainEvidence,
    SigningTime,
    judge_chain,
    judge_revocation,
)
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
from verifier.rules.seal_rules import judge_maker, judge_period, judge_seal_value, seal_facts
from verifier.rules.seal_state import judge_owner, judge_seal_state
from verifier.rules.timestamp import judge_signing_time, judge_timestamps
from verifier.verdict import Check, Finding, SealFacts, TimeSource

CLAUSE = "GB/T 38540-2020"
SIGNATURE_CLAUSE = f"{CLAUSE}, 7.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedOriginal:
    """What a seal signature should be over, as the document at hand says."""

    digest: bytes | None
    """SM3 of the original; None where it is not at hand."""
    location: str | None = None
    """What propertyInfo should name; None where the format leaves it free."""
    method: str = ""
    """Algorithm the document names for the signature; empty where it names none."""
    seal_copy: bytes | None = None
    """The copy of the seal that travels beside the signature."""
    is_own: bool = False
    """Whether the signature claims to be made by us, so that no deviation is read over."""
    known_since: datetime | None = None
    """When our own library had this very file."""
    seals: tuple[SealRecord, ...] | None = None
    """Our register's rows for this seal number; None where no register was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSeal:
    """What is to be said of one seal signature."""

    findings: tuple[Finding, ...]
    signed_at: datetime | None
    time_source: TimeSource
    signer: Certificate | None
    seal: SealFacts


def judge_seal(
    signature: SealSignature, original: SealedOriginal, evidence: ChainEvidence
) -> JudgedSeal:
    """Judge one seal signature that was read; see the module's list of steps."""
    seal = signature.seal
    signer, signer_findings = _certificate(signature.certificate, Check.SIGNER_CHAIN)
    maker, maker_findings = _certificate(seal.maker_certificate, Check.SEAL_MAKER_CHAIN)
    stamps = _judge_stamps(signature, original, evidence)
    time = SigningTime(
        claimed=signature.signed_at,
        stamped=stamps.stamped_at,
        known_since=original.known_since,
        now=evidence.now,
    )
    findings = [
        *_structure(signature, original, evidence),
        *_algorithms(signature, original, signer, maker),
        *_original(signature, original),
        *_values(signature),
        *_seal_copy(seal, original),
        *maker_findings,
        *judge_maker(seal, maker, time, evidence),
        *judge_period(seal, time),
        *stamps.findings,
        *_time(signature, signer, time, evidence),
        *signer_findings,
        *_signer(signer, time, evidence),
        *judge_owner(seal, is_own=original.is_own),
        *judge_seal_state(seal, original.seals, time, is_own=original.is_own),
    ]
    return JudgedSeal(
        findings=tuple(findings),
        signed_at=stamps.stamped_at or signature.signed_at,
        time_source=time.source,
        signer=signer,
        seal=seal_facts(seal),
    )


def _certificate(der: bytes, check: Check) -> tuple[Certificate | None, list[Finding]]:
    try:
        return parse_certificate(der), []
    except ServiceError as error:
        return None, [refusal(check, error)]


# 1. Structure


def _structure(
    signature: SealSignature, original: SealedOriginal, evidence: ChainEvidence
) -> Iterator[Finding]:
    check, subject = Check.STRUCTURE, signature.seal.seal_id
    yield passed(check, "ok", f"SES v{signature.version.value}", clause=CLAUSE)
    remarks = [one for one in signature.notices if one.subject != "timeInfo" or original.is_own]
    yield from deviations(check, remarks, subject, is_own=original.is_own, clause=CLAUSE)
    for extension in (*signature.seal.extensions, *signature.extensions):
        if extension.is_critical:
            result = SEVERITY_RESULT[evidence.policy.unknown_critical_extension]
            yield finding(check, result, "unknown-critical", extension.oid, clause=CLAUSE)
    try:
        check_picture(signature.seal.picture)
    except ServiceError as error:
        yield refusal(check, error, subject, clause=CLAUSE)


# 2. Algorithms


def _algorithms(
    signature: SealSignature,
    original: SealedOriginal,
    signer: Certificate | None,
    maker: Certificate | None,
) -> Iterator[Finding]:
    """Compare every place that names an algorithm (T-SES-10, T-SES-11, T-OFD-57)."""
    check = Check.ALGORITHM
    faults = list(_algorithm_faults(signature, original, signer, maker))
    yield from (failed(check, "algorithm-mismatch", where, clause=CLAUSE) for where in faults)
    if len(signature.data_hash) != 32:
        yield failed(check, "weak-algorithm", "dataHash", clause=CLAUSE)
    elif not faults:
        yield passed(check, "ok", signature.signature_oid, clause=CLAUSE)


def _algorithm_faults(
    signature: SealSignature,
    original: SealedOriginal,
    signer: Certificate | None,
    maker: Certificate | None,
) -> Iterator[str]:
    if original.method and original.method != signature.signature_oid:
        yield "SignatureMethod"
    named = (
        ("signatureAlgID", signature.signature_oid, signer),
        ("signAlgID", signature.seal.signature_oid, maker),
    )
    for where, oid, certificate in named:
        is_sm2 = oid == OID_SM2_WITH_SM3
        # Only the first generation knows RSA (GM/T 0031-2014); later ones are SM2 throughout.
        if not is_sm2 and signature.version is not SESVersion.V1:
            yield where
        elif certificate is not None:
            key_is_sm2 = certificate.public_key.algorithm is KeyAlgorithm.SM2
            if is_sm2 is not key_is_sm2:
                yield where


# 3. The original


def _original(signature: SealSignature, original: SealedOriginal) -> Iterator[Finding]:
    check, clause = Check.DOCUMENT_DIGEST, f"{SIGNATURE_CLAUSE} g)"
    if original.digest is None:
        yield unknown(check, "not-checked", clause=clause)
    elif not hmac.compare_digest(original.digest, signature.data_hash):
        yield failed(check, "data-hash-mismatch", "dataHash", clause=clause)
    if original.location is None:
        return
    named = signature.property_info
    if named.removeprefix("/") != original.location.removeprefix("/"):
        yield failed(
            check, "property-info-mismatch", named[:255], clause=clause, detail=original.location
        )


# 4. and 5. Values, signer, seal


def _values(signature: SealSignature) -> Iterator[Finding]:
    check, clause = Check.SIGNATURE_VALUE, SIGNATURE_CLAUSE
    try:
        verify_signature_value(signature)
    except ServiceError as error:
        yield refusal(check, error, clause=clause)
    else:
        yield passed(check, "signature-holds", clause=clause)
    try:
        check_signer_listed(signature.seal, signature.certificate)
    except ServiceError as error:
        yield refusal(Check.SIGNER_BOUND, error, clause=clause)
    else:
        yield passed(Check.SIGNER_BOUND, "signer-listed", clause=clause)
    yield judge_seal_value(signature.seal)


def _seal_copy(seal: ESeal, original: SealedOriginal) -> Iterator[Finding]:
    """Compare Seal.esl with the seal inside the signature, byte for byte (T-OFD-54)."""
    if original.seal_copy is None:
        return
    if original.seal_copy == seal.raw:
        yield passed(Check.SEAL_COPY, "seal-copies-agree", clause="GB/T 33190-2016, 18")
    else:
        yield failed(Check.SEAL_COPY, "seal-mismatch", clause="GB/T 33190-2016, 18")


# 7. Time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamps:
    stamped_at: datetime | None
    findings: tuple[Finding, ...]


def _judge_stamps(
    signature: SealSignature, original: SealedOriginal, evidence: ChainEvidence
) -> _Stamps:
    """Judge the token over the signature value, or the first generation's token as timeInfo."""
    token, value = signature.timestamp, signature.signature
    if signature.time_token is not None:
        token, value = signature.time_token, signature.data_hash
    tokens = [] if token is None else [token]
    judged = judge_timestamps(tokens, value, evidence, is_own=original.is_own)
    return _Stamps(stamped_at=judged.stamped_at, findings=judged.findings)


def _time(
    signature: SealSignature,
    signer: Certificate | None,
    time: SigningTime,
    evidence: ChainEvidence,
) -> Iterator[Finding]:
    """Judge the signing time, and how it is written (T-SES-29, T-SES-30)."""
    yield from judge_signing_time(
        time,
        evidence,
        signer=signer,
        seal_made_at=signature.seal.created_at,
        text=signature.time_text,
    )
    odd = any(one.subject == "timeInfo" and one.reason == "odd-time" for one in signature.notices)
    if not odd:
        return
    # v1 leaves the form open and vendors write plain text; v4 and v5 name GeneralizedTime.
    is_free = signature.version is SESVersion.V1
    say = notice if is_free else unknown
    reason = "deviation" if is_free else "time-ambiguous"
    yield say(Check.SIGNING_TIME, reason, signature.time_text, clause=SIGNATURE_CLAUSE)


# 8. The signer


def _signer(
    signer: Certificate | None, time: SigningTime, evidence: ChainEvidence
) -> Iterator[Finding]:
    if signer is None:
        return
    check, at = Check.SIGNER_CHAIN, time.judged_at
    chain = judge_chain(check, signer, Usage.SEAL_HOLDER, at, evidence)
    yield from chain.findings
    if chain.report.is_trusted and not chain.report.problems and signer.not_after < evidence.now:
        yield notice(check, "expired-later", signer.subject, clause=SIGNATURE_CLAUSE)
    yield from judge_revocation(chain.report, time, evidence)

"""The JSON form of a verdict: the shape other programs rely on.

``verdict``, ``authentic``, ``in_force``, ``coverage`` and ``signatures`` are frozen; keys may be
added, never renamed or removed.
"""

from datetime import datetime
from typing import TypeAlias

from seal_service.plumbing.instants import instant
from verifier.verdict import Finding, LicenceFacts, SignatureVerdict, Verdict

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def finding_to_json(finding: Finding) -> dict[str, Json]:
    """Return one finding as JSON."""
    return {
        "check": finding.check.value,
        "result": finding.result.value,
        "reason": finding.reason,
        "subject": finding.subject,
        "clause": finding.clause,
        "detail": finding.detail,
    }


def signature_to_json(signature: SignatureVerdict, judged_at: datetime) -> dict[str, Json]:
    """Return one signature's verdict as JSON; without a time of its own ``judged_at`` counts."""
    seal = signature.seal
    return {
        "kind": signature.kind,
        "name": signature.name,
        "verdict": signature.outcome.value,
        "integrity": signature.integrity.value,
        "trust": signature.trust.value,
        "signed_at": _instant_or_none(signature.signed_at),
        "time_source": signature.time_source.value,
        "judged_for": instant(signature.signed_at or judged_at),
        "signer": signature.signer,
        "seal": None
        if seal is None
        else {"id": seal.id, "name": seal.name, "version": seal.version},
        "findings": [finding_to_json(finding) for finding in signature.findings],
    }


def licence_to_json(licence: LicenceFacts) -> dict[str, Json]:
    """Return the library's record as JSON."""
    return {
        "identifier": licence.identifier,
        "name": licence.name,
        "licence_number": licence.licence_number,
        "holder_name": licence.holder_name,
        "issuing_authority_name": licence.issuing_authority_name,
        "state": licence.state,
        "state_reason": licence.state_reason,
        "state_since": _instant_or_none(licence.state_since),
        "issued_on": licence.issued_on,
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
        "test": licence.test,
    }


def verdict_to_json(verdict: Verdict) -> dict[str, Json]:
    """Return the whole verdict as JSON."""
    return {
        "verdict": verdict.outcome.value,
        "authentic": verdict.authentic,
        "in_force": verdict.in_force,
        "judged_at": instant(verdict.judged_at),
        "judged_at_source": verdict.judged_at_source.value,
        "policy": verdict.policy_name,
        "document": {"digest": verdict.document_digest, "kind": verdict.document_kind},
        "coverage": {
            "uncovered": list(verdict.coverage.uncovered),
            "unreferenced": list(verdict.coverage.unreferenced),
        },
        "signatures": [
            signature_to_json(signature, verdict.judged_at) for signature in verdict.signatures
        ],
        "findings": [finding_to_json(finding) for finding in verdict.findings],
        "licence": None if verdict.licence is None else licence_to_json(verdict.licence),
    }


def _instant_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)

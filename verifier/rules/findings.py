"""Short ways to write findings, and the translation of refusals into reason codes.

Every reason a parser or primitive can give has an entry here or is itself a word of
``verifier.words.REASONS``; what is left falls back to ``malformed``. The parser's own reason is
kept in ``detail``.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from keys.errors import Kind, ServiceError
from verifier.policy import Severity
from verifier.verdict import Check, Finding, Result


class Remark(Protocol):
    """What the readers of all formats remark: a stable reason, and where."""

    @property
    def reason(self) -> str:
        """Return the stable kebab-case word."""
        ...

    @property
    def subject(self) -> str:
        """Return what it is about."""
        ...


SEVERITY_RESULT = {
    Severity.NOTICE: Result.NOTICE,
    Severity.INDETERMINATE: Result.UNKNOWN,
    Severity.INVALID: Result.FAILED,
}

REASON_CODES: Mapping[str, str] = {
    "limit": "limit",
    "limit-exceeded": "limit",
    "document-too-large": "limit",
    "encrypted": "encrypted",
    "zip-extra": "container-extra",
    "zip-comment": "container-extra",
    "zip-gap": "container-damaged",
    "zip-overlap": "container-damaged",
    "zip-mismatch": "container-damaged",
    "zip64": "container-damaged",
    "duplicate-entry": "duplicate-entry",
    "entry-name": "entry-name",
    "entry-type": "entry-name",
    "location": "location",
    "doctype": "unsafe-xml",
    "weak-algorithm": "weak-algorithm",
    "unsupported-algorithm": "unsupported-algorithm",
    "signature-mismatch": "signature-mismatch",
    "malformed-signature": "signature-mismatch",
    "invalid-key": "invalid-key",
    "malformed-certificate": "no-certificate",
    "signer-not-in-seal": "signer-not-in-seal",
    "algorithm-mismatch": "algorithm-mismatch",
    "signer-certificate": "no-certificate",
    "signed-content-changed": "data-hash-mismatch",
    "unsafe-picture": "picture-unsafe",
    "picture-bytes": "picture-unsafe",
    "picture-type": "picture-unsafe",
    "picture-trailing": "picture-unsafe",
    "picture-pixels": "picture-unsafe",
    "picture-animated": "picture-unsafe",
    "picture-colours": "picture-unsafe",
    "picture-active": "picture-unsafe",
    "no-coverage": "no-coverage",
    "signature-list-missing": "signature-list-missing",
    "version": "unsupported-version",
}


def finding(
    check: Check,
    result: Result,
    reason: str,
    subject: str = "",
    *,
    clause: str = "",
    detail: str = "",
) -> Finding:
    """Make a finding."""
    return Finding(
        check=check, result=result, reason=reason, subject=subject, clause=clause, detail=detail
    )


def passed(check: Check, reason: str, subject: str = "", *, clause: str = "") -> Finding:
    """Say that a check passed."""
    return finding(check, Result.PASSED, reason, subject, clause=clause)


def failed(
    check: Check, reason: str, subject: str = "", *, clause: str = "", detail: str = ""
) -> Finding:
    """Say that a check proved a break."""
    return finding(check, Result.FAILED, reason, subject, clause=clause, detail=detail)


def unknown(
    check: Check, reason: str, subject: str = "", *, clause: str = "", detail: str = ""
) -> Finding:
    """Say that a check could not be decided."""
    return finding(check, Result.UNKNOWN, reason, subject, clause=clause, detail=detail)


def notice(
    check: Check, reason: str, subject: str = "", *, clause: str = "", detail: str = ""
) -> Finding:
    """Say what should be seen although it decides nothing."""
    return finding(check, Result.NOTICE, reason, subject, clause=clause, detail=detail)


def reason_of(error: ServiceError) -> str:
    """Return the reason code for a refusal by a parser or a primitive."""
    inner = str(error.params.get("reason", ""))
    return REASON_CODES.get(inner) or REASON_CODES.get(error.code) or "malformed"


def refusal(check: Check, error: ServiceError, subject: str = "", *, clause: str = "") -> Finding:
    """Turn a refusal into a failed finding; the parser's own words stay in ``detail``.

    An engine or store at fault says nothing about the document: that is raised on.
    """
    if error.kind is Kind.UNAVAILABLE:
        raise error
    inner = str(error.params.get("reason", "") or error.code)
    where = subject or str(error.params.get("subject", ""))
    return failed(
        check,
        reason_of(error),
        where,
        clause=clause,
        detail=f"{inner}: {error.detail}" if error.detail else inner,
    )


def deviations(
    check: Check,
    notices: Iterable[Remark],
    subject: str,
    *,
    is_own: bool,
    clause: str = "",
) -> list[Finding]:
    """Report what a reader remarked: a notice in foreign documents, a fault in our own (G-11)."""
    result = Result.FAILED if is_own else Result.NOTICE
    seen = dict.fromkeys((remark.reason, remark.subject) for remark in notices)
    return [
        finding(
            check,
            result,
            "deviation" if result is Result.NOTICE else "malformed",
            subject,
            clause=clause,
            detail=f"{reason} {where}".strip(),
        )
        for reason, where in seen
    ]

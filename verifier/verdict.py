"""Verdicts: what was checked, what came out, and one answer that cannot be misread.

A verdict is a successful answer even when it says "forged". Every check that applies leaves one or
more findings, in the order of ``Check``. The answer for a signature, and for the document, follows
from its findings alone (``outcome_of``): a failed check makes it invalid, an undecided one makes it
indeterminate, and only an unbroken row of passed checks is valid. Authenticity (真伪) and force
(效力) are two answers and are never folded into one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NoReturn


class Outcome(StrEnum):
    """The one answer."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"
    UNSIGNED = "unsigned"


class Result(StrEnum):
    """What one check gave."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Evidence is missing, so the check could not be decided; the reason says which."""
    NOTICE = "notice"
    """A deviation that does not decide anything but should be seen."""


class Check(StrEnum):
    """The checks, in the order in which they are made and reported."""

    CONTAINER = "container"
    STRUCTURE = "structure"
    ALGORITHM = "algorithm"
    DOCUMENT_DIGEST = "document-digest"
    COVERAGE = "coverage"
    LATER_CHANGES = "later-changes"
    SIGNATURE_VALUE = "signature-value"
    SIGNER_BOUND = "signer-bound-to-seal"
    SEAL_VALUE = "seal-value"
    SEAL_COPY = "seal-copy"
    SEAL_MAKER_CHAIN = "seal-maker-chain"
    SEAL_PERIOD = "seal-period"
    STAMP = "stamp-placement"
    TIMESTAMP = "timestamp"
    SIGNING_TIME = "signing-time"
    SIGNER_CHAIN = "signer-chain"
    REVOCATION = "revocation"
    SEAL_STATE = "seal-state"
    LICENCE_RECORD = "licence-record"
    CONTENT_MATCH = "content-match"
    ISSUER_MATCH = "issuer-match"
    LOG_INCLUSION = "log-inclusion"
    LICENCE_STATE = "licence-state"
    VALIDITY_PERIOD = "validity-period"


CHECK_ORDER = {check: position for position, check in enumerate(Check)}

FORCE_CHECKS = frozenset({Check.LICENCE_STATE, Check.VALIDITY_PERIOD})
"""Checks about force (效力); every other check is about authenticity (真伪)."""

INTEGRITY_CHECKS = frozenset(
    {
        Check.CONTAINER,
        Check.STRUCTURE,
        Check.ALGORITHM,
        Check.DOCUMENT_DIGEST,
        Check.COVERAGE,
        Check.LATER_CHANGES,
        Check.SIGNATURE_VALUE,
        Check.SIGNER_BOUND,
        Check.SEAL_VALUE,
        Check.SEAL_COPY,
    }
)
TRUST_CHECKS = frozenset({Check.SEAL_MAKER_CHAIN, Check.SIGNER_CHAIN})


class Integrity(StrEnum):
    """Whether the sealed bytes are the bytes at hand."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Trust(StrEnum):
    """Whether seal maker and signer lead to a configured root."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


class TimeSource(StrEnum):
    """Where the signing time comes from."""

    TIMESTAMP = "timestamp"
    CLAIMED = "claimed"
    NONE = "none"


class InstantSource(StrEnum):
    """Where the instant comes from that a verdict holds for."""

    CLOCK = "clock"
    """The verifier's own clock."""
    GIVEN = "given"
    """Whoever asked named it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check gave for one subject.

    ``reason`` is a stable kebab-case code; ``subject`` names what was looked at (a path inside the
    package, a certificate's name); ``clause`` cites the standard; ``detail`` is a short English
    fact for engineers.
    """

    check: Check
    result: Result
    reason: str
    subject: str = ""
    clause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """The seal as the file shows it."""

    id: str
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureVerdict:
    """One seal or signature of the document, judged alone."""

    kind: str
    """``ofd-seal``, ``ofd-sign``, ``rsa-pades``, ``gm-seal``, ``gm-cms``, ``timestamp`` (over a
    whole PDF) or ``unsupported``."""
    name: str
    """Where it is: the path of Signature.xml, or the PDF signature field."""
    outcome: Outcome
    integrity: Integrity
    trust: Trust
    signed_at: datetime | None
    time_source: TimeSource
    signer: str
    seal: SealFacts | None
    findings: tuple[Finding, ...]

    def __bool__(self) -> NoReturn:
        """Refuse: compare ``outcome`` instead."""
        raise TypeError("a verdict has no truth value; compare its outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the signatures that hold do not protect."""

    uncovered: tuple[str, ...] = ()
    """Entries that a viewer would draw or read and that no signature covers."""
    unreferenced: tuple[str, ...] = ()
    """Entries of the package that nothing refers to and no signature covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFacts:
    """What our own library says of the licence the document claims to be."""

    identifier: str
    name: str
    licence_number: str
    holder_name: str
    issuing_authority_name: str
    state: str
    state_reason: str = ""
    state_since: datetime | None = None
    issued_on: str = ""
    valid_from: str = ""
    valid_until: str = ""
    """Last day, inclusive, as ``YYYY-MM-DD``; empty for a long-term licence."""
    test: bool = False
    holder_code: str = ""
    """In the clear: whoever shows it to the public masks it (``verifier.presenting``)."""
    holder_code_type: str = ""
    """GB/T 36903, appendix A, as ``001``; a holder of unknown type is masked like a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole answer for one document."""

    outcome: Outcome
    authentic: bool
    in_force: bool | None
    """None for documents that are not ours: force is a matter of the issuer's register."""
    judged_at: datetime
    document_digest: str
    """SM3, hex."""
    document_kind: str
    """``ofd``, ``pdf``, ``ses`` (a bare seal signature) or ``unknown``."""
    coverage: Coverage = field(default_factory=Coverage)
    signatures: tuple[SignatureVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Findings about the document as a whole."""
    licence: LicenceFacts | None = None
    judged_at_source: InstantSource = InstantSource.CLOCK
    policy_name: str = "default"

    def __bool__(self) -> NoReturn:
        """Refuse: compare ``outcome`` instead."""
        raise TypeError("a verdict has no truth value; compare its outcome")

    def all_findings(self) -> tuple[Finding, ...]:
        """Return every finding, the document's own first."""
        return self.findings + tuple(f for s in self.signatures for f in s.findings)

    def headline(self) -> Finding | None:
        """Return the first failed finding, else the first undecided one, else None."""
        for wanted in (Result.FAILED, Result.UNKNOWN):
            for finding in self.all_findings():
                if finding.result is wanted:
                    return finding
        return None


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by the fixed order of checks, keeping the order within a check."""
    return tuple(sorted(findings, key=lambda finding: CHECK_ORDER[finding.check]))


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """Return what a row of findings amounts to: failed, then undecided, then valid."""
    results = {finding.result for finding in findings}
    if Result.FAILED in results:
        return Outcome.INVALID
    if Result.UNKNOWN in results or Result.PASSED not in results:
        return Outcome.INDETERMINATE
    return Outcome.VALID


def integrity_of(findings: Iterable[Finding]) -> Integrity:
    """Return whether the sealed bytes hold, from the integrity checks alone."""
    results = {f.result for f in findings if f.check in INTEGRITY_CHECKS}
    if Result.FAILED in results:
        return Integrity.BROKEN
    return Integrity.HOLDS if Result.PASSED in results else Integrity.UNKNOWN


def trust_of(findings: Iterable[Finding]) -> Trust:
    """Return whether the chains that were built reach a configured root."""
    results = {f.result for f in findings if f.check in TRUST_CHECKS}
    if not results:
        return Trust.UNKNOWN
    if results <= {Result.PASSED, Result.NOTICE}:
        return Trust.TRUSTED
    return Trust.UNTRUSTED


SEVERITY = (Outcome.INVALID, Outcome.INDETERMINATE, Outcome.UNSIGNED, Outcome.VALID)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of several outcomes; of none, ``UNSIGNED``."""
    present = set(outcomes)
    return next((outcome for outcome in SEVERITY if outcome in present), Outcome.UNSIGNED)

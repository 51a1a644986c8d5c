"""Rules on certificates: does the chain reach a configured root, and was it revoked.

Steps: GB/T 38540-2020 7.2 and 7.3 (maker and signer certificate), RFC 5280 6. A certificate that
does not lead to a configured root leaves the question open (``untrusted``); every other flaw of a
chain is proof that the signer may not sign and fails the check.
"""

from dataclasses import dataclass, field
from datetime import datetime

from keys.certificates import Certificate
from keys.path import PathReport, TrustStore, Usage, check_path
from keys.revocation import (
    CertificateStatus,
    RevocationEvidence,
    RevocationState,
    check_revocation,
)
from verifier.policy import DEFAULT_POLICY, Policy, Severity
from verifier.verdict import Check, Finding, Result

CLAUSE = "RFC 5280, 6; GB/T 20518"

SEVERITY_RESULT = {
    Severity.NOTICE: Result.NOTICE,
    Severity.INDETERMINATE: Result.UNKNOWN,
    Severity.INVALID: Result.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvidence:
    """What chains are judged against: handed in beforehand, never fetched."""

    trust: TrustStore
    now: datetime
    intermediates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = field(default_factory=RevocationEvidence)
    policy: Policy = DEFAULT_POLICY

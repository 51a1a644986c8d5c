"""What a document is judged against, and what judging one signature in it gave.

Alike for PDF and OFD, and so is how the findings become the verdict on the signature.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from keys.certificates import Certificate
from verifier.records import SealRecord
from verifier.rules.chain import ChainEvidence, shown_name
from verifier.verdict import (
    Finding,
    SealFacts,
    SignatureVerdict,
    TimeSource,
    in_order,
    integrity_of,
    outcome_of,
    trust_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContext:
    """What one document is judged against."""

    evidence: ChainEvidence
    seals: Mapping[str, tuple[SealRecord, ...]] | None = None
    """Our register's answer by seal number; None where it was not asked."""
    known_since: datetime | None = None
    """When our own library had this very file."""

    def seal_records(self, seal_id: str) -> tuple[SealRecord, ...] | None:
        """Return the register's rows for a seal number."""
        return None if self.seals is None else self.seals.get(seal_id, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedValue:
    """What judging the value of one signature gave."""

    kind: str
    findings: tuple[Finding, ...]
    signed_at: datetime | None = None
    time_source: TimeSource = TimeSource.NONE
    signer: Certificate | None = None
    seal: SealFacts | None = None


def conclude(value: JudgedValue, name: str, findings: Iterable[Finding]) -> SignatureVerdict:
    """Return the verdict on a signature; ``findings`` are all of them, those of its value too."""
    ordered = in_order(findings)
    return SignatureVerdict(
        kind=value.kind,
        name=name,
        outcome=outcome_of(ordered),
        integrity=integrity_of(ordered),
        trust=trust_of(ordered),
        signed_at=value.signed_at,
        time_source=value.time_source,
        signer=shown_name(value.signer),
        seal=value.seal,
        findings=ordered,
    )

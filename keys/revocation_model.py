"""Questions and answers about revocation: the evidence handed in, the status that follows. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class CertificateStatus(StrEnum):
    """Three answers; unknown is one of them."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where an answer comes from."""

    NONE = ""
    CRL = "crl"
    OCSP = "ocsp"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationState:
    """The status of one certificate, and what it rests on."""

    status: CertificateStatus
    revoked_at: datetime | None = None
    invalidity_at: datetime | None = None
    """Since when the key must be taken for lost, where that is said."""
    reason: str = ""
    """Why it was revoked, or why the status is unknown: a stable kebab-case word."""
    source: Source = Source.NONE
    detail: str = ""
    """Plain English for logs."""
    this_update: datetime | None = None
    """The instant the answer was true."""

    @property
    def effective_at(self) -> datetime | None:
        """From when on a revoked certificate proves nothing (T-PKI-27)."""
        dates = [at for at in (self.revoked_at, self.invalidity_at) if at is not None]
        return min(dates, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEvidence:
    """Revocation data collected beforehand."""

    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    max_age: timedelta = timedelta(days=1)
    """How old an OCSP answer may be that does not say when the next one comes."""
    clock_skew: timedelta = timedelta(minutes=5)
    ocsp_nonce: bytes | None = None
    """What every response must repeat, where it was asked for."""
    accepts_archived: bool = False
    """Whether data past its end still counts for instants before it was made."""


def unknown(
    reason: str, detail: str, source: Source = Source.NONE, made_at: datetime | None = None
) -> RevocationState:
    """Make the answer that there is none, and say why."""
    return RevocationState(
        status=CertificateStatus.UNKNOWN,
        reason=reason,
        detail=detail,
        source=source,
        this_update=made_at,
    )

"""What our own library and seal register say, as values for the judge (pure).

``verifier.evidence`` fills these from storage; the judge never asks storage itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from licence_store.errors import InvalidIdentifier
from licence_store.identifiers import parse_identifier
from licence_store.states import LicenceState, Validity
from verifier.verdict import LicenceFacts

IDENTIFIER_ITEM = "CertificateIdentifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a document names, for asking library and register; claims, not facts."""

    kind: str
    """``ofd``, ``pdf``, ``ses`` or ``unknown``."""
    claims: Mapping[str, str]
    """GB/T 36903 items as the document carries them."""
    seal_ids: frozenset[str]
    """esID of the seals inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRecord:
    """One seal as our register holds it."""

    seal_id: str
    """esID."""
    digest: bytes
    """SM3 of the whole SESeal."""
    authority_code: str
    authority_name: str = ""
    state: str = "active"
    """The state now, for people."""
    active_periods: tuple[tuple[datetime, datetime | None], ...] = ()
    """When it might be used: from (inclusive) until (exclusive); None while it still may."""

    @property
    def is_active(self) -> bool:
        """Return whether nobody has stopped it."""
        return any(until is None for _, until in self.active_periods)

    def stopped_after(self, at: datetime) -> datetime | None:
        """Return when the period of use that holds ``at`` ended; ``at`` itself outside of any."""
        for begin, until in self.active_periods:
            if begin <= at and (until is None or at < until):
                return until
        return at


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRecord:
    """One licence as our library holds it."""

    facts: LicenceFacts
    authority_code: str
    state: LicenceState
    validity: Validity
    metadata: Mapping[str, str]
    file_digests: Mapping[str, str]
    """SM3 in hexadecimal by format, ``ofd`` and ``pdf``."""
    seal_ids: frozenset[str] = frozenset()
    """esID of the seals that were used on its files."""
    issued_at: datetime | None = None
    is_logged: bool | None = None
    """Whether the uses of the seals are in the seal-use log; None where nobody looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRecords:
    """What the library was asked and what it answered, for one document."""

    authorities: frozenset[str]
    """Codes of the authorities whose licences this library keeps."""
    licences: Mapping[str, LicenceRecord] = field(default_factory=dict)
    """By identifier; a missing one was asked for and not found."""
    seals: Mapping[str, tuple[SealRecord, ...]] = field(default_factory=dict)
    """By esID; a missing one was asked for and not found."""

    def claims_ours(self, identifier: str) -> bool:
        """Return whether an identifier names an authority of this library (G-7)."""
        if identifier in self.licences:
            return True
        try:
            return parse_identifier(identifier).authority_code in self.authorities
        except InvalidIdentifier:
            # A wrong check character must not turn a claim into a foreign document.
            return any(f".{code}." in identifier.upper() for code in self.authorities)

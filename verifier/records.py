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
class SealRecord:
    """One seal as our register holds it."""

    seal_id: str
    """esID."""
    digest: bytes
    """SM3 of the whole SESeal."""
    authority_code: str
    authority_name: str = ""
    is_active: bool = True
    stopped_at: datetime | None = None
    """Since when it may not be used; None while it is active."""
    state: str = "active"


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

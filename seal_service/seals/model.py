"""Seals, their applications and the mandates to use them, as values."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from keys.algorithms import sm3
from seal_service.seals.design import PLAIN, SealDesign
from seal_service.seals.states import SealAction, SealState


class SealKind(StrEnum):
    """What kind of seal it is (国发〔1999〕25号; 国办发〔2025〕33号)."""

    OFFICIAL = "official"
    """法定名称章: the body's main seal."""
    LICENCE = "licence"
    """电子证照专用章: a special seal, told apart by the line below the star."""
    BUSINESS = "business"
    """业务专用章: 合同, 财务, 发票 and the like."""
    PERSONAL = "personal"
    """法定代表人名章: the name seal of the person who acts for the body."""


class PDFProfile(StrEnum):
    """How a PDF is sealed: whose algorithms, and what the signature field holds."""

    RSA_PADES = "rsa-pades"
    """RSA, CMS after ETSI EN 319 142: what readers abroad can check."""
    GM_SEAL = "gm-seal"
    """SM2, a seal signature after GB/T 38540: the e-seal itself is in the file."""
    GM_CMS = "gm-cms"
    """SM2, a CMS message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFace:
    """What the seal shows; without a design, as a round seal with a star."""

    name: str
    """Around the star; the name of the body."""
    line_below: str = ""
    number: str = ""
    """Registered seal code under the star."""
    diameter_mm: float = 42.0
    """Its width, where it is not round."""
    design: SealDesign = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class SealApplication:
    """What a unit applies for. ``authority_code`` is its credit code and the tenant."""

    authority_code: str
    kind: SealKind
    face: SealFace
    valid_from: datetime
    valid_until: datetime
    predecessor_seal_id: str | None = None
    """The seal this one takes the place of."""

    @property
    def digest(self) -> bytes:
        """Return what an approval binds: a digest over every part (T-API-10)."""
        parts = (
            self.authority_code,
            self.kind.value,
            self.face.name,
            self.face.line_below,
            self.face.number,
            f"{self.face.diameter_mm:g}",
            _instant_text(self.valid_from),
            _instant_text(self.valid_until),
            self.predecessor_seal_id or "",
            *self.face.design.parts(),
        )
        return sm3(b"".join(_framed(part) for part in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningIdentity:
    """A key of the seal by its name in the key store, and its certificate chain."""

    key_name: str
    chain: tuple[bytes, ...]
    """DER: the key's own certificate first, then its issuers."""

    @property
    def certificate(self) -> bytes:
        """Return the DER of the key's own certificate."""
        return self.chain[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSeal:
    """What making added to a seal; never changed afterwards."""

    eseal_der: bytes
    picture_png: bytes
    width_mm: int
    height_mm: int
    sm2: SigningIdentity
    rsa: SigningIdentity

    @property
    def picture_sha256(self) -> str:
        """Return the digest by which the picture is named."""
        return hashlib.sha256(self.picture_png).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRecord:
    """What the register says of a seal, made or not."""

    seal_id: str
    """esID: stands in every document it seals."""
    application: SealApplication
    applicant: str
    applied_at: datetime
    state: SealState
    epoch: int
    """Raised whenever use of the seal is stopped."""

    @property
    def authority_code(self) -> str:
        """Return the tenant."""
        return self.application.authority_code

    @property
    def name(self) -> str:
        """Return the seal's name: the body, and the purpose of a special seal."""
        return self.application.face.name + self.application.face.line_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(SealRecord):
    """A seal of the register, with all that making added."""

    made: MadeSeal | None

    def listed(self) -> "ListedSeal":
        """Return it as lists show it."""
        made = self.made
        return ListedSeal(
            seal_id=self.seal_id,
            application=self.application,
            applicant=self.applicant,
            applied_at=self.applied_at,
            state=self.state,
            epoch=self.epoch,
            picture_sha256=None if made is None else made.picture_sha256,
            certificates=() if made is None else (made.sm2.certificate, made.rsa.certificate),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSeal(SealRecord):
    """A seal as lists show it: not the e-seal, not the picture, no key."""

    picture_sha256: str | None
    """None before making."""
    certificates: tuple[bytes, ...]
    """DER, the seal's own of each algorithm; empty before making."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPeriod:
    """When a seal can be used, whatever its state."""

    seal_id: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlace:
    """Where the centre of a seal goes: page from 1, millimetres from its upper left corner.

    The seal itself brings its size, which is the physical one.
    """

    page_number: int
    centre_x_mm: float
    centre_y_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateLimits:
    """What narrows a mandate; empty or None where it is not narrowed."""

    type_codes: tuple[str, ...] = ()
    """Several licence types or kinds of document, where one is not enough."""
    matter_codes: tuple[str, ...] = ()
    """Service items (事项编码) for which the seal may be used."""
    hours: tuple[int, int] | None = None
    """Minutes of the day in Asia/Shanghai, the first inclusive, the last exclusive."""
    daily_count: int | None = None
    """Most uses on one day of Asia/Shanghai; given up ones do not count."""


NO_LIMITS = MandateLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateGrant:
    """Who may use which seal for what, from when until when (both inclusive).

    A use is one signature: a licence, sealed as OFD and as PDF, takes two.
    """

    authority_code: str
    seal_id: str
    caller_id: str | None
    """None: any caller of the tenant."""
    licence_type_code: str | None
    """None: every type."""
    valid_from: datetime
    valid_until: datetime
    applicant: str
    approver: str
    basis_document: str
    limits: MandateLimits = NO_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A grant in the register; one that was withdrawn stays there."""

    mandate_id: int
    grant: MandateGrant
    granted_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealStatus:
    """The public answer to "what was the state of this seal then?": no picture, no keys."""

    seal_id: str
    name: str
    state: SealState
    at: datetime
    valid_from: datetime
    valid_until: datetime
    since: datetime
    """When this state began."""
    stop_reason: str
    """Why the seal was stopped; empty while it is in use. For the owner, not for the public."""
    last_action: SealAction
    """What brought it into this state."""
    seal_digest: bytes | None
    """SM3 of the e-seal as it was made; None before making."""


def _framed(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _instant_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()

"""The things of the licence library: approval results, licences, holders, files.

Plain values without behaviour beyond conversion; rules are in ``codes``, ``metadata``, ``states``.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from keys.algorithms import sm3
from licence_store.codes import HolderCodeType
from licence_store.states import LicenceState, RevocationKind


class FileFormat(StrEnum):
    """The two forms of a licence: OFD is the master, PDF the rendition."""

    OFD = "ofd"
    PDF = "pdf"


MEDIA_TYPES = {FileFormat.OFD: "application/ofd", FileFormat.PDF: "application/pdf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a licence (持证主体)."""

    name: str
    code: str
    code_type: HolderCodeType


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingAuthority:
    """Who issues a licence (颁发机构): its unified social credit code is the tenant."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResult:
    """What an approval system decided: the input of issuing (审批结果)."""

    case_number: str
    service_item_code: str
    service_item_name: str
    licence_type_code: str
    issuing_authority: IssuingAuthority
    holder: Holder
    face_data: Mapping[str, str]
    issued_on: date
    valid_from: date
    valid_until: date | None
    """Last day of validity, inclusive, in Asia/Shanghai; None for a long-term licence."""
    area_code: str
    licence_number: str | None = None
    """The printed number; None when it follows from the face data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFile:
    """One sealed file of a licence, kept under its digest."""

    format: FileFormat
    digest: str
    """What the blob store names it by."""
    size: int
    seal_id: str
    seal_use_id: str

    @property
    def media_type(self) -> str:
        """Return the media type to serve it with."""
        return MEDIA_TYPES[self.format]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Why, on what basis, when and by whom a licence lost its force."""

    kind: RevocationKind
    reason: str
    basis_document: str
    revoked_at: datetime
    caller_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """One version of a licence as the library keeps it."""

    identifier: str
    licence_number: str
    version: str
    state: LicenceState
    licence_type_name: str
    template_version: str
    approval_result: ApprovalResult
    metadata: Mapping[str, str]
    files: tuple[LicenceFile, ...]
    content_digest: bytes
    """SM3 over the canonical approval result: what a retry must repeat."""
    reserved_at: datetime
    issued_at: datetime | None
    revocation: Revocation | None

    @property
    def authority_code(self) -> str:
        """Return the tenant."""
        return self.approval_result.issuing_authority.code

    def file(self, wanted: FileFormat) -> LicenceFile | None:
        """Return the file of a format, or None."""
        return next((file for file in self.files if file.format is wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexKeys:
    """One tenant's keys for values that are looked up but not kept in the clear.

    Both are derived from one secret, so that a leaked table neither reveals holder codes by trial
    nor lets anyone make the link of a licence.
    """

    holder_key: bytes
    qr_key: bytes

    def holder_digest(self, holder: Holder) -> bytes:
        """Return the value a holder is looked up by."""
        return _keyed(self.holder_key, f"{holder.code_type.value}:{holder.code}")

    def qr_token(self, identifier: str) -> bytes:
        """Return the 16 secret bytes of a licence's public link, the same at every call."""
        return _keyed(self.qr_key, identifier)[:16]


def derive_index_keys(secret: bytes, authority_code: str) -> IndexKeys:
    """Derive a tenant's index keys from the service's index secret (at least 16 bytes)."""
    return IndexKeys(
        holder_key=_keyed(secret, f"holder:{authority_code}"),
        qr_key=_keyed(secret, f"qr:{authority_code}"),
    )


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sm3")


def approval_result_to_json(result: ApprovalResult) -> dict[str, object]:
    """Return an approval result as plain JSON values."""
    return {
        "case_number": result.case_number,
        "service_item_code": result.service_item_code,
        "service_item_name": result.service_item_name,
        "licence_type_code": result.licence_type_code,
        "issuing_authority": {
            "code": result.issuing_authority.code,
            "name": result.issuing_authority.name,
        },
        "holder": {
            "name": result.holder.name,
            "code": result.holder.code,
            "code_type": result.holder.code_type.value,
        },
        "face_data": dict(result.face_data),
        "issued_on": result.issued_on.isoformat(),
        "valid_from": result.valid_from.isoformat(),
        "valid_until": result.valid_until.isoformat() if result.valid_until else None,
        "area_code": result.area_code,
        "licence_number": result.licence_number,
    }


def approval_result_from_json(value: Mapping[str, object]) -> ApprovalResult:
    """Read back what ``approval_result_to_json`` wrote; not for input from outside."""
    authority = _mapping(value["issuing_authority"])
    holder = _mapping(value["holder"])
    number, until = value["licence_number"], value["valid_until"]
    return ApprovalResult(
        case_number=str(value["case_number"]),
        service_item_code=str(value["service_item_code"]),
        service_item_name=str(value["service_item_name"]),
        licence_type_code=str(value["licence_type_code"]),
        issuing_authority=IssuingAuthority(
            code=str(authority["code"]), name=str(authority["name"])
        ),
        holder=Holder(
            name=str(holder["name"]),
            code=str(holder["code"]),
            code_type=HolderCodeType(str(holder["code_type"])),
        ),
        face_data={name: str(text) for name, text in _mapping(value["face_data"]).items()},
        issued_on=date.fromisoformat(str(value["issued_on"])),
        valid_from=date.fromisoformat(str(value["valid_from"])),
        valid_until=None if until is None else date.fromisoformat(str(until)),
        area_code=str(value["area_code"]),
        licence_number=None if number is None else str(number),
    )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("a stored approval result is damaged")
    return value


def canonical_json(value: object) -> bytes:
    """Write JSON in one form only: keys sorted, no spaces, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def content_digest(result: ApprovalResult) -> bytes:
    """Return the SM3 digest of an approval result's canonical form."""
    return sm3(canonical_json(approval_result_to_json(result)))

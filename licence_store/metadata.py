"""The GB/T 36903 record of a licence: made, checked, and compared where it occurs (pure).

The names are the standard's English item names, because they are written into the files. One
digest of the canonical licence data (metadata and face data) goes into both files and the library,
so that file, face and library can be compared item by item.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import sm3
from licence_store.codes import (
    HOLDER_CODE_TYPE_NAMES,
    HolderCodeType,
    check_area_code,
    check_holder_code,
    check_licence_type_code,
    check_uscc,
    read_date,
)
from licence_store.errors import FieldFault, InvalidCode, InvalidIdentifier, InvalidMetadata
from licence_store.identifiers import parse_identifier
from licence_store.model import ApprovalResult, canonical_json
from licence_store.states import SHANGHAI

DATA_DIGEST = "LicenceDataDigest"
"""Our own item: SM3, in hexadecimal, of the canonical licence data."""
LONG_TERM = "CertificateLongTerm"
"""Our own item: ``true`` where the standard's expiring date is absent on purpose."""

MANDATORY = (
    "CertificateIdentifier",
    "CertificateName",
    "CertificateTypeName",
    "CertificateTypeCode",
    "CertificateNumber",
    "CertificateVersion",
    "CertificateIssuingAuthorityName",
    "CertificateIssuingAuthorityCode",
    "CertificateIssuedDate",
    "CertificateAreaCode",
    "CertificateHolderName",
    "CertificateHolderCode",
    "CertificateHolderTypeName",
    "CertificateHolderTypeCode",
    "CertificateEffectiveDate",
    "CertificateDefineAuthorityName",
    "CertificateDefineAuthorityCode",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSource:
    """What a record is made from."""

    approval_result: ApprovalResult
    identifier: str
    licence_number: str
    licence_type_name: str
    define_authority_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One item that does not have the same value everywhere."""

    item: str
    values: tuple[tuple[str, str | None], ...]
    """Pairs of place and value; None where the item is missing."""


def build_metadata(source: MetadataSource) -> dict[str, str]:
    """Build the record of one licence; raises ``InvalidMetadata``."""
    result = source.approval_result
    holder = result.holder
    record = {
        "CertificateIdentifier": source.identifier,
        "CertificateName": source.licence_type_name,
        "CertificateTypeName": source.licence_type_name,
        "CertificateTypeCode": result.licence_type_code,
        "CertificateNumber": source.licence_number,
        "CertificateVersion": source.identifier.split(".")[-2],
        "CertificateIssuingAuthorityName": result.issuing_authority.name,
        "CertificateIssuingAuthorityCode": result.issuing_authority.code,
        "CertificateIssuedDate": result.issued_on.isoformat(),
        "CertificateAreaCode": result.area_code,
        "CertificateHolderName": holder.name,
        "CertificateHolderCode": holder.code,
        "CertificateHolderTypeName": HOLDER_CODE_TYPE_NAMES[holder.code_type],
        "CertificateHolderTypeCode": holder.code_type.value,
        "CertificateEffectiveDate": result.valid_from.isoformat(),
        "CertificateDefineAuthorityName": source.define_authority_name,
        "CertificateDefineAuthorityCode": result.licence_type_code[:18],
        "RelatedItemName": result.service_item_name,
        "RelatedItemCode": result.service_item_code,
        "CreationTime": source.created_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
    }
    if result.valid_until is None:
        record[LONG_TERM] = "true"
    else:
        record["CertificateExpiringDate"] = result.valid_until.isoformat()
    record[DATA_DIGEST] = data_digest(record, result.face_data)
    check_metadata(record)
    return record


def data_digest(metadata: Mapping[str, str], face_data: Mapping[str, str]) -> str:
    """Return the SM3 digest, in hexadecimal, of the canonical licence data."""
    items = {name: value for name, value in metadata.items() if name != DATA_DIGEST}
    return sm3(canonical_json({"metadata": items, "face_data": dict(face_data)})).hex()


def check_metadata(record: Mapping[str, str]) -> None:
    """Check a record for completeness and consistency; raises ``InvalidMetadata``."""
    faults = [_fault(name, "缺少该项") for name in MANDATORY if not record.get(name)]
    if not faults:
        faults += _code_faults(record)
        faults += _identifier_faults(record)
        faults += _period_faults(record)
    if faults:
        raise InvalidMetadata(tuple(faults))


def _fault(item: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{item}", detail=detail)


def _code_faults(record: Mapping[str, str]) -> list[FieldFault]:
    """Check every code of a record by its own rule."""
    rules = (
        ("CertificateTypeCode", check_licence_type_code),
        ("CertificateIssuingAuthorityCode", check_uscc),
        ("CertificateDefineAuthorityCode", check_uscc),
        ("CertificateAreaCode", check_area_code),
    )
    faults = []
    for item, check in rules:
        try:
            check(record[item])
        except InvalidCode as fault:
            faults.append(_fault(item, fault.detail))
    try:
        code_type = HolderCodeType(record["CertificateHolderTypeCode"])
    except ValueError:
        return [*faults, _fault("CertificateHolderTypeCode", "不在 GB/T 36903 附录 A 的代码表中")]
    if record["CertificateHolderTypeName"] != HOLDER_CODE_TYPE_NAMES[code_type]:
        faults.append(_fault("CertificateHolderTypeName", "与类型代码不一致"))
    try:
        check_holder_code(record["CertificateHolderCode"], code_type)
    except InvalidCode as fault:
        faults.append(_fault("CertificateHolderCode", fault.detail))
    return faults


def _identifier_faults(record: Mapping[str, str]) -> list[FieldFault]:
    """Check that the identifier says the same as the record."""
    try:
        parts = parse_identifier(record["CertificateIdentifier"])
    except InvalidIdentifier as fault:
        return [_fault("CertificateIdentifier", fault.detail)]
    pairs = (
        ("CertificateTypeCode", parts.licence_type_code),
        ("CertificateIssuingAuthorityCode", parts.authority_code),
        ("CertificateVersion", parts.version),
    )
    faults = [_fault(item, "与电子证照标识不一致") for item, part in pairs if record[item] != part]
    if record["CertificateDefineAuthorityCode"] != parts.licence_type_code[:18]:
        faults.append(_fault("CertificateDefineAuthorityCode", "与证照类型代码不一致"))
    return faults


def _period_faults(record: Mapping[str, str]) -> list[FieldFault]:
    """Check the dates of a record and their order."""
    days = {}
    for item in ("CertificateIssuedDate", "CertificateEffectiveDate", "CertificateExpiringDate"):
        if item not in record:
            continue
        try:
            days[item] = read_date(record[item])
        except InvalidCode as fault:
            return [_fault(item, fault.detail)]
    expiring = days.get("CertificateExpiringDate")
    if (expiring is None) != (record.get(LONG_TERM) == "true"):
        return [_fault("CertificateExpiringDate", "截止日期与长期标志必须有且只有一个")]
    if expiring is not None and expiring < days["CertificateEffectiveDate"]:
        return [_fault("CertificateExpiringDate", "有效期截止日期早于起始日期")]
    return []


def compare_records(records: Mapping[str, Mapping[str, str]]) -> tuple[Difference, ...]:
    """Compare the same record as it occurs in several places (file, face, library).

    An item counts as different when two places that should have it disagree; a place that holds
    only some items (a face) is compared on those. The first place named is the reference: its
    items must be in every place of the same kind, so pass full records first.
    """
    places = tuple(records)
    items = dict.fromkeys(item for place in places for item in records[place])
    differences = []
    for item in items:
        values = tuple((place, records[place].get(item)) for place in places)
        present = {value for _, value in values if value is not None}
        full = [value for place, value in values if place != "face"]
        if len(present) > 1 or (None in full and any(value is not None for value in full)):
            differences.append(Difference(item=item, values=values))
    return tuple(differences)

"""Whether an approval result may become a licence at all (pure; T-API-26, T-API-28).

Checked here: every code by its own rule, every text by the written rule of ``codes``, dates and
their order. The face data's own fields are checked against the template's schema elsewhere; here
only their text. All faults are collected and named by JSON pointer.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from licence_store.codes import (
    TextRule,
    check_area_code,
    check_holder_code,
    check_licence_type_code,
    check_text,
    check_uscc,
)
from licence_store.errors import FieldFault, InvalidApprovalResult, InvalidCode
from licence_store.model import ApprovalResult

EARLIEST_DAY = date(1949, 10, 1)
LATEST_DAY = date(2199, 12, 31)
MOST_FACE_FIELDS = 100
FACE_TEXT_RULE = TextRule(longest=5000, multiline=True)

_CASE_NUMBER_RULE = TextRule(longest=64)
_ITEM_CODE = re.compile(r"[0-9A-Za-z\-]{1,64}", re.ASCII)
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class FaultList:
    """Faults as they are found; one per pointer is enough for its reader."""

    def __init__(self) -> None:
        self.faults: list[FieldFault] = []

    def add(self, pointer: str, detail: str) -> None:
        """Note a fault."""
        self.faults.append(FieldFault(pointer=pointer, detail=detail))

    @contextmanager
    def at(self, pointer: str) -> Iterator[None]:
        """Turn an ``InvalidCode`` raised inside into a fault at this pointer."""
        try:
            yield
        except InvalidCode as fault:
            self.add(pointer, fault.detail)

    def check(self, pointer: str, check: Callable[[str], object], value: str) -> None:
        """Run one check on one value and note what it refuses."""
        with self.at(pointer):
            check(value)


def pointer_to(*parts: str) -> str:
    """Write an RFC 6901 pointer."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def check_approval_result(result: ApprovalResult) -> None:
    """Check an approval result; raises ``InvalidApprovalResult`` with every fault."""
    found = FaultList()
    _check_codes(result, found)
    _check_texts(result, found)
    _check_dates(result, found)
    if found.faults:
        raise InvalidApprovalResult(tuple(found.faults))


def _check_codes(result: ApprovalResult, found: FaultList) -> None:
    found.check("/licence_type_code", check_licence_type_code, result.licence_type_code)
    found.check("/issuing_authority/code", check_uscc, result.issuing_authority.code)
    found.check("/area_code", check_area_code, result.area_code)
    with found.at("/holder/code"):
        check_holder_code(result.holder.code, result.holder.code_type)
    if _ITEM_CODE.fullmatch(result.service_item_code) is None:
        found.add("/service_item_code", "事项编码应为不超过 64 位的字母、数字或连字符")


def _check_texts(result: ApprovalResult, found: FaultList) -> None:
    found.check("/service_item_name", check_text, result.service_item_name)
    found.check("/issuing_authority/name", check_text, result.issuing_authority.name)
    found.check("/holder/name", check_text, result.holder.name)
    with found.at("/case_number"):
        check_text(result.case_number, _CASE_NUMBER_RULE)
    if result.licence_number is not None:
        with found.at("/licence_number"):
            check_text(result.licence_number, _CASE_NUMBER_RULE)
    if len(result.face_data) > MOST_FACE_FIELDS:
        found.add("/face_data", f"照面信息超过 {MOST_FACE_FIELDS} 项")
        return
    for name, value in result.face_data.items():
        if _FIELD_NAME.fullmatch(name) is None:
            found.add("/face_data", "照面信息的字段名应为小写字母、数字和下划线")
        elif value:
            with found.at(pointer_to("face_data", name)):
                check_text(value, FACE_TEXT_RULE)


def _check_dates(result: ApprovalResult, found: FaultList) -> None:
    days = (
        ("/issued_on", result.issued_on),
        ("/valid_from", result.valid_from),
        ("/valid_until", result.valid_until),
    )
    for pointer, day in days:
        if day is not None and not EARLIEST_DAY <= day <= LATEST_DAY:
            found.add(pointer, "日期超出合理范围；长期有效请将 valid_until 留空")
    if result.valid_until is not None and result.valid_until < result.valid_from:
        found.add("/valid_until", "有效期截止日期早于起始日期")

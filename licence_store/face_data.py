"""Whether face data fits the field schema of a licence type's template (pure; T-API-26).

The template says which fields there are, of which type, how long; the holder on the face must be
the holder of the licence, so that face, metadata and library say the same (GB/T 36903).
"""

from collections.abc import Callable, Mapping

from licence_store.approval import FaultList, pointer_to
from licence_store.codes import (
    TextRule,
    check_area_code,
    check_citizen_id,
    check_text,
    check_uscc,
    read_date,
)
from licence_store.errors import InvalidCode, InvalidFaceData
from licence_store.identifiers import check_food_permit_number
from licence_store.model import ApprovalResult
from licence_store.rendering.manifest import FieldSpec, FieldType, LicenceTemplate

HOLDER_NAME_FIELDS = frozenset({"name", "operator_name", "unit_name", "enterprise_name"})
"""Face fields that hold the holder's name, by the field lists of the licence types."""
HOLDER_CODE_TYPES = frozenset({FieldType.USCC, FieldType.USCC_OR_CITIZEN_ID})
NEEDS_END = frozenset({"five-years", "four-years", "three-years", "until"})
"""Validity rules under which a licence always ends."""


def check_face_data(template: LicenceTemplate, result: ApprovalResult) -> None:
    """Check every field of the face; raises ``InvalidFaceData`` with all faults."""
    found = FaultList()
    known = {rule.name: rule for rule in template.fields}
    for name in result.face_data:
        if name not in known:
            found.add(pointer_to("face_data", name), "模板中没有此项")
    for rule in template.fields:
        _check_field(rule, result, found)
    if result.holder.code_type.value not in template.holder_types:
        found.add("/holder/code_type", "该类证照不颁发给此类持证主体")
    if template.validity in NEEDS_END and result.valid_until is None:
        found.add("/valid_until", "该类证照必须有有效期截止日期")
    if found.faults:
        raise InvalidFaceData(tuple(found.faults))


def _check_field(rule: FieldSpec, result: ApprovalResult, found: FaultList) -> None:
    pointer = pointer_to("face_data", rule.name)
    value = result.face_data.get(rule.name, "")
    if not value:
        if rule.required:
            found.add(pointer, f"缺少{rule.label}")
        return
    with found.at(pointer):
        _check_value(rule, value)
        if rule.type in HOLDER_CODE_TYPES and value != result.holder.code:
            raise InvalidCode("与持证主体代码不一致", reason="holder")
        if rule.name in HOLDER_NAME_FIELDS and value != result.holder.name:
            raise InvalidCode("与持证主体名称不一致", reason="holder")


def _check_value(rule: FieldSpec, value: str) -> None:
    """Check one value by its type; raises ``InvalidCode``.

    A ``uscc_or_citizen_id`` is checked by being the holder's code, which has its own check.
    """
    multiline = rule.type is FieldType.MULTI_LINE
    check_text(value, TextRule(longest=rule.max_length, multiline=multiline))
    if rule.type is FieldType.ENUM:
        _check_enum(rule, value)
    elif rule.type in _VALUE_CHECKS:
        _VALUE_CHECKS[rule.type](value)


def _check_enum(rule: FieldSpec, value: str) -> None:
    fits = value in rule.values or (
        rule.prefix_allowed and any(value.startswith(allowed) for allowed in rule.values)
    )
    if not fits:
        raise InvalidCode("应为：" + "、".join(rule.values), reason="enum")


_VALUE_CHECKS: Mapping[FieldType, Callable[[str], object]] = {
    FieldType.USCC: check_uscc,
    FieldType.CITIZEN_ID: check_citizen_id,
    FieldType.AREA_CODE: check_area_code,
    FieldType.DATE: read_date,
    FieldType.FOOD_LICENCE_NO: check_food_permit_number,
}

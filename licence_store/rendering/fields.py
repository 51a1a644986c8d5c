"""Face data: checked by the template's field schema, and turned into what the face shows (pure)."""

from collections.abc import Callable, Mapping

from licence_store.codes import (
    HolderCodeType,
    TextRule,
    check_area_code,
    check_citizen_id,
    check_text,
    check_uscc,
    mask_code,
    read_date,
)
from licence_store.errors import FieldFault, InvalidCode, InvalidFaceData
from licence_store.rendering.manifest import FieldSpec, FieldType, LicenceTemplate

FOOD_NUMBER_DIGITS = 14


def check_face_data(template: LicenceTemplate, face_data: Mapping[str, str]) -> None:
    """Check face data against the schema; raises ``InvalidFaceData`` with every fault."""
    known = {field.name: field for field in template.fields}
    faults = [
        FieldFault(pointer=f"/face_data/{name}", detail="模板中没有该项", code="unknown-field")
        for name in face_data
        if name not in known
    ]
    for field in template.fields:
        value = face_data.get(field.name, "")
        if not value:
            if field.required:
                faults.append(_fault(field, f"缺少{field.label}", "missing"))
            continue
        try:
            check_field(field, value)
        except InvalidCode as error:
            faults.append(_fault(field, error.detail, "invalid"))
    if faults:
        raise InvalidFaceData(tuple(faults))


def _fault(field: FieldSpec, detail: str, code: str) -> FieldFault:
    return FieldFault(pointer=f"/face_data/{field.name}", detail=detail, code=code)


def check_field(field: FieldSpec, value: str) -> None:
    """Check one value by its type; raises ``InvalidCode``."""
    is_long = field.type is FieldType.MULTI_LINE
    check_text(value, TextRule(longest=field.max_length, multiline=is_long))
    check = _CHECKS.get(field.type)
    if check is not None:
        check(value)
    if field.type is FieldType.ENUM:
        _check_enum(field, value)


def _check_enum(field: FieldSpec, value: str) -> None:
    if value in field.values:
        return
    if field.prefix_allowed and value.startswith(field.values):
        return
    raise InvalidCode(f"应为以下之一：{'、'.join(field.values)}", reason="enum")


def check_food_licence_no(value: str) -> None:
    """Check ``JY`` and 14 digits, the last by ISO 7064 MOD 11,10; raises ``InvalidCode``."""
    digits = value[2:]
    is_number = len(digits) == FOOD_NUMBER_DIGITS and digits.isascii() and digits.isdigit()
    if not value.startswith("JY") or not is_number:
        raise InvalidCode("许可证编号应为 JY 加 14 位数字", reason="form")
    product = 10
    for digit in digits[:-1]:
        product = (product + int(digit)) % 10 or 10
        product = product * 2 % 11
    if (product + int(digits[-1])) % 10 != 1:
        raise InvalidCode("许可证编号的校验码不正确", reason="check", clause="ISO 7064 MOD 11,10")


def _check_either(value: str) -> None:
    if len(value) > 1 and value[:17].isdigit() and _is_citizen_id(value):
        return
    check_uscc(value)


def _is_citizen_id(value: str) -> bool:
    try:
        check_citizen_id(value)
    except InvalidCode:
        return False
    return True


def _check_date(value: str) -> None:
    read_date(value)


_CHECKS: Mapping[FieldType, Callable[[str], None]] = {
    FieldType.DATE: _check_date,
    FieldType.USCC: check_uscc,
    FieldType.CITIZEN_ID: check_citizen_id,
    FieldType.USCC_OR_CITIZEN_ID: _check_either,
    FieldType.AREA_CODE: check_area_code,
    FieldType.FOOD_LICENCE_NO: check_food_licence_no,
}


def shown_date(text: str) -> str:
    """Write ``2026-11-24`` as 2026年11月24日."""
    day = read_date(text)
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def shown_value(field: FieldSpec, value: str) -> str:
    """Return a value as the face shows it: dates in words, a person's number masked."""
    if field.type is FieldType.DATE:
        return shown_date(value)
    if field.type is FieldType.CITIZEN_ID or (
        field.type is FieldType.USCC_OR_CITIZEN_ID and _is_citizen_id(value)
    ):
        return mask_code(value, HolderCodeType.CITIZEN_ID)
    return value


def shown_label(field: FieldSpec, face_data: Mapping[str, str]) -> str:
    """Return a field's label, which may depend on another field."""
    for rule in field.label_when:
        if rule.contains in face_data.get(rule.field, ""):
            return rule.label
    return field.label

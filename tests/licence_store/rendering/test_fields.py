"""Face data: checked by the schema, shown as the face shows it (T-API-26, T-API-28)."""

import pytest

from licence_store.errors import InvalidCode, InvalidFaceData
from licence_store.rendering.fields import (
    check_face_data,
    check_food_licence_no,
    shown_date,
    shown_label,
    shown_value,
)
from tests.licence_store.rendering.samples import (
    BUSINESS,
    BUSINESS_FACE,
    EXTREMES,
    FACES,
    FOOD,
    FOOD_FACE,
    template,
)


@pytest.mark.parametrize("code", [BUSINESS, FOOD])
def test_ordinary_face_data_is_accepted(code: str) -> None:
    check_face_data(template(code), FACES[code])


def test_extreme_face_data_is_accepted() -> None:
    check_face_data(template(), {**BUSINESS_FACE, **EXTREMES})


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"name": ""}, "/face_data/name", "missing"),
        ({"colour": "red"}, "/face_data/colour", "unknown-field"),
        ({"uscc": "91320102MA9K00028R"}, "/face_data/uscc", "invalid"),
        ({"establishment_date": "2026-02-30"}, "/face_data/establishment_date", "invalid"),
        ({"business_scope": "经" * 1001}, "/face_data/business_scope", "invalid"),
        ({"name": "甲\n乙"}, "/face_data/name", "invalid"),
        ({"name": "甲\u202e乙"}, "/face_data/name", "invalid"),
        ({"name": "甲\ue000"}, "/face_data/name", "invalid"),
    ],
)
def test_a_fault_is_named_by_pointer(changes: dict[str, str], pointer: str, code: str) -> None:
    with pytest.raises(InvalidFaceData) as refusal:
        check_face_data(template(), {**BUSINESS_FACE, **changes})
    assert [(fault.pointer, fault.code) for fault in refusal.value.errors] == [(pointer, code)]


def test_all_faults_are_collected() -> None:
    with pytest.raises(InvalidFaceData) as refusal:
        check_face_data(template(), {})
    required = [field for field in template().fields if field.required]
    assert len(refusal.value.errors) == len(required)


@pytest.mark.parametrize("form", ["餐饮服务经营者", "餐饮服务经营者（含网络经营）"])
def test_a_listed_value_may_go_on_where_the_template_says_so(form: str) -> None:
    check_face_data(template(FOOD), {**FOOD_FACE, "business_form": form})


def test_a_value_that_is_not_listed_is_refused() -> None:
    with pytest.raises(InvalidFaceData):
        check_face_data(template(FOOD), {**FOOD_FACE, "business_form": "流动摊贩"})


@pytest.mark.parametrize("number", ["JY11108071215650", "JY11105050876919", "JY23201020001233"])
def test_published_food_licence_numbers_are_accepted(number: str) -> None:
    check_food_licence_no(number)


@pytest.mark.parametrize(
    "number", ["JY11108071215651", "JY1110807121565", "11108071215650", "JY1110807121565\u0660"]
)
def test_wrong_food_licence_numbers_are_refused(number: str) -> None:
    with pytest.raises(InvalidCode):
        check_food_licence_no(number)


def test_dates_are_shown_in_words() -> None:
    assert shown_date("2026-01-09") == "2026年01月09日"


def test_a_persons_number_is_masked_on_the_face() -> None:
    (field,) = (field for field in template(FOOD).fields if field.name == "operator_code")
    assert shown_value(field, "11010519491231002X") == "1101051949****002X"
    assert shown_value(field, "91320102MA9K00028Q") == "91320102MA9K00028Q"


@pytest.mark.parametrize(
    ("entity_type", "label"),
    [
        ("有限责任公司", "法定代表人"),
        ("个体工商户", "经营者"),
        ("普通合伙企业", "执行事务合伙人"),
        ("个人独资企业", "投资人"),
    ],
)
def test_the_label_of_the_representative_depends_on_the_type(entity_type: str, label: str) -> None:
    (field,) = (field for field in template().fields if field.name == "legal_representative")
    assert shown_label(field, {"entity_type": entity_type}) == label

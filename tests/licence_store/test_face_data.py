"""Face data against the field schemas of the real templates (T-API-26)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from licence_store.codes import HolderCodeType
from licence_store.errors import InvalidFaceData
from licence_store.face_data import check_face_data
from licence_store.model import Holder, approval_result_from_json
from tests.support.licences import (
    BUSINESS_LICENCE,
    FOOD_PERMIT,
    HOLDER,
    food_face,
    make_approval_result,
    make_food_result,
)
from tests.support.office import TEMPLATES

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "approval-results").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_their_templates(path: Path) -> None:
    result = approval_result_from_json(json.loads(path.read_text("utf-8")))
    check_face_data(TEMPLATES[result.licence_type_code], result)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"unknown": "甲"}, "/face_data/unknown"),
        ({"name": ""}, "/face_data/name"),
        ({"name": "另一公司"}, "/face_data/name"),
        ({"uscc": "91320102MA9K00044E"}, "/face_data/uscc"),
        ({"uscc": "91320102MA9K00028R"}, "/face_data/uscc"),
        ({"establishment_date": "2026-02-30"}, "/face_data/establishment_date"),
        ({"establishment_date": "2026 年"}, "/face_data/establishment_date"),
        ({"domicile": "甲" * 121}, "/face_data/domicile"),
        ({"domicile": "甲\n乙"}, "/face_data/domicile"),
        ({"business_scope": "甲" * 1001}, "/face_data/business_scope"),
        ({"legal_representative": "甲\u202e"}, "/face_data/legal_representative"),
    ],
)
def test_faulty_fields_of_a_business_licence_are_named(
    changes: Mapping[str, str], pointer: str
) -> None:
    with pytest.raises(InvalidFaceData) as caught:
        check_face_data(TEMPLATES[BUSINESS_LICENCE], make_approval_result(face_changes=changes))
    assert {fault.pointer for fault in caught.value.errors} == {pointer}


@pytest.mark.parametrize("missing", ["uscc", "name", "entity_type", "domicile", "business_scope"])
def test_required_fields_are_required(missing: str) -> None:
    result = make_approval_result()
    face = {name: text for name, text in result.face_data.items() if name != missing}
    with pytest.raises(InvalidFaceData) as caught:
        check_face_data(TEMPLATES[BUSINESS_LICENCE], replace(result, face_data=face))
    assert [fault.pointer for fault in caught.value.errors] == [f"/face_data/{missing}"]


def test_a_long_text_field_may_have_several_lines_and_the_full_length() -> None:
    scope = "甲" * 499 + "\n" + "乙" * 500
    result = make_approval_result(face_changes={"business_scope": scope})
    check_face_data(TEMPLATES[BUSINESS_LICENCE], result)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"licence_no": "JY23201020010245"}, "/face_data/licence_no"),
        ({"operator_code": "91320102MA9K00044E"}, "/face_data/operator_code"),
        ({"business_form": "其他"}, "/face_data/business_form"),
    ],
)
def test_faulty_fields_of_a_food_permit_are_named(changes: Mapping[str, str], pointer: str) -> None:
    result = make_food_result(face_data={**food_face(), **changes})
    with pytest.raises(InvalidFaceData) as caught:
        check_face_data(TEMPLATES[FOOD_PERMIT], result)
    assert {fault.pointer for fault in caught.value.errors} == {pointer}


def test_a_listed_value_may_go_on_where_the_template_says_so() -> None:
    face = {**food_face(), "business_form": "餐饮服务经营者（含网络经营）"}
    check_face_data(TEMPLATES[FOOD_PERMIT], make_food_result(face_data=face))


def test_a_person_may_hold_a_food_permit() -> None:
    # The standard's own example of a citizen number (GB 11643-1999).
    person = Holder(name="林一舟", code="11010519491231002X", code_type=HolderCodeType.CITIZEN_ID)
    check_face_data(
        TEMPLATES[FOOD_PERMIT], make_food_result(holder=person, face_data=food_face(person))
    )


def test_a_holder_of_a_kind_the_type_does_not_know_is_refused() -> None:
    passport = replace(HOLDER, code_type=HolderCodeType.PASSPORT)
    with pytest.raises(InvalidFaceData) as caught:
        check_face_data(TEMPLATES[BUSINESS_LICENCE], make_approval_result(holder=passport))
    assert [fault.pointer for fault in caught.value.errors] == ["/holder/code_type"]


def test_a_type_that_always_ends_needs_its_last_day() -> None:
    with pytest.raises(InvalidFaceData) as caught:
        check_face_data(TEMPLATES[FOOD_PERMIT], make_food_result(valid_until=None))
    assert [fault.pointer for fault in caught.value.errors] == ["/valid_until"]
    check_face_data(TEMPLATES[FOOD_PERMIT], make_food_result(valid_until=date(2031, 11, 23)))

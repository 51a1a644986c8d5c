"""Sizes of official seals by kind of body (国发〔1999〕25号)."""

import pytest

from seal_service.errors import InvalidSealOrder
from seal_service.seals.design import Emblem, SealDesign, SealShape
from seal_service.seals.model import SealFace
from seal_service.seals.sizes import RULES, BodyKind, check_size


def face(diameter_mm: float, centre: Emblem) -> SealFace:
    return SealFace(name="示例", diameter_mm=diameter_mm, design=SealDesign(centre=centre))


@pytest.mark.parametrize("body", BodyKind)
def test_the_prescribed_size_fits_and_a_larger_one_does_not(body: BodyKind) -> None:
    rule = RULES[body]
    check_size(body, face(rule.diameter_mm, rule.centre))
    with pytest.raises(InvalidSealOrder) as caught:
        check_size(body, face(rule.diameter_mm + 1, rule.centre))
    assert caught.value.params["field"] == "diameter_mm"


@pytest.mark.parametrize("body", BodyKind)
def test_star_and_emblem_are_not_exchanged(body: BodyKind) -> None:
    rule = RULES[body]
    other = Emblem.STAR if rule.centre is Emblem.NATIONAL else Emblem.NATIONAL
    with pytest.raises(InvalidSealOrder) as caught:
        check_size(body, face(rule.diameter_mm, other))
    assert caught.value.params["field"] == "centre"


def test_only_departments_and_units_may_have_smaller_seals() -> None:
    check_size(BodyKind.DEPARTMENT_OR_UNIT, face(40.0, Emblem.STAR))
    with pytest.raises(InvalidSealOrder):
        check_size(BodyKind.LOCAL_GOVERNMENT, face(42.0, Emblem.NATIONAL))


def test_the_rules_are_for_round_seals() -> None:
    oval = SealFace(name="示例", design=SealDesign(shape=SealShape.OVAL, height_mm=30.0))
    check_size(BodyKind.STATE_COUNCIL, oval)

"""Sizes of official seals by the kind of body that holds them.

Source of the rules: 国发〔1999〕25号, articles on the diameter of each kind of seal and on what
stands in its centre. Where it only sets an upper bound, ``is_at_most`` tells.
"""

from dataclasses import dataclass
from enum import StrEnum

from seal_service.errors import InvalidSealOrder
from seal_service.seals.design import Emblem, SealShape
from seal_service.seals.model import SealFace

SOURCE = "国发〔1999〕25号"


class BodyKind(StrEnum):
    """Kinds of body that the rules tell apart."""

    STATE_COUNCIL = "state-council"
    PROVINCE_OR_MINISTRY = "province-or-ministry"
    VICE_MINISTERIAL = "vice-ministerial"
    STATE_UNIT = "state-unit"
    LOCAL_GOVERNMENT = "local-government"
    REGIONAL_OFFICE = "regional-office"
    TEMPORARY_BODY = "temporary-body"
    DEPARTMENT_OR_UNIT = "department-or-unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRule:
    """The diameter of a kind of body's seal, and what stands in the centre."""

    bodies: str
    """Which bodies these are, in Chinese."""
    diameter_mm: float
    centre: Emblem
    is_at_most: bool = False


RULES = {
    BodyKind.STATE_COUNCIL: SizeRule(bodies="国务院", diameter_mm=60.0, centre=Emblem.NATIONAL),
    BodyKind.PROVINCE_OR_MINISTRY: SizeRule(
        bodies="省、自治区、直辖市人民政府，国务院各部委", diameter_mm=50.0, centre=Emblem.NATIONAL
    ),
    BodyKind.VICE_MINISTERIAL: SizeRule(
        bodies="国务院副部级机构、部委管理的国家局", diameter_mm=45.0, centre=Emblem.NATIONAL
    ),
    BodyKind.STATE_UNIT: SizeRule(
        bodies="国务院部门的外事司局，名称冠“中华人民共和国”“国家”的单位",
        diameter_mm=42.0,
        centre=Emblem.NATIONAL,
    ),
    BodyKind.LOCAL_GOVERNMENT: SizeRule(
        bodies="自治州、市、县、区人民政府", diameter_mm=45.0, centre=Emblem.NATIONAL
    ),
    BodyKind.REGIONAL_OFFICE: SizeRule(
        bodies="地区（盟）行政公署", diameter_mm=45.0, centre=Emblem.STAR
    ),
    BodyKind.TEMPORARY_BODY: SizeRule(
        bodies="国务院议事协调机构、临时机构", diameter_mm=50.0, centre=Emblem.STAR
    ),
    BodyKind.DEPARTMENT_OR_UNIT: SizeRule(
        bodies="政府部门、乡镇人民政府、企业事业单位、社会团体",
        diameter_mm=45.0,
        centre=Emblem.STAR,
        is_at_most=True,
    ),
}


def check_size(body: BodyKind, face: SealFace) -> None:
    """Raise ``InvalidSealOrder`` unless the round seal is one this kind of body may have."""
    if face.design.shape is not SealShape.ROUND:
        return
    rule, diameter = RULES[body], face.diameter_mm
    fits = diameter <= rule.diameter_mm if rule.is_at_most else diameter == rule.diameter_mm
    if not fits:
        bound = "不大于" if rule.is_at_most else "为"
        raise InvalidSealOrder(
            f"{rule.bodies}的印章直径{bound} {rule.diameter_mm:g} 毫米（{SOURCE}）",
            field="diameter_mm",
        )
    if face.design.centre is not rule.centre:
        shown = "国徽" if rule.centre is Emblem.NATIONAL else "五角星"
        raise InvalidSealOrder(f"{rule.bodies}的印章中央刊{shown}（{SOURCE}）", field="centre")

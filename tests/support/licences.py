"""Approval results for tests: the defaults are valid, the keywords are flaws.

All names, bodies and numbers are invented; the check digits are right.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from licence_store.codes import HolderCodeType, organisation_check, uscc_check
from licence_store.model import ApprovalResult, Holder, IssuingAuthority

BUSINESS_LICENCE = "11100000MB0143028R001"
FOOD_PERMIT = "11100000MB0143028R002"
AUTHORITY = IssuingAuthority(code="11320102MB9K00021D", name="金陵市云栖区行政审批局")
OTHER_AUTHORITY = IssuingAuthority(code="11320100MB9K00013M", name="金陵市数据管理局")
HOLDER = Holder(
    name="金陵云栖茶点有限公司", code="91320102MA9K00028Q", code_type=HolderCodeType.USCC
)
LONG_SCOPE = "；".join(
    f"许可项目第{number}项：食品销售、餐饮服务、城市配送运输服务" for number in range(1, 27)
)


def make_uscc(number: int, prefix: str = "91320102") -> str:
    """Make an invented credit code with both check characters right."""
    body = f"MA9T{number:04d}"
    start = prefix + body + organisation_check(body)
    return start + uscc_check(start)


def business_face(holder: Holder = HOLDER) -> dict[str, str]:
    """Return valid face data of a business licence."""
    return {
        "uscc": holder.code,
        "name": holder.name,
        "entity_type": "有限责任公司（自然人投资或控股）",
        "legal_representative": "林一舟",
        "registered_capital": "壹佰万元整",
        "establishment_date": "2026-11-20",
        "domicile": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_scope": "餐饮服务；食品销售；日用百货销售。",
    }


def food_face(holder: Holder = HOLDER) -> dict[str, str]:
    """Return valid face data of a food business permit."""
    return {
        "operator_name": holder.name,
        "operator_code": holder.code,
        "legal_representative": "林一舟",
        "domicile": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_premises": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_form": "餐饮服务经营者",
        "business_items": "热食类食品制售；冷食类食品制售；自制饮品制售",
        "licence_no": "JY23201020010244",
    }


def make_approval_result(
    *,
    case_number: str = "YQ-2026-000001",
    face_changes: Mapping[str, str] | None = None,
    **changes: object,
) -> ApprovalResult:
    """Make a business-licence result; further keywords replace fields of the value."""
    result = ApprovalResult(
        case_number=case_number,
        service_item_code="11320102MB9K00021D4320125001000",
        service_item_name="公司设立登记",
        licence_type_code=BUSINESS_LICENCE,
        issuing_authority=AUTHORITY,
        holder=HOLDER,
        face_data={**business_face(), **(face_changes or {})},
        issued_on=date(2026, 11, 24),
        valid_from=date(2026, 11, 24),
        valid_until=None,
        area_code="320102",
        licence_number=None,
    )
    return replace(result, **changes)  # type: ignore[arg-type]  # a builder's keywords are flaws


def make_food_result(**changes: object) -> ApprovalResult:
    """Make a food-permit result of five years; keywords replace fields of the value."""
    base = make_approval_result(
        case_number="YQ-2026-000002",
        service_item_code="11320102MB9K00021D4320131005000",
        service_item_name="食品经营许可",
        licence_type_code=FOOD_PERMIT,
        face_data=food_face(),
        valid_until=date(2031, 11, 23),
        licence_number="JY23201020010244",
    )
    return replace(base, **changes)  # type: ignore[arg-type]

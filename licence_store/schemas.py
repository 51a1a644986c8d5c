"""Wire types of the licence API: strict, no unknown fields, every field explained (T-API-16).

Dates are text here, because JSON has none; ``to_approval_result`` reads them and lists every
faulty one by its pointer.
"""

from datetime import date
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from licence_store.approval import FaultList
from licence_store.codes import HolderCodeType, read_date
from licence_store.errors import InvalidApprovalResult
from licence_store.lookup import LARGEST_PAGE, ListFilter
from licence_store.model import (
    ApprovalResult,
    Holder,
    IssuingAuthority,
)
from licence_store.states import LicenceState
from seal_service.plumbing.strict_json import StrictModel

_TYPE_CODE_EXAMPLE = "11100000MB0143028R001"
_IDENTIFIER_EXAMPLE = (
    "1.2.156.3005.2.11100000MB0143028R001.11320102MB9K00021D.7K2M9QX4B1T8ZD03WHA5.001.C"
)
_INSTANT_EXAMPLE = "2026-11-24T04:00:00Z"

Day = Annotated[
    str,
    Field(
        min_length=10,
        max_length=10,
        description="Calendar day, YYYY-MM-DD.",
        examples=["2026-11-24"],
    ),
]


class IssuingAuthorityBody(StrictModel):
    """The body that decided and issues (颁发机构)."""

    code: str = Field(
        max_length=18,
        description="Unified social credit code (GB 32100).",
        examples=["11320102MB9K00021D"],
    )
    name: str = Field(
        max_length=200,
        description="Name as it stands on the licence.",
        examples=["金陵市云栖区行政审批局"],
    )


class HolderBody(StrictModel):
    """Who holds the licence (持证主体)."""

    name: str = Field(
        max_length=200, description="Name of the holder.", examples=["金陵云栖茶点有限公司"]
    )
    code: str = Field(
        max_length=64,
        description="Code of the holder, checked by its type.",
        examples=["91320102MA9K00028Q"],
    )
    code_type: str = Field(
        max_length=3,
        description="GB/T 36903 appendix A: 001 credit code, 111 citizen number, ...",
        examples=["001"],
    )


class ApprovalResultBody(StrictModel):
    """An approval result (审批结果): what a licence is issued from."""

    case_number: str = Field(
        max_length=64,
        description="Case number (办件编号); one licence per case and type.",
        examples=["YQ-2026-000001"],
    )
    service_item_code: str = Field(
        max_length=64,
        description="Code of the matter (事项编码).",
        examples=["11320102MB9K00021D4320125001000"],
    )
    service_item_name: str = Field(
        max_length=200, description="Name of the matter.", examples=["公司设立登记"]
    )
    licence_type_code: str = Field(
        max_length=21,
        description="Licence type code (GB/T 36902), 21 characters.",
        examples=[_TYPE_CODE_EXAMPLE],
    )
    issuing_authority: IssuingAuthorityBody = Field(
        description="The issuing authority; must be the caller's own.",
        examples=[{"code": "11320102MB9K00021D", "name": "金陵市云栖区行政审批局"}],
    )
    holder: HolderBody = Field(
        description="The holder.",
        examples=[
            {"name": "金陵云栖茶点有限公司", "code": "91320102MA9K00028Q", "code_type": "001"}
        ],
    )
    face_data: dict[str, str] = Field(
        description="The fields of the face, by the names of the type's template.",
        examples=[{"name": "金陵云栖茶点有限公司", "uscc": "91320102MA9K00028Q"}],
    )
    issued_on: Day
    valid_from: Day
    valid_until: Day | None = Field(
        description="Last day of validity, inclusive; null for a long-term licence.",
        examples=["2031-11-23"],
    )
    area_code: str = Field(max_length=6, description="Area code (GB/T 2260).", examples=["320102"])
    licence_number: str | None = Field(
        default=None,
        max_length=64,
        description="Printed number; may be left out when the face data holds it.",
        examples=["JY23201020010244"],
    )

    def to_approval_result(self) -> ApprovalResult:
        """Convert to the domain value; raises ``InvalidApprovalResult`` for faulty dates."""
        found = FaultList()
        days: dict[str, date] = {}
        for name in ("issued_on", "valid_from", "valid_until"):
            text = getattr(self, name)
            if text is not None:
                with found.at(f"/{name}"):
                    days[name] = read_date(text)
        code_type = _read_code_type(self.holder.code_type, "/holder/code_type", found)
        if found.faults or code_type is None:
            raise InvalidApprovalResult(tuple(found.faults))
        authority = self.issuing_authority
        return ApprovalResult(
            case_number=self.case_number,
            service_item_code=self.service_item_code,
            service_item_name=self.service_item_name,
            licence_type_code=self.licence_type_code,
            issuing_authority=IssuingAuthority(code=authority.code, name=authority.name),
            holder=Holder(name=self.holder.name, code=self.holder.code, code_type=code_type),
            face_data=dict(self.face_data),
            issued_on=days["issued_on"],
            valid_from=days["valid_from"],
            valid_until=days.get("valid_until"),
            area_code=self.area_code,
            licence_number=self.licence_number,
        )


def _read_code_type(text: str, pointer: str, found: FaultList) -> HolderCodeType | None:
    try:
        return HolderCodeType(text)
    except ValueError:
        found.add(pointer, "不在 GB/T 36903 附录 A 的代码表中")
        return None


class FileAnswer(StrictModel):
    """One sealed file."""

    digest: str = Field(description="Digest, hexadecimal; also the ETag.", examples=["9f86d081…"])
    size: int = Field(description="Bytes.", examples=[61440])
    media_type: str = Field(description="Media type.", examples=["application/ofd"])
    url: str = Field(
        description="Where to get it, with the same credentials.",
        examples=[f"/v1/licences/{_IDENTIFIER_EXAMPLE}/files/ofd"],
    )
    seal_id: str = Field(description="The seal it bears.", examples=["32010200000001"])
    seal_use_id: str = Field(description="The use of the seal, in the log.", examples=["su-1"])


class RevocationAnswer(StrictModel):
    """How a licence lost its force."""

    kind: Literal["revoked", "withdrawn", "cancelled"] = Field(
        description="吊销, 撤销 or 注销.", examples=["revoked"]
    )
    reason: str = Field(description="Why, in words for the public.", examples=["严重违法"])
    basis_document: str = Field(
        description="The decision it rests on.", examples=["云栖行审罚〔2026〕7 号"]
    )
    revoked_at: str = Field(description="When.", examples=[_INSTANT_EXAMPLE])


class LicenceAnswer(StrictModel):
    """A licence, as its issuing authority sees it."""

    identifier: str = Field(
        description="Licence identifier (GB/T 36904).", examples=[_IDENTIFIER_EXAMPLE]
    )
    licence_number: str = Field(description="Printed number.", examples=["91320102MA9K00028Q"])
    licence_type_code: str = Field(description="Type code.", examples=[_TYPE_CODE_EXAMPLE])
    licence_type_name: str = Field(description="Type.", examples=["营业执照"])
    version: str = Field(description="Version of the licence.", examples=["001"])
    state: str = Field(description="State in the library.", examples=["in_force"])
    state_name: str = Field(description="State, in Chinese.", examples=["有效"])
    case_number: str = Field(description="Case it came from.", examples=["YQ-2026-000001"])
    issuing_authority: IssuingAuthorityBody = Field(
        description="Who issued it.",
        examples=[{"code": "11320102MB9K00021D", "name": "金陵市云栖区行政审批局"}],
    )
    holder: HolderBody = Field(
        description="Who holds it.",
        examples=[
            {"name": "金陵云栖茶点有限公司", "code": "91320102MA9K00028Q", "code_type": "001"}
        ],
    )
    face_data: dict[str, str] = Field(
        description="What the face shows.", examples=[{"name": "金陵云栖茶点有限公司"}]
    )
    metadata: dict[str, str] = Field(
        description="GB/T 36903 record.", examples=[{"CertificateVersion": "001"}]
    )
    issued_on: str = Field(description="Day of issue.", examples=["2026-11-24"])
    valid_from: str = Field(description="First day of validity.", examples=["2026-11-24"])
    valid_until: str | None = Field(
        description="Last day, inclusive; null: long-term.", examples=["2031-11-23"]
    )
    issued_at: str = Field(description="When it came into force here.", examples=[_INSTANT_EXAMPLE])
    template_version: str = Field(description="Face template used.", examples=["1.0.0"])
    qr_url: str = Field(
        description="The link its QR code carries.",
        examples=["https://licence.example/q/1Zk3…"],
    )
    files: dict[Literal["ofd", "pdf"], FileAnswer] = Field(
        description="The sealed files by format.", examples=[{}]
    )
    revocation: RevocationAnswer | None = Field(
        description="How it lost its force, or null.", examples=[None]
    )


class LicencePage(StrictModel):
    """One page of a list."""

    licences: list[LicenceAnswer] = Field(description="Newest first.", examples=[[]])
    next_after: str | None = Field(
        description="Pass as ``after`` for the next page; null on the last.",
        examples=[_IDENTIFIER_EXAMPLE],
    )


Identifier = Annotated[
    str,
    Path(
        max_length=128,
        description="Licence identifier (GB/T 36904).",
        examples=[_IDENTIFIER_EXAMPLE],
    ),
]
FileFormatPath = Annotated[Literal["ofd", "pdf"], Path(description="Which form.", examples=["ofd"])]


class ListQuery(BaseModel):
    """What to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: LicenceState | None = Field(
        default=None, description="Only licences in this state.", examples=["in_force"]
    )
    licence_type_code: str | None = Field(
        default=None, max_length=21, description="Only this type.", examples=[_TYPE_CODE_EXAMPLE]
    )
    case_number: str | None = Field(
        default=None, max_length=64, description="Only this case.", examples=["YQ-2026-000001"]
    )
    after: str | None = Field(
        default=None,
        max_length=128,
        description="``next_after`` of the page before.",
        examples=[_IDENTIFIER_EXAMPLE],
    )
    limit: int = Field(
        default=50, ge=1, le=LARGEST_PAGE, description="Licences per page.", examples=[50]
    )

    def to_filter(self) -> ListFilter:
        """Convert to the library's filter."""
        return ListFilter(
            state=self.state,
            licence_type_code=self.licence_type_code,
            case_number=self.case_number,
            after=self.after,
            limit=self.limit,
        )


class UsesQuery(BaseModel):
    """Which part of the use log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: int | None = Field(
        default=None,
        ge=1,
        le=2**63 - 1,
        description="``next_before`` of the page before.",
        examples=[100],
    )
    limit: int = Field(
        default=50, ge=1, le=LARGEST_PAGE, description="Uses per page.", examples=[50]
    )


class RevocationBody(StrictModel):
    """The order to end a licence's force."""

    kind: Literal["revoked", "withdrawn", "cancelled"] = Field(
        description="revoked 吊销, withdrawn 撤销, cancelled 注销: three different legal effects.",
        examples=["revoked"],
    )
    reason: str = Field(
        max_length=500,
        description="Why; shown on the public page.",
        examples=["提供虚假材料取得许可"],
    )
    basis_document: str = Field(
        max_length=200,
        description="Number of the decision it rests on.",
        examples=["云栖行审撤〔2026〕3 号"],
    )


class PresentationBody(StrictModel):
    """The wish to show a licence once."""

    holder_code: str = Field(
        max_length=64, description="Code of the holder.", examples=["91320102MA9K00028Q"]
    )
    holder_code_type: str = Field(
        max_length=3, description="GB/T 36903 appendix A.", examples=["001"]
    )
    purpose: str = Field(
        max_length=200, description="What it is shown for.", examples=["办理食品经营许可"]
    )
    service_item_code: str | None = Field(
        default=None,
        max_length=64,
        description="When given, only this matter may redeem the code.",
        examples=["11320102MB9K00021D4320131005000"],
    )
    lifetime_seconds: int = Field(
        default=120, ge=60, le=300, description="How long the code lives.", examples=[120]
    )


class PresentationAnswer(StrictModel):
    """A one-time code, to be shown as a QR code."""

    code: str = Field(description="The code.", examples=["MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"])
    identifier: str = Field(description="The licence it shows.", examples=[_IDENTIFIER_EXAMPLE])
    purpose: str = Field(description="What for.", examples=["办理食品经营许可"])
    expires_at: str = Field(description="Not valid from here on.", examples=[_INSTANT_EXAMPLE])


class RedemptionBody(StrictModel):
    """The redemption of a one-time code by an approval system."""

    code: str = Field(
        max_length=64,
        description="The code that was shown.",
        examples=["MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"],
    )
    service_item_code: str = Field(
        min_length=1,
        max_length=64,
        description="The matter it is used for.",
        examples=["11320102MB9K00021D4320131005000"],
    )
    case_number: str = Field(
        min_length=1, max_length=64, description="The case.", examples=["YQ-2026-000002"]
    )


class ReleasedFile(StrictModel):
    """A file as released to an approval system."""

    media_type: str = Field(description="Media type.", examples=["application/ofd"])
    digest: str = Field(description="Digest, hexadecimal.", examples=["9f86d081…"])
    content: str = Field(description="The bytes, base64.", examples=["UEsDBBQ…"])


class RedemptionAnswer(StrictModel):
    """What the holder released, for one purpose."""

    identifier: str = Field(description="Licence identifier.", examples=[_IDENTIFIER_EXAMPLE])
    licence_number: str = Field(description="Printed number.", examples=["91320102MA9K00028Q"])
    licence_type_code: str = Field(description="Type code.", examples=[_TYPE_CODE_EXAMPLE])
    licence_type_name: str = Field(description="Type.", examples=["营业执照"])
    purpose: str = Field(description="What it may be used for.", examples=["办理食品经营许可"])
    issuing_authority: IssuingAuthorityBody = Field(
        description="Who issued it.",
        examples=[{"code": "11320102MB9K00021D", "name": "金陵市云栖区行政审批局"}],
    )
    holder: HolderBody = Field(
        description="Who holds it.",
        examples=[
            {"name": "金陵云栖茶点有限公司", "code": "91320102MA9K00028Q", "code_type": "001"}
        ],
    )
    face_data: dict[str, str] = Field(
        description="What the face shows.", examples=[{"name": "金陵云栖茶点有限公司"}]
    )
    issued_on: str = Field(description="Day of issue.", examples=["2026-11-24"])
    valid_from: str = Field(description="First day of validity.", examples=["2026-11-24"])
    valid_until: str | None = Field(
        description="Last day, inclusive; null: long-term.", examples=[None]
    )
    files: dict[Literal["ofd", "pdf"], ReleasedFile] = Field(
        description="The sealed files.", examples=[{}]
    )


class UseAnswer(StrictModel):
    """One use of a licence."""

    use_id: int = Field(description="Grows with time.", examples=[1])
    used_at: str = Field(description="When.", examples=[_INSTANT_EXAMPLE])
    user_authority_code: str = Field(
        description="Body of the system that used it.", examples=["11320100MB9K00013M"]
    )
    caller_id: str = Field(description="The system.", examples=["food-approval"])
    service_item_code: str = Field(
        description="The matter.", examples=["11320102MB9K00021D4320131005000"]
    )
    case_number: str = Field(description="The case.", examples=["YQ-2026-000002"])
    purpose: str = Field(description="What for.", examples=["办理食品经营许可"])
    version: str = Field(description="Version of the licence.", examples=["001"])
    released: list[str] = Field(description="Fields and files released.", examples=[["name"]])
    result: str = Field(description="How it ended.", examples=["released"])


class UsePage(StrictModel):
    """One page of the use log of a licence."""

    uses: list[UseAnswer] = Field(description="Newest first.", examples=[[]])
    next_before: int | None = Field(
        description="Pass as ``before`` for the next page; null on the last.", examples=[None]
    )

"""Wire types of sealing: strict, no unknown fields, every field explained (T-API-16)."""

import base64
import binascii
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, ValidationError

from keys.algorithms import sm3
from seal_service.formats.placement import Corner
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.errors import InvalidFields, RequestFault
from seal_service.plumbing.faults import list_faults
from seal_service.plumbing.strict_json import JSONValue, StrictModel
from seal_service.sealing import DocumentOrder
from seal_service.seals.model import PDFProfile
from seal_service.seals.placing import (
    AtPoint,
    DocumentLayout,
    InField,
    OnText,
    ReservedSpot,
    SealMode,
    Straddling,
    Wish,
)

_SEALING_EXAMPLE = "sg-5f0c6a4b9d1e4c0f8a7b6c5d4e3f2a1b"
_LARGEST_MM = 2_000
_ADDED = {"matter_code": "", "pdf_profile": "rsa-pades"}
"""Fields that came later, with the value that says what was meant before."""

Distance = Annotated[
    float, Field(ge=-_LARGEST_MM, le=_LARGEST_MM, description="Millimetres.", examples=[50.0])
]
Pages = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="`all`, `last`, or a list such as `1,3-5,last`.",
        examples=["all"],
    ),
]
FieldName = Annotated[
    str,
    Field(min_length=1, max_length=100, description="Name of the field.", examples=["Seal2"]),
]
SealingId = Annotated[
    str, Path(max_length=64, description="Identifier of the sealing.", examples=[_SEALING_EXAMPLE])
]


class PointBody(StrictModel):
    """The centre of the seal, counted from a corner of the page as seen."""

    kind: Literal["point"] = Field(description="By coordinates.", examples=["point"])
    x_mm: Distance
    y_mm: Distance
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = Field(
        default="top-left",
        description="Where both distances count from.",
        examples=["bottom-right"],
    )
    pages: Pages = "1"

    def to_wish(self) -> AtPoint:
        """Convert to the domain value."""
        corner = Corner(self.corner)
        return AtPoint(x_mm=self.x_mm, y_mm=self.y_mm, corner=corner, pages=self.pages)


class KeywordBody(StrictModel):
    """The seal centred on a text; kept on its page."""

    kind: Literal["keyword"] = Field(description="By a text.", examples=["keyword"])
    keyword: str = Field(
        min_length=1, max_length=64, description="On one line.", examples=["（盖章）"]
    )
    hit: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=1, description="Which hit, from 1; null for every one.", examples=[1]
    )
    from_end: bool = Field(
        default=False, description="Count hits from the last one backwards.", examples=[True]
    )
    offset_x_mm: Distance = 0.0
    offset_y_mm: Distance = 0.0
    pages: Pages = "all"

    def to_wish(self) -> OnText:
        """Convert to the domain value."""
        return OnText(
            keyword=self.keyword,
            hit=self.hit,
            from_end=self.from_end,
            offset_mm=(self.offset_x_mm, self.offset_y_mm),
            pages=self.pages,
        )


class StraddleBody(StrictModel):
    """The seal over the outer edges of several pages (骑缝章)."""

    kind: Literal["straddle"] = Field(description="Over page edges.", examples=["straddle"])
    edge: Literal["left", "right"] = Field(
        default="right", description="Which edge.", examples=["right"]
    )
    top_mm: Distance | None = Field(
        default=None, description="Upper edge of the seal; null centres it.", examples=[None]
    )
    pages: Pages = "all"
    pages_per_seal: int = Field(
        default=20, ge=2, le=500, description="Most pages that share one seal.", examples=[20]
    )
    least_strip_mm: float = Field(
        default=1.0, ge=0.5, le=50, description="Narrowest strip allowed.", examples=[1.0]
    )
    least_end_mm: float = Field(
        default=0.0,
        ge=0,
        le=50,
        description="Narrowest strip on the first and last page of a seal.",
        examples=[8.0],
    )

    def to_wish(self) -> Straddling:
        """Convert to the domain value."""
        return Straddling(
            edge=self.edge,
            top_mm=self.top_mm,
            pages=self.pages,
            pages_per_seal=self.pages_per_seal,
            least_strip_mm=self.least_strip_mm,
            least_end_mm=self.least_end_mm,
        )


class FieldBody(StrictModel):
    """An empty signature field of a PDF, filled where it is; only as the first placement."""

    kind: Literal["field"] = Field(description="In a field.", examples=["field"])
    field_name: FieldName

    def to_wish(self) -> InField:
        """Convert to the domain value."""
        return InField(name=self.field_name)


PlacementBody = Annotated[
    PointBody | KeywordBody | StraddleBody | FieldBody, Field(discriminator="kind")
]


class ReservedBody(StrictModel):
    """An empty signature field to leave in a PDF for a later seal."""

    field_name: FieldName
    place: PointBody


class SealingBody(StrictModel):
    """What to seal with what, and where. In a form: the part ``order``."""

    seal_id: str = Field(
        max_length=64, description="The seal.", examples=["11320102MB9K00021D7F3A90B2C4D5E6F1"]
    )
    case_number: str = Field(
        min_length=1,
        max_length=64,
        description="The case the document belongs to.",
        examples=["YQ-2026-000001"],
    )
    document_kind: str = Field(
        default="document",
        pattern=r"^[a-z][a-z0-9-]{1,20}$",
        description="Kind of document, as mandates name it.",
        examples=["approval-letter"],
    )
    document_name: str = Field(
        default="",
        max_length=128,
        description="What it is, for the record of uses.",
        examples=["准予行政许可决定书"],
    )
    matter_code: str = Field(
        default="",
        max_length=64,
        description="Service item of the case; mandates may be for some matters only.",
        examples=["000116003000"],
    )
    mode: Literal["continue", "lock"] = Field(
        description="Whether further seals may follow.", examples=["lock"]
    )
    pdf_profile: Literal["rsa-pades", "gm-seal", "gm-cms"] = Field(
        default="rsa-pades",
        description="How a PDF is sealed: PAdES by RSA, a GB/T 38540 seal signature by SM2, or CMS "
        "by SM2.",
        examples=["gm-seal"],
    )
    placements: list[PlacementBody] = Field(
        min_length=1,
        max_length=8,
        description="Where; the first place is the seal's own, the others show it again.",
        examples=[[{"kind": "keyword", "keyword": "（盖章）"}, {"kind": "straddle"}]],
    )
    reserved: list[ReservedBody] = Field(
        default=[], max_length=8, description="PDF: fields for later seals.", examples=[[]]
    )

    def to_order(self, caller: Caller) -> DocumentOrder:
        """Convert to the domain value."""
        wishes: list[Wish] = [placement.to_wish() for placement in self.placements]
        return DocumentOrder(
            caller=caller,
            seal_id=self.seal_id,
            case_number=self.case_number,
            document_kind=self.document_kind,
            subject=self.document_name or self.case_number,
            matter_code=self.matter_code,
            pdf_profile=PDFProfile(self.pdf_profile),
            layout=DocumentLayout(
                wishes=tuple(wishes),
                mode=SealMode(self.mode),
                reserved=tuple(
                    ReservedSpot(name=item.field_name, spot=item.place.to_wish())
                    for item in self.reserved
                ),
            ),
        )

    def digest(self) -> bytes:
        """Return a digest of everything that is asked for but the document."""
        fields = set(SealingBody.model_fields)
        # So that a retry is still recognised that was first sent before there were these.
        fields -= {name for name in _ADDED if getattr(self, name) == _ADDED[name]}
        asked = self.model_dump_json(include=fields)
        return sm3(asked.encode("utf-8"))


class SealingDocumentBody(SealingBody):
    """The same with the document in it."""

    document: str = Field(
        min_length=4, description="The OFD or PDF file, base64.", examples=["UEsDBBQAAAAIAA=="]
    )

    def content(self) -> bytes:
        """Return the bytes of the document; raises ``InvalidFields``."""
        try:
            return base64.b64decode(self.document, validate=True)
        except (binascii.Error, ValueError):
            fault = RequestFault(pointer="/document", detail="不是 base64 编码", code="base64")
            raise InvalidFields((fault,)) from None


class SealingAnswer(StrictModel):
    """A sealed document in the record."""

    sealing_id: str = Field(description="Identifier.", examples=[_SEALING_EXAMPLE])
    seal_id: str = Field(description="The seal.", examples=["11320102MB9K00021D7F3A90B2C4D5E6F1"])
    seal_use_id: str = Field(
        description="The use in the public log.", examples=["su-0a1b2c3d4e5f60718293a4b5c6d7e8f9"]
    )
    case_number: str = Field(description="The case.", examples=["YQ-2026-000001"])
    document_kind: str = Field(description="Kind of document.", examples=["approval-letter"])
    document_name: str = Field(description="What it is.", examples=["准予行政许可决定书"])
    mode: str = Field(description="`continue` or `lock`.", examples=["lock"])
    format: str = Field(description="`ofd` or `pdf`.", examples=["ofd"])
    source_sm3: str = Field(description="SM3 of the document as it came.", examples=["66c7…"])
    sm3: str = Field(description="SM3 of the sealed document.", examples=["9f86…"])
    size: int = Field(description="Bytes of the sealed document.", examples=[48213])
    sealed_at: str = Field(description="When, UTC.", examples=["2026-11-24T04:00:00Z"])
    caller_id: str = Field(description="Who asked.", examples=["approval-system"])


def read_body(value: JSONValue) -> SealingDocumentBody:
    """Read a JSON body; raises ``InvalidFields``."""
    try:
        return SealingDocumentBody.model_validate(value)
    except ValidationError as error:
        raise _invalid(error) from None


def read_order(value: JSONValue) -> SealingBody:
    """Read the order of a form; raises ``InvalidFields``."""
    try:
        return SealingBody.model_validate(value)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidFields:
    found = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
    return InvalidFields(list_faults(found))


def describe_request() -> dict[str, object]:
    """Return what OpenAPI says of the request body: JSON, or a form of order and document."""
    order = _flattened(SealingBody.model_json_schema())
    form = {
        "type": "object",
        "required": ["order", "document"],
        "properties": {
            "order": order,
            "document": {"type": "string", "format": "binary", "description": "OFD or PDF."},
        },
    }
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": _flattened(SealingDocumentBody.model_json_schema()),
            },
            "multipart/form-data": {
                "schema": form,
                "encoding": {"order": {"contentType": "application/json"}},
            },
        },
    }


def _flattened(schema: dict[str, object]) -> object:
    """Put definitions where they are referred to: the description has no place for them."""
    definitions = schema.pop("$defs", {})

    def flat(part: object) -> object:
        if isinstance(part, list):
            return [flat(item) for item in part]
        if not isinstance(part, dict):
            return part
        reference = part.get("$ref")
        if isinstance(reference, str) and isinstance(definitions, dict):
            return flat(definitions[reference.rpartition("/")[2]])
        # A discriminator maps values to the references that are gone now.
        return {key: flat(item) for key, item in part.items() if key != "discriminator"}

    return flat(schema)

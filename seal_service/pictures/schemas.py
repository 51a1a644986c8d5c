"""Wire types of seal pictures: the face that is applied for or previewed, and uploads."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, ValidationError

from seal_service.plumbing.errors import InvalidFields
from seal_service.plumbing.faults import list_faults
from seal_service.plumbing.forms import MULTIPART
from seal_service.plumbing.strict_json import JSONValue, StrictModel
from seal_service.seals.design import Emblem, Lettering, SealDesign, SealShape
from seal_service.seals.faces import face_height
from seal_service.seals.model import SealFace
from seal_service.seals.picture_store import KeptPicture
from seal_service.seals.sizes import BodyKind, check_size

_DIGEST_EXAMPLE = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
DESIGN_EXAMPLE: dict[str, object] = {
    "shape": "oval",
    "height_mm": 30.0,
    "centre": "star",
    "emblem_sha256": "",
    "code": "91320102MA1K00017X",
    "lettering": "relief",
    "picture_sha256": "",
}

PictureDigest = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="Digest an upload was answered with.",
        examples=[_DIGEST_EXAMPLE],
    ),
]

SealId = Annotated[
    str,
    Path(
        max_length=64,
        description="Seal identifier (esID).",
        examples=["11320102MB9K00021D7F3A90B2C4D5E6F1"],
    ),
]


class DesignBody(StrictModel):
    """How a seal looks; without it, round with a star."""

    shape: Literal["round", "oval", "block", "name", "scan"] = Field(
        default="round",
        description="round: around a star or emblem. oval: 发票专用章 and alike. block: square or "
        "rectangular. name: a person's name seal. scan: an uploaded picture.",
        examples=["oval"],
    )
    height_mm: float = Field(
        default=0.0, ge=0, le=80, description="Physical height; 0: as wide.", examples=[30.0]
    )
    centre: Literal["star", "national", "none"] = Field(
        default="star",
        description="In the centre of a round seal: star, national emblem or nothing.",
        examples=["star"],
    )
    code: str = Field(
        default="",
        max_length=18,
        pattern=r"^[0-9A-Z]*$",
        description="Code in the middle of an oval seal, such as the credit code.",
        examples=["91320102MA1K00017X"],
    )
    lettering: Literal["relief", "intaglio"] = Field(
        default="relief",
        description="Of a name seal: 朱文 (relief) or 白文 (intaglio).",
        examples=["relief"],
    )
    picture_sha256: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="The uploaded picture; only with shape scan.",
        examples=[""],
    )

    def to_design(self) -> SealDesign:
        """Convert to the domain value."""
        return SealDesign(
            shape=SealShape(self.shape),
            height_mm=self.height_mm,
            centre=Emblem(self.centre),
            code=self.code,
            lettering=Lettering(self.lettering),
            picture_sha256=self.picture_sha256,
        )


class FaceBody(StrictModel):
    """What a seal shows."""

    kind: Literal["official", "licence", "business", "personal"] = Field(
        description="法定名称章, 电子证照专用章, 业务专用章 or 法定代表人名章.",
        examples=["licence"],
    )
    name: str = Field(
        min_length=2,
        max_length=40,
        description="The body's name, around the star; of a name seal, the person's.",
        examples=["金陵市云栖区行政审批局"],
    )
    line_below: str = Field(
        default="",
        max_length=12,
        description="Purpose of a special seal, below the star.",
        examples=["电子证照专用章"],
    )
    number: str = Field(
        default="",
        max_length=18,
        pattern=r"^[0-9A-Z()]*$",
        description="Registered seal code, at the lower rim.",
        examples=["3201020000017"],
    )
    diameter_mm: float = Field(
        default=42.0, ge=10, le=80, description="Physical diameter, or width.", examples=[42.0]
    )
    design: DesignBody | None = Field(
        default=None,
        description="How it looks; null: round with a star.",
        examples=[None],
    )
    body_kind: (
        Literal[
            "state-council",
            "province-or-ministry",
            "vice-ministerial",
            "state-unit",
            "local-government",
            "regional-office",
            "temporary-body",
            "department-or-unit",
        ]
        | None
    ) = Field(
        default=None,
        description="Kind of body; when given, diameter and centre must be those of "
        "国发〔1999〕25号.",
        examples=["department-or-unit"],
    )

    def to_face(self) -> SealFace:
        """Convert to the domain value; raises ``InvalidSealOrder`` for another body's size."""
        face = SealFace(
            name=self.name,
            line_below=self.line_below,
            number=self.number,
            diameter_mm=self.diameter_mm,
            design=(self.design or DesignBody()).to_design(),
        )
        if self.body_kind is not None:
            check_size(BodyKind(self.body_kind), face)
        return face


class UploadSize(StrictModel):
    """The physical size of an uploaded impression, in whole millimetres."""

    width_mm: int = Field(ge=10, le=80, description="Width of the impression.", examples=[42])
    height_mm: int = Field(ge=8, le=80, description="Height of the impression.", examples=[42])


def read_size(value: JSONValue) -> UploadSize:
    """Read the size that comes with an upload; raises ``InvalidFields``."""
    try:
        return UploadSize.model_validate(value)
    except ValidationError as error:
        found = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise InvalidFields(list_faults(found)) from None


def describe_upload() -> dict[str, object]:
    """Return what OpenAPI says of an upload: a form of size and picture."""
    picture = {"type": "string", "format": "binary", "description": "PNG or JPEG."}
    form = {
        "type": "object",
        "required": ["size", "picture"],
        "properties": {"size": UploadSize.model_json_schema(), "picture": picture},
    }
    content = {"schema": form, "encoding": {"size": {"contentType": "application/json"}}}
    return {"required": True, "content": {MULTIPART: content}}


class DesignAnswer(StrictModel):
    """How a seal looks, as the approval binds it."""

    shape: str = Field(description="round, oval, block, name or scan.", examples=["oval"])
    height_mm: float = Field(description="Physical height.", examples=[30.0])
    centre: str = Field(description="star, national or none.", examples=["star"])
    emblem_sha256: str = Field(
        description="Digest of the national emblem's file; empty without one.", examples=[""]
    )
    code: str = Field(description="In the middle of an oval seal.", examples=[""])
    lettering: str = Field(description="relief or intaglio.", examples=["relief"])
    picture_sha256: str = Field(
        description="Digest of the uploaded picture; empty without one.", examples=[""]
    )


class UploadAnswer(StrictModel):
    """An uploaded picture, cleaned and kept."""

    picture_sha256: str = Field(
        description="Name it so in an application.", examples=[_DIGEST_EXAMPLE]
    )
    width_mm: float = Field(description="Physical width.", examples=[42.0])
    height_mm: float = Field(description="Physical height.", examples=[42.0])
    dpi: int = Field(description="Dots per inch.", examples=[400])


def design_to_wire(face: SealFace) -> DesignAnswer:
    """Convert what a face looks like."""
    design = face.design
    return DesignAnswer(
        shape=design.shape.value,
        height_mm=face_height(face),
        centre=design.centre.value,
        emblem_sha256=design.emblem_sha256,
        code=design.code,
        lettering=design.lettering.value,
        picture_sha256=design.picture_sha256,
    )


def upload_to_wire(kept: KeptPicture) -> UploadAnswer:
    """Convert an uploaded picture."""
    return UploadAnswer(
        picture_sha256=kept.picture_sha256,
        width_mm=kept.scan.width_mm,
        height_mm=kept.scan.height_mm,
        dpi=kept.scan.dpi,
    )

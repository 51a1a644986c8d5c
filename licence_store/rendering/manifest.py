"""A licence template: what its ``manifest.toml`` says, read and checked at start-up.

A template is a folder of data: ``manifest.toml`` (type, texts, field schema, places of QR code and
seals), ``face.typ`` (the layout with its filling rules) and ``assets/``. The sections follow the
shape of the national per-type standards. Field types are checked by ``licence_store.codes``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from licence_store.rendering.errors import RenderingFault
from seal_service.seals.model import PDFProfile

MANIFEST = "manifest.toml"
LAYOUT = "face.typ"


class FieldType(StrEnum):
    """What a field holds; decides its check and how it is shown."""

    TEXT = "text"
    MULTI_LINE = "multi-line"
    DATE = "date"
    USCC = "uscc"
    CITIZEN_ID = "citizen_id"
    USCC_OR_CITIZEN_ID = "uscc_or_citizen_id"
    AREA_CODE = "area_code"
    ENUM = "enum"
    MONEY = "money"
    FOOD_LICENCE_NO = "food_licence_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """Another label where another field contains a word (a sole trader has no 法定代表人)."""

    field: str
    contains: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of the face."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    max_length: int = 200
    values: tuple[str, ...] = ()
    prefix_allowed: bool = False
    """Whether a value may go on after one of ``values``, as in 餐饮服务经营者（含网络经营）."""
    label_when: tuple[LabelRule, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealBox:
    """Where a seal stands: page from 1, millimetres from the upper left corner, physical size."""

    role: str
    page: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QRBox:
    """Where the QR code stands, quiet zone included."""

    page: int
    x_mm: float
    y_mm: float
    size_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceTemplate:
    """One licence type's template."""

    folder: Path
    licence_type_code: str
    name: str
    define_authority_name: str
    version: str
    number_field: str
    holder_types: frozenset[str]
    validity: str
    page_size_mm: tuple[float, float]
    fonts: Mapping[str, str]
    """Role on the face (title, label, value) -> role in the font folder."""
    assets: Mapping[str, str]
    texts: Mapping[str, str]
    qr: QRBox
    seals: tuple[SealBox, ...]
    fields: tuple[FieldSpec, ...]
    allowed_authorities: frozenset[str] | None = None
    pdf_profile: PDFProfile = PDFProfile.RSA_PADES

    @property
    def layout(self) -> Path:
        """Return the typst file."""
        return self.folder / LAYOUT


def load_template(folder: Path) -> LicenceTemplate:
    """Read one template; raises ``RenderingFault`` naming what is wrong with it."""
    path = folder / MANIFEST
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        template = _build(folder.resolve(), table)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise RenderingFault(f"{path}: {error!r}", template=folder.name) from error
    for needed in (template.layout, *(folder / asset for asset in template.assets.values())):
        if not needed.is_file():
            raise RenderingFault(f"{needed} is missing", template=folder.name)
    if template.number_field not in {field.name for field in template.fields}:
        raise RenderingFault(f"{path}: number_field names no field", template=folder.name)
    return template


def load_templates(root: Path) -> dict[str, LicenceTemplate]:
    """Read all templates below a folder, by licence type code."""
    found: dict[str, LicenceTemplate] = {}
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        template = load_template(path.parent)
        if template.licence_type_code in found:
            raise RenderingFault(f"two templates for {template.licence_type_code}")
        found[template.licence_type_code] = template
    return found


def _build(folder: Path, table: dict[str, object]) -> LicenceTemplate:
    page = _table(table["page"])
    authorities = table.get("allowed_authorities")
    profile = table.get("pdf_profile", PDFProfile.RSA_PADES.value)
    return LicenceTemplate(
        folder=folder,
        licence_type_code=str(table["licence_type_code"]),
        name=str(table["name"]),
        define_authority_name=str(table["define_authority_name"]),
        version=str(table["version"]),
        number_field=str(table["number_field"]),
        holder_types=frozenset(_texts(table["holder_types"])),
        validity=str(table["validity"]),
        page_size_mm=(_number(page["width_mm"]), _number(page["height_mm"])),
        fonts={name: str(value) for name, value in _table(table["fonts"]).items()},
        assets={name: str(value) for name, value in _table(table["assets"]).items()},
        texts={name: str(value) for name, value in _table(table["texts"]).items()},
        qr=_qr_box(_table(table["qr"])),
        seals=tuple(_seal_box(seal) for seal in _tables(table["seal"])),
        fields=tuple(_field(field) for field in _tables(table["field"])),
        allowed_authorities=None if authorities is None else frozenset(_texts(authorities)),
        pdf_profile=PDFProfile(str(profile)),
    )


def _qr_box(table: dict[str, object]) -> QRBox:
    return QRBox(
        page=int(_number(table["page"])),
        x_mm=_number(table["x_mm"]),
        y_mm=_number(table["y_mm"]),
        size_mm=_number(table["size_mm"]),
    )


def _seal_box(table: dict[str, object]) -> SealBox:
    return SealBox(
        role=str(table["role"]),
        page=int(_number(table["page"])),
        x_mm=_number(table["x_mm"]),
        y_mm=_number(table["y_mm"]),
        width_mm=_number(table["width_mm"]),
        height_mm=_number(table["height_mm"]),
    )


def _field(table: dict[str, object]) -> FieldSpec:
    rules = _tables(table.get("label_when", []))
    return FieldSpec(
        name=str(table["name"]),
        label=str(table["label"]),
        type=FieldType(str(table["type"])),
        required=table.get("required") is True,
        max_length=int(_number(table.get("max_length", 200))),
        values=tuple(_texts(table.get("values", []))),
        prefix_allowed=table.get("prefix_allowed") is True,
        label_when=tuple(
            LabelRule(
                field=str(rule["field"]), contains=str(rule["contains"]), label=str(rule["label"])
            )
            for rule in rules
        ),
        source=str(table.get("source", "")),
    )


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("a table is needed")
    return value


def _tables(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list of tables is needed")
    return [_table(item) for item in value]


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("a list is needed")
    return [str(item) for item in value]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is needed")
    return value

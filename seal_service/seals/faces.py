"""From the face of a seal, as it is applied for, to its outline; what each shape may carry.

An order that no seal could show is refused when it is applied for, not when it is made.
"""

from collections.abc import Callable
from dataclasses import dataclass

from seal_service.errors import InvalidSealOrder
from seal_service.seals.blocks import BlockSeal, NameSeal, block_outline, name_outline
from seal_service.seals.design import Emblem, SealShape
from seal_service.seals.drawing import SealOutline
from seal_service.seals.glyphs import SealFont
from seal_service.seals.model import SealFace, SealKind
from seal_service.seals.oval import OvalSeal, oval_outline
from seal_service.seals.picture import MAX_NAME_CHARACTERS, RoundSeal, seal_outline


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFonts:
    """Fonts of seals: 宋体 for those of bodies, a heavier one for the names of persons."""

    text: SealFont
    name: SealFont


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShapeRule:
    """What a shape may carry; sides in millimetres, inclusive."""

    width: tuple[float, float]
    height: tuple[float, float]
    name: tuple[int, int] = (1, MAX_NAME_CHARACTERS)
    line_below: int = 12
    number: int = 18
    code: int = 0


_RULES = {
    SealShape.ROUND: _ShapeRule(width=(20, 60), height=(20, 60)),
    SealShape.OVAL: _ShapeRule(width=(30, 60), height=(20, 45), code=18),
    SealShape.BLOCK: _ShapeRule(width=(12, 80), height=(8, 60)),
    SealShape.NAME: _ShapeRule(width=(10, 50), height=(8, 40), name=(2, 6), line_below=0, number=0),
    SealShape.SCAN: _ShapeRule(width=(10, 80), height=(8, 80)),
}
_SHAPES_OF = {
    SealKind.OFFICIAL: {SealShape.ROUND, SealShape.OVAL, SealShape.SCAN},
    SealKind.LICENCE: {SealShape.ROUND, SealShape.SCAN},
    SealKind.BUSINESS: {SealShape.ROUND, SealShape.OVAL, SealShape.BLOCK, SealShape.SCAN},
    SealKind.PERSONAL: {SealShape.NAME, SealShape.SCAN},
}


def face_height(face: SealFace) -> float:
    """Return the height in millimetres; a design that says none is as high as wide."""
    return face.design.height_mm or face.diameter_mm


def check_face(kind: SealKind, face: SealFace) -> None:
    """Raise ``InvalidSealOrder`` for a face that its kind may not have or nothing could draw."""
    design = face.design
    if design.shape not in _SHAPES_OF[kind]:
        raise InvalidSealOrder("该类印章不能采用此形状", field="shape")
    _check_measures(face, _RULES[design.shape])
    _check_texts(face, _RULES[design.shape])
    is_scan = design.shape is SealShape.SCAN
    if is_scan != bool(design.picture_sha256):
        raise InvalidSealOrder("上传印模的印章须指明图像，其他印章不得指明", field="picture_sha256")
    is_emblem = design.centre is Emblem.NATIONAL
    if design.centre is not Emblem.STAR and design.shape is not SealShape.ROUND:
        raise InvalidSealOrder("只有圆形印章中央刊国徽或五角星", field="centre")
    if is_emblem != bool(design.emblem_sha256):
        raise InvalidSealOrder("中央刊国徽的印章须指明国徽图样", field="centre")


def _check_measures(face: SealFace, rule: _ShapeRule) -> None:
    width, height = face.diameter_mm, face_height(face)
    if not rule.width[0] <= width <= rule.width[1]:
        raise InvalidSealOrder(
            f"宽度（直径）须为 {rule.width[0]:g} 至 {rule.width[1]:g} 毫米", field="diameter_mm"
        )
    if not rule.height[0] <= height <= rule.height[1]:
        raise InvalidSealOrder(
            f"高度须为 {rule.height[0]:g} 至 {rule.height[1]:g} 毫米", field="height_mm"
        )
    if face.design.shape is SealShape.ROUND and height != width:
        raise InvalidSealOrder("圆形印章的高度与直径相同", field="height_mm")
    if face.design.shape is SealShape.OVAL and height >= width:
        raise InvalidSealOrder("椭圆形印章的高度小于宽度", field="height_mm")
    for side, field in ((width, "diameter_mm"), (height, "height_mm")):
        if face.design.shape is not SealShape.ROUND and side != round(side):
            raise InvalidSealOrder("尺寸须为整毫米", field=field)


def _check_texts(face: SealFace, rule: _ShapeRule) -> None:
    if not rule.name[0] <= len(face.name.strip()) <= rule.name[1]:
        raise InvalidSealOrder(f"名称须为 {rule.name[0]} 至 {rule.name[1]} 个字", field="name")
    for text, most, field in (
        (face.line_below, rule.line_below, "line_below"),
        (face.number, rule.number, "number"),
        (face.design.code, rule.code, "code"),
    ):
        if len(text) > most:
            detail = f"不得多于 {most} 个字" if most else "此形状的印章不刊这一项"
            raise InvalidSealOrder(detail, field=field)


def face_outline(face: SealFace, fonts: SealFonts) -> SealOutline:
    """Draw a face that is no scan; raises ``GlyphMissing`` or ``UnsafePicture``."""
    return _DRAW[face.design.shape](face, fonts)


def _round(face: SealFace, fonts: SealFonts) -> SealOutline:
    return seal_outline(
        RoundSeal(
            name=face.name,
            line_below=face.line_below or None,
            number=face.number or None,
            diameter_mm=face.diameter_mm,
            emblem=face.design.centre,
        ),
        fonts.text,
    )


def _oval(face: SealFace, fonts: SealFonts) -> SealOutline:
    return oval_outline(
        OvalSeal(
            name=face.name,
            code=face.design.code,
            line_below=face.line_below,
            number=face.number,
            width_mm=face.diameter_mm,
            height_mm=face_height(face),
        ),
        fonts.text,
    )


def _block(face: SealFace, fonts: SealFonts) -> SealOutline:
    return block_outline(
        BlockSeal(
            name=face.name,
            line_below=face.line_below,
            number=face.number,
            width_mm=face.diameter_mm,
            height_mm=face_height(face),
        ),
        fonts.text,
    )


def _name(face: SealFace, fonts: SealFonts) -> SealOutline:
    return name_outline(
        NameSeal(
            name=face.name,
            lettering=face.design.lettering,
            width_mm=face.diameter_mm,
            height_mm=face_height(face),
        ),
        fonts.name,
    )


_DRAW: dict[SealShape, Callable[[SealFace, SealFonts], SealOutline]] = {
    SealShape.ROUND: _round,
    SealShape.OVAL: _oval,
    SealShape.BLOCK: _block,
    SealShape.NAME: _name,
}

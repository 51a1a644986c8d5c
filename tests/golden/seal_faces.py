"""The seals of the golden pictures: every shape, names of 6, 12, 20 and 30 characters."""

from pathlib import Path

from seal_service.seals.design import Emblem, Lettering, SealDesign, SealShape
from seal_service.seals.drawing import outline_svg
from seal_service.seals.faces import SealFonts, face_outline
from seal_service.seals.glyphs import SealFont
from seal_service.seals.model import SealFace
from tests.architecture.tree import PROJECT

FOLDER = Path(__file__).parent / "seals"
_FONTS = PROJECT / ".cache" / "fonts"
FONTS = SealFonts(
    text=SealFont(path=_FONTS / "EsealSong-Regular.ttf"),
    name=SealFont(path=_FONTS / "EsealSong-Bold.ttf"),
)
NUMBER = "3201020000017"
CODE = "91320102MA1K00017X"
NAMES = {
    6: "云栖区数据局",
    12: "金陵市云栖区市场监督管理",
    20: "金陵市云栖区青溪新材料科技股份有限公司东",
    30: "金陵市云栖区青溪新材料科技股份有限公司东山分公司第三营业部门",
}


def _round(count: int, line_below: str = "") -> SealFace:
    return SealFace(name=NAMES[count], number=NUMBER, line_below=line_below)


def _oval(count: int, number: str = "") -> SealFace:
    design = SealDesign(shape=SealShape.OVAL, height_mm=30.0, code=CODE)
    return SealFace(
        name=NAMES[count], line_below="发票专用章", number=number, diameter_mm=40.0, design=design
    )


def _block(count: int, width: float, height: float, number: str = "") -> SealFace:
    return SealFace(
        name=NAMES[count],
        line_below="财务专用章" if width == height else "合同专用章",
        number=number,
        diameter_mm=width,
        design=SealDesign(shape=SealShape.BLOCK, height_mm=height),
    )


def _name(name: str, lettering: Lettering, width: float = 20.0, height: float = 20.0) -> SealFace:
    design = SealDesign(shape=SealShape.NAME, height_mm=height, lettering=lettering)
    return SealFace(name=name, diameter_mm=width, design=design)


SEALS = {
    "round_6": _round(6, line_below="电子证照专用章"),
    "round_12": _round(12, line_below="审批专用章"),
    "round_20": _round(20),
    "round_30": _round(30, line_below="合同专用章"),
    "round_45_open": SealFace(
        name=NAMES[12], diameter_mm=45.0, design=SealDesign(centre=Emblem.NONE)
    ),
    "oval_6": _oval(6),
    "oval_12": _oval(12, number="(1)"),
    "oval_20": _oval(20),
    "oval_30": _oval(30),
    "square_6": _block(6, 22.0, 22.0),
    "square_20": _block(20, 30.0, 30.0, number=NUMBER),
    "flat_12": _block(12, 45.0, 18.0),
    "flat_30": _block(30, 60.0, 22.0, number=NUMBER),
    "name_2_relief": _name("王芳", Lettering.RELIEF),
    "name_3_relief": _name("王建国", Lettering.RELIEF),
    "name_3_intaglio": _name("王建国", Lettering.INTAGLIO),
    "name_4_intaglio": _name("王建国印", Lettering.INTAGLIO),
    "name_3_flat": _name("王建国", Lettering.RELIEF, 36.0, 14.0),
}


def draw(name: str) -> bytes:
    """Draw one of the seals as SVG, one contour to a line."""
    svg = outline_svg(face_outline(SEALS[name], FONTS))
    return svg.replace("ZM", "Z\nM").encode() + b"\n"

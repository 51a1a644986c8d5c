"""Commands of seal pictures: ``eseal seal-picture draw``, ``clean``, ``upload``, ``sizes``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from seal_service.plumbing.auth import Caller
from seal_service.seals.design import Emblem, Lettering, SealDesign, SealShape
from seal_service.seals.model import SealFace, SealKind
from seal_service.seals.preview import PictureDesk
from seal_service.seals.scans import clean_scan
from seal_service.seals.sizes import RULES, SOURCE

Facts = list[tuple[str, str]]
_WIDTHS = {
    SealShape.ROUND: 42.0,
    SealShape.OVAL: 40.0,
    SealShape.BLOCK: 25.0,
    SealShape.NAME: 20.0,
    SealShape.SCAN: 42.0,
}
_HEIGHTS = {SealShape.OVAL: 30.0}
Command = Callable[..., None]
_SIDE = click.IntRange(8, 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTools:
    """What the commands work with."""

    desk: PictureDesk
    operator: Callable[[], Caller]
    """Who acts; asked for only where something is kept."""
    tell: Callable[[object, Facts], None]
    tell_rows: Callable[[object, list[str], list[list[str]]], None]


OpenPictures = Callable[[click.Context], PictureTools]


def add_commands(root: click.Group, opened: OpenPictures) -> None:
    """Put the commands of seal pictures under ``root``."""
    group = click.Group("seal-picture", help="Draw seals, and clean scans of impressions.")
    group.add_command(_draw_command(opened))
    group.add_command(_clean_command(opened))
    group.add_command(_upload_command(opened))
    group.add_command(_sizes_command(opened))
    root.add_command(group)


def design_options(command: Command) -> Command:
    """Give a command the options that ``read_words`` reads."""
    options = (
        click.option(
            "--shape", type=_choices(SealShape), default=SealShape.ROUND.value, show_default=True
        ),
        click.option("--height", type=click.FloatRange(8, 80), help="Mm; default as wide."),
        click.option(
            "--centre", type=_choices(Emblem), default=Emblem.STAR.value, show_default=True
        ),
        click.option(
            "--lettering",
            type=_choices(Lettering),
            default=Lettering.RELIEF.value,
            show_default=True,
            help="Of a name seal: 朱文 (relief) or 白文 (intaglio).",
        ),
        click.option("--code", default="", help="In the middle of an oval seal."),
        click.option("--picture", default="", help="Digest of an uploaded picture; shape scan."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_words(words: Mapping[str, object]) -> SealDesign:
    """Return the design that the words of a command ask for."""
    height = words["height"]
    return SealDesign(
        shape=SealShape(str(words["shape"])),
        height_mm=0.0 if height is None else float(str(height)),
        centre=Emblem(str(words["centre"])),
        code=str(words["code"]),
        lettering=Lettering(str(words["lettering"])),
        picture_sha256=str(words["picture"]),
    )


def _choices(values: type[SealShape] | type[Emblem] | type[Lettering]) -> click.Choice[str]:
    return click.Choice([str(value.value) for value in values])


def _draw_command(opened: OpenPictures) -> click.Command:
    @click.command("draw")
    @click.option("--name", required=True, help="Name of the body, or of the person.")
    @click.option("--purpose", default="", help="Such as 电子证照专用章 or 发票专用章.")
    @click.option("--number", default="", help="Registered seal code, at the foot.")
    @click.option("--width", type=click.FloatRange(10, 80), help="Or diameter, mm.")
    @design_options
    @click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        required=True,
        help="FILE.png or FILE.svg.",
    )
    @click.pass_context
    def draw(ctx: click.Context, /, **words: object) -> None:
        """Draw a seal as a picture; nothing is applied for, nothing is made."""
        tools = opened(ctx)
        face, output = _face(words), Path(str(words["output"]))
        kind = _kind(face)
        if output.suffix.lower() == ".svg":
            data = tools.desk.painter.svg(kind, face).encode()
        else:
            data = tools.desk.painter.preview(_tenant(tools, face), kind, face).data
        _write(tools, output, data)

    return draw


def _face(words: Mapping[str, object]) -> SealFace:
    """Return the face to draw; without a width, in the usual size of its shape."""
    design, width = read_words(words), words["width"]
    if width is None and not design.height_mm:
        design = replace(design, height_mm=_HEIGHTS.get(design.shape, 0.0))
    return SealFace(
        name=str(words["name"]),
        line_below=str(words["purpose"]),
        number=str(words["number"]),
        diameter_mm=_WIDTHS[design.shape] if width is None else float(str(width)),
        design=design,
    )


def _tenant(tools: PictureTools, face: SealFace) -> str:
    """Return whose uploaded pictures are meant; a drawing needs nobody."""
    return tools.operator().authority_code if face.design.shape is SealShape.SCAN else ""


def _kind(face: SealFace) -> SealKind:
    return SealKind.PERSONAL if face.design.shape is SealShape.NAME else SealKind.BUSINESS


def _write(tools: PictureTools, output: Path, data: bytes) -> None:
    output.write_bytes(data)
    tools.tell(
        {"file": str(output), "bytes": len(data)}, [("written", f"{output} ({len(data)} bytes)")]
    )


def _clean_command(opened: OpenPictures) -> click.Command:
    @click.command("clean")
    @click.argument("scan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--width", type=_SIDE, required=True, help="Of the impression, mm.")
    @click.option("--height", type=_SIDE, help="Of the impression, mm; default as wide.")
    @click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
    @click.pass_context
    def clean(ctx: click.Context, scan: Path, width: int, height: int | None, output: Path) -> None:
        """Clean the scan of an impression to transparent red, and write it to a file."""
        cleaned = clean_scan(
            scan.read_bytes(), width_mm=float(width), height_mm=float(height or width)
        )
        _write(opened(ctx), output, cleaned.png)

    return clean


def _upload_command(opened: OpenPictures) -> click.Command:
    @click.command("upload")
    @click.argument("scan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--width", type=_SIDE, required=True, help="Of the impression, mm.")
    @click.option("--height", type=_SIDE, help="Of the impression, mm; default as wide.")
    @click.pass_context
    def upload(ctx: click.Context, scan: Path, width: int, height: int | None) -> None:
        """Clean the scan of an impression and keep it for an application."""
        tools = opened(ctx)
        caller = tools.operator()
        kept = tools.desk.upload(
            caller.authority_code,
            scan.read_bytes(),
            (float(width), float(height or width)),
            by=caller.caller_id,
        )
        tools.tell(
            {"picture_sha256": kept.picture_sha256, "dpi": kept.scan.dpi},
            [("picture", kept.picture_sha256), ("resolution", f"{kept.scan.dpi} dpi")],
        )

    return upload


def _sizes_command(opened: OpenPictures) -> click.Command:
    @click.command("sizes")
    @click.pass_context
    def sizes(ctx: click.Context) -> None:
        """Tell the diameter and centre of official seals by kind of body."""
        rows = [
            [
                kind.value,
                rule.bodies,
                f"{'≤ ' if rule.is_at_most else ''}{rule.diameter_mm:g} mm",
                rule.centre.value,
            ]
            for kind, rule in RULES.items()
        ]
        head = ["body", "bodies", "diameter", "centre"]
        value = {"source": SOURCE, "rules": [dict(zip(head, row, strict=True)) for row in rows]}
        opened(ctx).tell_rows(value, head, rows)

    return sizes

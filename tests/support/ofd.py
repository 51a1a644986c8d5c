"""Small OFD packages for tests: valid by default, flaws as keywords."""

import struct
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from seal_service.formats.ofd.container import (
    OFDContainer,
    StoredEntry,
    pack,
    read_container,
    write_container,
)
from seal_service.formats.ofd.sealing import StampPlacement, finish, prepare

NAMESPACE = "http://www.ofdspec.org/2016"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOC_ID = "0123456789abcdef0123456789abcdef"
LINES = ("营业执照", "统一社会信用代码 91350100M000100Y43", "名称：测试有限公司")
FONT = b"\x00\x01\x00\x00" + bytes(range(256)) * 4
SIGNED_AT = datetime(2026, 11, 24, 4, tzinfo=UTC)
SPOT = StampPlacement(page_number=1, x_mm=120, y_mm=200, width_mm=42, height_mm=42)
ESEAL = b"\x30\x82\x01\x00" + bytes(256)
"""Stands for a seal; the package layer only carries it."""
SIGNED_VALUE = b"\x30\x82\x01\x04" + bytes(range(256)) + b"\x05\x00\x05\x00"
ATTACHMENT = '{"licence_number":"测试 1"}'.encode()


def make_png(width: int = 2, height: int = 2) -> bytes:
    """Return a red picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\x00" + b"\xe0\x10\x10" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def part(root: str, body: str, attributes: str = "") -> bytes:
    """Return one XML file of a package."""
    space = f' xmlns:ofd="{NAMESPACE}"'
    return f"{DECLARATION}<ofd:{root}{space}{attributes}>{body}</ofd:{root}>".encode()


def root_part(custom_datas: Mapping[str, str], *, extra: str = "", root: str = "") -> bytes:
    """Return OFD.xml; ``extra`` goes after DocRoot."""
    datas = "".join(
        f'<ofd:CustomData Name="{name}">{value}</ofd:CustomData>'
        for name, value in custom_datas.items()
    )
    body = (
        f"<ofd:DocBody><ofd:DocInfo><ofd:DocID>{DOC_ID}</ofd:DocID><ofd:Title>测试证照</ofd:Title>"
        "<ofd:CreationDate>2026-11-24</ofd:CreationDate><ofd:Creator>tests</ofd:Creator>"
        f"<ofd:CustomDatas>{datas}</ofd:CustomDatas></ofd:DocInfo>"
        f"<ofd:DocRoot>{root or 'Doc_0/Document.xml'}</ofd:DocRoot>{extra}</ofd:DocBody>"
    )
    return part("OFD", body, ' Version="1.0" DocType="OFD"')


def document_part(page_ids: Collection[int], *, common: str = "", extra: str = "") -> bytes:
    """Return Document.xml with these pages; ``extra`` goes after the indexes."""
    pages = "".join(
        f'<ofd:Page ID="{page_id}" BaseLoc="Pages/Page_{number}/Content.xml"/>'
        for number, page_id in enumerate(page_ids)
    )
    body = (
        "<ofd:CommonData><ofd:MaxUnitID>999999</ofd:MaxUnitID>"
        "<ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>"
        "<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>"
        f'<ofd:TemplatePage ID="10" BaseLoc="Tpls/Tpl_0/Content.xml"/>{common}</ofd:CommonData>'
        f"<ofd:Pages>{pages}</ofd:Pages>"
        "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>"
        "<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>"
        f"<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>{extra}"
    )
    return part("Document", body)


def text_object(identifier: int, x: float, y: float, text: str, size: float = 5) -> str:
    """Return one line of text; ``y`` is the top of its boundary."""
    deltas = f"g {len(text) - 1} {size:g}" if len(text) > 1 else "0"
    return (
        f'<ofd:TextObject ID="{identifier}" Boundary="{x:g} {y:g} 180 10" Font="2" '
        f'Size="{size:g}"><ofd:TextCode X="0" Y="{size:g}" DeltaX="{deltas}">{text}'
        "</ofd:TextCode></ofd:TextObject>"
    )


def page_part(first_id: int, lines: Collection[str], *, template: str = "10") -> bytes:
    """Return a page: its template, one picture, and one text object per line."""
    objects = "".join(
        text_object(first_id + 2 + number, 20, 30 + 12 * number, line)
        for number, line in enumerate(lines)
    )
    picture = (
        f'<ofd:ImageObject ID="{first_id + 900}" Boundary="150 250 20 20" ResourceID="4" '
        'CTM="20 0 0 20 0 0"/>'
    )
    return part(
        "Page",
        f'<ofd:Template TemplateID="{template}" ZOrder="Background"/>'
        f'<ofd:Content><ofd:Layer ID="{first_id + 1}">{objects}{picture}</ofd:Layer></ofd:Content>',
    )


def ofd_entries(
    *,
    pages: int = 1,
    lines: Collection[str] = LINES,
    custom_datas: Mapping[str, str] | None = None,
    replace: Mapping[str, bytes] | None = None,
    drop: Collection[str] = (),
) -> dict[str, bytes]:
    """Return the entries of a package; ``replace`` overrides or adds, ``drop`` removes."""
    ids = [1000 * (number + 1) for number in range(pages)]
    entries = {
        "OFD.xml": root_part(custom_datas or {"licence_number": "测试 1"}),
        "Doc_0/Document.xml": document_part(ids),
        "Doc_0/PublicRes.xml": part(
            "Res",
            '<ofd:Fonts><ofd:Font ID="2" FontName="Test" FamilyName="宋体">'
            "<ofd:FontFile>font_2.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>",
            ' BaseLoc="Res"',
        ),
        "Doc_0/DocumentRes.xml": part(
            "Res",
            '<ofd:MultiMedias><ofd:MultiMedia ID="4" Type="Image" Format="PNG">'
            "<ofd:MediaFile>image_4.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>",
            ' BaseLoc="Res"',
        ),
        "Doc_0/Res/font_2.ttf": FONT,
        "Doc_0/Res/image_4.png": make_png(),
        "Doc_0/Tpls/Tpl_0/Content.xml": part(
            "Page",
            '<ofd:Content><ofd:Layer ID="11" Type="Background">'
            f"{text_object(12, 20, 10, '中华人民共和国')}</ofd:Layer></ofd:Content>",
        ),
        "Doc_0/Annots/Annotations.xml": part(
            "Annotations",
            f'<ofd:Page PageID="{ids[0]}"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc>'
            "</ofd:Page>",
        ),
        "Doc_0/Annots/Page_0/Annotation.xml": part("PageAnnot", ""),
        "Doc_0/Tags/CustomTags.xml": part(
            "CustomTags",
            '<ofd:CustomTag TypeID="licence"><ofd:FileLoc>Tag.xml</ofd:FileLoc></ofd:CustomTag>',
        ),
        "Doc_0/Tags/Tag.xml": b"<tags/>",
        "Doc_0/Attachs/Attachments.xml": part(
            "Attachments",
            '<ofd:Attachment ID="A1" Name="licence" Format="json">'
            "<ofd:FileLoc>licence.json</ofd:FileLoc></ofd:Attachment>",
        ),
        "Doc_0/Attachs/licence.json": ATTACHMENT,
    }
    for number, page_id in enumerate(ids):
        entries[f"Doc_0/Pages/Page_{number}/Content.xml"] = page_part(page_id, lines)
    entries.update(replace or {})
    return {path: content for path, content in entries.items() if path not in drop}


def make_ofd(
    *,
    pages: int = 1,
    lines: Collection[str] = LINES,
    custom_datas: Mapping[str, str] | None = None,
    replace: Mapping[str, bytes] | None = None,
    drop: Collection[str] = (),
) -> bytes:
    """Return a valid unsigned package, or one with the flaws asked for."""
    return write_container(
        ofd_entries(pages=pages, lines=lines, custom_datas=custom_datas, replace=replace, drop=drop)
    )


def make_stored(entries: Mapping[str, bytes] | None = None) -> list[StoredEntry]:
    """Return a package as entries that can be sealed without writing and reading them first."""
    return [pack(path, content) for path, content in (entries or ofd_entries()).items()]


def seal_ofd(
    package: bytes | OFDContainer | None = None,
    *,
    lock: bool = False,
    placements: Sequence[StampPlacement] = (SPOT,),
) -> bytes:
    """Return a package with one more seal whose seal and value are stand-ins."""
    prepared = prepare(
        make_ofd() if package is None else package,
        eseal_der=ESEAL,
        placements=placements,
        signed_at=SIGNED_AT,
        lock=lock,
    )
    return finish(prepared, SIGNED_VALUE)


def altered(package: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Return a package with entries replaced, added or (None) removed, canonically written."""
    entries: dict[str, bytes] = dict(read_container(package).entries)
    for path, content in changes.items():
        if content is None:
            del entries[path]
        else:
            entries[path] = content
    return write_container(entries)

"""Small PDFs for tests: valid by default, flaws as keywords; and later revisions of any content.

Files are written here once more, apart from the product's writer, so that flaws can be made.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict, Unpack

from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.writing import (
    PreparedPDF,
    ReservedField,
    SignatureOrder,
    SubFilter,
    finish,
    prepare,
)
from tests.support.messages import MessageSpec, make_message
from tests.support.seals import NOW, PICTURE

LICENCE = "1.2.156.3005.2.11100000MB0143028R001.11320102MB9K00021D.2026NJ00000001.001.E"
KEYWORDS = f"CertificateIdentifier={LICENCE}, LicenceDataDigest={'0' * 64}"
PAGE_BOX = "0 0 595 842"
SPOT = PDFPlacement(page_number=1, x_mm=120, y_mm=200, width_mm=42, height_mm=42)
SECOND_SPOT = PDFPlacement(page_number=1, x_mm=20, y_mm=200, width_mm=42, height_mm=42)
CATALOG, PAGES, INFO, METADATA, FIRST_PAGE = 1, 2, 3, 4, 5
CONTENT = b"0.9 g 10 10 400 300 re f 0 g 50 50 100 20 re f"
EVIL_CONTENT = b"1 0 0 rg 0 0 500 500 re f"

Objects = Mapping[int, bytes]


def stream(body: bytes, entries: str = "") -> bytes:
    """Spell a stream."""
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries.encode(), len(body), body)


def packed(body: bytes, entries: str = "") -> bytes:
    """Spell a stream under Flate."""
    return stream(zlib.compress(body), f"/Filter/FlateDecode{entries}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFSpec:
    """What a test document contains; by default one empty page of A4 with our claims."""

    pages: int = 1
    page_entries: str = ""
    media_box: str = PAGE_BOX
    catalog_entries: str = ""
    extra_objects: Objects = field(default_factory=dict)
    """By number; they take the place of the document's own."""
    keywords: str = field(default_factory=lambda: KEYWORDS)
    metadata_keywords: str | None = None
    header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    trailer_entries: str = ""
    ending: bytes = b"%%EOF\n"
    is_packed: bool = False
    """With object streams and a cross-reference stream."""


def first_content(spec: PDFSpec | None = None) -> int:
    """Return the object number of the first page's content."""
    return FIRST_PAGE + (spec or PDFSpec()).pages


def make_objects(spec: PDFSpec) -> dict[int, bytes]:
    """Spell all objects of a document."""
    content = first_content(spec)
    numbers = range(FIRST_PAGE, content)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    words = spec.keywords if spec.metadata_keywords is None else spec.metadata_keywords
    objects = {
        CATALOG: f"<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R{spec.catalog_entries}>>".encode(),
        PAGES: f"<</Type/Pages/Count {spec.pages}/Kids[{kids}]>>".encode(),
        INFO: f"<</Title(Test)/Keywords({spec.keywords})/Creator(Typst 0.15.2)>>".encode(),
        METADATA: stream(_metadata(words), "/Type/Metadata/Subtype/XML"),
        content: stream(CONTENT),
    }
    for number in numbers:
        objects[number] = (
            f"<</Type/Page/Parent 2 0 R/Resources<<>>/MediaBox[{spec.media_box}]"
            f"/Contents {content} 0 R{spec.page_entries}>>"
        ).encode()
    return objects | dict(spec.extra_objects)


def _metadata(keywords: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        f"<pdf:Keywords>{keywords}</pdf:Keywords><pdfaid:part>2</pdfaid:part>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def make_pdf(spec: PDFSpec | None = None) -> bytes:
    """Write a document."""
    spec = spec or PDFSpec()
    objects = make_objects(spec)
    if spec.is_packed:
        return _write_packed(spec, objects)
    body = bytearray(spec.header)
    offsets: dict[int, int] = {}
    for number in sorted(objects):
        offsets[number] = len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, objects[number])
    start = len(body)
    body += xref_table(offsets, has_zero=True)
    trailer = f"/Size {max(objects) + 1}/Root 1 0 R/Info 3 0 R/ID[(first)(first)]"
    body += f"trailer\n<<{trailer}{spec.trailer_entries}>>\nstartxref\n{start}\n".encode()
    return bytes(body + spec.ending)


def _write_packed(spec: PDFSpec, objects: Objects) -> bytes:
    """Write with one object stream and a cross-reference stream."""
    inside = [number for number in sorted(objects) if b"stream" not in objects[number]]
    outside = [number for number in sorted(objects) if number not in inside]
    holder = max(objects) + 1
    texts = [objects[number] + b" " for number in inside]
    places = [sum(map(len, texts[:index])) for index in range(len(texts))]
    index = b" ".join(b"%d %d" % pair for pair in zip(inside, places, strict=True)) + b" "
    holder_entries = f"/Type/ObjStm/N {len(inside)}/First {len(index)}"
    body = bytearray(spec.header)
    offsets: dict[int, int] = {}
    written = {number: objects[number] for number in outside}
    written[holder] = packed(index + b"".join(texts), holder_entries)
    for number, text in written.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    own = holder + 1
    start = offsets[own] = len(body)
    rows = [b"\x00\x00\x00\x00\x00\xff\xff"]
    for number in range(1, own + 1):
        if number in offsets:
            rows.append(b"\x01" + offsets[number].to_bytes(4, "big") + b"\0\0")
        elif number in inside:
            rows.append(
                b"\x02" + holder.to_bytes(4, "big") + inside.index(number).to_bytes(2, "big")
            )
        else:
            rows.append(b"\x00\x00\x00\x00\x00\xff\xff")
    entries = f"/Type/XRef/W[1 4 2]/Size {own + 1}/Root 1 0 R/Info 3 0 R/ID[(a)(b)]"
    body += b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n" % (
        own,
        packed(b"".join(rows), entries + spec.trailer_entries),
        start,
    )
    return bytes(body + spec.ending)


def xref_table(offsets: Mapping[int, int], *, has_zero: bool = False) -> bytes:
    """Spell a cross-reference table; an offset of -1 frees the object."""
    lines = [b"xref\n"]
    rows = {0: b"0000000000 65535 f \n"} if has_zero else {}
    for number, offset in offsets.items():
        rows[number] = b"0000000000 00001 f \n" if offset < 0 else b"%010d 00000 n \n" % offset
    for number in sorted(rows):
        lines.append(b"%d 1\n%b" % (number, rows[number]))
    return b"".join(lines)


def last_xref(pdf: bytes) -> int:
    """Return where the newest cross-reference begins."""
    return int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])


def size_of(pdf: bytes) -> int:
    """Return the next free object number."""
    return max(int(found) for found in re.findall(rb"/Size (\d+)", pdf))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A later revision: objects written anew, entries bent, numbers freed."""

    objects: Objects = field(default_factory=dict)
    offsets: Mapping[int, int] = field(default_factory=dict)
    """Entries that lead to bytes that are there already."""
    freed: Sequence[int] = ()
    root: int = CATALOG
    info: int = INFO
    trailer_entries: str = ""
    has_xref: bool = True
    has_trailer: bool = True
    has_end: bool = True


def append_update(pdf: bytes, update: Update) -> bytes:
    """Append a revision, well-formed unless the update says otherwise."""
    body = bytearray(pdf if pdf.endswith(b"\n") else pdf + b"\n")
    offsets: dict[int, int] = {**update.offsets, **dict.fromkeys(update.freed, -1)}
    for number, text in update.objects.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    start = len(body)
    if update.has_xref:
        body += xref_table(offsets)
    size = max(size_of(pdf), *(number + 1 for number in offsets), 1)
    if update.has_trailer:
        trailer = f"/Size {size}/Root {update.root} 0 R/Info {update.info} 0 R"
        trailer += f"/Prev {last_xref(pdf)}/ID[(first)(later)]{update.trailer_entries}"
        body += f"trailer\n<<{trailer}>>\n".encode()
    if update.has_end:
        body += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(body)


def object_text(pdf: bytes, number: int) -> bytes:
    """Return the newest text of an object that is no stream."""
    found = re.findall(rb"(?s)(?<![0-9])%d 0 obj\n(.*?)\nendobj" % number, pdf)
    return bytes(found[-1])


def with_entries(dictionary: bytes, entries: bytes) -> bytes:
    """Add entries to a spelt dictionary."""
    assert dictionary.endswith(b">>")
    return dictionary[:-2] + entries + b">>"


# Sealed documents

Signer = Callable[[PreparedPDF], bytes]


def rsa_message(prepared: PreparedPDF) -> bytes:
    """Sign with the RSA party of the test messages."""
    return make_message(MessageSpec(content=b"".join(prepared.pieces)))


def sm2_message(prepared: PreparedPDF) -> bytes:
    """Sign with the SM2 party of the test messages."""
    return make_message(MessageSpec(content=b"".join(prepared.pieces), is_sm2=True))


class OrderChanges(TypedDict, total=False):
    """What an order may differ in from the default."""

    placement: PDFPlacement
    picture: bytes
    signed_at: datetime
    field_name: str
    sub_filter: SubFilter
    certify: Permission | None
    reserved_bytes: int
    name: str
    reason: str
    further_stamps: tuple[PDFPlacement, ...]
    drawn: tuple[PDFPlacement, ...]
    reserved_fields: tuple[ReservedField, ...]


def make_order(**changes: Unpack[OrderChanges]) -> SignatureOrder:
    """Make an order for a certifying seal."""
    order = SignatureOrder(
        placement=SPOT,
        picture=PICTURE,
        signed_at=NOW,
        name="示例市行政审批局",
        reserved_bytes=4096,
    )
    return replace(order, **changes)


def seal(
    pdf: bytes | None = None, signer: Signer = rsa_message, **changes: Unpack[OrderChanges]
) -> bytes:
    """Seal a document."""
    prepared = prepare(pdf if pdf is not None else make_pdf(), make_order(**changes))
    return finish(prepared, signer(prepared))


def approved(pdf: bytes | None = None) -> bytes:
    """Sign without certification: the more lenient case of every attack."""
    return seal(pdf, certify=None)


def twice_sealed() -> bytes:
    """Certify for filling in, leave a field, and fill it with a second seal."""
    reserved = ReservedField(name="Seal2", placement=SECOND_SPOT)
    first = seal(certify=Permission.FORM_FILLING, reserved_fields=(reserved,))
    return seal(first, certify=None, field_name="Seal2")


def signature_number(pdf: bytes) -> int:
    """Return the object number of the newest signature dictionary."""
    return int(re.findall(rb"(?<![0-9])(\d+) 0 obj\n<</Type/Sig/", pdf)[-1])


def hole(pdf: bytes) -> tuple[int, int]:
    """Return where the newest Contents string begins and ends."""
    start = pdf.rindex(b"/Contents<") + len(b"/Contents")
    return start, pdf.index(b">", start) + 1


def replaced(pdf: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the newest occurrence by bytes of the same length, spaces filling up."""
    assert len(new) <= len(old)
    at = pdf.rindex(old)
    return pdf[:at] + new.ljust(len(old)) + pdf[at + len(old) :]


def byte_range_text(pdf: bytes) -> bytes:
    """Return the newest ByteRange entry as it is spelt."""
    return bytes(re.findall(rb"/ByteRange\[[^\]]*\]", pdf)[-1])


def numbered(texts: Iterable[bytes], first: int) -> dict[int, bytes]:
    """Give object numbers to texts."""
    return dict(enumerate(texts, first))

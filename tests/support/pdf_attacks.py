"""Generators of forged PDFs, one for each known class of attack (T-PDF-01 to T-PDF-14).

Each function returns files by the name of the variant. They follow the published descriptions of
the classes (universal forgery, incremental saving, wrapping, shadow, evil annotation, sneaky
signature); no third-party file is used.
"""

import io
import re
import zipfile

from seal_service.formats.pdf.fields import Permission
from tests.support.pdf import (
    CATALOG,
    CONTENT,
    EVIL_CONTENT,
    FIRST_PAGE,
    INFO,
    PAGES,
    PDFSpec,
    Update,
    append_update,
    approved,
    byte_range_text,
    first_content,
    hole,
    last_xref,
    make_pdf,
    object_text,
    replaced,
    seal,
    signature_number,
    size_of,
    stream,
    with_entries,
    xref_table,
)

Variants = dict[str, bytes]


def universal_forgeries() -> Variants:
    """Contents or ByteRange missing, null, empty, negative, of another type (T-PDF-01)."""
    pdf = seal()
    ranges = byte_range_text(pdf)
    start, end = hole(pdf)
    contents = b"/Contents" + pdf[start:end]
    zeros = b"/Contents<" + b"0" * (end - start - 2) + b">"
    return {
        "range-renamed": replaced(pdf, b"/ByteRange[", b"/ByteRangf["),
        "range-null": replaced(pdf, ranges, b"/ByteRange null"),
        "range-empty": replaced(pdf, ranges, b"/ByteRange[]"),
        "range-zeros": replaced(pdf, ranges, b"/ByteRange[0 0 0 0]"),
        "range-negative": replaced(pdf, ranges, b"/ByteRange[-1 0 -1 0]"),
        "range-name": replaced(pdf, ranges, b"/ByteRange/None"),
        "range-floats": replaced(pdf, ranges, b"/ByteRange[0.0 1.0 2.0 3.0]"),
        "range-reference": replaced(pdf, ranges, b"/ByteRange 1 0 R"),
        "contents-renamed": replaced(pdf, b"/Contents<", b"/Contentt<"),
        "contents-null": replaced(pdf, contents, b"/Contents null"),
        "contents-empty": replaced(pdf, contents, b"/Contents<>"),
        "contents-zeros": replaced(pdf, contents, zeros),
        "contents-number": replaced(pdf, contents, b"/Contents 0"),
        "contents-literal": replaced(pdf, contents, b"/Contents(0\\000)"),
    }


def bent_ranges() -> Variants:
    """Ranges that leave out more or less than Contents (T-PDF-04)."""
    pdf = seal()
    spelt = byte_range_text(pdf)
    _, first, second, rest = map(int, re.findall(rb"\d+", spelt))

    def bent(*numbers: int) -> bytes:
        text = b"/ByteRange[" + b" ".join(b"%d" % number for number in numbers) + b"]"
        return replaced(pdf, spelt, text)

    return {
        "not-from-zero": bent(1, first - 1, second, rest),
        "hole-larger": bent(0, first - 10, second, rest),
        "hole-larger-behind": bent(0, first, second + 3, rest - 3),
        "hole-smaller": bent(0, first + 1, second, rest),
        "hole-none": bent(0, second, second, rest),
        "overlap": bent(0, second + 10, second, rest),
        "out-of-file": bent(0, first, second, rest + 1),
        "three-numbers": bent(0, first, second),
        "six-numbers": bent(0, first, second, rest - 1, second + rest - 1, 1),
        "nothing-behind": bent(0, first, second, 0),
        "not-to-the-end": bent(0, first, second, rest - 1),
        "not-to-any-end": bent(0, first, second, rest - 20),
    }


def padded_contents() -> Variants:
    """Bytes behind the value, spaces and comments inside it (T-PDF-05)."""
    pdf = seal()
    start, end = hole(pdf)
    return {
        "byte-behind": pdf[: end - 3] + b"01" + pdf[end - 1 :],
        "space": pdf[: end - 3] + b"  " + pdf[end - 1 :],
        "line-end": pdf[: start + 1] + b"\n " + pdf[start + 3 :],
        "letter": pdf[: end - 3] + b"0g" + pdf[end - 1 :],
    }


def _new_page(pdf: bytes, content: int) -> bytes:
    page = object_text(pdf, FIRST_PAGE)
    return re.sub(rb"/Contents \d+ 0 R", b"/Contents %d 0 R" % content, page)


def incremental_savings(pdf: bytes) -> Variants:
    """Other content after signing, well-formed or not (T-PDF-02)."""
    fresh = size_of(pdf)
    evil = {FIRST_PAGE: _new_page(pdf, fresh), fresh: stream(EVIL_CONTENT)}
    number = signature_number(pdf)
    copied = {**evil, number: object_text(pdf, number)}
    return {
        "well-formed": append_update(pdf, Update(objects=evil)),
        "content-rewritten": append_update(
            pdf, Update(objects={first_content(): stream(EVIL_CONTENT)})
        ),
        "without-xref": append_update(pdf, Update(objects=evil, has_xref=False)),
        "without-trailer": append_update(pdf, Update(objects=evil, has_trailer=False)),
        "objects-only": append_update(
            pdf, Update(objects=evil, has_xref=False, has_trailer=False, has_end=False)
        ),
        "copied-signature": append_update(pdf, Update(objects=copied)),
        "page-tree": append_update(
            pdf,
            Update(
                objects={
                    PAGES: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % fresh,
                    fresh: object_text(pdf, FIRST_PAGE),
                }
            ),
        ),
        "other-catalogue": append_update(
            pdf, Update(objects={fresh: object_text(pdf, CATALOG)}, root=fresh)
        ),
        "information": append_update(pdf, Update(objects={INFO: b"<</Title(Other)>>"})),
        "object-only": append_update(pdf, Update(objects={fresh: stream(EVIL_CONTENT)})),
        "freed": append_update(pdf, Update(freed=[first_content()])),
    }


def wrappings() -> Variants:
    """The second signed part moved away, attacker's objects in the gap (T-PDF-03)."""
    pdf = seal()
    start, end = hole(pdf)
    evil = b"\n%d 0 obj\n%b\nendobj\n" % (first_content(), stream(EVIL_CONTENT))
    at = (start, end, last_xref(pdf))
    return {
        "with-padding": _wrapped(pdf, at, evil, 64),
        "without-padding": _wrapped(pdf, at, evil, 0),
    }


def _wrapped(pdf: bytes, at: tuple[int, int, int], evil: bytes, padding: int) -> bytes:
    """Put a fake signature dictionary and other content between the two signed parts."""
    start, end, xref = at
    tail = pdf[end:]
    gap = pdf[end:xref].replace(b">>\nendobj", b"         ")
    base = bytearray(pdf[:end] + gap)
    offsets: dict[int, int] = {}
    # The table comes first, so that it stands where the signed startxref points.
    table_size = len(xref_table({first_content(): 1, signature_number(pdf): 1}))
    trailer = b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R/Prev %d>>\n" % (
        size_of(pdf),
        int(re.findall(rb"/Prev (\d+)", pdf)[-1]),
    )
    ending = b"startxref\n%d\n%%%%EOF\n" % xref
    at_evil = xref + table_size + len(trailer) + len(ending)
    offsets[first_content()] = at_evil + 1
    fake_at = at_evil + len(evil)
    offsets[signature_number(pdf)] = fake_at
    room = 400 + padding
    moved = fake_at + (end - start) + room
    fake = b"%d 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached" % (
        signature_number(pdf)
    )
    fake += b"/ByteRange[0 %d %d %d]/Contents%b>>\nendobj\n" % (
        start,
        moved,
        len(tail),
        pdf[start:end],
    )
    base += xref_table(offsets) + trailer + ending + evil + fake
    return bytes(base).ljust(moved, b" ") + tail


def shadows() -> Variants:
    """Documents prepared before signing and switched after it (T-PDF-06)."""
    overlay = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 500 500]/F 4/AP<</N 30 0 R>>>>"
    form = stream(EVIL_CONTENT, "/Type/XObject/Subtype/Form/BBox[0 0 500 500]")
    hidden = stream(EVIL_CONTENT)
    plain = approved()
    prepared = approved(make_pdf(PDFSpec(extra_objects={30: hidden})))
    header = PDFSpec().header
    twin = b"%d 0 obj\n%b\nendobj\n" % (first_content(), hidden)
    doubled = approved(make_pdf(PDFSpec(header=header + twin)))
    covered = approved(
        make_pdf(PDFSpec(page_entries="/Annots[31 0 R]", extra_objects={30: form, 31: overlay}))
    )
    text_field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/Rect[10 10 300 60]/F 4"
        b"/AP<</N 33 0 R>>>>"
    )
    fields = approved(
        make_pdf(
            PDFSpec(
                page_entries="/Annots[32 0 R]",
                catalog_entries="/AcroForm<</Fields[32 0 R]>>",
                extra_objects={32: text_field, 33: form},
            )
        )
    )
    dangling = approved(make_pdf(PDFSpec(page_entries="/Annots[40 0 R]")))
    evil_page = _new_page(prepared, 30)
    return {
        "hide": append_update(covered, Update(freed=[31])),
        "hide-appearance": append_update(covered, Update(freed=[30])),
        "replace-appearance": append_update(
            fields, Update(objects={33: form.replace(EVIL_CONTENT, CONTENT[: len(EVIL_CONTENT)])})
        ),
        "replace-value": append_update(
            fields, Update(objects={32: text_field.replace(b"(100)", b"(900)")})
        ),
        "hide-and-replace-by-page": append_update(
            prepared, Update(objects={FIRST_PAGE: evil_page})
        ),
        "hide-and-replace-by-entry": append_update(
            doubled, Update(offsets={first_content(): len(header)})
        ),
        "fill-dangling": append_update(dangling, Update(objects={40: overlay, 30: form})),
        "fill-dangling-as-evidence": append_update(
            dangling,
            Update(
                objects={
                    CATALOG: with_entries(
                        object_text(dangling, CATALOG), b"/DSS<</Certs[40 0 R 30 0 R]>>"
                    ),
                    40: overlay,
                    30: form,
                }
            ),
        ),
        "seal-appearance": append_update(plain, Update(objects={_appearance_number(plain): form})),
    }


def _appearance_number(pdf: bytes) -> int:
    return int(re.findall(rb"/AP<</N (\d+) 0 R", pdf)[-1])


def evil_annotations() -> Variants:
    """Annotations over content, after a certification that allows annotations (T-PDF-07)."""
    pdf = seal(certify=Permission.ANNOTATING)
    fresh = size_of(pdf)
    form = stream(EVIL_CONTENT, "/Type/XObject/Subtype/Form/BBox[0 0 500 500]")
    found: Variants = {}
    for kind in ("FreeText", "Redact", "Stamp", "Widget"):
        annotation = (
            f"<</Type/Annot/Subtype/{kind}/Rect[0 0 500 500]/F 4/AP<</N {fresh + 1} 0 R>>>>"
        )
        page = object_text(pdf, FIRST_PAGE).replace(b"/Annots[", b"/Annots[%d 0 R " % fresh)
        objects = {FIRST_PAGE: page, fresh: annotation.encode(), fresh + 1: form}
        found[kind] = append_update(pdf, Update(objects=objects))
    return found


def sneaky_signatures() -> Variants:
    """A signature field added later, whose appearance covers content (T-PDF-08)."""
    pdf = approved()
    form = stream(EVIL_CONTENT, "/Type/XObject/Subtype/Form/BBox[0 0 500 500]")
    fresh = size_of(pdf)
    page = object_text(pdf, FIRST_PAGE).replace(b"/Annots[", b"/Annots[%d 0 R " % fresh)
    catalog = object_text(pdf, CATALOG)
    catalog = re.sub(rb"/Fields\[([^\]]*)\]", b"/Fields[\\1 %d 0 R]" % fresh, catalog)
    widget = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Sneaky)/F 132/Rect[0 0 500 500]"
    widget += b"/AP<</N %d 0 R>>/V %d 0 R>>" % (fresh + 1, fresh + 2)
    value = (
        b"<</Type/Sig/Filter/A/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3000>>>"
    )
    stamp = value.replace(b"/Type/Sig", b"/Type/DocTimeStamp").replace(
        b"ETSI.CAdES.detached", b"ETSI.RFC3161"
    )
    base = {FIRST_PAGE: page, CATALOG: catalog, fresh: widget, fresh + 1: form}
    return {
        "signature": append_update(pdf, Update(objects={**base, fresh + 2: value})),
        "visible-timestamp": append_update(pdf, Update(objects={**base, fresh + 2: stamp})),
    }


def lowered_permissions() -> Variants:
    """DocMDP lowered, removed or doubled in a later revision (T-PDF-09)."""
    pdf = seal()
    number = signature_number(pdf)
    catalog = object_text(pdf, CATALOG)
    signature = object_text(pdf, number)
    fresh = size_of(pdf)
    return {
        "lowered": append_update(
            pdf, Update(objects={number: signature.replace(b"/P 1", b"/P 3")})
        ),
        "perms-removed": append_update(
            pdf, Update(objects={CATALOG: re.sub(rb"/Perms<<[^>]*>>", b"", catalog)})
        ),
        "perms-elsewhere": append_update(
            pdf,
            Update(
                objects={
                    CATALOG: re.sub(rb"/DocMDP \d+ 0 R", b"/DocMDP %d 0 R" % fresh, catalog),
                    fresh: signature.replace(b"/P 1", b"/P 3"),
                }
            ),
        ),
        "form-removed": append_update(
            pdf, Update(objects={CATALOG: re.sub(rb"/AcroForm<<.*?>>", b"", catalog)})
        ),
        "value-removed": append_update(
            pdf,
            Update(
                objects={
                    _field_number(pdf): re.sub(
                        rb"/V \d+ 0 R", b"", object_text(pdf, _field_number(pdf))
                    )
                }
            ),
        ),
    }


def _field_number(pdf: bytes) -> int:
    return int(re.findall(rb"/Fields\[(\d+) 0 R", pdf)[-1])


def framed() -> Variants:
    """Bytes before and behind the file; another file in the same bytes (T-PDF-14)."""
    pdf = seal()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("OFD.xml", "<x/>")
    return {
        "junk-before": b"GIF89a" + pdf,
        "line-before": b"\n" + pdf,
        "zip-behind": pdf + archive.getvalue(),
        "text-behind": pdf + b"%hidden\n",
        "space-behind": pdf + b"\n\n",
        "second-end": pdf + b"%%EOF\n",
        "second-startxref": pdf + b"startxref\n%d\n%%%%EOF\n" % last_xref(pdf),
    }

"""Put a signature into a PDF: append a revision, say what will be signed, take the value in.

ISO 32000-1, 7.5.6 (incremental updates), 12.7.4.5 and 12.8; ISO 19005-2, 6.3.3 and 6.4.3;
ETSI EN 319 142-1. Order of work:

1. Read the document strictly; refuse what is encrypted, locked, or not sound.
2. Take an empty signature field of that name, or lay a new one on its page.
3. Add the signature dictionary, with room for the value; certify where asked to.
4. Append everything with a cross-reference of the kind the file already has.
5. ``finish`` writes the value, made elsewhere over both pieces, into the room.

Nothing that was there before changes by a byte. The value is opaque here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum

from seal_service.errors import (
    AlreadySealed,
    LimitExceeded,
    MalformedDocument,
)
from seal_service.formats.pdf.appearance import EMPTY_FORM, form_object
from seal_service.formats.pdf.drawing import draw_pictures
from seal_service.formats.pdf.fields import (
    FormField,
    Permission,
    certification_of,
    is_filled,
)
from seal_service.formats.pdf.pages import (
    Box,
    PDFPage,
    PDFPlacement,
    find_page,
    read_box,
    to_page_units,
    to_seen_mm,
)
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.syntax import Dictionary, Name, Ref, Value, spell, text_string
from seal_service.formats.pdf.updating import (
    Base,
    PreparedPDF,
    RoomForSignature,
    Update,
    append_signature,
    open_base,
)

__all__ = [
    "Permission",
    "PreparedPDF",
    "ReservedField",
    "SignatureOrder",
    "SubFilter",
    "finish",
    "prepare",
]

RESERVED_BYTES = 16 * 1024
DEFAULT_FIELD = "Seal1"
WIDGET_FLAGS = 132
"""Print and Locked (12.5.3)."""
STAMP_FLAGS = 708
"""Print, ReadOnly, Locked and LockedContents."""
_BEIJING = timezone(timedelta(hours=8))


class SubFilter(Enum):
    """How the value is encoded, with the handler that is named for it."""

    PADES = ("ETSI.CAdES.detached", "Adobe.PPKLite")
    """CMS after ETSI EN 319 142."""
    CMS = ("adbe.pkcs7.detached", "Adobe.PPKLite")
    """CMS as PDF 1.7 has it; SM2 messages travel under this name, too."""
    SES = ("GM.sm2seal", "Eseal.GMPkiLite")
    """A seal signature after GB/T 38540; readers tell it by the SubFilter alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedField:
    """An empty signature field for a later seal: filling it is not a change (12.8.2.2.2)."""

    name: str
    placement: PDFPlacement


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureOrder:
    """What to put on a document."""

    placement: PDFPlacement
    """Where an empty field of that name already has its place, only the size counts."""
    picture: bytes
    """PNG."""
    signed_at: datetime
    """Aware; written as Beijing time."""
    field_name: str = DEFAULT_FIELD
    sub_filter: SubFilter = SubFilter.PADES
    certify: Permission | None = Permission.NO_CHANGES
    """None for an approval signature; certifying is only possible first."""
    reserved_bytes: int = RESERVED_BYTES
    """Room for the value. A seal signature carries its seal with the picture: ask for more."""
    name: str = ""
    reason: str = ""
    further_stamps: tuple[PDFPlacement, ...] = ()
    """The same picture elsewhere: locked annotations of the same revision."""
    drawn: tuple[PDFPlacement, ...] = ()
    """The same picture as page content of the same revision (骑缝章); only before any signature."""
    reserved_fields: tuple[ReservedField, ...] = ()


def prepare(pdf: bytes, order: SignatureOrder) -> PreparedPDF:
    """Append a revision with a signature and return what has to be signed.

    Raises ``AlreadySealed`` (reason ``locked``, ``not-first``, ``field-filled``,
    ``no-free-field``, ``signed-content``), ``InvalidPlacement``, ``UnsafePicture``,
    ``MalformedDocument`` (reason ``encrypted``, ``hybrid-xref``, ``trailing-data``,
    ``earlier-signature``, ...), ``LimitExceeded`` or ``DocumentTooLarge``.
    """
    base = open_base(pdf)  # 1
    if certification_of(base.table) is Permission.NO_CHANGES:
        raise AlreadySealed("certified against every change", reason="locked")
    if base.signed_fields:
        if order.drawn:
            raise AlreadySealed("page content is signed already", reason="signed-content")
        _check_earlier(pdf)
    update = Update(base)
    signature = update.new_reference()
    field_reference = _place_field(base, update, order, signature)  # 2
    _stamp_further(update, order)
    draw_pictures(update, order.picture, order.drawn)
    _reserve(update, order)
    update.write_pages()
    certification = signature if order.certify is not None else None
    update.write_form(certification)
    return append_signature(  # 3, 4
        update,
        RoomForSignature(
            signature=signature,
            dictionary=_signature_dictionary(order),
            reserved_bytes=order.reserved_bytes,
            field_name=order.field_name,
            field_reference=field_reference,
        ),
    )


def finish(prepared: PreparedPDF, contents_der: bytes) -> bytes:
    """Return the signed document. Raises ``LimitExceeded`` if the value needs more room."""
    if not 0 < len(contents_der) <= prepared.reserved_bytes:
        raise LimitExceeded("no room for the value", reason="limit", limit="reserved_bytes")
    head, tail = prepared.pieces
    digits = contents_der.hex().encode().ljust(2 * prepared.reserved_bytes, b"0")
    return b"".join((head, b"<", digits, b">", tail))


def _check_earlier(pdf: bytes) -> None:
    """Refuse to seal what was tampered with: the new seal would lend it credit."""
    document = read_pdf(pdf)
    for signature in document.signatures:
        later = document.forbidden_changes(signature, may_add_signatures=True)
        if document.problems or signature.problems or later:
            raise MalformedDocument(
                "an earlier signature does not hold",
                reason="earlier-signature",
                subject=signature.field_name,
            )


# --- 2. the field ------------------------------------------------------------------------------


def _place_field(base: Base, update: Update, order: SignatureOrder, signature: Ref) -> Ref:
    """Fill the empty field of that name or add a new one; return its reference."""
    present = next((item for item in base.fields if item.name == order.field_name), None)
    certified = certification_of(base.table) is not None
    if order.certify is not None and (base.signed_fields or certified):
        raise AlreadySealed("only the first signature can certify", reason="not-first")
    if present is not None:
        return _fill(base, update, order, (present, signature))
    if certified:
        raise AlreadySealed("certified, and no field was left for this", reason="no-free-field")
    page = find_page(base.pages, order.placement)
    widget = _widget(order.field_name, page, order.placement)
    widget |= {"V": signature, "AP": _appearance(update, order, page, order.placement)}
    reference = update.add(spell(widget))
    update.show(page, reference)
    update.new_fields.append(reference)
    return reference


def _fill(base: Base, update: Update, order: SignatureOrder, what: tuple[FormField, Ref]) -> Ref:
    """Put the signature into a field that is there, without moving it."""
    present, signature = what
    if not present.is_signature or present.reference is None or len(present.widgets) != 1:
        raise MalformedDocument("not a field for a signature", reason="field-type")
    if is_filled(base.table, present):
        raise AlreadySealed("the field is filled", reason="field-filled")
    widget = base.table.dictionary(present.widgets[0])
    page, placement = _place_of(base, present.widgets[0], widget, order.placement)
    shown = Dictionary()
    if placement is not None and page is not None:
        shown["AP"] = _appearance(update, order, page, placement)
    if present.widgets[0] == present.reference:
        update.change(present.reference, widget, V=signature, **shown)
    else:
        update.change(present.reference, present.dictionary, V=signature)
        update.change(present.widgets[0], widget, **shown)
    return present.reference


def _place_of(
    base: Base, reference: Ref, widget: Dictionary, wanted: PDFPlacement
) -> tuple[PDFPage | None, PDFPlacement | None]:
    """Return where a picture of the wanted size goes in a widget; nothing for an unseen one."""
    box = read_box(base.table, widget.get("Rect"))
    for number, page in enumerate(base.pages, 1):
        shows = reference in base.table.array(page.dictionary.get("Annots"))
        if box is not None and shows:
            return page, _fitted(number, to_seen_mm(page, box), wanted)
    return None, None


def _fitted(page_number: int, box_mm: Box, wanted: PDFPlacement) -> PDFPlacement:
    """Centre a picture in a box; one that is too large is made smaller, none is stretched."""
    x, y, width, height = box_mm
    scale = min(1.0, width / wanted.width_mm, height / wanted.height_mm)
    shown_width, shown_height = wanted.width_mm * scale, wanted.height_mm * scale
    left, top = (width - shown_width) / 2, (height - shown_height) / 2
    return PDFPlacement(
        page_number=page_number,
        x_mm=x + left,
        y_mm=y + top,
        width_mm=shown_width,
        height_mm=shown_height,
        clip=(-left, -top, width, height),
    )


def _widget(name: str, page: PDFPage, placement: PDFPlacement) -> Dictionary:
    return Dictionary(
        {
            "Type": Name("Annot"),
            "Subtype": Name("Widget"),
            "FT": Name("Sig"),
            "T": text_string(name),
            "F": WIDGET_FLAGS,
            "P": page.reference,
            "Rect": _rounded(to_page_units(page, placement.seen_mm)),
        }
    )


def _appearance(
    update: Update, order: SignatureOrder, page: PDFPage, placement: PDFPlacement
) -> Dictionary:
    width, height = placement.width_mm / page.unit_mm, placement.height_mm / page.unit_mm
    x, y, shown_width, shown_height = placement.clip or (
        0.0,
        0.0,
        placement.width_mm,
        placement.height_mm,
    )
    top = (placement.height_mm - y) / page.unit_mm
    shown = (
        x / page.unit_mm,
        top - shown_height / page.unit_mm,
        (x + shown_width) / page.unit_mm,
        top,
    )
    form = form_object(
        image=update.image(order.picture),
        size=(round(width, 4), round(height, 4)),
        shown=shown,
        rotation=page.rotation,
    )
    return Dictionary({"N": update.add(form)})


def _rounded(values: Box) -> list[Value]:
    return [round(value, 4) for value in values]


def _stamp_further(update: Update, order: SignatureOrder) -> None:
    for number, placement in enumerate(order.further_stamps, 1):
        page = find_page(update.base.pages, placement)
        annotation = Dictionary(
            {
                "Type": Name("Annot"),
                "Subtype": Name("Stamp"),
                "NM": text_string(f"{order.field_name}-{number}"),
                "F": STAMP_FLAGS,
                "P": page.reference,
                "Rect": _rounded(to_page_units(page, placement.seen_mm)),
                "AP": _appearance(update, order, page, placement),
            }
        )
        update.show(page, update.add(spell(annotation)))


def _reserve(update: Update, order: SignatureOrder) -> None:
    taken = {item.name for item in update.base.fields} | {order.field_name}
    for reserved in order.reserved_fields:
        if reserved.name in taken:
            raise MalformedDocument("a field of that name exists", reason="field-name")
        taken.add(reserved.name)
        page = find_page(update.base.pages, reserved.placement)
        widget = _widget(reserved.name, page, reserved.placement)
        widget["AP"] = Dictionary({"N": update.add(EMPTY_FORM)})
        reference = update.add(spell(widget))
        update.show(page, reference)
        update.new_fields.append(reference)


# --- 3. form, permissions, signature -----------------------------------------------------------


def _signature_dictionary(order: SignatureOrder) -> Dictionary:
    """Return all of the signature dictionary but ByteRange and Contents."""
    sub_filter, handler = order.sub_filter.value
    found = Dictionary(
        {
            "Type": Name("Sig"),
            "Filter": Name(handler),
            "SubFilter": Name(sub_filter),
            "M": _date(order.signed_at),
        }
    )
    if order.name:
        found["Name"] = text_string(order.name)
    if order.reason:
        found["Reason"] = text_string(order.reason)
    if order.certify is not None:
        found["Reference"] = [
            Dictionary(
                {
                    "Type": Name("SigRef"),
                    "TransformMethod": Name("DocMDP"),
                    "TransformParams": Dictionary(
                        {
                            "Type": Name("TransformParams"),
                            "P": int(order.certify),
                            "V": Name("1.2"),
                        }
                    ),
                }
            )
        ]
    return found


def _date(at: datetime) -> bytes:
    return at.astimezone(_BEIJING).strftime("D:%Y%m%d%H%M%S+08'00'").encode()

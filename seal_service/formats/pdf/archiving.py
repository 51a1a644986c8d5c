"""Add what keeps a signature checkable for long: validation data, document time stamps.

ETSI EN 319 142-1, 5.4 (document security store, DSS) and 5.5 (document time stamp). Each is one
more revision, which a certification without changes allows (ISO 32000-2, 12.8.2.2.2).
"""

import zlib
from collections.abc import Iterable

from seal_service.errors import MalformedDocument
from seal_service.formats.pdf.appearance import stream_object
from seal_service.formats.pdf.fields import catalog_of
from seal_service.formats.pdf.model import ValidationData
from seal_service.formats.pdf.syntax import Dictionary, Name, Ref, Value, spell, text_string
from seal_service.formats.pdf.updating import (
    PreparedPDF,
    RoomForSignature,
    Update,
    append_objects,
    append_signature,
    open_base,
)

TIMESTAMP_BYTES = 12 * 1024
_HIDDEN_FIELD_FLAGS = 132


_TIMESTAMP = Dictionary(
    {
        "Type": Name("DocTimeStamp"),
        "Filter": Name("Adobe.PPKLite"),
        "SubFilter": Name("ETSI.RFC3161"),
    }
)


def add_validation_data(pdf: bytes, evidence: ValidationData) -> bytes:
    """Return the document with more certificates, revocation lists and responses in its store.

    Raises what ``open_base`` raises.
    """
    base = open_base(pdf)
    update = Update(base)
    present = catalog_of(base.table).get("DSS")
    store = base.table.dictionary(present)
    added: dict[str, Value] = {}
    for key, values in (
        ("Certs", evidence.certificates),
        ("CRLs", evidence.crls),
        ("OCSPs", evidence.ocsp_responses),
    ):
        if values:
            added[key] = [*base.table.array(store.get(key)), *_streams(update, values)]
    if isinstance(present, Ref):
        update.change(present, store, **added)
    else:
        complete = Dictionary({"Type": Name("DSS"), **store, **added})
        update.change_catalog(DSS=update.add(spell(complete)))
    return append_objects(update)


def prepare_timestamp(
    pdf: bytes, *, field_name: str, reserved_bytes: int = TIMESTAMP_BYTES
) -> PreparedPDF:
    """Append an invisible field for a time stamp over everything so far.

    ``writing.finish`` takes the token. Raises what ``open_base`` raises, and ``MalformedDocument``
    (reason ``field-name``) where the name is taken.
    """
    base = open_base(pdf)
    if any(item.name == field_name for item in base.fields):
        raise MalformedDocument("a field of that name exists", reason="field-name")
    update = Update(base)
    signature = update.new_reference()
    page = base.pages[0]
    widget = Dictionary(
        {
            "Type": Name("Annot"),
            "Subtype": Name("Widget"),
            "FT": Name("Sig"),
            "T": text_string(field_name),
            "F": _HIDDEN_FIELD_FLAGS,
            "P": page.reference,
            "Rect": [0, 0, 0, 0],
            "V": signature,
        }
    )
    reference = update.add(spell(widget))
    update.show(page, reference)
    update.new_fields.append(reference)
    update.write_pages()
    update.write_form(None)
    return append_signature(
        update,
        RoomForSignature(
            signature=signature,
            dictionary=_TIMESTAMP,
            reserved_bytes=reserved_bytes,
            field_name=field_name,
            field_reference=reference,
        ),
    )


def _streams(update: Update, values: Iterable[bytes]) -> list[Value]:
    dictionary = Dictionary({"Filter": Name("FlateDecode")})
    return [update.add(stream_object(dictionary, zlib.compress(value))) for value in values]

"""Objects, object streams and what unpacking may cost."""

import zlib

import pytest

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.pdf import objects as objects_module
from seal_service.formats.pdf.objects import ObjectTable, Source
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.syntax import Dictionary, Ref, Stream
from seal_service.formats.pdf.xref import read_sections, table_of
from tests.support.pdf import PDFSpec, make_pdf, packed, stream

NUMBER = 30


def table_with(extra: dict[int, bytes], limits: Limits | None = None) -> ObjectTable:
    source = Source(make_pdf(PDFSpec(extra_objects=extra)), limits or Limits())
    return table_of(source, read_sections(source))


def unpacked(text: bytes, limits: Limits | None = None) -> bytes:
    table = table_with({NUMBER: text}, limits)
    value = table.get(Ref(NUMBER, 0))
    assert isinstance(value, Stream)
    return table.stream_bytes(value)


def test_objects_that_do_not_exist_are_null() -> None:
    table = table_with({NUMBER: b"7"})
    assert table.get(Ref(NUMBER, 0)) == 7
    assert table.get(Ref(NUMBER, 1)) is None
    assert table.get(Ref(NUMBER + 1, 0)) is None
    assert table.get(Ref(0, 65535)) is None


def test_an_entry_that_leads_elsewhere_is_refused() -> None:
    """T-PDF-13."""
    pdf = make_pdf(PDFSpec(extra_objects={NUMBER: b"7", NUMBER + 1: b"8"}))
    places = [pdf.index(b"%d 0 obj" % number) for number in (NUMBER, NUMBER + 1)]
    rows = [b"%010d 00000 n" % place for place in places]
    for wrong in (rows[1], b"%010d 00000 n" % (places[0] + 1), b"0000000003 00000 n"):
        source = Source(pdf.replace(rows[0], wrong))
        table = table_of(source, read_sections(source))
        for _ in range(2):
            with pytest.raises(MalformedDocument) as refusal:
                table.get(Ref(NUMBER, 0))
            assert refusal.value.params["reason"] == "xref-mismatch"


def test_references_in_a_circle_are_refused() -> None:
    """T-PDF-16."""
    table = table_with({NUMBER: b"31 0 R", NUMBER + 1: b"30 0 R"})
    with pytest.raises(MalformedDocument) as refusal:
        table.resolve(Ref(NUMBER, 0))
    assert refusal.value.params["reason"] == "reference-loop"


def test_streams_are_unpacked() -> None:
    assert unpacked(stream(b"plain")) == b"plain"
    assert unpacked(stream(b"plain", "/Filter[]")) == b"plain"
    assert unpacked(packed(b"x" * 50)) == b"x" * 50
    body = zlib.compress(b"y" * 50)
    assert unpacked(stream(body, "/Filter[/FlateDecode]/DecodeParms[null]")) == b"y" * 50
    assert unpacked(packed(b"z", "/DecodeParms<</Predictor 1>>")) == b"z"


def test_png_predictors_are_undone() -> None:
    rows = [bytes([10, 20, 30]), bytes([11, 22, 33]), bytes([200, 100, 50]), bytes([5, 6, 7])]
    above = bytes(3)
    filtered = b""
    for kind, row in zip((1, 2, 3, 4), rows, strict=True):
        filtered += bytes([kind, *_filtered(kind, row, above)])
        above = row
    filtered += b"\x00" + rows[0]
    text = packed(filtered, "/DecodeParms<</Predictor 12/Columns 3>>")
    assert unpacked(text) == b"".join([*rows, rows[0]])


def _filtered(kind: int, row: bytes, above: bytes) -> list[int]:
    found: list[int] = []
    for index, byte in enumerate(row):
        left = row[index - 1] if index else 0
        up, corner = above[index], above[index - 1] if index else 0
        estimate = left + up - corner
        nearest = min((left, up, corner), key=lambda value: abs(estimate - value))
        found.append((byte - {1: left, 2: up, 3: (left + up) // 2, 4: nearest}[kind]) & 0xFF)
    return found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (stream(b"x", "/Filter/LZWDecode"), "filter"),
        (stream(b"x", "/Filter[/FlateDecode/FlateDecode]"), "filter"),
        (stream(b"x", "/Filter/FlateDecode"), "stream"),
        (stream(b"no zlib", "/Filter/FlateDecode"), "stream"),
        (packed(b"xx", "/DecodeParms<</Predictor 2>>"), "filter"),
        (packed(b"xx", "/DecodeParms<</Predictor/A>>"), "filter"),
        (packed(b"xx", "/DecodeParms<</Predictor 12/Colors 3>>"), "filter"),
        (packed(b"xx", "/DecodeParms<</Predictor 12/Columns 0>>"), "filter"),
        (packed(b"xx", "/DecodeParms<</Predictor 12/Columns 999999999>>"), "filter"),
        (packed(b"\x00xx", "/DecodeParms<</Predictor 12/Columns 3>>"), "stream"),
        (packed(b"\x07xxx", "/DecodeParms<</Predictor 12/Columns 3>>"), "filter"),
        (b"<</Length 99999999>>\nstream\nx\nendstream", "stream-length"),
        (b"<</Length -1>>\nstream\nx\nendstream", "stream-length"),
        (b"<</Length/A>>\nstream\nx\nendstream", "stream-length"),
        (b"<<>>\nstream\nx\nendstream", "stream-length"),
    ],
)
def test_streams_that_cannot_be_unpacked_are_refused(text: bytes, reason: str) -> None:
    with pytest.raises(MalformedDocument) as refusal:
        unpacked(text)
    assert refusal.value.params["reason"] == reason


def test_bombs_end_at_a_limit() -> None:
    """T-PDF-16."""
    limits = Limits(member_bytes=3_000_000, unpacked_bytes=4_000_000)
    assert len(unpacked(packed(bytes(1_000_000)), limits)) == 1_000_000
    for size, body in ((1_500_000, bytes(1_500_000)), (3_000_001, bytes(3_000_001))):
        with pytest.raises(LimitExceeded):
            unpacked(packed(body), limits)
        assert size == len(body)
    with pytest.raises(LimitExceeded):
        unpacked(stream(bytes(5000)), Limits(unpacked_bytes=4999))
    table = table_with({NUMBER: packed(bytes(900))}, Limits(unpacked_bytes=1500))
    value = table.get(Ref(NUMBER, 0))
    assert isinstance(value, Stream)
    table.stream_bytes(value)
    with pytest.raises(LimitExceeded):
        table.stream_bytes(value)


@pytest.mark.parametrize(
    ("inside", "entries"),
    [
        (b"5 0 ", "/Type/ObjStm/N 1"),
        (b"5 0 ", "/Type/ObjStm/N 1/First 99"),
        (b"5 0 ", "/Type/ObjStm/N/A/First 4"),
        (b"5 x ", "/Type/ObjStm/N 1/First 4"),
        (b"5 0 5 0 ", "/Type/ObjStm/N 2/First 8"),
        (b"5 0 ", "/Type/ObjStm/N 2/First 4"),
        (b"-5 0 ", "/Type/ObjStm/N 1/First 5"),
        (b"5 0 ", "/Type/Other/N 1/First 4"),
    ],
)
def test_object_streams_without_sense_are_refused(inside: bytes, entries: str) -> None:
    """T-PDF-13: the same number twice, numbers that are none."""
    source = Source(make_pdf(PDFSpec(extra_objects={NUMBER: packed(inside + b"null", entries)})))
    offset = source.data.index(b"%d 0 obj" % NUMBER)
    length = len(source.data) - offset
    value = source.object_at(offset).value
    assert isinstance(value, Stream)
    declared = value.dictionary["Length"]
    assert isinstance(declared, int)
    assert declared < length
    with pytest.raises(MalformedDocument) as refusal:
        source.packed(offset, declared)
    assert refusal.value.params["reason"] == "object-stream"


def test_object_streams_are_limited() -> None:
    """T-PDF-16."""
    text = packed(b"null", "/Type/ObjStm/N 999999999/First 0")
    source = Source(make_pdf(PDFSpec(extra_objects={NUMBER: text})))
    offset = source.data.index(b"%d 0 obj" % NUMBER)
    value = source.object_at(offset).value
    assert isinstance(value, Stream)
    declared = value.dictionary["Length"]
    assert isinstance(declared, int)
    with pytest.raises(LimitExceeded):
        source.packed(offset, declared)


def test_objects_in_object_streams_need_their_stream() -> None:
    pdf = make_pdf(PDFSpec(is_packed=True))
    source = Source(pdf)
    table = table_of(source, read_sections(source))
    assert table.get(Ref(1, 1)) is None
    entries = dict(table.entries)
    holder = entries[1].place
    for wrong in (None, entries[holder]._replace(kind=0)):
        changed = (
            {**entries, holder: wrong}
            if wrong
            else {number: entry for number, entry in entries.items() if number != holder}
        )
        with pytest.raises(MalformedDocument) as refusal:
            ObjectTable(source, changed, table.trailer).get(Ref(1, 0))
        assert refusal.value.params["reason"] == "object-stream"
    strange = {**entries, 77: entries[1]}
    with pytest.raises(MalformedDocument):
        ObjectTable(source, strange, table.trailer).get(Ref(77, 0))
    not_stream = {**entries, 1: entries[1]._replace(place=78), 78: entries[4]}
    with pytest.raises(MalformedDocument):
        ObjectTable(source, not_stream, table.trailer).get(Ref(1, 0))


def test_other_types_give_empty_dictionaries_and_lists() -> None:
    table = table_with({NUMBER: stream(b"x", "/A 1")})
    assert table.dictionary(Ref(NUMBER, 0)) == {"Length": 1, "A": 1}
    assert table.dictionary(5) == Dictionary()
    assert table.array(5) == []


def test_syntax_is_counted_over_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-PDF-16: what is read in vain counts, too."""
    monkeypatch.setattr(objects_module, "MAX_SYNTAX_BYTES", 3000)
    assert read_pdf(make_pdf()).page_count == 1
    for text in (b"[" + b"0 " * 2000 + b"]", b"(" + b"x" * 3000, b"<" + b"z" * 3000, b" " * 3000):
        with pytest.raises(LimitExceeded):
            read_pdf(make_pdf(PDFSpec(extra_objects={NUMBER: text})))


def test_objects_read_are_limited() -> None:
    source = Source(make_pdf(), Limits(pdf_objects=1))
    source.object_at(source.data.index(b"1 0 obj"))
    with pytest.raises(LimitExceeded):
        source.object_at(source.data.index(b"2 0 obj"))

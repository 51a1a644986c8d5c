"""Read the parts of a multipart form, in memory only.

The request's body was already counted against its limit before it came here. File names that come
along are not looked at, nothing is written to a disk (T-WEB-13).
"""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from seal_service.plumbing.errors import MalformedRequest

MULTIPART = "multipart/form-data"
MOST_PARTS = 8
_LONGEST_BOUNDARY = 200


@dataclass(slots=True)
class _Part:
    """One part of the form while it is read."""

    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    body: bytearray = field(default_factory=bytearray)


class _FormReader:
    """Takes what the parser calls out."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self.is_whole = False
        self._count = 0
        self._part = _Part()

    def begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise MalformedRequest("表单的部分过多", reason="form")
        self._part = _Part()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def header_end(self) -> None:
        part = self._part
        if bytes(part.header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(part.value))
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
        part.header.clear()
        part.value.clear()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._part.body += memoryview(data)[start:end]

    def part_end(self) -> None:
        self.parts.append((self._part.name, bytes(self._part.body)))

    def end(self) -> None:
        self.is_whole = True


def read_form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the parts of a form by name, which every part must have for itself.

    A name that comes twice is refused: two readers could take different parts. Raises
    ``MalformedRequest`` (reason ``form``) for anything but a complete multipart form.
    """
    parts = read_parts(content_type, body)
    form = dict(parts)
    if "" in form or len(form) < len(parts):
        raise MalformedRequest("表单的部分没有名称或重名", reason="form")
    return form


def read_parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return name and content of every part in order; a part without a name has an empty one.

    Raises ``MalformedRequest`` (reason ``form``) for anything but a complete multipart form.
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if media_type != MULTIPART.encode() or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        named = media_type.decode("latin-1")[:80]
        raise MalformedRequest("不是 multipart 表单", reason="form", media_type=named)
    reader = _FormReader()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_part_data": reader.data,
                "on_part_end": reader.part_end,
                "on_end": reader.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise MalformedRequest("表单无法读取", reason="form") from error
    if not reader.is_whole:
        raise MalformedRequest("表单不完整", reason="form")
    return reader.parts

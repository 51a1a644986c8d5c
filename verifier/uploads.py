"""Read the file of an upload form, and the evidence beside it, in memory only.

The request's body was already counted against the upload limit before it came here; the file name
that a browser sends along is not looked at. Nothing is written to a disk (T-WEB-13).
"""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from keys.errors import Kind, ServiceError
from seal_service.errors import DocumentTooLarge

FIELD = b"document"
EVIDENCE_FIELD = b"evidence"
LARGEST_DOCUMENT = 20 * 1024 * 1024
LARGEST_EVIDENCE = 8 * 1024 * 1024
RAW_TYPES = ("application/ofd", "application/pdf", "application/octet-stream")
"""Media types under which a file may be the whole body."""
MOST_PARTS = 8
_LONGEST_BOUNDARY = 200


class UploadUnreadable(ServiceError):  # noqa: N818 - named for the fact
    """The body is not a form with a file, as a browser sends it."""

    code = "upload-unreadable"
    kind = Kind.MALFORMED
    title = "上传的内容无法读取"
    title_en = "The upload cannot be read"
    advice = "请在核验页面重新选择文件后提交。"


class UploadMissing(ServiceError):  # noqa: N818
    """The form came without a file."""

    code = "upload-missing"
    kind = Kind.INVALID
    title = "没有选择文件"
    title_en = "No file was chosen"
    advice = "请选择一份 OFD 或 PDF 文件后再提交。"


@dataclass(slots=True)
class _Part:
    """One part of the form while it is read."""

    name: bytes = b""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    body: bytearray = field(default_factory=bytearray)


class _FormReader:
    """Takes what the parser calls out and keeps the first part of each wanted name."""

    def __init__(self, wanted: frozenset[bytes]) -> None:
        self.found: dict[bytes, bytes] = {}
        self.repeated: set[bytes] = set()
        self.is_whole = False
        self._wanted = wanted
        self._count = 0
        self._part = _Part()

    def begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise UploadUnreadable("too many parts")
        self._part = _Part()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def header_end(self) -> None:
        part = self._part
        if bytes(part.header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(part.value))
            part.name = options.get(b"name", b"")
        part.header.clear()
        part.value.clear()

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._is_kept():
            self._part.body += memoryview(data)[start:end]

    def part_end(self) -> None:
        if self._is_kept():
            self.found[self._part.name] = bytes(self._part.body)
        elif self._part.name in self._wanted:
            self.repeated.add(self._part.name)

    def _is_kept(self) -> bool:
        return self._part.name in self._wanted and self._part.name not in self.found

    def end(self) -> None:
        self.is_whole = True


def read_upload(content_type: str, body: bytes) -> bytes:
    """Return the bytes of the form's file.

    Raises ``UploadUnreadable`` for anything but a complete multipart form, ``UploadMissing`` when
    no file was chosen, ``DocumentTooLarge`` above ``LARGEST_DOCUMENT``.
    """
    return _document(_read_form(content_type, body, frozenset({FIELD})))


def read_upload_with_evidence(content_type: str, body: bytes) -> tuple[bytes, bytes | None]:
    """Return the form's file and its ``evidence`` part, None where there is none.

    Raises as ``read_upload`` does; where evidence comes along, no part may come twice.
    """
    reader = _read_form(content_type, body, frozenset({FIELD, EVIDENCE_FIELD}))
    evidence = reader.found.get(EVIDENCE_FIELD)
    if evidence is not None and reader.repeated:
        raise UploadUnreadable("a part comes twice")
    if evidence is not None and len(evidence) > LARGEST_EVIDENCE:
        raise DocumentTooLarge("the evidence", largest=LARGEST_EVIDENCE)
    return _document(reader), evidence


def _read_form(content_type: str, body: bytes, wanted: frozenset[bytes]) -> _FormReader:
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data" or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise UploadUnreadable(media_type=media_type.decode("latin-1")[:80])
    reader = _FormReader(wanted)
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
        raise UploadUnreadable(str(error)) from error
    if not reader.is_whole:
        raise UploadUnreadable("the form ends early")
    return reader


def _document(reader: _FormReader) -> bytes:
    document = reader.found.get(FIELD)
    if not document:
        raise UploadMissing
    if len(document) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(largest=LARGEST_DOCUMENT)
    return document

"""Take the file out of an upload form, and the evidence beside it, in memory only (T-WEB-13)."""

from keys.errors import Kind, ServiceError
from seal_service.errors import DocumentTooLarge
from seal_service.plumbing.errors import MalformedRequest
from seal_service.plumbing.forms import read_parts

FIELD = "document"
EVIDENCE_FIELD = "evidence"
LARGEST_DOCUMENT = 20 * 1024 * 1024
LARGEST_EVIDENCE = 8 * 1024 * 1024
RAW_TYPES = ("application/ofd", "application/pdf", "application/octet-stream")
"""Media types under which a file may be the whole body."""


class UploadUnreadable(ServiceError):
    """The body is not a form with a file, as a browser sends it."""

    code = "upload-unreadable"
    kind = Kind.MALFORMED
    title = "上传的内容无法读取"
    title_en = "The upload cannot be read"
    advice = "请在核验页面重新选择文件后提交。"


class UploadMissing(ServiceError):
    """The form came without a file."""

    code = "upload-missing"
    kind = Kind.INVALID
    title = "没有选择文件"
    title_en = "No file was chosen"
    advice = "请选择一份 OFD 或 PDF 文件后再提交。"


def read_upload(content_type: str, body: bytes) -> bytes:
    """Return the bytes of the form's file: the first, other parts are not looked at.

    Raises ``UploadUnreadable`` for anything but a complete multipart form, ``UploadMissing`` when
    no file was chosen, ``DocumentTooLarge`` above ``LARGEST_DOCUMENT``.
    """
    return _document(_contents(content_type, body)[FIELD])


def read_upload_with_evidence(content_type: str, body: bytes) -> tuple[bytes, bytes | None]:
    """Return the form's file and its ``evidence`` part, None where there is none.

    Raises as ``read_upload`` does; where evidence comes along, neither part may come twice.
    """
    contents = _contents(content_type, body)
    documents, evidence = contents[FIELD], contents[EVIDENCE_FIELD]
    if not evidence:
        return _document(documents), None
    if len(evidence) > 1 or len(documents) > 1:
        raise UploadUnreadable("a part comes twice")
    if len(evidence[0]) > LARGEST_EVIDENCE:
        raise DocumentTooLarge("the evidence", largest=LARGEST_EVIDENCE)
    return _document(documents), evidence[0]


def _contents(content_type: str, body: bytes) -> dict[str, list[bytes]]:
    """Return what came under each of the two names, in order."""
    try:
        parts = read_parts(content_type, body)
    except MalformedRequest as error:
        raise UploadUnreadable(error.detail, **error.params) from error
    return {
        wanted: [content for name, content in parts if name == wanted]
        for wanted in (FIELD, EVIDENCE_FIELD)
    }


def _document(found: list[bytes]) -> bytes:
    if not found or not found[0]:
        raise UploadMissing
    if len(found[0]) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(largest=LARGEST_DOCUMENT)
    return found[0]

"""Read our own output back before anybody else sees it; say whether a file is as we write them."""

from collections.abc import Iterator

from seal_service.errors import DocumentTooLarge, MalformedDocument, SelfCheckFailed
from seal_service.formats.pdf.model import PDFDocument, PDFSignature
from seal_service.formats.pdf.reading import read_pdf

OWN_SUB_FILTERS = frozenset(
    {"ETSI.CAdES.detached", "adbe.pkcs7.detached", "GM.sm2seal", "ETSI.RFC3161"}
)


def check_integrity(pdf: bytes) -> PDFSignature:
    """Return the signature just made; raise ``SelfCheckFailed`` unless it protects all of the file.

    It is the one that covers most; earlier ones must have suffered nothing. Values, seals and
    certificates are checked by those who know them.
    """
    try:
        document = read_pdf(pdf)
    except (MalformedDocument, DocumentTooLarge) as error:
        reason = str(error.params.get("reason", error.code))
        raise SelfCheckFailed(error.detail, reason=reason) from error
    if not document.signatures:
        raise SelfCheckFailed("there is no signature in the form", reason="unsigned")
    made = document.signatures[-1]
    problem = next(_integrity_problems(document, made), "")
    if problem:
        raise SelfCheckFailed("the signed document does not hold", reason=problem)
    return made


def _integrity_problems(document: PDFDocument, made: PDFSignature) -> Iterator[str]:
    if not made.covers_file:
        yield "uncovered"
    if not made.has_own_form:
        yield "contents-form"
    for signature in document.signatures:
        yield from (problem.reason for problem in signature.problems)
        later = document.forbidden_changes(signature, may_add_signatures=True)
        yield from (change.kind.value for change in later)
    yield from (problem.reason for problem in document.problems)


def own_form_problems(document: PDFDocument) -> tuple[str, ...]:
    """Return why a document is not as our writer leaves it; empty if it is (T-PDF-13, T-PDF-14).

    A document that claims to be ours and has any of these was changed by somebody.
    """
    return tuple(_own_form_problems(document))


def _own_form_problems(document: PDFDocument) -> Iterator[str]:
    yield from (problem.reason for problem in document.problems)
    if not document.signatures:
        yield "unsigned"
    elif not document.signatures[-1].covers_file:
        yield "uncovered"
    for signature in document.signatures:
        yield from (problem.reason for problem in signature.problems)
        yield from (change.kind.value for change in document.forbidden_changes(signature))
        if not signature.has_own_form:
            yield "contents-form"
        if signature.sub_filter not in OWN_SUB_FILTERS:
            yield "sub-filter"
    if document.active_content:
        yield "active-content"

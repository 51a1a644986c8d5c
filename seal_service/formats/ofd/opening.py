"""Open a package that is to be sealed; refuse what a seal must not lend credit to.

1. Read it strictly if it bears it (our own form), tolerantly otherwise.
2. Refuse one that is broken, ambiguous or locked (T-OFD-60), or whose list is missing.
3. Every protected entry of every earlier signature still has its digest. Whether the signature
   values hold is for those who know them.
"""

from dataclasses import dataclass

from seal_service.errors import AlreadySealed, LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.model import OFDDocument, OFDSignature
from seal_service.formats.ofd.names import check_entry_name
from seal_service.formats.ofd.own_form import claims_own_form, own_form_problems
from seal_service.formats.ofd.signatures import (
    ReferenceResult,
    check_references,
    read_signatures,
)
from seal_service.formats.ofd.zip_reading import read_container


@dataclass(frozen=True, slots=True)
class OpenedOFD:
    """A package about to be sealed."""

    container: OFDContainer
    document: OFDDocument
    signatures: tuple[OFDSignature, ...]
    own_form: bool
    """Whether what is there is in own form, so that the result can be."""


def open_package(package: bytes | OFDContainer) -> OpenedOFD:
    """Read a package.

    Raises ``AlreadySealed`` (reason ``locked``), ``MalformedDocument`` or ``LimitExceeded``.
    """
    try:
        opened = _read(package, strict=True)
    except MalformedDocument:
        opened = _read(package, strict=False)
    document = opened.document
    if document.problems:
        raise MalformedDocument("", reason=document.problems[0].reason)
    if document.lists_missing_signatures:
        raise MalformedDocument("signature list named but absent", reason="signature-list-missing")
    if len(opened.signatures) >= DEFAULT_LIMITS.signatures:
        raise LimitExceeded("too many signatures", reason="limit", limit="signatures")
    for signature in opened.signatures:
        if signature.locks_list:
            raise AlreadySealed("an earlier signature locked the document", reason="locked")
        checked = check_references(opened.container, signature)
        bad = next((r.path for r in checked if r.result is not ReferenceResult.OK), None)
        if signature.problems or bad is not None:
            raise MalformedDocument(
                "an earlier signature does not hold",
                reason="earlier-signature",
                subject=bad or signature.path,
            )
    return opened


def _read(package: bytes | OFDContainer, *, strict: bool) -> OpenedOFD:
    if isinstance(package, OFDContainer):
        # One that was read from a file is read again, for it must be read strictly first.
        container = _read_file(package.data, strict=strict) if package.members else package
    else:
        container = _read_file(package, strict=strict)
    document = read_document(container, strict=strict)
    signatures = read_signatures(container, document, strict=strict)
    own_form = strict
    if strict:
        for path in container.entries:
            length = len(path.encode())
            check_entry_name(path, raw_length=length, limits=DEFAULT_LIMITS, strict=True)
    if strict and signatures:
        own_form = all(map(claims_own_form, signatures))
        own_form = own_form and not own_form_problems(container, signatures)
    return OpenedOFD(container, document, signatures, own_form)


def _read_file(data: bytes, *, strict: bool) -> OFDContainer:
    """Read the ZIP; the framing of an unsigned package does not matter, for it is written anew."""
    if not strict:
        return read_container(data)
    try:
        return read_container(data, strict=True)
    except MalformedDocument:
        container = read_container(data)
        if read_document(container).signatures_path is not None:
            raise
        return container

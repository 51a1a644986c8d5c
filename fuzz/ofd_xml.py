"""The XML inside OFD packages, alone and as the page list, a page, or a signature of a package."""

from contextlib import suppress
from functools import lru_cache

from keys.errors import ServiceError
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.signatures import check_references, read_signatures
from seal_service.formats.ofd.xml import parse_xml
from tests.support.ofd import seal_ofd

PLACES = {
    b":Signature ": "Doc_0/Signs/Sign_0/Signature.xml",
    b":Signatures ": "Doc_0/Signs/Signatures.xml",
    b":Document ": "Doc_0/Document.xml",
    b":Page ": "Doc_0/Pages/Page_0/Content.xml",
    b":Res ": "Doc_0/DocumentRes.xml",
    b":OFD ": "OFD.xml",
}
"""By what the root element begins with."""


@lru_cache(maxsize=1)
def _entries() -> dict[str, bytes]:
    return dict(read_container(seal_ofd()).entries)


def seeds() -> list[bytes]:
    """Return every XML file of a sealed package."""
    return [content for path, content in _entries().items() if path.endswith(".xml")]


def check(data: bytes) -> None:
    """Read a package that holds the text where its root element belongs."""
    place = next((path for root, path in PLACES.items() if root in data[:200]), "OFD.xml")
    container = read_container(write_container({**_entries(), place: data}))
    for strict in (True, False):
        with suppress(ServiceError):
            parse_xml(data, place, root="OFD", strict=strict)
        try:
            document = read_document(container, strict=strict)
            for signature in read_signatures(container, document, strict=strict):
                check_references(container, signature)
        except ServiceError:
            continue

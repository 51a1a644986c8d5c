"""What a document says about itself: information dictionary, XMP metadata, keywords.

ISO 32000-1, 14.3. Our layouts repeat the licence's identifier and the digest of its data as
keywords, so that a verifier finds the licence; the words are claims and prove nothing (T-PDF-27).
"""

from collections.abc import Mapping

from lxml import etree

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.fields import catalog_of, decode_text
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.syntax import Stream

MAX_METADATA_BYTES = 1024 * 1024
MAX_CLAIMS = 64
_INFORMATION = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer")
_PDF = "http://ns.adobe.com/pdf/1.3/"
_DC = "http://purl.org/dc/elements/1.1/"
_XMP = {
    f"{{{_PDF}}}Keywords": "Keywords",
    f"{{{_PDF}}}Producer": "Producer",
    f"{{{_DC}}}title": "Title",
    "{http://www.aiim.org/pdfa/ns/id/}part": "PDF/A part",
    "{http://www.aiim.org/pdfa/ns/id/}conformance": "PDF/A conformance",
}


def read_information(table: ObjectTable) -> dict[str, str]:
    """Return the texts of the information dictionary."""
    dictionary = table.dictionary(table.trailer.get("Info"))
    texts = {key: table.resolve(dictionary.get(key)) for key in _INFORMATION}
    return {key: decode_text(text) for key, text in texts.items() if isinstance(text, bytes)}


def read_metadata(table: ObjectTable) -> dict[str, str]:
    """Return the same texts from the XMP metadata.

    Raises ``MalformedDocument`` (reason ``metadata``) where they cannot be read.
    """
    stream = table.resolve(catalog_of(table).get("Metadata"))
    if not isinstance(stream, Stream):
        return {}
    body = table.stream_bytes(stream)
    if len(body) > MAX_METADATA_BYTES:
        raise LimitExceeded("too much metadata", reason="limit", limit="pdf_metadata")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise MalformedDocument("metadata with a document type", reason="metadata")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body.strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise MalformedDocument("metadata is no XML", reason="metadata") from None
    found: dict[str, str] = {}
    for element in root.iter(etree.Element):
        tag = str(element.tag)
        if tag in _XMP:
            found.setdefault(_XMP[tag], "".join(str(part) for part in element.itertext()).strip())
        for name, value in element.attrib.items():
            if str(name) in _XMP:
                found.setdefault(_XMP[str(name)], str(value))
    return found


def read_claims(keywords: str) -> Mapping[str, str]:
    """Return the keywords that have the form name=value; a name that comes twice claims nothing."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for word in keywords.replace(";", ",").split(",")[:MAX_CLAIMS]:
        name, equals, value = (part.strip() for part in word.partition("="))
        if equals and name in found:
            twice.add(name)
        elif equals and name:
            found[name] = value
    return {name: value for name, value in found.items() if name not in twice}

"""XML of a package, parsed so that nothing outside the bytes and nothing hidden in them counts.

No document type, no entities, no network; UTF-8 (foreign packages: GBK with a notice); bounded
depth, attributes and text; OFD elements only in the OFD namespace (T-OFD-20..26). Elements are
found by local name afterwards, which the namespace check has made safe.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import Notice

NAMESPACE = "http://www.ofdspec.org/2016"
OLDER_NAMESPACE = "http://www.ofdspec.org"
ONE_PREFIX = re.compile(rb'xmlns:([A-Za-z]{1,20})="http://www\.ofdspec\.org/2016"')
BOM = b"\xef\xbb\xbf"
OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
DECLARED = re.compile(rb"<\?xml\s")
DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?\?>")
ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
CHINESE_ENCODINGS = frozenset({"gbk", "gb2312", "gb18030"})
SPLIT_CDATA = re.compile(rb"[^>\s]\s*<!\[CDATA\[|\]\]>\s*(?!\s|</)")
"""A CDATA section that is not the whole of a value."""
NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})")
MAX_NAMESPACE_DECLARATIONS = 10_000

_STRUCTURE_NAMES = """
OFD DocBody DocInfo DocID DocRoot Versions Version Signatures Signature SignedInfo Provider
SignatureMethod SignatureDateTime References Reference CheckValue StampAnnot Seal BaseLoc
SignedValue Document CommonData PageArea PublicRes DocumentRes TemplatePage Pages Page
Annotations Annot FileLoc Attachments Attachment CustomTags CustomTag Extensions Extension Res
Fonts Font FontFile MultiMedias MultiMedia MediaFile Content Layer Template PageRes TextObject
TextCode ImageObject PathObject CompositeObject CustomDatas CustomData
"""
STRUCTURE = frozenset(_STRUCTURE_NAMES.split())
"""Local names that mean something to us; in a namespace of somebody else they are a trap."""

_FOREIGN = etree.XPath("//*[namespace-uri() != $uri]", regexp=False)
_COMMENTS = etree.XPath("boolean(//comment() | //processing-instruction())", regexp=False)


@dataclass(frozen=True, slots=True)
class XMLPart:
    """One parsed file of the package."""

    root: etree._Element
    path: str
    notices: tuple[Notice, ...]


def parse_xml(
    data: bytes,
    path: str,
    *,
    root: str,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
) -> XMLPart:
    """Parse a file of the package whose root element must be called ``root``.

    Raises ``MalformedDocument`` (reasons ``doctype``, ``encoding``, ``namespace``, ``text-split``,
    ``xml``) and ``LimitExceeded``.
    """
    if len(data) > limits.xml_bytes:
        raise LimitExceeded("XML too large", reason="limit", limit="xml_bytes")
    notices: list[Notice] = []
    _check_encoding(data, path, strict, notices)
    if b"<!DOCTYPE" in data:
        raise MalformedDocument("document type", reason="doctype", subject=path)
    if data.count(b"xmlns") > MAX_NAMESPACE_DECLARATIONS:
        raise LimitExceeded("too many namespaces", reason="limit", limit="xml_attributes")
    if b"<![CDATA[" in data and (strict or SPLIT_CDATA.search(data)):
        raise MalformedDocument("CDATA in a value", reason="text-split", subject=path)
    element = _parse(data, path)
    _check_shape(element, data, path, limits)
    if not _is_uniform(data):
        _check_namespaces(element, path, strict, notices)
        if strict and _COMMENTS(element):
            raise MalformedDocument("comment in own file", reason="text-split", subject=path)
    if local_name(element) != root:
        raise MalformedDocument(f"root is not {root}", reason="xml", subject=path)
    return XMLPart(element, path, tuple(notices))


def _parse(data: bytes, path: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
    )
    try:
        element = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        text = str(error)
        if "XML_PARSE_HUGE" in text or "depth" in text or "too long" in text:
            raise LimitExceeded(text[:200], reason="limit", limit="xml_depth") from None
        raise MalformedDocument(text[:200], reason="xml", subject=path) from None
    except (ValueError, LookupError) as error:
        raise MalformedDocument(str(error)[:200], reason="encoding", subject=path) from None
    if element.getroottree().docinfo.internalDTD is not None:
        raise MalformedDocument("document type", reason="doctype", subject=path)
    return element


def _check_encoding(data: bytes, path: str, strict: bool, notices: list[Notice]) -> None:
    """Allow UTF-8, and Chinese encodings in foreign files; nothing may contradict itself."""
    if data.startswith(OTHER_BOMS) or b"\x00" in data[:4]:
        raise MalformedDocument("not UTF-8", reason="encoding", subject=path)
    marked = data.startswith(BOM)
    start = len(BOM) if marked else 0
    declaration = DECLARATION.match(data, start)
    if declaration is None and DECLARED.match(data, start):
        # The parser might read an encoding in it that we do not see.
        raise MalformedDocument("odd declaration", reason="encoding", subject=path)
    named = ENCODING.search(declaration.group()) if declaration else None
    encoding = named.group(1).decode("ascii").lower() if named else "utf-8"
    if encoding in ("utf-8", "utf8"):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedDocument("not UTF-8", reason="encoding", subject=path) from None
    elif strict or marked or encoding not in CHINESE_ENCODINGS:
        raise MalformedDocument(f"encoding {encoding}", reason="encoding", subject=path)
    else:
        notices.append(Notice(reason="xml-encoding", subject=path, detail=encoding))
    if marked:
        if strict:
            raise MalformedDocument("byte order mark", reason="encoding", subject=path)
        notices.append(Notice(reason="byte-order-mark", subject=path))


def _shape_paths(limits: Limits) -> dict[str, etree.XPath]:
    too_deep = "/*" * (limits.xml_depth + 1)
    too_long = f"string-length() > {limits.xml_text_characters}"
    return {
        "xml_depth": etree.XPath(f"boolean({too_deep})"),
        "xml_attributes": etree.XPath(f"boolean(//*[count(@*) > {limits.xml_attributes}])"),
        "xml_text_characters": etree.XPath(f"boolean(//text()[{too_long}])"),
    }


_DEFAULT_SHAPE = _shape_paths(DEFAULT_LIMITS)


def _suspects(data: bytes, limits: Limits) -> Iterator[str]:
    """Yield the limits that these bytes can exceed at all; few files come near any.

    All but the innermost of nested elements have an end tag, an attribute has its equals sign, and
    a character takes at least one byte, for there are no entities.
    """
    if data.count(b"</") >= limits.xml_depth:
        yield "xml_depth"
    if data.count(b"=") > limits.xml_attributes:
        yield "xml_attributes"
    if len(data) > limits.xml_text_characters:
        yield "xml_text_characters"


def _check_shape(element: etree._Element, data: bytes, path: str, limits: Limits) -> None:
    paths = _DEFAULT_SHAPE if limits is DEFAULT_LIMITS else _shape_paths(limits)
    for limit in _suspects(data, limits):
        if paths[limit](element):
            raise LimitExceeded(f"{limit} in {path}", reason="limit", limit=limit)


def _is_uniform(data: bytes) -> bool:
    """Return whether the bytes alone show that there are OFD elements and nothing else.

    One prefix is declared, once, and every ``<`` but that of the declaration begins or ends an
    element with it: no comment, no instruction, no other namespace. So it is in nearly every file.
    """
    declared = ONE_PREFIX.search(data)
    if declared is None or data.count(b"xmlns") != 1:
        return False
    tag = declared.group(1) + b":"
    tags = data.count(b"<" + tag) + data.count(b"</" + tag)
    return data.count(b"<") == tags + data.startswith(b"<?xml")


def _check_namespaces(
    element: etree._Element, path: str, strict: bool, notices: list[Notice]
) -> None:
    """Refuse OFD names in strange namespaces; note the older one and missing ones (T-OFD-25)."""
    reasons: dict[str, str] = {}
    root_uri = etree.QName(element).namespace
    if root_uri not in (NAMESPACE, OLDER_NAMESPACE):
        raise MalformedDocument("root namespace", reason="namespace", subject=path)
    odd = _FOREIGN(element, uri=NAMESPACE)
    for found in odd if isinstance(odd, list) else []:
        if not isinstance(found, etree._Element):
            continue
        name = etree.QName(found)
        if name.namespace == OLDER_NAMESPACE:
            reason = "older-namespace"
        elif name.namespace is None:
            reason = "namespace-missing"
        elif name.localname in STRUCTURE:
            raise MalformedDocument(str(found.tag)[:200], reason="namespace", subject=path)
        else:
            reason = "foreign-element"
        reasons.setdefault(reason, name.localname)
    if strict and reasons:
        raise MalformedDocument("namespace", reason="namespace", subject=path)
    notices.extend(Notice(reason=r, subject=path, detail=d) for r, d in reasons.items())


# --- finding elements ------------------------------------------------------------------------


def local_name(element: etree._Element) -> str:
    """Return the name without namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the child elements called ``name``."""
    return parent.iterchildren(f"{{*}}{name}")


def descendants(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the elements below called one of ``names``, in document order."""
    return parent.iter(*(f"{{*}}{name}" for name in names))


def only(parent: etree._Element, name: str) -> etree._Element | None:
    """Return the one child called ``name``, or None; a second one is refused (T-OFD-24)."""
    found = list(children(parent, name))
    if len(found) > 1:
        raise MalformedDocument(f"{name} occurs twice", reason="duplicate-element", subject=name)
    return found[0] if found else None


def text_of(element: etree._Element) -> str:
    """Return the whole text of a value; refuse one that is split by anything (T-OFD-26)."""
    if len(element):
        raise MalformedDocument(
            "value split by markup", reason="text-split", subject=local_name(element)
        )
    return (element.text or "").strip()


def text_of_only(parent: etree._Element, name: str) -> str:
    """Return the text of the one child called ``name``; empty if there is none."""
    element = only(parent, name)
    return "" if element is None else text_of(element)


def numbers_in(text: str, count: int) -> tuple[float, ...] | None:
    """Return exactly ``count`` plain decimal numbers, or None; no exponent, infinity or NaN."""
    words = text.split()
    if len(words) != count or not all(NUMBER.fullmatch(word) for word in words):
        return None
    return tuple(float(word) for word in words)

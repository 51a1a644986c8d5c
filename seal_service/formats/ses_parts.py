"""The small parts that seals and seal signatures share: text, extensions, values, time stamps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.asn1 import Node, Tag
from seal_service.formats.notices import Notice
from seal_service.formats.ses_model import SealExtension

MAX_EXTENSIONS = 64
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_STRING_TAGS = (Tag.IA5_STRING, Tag.UTF8_STRING, Tag.PRINTABLE_STRING)
_UTF8_SUBJECTS = frozenset({"name"})


@dataclass(slots=True)
class NoticeList:
    """Collects notices while one structure is read."""

    found: list[Notice] = field(default_factory=list)

    def add(self, reason: str, subject: str, detail: str = "") -> None:
        """Remark a deviation."""
        self.found.append(Notice(reason=reason, subject=subject, detail=detail))


def malformed(reason: str, subject: str) -> MalformedDocument:
    """Make the error that names the part which cannot be read."""
    return MalformedDocument(f"{subject}: {reason}", reason=reason, subject=subject)


def read_signed_value(node: Node, notices: NoticeList, subject: str) -> bytes:
    """Return a signature value; its own encoding is judged when it is verified."""
    content = asn1.read_bits(node)
    # DER of two short INTEGERs can be 64 bytes too, but then it opens with 30 3e (X.690, 8.9).
    if len(content) == 64 and content[:2] != b"\x30\x3e":
        notices.add("raw-signature", subject)
    return content


def read_timestamp(rest: Sequence[Node]) -> bytes | None:
    """Read timeStamp [0] EXPLICIT BIT STRING, where present."""
    if not rest:
        return None
    return asn1.read_bits(asn1.read_explicit(asn1.expect(rest[0], Tag.EXPLICIT_0)))


def read_extensions(node: Node, notices: NoticeList, subject: str) -> tuple[SealExtension, ...]:
    """Read a SEQUENCE OF ExtData."""
    entries = asn1.read_sequence(node)
    if len(entries) > MAX_EXTENSIONS:
        raise LimitExceeded("too many extensions", reason="limit", limit="seal_extensions")
    return tuple(_read_extension(entry, notices, subject) for entry in entries)


def _read_extension(node: Node, notices: NoticeList, subject: str) -> SealExtension:
    fields = asn1.read_sequence(node, at_least=2, at_most=3)
    oid = asn1.read_oid(fields[0])
    is_critical = len(fields) == 3 and asn1.read_boolean(fields[1])
    if len(fields) == 3 and not is_critical:
        # DER leaves a default out (X.690, 11.5); tax seals write it all the same.
        notices.add("explicit-default", subject, oid)
    return SealExtension(oid=oid, is_critical=is_critical, value=asn1.read_octets(fields[-1]))


def read_text(node: Node, notices: NoticeList, subject: str) -> str:
    """Read a string; another string type than the format wants is remarked."""
    asn1.expect(node, *_STRING_TAGS)
    due = Tag.UTF8_STRING if subject in _UTF8_SUBJECTS else Tag.IA5_STRING
    if node.tag != due:
        notices.add("odd-string", subject)
    text = decode_text(node.content, subject, notices)
    if due == Tag.IA5_STRING and node.tag == due and not text.isascii():
        notices.add("odd-string", subject)
    return text


def decode_text(content: bytes, subject: str, notices: NoticeList) -> str:
    """Decode text that people will be shown; control characters are refused or made visible."""
    if len(content) > asn1.MAX_TEXT_BYTES:
        raise LimitExceeded("text too long", reason="limit", limit="text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("text", subject) from None
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise malformed("text", subject)
    if not _BIDI_CONTROLS.isdisjoint(text):
        notices.add("bidi-control", subject)
        text = "".join(f"\\u{ord(c):04x}" if c in _BIDI_CONTROLS else c for c in text)
    return text

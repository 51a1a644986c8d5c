"""Headers of a ZIP file: their layout, and what a central header may say.

Names, methods, flags, entry types, extra fields and declared sizes are judged here, before anything
is inflated (T-OFD-02, 03, 10..14, 16, 73). ``zip_reading`` compares with the local headers.
"""

import struct
from dataclasses import dataclass
from typing import NoReturn

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.entries import DEFLATED, STORED, Notice
from seal_service.formats.ofd.names import (
    check_distinct,
    check_entry_name,
    collision_key,
    printable,
)

END = struct.Struct("<4sHHHHIIH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
LOCAL = struct.Struct("<4sHHHHHIIIHH")
DESCRIPTOR = struct.Struct("<III")
END_SIGNATURE = b"PK\x05\x06"
CENTRAL_SIGNATURE = b"PK\x01\x02"
LOCAL_SIGNATURE = b"PK\x03\x04"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
ZIP64_LOCATOR = b"PK\x06\x07"
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF

FLAG_DESCRIPTOR, FLAG_UTF8 = 0x0008, 0x0800
ENCRYPTION_FLAGS = 0x0001 | 0x0040 | 0x2000
STRICT_FLAGS = FLAG_UTF8
FOREIGN_FLAGS = FLAG_UTF8 | FLAG_DESCRIPTOR | 0x0006
"""Bits 1 and 2 only say how hard the deflater tried."""
ENCRYPTION_EXTRAS = frozenset({0x0014, 0x0015, 0x0016, 0x0017, 0x0019, 0x9901})
EXTRA_ZIP64, EXTRA_UNICODE_PATH = 0x0001, 0x7075
STRICT_VERSION, FOREIGN_VERSION = 20, 45
FIXED_STAMP = (0, 0x0021)
"""1980-01-01 00:00, the first instant the format knows."""
EMPTY_STREAM = 2
"""Bytes that a deflater writes for nothing; Java writes directories so."""
FILE_TYPES = frozenset({0, 0o100000})
DIRECTORY_TYPES = frozenset({0, 0o040000})


@dataclass(frozen=True, slots=True)
class Header:
    """One central header."""

    version: int
    flags: int
    method: int
    stamp: tuple[int, int]
    """DOS time and date."""
    crc: int
    packed_size: int
    size: int
    attributes: int
    made_by: tuple[int, int]
    """Version and internal attributes: mean nothing, so own packages have one value."""
    offset: int
    raw_name: bytes
    name: str
    raw: bytes


def refuse(reason: str, detail: str, subject: str = "") -> NoReturn:
    """Refuse the package; ``reason`` is the word of the threat list."""
    raise MalformedDocument(detail, reason=reason, subject=printable(subject))


def note(notices: dict[str, Notice], reason: str, subject: str = "", detail: str = "") -> None:
    """Keep the first notice of each reason: one odd vendor marks every entry alike."""
    notices.setdefault(reason, Notice(reason=reason, subject=printable(subject), detail=detail))


def read_directory(
    data: bytes, position: int, end: int, count: int, strict: bool, notices: dict[str, Notice]
) -> list[Header]:
    """Read exactly ``count`` central headers between ``position`` and ``end``."""
    headers: list[Header] = []
    for _ in range(count):
        header = _read_central(data, position, end, strict, notices)
        _check_header(header, strict, notices)
        if strict:
            _check_canonical(header)
        headers.append(header)
        position += len(header.raw)
    if position != end:
        refuse("zip-gap", "bytes after the last central header")
    return headers


def _read_central(
    data: bytes, position: int, end: int, strict: bool, notices: dict[str, Notice]
) -> Header:
    if position + CENTRAL.size > end:
        refuse("zip-mismatch", "central directory too short")
    fields = CENTRAL.unpack_from(data, position)
    if fields[0] != CENTRAL_SIGNATURE:
        refuse("zip-mismatch", "not a central header")
    name_end = position + CENTRAL.size + fields[10]
    extra_end = name_end + fields[11]
    next_position = extra_end + fields[12]
    if next_position > end:
        refuse("zip-mismatch", "central header too long")
    raw_name = data[position + CENTRAL.size : name_end]
    name = _decode_name(raw_name, fields[3], strict, notices)
    if fields[13]:
        refuse("zip64", "several disks", name)
    if extra_end != name_end:
        check_extra(data[name_end:extra_end], raw_name, strict, notices)
    if next_position != extra_end:
        _check_comment(name, strict, notices)
    return Header(
        version=fields[2],
        flags=fields[3],
        method=fields[4],
        stamp=(fields[5], fields[6]),
        crc=fields[7],
        packed_size=fields[8],
        size=fields[9],
        attributes=fields[15],
        made_by=(fields[1], fields[14]),
        offset=fields[16],
        raw_name=raw_name,
        name=name,
        raw=data[position:next_position],
    )


def _decode_name(raw: bytes, flags: int, strict: bool, notices: dict[str, Notice]) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if flags & FLAG_UTF8:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            refuse("entry-name", "flagged UTF-8 but is not", raw.decode("latin-1"))
    if strict:
        refuse("entry-name", "not ASCII and not flagged UTF-8", raw.decode("latin-1"))
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        note(notices, "entry-name-encoding", name, detail=encoding)
        return name
    raise MalformedDocument("undecodable", reason="entry-name", subject=repr(raw)[:255])


def _check_header(header: Header, strict: bool, notices: dict[str, Notice]) -> None:
    name = header.name
    if header.flags & ENCRYPTION_FLAGS:
        refuse("encrypted", "entry is encrypted", name)
    if header.flags & ~(STRICT_FLAGS if strict else FOREIGN_FLAGS):
        refuse("zip-flags", "flags not used in OFD", name)
    newest = STRICT_VERSION if strict else FOREIGN_VERSION
    if header.method not in (STORED, DEFLATED) or header.version & 0xFF > newest:
        refuse("method", f"method {header.method}, version {header.version}", name)
    if MAX_32 in (header.packed_size, header.size, header.offset):
        refuse("zip64", "ZIP64 is not used in OFD", name)
    is_directory = name.endswith("/")
    if header.method == STORED and header.packed_size != header.size:
        refuse("zip-mismatch", "stored entry with two sizes", name)
    if header.flags & FLAG_DESCRIPTOR:
        if header.method == STORED and not is_directory:
            refuse("data-descriptor", "data descriptor after a stored entry", name)
        note(notices, "data-descriptor", name)
    _check_type(header, is_directory, strict)
    if is_directory:
        note(notices, "directory-entry", name)


def _check_canonical(header: Header) -> None:
    """Refuse, in own packages, every field that could differ without changing an entry."""
    ours = (
        header.stamp == FIXED_STAMP
        and header.made_by == (STRICT_VERSION, 0)
        and header.version == STRICT_VERSION
        and header.attributes == 0
        and bool(header.flags) != header.raw_name.isascii()
    )
    if not ours:
        refuse("zip-not-canonical", "not as we write it", header.name)


def _check_type(header: Header, is_directory: bool, strict: bool) -> None:
    name = header.name
    kind = (header.attributes >> 16) & 0o170000
    if kind not in (DIRECTORY_TYPES if is_directory else FILE_TYPES):
        refuse("entry-type", "neither file nor directory", name)
    if is_directory and (strict or header.size or header.packed_size > EMPTY_STREAM):
        refuse("entry-type", "directory entry with data, or in an own package", name)


def check_extra(extra: bytes, raw_name: bytes, strict: bool, notices: dict[str, Notice]) -> None:
    """Walk the extra fields; refuse those that change what the entry is (T-OFD-10, 11, 16)."""
    name = raw_name.decode("latin-1")
    if strict:
        refuse("zip-extra-field", "extra field", name)
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        value = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == EXTRA_ZIP64:
            refuse("zip64", "ZIP64 is not used in OFD", name)
        if kind in ENCRYPTION_EXTRAS:
            refuse("encrypted", "entry is encrypted", name)
        if kind == EXTRA_UNICODE_PATH and value[5:] != raw_name:
            refuse("entry-name", "a second name in an extra field", name)
    if position != len(extra):
        refuse("zip-mismatch", "extra field out of shape", name)
    note(notices, "zip-extra-field", name)


def _check_comment(name: str, strict: bool, notices: dict[str, Notice]) -> None:
    if strict:
        refuse("zip-comment", "entry has a comment", name)
    note(notices, "zip-entry-comment", name)


def check_names(headers: list[Header], limits: Limits, strict: bool) -> None:
    """Refuse bad names, names that collide, and names that readers decode differently."""
    names = [header.name for header in headers]
    check_distinct(names)
    for header in headers:
        check_entry_name(header.name, raw_length=len(header.raw_name), limits=limits, strict=strict)
    keys = {collision_key(name) for name in names}
    for header in headers:
        if header.raw_name.isascii() or header.flags & FLAG_UTF8:
            continue
        # Another reader may decode this name otherwise and then find another entry (T-OFD-73).
        for encoding in ("utf-8", "gb18030", "cp437"):
            other = header.raw_name.decode(encoding, errors="replace")
            if other != header.name and collision_key(other) in keys:
                refuse("entry-name", "another reader sees another entry", header.name)


def check_sizes(headers: list[Header], limits: Limits) -> None:
    """Judge the declared sizes; inflating is bounded by them (T-OFD-13)."""
    total = 0
    for header in headers:
        size = header.size
        total += size
        if size > limits.member_bytes:
            raise LimitExceeded("entry too large", reason="limit", limit="member_bytes")
        too_dense = size > header.packed_size * limits.compression_ratio
        if size > limits.ratio_threshold_bytes and too_dense:
            raise LimitExceeded("entry too dense", reason="limit", limit="compression_ratio")
    if total > limits.unpacked_bytes:
        raise LimitExceeded("package too large", reason="limit", limit="unpacked_bytes")

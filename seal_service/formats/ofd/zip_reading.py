"""Read a package from its original bytes, so that there is only one way to see it.

Rules (threat list, T-OFD-01..17, 73, 74), in the order in which they are applied:

1. Find the end record; no comment, one disk, no ZIP64.
2. Read the central directory; it must fill its declared place exactly.
3. Judge names, methods, flags, entry types and declared sizes, before anything is inflated.
4. Read the local headers; each must say the same as its central header.
5. The entries lie back to back: no gap, no overlap, nothing before, nothing after.
6. Inflate with a bound; size and checksum must be as declared.

``strict`` is for packages that claim to be ours. Otherwise the deviations of real vendors (bytes
before and after, data descriptors, directories, extra fields, GBK names) leave a notice each.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import NoReturn

from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import (
    DEFLATED,
    STORED,
    Member,
    Notice,
    OFDContainer,
    unpack,
)
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


def read_container(
    data: bytes, limits: Limits = DEFAULT_LIMITS, *, strict: bool = False
) -> OFDContainer:
    """Read every entry of a package, or refuse it.

    Raises ``DocumentTooLarge``, ``LimitExceeded`` or ``MalformedDocument`` with the parameter
    ``reason`` (``zip-gap``, ``duplicate-entry``, ...).
    """
    if len(data) > limits.document_bytes:
        raise DocumentTooLarge("package too large", limit=limits.document_bytes)
    notices: dict[str, Notice] = {}
    end, count, directory_size, directory_offset = _find_end(data, strict, notices)
    if count > limits.package_members:
        raise LimitExceeded("too many entries", reason="limit", limit="package_members")
    directory_start = end - directory_size
    base = directory_start - directory_offset
    if base < 0:
        _refuse("zip-mismatch", "central directory out of place")
    headers = _read_directory(data, directory_start, end, count, strict, notices)
    _check_names(headers, limits, strict)
    _check_sizes(headers, limits)
    members = _place(data, headers, base, directory_start, strict, notices)
    view = memoryview(data)
    entries: dict[str, bytes] = {}
    for member in members:
        if member.path.endswith("/"):
            continue
        packed = view[member.packed_start : member.packed_end]
        content = unpack(packed, method=member.method, size=member.size, path=member.path)
        if zlib.crc32(content) != member.crc:
            _refuse("zip-mismatch", "checksum differs", member.path)
        entries[member.path] = content
    return OFDContainer(
        entries=entries, notices=tuple(notices.values()), data=data, members=members
    )


def _refuse(reason: str, detail: str, subject: str = "") -> NoReturn:
    raise MalformedDocument(detail, reason=reason, subject=printable(subject))


def _note(notices: dict[str, Notice], reason: str, subject: str = "", detail: str = "") -> None:
    """Keep the first notice of each reason: one odd vendor marks every entry alike."""
    notices.setdefault(reason, Notice(reason=reason, subject=printable(subject), detail=detail))


# --- 1. end record ---------------------------------------------------------------------------


def _find_end(data: bytes, strict: bool, notices: dict[str, Notice]) -> tuple[int, int, int, int]:
    """Return position of the end record, entry count, directory size and directory offset."""
    position = data.rfind(END_SIGNATURE)
    if position < 0 or position + END.size > len(data):
        cut = data.startswith(LOCAL_SIGNATURE) or position >= 0
        _refuse("zip-truncated" if cut else "not-zip", "no end record")
    _, disk, start_disk, here, count, size, offset, comment = END.unpack_from(data, position)
    if _is_commented(data, position):
        _refuse("zip-comment", "end record has a comment")
    if comment:
        _refuse("zip-mismatch", "comment length is wrong")
    if MAX_16 in (disk, start_disk, here, count) or MAX_32 in (size, offset):
        _refuse("zip64", "ZIP64 is not used in OFD")
    if disk or start_disk or here != count:
        _refuse("zip64", "several disks")
    if data[max(position - 20, 0) : position].startswith(ZIP64_LOCATOR):
        _refuse("zip64", "ZIP64 locator")
    if size > position:
        _refuse("zip-mismatch", "central directory larger than the file")
    after = data[position + END.size :]
    if after:
        if strict or LOCAL_SIGNATURE in after or CENTRAL_SIGNATURE in after:
            _refuse("zip-extra", "bytes after the end record")
        _note(notices, "zip-extra", detail=f"{len(after)} bytes after the end record")
    return position, count, size, offset


def _is_commented(data: bytes, last: int) -> bool:
    """Return whether some end record has a comment that reaches the end of the file."""
    position = data.rfind(END_SIGNATURE, 0, last + 4)
    oldest = len(data) - END.size - MAX_16
    while position >= max(oldest, 0):
        if position + END.size <= len(data):
            comment = END.unpack_from(data, position)[7]
            if comment and position + END.size + comment == len(data):
                return True
        position = data.rfind(END_SIGNATURE, 0, position)
    return False


# --- 2. central directory --------------------------------------------------------------------


def _read_directory(
    data: bytes, position: int, end: int, count: int, strict: bool, notices: dict[str, Notice]
) -> list[Header]:
    headers: list[Header] = []
    for _ in range(count):
        if position + CENTRAL.size > end:
            _refuse("zip-mismatch", "central directory too short")
        fields = CENTRAL.unpack_from(data, position)
        if fields[0] != CENTRAL_SIGNATURE:
            _refuse("zip-mismatch", "not a central header")
        name_end = position + CENTRAL.size + fields[10]
        extra_end = name_end + fields[11]
        next_position = extra_end + fields[12]
        if next_position > end:
            _refuse("zip-mismatch", "central header too long")
        raw_name = data[position + CENTRAL.size : name_end]
        name = _decode_name(raw_name, fields[3], strict, notices)
        header = Header(
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
        if fields[13]:
            _refuse("zip64", "several disks", name)
        _check_header(header, strict, notices)
        if strict:
            _check_canonical(header)
        if extra_end != name_end:
            _check_extra(data[name_end:extra_end], raw_name, strict, notices)
        if next_position != extra_end:
            _check_comment(name, strict, notices)
        headers.append(header)
        position = next_position
    if position != end:
        _refuse("zip-gap", "bytes after the last central header")
    return headers


def _decode_name(raw: bytes, flags: int, strict: bool, notices: dict[str, Notice]) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if flags & FLAG_UTF8:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            _refuse("entry-name", "flagged UTF-8 but is not", raw.decode("latin-1"))
    if strict:
        _refuse("entry-name", "not ASCII and not flagged UTF-8", raw.decode("latin-1"))
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        _note(notices, "entry-name-encoding", name, detail=encoding)
        return name
    raise MalformedDocument("undecodable", reason="entry-name", subject=repr(raw)[:255])


# --- 3. what a header may say ----------------------------------------------------------------


def _check_header(header: Header, strict: bool, notices: dict[str, Notice]) -> None:
    name = header.name
    if header.flags & ENCRYPTION_FLAGS:
        _refuse("encrypted", "entry is encrypted", name)
    if header.flags & ~(STRICT_FLAGS if strict else FOREIGN_FLAGS):
        _refuse("zip-flags", "flags not used in OFD", name)
    newest = STRICT_VERSION if strict else FOREIGN_VERSION
    if header.method not in (STORED, DEFLATED) or header.version & 0xFF > newest:
        _refuse("method", f"method {header.method}, version {header.version}", name)
    if MAX_32 in (header.packed_size, header.size, header.offset):
        _refuse("zip64", "ZIP64 is not used in OFD", name)
    is_directory = name.endswith("/")
    if header.method == STORED and header.packed_size != header.size:
        _refuse("zip-mismatch", "stored entry with two sizes", name)
    if header.flags & FLAG_DESCRIPTOR:
        if header.method == STORED and not is_directory:
            _refuse("data-descriptor", "data descriptor after a stored entry", name)
        _note(notices, "data-descriptor", name)
    _check_type(header, is_directory, strict)
    if is_directory:
        _note(notices, "directory-entry", name)


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
        _refuse("zip-not-canonical", "not as we write it", header.name)


def _check_type(header: Header, is_directory: bool, strict: bool) -> None:
    name = header.name
    kind = (header.attributes >> 16) & 0o170000
    if kind not in (DIRECTORY_TYPES if is_directory else FILE_TYPES):
        _refuse("entry-type", "neither file nor directory", name)
    if is_directory and (strict or header.size or header.packed_size > EMPTY_STREAM):
        _refuse("entry-type", "directory entry with data, or in an own package", name)


def _check_extra(extra: bytes, raw_name: bytes, strict: bool, notices: dict[str, Notice]) -> None:
    """Walk the extra fields; refuse those that change what the entry is (T-OFD-10, 11, 16)."""
    name = raw_name.decode("latin-1")
    if strict:
        _refuse("zip-extra-field", "extra field", name)
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        value = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == EXTRA_ZIP64:
            _refuse("zip64", "ZIP64 is not used in OFD", name)
        if kind in ENCRYPTION_EXTRAS:
            _refuse("encrypted", "entry is encrypted", name)
        if kind == EXTRA_UNICODE_PATH and value[5:] != raw_name:
            _refuse("entry-name", "a second name in an extra field", name)
    if position != len(extra):
        _refuse("zip-mismatch", "extra field out of shape", name)
    _note(notices, "zip-extra-field", name)


def _check_comment(name: str, strict: bool, notices: dict[str, Notice]) -> None:
    if strict:
        _refuse("zip-comment", "entry has a comment", name)
    _note(notices, "zip-entry-comment", name)


def _check_names(headers: list[Header], limits: Limits, strict: bool) -> None:
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
                _refuse("entry-name", "another reader sees another entry", header.name)


def _check_sizes(headers: list[Header], limits: Limits) -> None:
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


# --- 4. and 5. local headers, back to back -----------------------------------------------------


def _place(
    data: bytes,
    headers: list[Header],
    base: int,
    directory_start: int,
    strict: bool,
    notices: dict[str, Notice],
) -> tuple[Member, ...]:
    ordered = sorted(headers, key=lambda header: header.offset)
    if strict and ordered != headers:
        _refuse("zip-mismatch", "central directory in another order")
    start = base + ordered[0].offset if ordered else directory_start
    _check_before(data, start, strict, notices)
    members: list[Member] = []
    for header in ordered:
        offset = base + header.offset
        if offset != start:
            reason = "zip-overlap" if offset < start else "zip-gap"
            _refuse(reason, "entries are not back to back", header.name)
        member = _read_local(data, header, offset, directory_start, strict)
        members.append(member)
        start = member.end
    if start != directory_start:
        _refuse("zip-gap", "bytes before the central directory")
    return tuple(members)


def _check_before(data: bytes, start: int, strict: bool, notices: dict[str, Notice]) -> None:
    if start == 0:
        return
    before = data[:start]
    if LOCAL_SIGNATURE in before and END_SIGNATURE not in before:
        _refuse("zip-gap", "an entry that the central directory does not know")
    if strict or LOCAL_SIGNATURE in before or END_SIGNATURE in before:
        _refuse("zip-extra", "bytes before the first entry")
    _note(notices, "zip-extra", detail=f"{start} bytes before the first entry")


def _read_local(data: bytes, header: Header, offset: int, bound: int, strict: bool) -> Member:
    name = header.name
    if offset + LOCAL.size > bound:
        _refuse("zip-overlap", "local header out of place", name)
    fields = LOCAL.unpack_from(data, offset)
    name_end = offset + LOCAL.size + fields[9]
    packed_start = name_end + fields[10]
    packed_end = packed_start + header.packed_size
    if fields[0] != LOCAL_SIGNATURE:
        _refuse("zip-mismatch", "not a local header", name)
    if packed_end > bound:
        _refuse("zip-overlap", "entry runs into the central directory", name)
    if data[offset + LOCAL.size : name_end] != header.raw_name:
        _refuse("zip-mismatch", "two names", name)
    if fields[2] != header.flags or fields[3] != header.method:
        _refuse("zip-mismatch", "two methods or flags", name)
    if strict and (fields[1] != header.version or fields[4:6] != header.stamp):
        _refuse("zip-mismatch", "two versions or times", name)
    if packed_start != name_end:
        _check_extra(data[name_end:packed_start], header.raw_name, strict, {})
    end = _check_local_sizes(data, header, fields[6:9], packed_end, bound)
    return Member(
        path=name,
        start=offset,
        packed_start=packed_start,
        packed_end=packed_end,
        end=end,
        method=header.method,
        crc=header.crc,
        size=header.size,
        central=header.raw,
    )


def _check_local_sizes(
    data: bytes, header: Header, local: tuple[int, ...], packed_end: int, bound: int
) -> int:
    """Compare checksum and sizes of the local header; return where the entry ends."""
    declared = (header.crc, header.packed_size, header.size)
    if not header.flags & FLAG_DESCRIPTOR:
        if local != declared:
            _refuse("zip-mismatch", "two sizes or checksums", header.name)
        return packed_end
    if any(here not in (0, there) for here, there in zip(local, declared, strict=True)):
        _refuse("zip-mismatch", "two sizes or checksums", header.name)
    return _after_descriptor(data, packed_end, declared, bound, header.name)


def _after_descriptor(
    data: bytes, position: int, declared: tuple[int, int, int], bound: int, name: str
) -> int:
    """Return where the entry ends; the signature before the descriptor is optional."""
    expected = DESCRIPTOR.pack(*declared)
    for signature in (DESCRIPTOR_SIGNATURE, b""):
        end = position + len(signature) + DESCRIPTOR.size
        if end <= bound and data[position:end] == signature + expected:
            return end
    raise MalformedDocument(
        "data descriptor differs", reason="zip-mismatch", subject=printable(name)
    )

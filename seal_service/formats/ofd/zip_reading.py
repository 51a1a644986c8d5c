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

from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import Member, Notice, OFDContainer, unpack
from seal_service.formats.ofd.kept import crc32
from seal_service.formats.ofd.names import printable
from seal_service.formats.ofd.zip_headers import (
    CENTRAL_SIGNATURE,
    DESCRIPTOR,
    DESCRIPTOR_SIGNATURE,
    END,
    END_SIGNATURE,
    FLAG_DESCRIPTOR,
    LOCAL,
    LOCAL_SIGNATURE,
    MAX_16,
    MAX_32,
    ZIP64_LOCATOR,
    Header,
    check_extra,
    check_names,
    check_sizes,
    note,
    read_directory,
    refuse,
)


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
        refuse("zip-mismatch", "central directory out of place")
    headers = read_directory(data, directory_start, end, count, strict, notices)
    check_names(headers, limits, strict)
    check_sizes(headers, limits)
    members = _place(data, headers, base, directory_start, strict, notices)
    view = memoryview(data)
    entries: dict[str, bytes] = {}
    for member in members:
        if member.path.endswith("/"):
            continue
        packed = view[member.packed_start : member.packed_end]
        content = unpack(packed, method=member.method, size=member.size, path=member.path)
        if crc32(content) != member.crc:
            refuse("zip-mismatch", "checksum differs", member.path)
        entries[member.path] = content
    return OFDContainer(
        entries=entries, notices=tuple(notices.values()), data=data, members=members
    )


# --- 1. end record ---------------------------------------------------------------------------


def _find_end(data: bytes, strict: bool, notices: dict[str, Notice]) -> tuple[int, int, int, int]:
    """Return position of the end record, entry count, directory size and directory offset."""
    position = data.rfind(END_SIGNATURE)
    if position < 0 or position + END.size > len(data):
        cut = data.startswith(LOCAL_SIGNATURE) or position >= 0
        refuse("zip-truncated" if cut else "not-zip", "no end record")
    _, disk, start_disk, here, count, size, offset, comment = END.unpack_from(data, position)
    if _is_commented(data, position):
        refuse("zip-comment", "end record has a comment")
    if comment:
        refuse("zip-mismatch", "comment length is wrong")
    if MAX_16 in (disk, start_disk, here, count) or MAX_32 in (size, offset):
        refuse("zip64", "ZIP64 is not used in OFD")
    if disk or start_disk or here != count:
        refuse("zip64", "several disks")
    if data[max(position - 20, 0) : position].startswith(ZIP64_LOCATOR):
        refuse("zip64", "ZIP64 locator")
    if size > position:
        refuse("zip-mismatch", "central directory larger than the file")
    after = data[position + END.size :]
    if after:
        if strict or LOCAL_SIGNATURE in after or CENTRAL_SIGNATURE in after:
            refuse("zip-extra", "bytes after the end record")
        note(notices, "zip-extra", detail=f"{len(after)} bytes after the end record")
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
        refuse("zip-mismatch", "central directory in another order")
    start = base + ordered[0].offset if ordered else directory_start
    _check_before(data, start, strict, notices)
    members: list[Member] = []
    for header in ordered:
        offset = base + header.offset
        if offset != start:
            reason = "zip-overlap" if offset < start else "zip-gap"
            refuse(reason, "entries are not back to back", header.name)
        member = _read_local(data, header, offset, directory_start, strict)
        members.append(member)
        start = member.end
    if start != directory_start:
        refuse("zip-gap", "bytes before the central directory")
    return tuple(members)


def _check_before(data: bytes, start: int, strict: bool, notices: dict[str, Notice]) -> None:
    if start == 0:
        return
    before = data[:start]
    if LOCAL_SIGNATURE in before and END_SIGNATURE not in before:
        refuse("zip-gap", "an entry that the central directory does not know")
    if strict or LOCAL_SIGNATURE in before or END_SIGNATURE in before:
        refuse("zip-extra", "bytes before the first entry")
    note(notices, "zip-extra", detail=f"{start} bytes before the first entry")


def _read_local(data: bytes, header: Header, offset: int, bound: int, strict: bool) -> Member:
    name = header.name
    if offset + LOCAL.size > bound:
        refuse("zip-overlap", "local header out of place", name)
    fields = LOCAL.unpack_from(data, offset)
    name_end = offset + LOCAL.size + fields[9]
    packed_start = name_end + fields[10]
    packed_end = packed_start + header.packed_size
    if fields[0] != LOCAL_SIGNATURE:
        refuse("zip-mismatch", "not a local header", name)
    if packed_end > bound:
        refuse("zip-overlap", "entry runs into the central directory", name)
    if data[offset + LOCAL.size : name_end] != header.raw_name:
        refuse("zip-mismatch", "two names", name)
    if fields[2] != header.flags or fields[3] != header.method:
        refuse("zip-mismatch", "two methods or flags", name)
    if strict and (fields[1] != header.version or fields[4:6] != header.stamp):
        refuse("zip-mismatch", "two versions or times", name)
    if packed_start != name_end:
        check_extra(data[name_end:packed_start], header.raw_name, strict, {})
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
            refuse("zip-mismatch", "two sizes or checksums", header.name)
        return packed_end
    if any(here not in (0, there) for here, there in zip(local, declared, strict=True)):
        refuse("zip-mismatch", "two sizes or checksums", header.name)
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

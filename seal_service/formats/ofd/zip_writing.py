"""Write packages in one canonical form: same entries, same bytes.

Back to back from offset 0, ``OFD.xml`` first, stored or deflated, one fixed time, no extra fields,
no data descriptors, no comments, no directories; the UTF-8 flag only where a name needs it.
"""

import struct
from collections.abc import Iterable, Mapping

from seal_service.errors import LimitExceeded
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ofd.entries import DEFLATED, STORED, OFDContainer, StoredEntry
from seal_service.formats.ofd.kept import crc32, deflate, sm3
from seal_service.formats.ofd.names import check_distinct, check_entry_name
from seal_service.formats.ofd.zip_headers import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END_SIGNATURE,
    FIXED_STAMP,
    FLAG_UTF8,
    LOCAL,
    LOCAL_SIGNATURE,
    STRICT_VERSION,
)
from seal_service.formats.ofd.zip_reading import read_container

ROOT_ENTRY = "OFD.xml"
COMPRESSED_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""PNG and JPEG do not deflate."""
OFFSET_IN_CENTRAL = 42
PLAIN, FAST, SMALL = 0, 1, 9
"""Deflate levels: not at all, for entries made once, and for entries written many times."""


def pack(path: str, content: bytes, *, level: int = FAST) -> StoredEntry:
    """Make an entry; pictures, and what would only grow, are stored."""
    packed, method = content, STORED
    if level and not content.startswith(COMPRESSED_MAGIC):
        deflated = deflate(content, level)
        if len(deflated) < len(content):
            packed, method = deflated, DEFLATED
    return StoredEntry(
        path=path,
        method=method,
        crc=crc32(content),
        size=len(content),
        packed=packed,
        digest=sm3(content),
    )


def write_container(entries: Mapping[str, bytes] | Iterable[StoredEntry]) -> bytes:
    """Write a package. Contents given by path are packed at the fast level."""
    ordered = sorted(_packed(entries), key=lambda entry: entry.path != ROOT_ENTRY)
    _check_paths([entry.path for entry in ordered])
    return _assemble([], ordered)


def append_entries(
    original: bytes | OFDContainer, new: Mapping[str, bytes] | Iterable[StoredEntry]
) -> bytes:
    """Add entries at the end; every other entry keeps its bytes, header and descriptor included.

    An entry of ``new`` that exists already replaces the old one, which leaves no trace. Bytes
    before the first entry or after the end record are not carried over.
    """
    if isinstance(original, bytes):
        original = read_container(original)
    added = _packed(new)
    paths = {entry.path for entry in added}
    if not original.members:
        kept = [entry for path, entry in original.stored.items() if path not in paths]
        return write_container([*kept, *added])
    members = [member for member in original.members if member.path not in paths]
    _check_paths([*(member.path for member in members), *(entry.path for entry in added)])
    records = [(original.data[m.start : m.end], m.central) for m in members]
    return _assemble(records, added)


def _packed(entries: Mapping[str, bytes] | Iterable[StoredEntry]) -> list[StoredEntry]:
    if isinstance(entries, Mapping):
        return [pack(path, content) for path, content in entries.items()]
    return list(entries)


def _check_paths(paths: list[str]) -> None:
    if len(paths) > DEFAULT_LIMITS.package_members:
        raise LimitExceeded("too many entries", reason="limit", limit="package_members")
    check_distinct(paths)
    for path in paths:
        length = len(path.encode())
        check_entry_name(path, raw_length=length, limits=DEFAULT_LIMITS, strict=False)


def _assemble(records: list[tuple[bytes, bytes]], entries: list[StoredEntry]) -> bytes:
    """Lay down finished records, then new entries, the central directory and the end record."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for record, central in records:
        parts.append(record)
        place = struct.pack("<I", offset)
        directory.append(central[:OFFSET_IN_CENTRAL] + place + central[OFFSET_IN_CENTRAL + 4 :])
        offset += len(record)
    for entry in entries:
        name = entry.path.encode()
        flags = 0 if name.isascii() else FLAG_UTF8
        # Version needed, flags, method, time, date, checksum, both sizes, lengths: in both headers.
        shared = (
            STRICT_VERSION,
            flags,
            entry.method,
            *FIXED_STAMP,
            entry.crc,
            len(entry.packed),
            entry.size,
            len(name),
            0,
        )
        local = LOCAL.pack(LOCAL_SIGNATURE, *shared)
        parts += (local, name, entry.packed)
        directory.append(
            CENTRAL.pack(CENTRAL_SIGNATURE, STRICT_VERSION, *shared, 0, 0, 0, 0, offset)
        )
        directory.append(name)
        offset += LOCAL.size + len(name) + len(entry.packed)
    central_bytes = b"".join(directory)
    count = len(records) + len(entries)
    end = END.pack(END_SIGNATURE, 0, 0, count, count, len(central_bytes), offset, 0)
    return b"".join((*parts, central_bytes, end))

"""Entries of a package: stored form, content, digest; and the package as a whole.

A ``StoredEntry`` keeps the deflated bytes together with checksum, size and SM3 digest, so that the
entries which are the same for every licence of one template are deflated and hashed once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from seal_service.errors import MalformedDocument
from seal_service.formats.ofd.kept import inflate, sm3

STORED = 0
DEFLATED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A deviation that was read over, or a fault found in the structure; ``reason`` is stable."""

    reason: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry, ready to be written."""

    path: str
    method: int
    crc: int
    size: int
    packed: bytes
    digest: bytes
    """SM3 of the content."""

    def content(self) -> bytes:
        """Return the content, unpacked."""
        return unpack(self.packed, method=self.method, size=self.size, path=self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where one entry lies in the file it was read from."""

    path: str
    start: int
    """Of the local header."""
    packed_start: int
    packed_end: int
    end: int
    """After the data descriptor, if any."""
    method: int
    crc: int
    size: int
    central: bytes
    """The central header, as read."""


class LazyEntries(Mapping[str, bytes]):
    """Contents of stored entries, unpacked when asked for and then kept."""

    __slots__ = ("_contents", "_stored")

    def __init__(self, stored: Mapping[str, StoredEntry]) -> None:
        self._stored = stored
        self._contents: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        content = self._contents.get(path)
        if content is None:
            content = self._contents[path] = self._stored[path].content()
        return content

    def __contains__(self, path: object) -> bool:
        return path in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDContainer:
    """A package: its entries in file order, without directories."""

    entries: Mapping[str, bytes]
    notices: tuple[Notice, ...] = ()
    data: bytes = b""
    """The file it was read from; empty for a package that was never written."""
    members: tuple[Member, ...] = ()
    """In file order, directories included; empty for a package that was never written."""
    stored: Mapping[str, StoredEntry] = field(default_factory=dict)
    """For a package that was never written."""
    digests: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """SM3 by path, filled as needed."""

    @property
    def order(self) -> tuple[str, ...]:
        """Return the entry names in file order."""
        return tuple(self.entries)

    def digest_of(self, path: str) -> bytes:
        """Return the SM3 digest of an entry, computed once."""
        known = self.digests.get(path)
        if known is None:
            ready = self.stored.get(path)
            known = ready.digest if ready else sm3(self.entries[path])
            self.digests[path] = known
        return known

    def stored_entries(self) -> Iterator[StoredEntry]:
        """Yield every entry in its packed form, without deflating anything again."""
        if not self.members:
            yield from self.stored.values()
        for member in self.members:
            if not member.path.endswith("/"):
                yield StoredEntry(
                    path=member.path,
                    method=member.method,
                    crc=member.crc,
                    size=member.size,
                    packed=self.data[member.packed_start : member.packed_end],
                    digest=self.digest_of(member.path),
                )


def make_package(entries: Iterable[StoredEntry]) -> OFDContainer:
    """Put stored entries together as a package that need not be written and read to be sealed."""
    stored = {entry.path: entry for entry in entries}
    return OFDContainer(entries=LazyEntries(stored), stored=stored)


def unpack(packed: bytes | memoryview, *, method: int, size: int, path: str) -> bytes:
    """Inflate exactly ``size`` bytes, never more; refuse a stream that is longer or goes on."""
    try:
        content = bytes(packed) if method == STORED else inflate(bytes(packed), size)
    except ValueError as error:
        raise MalformedDocument(str(error), reason="zip-mismatch", subject=path) from None
    if len(content) != size:
        raise MalformedDocument("size differs", reason="zip-mismatch", subject=path)
    return content

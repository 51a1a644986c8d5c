"""Names inside a package: which entry names may exist, and what a location (ST_Loc) points to.

GB/T 33190-2016, 7.3 (ST_Loc): ``/x`` starts at the package root, anything else at the directory of
the file that holds the location. Two names that some reader takes for one are refused, because two
readers would then see two documents.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits

CLEAN_SEGMENT = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
CLEAN_NAME = re.compile(rf"{CLEAN_SEGMENT}(?:/{CLEAN_SEGMENT})*/?")
"""Names that no reader can take for another, apart from letter case."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
NOT_IN_LOCATIONS = re.compile(r"[\x00-\x1f\\?#]")
FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def collision_key(name: str) -> str:
    """Return a form in which names that some reader treats as equal are equal (T-OFD-02)."""
    if CLEAN_NAME.fullmatch(name):
        return name.lower().rstrip("/")
    plain = unicodedata.normalize("NFKC", unquote(name)).casefold().replace("\\", "/")
    segments = (segment.rstrip(". ") for segment in plain.split("/"))
    return "/".join(segment for segment in segments if segment)


def check_entry_name(name: str, *, raw_length: int, limits: Limits, strict: bool) -> None:
    """Refuse a name that leaves the package, hides something, or is not a plain path (T-OFD-03)."""
    if raw_length > limits.member_name_bytes:
        raise LimitExceeded("entry name too long", reason="limit", limit="member_name_bytes")
    if name.count("/") > limits.directory_depth:
        raise LimitExceeded("directories nested too deep", reason="limit", limit="directory_depth")
    if CLEAN_NAME.fullmatch(name):
        return
    body = name.removesuffix("/")
    if not body or "\\" in body or ":" in body:
        raise MalformedDocument("not a plain path", reason="entry-name", subject=printable(name))
    if any(unicodedata.category(character) in FORBIDDEN_CATEGORIES for character in body):
        raise MalformedDocument("hidden characters", reason="entry-name", subject=printable(name))
    for segment in body.split("/"):
        if segment.strip(". ") == "":
            raise MalformedDocument("dot segment", reason="entry-name", subject=printable(name))
        if strict and (segment != segment.strip(". ") or "%" in segment):
            raise MalformedDocument("unclean name", reason="entry-name", subject=printable(name))
    if strict and not unicodedata.is_normalized("NFC", body):
        raise MalformedDocument("name is not NFC", reason="entry-name", subject=printable(name))


def check_distinct(names: Collection[str]) -> None:
    """Refuse names that collide, and a file whose name is also a directory (T-OFD-01, 02)."""
    files: dict[str, str] = {}
    directories: set[str] = set()
    for name in names:
        key = collision_key(name)
        if name.endswith("/"):
            if key in directories:
                raise MalformedDocument(
                    "two entries, one name", reason="duplicate-entry", subject=printable(name)
                )
            directories.add(key)
            continue
        if key in files:
            raise MalformedDocument(
                "two entries, one name", reason="duplicate-entry", subject=printable(name)
            )
        files[key] = name
    for key in files:
        parent = key.rpartition("/")[0]
        while parent and parent not in directories:
            directories.add(parent)
            parent = parent.rpartition("/")[0]
    for key in files.keys() & directories:
        raise MalformedDocument(
            "a file is also a directory", reason="duplicate-entry", subject=printable(files[key])
        )


def printable(name: str) -> str:
    """Return ``name`` shortened and with every character that could mislead spelled out."""
    return name[:255].encode("unicode_escape").decode("ascii") if not name.isprintable() else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What a location points to."""

    path: str
    """Without leading slash; an entry of the package if ``present``."""
    present: bool
    notice: str = ""
    """``location-case``, ``location-root`` or empty."""


class LocationRefused(MalformedDocument):
    """A location leaves the package or can be read in two ways (T-OFD-29, 30, 59)."""


@dataclass(frozen=True, slots=True)
class NameTable:
    """The names of one package, for resolving locations."""

    names: Mapping[str, object]
    folded: Mapping[str, str]
    strict: bool

    @classmethod
    def of(cls, names: Mapping[str, object], *, strict: bool) -> "NameTable":
        """Index the names of a package."""
        return cls(names, {name.casefold(): name for name in names}, strict)

    def resolve(self, location: str, base: str, *also: str) -> Location:
        """Resolve a location found in a file whose directory is ``base`` ("" or "Doc_0").

        Foreign producers also count from the package root, or from the directories ``also``; that
        is read with a notice where it is the only reading. Raises ``LocationRefused`` for URLs,
        queries, fragments, climbing out of the package, and two entries that two readers may mean.
        """
        text = check_location(location)
        if text.startswith("/"):
            return self._find(normalise(text[1:], location), location)
        near = normalise(f"{base}/{text}" if base else text, location)
        others = {
            normalise(f"{way}/{text}" if way else text, location, may_climb=True)
            for way in ("", *also)
        } - {near}
        found = sorted(other for other in others if other in self.names)
        if near in self.names:
            if found:
                raise LocationRefused("two readings", reason="location", subject=printable(text))
            return Location(path=near, present=True)
        if len(found) == 1 and not self.strict:
            return Location(path=found[0], present=True, notice="location-root")
        return self._find(near, location)

    def _find(self, path: str, location: str) -> Location:
        if path in self.names:
            return Location(path=path, present=True)
        other = self.folded.get(path.casefold())
        if other is None:
            return Location(path=path, present=False)
        if self.strict:
            raise LocationRefused(
                "letter case differs", reason="location", subject=printable(location)
            )
        return Location(path=other, present=True, notice="location-case")


def check_location(location: str) -> str:
    """Refuse what cannot be a path inside the package; return it without outer blanks."""
    text = location.strip()
    if not text or text.startswith("//") or SCHEME.match(text):
        raise LocationRefused("not a path", reason="location", subject=printable(location))
    if NOT_IN_LOCATIONS.search(text):
        raise LocationRefused("not a path", reason="location", subject=printable(location))
    return text


def normalise(path: str, location: str, *, may_climb: bool = False) -> str:
    """Fold ``.`` and ``..``; refuse a path that leaves the package unless ``may_climb``."""
    if "./" not in path and "//" not in path and not path.endswith("."):
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment in ("", "."):
            continue
        if segment != "..":
            kept.append(segment)
        elif kept:
            kept.pop()
        elif not may_climb:
            raise LocationRefused(
                "leaves the package", reason="location", subject=printable(location)
            )
    return "/".join(kept)


def directory_of(path: str) -> str:
    """Return the directory of an entry, without trailing slash."""
    return path.rpartition("/")[0]

"""The package as a container: read it, write it, add to it."""

from seal_service.formats.ofd.entries import (
    Member,
    Notice,
    OFDContainer,
    StoredEntry,
    make_package,
)
from seal_service.formats.ofd.zip_reading import read_container
from seal_service.formats.ofd.zip_writing import append_entries, pack, write_container

__all__ = [
    "Member",
    "Notice",
    "OFDContainer",
    "StoredEntry",
    "append_entries",
    "make_package",
    "pack",
    "read_container",
    "write_container",
]

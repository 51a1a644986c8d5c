"""Files kept under their own digest (SM3, hexadecimal): stored once, checked at every reading.

``put`` returns when the bytes are on the disk: temporary file, fsync, rename, fsync of the folder.
A crash leaves only temporary files, which ``sweep`` removes, and files no row refers to.
"""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from keys.algorithms import file_digest, sm3
from seal_service.errors import StorageUnavailable
from seal_service.plumbing.errors import StoredFileDamaged
from seal_service.plumbing.logging import log_alarm
from seal_service.plumbing.volumes import check_folder

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LEFTOVER_SECONDS = 3600


class BlobStore(Protocol):
    """Keeps bytes under their digest."""

    def put(self, data: bytes) -> str:
        """Keep bytes durably; return their digest."""
        ...

    def get(self, digest: str) -> bytes:
        """Return bytes that still have this digest; raises ``StoredFileDamaged``."""
        ...

    def exists(self, digest: str) -> bool:
        """Tell whether something is kept under this digest."""
        ...

    def delete(self, digest: str) -> None:
        """Forget bytes; does nothing when they are not kept."""
        ...


class FolderBlobs:
    """A folder of files, two levels deep, named by digest.

    The folder is made when absent. Raises ``StorageRefused`` for a folder others could redirect or
    write to (T-STO-22).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        try:
            for made in (folder, self._incoming):
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(error) from error
        check_folder(folder)
        check_folder(self._incoming)

    def put(self, data: bytes) -> str:
        """Keep bytes durably; return their digest.

        A damaged file of that digest is replaced. Raises ``StorageUnavailable`` when the disk is
        full or fails; then nothing is kept (T-STO-03).
        """
        digest = file_digest(data).hex()
        path = self._path(digest)
        try:
            if not _holds(path, data):
                self._write(path, data)
            # Also when another writer was first: its rename may not be on the disk yet.
            for folder in (path.parent, path.parent.parent, self._folder):
                _sync_folder(folder)
        except OSError as error:
            raise _unavailable(error) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return bytes that still have this digest; raises ``StoredFileDamaged`` (T-STO-09)."""
        if _DIGEST.fullmatch(digest) is None:
            raise _damaged("", "malformed-digest")
        try:
            data = _read(self._path(digest))
        except FileNotFoundError:
            raise _damaged(digest, "missing") from None
        except OSError as error:
            raise _unavailable(error) from error
        if sm3(data).hex() != digest:
            raise _damaged(digest, "altered")
        return data

    def exists(self, digest: str) -> bool:
        """Tell whether something is kept under this digest."""
        return _DIGEST.fullmatch(digest) is not None and self._path(digest).is_file()

    def delete(self, digest: str) -> None:
        """Forget bytes; does nothing when they are not kept."""
        if _DIGEST.fullmatch(digest) is None:
            return
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(error) from error

    def digests(self) -> Iterator[str]:
        """Name everything that is kept, in no order: for the operator's scrub."""
        for path in self._folder.glob("??/??/*"):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def sweep(self, now: datetime) -> int:
        """Remove temporary files a crash left over an hour ago; return how many (T-STO-25)."""
        removed = 0
        for path in self._incoming.iterdir():
            try:
                if now.timestamp() - path.lstat().st_mtime > _LEFTOVER_SECONDS:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:4] / digest

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._incoming / token_hex(16)
        try:
            with temporary.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    # A link under a digest's name is not ours: it could lead to any file of the machine.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _holds(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and _read(path) == data
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(digest: str, reason: str) -> StoredFileDamaged:
    log_alarm("stored_file_damaged", digest=digest, reason=reason)
    return StoredFileDamaged(digest=digest, reason=reason)


def _unavailable(error: OSError) -> StorageUnavailable:
    log_alarm("storage_unavailable", error=os.strerror(error.errno) if error.errno else "")
    return StorageUnavailable()

"""Files that hold secrets: who may own them, which modes they may have, how they are written.

A folder is 0700 and a file 0600, both owned by the user the service runs as, neither a symbolic
link (T-KEY-01). A new file is written beside its place, made durable, and put there only if the
place is free: a key is never written over.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from keys.durable import sync_folder
from keys.errors import KeyStoreRefused, KeyStoreUnavailable

MAX_FILE_BYTES = 64 * 1024
_LOOSE = 0o077
_LOOSE_CREDENTIAL = 0o027


def check_folder(folder: Path) -> None:
    """Raise ``KeyStoreRefused`` unless ``folder`` is a private folder of this user."""
    try:
        status = folder.lstat()
    except OSError as error:
        raise KeyStoreUnavailable("folder cannot be reached", reason="folder") from error
    _check_status(status, is_folder=True)


def make_folder(folder: Path) -> None:
    """Make a private folder where there is none, and check what is there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise KeyStoreRefused("not a folder", reason="not-a-folder") from None
    except OSError as error:
        raise KeyStoreUnavailable("folder cannot be made", reason="folder") from error
    check_folder(folder)


def read_file(path: Path, *, is_credential: bool = False) -> bytes:
    """Read a private file.

    ``is_credential`` is for files that the service manager hands over: they may be owned by root,
    and their group bits are the mask of the access list that lets this user in (systemd.exec(5)).
    Raises ``FileNotFoundError`` where there is none, ``KeyStoreRefused`` for a link, a loose mode,
    another owner or an unreasonable size, ``KeyStoreUnavailable`` where reading fails.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        if path.is_symlink():
            raise KeyStoreRefused("symbolic link", reason="symbolic-link") from None
        raise KeyStoreUnavailable("file cannot be read", reason="file") from error
    check = _check_credential if is_credential else _check_file
    try:
        check(os.fstat(handle))
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyStoreUnavailable("file cannot be read", reason="file") from error
    finally:
        os.close(handle)
    if len(data) > MAX_FILE_BYTES:
        raise KeyStoreRefused("file is too large", reason="damaged")
    return data


def write_new_file(path: Path, data: bytes) -> None:
    """Write a private file that is complete and durable when it appears.

    Raises ``FileExistsError`` where the place is taken, ``KeyStoreUnavailable`` where writing
    fails.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise KeyStoreUnavailable("file cannot be written", reason="file") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _check_status(status: os.stat_result, *, is_folder: bool) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise KeyStoreRefused("symbolic link", reason="symbolic-link")
    is_right_kind = stat.S_ISDIR(status.st_mode) if is_folder else stat.S_ISREG(status.st_mode)
    if not is_right_kind:
        raise KeyStoreRefused("not a plain file or folder", reason="not-a-folder")
    if status.st_uid != os.geteuid():
        raise KeyStoreRefused("owned by another user", reason="owner")
    if status.st_mode & _LOOSE:
        raise KeyStoreRefused("others may reach it", reason="loose-mode")


def _check_file(status: os.stat_result) -> None:
    _check_status(status, is_folder=False)


def _check_credential(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyStoreRefused("not a plain file or folder", reason="not-a-folder")
    if status.st_uid not in (0, os.geteuid()):
        raise KeyStoreRefused("owned by another user", reason="owner")
    if status.st_mode & _LOOSE_CREDENTIAL:
        raise KeyStoreRefused("others may reach it", reason="loose-mode")


def read_passphrase(path: Path, *, is_credential: bool = False) -> bytes:
    """Read a pass-phrase from a private file; a line end after it does not count.

    Raises ``KeyStoreRefused`` for a file that others may reach, or an empty one.
    """
    try:
        passphrase = read_file(path, is_credential=is_credential).rstrip(b"\r\n")
    except FileNotFoundError:
        raise KeyStoreRefused("no pass-phrase file", reason="passphrase-missing") from None
    if not passphrase:
        raise KeyStoreRefused("empty pass-phrase file", reason="passphrase-missing")
    return passphrase

"""Is a folder fit to hold the service's data? Asked once at start-up (T-STO-21, T-STO-22)."""

import os
import stat
from pathlib import Path

from seal_service.plumbing.errors import StorageRefused

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        "afs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)


def check_folder(folder: Path) -> None:
    """Refuse a folder that others could redirect or write to.

    Raises ``StorageRefused`` when it is a symbolic link, no folder, another user's, or writable
    for everyone.
    """
    try:
        found = folder.lstat()
    except OSError:
        raise StorageRefused("数据目录不存在", reason="missing") from None
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise StorageRefused("数据目录不是普通目录（例如是符号链接）", reason="not-a-folder")
    if found.st_uid != os.geteuid():
        raise StorageRefused("数据目录不属于运行服务的用户", reason="other-owner")
    if found.st_mode & stat.S_IWOTH:
        raise StorageRefused("数据目录允许任何用户写入", reason="world-writable")


def check_is_local(folder: Path, mounts: str | None = None) -> None:
    """Refuse a network file system: locks and shared memory of SQLite do not hold there.

    ``mounts`` is the text of ``/proc/self/mountinfo``; where the system has none, nothing is
    refused. Raises ``StorageRefused``.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    kind = _file_system_of(folder.resolve(), mounts)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise StorageRefused("SQLite 数据库不能放在网络共享目录上", reason=kind)


def _file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the mount that holds ``folder``; the last and longest one wins."""
    longest, kind = -1, ""
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(fields[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split(" ", 1)[0]
    return kind

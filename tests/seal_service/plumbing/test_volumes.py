"""Folders and file systems that must not hold data (T-STO-21, T-STO-22)."""

from pathlib import Path

import pytest

from seal_service.plumbing.errors import StorageRefused
from seal_service.plumbing.volumes import check_folder, check_is_local

LOCAL = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
SHARE = "40 22 0:50 / /srv/share rw - {} server:/share rw\n"


def test_a_folder_of_our_own_is_accepted(tmp_path: Path) -> None:
    check_folder(tmp_path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(StorageRefused) as caught:
        check_folder(tmp_path / "link")
    assert caught.value.params["reason"] == "not-a-folder"


def test_a_missing_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(StorageRefused):
            check_folder(tmp_path / name)


def test_a_folder_everyone_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StorageRefused) as caught:
        check_folder(tmp_path)
    tmp_path.chmod(0o700)
    assert caught.value.params["reason"] == "world-writable"


def test_a_folder_of_another_user_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StorageRefused) as caught:
        check_folder(tmp_path)
    assert caught.value.params["reason"] == "other-owner"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_share_is_refused(kind: str) -> None:
    with pytest.raises(StorageRefused) as caught:
        check_is_local(Path("/srv/share/data"), LOCAL + SHARE.format(kind))
    assert caught.value.params["reason"] == kind


def test_what_stands_beside_a_share_is_local() -> None:
    check_is_local(Path("/srv/shared"), LOCAL + SHARE.format("nfs4"))
    check_is_local(Path("/srv/share/data"), LOCAL + SHARE.format("ext4"))


def test_a_mount_list_that_cannot_be_read_refuses_nothing() -> None:
    check_is_local(Path("/srv"), "garbage\n\n - \n1 2 3 - nfs\n")

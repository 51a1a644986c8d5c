"""Files by digest: durable, checked, nothing left half-written (T-STO-03, 09, 22, 25; T-API-21)."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import sm3
from seal_service.errors import StorageUnavailable
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.errors import StorageRefused, StoredFileDamaged


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def file_of(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "blobs" / digest[:2] / digest[2:4] / digest


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_come_back_under_their_sm3_digest(blobs: FolderBlobs) -> None:
    digest = blobs.put(b"content")
    assert digest == sm3(b"content").hex()
    assert blobs.get(digest) == b"content"
    assert blobs.exists(digest)
    assert list(blobs.digests()) == [digest]


def test_the_same_bytes_are_kept_once(blobs: FolderBlobs, tmp_path: Path) -> None:
    assert blobs.put(b"content") == blobs.put(b"content")
    assert len(everything(tmp_path)) == 1


def test_files_are_for_the_service_only(blobs: FolderBlobs, tmp_path: Path) -> None:
    path = file_of(tmp_path, blobs.put(b"content"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"conten", b"contenT", b"content\n"])
def test_a_damaged_file_is_not_handed_out(
    blobs: FolderBlobs, tmp_path: Path, damage: bytes
) -> None:
    """T-STO-09."""
    digest = blobs.put(b"content")
    file_of(tmp_path, digest).write_bytes(damage)
    with pytest.raises(StoredFileDamaged) as caught:
        blobs.get(digest)
    assert caught.value.params["reason"] == "altered"


def test_a_file_swapped_with_another_is_not_handed_out(blobs: FolderBlobs, tmp_path: Path) -> None:
    """T-STO-09."""
    one, other = blobs.put(b"one"), blobs.put(b"other")
    file_of(tmp_path, other).replace(file_of(tmp_path, one))
    with pytest.raises(StoredFileDamaged):
        blobs.get(one)


def test_a_missing_file_is_a_damage(blobs: FolderBlobs) -> None:
    with pytest.raises(StoredFileDamaged) as caught:
        blobs.get("0" * 64)
    assert caught.value.params["reason"] == "missing"


def test_putting_the_bytes_again_mends_a_damaged_file(blobs: FolderBlobs, tmp_path: Path) -> None:
    digest = blobs.put(b"content")
    file_of(tmp_path, digest).write_bytes(b"contenT")
    blobs.put(b"content")
    assert blobs.get(digest) == b"content"


def test_a_link_under_a_digest_is_neither_followed_nor_trusted(
    blobs: FolderBlobs, tmp_path: Path
) -> None:
    """T-STO-22."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"content")
    path = file_of(tmp_path, sm3(b"content").hex())
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)
    with pytest.raises(StorageUnavailable):
        blobs.get(path.name)
    blobs.put(b"content")
    assert not path.is_symlink()
    assert blobs.get(path.name) == b"content"


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "..",
        "../../../../etc/passwd",
        "0" * 63,
        "0" * 65,
        "A" * 64,
        "0" * 63 + "/",
        "0" * 63 + "\n",
    ],
)
def test_a_name_that_is_no_digest_leads_to_no_file(blobs: FolderBlobs, digest: str) -> None:
    """T-API-21."""
    assert not blobs.exists(digest)
    blobs.delete(digest)
    with pytest.raises(StoredFileDamaged):
        blobs.get(digest)


def test_deleting_is_repeatable(blobs: FolderBlobs) -> None:
    digest = blobs.put(b"content")
    blobs.delete(digest)
    blobs.delete(digest)
    assert not blobs.exists(digest)


@pytest.mark.parametrize("call", ["fsync", "fchmod", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_keeps_nothing_and_recovers(
    blobs: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """T-STO-03."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{call}", fail)
        with pytest.raises(StorageUnavailable):
            blobs.put(b"content")
    assert not list((tmp_path / "blobs" / "incoming").iterdir())
    assert blobs.get(blobs.put(b"content")) == b"content"


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """T-STO-22."""
    (tmp_path / "real").mkdir()
    (tmp_path / "blobs").symlink_to(tmp_path / "real")
    with pytest.raises(StorageRefused):
        FolderBlobs(tmp_path / "blobs")


def test_a_folder_that_cannot_be_made_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable):
        FolderBlobs(tmp_path / "file" / "blobs")


def test_the_sweep_removes_only_what_a_crash_left(blobs: FolderBlobs, tmp_path: Path) -> None:
    """T-STO-25."""
    digest = blobs.put(b"content")
    incoming = tmp_path / "blobs" / "incoming"
    (incoming / "old").write_bytes(b"half")
    (incoming / "new").write_bytes(b"half")
    now = datetime.now(UTC)
    two_hours_ago = (now - timedelta(hours=2)).timestamp()
    os.utime(incoming / "old", (two_hours_ago, two_hours_ago))
    assert blobs.sweep(now) == 1
    assert [path.name for path in incoming.iterdir()] == ["new"]
    assert blobs.get(digest) == b"content"


@given(st.binary(max_size=200))
def test_whatever_is_put_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = FolderBlobs(tmp_path_factory.mktemp("blobs"))
    assert blobs.get(blobs.put(data)) == data

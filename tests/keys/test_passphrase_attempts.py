"""Wrong pass-phrases are counted on disk, and each makes the next wait longer (T-KEY-02)."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.errors import KeyStoreRefused, KeyStoreUnavailable
from keys.keystore import KeyStore
from keys.passphrase_attempts import FILE_NAME, PassphraseAttempts, delay_after

PASSPHRASE = b"correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    KeyStore(tmp_path / "keys", PASSPHRASE).generate("key", KeyAlgorithm.SM2)
    return tmp_path / "keys"


def refuse(folder: Path) -> list[float]:
    """Try a wrong pass-phrase; return the waits."""
    waits: list[float] = []
    with pytest.raises(KeyStoreRefused) as caught:
        KeyStore(folder, b"another pass-phrase", pause=waits.append)
    assert caught.value.params == {"reason": "cannot-open"}
    return waits


def test_each_wrong_passphrase_doubles_the_wait_over_restarts(folder: Path) -> None:
    """T-KEY-02: every opening here is a new store, as of a new process."""
    waits = [refuse(folder) for _ in range(9)]
    assert waits == [[1], [2], [4], [8], [16], [32], [60], [60], [60]]
    assert PassphraseAttempts(folder).count() == 9


def test_the_right_passphrase_ends_the_count_and_waits_for_nothing(folder: Path) -> None:
    refuse(folder)
    refuse(folder)
    waits: list[float] = []
    store = KeyStore(folder, PASSPHRASE, pause=waits.append)
    assert store.sign_with("key", b"message")
    assert waits == []
    assert not (folder / FILE_NAME).exists()
    assert refuse(folder) == [1]


def test_killing_the_process_while_it_waits_gains_nothing(folder: Path) -> None:
    """T-KEY-02."""
    code = (
        "import pathlib, sys\n"
        "from keys.keystore import KeyStore\n"
        "KeyStore(pathlib.Path(sys.argv[1]), b'another pass-phrase', pause=lambda s: input())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE)
    while not (folder / FILE_NAME).exists():
        assert child.poll() is None
    child.kill()
    child.communicate(timeout=60)
    assert PassphraseAttempts(folder).count() == 1
    waits: list[float] = []
    KeyStore(folder, PASSPHRASE, pause=waits.append)
    assert waits == [1]


def test_attempts_side_by_side_are_all_counted(folder: Path) -> None:
    """T-KEY-02."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: refuse(folder), range(6)))
    assert PassphraseAttempts(folder).count() == 6


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"[]", b'{"count": 0, "owes_wait": false}', b'{"count": "9", "owes_wait": 1}',
     b'{"count": true, "owes_wait": false}', b"[" * 5_000],
)  # fmt: skip
def test_a_damaged_count_is_no_way_around_it(folder: Path, damage: bytes) -> None:
    (folder / FILE_NAME).write_bytes(damage)
    (folder / FILE_NAME).chmod(0o600)
    assert refuse(folder) == [1, 2]
    KeyStore(folder, PASSPHRASE, pause=lambda _: None)


def test_the_count_is_private_and_says_nothing_else(folder: Path) -> None:
    """T-KEY-01, T-KEY-03."""
    refuse(folder)
    path = folder / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"count": 1, "owes_wait": False}
    path.chmod(0o644)
    with pytest.raises(KeyStoreRefused) as caught:
        KeyStore(folder, PASSPHRASE)
    assert caught.value.params["reason"] == "loose-mode"


def test_where_it_cannot_be_counted_nothing_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyStoreUnavailable):
        KeyStore(folder, b"another pass-phrase", pause=lambda _: None)


def test_the_wait_has_an_end() -> None:
    assert [delay_after(count) for count in (0, 1, 2, 7, 10**6)] == [0, 1, 2, 60, 60]

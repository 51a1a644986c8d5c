"""Service secrets: made once, kept encrypted beside the keys."""

from pathlib import Path

import pytest

from keys.errors import KeyStoreRefused
from keys.keystore import KeyStore


def test_a_service_secret_stays_the_same_and_is_not_in_the_file(tmp_path: Path) -> None:
    """T-KEY-09."""
    folder = tmp_path / "keys"
    made = KeyStore(folder, b"pass-phrase of tests").service_secret("licence-index")
    again = KeyStore(folder, b"pass-phrase of tests")
    assert (len(made), again.service_secret("licence-index")) == (32, made)
    assert again.service_secret("callers") != made
    stored = (folder / "licence-index.secret").read_bytes()
    assert made not in stored
    assert made.hex().encode() not in stored
    assert again.names() == ()


def test_a_service_secret_under_another_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    store = KeyStore(folder, b"pass-phrase of tests")
    store.service_secret("one")
    (folder / "one.secret").rename(folder / "two.secret")
    with pytest.raises(KeyStoreRefused):
        store.service_secret("two")

"""Service secrets: made once, kept encrypted beside the keys."""

from pathlib import Path

import pytest

from keys.errors import KeyStoreRefused
from keys.keystore import KeyStore


def test_a_service_secret_under_another_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    store = KeyStore(folder, b"pass-phrase of tests")
    store.service_secret("one")
    (folder / "one.secret").rename(folder / "two.secret")
    with pytest.raises(KeyStoreRefused):
        store.service_secret("two")

"""What is counted per key."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.errors import InvalidKey, KeyStoreUnavailable
from keys.keystore import KeyStore
from keys.signers import KeyMeter, KeyStats


def test_signatures_failures_and_time_are_counted_per_key() -> None:
    ticks = iter([0.0, 0.5, 1.0, 1.25, 2.0, 9.0])
    meter = KeyMeter(monotonic=lambda: next(ticks))
    for _ in range(2):
        with meter.signing("b"):
            pass
    with pytest.raises(KeyStoreUnavailable), meter.signing("a"):
        raise KeyStoreUnavailable("away", reason="device-gone")
    assert meter.stats() == (
        KeyStats(name="a", failures=1, last_error="device-gone"),
        KeyStats(name="b", signatures=2, seconds=0.75, slowest_seconds=0.5),
    )


def test_a_failure_without_a_reason_is_told_by_its_code() -> None:
    meter = KeyMeter()
    with pytest.raises(InvalidKey), meter.signing("a"):
        raise InvalidKey
    assert meter.stats()[0].last_error == "invalid-key"


def test_no_count_is_lost_between_threads() -> None:
    ticks = count()
    meter = KeyMeter(monotonic=lambda: float(next(ticks)))

    def work(_: int) -> None:
        for _ in range(500):
            with meter.signing("key"):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert meter.stats()[0].signatures == 4_000


def test_the_file_store_counts(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys", b"correct horse battery")
    store.generate("key", KeyAlgorithm.SM2)
    assert store.stats() == ()
    store.sign_with("key", b"message")
    (stats,) = store.stats()
    assert (stats.name, stats.signatures, stats.failures) == ("key", 1, 0)
    assert 0 < stats.slowest_seconds <= stats.seconds

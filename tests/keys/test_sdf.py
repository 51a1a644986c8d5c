"""Keys in a device of GM/T 0018, against a small library in C that behaves like one."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keys.algorithms import OID_SM2_WITH_SM3, KeyAlgorithm
from keys.device_store import DeviceStore
from keys.errors import KeyNotFound, KeyStoreRefused, KeyStoreUnavailable
from keys.public_key import verify_signature
from keys.sdf import SDFDevice, SDFKey
from keys.signers import MeteredKeyMaker
from tests.support.sdf_device import PASSPHRASE, TestDevice, device_in, reason_to_skip

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


@pytest.fixture
def device(tmp_path: Path) -> Iterator[TestDevice]:
    with device_in(tmp_path) as made:
        made.add(1)
        made.add(2, b"card-pass-2")
        yield made
        assert made.count("misuse") == 0, "no call with a handle that is closed"


KEYS = {
    "seal-maker": SDFKey(index=1, passphrase=PASSPHRASE),
    "holder": SDFKey(index=2, passphrase=b"card-pass-2"),
    "absent": SDFKey(index=9, passphrase=PASSPHRASE),
}


def open_store(device: TestDevice, sessions: int = 4, wait_seconds: float = 5) -> DeviceStore:
    made = SDFDevice(device.module, KEYS)
    return DeviceStore(made, sessions=sessions, wait_seconds=wait_seconds)


def check(store: DeviceStore, name: str, message: bytes = b"message") -> None:
    signature = store.sign_with(name, message)
    verify_signature(store.public_key(name), message, signature, OID_SM2_WITH_SM3)


def refusal(store: DeviceStore, name: str = "seal-maker") -> str:
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.sign_with(name, b"message")
    return str(caught.value.params["reason"])


# Signing


def test_the_device_is_a_key_store(device: TestDevice) -> None:
    keys: MeteredKeyMaker = open_store(device)
    assert keys.names() == ("holder", "seal-maker")
    assert keys.has("holder")
    assert not keys.has("absent")
    assert not keys.has("another")
    assert keys.health().is_ready


def test_a_signature_of_the_device_verifies(device: TestDevice) -> None:
    point = device.add(1)
    store = open_store(device)
    check(store, "seal-maker")
    check(store, "holder")
    assert store.public_key("seal-maker").point == point


def test_short_numbers_are_read_from_the_right_end(device: TestDevice) -> None:
    """One r or s in 128 has a leading zero byte."""
    store = open_store(device)
    for number in range(300):
        check(store, "seal-maker", f"message {number}".encode())


def test_sessions_sign_side_by_side_and_are_few(device: TestDevice) -> None:
    store = open_store(device, sessions=3)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: check(store, ("seal-maker", "holder")[n % 2]), range(120)))
    assert 1 <= device.count("sessions") <= 3
    assert sum(one.signatures for one in store.stats()) == 120
    store.close()
    assert device.count("sessions") == 0


def test_the_passphrase_is_given_once_per_session_and_key(device: TestDevice) -> None:
    store = open_store(device)
    for _ in range(10):
        store.sign_with("seal-maker", b"message")
    assert device.count("right_calls") == 1


def test_keys_are_made_with_the_vendors_tool(device: TestDevice) -> None:
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(device).generate("absent", KeyAlgorithm.SM2)
    assert caught.value.params["reason"] == "generate"


def test_a_key_the_device_lacks_is_not_found(device: TestDevice) -> None:
    for name in ("absent", "another"):
        with pytest.raises(KeyNotFound):
            open_store(device).sign_with(name, b"message")


# Refusals


def test_a_wrong_passphrase_is_offered_once(device: TestDevice) -> None:
    """T-KEY-02: the device locks a key after five."""
    device.add(1, b"changed")
    store = open_store(device)
    for _ in range(8):
        with pytest.raises(KeyStoreRefused) as caught:
            store.sign_with("seal-maker", b"message")
        assert caught.value.params["reason"] == "passphrase-wrong"
        assert PASSPHRASE.decode() not in str(caught.value)
    assert device.count("right_calls") == 1
    check(store, "holder")


@pytest.mark.parametrize("fault", ["flip", "long", "zero"])
def test_a_faulty_signature_does_not_leave(device: TestDevice, fault: str) -> None:
    """T-KEY-10."""
    store = open_store(device)
    check(store, "seal-maker")
    device.write(f"fault {fault}")
    assert refusal(store) == "bad-signature"
    device.write()
    check(store, "seal-maker")


def test_another_key_under_the_number_does_not_sign(device: TestDevice) -> None:
    """T-KEY-04, T-KEY-10: the key read at first use is the one that must have signed."""
    store = open_store(device)
    check(store, "seal-maker")
    device.add(1)
    assert refusal(store) == "bad-signature"


@pytest.mark.parametrize("module", ["none.so", "text.so"])
def test_the_library_must_be_one(tmp_path: Path, module: str) -> None:
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(KeyStoreRefused) as caught:
        SDFDevice(tmp_path / module, KEYS)
    assert caught.value.params["reason"] == "module"


def test_a_library_of_something_else_is_refused() -> None:
    with pytest.raises(KeyStoreRefused) as caught:
        SDFDevice(Path("libc.so.6"), KEYS)
    assert caught.value.params["reason"] == "module"


def test_nothing_shows_a_passphrase(device: TestDevice) -> None:
    """T-KEY-03."""
    shown = repr(KEYS) + repr(SDFDevice(device.module, KEYS))
    assert PASSPHRASE.decode() not in shown


# Loss


@pytest.mark.parametrize("style", [(), ("plain-codes",)])
def test_a_device_that_is_gone_is_unavailable_until_it_returns(
    device: TestDevice, style: tuple[str, ...]
) -> None:
    """T-KEY-05."""
    device.write(*style)
    store = open_store(device)
    check(store, "seal-maker")
    device.remove()
    for _ in range(3):
        assert refusal(store) == "device-gone"
    assert not store.health().is_ready
    assert store.health().problem == "device-gone"
    device.write(*style)
    check(store, "seal-maker")
    (stats,) = store.stats()
    assert (stats.signatures, stats.failures, stats.last_error) == (2, 3, "device-gone")


def test_a_device_that_is_away_at_the_start_stops_it(device: TestDevice) -> None:
    device.remove()
    with pytest.raises(KeyStoreUnavailable):
        open_store(device)


def test_a_restarted_device_is_not_noticed(device: TestDevice) -> None:
    """T-KEY-05: sessions and rights are gone; they are opened again."""
    store = open_store(device)
    check(store, "seal-maker")
    device.write("epoch 1")
    check(store, "seal-maker")


def test_restarts_under_load_lose_no_signature(device: TestDevice) -> None:
    """T-KEY-05: and the library never sees a call on a device that is closed."""
    store = open_store(device, sessions=4)
    for name in ("seal-maker", "holder"):
        store.public_key(name)
    failed: list[str] = []

    def sign(number: int) -> None:
        try:
            check(store, ("seal-maker", "holder")[number % 2])
        except KeyStoreUnavailable as error:
            failed.append(str(error.params["reason"]))

    with ThreadPoolExecutor(9) as pool:
        running = [pool.submit(sign, number) for number in range(400)]
        for epoch in range(1, 6):
            device.write(f"epoch {epoch}")
            time.sleep(0.03)
        for one in running:
            one.result()
    assert set(failed) <= {"device-gone"}, "a second restart within one signature"
    check(store, "seal-maker")


def test_a_key_deleted_in_the_middle_of_work_is_unavailable(device: TestDevice) -> None:
    """T-KEY-05."""
    store = open_store(device)
    check(store, "seal-maker")
    del device.keys[1]
    device.write()
    assert refusal(store) == "key-gone"
    check(store, "holder")


def test_a_device_without_a_free_session_says_so(device: TestDevice) -> None:
    device.write("sessions 0")
    with pytest.raises(KeyStoreUnavailable) as caught:
        open_store(device)
    assert caught.value.params["reason"] == "session-lost"


def test_whoever_waits_too_long_for_a_session_is_told(device: TestDevice) -> None:
    store = open_store(device, sessions=1, wait_seconds=0.05)
    store.public_key("seal-maker")
    with store._pool._turn():
        assert refusal(store) == "busy"
    check(store, "seal-maker")


def test_an_error_of_the_vendors_own_is_told_by_number(device: TestDevice) -> None:
    store = open_store(device)
    store.public_key("seal-maker")
    device.write("fault fail")
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.sign_with("seal-maker", b"message")
    assert caught.value.params == {"reason": "failed", "device_code": 0x0100000C}

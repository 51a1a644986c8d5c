"""Keys in a real PKCS#11 token: SoftHSM, with RSA."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keys.algorithms import OID_RSA_WITH_SHA256, KeyAlgorithm
from keys.device_store import DeviceStore
from keys.errors import KeyNotFound, KeyStoreRefused, KeyStoreUnavailable
from keys.pkcs11_store import SM2Dialect, Token, TokenOptions
from keys.public_key import verify_signature
from keys.signers import MeteredKeyMaker
from tests.support.softhsm import LABEL, PIN, SoftToken, make_token, reason_to_skip

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
RSA, SM2 = KeyAlgorithm.RSA, KeyAlgorithm.SM2


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    before = os.environ.get("SOFTHSM2_CONF")
    yield make_token(tmp_path_factory.mktemp("softhsm"))
    os.environ.pop("SOFTHSM2_CONF")
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


def options(soft: SoftToken, passphrase: bytes = PIN, label: str = LABEL) -> TokenOptions:
    return TokenOptions(module=soft.module, token_label=label, passphrase=passphrase)


@pytest.fixture(scope="module")
def token(soft: SoftToken) -> Token:
    return Token(options(soft))


@pytest.fixture(scope="module")
def store(token: Token) -> DeviceStore:
    store = DeviceStore(token, sessions=3)
    store.generate("rsa-key", RSA)
    return store


def test_the_token_is_a_key_store(store: DeviceStore) -> None:
    keys: MeteredKeyMaker = store
    assert keys.has("rsa-key")
    assert not keys.has("none")
    assert keys.public_key("rsa-key").bits == 3072
    assert keys.health().is_ready


def test_a_signature_of_the_token_verifies(store: DeviceStore) -> None:
    signature = store.sign_with("rsa-key", b"message")
    verify_signature(store.public_key("rsa-key"), b"message", signature, OID_RSA_WITH_SHA256)


def test_many_threads_share_a_few_sessions(store: DeviceStore) -> None:
    def sign(number: int) -> None:
        message = f"message {number}".encode()
        signature = store.sign_with("rsa-key", message)
        verify_signature(store.public_key("rsa-key"), message, signature, OID_RSA_WITH_SHA256)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sign, range(24))) == [None] * 24


def test_a_private_key_of_the_token_cannot_be_read(store: DeviceStore, token: Token) -> None:
    """T-KEY-09."""
    PyKCS11 = pytest.importorskip("PyKCS11")  # noqa: N806 - the name of the package
    session = token.open_session()._session
    template = [(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_LABEL, "rsa-key")]
    (found,) = session.findObjects(template)
    (value,) = session.getAttributeValue(found, [PyKCS11.CKA_PRIVATE_EXPONENT], allAsBinary=True)
    session.closeSession()
    assert not value


def test_a_name_is_used_once(store: DeviceStore) -> None:
    with pytest.raises(KeyStoreRefused) as caught:
        store.generate("rsa-key", RSA)
    assert caught.value.params["reason"] == "name-taken"


def test_a_missing_key_is_not_found(store: DeviceStore) -> None:
    with pytest.raises(KeyNotFound):
        store.sign_with("none", b"message")


def test_sm2_needs_the_vendors_numbers(store: DeviceStore) -> None:
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.generate("sm2-key", SM2)
    assert caught.value.params["reason"] == "not-supported"


def test_a_mechanism_the_token_does_not_have_is_named(soft: SoftToken, token: Token) -> None:
    dialect = SM2Dialect(mechanism=0x80000001, generate_mechanism=0x80000002)
    session = token.open_session()
    session._options = TokenOptions(
        module=soft.module, token_label=LABEL, passphrase=PIN, sm2=dialect
    )
    with pytest.raises(KeyStoreUnavailable) as caught:
        session.generate("sm2-key", SM2)
    session.close()
    assert caught.value.params == {"reason": "not-supported", "device_code": 0x70}


def test_the_library_must_be_one() -> None:
    wrong = TokenOptions(module=Path("none.so"), token_label=LABEL, passphrase=PIN)
    with pytest.raises(KeyStoreRefused) as caught:
        Token(wrong)
    assert caught.value.params["reason"] == "module"


def test_another_token_is_not_taken_for_it(soft: SoftToken, store: DeviceStore) -> None:
    with pytest.raises(KeyStoreUnavailable) as caught:
        Token(options(soft, label="other")).open_session()
    assert caught.value.params["reason"] == "device-gone"


def test_what_is_counted_shows_in_the_stats(store: DeviceStore) -> None:
    before = {one.name: one for one in store.stats()}.get("rsa-key")
    store.sign_with("rsa-key", b"message")
    (after,) = [one for one in store.stats() if one.name == "rsa-key"]
    assert after.signatures == (before.signatures if before else 0) + 1
    assert after.seconds > 0


def test_a_closed_session_is_opened_again(store: DeviceStore) -> None:
    """T-KEY-05: what the token closed does not show."""
    for pooled in store._pool._idle:
        pooled.session.close()
    assert store.sign_with("rsa-key", b"message")


def test_a_deleted_key_stops_signing_and_nothing_else(store: DeviceStore, token: Token) -> None:
    """T-KEY-05."""
    PyKCS11 = pytest.importorskip("PyKCS11")  # noqa: N806
    store.generate("short-lived", RSA)
    library = token._library
    session = library.openSession(token._slot(), PyKCS11.CKF_RW_SESSION)
    for found in session.findObjects([(PyKCS11.CKA_LABEL, "short-lived")]):
        session.destroyObject(found)  # type: ignore[attr-defined]
    session.closeSession()
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.sign_with("short-lived", b"message")
    assert caught.value.params["reason"] == "key-gone"
    assert store.sign_with("rsa-key", b"message")


CHILD = """
import pathlib, sys
from keys.device_store import DeviceStore
from keys.errors import ServiceError
from keys.pkcs11_store import Token, TokenOptions

module, label, passphrase = sys.argv[1:]
token = Token(TokenOptions(
    module=pathlib.Path(module), token_label=label, passphrase=passphrase.encode()))
try:
    store = DeviceStore(token)
except ServiceError as error:
    print(error.code, error.params["reason"])
    sys.exit()
for line in sys.stdin:
    try:
        store.sign_with("rsa-key", line.encode())
        print("signed", flush=True)
    except ServiceError as error:
        print(error.code, error.params.get("reason"), flush=True)
"""


def start_child(soft: SoftToken, passphrase: bytes) -> "subprocess.Popen[str]":
    """Start a process with the token to itself: the library has one state per process."""
    arguments = [sys.executable, "-c", CHILD, str(soft.module), LABEL, passphrase.decode()]
    return subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def test_a_wrong_passphrase_is_refused(soft: SoftToken, store: DeviceStore) -> None:
    """T-KEY-02."""
    out, _ = start_child(soft, b"wrong").communicate(timeout=60)
    assert out.split() == ["key-store-refused", "passphrase-wrong"]


def test_a_token_that_goes_away_comes_back_without_a_restart(
    soft: SoftToken, store: DeviceStore
) -> None:
    """T-KEY-05."""
    child = start_child(soft, PIN)
    assert child.stdin
    assert child.stdout

    def ask() -> str:
        assert child.stdin
        assert child.stdout
        child.stdin.write("message\n")
        return child.stdout.readline().strip()

    assert ask() == "signed"
    soft.remove()
    try:
        told = ask()
    finally:
        soft.put_back()
    assert told.startswith("key-store-unavailable")
    assert ask() == "signed"
    child.stdin.close()
    assert child.wait(timeout=60) == 0
    child.stdout.close()

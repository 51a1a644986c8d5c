"""SM2 in PKCS#11 tokens as vendors do it, at the seam; and what a lost token does to callers."""

from pathlib import Path

import pytest

from keys.algorithms import OID_SM2_WITH_SM3, KeyAlgorithm
from keys.device_store import DeviceStore
from keys.errors import KeyStoreRefused, KeyStoreUnavailable
from keys.pkcs11_store import SM2Dialect, SM2Input, SM2Output, Token, TokenOptions
from keys.public_key import verify_signature

pytest.importorskip("PyKCS11", reason="PyKCS11 is not installed (requirements/test.txt)")

from tests.support.fake_token import (
    LABEL,
    PIN,
    SM2_GENERATE,
    SM2_SIGN,
    FakeToken,
)

DEVICE_REMOVED, SESSION_INVALID, PIN_LOCKED, FUNCTION_FAILED = 0x32, 0xB3, 0xA4, 0x06


def dialect(token: FakeToken) -> SM2Dialect:
    return SM2Dialect(
        mechanism=SM2_SIGN,
        signs=token.signs,
        answers=token.answers,
        generate_mechanism=SM2_GENERATE,
    )


def open_store(
    token: FakeToken, sm2: SM2Dialect | None = None, passphrase: str = PIN
) -> DeviceStore:
    options = TokenOptions(
        module=Path("vendor.so"),
        token_label=LABEL,
        passphrase=passphrase.encode(),
        sm2=sm2 or dialect(token),
    )
    return DeviceStore(Token(options, token.make_library), sessions=2, wait_seconds=1)


@pytest.mark.parametrize("is_point_bare", [False, True])
@pytest.mark.parametrize("signs", SM2Input)
@pytest.mark.parametrize("answers", SM2Output)
def test_every_vendors_way_gives_one_form(
    signs: SM2Input, answers: SM2Output, is_point_bare: bool
) -> None:
    token = FakeToken(signs=signs, answers=answers, is_point_bare=is_point_bare)
    made = token.add("key")
    store = open_store(token)
    signature = store.sign_with("key", b"message")
    verify_signature(store.public_key("key"), b"message", signature, OID_SM2_WITH_SM3)
    assert store.public_key("key").point == made.point
    assert set(token.mechanisms) == {SM2_SIGN}, "the vendor's number goes through as it is"


def test_a_key_is_made_with_the_vendors_number() -> None:
    token = FakeToken()
    store = open_store(token)
    assert store.generate("key", KeyAlgorithm.SM2).point == token.keys["key"].point
    assert token.mechanisms[0] == SM2_GENERATE


def test_without_a_number_keys_are_made_with_the_vendors_tool() -> None:
    store = open_store(FakeToken(), SM2Dialect(mechanism=SM2_SIGN))
    with pytest.raises(KeyStoreRefused) as caught:
        store.generate("key", KeyAlgorithm.SM2)
    assert caught.value.params["reason"] == "generate"


@pytest.mark.parametrize(
    "token",
    [
        # It makes e of the e it is given: no signature over the message.
        FakeToken(signs=SM2Input.MESSAGE),
        FakeToken(answers=SM2Output.DER),
    ],
)
def test_a_wrong_dialect_is_noticed_before_anything_is_signed(token: FakeToken) -> None:
    """T-KEY-10."""
    token.add("key")
    with pytest.raises(KeyStoreUnavailable) as caught:
        open_store(token, SM2Dialect(mechanism=SM2_SIGN)).public_key("key")
    assert caught.value.params["reason"] == "bad-signature"


def test_raw_values_are_not_taken_for_der() -> None:
    token = FakeToken()
    token.add("key")
    with pytest.raises(KeyStoreUnavailable) as caught:
        open_store(token, SM2Dialect(mechanism=SM2_SIGN, answers=SM2Output.DER)).public_key("key")
    assert caught.value.params["reason"] == "bad-signature"


def test_a_signature_of_another_key_does_not_leave() -> None:
    """T-KEY-10."""
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    store.sign_with("key", b"message")
    token.wrong_key = True
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.sign_with("key", b"message")
    assert caught.value.params["reason"] == "bad-signature"
    assert store.health().problem == "bad-signature"
    (stats,) = store.stats()
    assert (stats.signatures, stats.failures, stats.last_error) == (1, 1, "bad-signature")


@pytest.mark.parametrize("code", [DEVICE_REMOVED, SESSION_INVALID])
def test_a_token_that_is_back_at_once_is_not_noticed(code: int) -> None:
    """T-KEY-05."""
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    store.public_key("key")
    loads = token.loads
    token.failures = [code]
    assert store.sign_with("key", b"message")
    assert token.loads == loads + 1


def test_a_token_that_stays_away_is_unavailable_until_it_returns() -> None:
    """T-KEY-05."""
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    store.public_key("key")
    token.failures, token.is_present = [DEVICE_REMOVED], False
    for _ in range(3):
        with pytest.raises(KeyStoreUnavailable) as caught:
            store.sign_with("key", b"message")
        assert caught.value.params["reason"] == "device-gone"
    assert not store.health().is_ready
    with pytest.raises(KeyStoreUnavailable):
        store.has("key")
    token.is_present = True
    assert store.sign_with("key", b"message")
    assert token.opened - token.closed == 1


def test_an_unknown_failure_gives_up_the_session_and_its_number_is_told() -> None:
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    store.public_key("key")
    closed = token.closed
    token.failures = [FUNCTION_FAILED]
    with pytest.raises(KeyStoreUnavailable) as caught:
        store.sign_with("key", b"message")
    assert caught.value.params == {"reason": "failed", "device_code": FUNCTION_FAILED}
    assert token.closed == closed + 1


def test_a_key_deleted_in_the_middle_of_work_is_unavailable() -> None:
    """T-KEY-05: it was there, so it is not the caller who named it wrongly."""
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    store.sign_with("key", b"message")
    del token.keys["key"]
    for _ in range(2):
        with pytest.raises(KeyStoreUnavailable) as caught:
            store.sign_with("key", b"message")
        assert caught.value.params["reason"] == "key-gone"


@pytest.mark.parametrize("code", [0, PIN_LOCKED])
def test_a_refused_passphrase_is_offered_once(code: int) -> None:
    """T-KEY-02: a token locks itself after a few wrong ones."""
    token = FakeToken()
    token.add("key")
    store = open_store(token)
    token.failures = [DEVICE_REMOVED]
    token.login_code = code or 0xA0
    before = token.logins
    for _ in range(5):
        with pytest.raises(KeyStoreRefused) as caught:
            store.sign_with("key", b"message")
        assert PIN not in str(caught.value)
    store._pool.close()
    with pytest.raises(KeyStoreRefused):
        store.sign_with("key", b"message")
    assert token.logins - before == 1


def test_a_wrong_passphrase_stops_the_start() -> None:
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(FakeToken(), passphrase=PIN[::-1])
    assert caught.value.params["reason"] == "passphrase-wrong"


def test_options_do_not_show_the_passphrase() -> None:
    """T-KEY-03."""
    options = TokenOptions(module=Path("v.so"), token_label=LABEL, passphrase=PIN.encode())
    assert PIN not in repr(options)
    assert PIN not in repr(Token(options, FakeToken().make_library))


def test_without_the_package_the_start_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keys.pkcs11_store.PyKCS11", None)
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(FakeToken())
    assert caught.value.params["reason"] == "module"
    assert "requirements/hsm.txt" in caught.value.detail

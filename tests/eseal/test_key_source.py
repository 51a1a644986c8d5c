"""Where keys and pass-phrases come from: files, credentials, a prompt, devices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eseal.key_source import KeySource
from eseal.settings import KeyStoreKind, PassphraseSource, Settings
from keys.algorithms import KeyAlgorithm
from keys.errors import KeyStoreRefused, KeyStoreUnavailable
from keys.keystore import KeyStore
from keys.placed_keys import PlacedKeys
from keys.signers import ServiceKeys
from tests.support import sdf_device, softhsm
from tests.support.sdf_device import TestDevice, device_in
from tests.support.softhsm import SoftToken

PASSPHRASE = b"correct horse battery"
SM2, RSA = KeyAlgorithm.SM2, KeyAlgorithm.RSA
needs_gcc = pytest.mark.skipif(
    bool(sdf_device.reason_to_skip()), reason=sdf_device.reason_to_skip()
)
needs_softhsm = pytest.mark.skipif(bool(softhsm.reason_to_skip()), reason=softhsm.reason_to_skip())


def write_private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def settings(folder: Path, **values: object) -> Settings:
    given: dict[str, object] = {"data_folder": folder / "data"} | values
    return Settings.model_validate(given)


def refusal(source: KeySource) -> str:
    with pytest.raises(KeyStoreRefused) as caught:
        source.open_keys()
    return str(caught.value.params["reason"])


# Pass-phrases


def test_a_trial_makes_a_passphrase_and_opens_with_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    source = KeySource(settings=settings(tmp_path))
    source.make_passphrase()
    made = (tmp_path / "data" / "passphrase").read_bytes()
    source.make_passphrase()
    assert (tmp_path / "data" / "passphrase").read_bytes() == made
    assert source.open_keys().health().is_ready


def test_a_named_file_is_never_made_up(tmp_path: Path) -> None:
    source = KeySource(settings=settings(tmp_path, passphrase_file=tmp_path / "none"))
    with pytest.raises(KeyStoreRefused):
        source.make_passphrase()
    assert refusal(source) == "passphrase-missing"


def with_prompt(folder: Path, answers: list[str]) -> KeySource:
    return KeySource(
        settings=settings(folder, passphrase_source=PassphraseSource.PROMPT),
        ask=lambda words: answers.pop(0),
    )


def test_a_new_store_asks_twice_and_an_old_one_once(tmp_path: Path) -> None:
    answers = ["correct horse battery"] * 3
    with_prompt(tmp_path, answers).open_keys().generate("key", SM2)
    assert len(answers) == 1
    assert with_prompt(tmp_path, answers).open_keys().has("key")
    assert answers == []


def test_a_mistyped_passphrase_makes_no_store(tmp_path: Path) -> None:
    source = with_prompt(tmp_path, ["correct horse battery", "correct hose battery"])
    assert refusal(source) == "passphrase-differs"
    assert not (tmp_path / "data" / "keys" / "keystore.json").exists()


def test_without_a_terminal_nobody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    asking = settings(tmp_path, passphrase_source=PassphraseSource.PROMPT)
    assert refusal(KeySource(settings=asking)) == "passphrase-no-terminal"


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def from_credential(folder: Path) -> KeySource:
    return KeySource(settings=settings(folder, passphrase_source=PassphraseSource.CREDENTIAL))


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_the_service_manager_may_hand_it_over(tmp_path: Path, credentials: Path, mode: int) -> None:
    write_private(credentials / "eseal-passphrase", PASSPHRASE, mode)
    from_credential(tmp_path).open_keys().generate("key", SM2)
    assert KeyStore(tmp_path / "data" / "keys", PASSPHRASE).has("key")


@pytest.mark.parametrize("mode", [0o404, 0o460, 0o644])
def test_a_credential_that_others_reach_is_refused(
    tmp_path: Path, credentials: Path, mode: int
) -> None:
    """T-KEY-03."""
    write_private(credentials / "eseal-passphrase", PASSPHRASE, mode)
    assert refusal(from_credential(tmp_path)) == "loose-mode"


def test_a_credential_must_be_there(
    tmp_path: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(from_credential(tmp_path)) == "passphrase-missing"
    (credentials / "eseal-passphrase").mkdir()
    assert refusal(from_credential(tmp_path)) == "not-a-folder"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert refusal(from_credential(tmp_path)) == "passphrase-missing"


# Devices


@pytest.fixture
def device(tmp_path: Path) -> Iterator[TestDevice]:
    with device_in(tmp_path) as made:
        made.add(1)
        made.add(2, b"own-pass")
        yield made


def sdf_settings(folder: Path, device: TestDevice, **values: object) -> Settings:
    passphrase = write_private(folder / "pass", PASSPHRASE)
    pin = write_private(folder / "pin", sdf_device.PASSPHRASE)
    write_private(folder / "pin.2", b"own-pass")
    return settings(
        folder,
        **{
            "key_store": KeyStoreKind.SDF,
            "passphrase_file": passphrase,
            "device_passphrase_file": pin,
            "device_module": device.module,
            "device_keys": "seal-maker=1, log=2",
        }
        | values,
    )


@needs_gcc
def test_named_keys_are_in_the_device_and_others_in_files(
    tmp_path: Path, device: TestDevice
) -> None:
    keys: ServiceKeys = KeySource(settings=sdf_settings(tmp_path, device)).open_keys()
    keys.generate("rsa-tsa", RSA)
    assert keys.names() == ("log", "rsa-tsa", "seal-maker")
    for name in keys.names():
        keys.sign_with(name, b"message")
    assert [one.signatures for one in keys.stats()] == [1, 1, 1]
    assert len(keys.service_secret("callers")) == 32
    health = keys.health()
    assert (health.is_ready, health.keys) == (True, 3)


@needs_gcc
def test_a_key_of_the_device_is_never_looked_for_in_files(
    tmp_path: Path, device: TestDevice
) -> None:
    """T-KEY-05: a device that is away makes no second key of a name."""
    chosen = sdf_settings(tmp_path, device)
    KeyStore(tmp_path / "data" / "keys", PASSPHRASE).generate("seal-maker", SM2)
    keys = KeySource(settings=chosen).open_keys()
    in_device = keys.public_key("seal-maker")
    assert in_device.point != (
        KeyStore(tmp_path / "data" / "keys", PASSPHRASE).public_key("seal-maker").point
    )
    device.remove()
    with pytest.raises(KeyStoreUnavailable):
        keys.has("log")
    with pytest.raises(KeyStoreUnavailable):
        keys.sign_with("seal-maker", b"message")
    assert not keys.health().is_ready


@needs_gcc
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"device_keys": ""}, "setting-missing"),
        ({"device_keys": "seal-maker"}, "device-keys"),
        ({"device_keys": "seal-maker=x"}, "device-keys"),
        ({"device_keys": "a=1,a=2"}, "device-keys"),
        ({"device_keys": "../a=1"}, "device-keys"),
        ({"device_module": None}, "setting-missing"),
        ({"device_passphrase_file": None}, "setting-missing"),
        ({"key_store": KeyStoreKind.PKCS11}, "setting-missing"),
    ],
)
def test_settings_that_do_not_fit_stop_the_start(
    tmp_path: Path, device: TestDevice, changed: dict[str, object], reason: str
) -> None:
    assert refusal(KeySource(settings=sdf_settings(tmp_path, device, **changed))) == reason


@pytest.fixture
def soft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    return softhsm.make_token(tmp_path / "softhsm")


@needs_softhsm
def test_rsa_keys_of_a_token_are_chosen_by_pattern(tmp_path: Path, soft: SoftToken) -> None:
    chosen = settings(
        tmp_path,
        key_store=KeyStoreKind.PKCS11,
        passphrase_file=write_private(tmp_path / "pass", PASSPHRASE),
        device_passphrase_file=write_private(tmp_path / "pin", softhsm.PIN),
        device_module=soft.module,
        device_keys="rsa-*",
        token_label=softhsm.LABEL,
        token_sign_mechanism=0x80000101,
    )
    keys = KeySource(settings=chosen).open_keys()
    assert isinstance(keys, PlacedKeys)
    keys.generate("rsa-tsa", RSA)
    keys.generate("sm2-tsa", SM2)
    assert keys.sign_with("rsa-tsa", b"message")
    assert KeyStore(tmp_path / "data" / "keys", PASSPHRASE).names() == ("sm2-tsa",)
    assert keys.names() == ("rsa-tsa", "sm2-tsa")


def test_mechanisms_are_read_as_vendors_write_them() -> None:
    read = Settings.model_validate({"token_sign_mechanism": "0x80000101"})
    assert read.token_sign_mechanism == 0x80000101
    assert Settings.model_validate({"token_sign_mechanism": ""}).token_sign_mechanism is None

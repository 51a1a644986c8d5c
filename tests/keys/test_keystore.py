"""The key store: what opens it, what it refuses, what it never shows."""

import json
import os
import shutil
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from keys import sm2
from keys.algorithms import (
    OID_RSA_WITH_SHA256,
    OID_SM2_WITH_SM3,
    KeyAlgorithm,
    SignatureSuite,
)
from keys.errors import (
    InvalidKey,
    KeyNotFound,
    KeyStoreRefused,
    KeyStoreUnavailable,
    SignatureMismatch,
    WeakAlgorithm,
)
from keys.keystore import KeyStore, Signer
from keys.keystore_records import (
    StoreCipher,
    derive_store_key,
    encode_header,
    encode_record,
    open_header,
    parse_header,
    parse_record,
    record_bound,
)
from keys.private_files import read_passphrase
from keys.private_keys import load_private_key
from keys.public_key import verify_signature
from keys.rsa import generate

PASSPHRASE = b"correct horse battery"
SM2, RSA = KeyAlgorithm.SM2, KeyAlgorithm.RSA
SCALAR = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")


class Pauses:
    """Counts how long callers were kept waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def open_store(folder: Path, passphrase: bytes = PASSPHRASE) -> KeyStore:
    return KeyStore(folder, passphrase, pause=Pauses())


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with a key of each kind, once."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    store = open_store(folder)
    store.import_key("sm2-key", SM2, SCALAR)
    store.import_key("rsa-key", RSA, generate(2048))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Copy the made store, so that a test may damage it."""
    return Path(shutil.copytree(made, tmp_path / "keys"))


def refusal(folder: Path, name: str = "sm2-key") -> str:
    """Return the reason for which a key is refused."""
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(folder).sign_with(name, b"message")
    return str(caught.value.params["reason"])


def change_record(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# Signing


@pytest.mark.parametrize(
    ("name", "oid"), [("sm2-key", OID_SM2_WITH_SM3), ("rsa-key", OID_RSA_WITH_SHA256)]
)
def test_a_signature_verifies_under_the_public_key(made: Path, name: str, oid: str) -> None:
    store = open_store(made)
    verify_signature(store.public_key(name), b"message", store.sign_with(name, b"message"), oid)


def test_the_suite_follows_from_the_key(made: Path) -> None:
    store = open_store(made)
    assert store.suite("sm2-key") is SignatureSuite.SM2_SM3
    assert store.suite("rsa-key") is SignatureSuite.RSA_SHA256


def test_the_store_is_a_signer(made: Path) -> None:
    signer: Signer = open_store(made)
    assert signer.names() == ("rsa-key", "sm2-key")
    assert signer.has("sm2-key")
    assert not signer.has("none")
    assert signer.health().is_ready


def test_keys_live_on_after_reopening(tmp_path: Path) -> None:
    made = open_store(tmp_path / "keys").generate("new", SM2)
    assert open_store(tmp_path / "keys").public_key("new").spki == made.spki


def test_a_new_rsa_key_has_3072_bits(tmp_path: Path) -> None:
    assert open_store(tmp_path / "keys").generate("new", RSA).bits == 3072


def test_a_store_may_use_sm4(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys", PASSPHRASE, cipher=StoreCipher.SM4_GCM)
    store.import_key("key", SM2, SCALAR)
    assert json.loads((tmp_path / "keys/keystore.json").read_text())["cipher"] == "sm4-gcm"
    again = open_store(tmp_path / "keys")
    assert again.public_key("key").point == sm2.public_point(SCALAR)
    record = tmp_path / "keys/key.key"
    ciphertext = json.loads(record.read_text())["ciphertext"]
    change_record(record, ciphertext=("0" if ciphertext[0] != "0" else "1") + ciphertext[1:])
    assert refusal(tmp_path / "keys", "key") == "cannot-open"


def test_an_sm2_key_in_pkcs8_is_taken_over(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    arguments = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"]
    made = subprocess.run(
        [openssl, *arguments, "-outform", "DER"], capture_output=True, check=True, timeout=30
    )
    pkcs8 = subprocess.run(
        [openssl, "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"],
        input=made.stdout,
        capture_output=True,
        check=True,
        timeout=30,
    )
    store = open_store(tmp_path / "keys")
    key = store.import_key("taken", SM2, pkcs8.stdout)
    verify_signature(key, b"m", store.sign_with("taken", b"m"), OID_SM2_WITH_SM3)


def test_many_threads_sign_with_one_store(folder: Path) -> None:
    store = open_store(folder)
    barrier = threading.Barrier(8)

    def sign(number: int) -> None:
        barrier.wait(timeout=30)
        message = f"message {number}".encode()
        for name, oid in (("sm2-key", OID_SM2_WITH_SM3), ("rsa-key", OID_RSA_WITH_SHA256)):
            signature = store.sign_with(name, message)
            verify_signature(store.public_key(name), message, signature, oid)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sign, range(8))) == [None] * 8


def test_two_processes_making_one_store_agree_on_its_header(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from keys.keystore import KeyStore\n"
        "from keys.algorithms import KeyAlgorithm\n"
        "store = KeyStore(pathlib.Path(sys.argv[1]), b'correct horse battery')\n"
        "store.generate(sys.argv[2], KeyAlgorithm.SM2)\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "keys"), f"key-{number}"])
        for number in range(2)
    ]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    store = open_store(tmp_path / "keys")
    assert [store.public_key(name).bits for name in store.names()] == [256, 256]


# Opening


def test_a_wrong_passphrase_is_refused_and_delayed(folder: Path) -> None:
    """T-KEY-02."""
    pauses = Pauses()
    with pytest.raises(KeyStoreRefused) as caught:
        KeyStore(folder, b"another pass-phrase", pause=pauses)
    assert caught.value.params == {"reason": "cannot-open"}
    assert len(pauses.seconds) == 1
    assert pauses.seconds[0] >= 1


def test_a_damaged_header_looks_like_a_wrong_passphrase(folder: Path) -> None:
    """T-KEY-02: no oracle tells which it was."""
    header = folder / "keystore.json"
    messages = set()
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(folder, b"another pass-phrase")
    messages.add((str(caught.value), str(caught.value.params)))
    text = header.read_text()
    for damaged in (text[:-20], "", "[]", text.replace('"store_salt":"', '"store_salt":"zz')):
        header.write_text(damaged)
        with pytest.raises(KeyStoreRefused) as caught:
            open_store(folder)
        messages.add((str(caught.value), str(caught.value.params)))
    assert len(messages) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2},
        {"n": 2**20},
        {"r": 1},
        {"p": 2},
        {"kdf": "pbkdf2"},
        {"format": 2},
        {"n": "32768"},
        {"n": True},
    ],
)
def test_other_derivation_parameters_are_refused(folder: Path, change: dict[str, object]) -> None:
    """T-KEY-02: a downgraded cost is refused before it is used."""
    change_record(folder / "keystore.json", **change)
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(folder)
    assert caught.value.params["reason"] == "kdf-parameters"


@pytest.mark.parametrize("cipher", ["none", "sm4-gcm"])
def test_another_cipher_is_refused(folder: Path, cipher: str) -> None:
    change_record(folder / "keystore.json", cipher=cipher)
    with pytest.raises(KeyStoreRefused):
        open_store(folder)


def test_keys_without_a_header_get_no_new_one(folder: Path) -> None:
    (folder / "keystore.json").unlink()
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(folder)
    assert caught.value.params["reason"] == "header-missing"


def test_a_short_passphrase_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(tmp_path / "keys", b"short")
    assert caught.value.params["reason"] == "passphrase-short"


# Modes, owners, links


def test_the_store_is_private_from_the_start(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = open_store(tmp_path / "keys")
        store.generate("key", SM2)
    finally:
        os.umask(old)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o755, 0o770])
def test_a_folder_that_others_reach_is_refused(folder: Path, mode: int) -> None:
    """T-KEY-01."""
    folder.chmod(mode)
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(folder)
    assert caught.value.params["reason"] == "loose-mode"


@pytest.mark.parametrize("name", ["keystore.json", "sm2-key.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_reach_is_refused(folder: Path, name: str, mode: int) -> None:
    """T-KEY-01."""
    (folder / name).chmod(mode)
    assert refusal(folder) == "loose-mode"


@pytest.mark.parametrize("name", ["keystore.json", "sm2-key.key"])
def test_a_linked_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """T-KEY-01."""
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert refusal(folder) == "symbolic-link"


def test_a_linked_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """T-KEY-01."""
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(KeyStoreRefused) as caught:
        open_store(tmp_path / "link")
    assert caught.value.params["reason"] == "symbolic-link"


def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    """T-KEY-01."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(folder / "sm2-key.key", 65534, 65534)
    assert refusal(folder) == "owner"
    os.chown(folder, 65534, 65534)
    with pytest.raises(KeyStoreRefused):
        open_store(folder)


def test_a_pipe_in_place_of_a_key_is_refused_and_does_not_hang(folder: Path) -> None:
    (folder / "sm2-key.key").unlink()
    os.mkfifo(folder / "sm2-key.key", 0o600)
    assert refusal(folder) == "not-a-folder"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("no folder")
    with pytest.raises((KeyStoreRefused, KeyStoreUnavailable)):
        open_store(tmp_path / "keys")


# Records


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text + "}",
        lambda text: text.replace('"format":1', '"format":2'),
        lambda text: text.replace('"sm2"', '"rsa"'),
        lambda text: text.replace('"name":"sm2-key"', '"name":"other"'),
        lambda text: text.replace('"nonce":"', '"nonce":"00'),
        lambda text: "[" * 50_000,
    ],
)
def test_a_damaged_record_is_refused(folder: Path, damage: object) -> None:
    """T-KEY-02."""
    path = folder / "sm2-key.key"
    assert callable(damage)
    path.write_text(damage(path.read_text()))
    assert refusal(folder) == "cannot-open"


def test_every_flipped_hex_digit_of_a_record_is_noticed(folder: Path) -> None:
    """T-KEY-02."""
    path = folder / "sm2-key.key"
    store = open_store(folder)
    original = path.read_text()
    fields = json.loads(original)
    for name in ("public_key", "salt", "nonce", "ciphertext"):
        value = fields[name]
        for at in range(0, len(value), 7):
            other = "0" if value[at] != "0" else "1"
            change_record(path, **{name: value[:at] + other + value[at + 1 :]})
            with pytest.raises(KeyStoreRefused):
                store.public_key("sm2-key")
            path.write_text(original)
    assert store.public_key("sm2-key").bits == 256


def test_a_record_under_another_name_is_refused(folder: Path) -> None:
    shutil.copy(folder / "sm2-key.key", folder / "other.key")
    assert refusal(folder, "other") == "cannot-open"


def test_a_record_of_another_store_is_refused(folder: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    other.generate("sm2-key", SM2)
    shutil.copy(tmp_path / "other/sm2-key.key", folder / "sm2-key.key")
    assert refusal(folder) == "cannot-open"


def test_an_oversized_file_is_refused(folder: Path) -> None:
    (folder / "sm2-key.key").write_bytes(b" " * 100_000)
    assert refusal(folder) == "damaged"


# Names


def test_a_missing_key_is_not_found(folder: Path) -> None:
    with pytest.raises(KeyNotFound):
        open_store(folder).sign_with("none", b"message")


@pytest.mark.parametrize("name", ["", "../sm2-key", "a/b", "Upper", "a.b", "-a", "a" * 200, "a\n"])
def test_a_name_cannot_leave_the_folder(folder: Path, name: str) -> None:
    store = open_store(folder)
    with pytest.raises(KeyNotFound):
        store.sign_with(name, b"message")
    with pytest.raises(KeyStoreRefused):
        store.generate(name, SM2)


def test_a_key_is_never_written_over(folder: Path) -> None:
    store = open_store(folder)
    before = (folder / "sm2-key.key").read_bytes()
    with pytest.raises(KeyStoreRefused) as caught:
        store.generate("sm2-key", SM2)
    assert caught.value.params["reason"] == "name-taken"
    assert (folder / "sm2-key.key").read_bytes() == before


def test_what_an_interrupted_write_left_is_no_key(folder: Path) -> None:
    (folder / ".1234.tmp").write_text("half a record")
    assert open_store(folder).names() == ("rsa-key", "sm2-key")


# Keys outside their algorithm


@pytest.mark.parametrize(
    "secret",
    [bytes(32), b"\xff" * 32, (2**255).to_bytes(32, "big")[:31], b"", b"\x30\x00", b"junk" * 20],
)
def test_no_sm2_key_outside_its_range_is_taken(tmp_path: Path, secret: bytes) -> None:
    with pytest.raises(InvalidKey):
        open_store(tmp_path / "keys").import_key("key", SM2, secret)
    assert open_store(tmp_path / "keys").names() == ()


def test_an_sm2_key_is_no_rsa_key(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    with pytest.raises(InvalidKey):
        store.import_key("key", SM2, generate(2048))
    with pytest.raises((InvalidKey, WeakAlgorithm)):
        store.import_key("key", RSA, SCALAR)


def reseal(folder: Path, name: str, secret: bytes) -> None:
    """Put another secret into a record, under the store's own key."""
    header = parse_header((folder / "keystore.json").read_bytes())
    record = parse_record((folder / f"{name}.key").read_bytes())
    bound = record_bound(name, record.algorithm, record.spki)
    sealed = open_header(header, PASSPHRASE).encrypt(secret, bound, bytes(44))
    (folder / f"{name}.key").write_bytes(encode_record(replace(record, sealed=sealed)))


@pytest.mark.parametrize("secret", [bytes(31) + b"\x07", bytes(32), b"short", b""])
def test_a_private_key_that_is_not_its_public_keys_is_refused(folder: Path, secret: bytes) -> None:
    """T-KEY-04."""
    reseal(folder, "sm2-key", secret)
    assert refusal(folder) == "key-mismatch"


def test_an_rsa_record_with_another_key_is_refused(folder: Path) -> None:
    """T-KEY-04."""
    for secret in (generate(2048), SCALAR):
        reseal(folder, "rsa-key", secret)
        assert refusal(folder, "rsa-key") == "key-mismatch"


def test_a_header_that_seals_something_else_is_refused(folder: Path) -> None:
    header = parse_header((folder / "keystore.json").read_bytes())
    key = derive_store_key(PASSPHRASE, header.salt, header.cipher)
    bound = [1, "header", "scrypt", 2**15, 8, 1, header.cipher.value, header.salt.hex()]
    text = json.dumps(bound, separators=(",", ":")).encode()
    proof = key.encrypt(b"something else", text, bytes(44))
    (folder / "keystore.json").write_bytes(encode_header(replace(header, proof=proof)))
    with pytest.raises(KeyStoreRefused):
        open_store(folder)


def test_a_key_that_does_not_sign_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-KEY-10: tried once before it is used."""

    def fail(*_: object) -> None:
        raise SignatureMismatch("made so")

    monkeypatch.setattr("keys.keystore.verify_signature", fail)
    assert refusal(folder) == "self-test"


def test_the_slower_of_two_makers_takes_the_header_that_is_there(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "keys"

    def lose(path: Path, data: bytes) -> None:
        shutil.copy(made / "keystore.json", folder / "keystore.json")
        raise FileExistsError(path)

    monkeypatch.setattr("keys.keystore.write_new_file", lose)
    store = open_store(folder)
    shutil.copy(made / "sm2-key.key", folder / "sm2-key.key")
    assert store.public_key("sm2-key").point == sm2.public_point(SCALAR)


def test_the_slower_of_two_makers_of_a_key_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(path: Path, data: bytes) -> None:
        raise FileExistsError(path)

    store = open_store(folder)
    monkeypatch.setattr("keys.keystore.write_new_file", lose)
    with pytest.raises(KeyStoreRefused) as caught:
        store.generate("new", SM2)
    assert caught.value.params["reason"] == "name-taken"


def test_a_full_disk_leaves_no_half_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(folder)

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(KeyStoreUnavailable):
        store.generate("new", SM2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "keystore.json",
        "rsa-key.key",
        "sm2-key.key",
    ]


@pytest.mark.parametrize("secret", [b"", b"\x30\x00", b"\x04\x01\x00"])
def test_what_is_no_pkcs8_is_no_sm2_key(secret: bytes) -> None:
    with pytest.raises(InvalidKey):
        load_private_key(SM2, secret)


# What never shows


def test_nothing_shows_a_secret(folder: Path) -> None:
    """T-KEY-03, T-KEY-09."""
    store = open_store(folder)
    store.sign_with("sm2-key", b"message")
    shown = [repr(store), str(store.health()), repr(vars(store))]
    for path in folder.iterdir():
        shown.append(path.read_text())
    try:
        open_store(folder, b"another pass-phrase")
    except KeyStoreRefused:
        shown.append(traceback.format_exc())
    text = "\n".join(shown)
    assert SCALAR.hex() not in text
    assert repr(SCALAR) not in text
    assert PASSPHRASE.decode() not in text
    assert b"another pass-phrase".decode() not in text.replace('b"another pass-phrase"', "")


# Health and loss


def test_a_key_that_vanishes_is_reported(folder: Path) -> None:
    """T-KEY-05."""
    store = open_store(folder)
    assert store.health().is_ready
    shutil.rmtree(folder)
    with pytest.raises(KeyStoreUnavailable):
        store.sign_with("rsa-key", b"message")
    assert not store.health().is_ready


def test_health_names_the_reason(folder: Path) -> None:
    store = open_store(folder)
    folder.chmod(0o755)
    assert store.health().problem == "loose-mode"


# The pass-phrase file


def test_a_passphrase_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(b"correct horse\n")
    path.chmod(0o600)
    assert read_passphrase(path) == b"correct horse"


@pytest.mark.parametrize(("content", "mode"), [(b"secret", 0o644), (b"\n", 0o600), (None, 0)])
def test_a_passphrase_file_must_be_private_and_full(
    tmp_path: Path, content: bytes | None, mode: int
) -> None:
    """T-KEY-03."""
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(KeyStoreRefused):
        read_passphrase(path)

"""The SM2 engine: what it signs, what it refuses, and how it fails to start."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sm2
from keys.errors import (
    EngineUnavailable,
    InvalidKey,
    MalformedSignature,
    ServiceError,
    SignatureMismatch,
)
from keys.sm2_values import N, P
from tests.support import sm2_arithmetic as plain
from tests.vectors import make_sm2_vectors

ROOT = Path(__file__).parents[2]
SCALAR = bytes(range(1, 33))
SIGNER = sm2.SM2Signer(SCALAR)
MESSAGE = "审批结果".encode()
SIGNATURE = SIGNER.sign(MESSAGE)
E = sm2.message_digest(SIGNER.point, MESSAGE)

VECTORS = json.loads(make_sm2_vectors.FILE.read_text("utf-8"))


# Vectors


@pytest.mark.parametrize("flag", sorted(VECTORS["notes"]))
def test_every_vector_gets_its_result(flag: str) -> None:
    """T-SES-12, T-SES-13, T-SES-14, T-SES-15, T-SES-17: flags say which."""
    seen = 0
    for group in VECTORS["testGroups"]:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        for test in group["tests"]:
            if flag in test["flags"]:
                seen += 1
                assert judge(point, test) == test["result"], test
    assert seen


def judge(point: bytes, test: dict[str, str]) -> str:
    signature = bytes.fromhex(test["sig"])
    try:
        if "msg" in test:
            sm2.verify(point, bytes.fromhex(test["msg"]), signature)
        else:
            sm2.verify_digest(point, bytes.fromhex(test["digest"]), signature)
    except (SignatureMismatch, MalformedSignature):
        return "invalid"
    return "valid"


def test_the_vectors_are_what_their_script_makes() -> None:
    assert make_sm2_vectors.make() == make_sm2_vectors.FILE.read_text("utf-8")


def test_z_and_e_of_the_standard_example() -> None:
    """GM/T 0003.5, example."""
    d = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    point = sm2.public_point(d.to_bytes(32, "big"))
    assert sm2.message_digest(point, b"message digest").hex().upper() == (
        "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
    )


# Signing


def test_a_signature_verifies_and_another_message_does_not() -> None:
    sm2.verify(SIGNER.point, MESSAGE, SIGNATURE)
    sm2.verify_digest(SIGNER.point, E, SIGNATURE)
    with pytest.raises(SignatureMismatch):
        sm2.verify(SIGNER.point, MESSAGE + b"\n", SIGNATURE)
    with pytest.raises(SignatureMismatch):
        sm2.verify(sm2.public_point(SCALAR[::-1]), MESSAGE, SIGNATURE)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
@settings(max_examples=15, deadline=None)
def test_signatures_satisfy_the_equation_of_the_standard(scalar: bytes, message: bytes) -> None:
    scalar = (int.from_bytes(scalar, "big") % (N - 2) + 1).to_bytes(32, "big")
    signer = sm2.SM2Signer(scalar)
    public = plain.multiply(int.from_bytes(scalar, "big"))
    assert public is not None
    assert signer.point == b"\x04" + public[0].to_bytes(32, "big") + public[1].to_bytes(32, "big")
    r, s = sm2.decode_signature(signer.sign(message))
    assert plain.verify(public, plain.message_e(public, message), r, s)


def test_no_two_signatures_share_a_nonce() -> None:
    """T-SES-44: a hundred thousand signatures with ``ESEAL_EXHAUSTIVE`` set."""
    count = 100_000 if "ESEAL_EXHAUSTIVE" in os.environ else 2_000
    values = {sm2.decode_signature(SIGNER._sign_raw(E))[0] for _ in range(count)}
    assert len(values) == count


def test_a_faulty_signature_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-KEY-10."""
    other = SIGNER.sign(b"something else")
    monkeypatch.setattr(sm2.SM2Signer, "_sign_raw", lambda self, e: other)
    with pytest.raises(EngineUnavailable):
        SIGNER.sign(MESSAGE)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_e_has_32_bytes(size: int) -> None:
    with pytest.raises(EngineUnavailable):
        SIGNER.sign_digest(bytes(size))
    with pytest.raises(SignatureMismatch):
        sm2.verify_digest(SIGNER.point, bytes(size), SIGNATURE)


def test_threads_share_a_signer() -> None:
    def work(number: int) -> None:
        message = str(number).encode()
        sm2.verify(SIGNER.point, message, SIGNER.sign(message))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))


def test_contexts_end_with_their_thread() -> None:
    contexts = []

    def work() -> None:
        SIGNER.sign(MESSAGE)
        contexts.append(SIGNER._key._contexts.signing)

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert contexts[0] is not None
    assert contexts[0] is not contexts[1]


def test_a_signer_does_not_show_its_key() -> None:
    """T-KEY-03."""
    assert SCALAR.hex() not in repr(SIGNER)


# Keys


@pytest.mark.parametrize("d", [0, N - 1, N, N + 1, 2**256 - 1])
def test_private_keys_out_of_range_are_refused_at_once(d: int) -> None:
    """With n-1 the library would sign for ever."""
    for use in (sm2.SM2Signer, sm2.public_point):
        with pytest.raises(InvalidKey):
            use(d.to_bytes(32, "big"))


@pytest.mark.parametrize("d", [1, 2, N - 3, N - 2])
def test_private_keys_at_the_ends_of_the_range_sign(d: int) -> None:
    signer = sm2.SM2Signer(d.to_bytes(32, "big"))
    sm2.verify(signer.point, MESSAGE, signer.sign(MESSAGE))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_private_keys_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(InvalidKey):
        sm2.SM2Signer(b"\x01" * size)


def test_new_keys_are_in_range_and_differ() -> None:
    scalars = {sm2.generate_scalar() for _ in range(100)}
    assert len(scalars) == 100
    assert all(1 <= int.from_bytes(scalar, "big") <= N - 2 for scalar in scalars)


X, Y = SIGNER.point[1:33], SIGNER.point[33:]
P256_POINT = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


@pytest.mark.parametrize(
    "point",
    [
        b"",
        b"\x00",
        bytes(65),
        b"\x04" + bytes(64),
        b"\x02" + X,
        b"\x03" + X,
        b"\x06" + X + Y,
        b"\x07" + X + Y,
        b"\x04" + Y + X,
        b"\x04" + X + Y[:-1] + bytes((Y[-1] ^ 1,)),
        b"\x04" + (P + 1).to_bytes(32, "big") + Y,
        b"\x04" + P.to_bytes(32, "big") + Y,
        b"\x04" + X + b"\xff" * 32,
        SIGNER.point + b"\x00",
        SIGNER.point[1:],
        P256_POINT,
    ],
)
def test_points_that_are_no_public_key_are_refused(point: bytes) -> None:
    """T-SES-16: infinity, compressed, hybrid, off the curve, of another curve, out of range."""
    with pytest.raises(InvalidKey):
        sm2.check_point(point)
    with pytest.raises(InvalidKey):
        sm2.verify(point, MESSAGE, SIGNATURE)
    with pytest.raises(InvalidKey):
        sm2.verify_digest(point, E, SIGNATURE)


# Encodings


@given(st.integers(1, N - 1), st.integers(1, N - 1))
def test_encoding_and_decoding_are_inverse(r: int, s: int) -> None:
    if r + s == N:
        return
    assert sm2.decode_signature(sm2.encode_signature(r, s)) == (r, s)


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (N, 1), (1, N), (1, N - 1), (-1, 1)])
def test_values_out_of_range_are_not_encoded(pair: tuple[int, int]) -> None:
    with pytest.raises(MalformedSignature):
        sm2.encode_signature(*pair)


@given(st.binary(max_size=80))
def test_random_bytes_are_no_signature(data: bytes) -> None:
    with pytest.raises(ServiceError):
        sm2.verify(SIGNER.point, MESSAGE, data)


@given(st.integers(0, 8 * len(SIGNATURE) - 1))
@settings(deadline=None)
def test_a_flipped_bit_is_refused(bit: int) -> None:
    """T-SES-01."""
    changed = bytearray(SIGNATURE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SignatureMismatch, MalformedSignature)):
        sm2.verify(SIGNER.point, MESSAGE, bytes(changed))


def high_signature() -> tuple[int, int]:
    while True:
        r, s = sm2.decode_signature(SIGNER._sign_raw(E))
        if r >> 255 and s >> 255:
            return r, s


def test_raw_values_become_der_with_a_remark() -> None:
    """T-SES-13."""
    r, s = sm2.decode_signature(SIGNATURE)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert sm2.normalise_foreign(raw) == (SIGNATURE, "raw")


def test_unpadded_integers_become_der_with_a_remark() -> None:
    """T-SES-13."""
    r, s = high_signature()
    unpadded = b"\x30\x44" + b"".join(b"\x02\x20" + v.to_bytes(32, "big") for v in (r, s))
    assert sm2.normalise_foreign(unpadded) == (sm2.encode_signature(r, s), "unpadded")
    with pytest.raises(MalformedSignature):
        sm2.decode_signature(unpadded)


def test_strict_values_stay_as_they_are() -> None:
    assert sm2.normalise_foreign(SIGNATURE) == (SIGNATURE, None)


def test_a_strict_value_of_64_bytes_is_not_taken_for_raw() -> None:
    value = sm2.encode_signature(1 << 230, 1 << 230)
    assert len(value) == 64
    assert sm2.normalise_foreign(value) == (value, None)


@pytest.mark.parametrize(
    "value",
    [b"", bytes(64), b"\xff" * 64, b"\x01" * 63, b"\x01" * 65, SIGNATURE + b"\x00"],
    ids=["empty", "zeros", "ones", "63-bytes", "65-bytes", "trailing"],
)
def test_every_other_form_is_left_to_the_strict_reader(value: bytes) -> None:
    assert sm2.normalise_foreign(value) == (value, None)
    with pytest.raises(MalformedSignature):
        sm2.decode_signature(value)


# The engine


def test_the_engine_names_itself() -> None:
    info = sm2.engine()
    assert info.version
    assert "crypto" in info.path


def test_a_refused_signature_leaves_nothing_in_the_error_queue() -> None:
    library, _ = sm2._tested_library()
    library.ERR_peek_error.restype = int
    with pytest.raises(SignatureMismatch):
        sm2.verify(SIGNER.point, b"other", SIGNATURE)
    assert library.ERR_peek_error() == 0


def start(library: str) -> str:
    """Start the engine in a fresh process; return what it says."""
    program = (
        "from keys import sm2\n"
        "from keys.errors import EngineUnavailable\n"
        "try:\n"
        "    print('started', sm2.engine().path)\n"
        "except EngineUnavailable as error:\n"
        "    print(error.params['reason'], error.detail)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "ESEAL_LIBCRYPTO": library},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def test_the_setting_names_the_library() -> None:
    path = sm2.engine().path
    assert start(path) == f"started {path}"


@pytest.mark.parametrize("library", ["/nonexistent/libcrypto.so", "libc.so.6"])
def test_a_library_that_is_none_is_refused_with_advice(library: str) -> None:
    said = start(library)
    assert said.startswith("load")
    assert "ESEAL_LIBCRYPTO" in said


class FakeLibrary:
    """Answers just enough to be refused."""

    def __init__(self, version: int, context: int | None) -> None:
        self._version, self._context = version, context

    def OpenSSL_version_num(self) -> int:  # noqa: N802 - the library's name
        return self._version

    def EVP_PKEY_CTX_new_from_name(self, *_: object) -> int | None:  # noqa: N802
        return self._context

    def ERR_clear_error(self) -> None:  # noqa: N802
        pass


@pytest.mark.parametrize(("version", "reason"), [(0x1010117F, "version"), (0x30000130, "no-sm2")])
def test_old_libraries_and_those_without_sm2_are_refused(version: int, reason: str) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        sm2._check_library(FakeLibrary(version, None), "libcrypto.so.3")  # type: ignore[arg-type] # stands in for a library
    assert caught.value.params["reason"] == reason


def test_a_library_that_signs_with_one_nonce_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-SES-44."""
    library, _ = sm2._tested_library()
    original = sm2._PrivateKey.sign
    kept: list[bytes] = []

    def sign(self: sm2._PrivateKey, e: bytes) -> bytes:
        kept[:] = kept or [original(self, e)]
        return kept[0]

    monkeypatch.setattr(sm2._PrivateKey, "sign", sign)
    with pytest.raises(EngineUnavailable) as caught:
        sm2._check_known_answers(library)
    assert caught.value.params["reason"] == "self-test"


class Faulty:
    """The real library with other answers to some calls."""

    def __init__(self, **answers: int | None) -> None:
        self._library, _ = sm2._tested_library()
        self._answers = answers
        self.cleared = 0

    def __getattr__(self, name: str) -> object:
        if name == "ERR_clear_error":
            self.cleared += 1
        if name in self._answers:
            return lambda *_: self._answers[name]
        return getattr(self._library, name)


@pytest.mark.parametrize(
    "answers",
    [
        {"d2i_AutoPrivateKey": None},
        {"EVP_PKEY_check": 0},
        {"EVP_PKEY_check": -2},
        {"i2d_PUBKEY": 90},
    ],
)
def test_a_key_that_the_library_refuses_is_refused(answers: dict[str, int | None]) -> None:
    with pytest.raises(InvalidKey):
        sm2._PrivateKey(SCALAR, Faulty(**answers))  # type: ignore[arg-type] # stands in for a library


@pytest.mark.parametrize("call", ["EVP_PKEY_sign_init", "EVP_PKEY_sign"])
def test_a_fault_in_signing_is_one_of_the_engine(call: str) -> None:
    """T-KEY-05."""
    faulty = Faulty(**{call: 0})
    key = sm2._PrivateKey(SCALAR, faulty)  # type: ignore[arg-type] # stands in for a library
    with pytest.raises(EngineUnavailable):
        key.sign(E)
    assert faulty.cleared
    assert key._contexts.signing is None


def test_a_fault_in_verifying_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = Faulty(EVP_PKEY_verify=-1)
    key = sm2._PublicKey(faulty, SIGNER.point)  # type: ignore[arg-type] # stands in for a library
    monkeypatch.setattr(sm2, "_public_key", lambda point: key)
    with pytest.raises(EngineUnavailable):
        sm2.verify(SIGNER.point, b"not verified before", SIGNATURE)
    assert faulty.cleared


def test_a_signature_that_held_is_checked_once_and_one_that_did_not_every_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    real = sm2._PublicKey.verify

    def count(key: sm2._PublicKey, e: bytes, signature: bytes) -> int:
        asked.append(e)
        return real(key, e, signature)

    monkeypatch.setattr(sm2._PublicKey, "verify", count)
    signature = SIGNER.sign(b"said once")
    asked.clear()
    sm2.verify(SIGNER.point, b"said once", signature)
    assert asked == []
    for _ in range(2):
        with pytest.raises(SignatureMismatch):
            sm2.verify(SIGNER.point, b"said otherwise", signature)
    assert len(asked) == 2


@pytest.mark.parametrize("call", ["d2i_AutoPrivateKey", "d2i_PUBKEY"])
def test_a_library_that_loads_no_keys_is_refused(call: str) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        sm2._check_known_answers(Faulty(**{call: None}))  # type: ignore[arg-type] # stands in for a library
    assert caught.value.params["reason"] == "self-test"


def test_a_python_without_sm3_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library, _ = sm2._tested_library()

    def new(name: str, data: bytes = b"") -> None:
        raise ValueError(name)

    monkeypatch.setattr(hashlib, "new", new)
    with pytest.raises(EngineUnavailable) as caught:
        sm2._check_known_answers(library)
    assert caught.value.params["reason"] == "sm3"


def test_without_a_list_of_mapped_files_the_system_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ESEAL_LIBCRYPTO", raising=False)
    monkeypatch.setattr(sm2, "_MAPS", Path("/nonexistent/maps"))
    monkeypatch.setattr(sm2, "find_library", lambda name: f"lib{name}.so.3")
    assert sm2._library_path() == "libcrypto.so.3"


def test_a_library_that_accepts_everything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library, _ = sm2._tested_library()
    monkeypatch.setattr(sm2._PublicKey, "verify", lambda self, e, signature: 1)
    with pytest.raises(EngineUnavailable):
        sm2._check_known_answers(library)


def test_without_any_library_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESEAL_LIBCRYPTO", raising=False)
    monkeypatch.setattr(sm2, "_mapped_library", lambda: None)
    monkeypatch.setattr(sm2, "find_library", lambda name: None)
    with pytest.raises(EngineUnavailable, match="libssl3"):
        sm2._library_path()


def test_renamed_copies_inside_wheels_are_not_used() -> None:
    assert sm2._MAPPED_NAME.search("/usr/lib/x86_64-linux-gnu/libcrypto.so.3")
    assert not sm2._MAPPED_NAME.search("/site-packages/some.libs/libcrypto-1a2b3c4d.so.3")

"""SM2 against two others: OpenSSL on the command line, and the arithmetic of ``gmssl``."""

import base64
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gmssl.sm2 import CryptSM2

from keys import sm2
from keys.errors import MalformedSignature
from keys.sm2_values import SPKI_PREFIX
from tests.vectors import make_sm2_vectors

DISTID = "distid:1234567812345678"
VECTORS = json.loads(make_sm2_vectors.FILE.read_text("utf-8"))
CUT_BY_THE_COMMAND = {"octets after the sequence", "signature twice"}
"""``openssl dgst`` reads no more of the file than the longest signature has."""
CASES = [(group, test) for group in VECTORS["testGroups"] for test in group["tests"]]

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")


def openssl(*arguments: str) -> bool:
    return subprocess.run(["openssl", *arguments], capture_output=True).returncode == 0


def write_key(spki: bytes, path: Path) -> None:
    body = base64.encodebytes(spki).decode()
    path.write_text(f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n")


def openssl_judges(folder: Path, group: dict[str, Any], test: dict[str, Any]) -> bool:
    at = folder / str(test["tcId"])
    key, data, value = (at.with_suffix(end) for end in (".pem", ".data", ".sig"))
    write_key(bytes.fromhex(group["publicKeyDer"]), key)
    data.write_bytes(bytes.fromhex(test.get("msg") or test.get("digest", "")))
    value.write_bytes(bytes.fromhex(test["sig"]))
    if "msg" in test:
        return openssl(
            "dgst", "-sm3", "-verify", str(key), "-sigopt", DISTID,
            "-signature", str(value), str(data),
        )  # fmt: skip
    return openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-sigfile", str(value), "-in", str(data)
    )


@needs_openssl
def test_openssl_agrees_with_every_vector(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: openssl_judges(tmp_path, *case), CASES))
    wrong = [
        (test["tcId"], test["comment"])
        for (_, test), result in zip(CASES, results, strict=True)
        if result != (test["result"] == "valid") and test["comment"] not in CUT_BY_THE_COMMAND
    ]
    assert wrong == []


@needs_openssl
def test_openssl_verifies_our_signatures(tmp_path: Path) -> None:
    signer = sm2.SM2Signer(sm2.generate_scalar())
    message, value, key = tmp_path / "message", tmp_path / "value", tmp_path / "key.pem"
    message.write_bytes("审批结果".encode())
    value.write_bytes(signer.sign(message.read_bytes()))
    write_key(SPKI_PREFIX + signer.point, key)
    arguments = ("dgst", "-sm3", "-verify", str(key), "-signature", str(value))
    assert openssl(*arguments, "-sigopt", DISTID, str(message))
    assert not openssl(*arguments, "-sigopt", "distid:ALICE123@YAHOO.COM", str(message))


@needs_openssl
def test_we_verify_signatures_of_openssl(tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.der"
    message, value = tmp_path / "message", tmp_path / "value"
    message.write_bytes(b"from the command line")
    assert openssl("genpkey", "-algorithm", "SM2", "-out", str(private))
    assert openssl("pkey", "-in", str(private), "-pubout", "-outform", "DER", "-out", str(public))
    assert openssl(
        "dgst", "-sm3", "-sign", str(private), "-sigopt", DISTID, "-out", str(value), str(message)
    )
    point = public.read_bytes()[-65:]
    assert public.read_bytes() == SPKI_PREFIX + point
    sm2.verify(point, message.read_bytes(), value.read_bytes())


def gmssl_key(point: bytes) -> CryptSM2:
    engine = CryptSM2(private_key="", public_key="")
    # Its constructor strips digits off keys that begin with 0 or 4.
    engine.public_key = point[1:].hex()
    return engine


def test_gmssl_agrees_with_every_vector_that_it_can_read() -> None:
    seen = 0
    for group, test in CASES:
        try:
            r, s = sm2.decode_signature(bytes.fromhex(test["sig"]))
        except MalformedSignature:
            # It has no range checks and reads encodings loosely.
            continue
        if "PointDuplication" in test["flags"]:
            # It forgets to normalise a doubled point, and fails on infinity.
            continue
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        if "msg" in test:
            e = sm2.message_digest(point, bytes.fromhex(test["msg"]))
        else:
            e = bytes.fromhex(test["digest"])
        result = gmssl_key(point).verify(f"{r:064x}{s:064x}", e)
        assert result == (test["result"] == "valid"), test
        seen += 1
    assert seen > 150


def test_gmssl_computes_the_same_z_and_verifies_our_signatures() -> None:
    for at in range(4):
        signer = sm2.SM2Signer(sm2.generate_scalar())
        message = f"message {at}".encode()
        r, s = sm2.decode_signature(signer.sign(message))
        engine = gmssl_key(signer.point)
        assert engine._sm3_z(message) == sm2.message_digest(signer.point, message).hex()
        assert engine.verify_with_sm3(f"{r:064x}{s:064x}", message)

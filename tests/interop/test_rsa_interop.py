"""RSA vectors against two others: the package ``cryptography`` and OpenSSL on the command line."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.vectors import make_rsa_vectors

HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}
CASES = {
    which: [
        (group, test)
        for group in json.loads(file.read_text("utf-8"))["testGroups"]
        for test in group["tests"]
    ]
    for which, file in make_rsa_vectors.FILES.items()
}
WHICH = pytest.mark.parametrize("which", CASES)


def library_judges(group: dict[str, Any], test: dict[str, Any]) -> bool:
    key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
    assert isinstance(key, rsa.RSAPublicKey)
    digest = HASHES[group["sha"]]
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if "sLen" in group:
        scheme = padding.PSS(padding.MGF1(HASHES[group["mgfSha"]]), group["sLen"])
    try:
        key.verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]), scheme, digest)
    except InvalidSignature:
        return False
    return True


def command_judges(folder: Path, group: dict[str, Any], test: dict[str, Any]) -> bool:
    key, value, message = (folder / name for name in ("key.der", "value", "message"))
    key.write_bytes(bytes.fromhex(group["publicKeyDer"]))
    value.write_bytes(bytes.fromhex(test["sig"]))
    message.write_bytes(bytes.fromhex(test["msg"]))
    options = ["-sigopt", "rsa_padding_mode:pkcs1"]
    if "sLen" in group:
        options = ["-sigopt", "rsa_padding_mode:pss"]
        options += ["-sigopt", f"rsa_pss_saltlen:{group['sLen']}"]
    digest = f"-{group['sha'].replace('-', '').lower()}"
    done = subprocess.run(
        ["openssl", "dgst", digest, *options, "-keyform", "DER", "-verify", str(key),
         "-signature", str(value), str(message)],
        capture_output=True,
    )  # fmt: skip
    return done.returncode == 0


@WHICH
def test_the_library_agrees_with_every_vector(which: str) -> None:
    wrong = [
        (test["tcId"], test["comment"])
        for group, test in CASES[which]
        if library_judges(group, test) != (test["result"] == "valid")
    ]
    assert wrong == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
@WHICH
def test_openssl_agrees_with_every_vector(which: str, tmp_path: Path) -> None:
    """It reads no more of a signature file than a signature has: longer ones are left out."""
    wrong = [
        (test["tcId"], test["comment"])
        for group, test in CASES[which]
        if len(test["sig"]) * 4 <= group["keySize"]
        and command_judges(tmp_path, group, test) != (test["result"] == "valid")
    ]
    assert wrong == []

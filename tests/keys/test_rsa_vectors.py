"""RSA verification vectors of our own: the product gives what the plain arithmetic gives."""

import json
from typing import Any

import pytest

from keys import rsa
from keys.algorithms import DigestAlgorithm
from keys.errors import SignatureMismatch
from keys.public_key import parse_public_key, verify_signature
from tests.vectors import make_rsa_vectors

DIGESTS = {
    "SHA-256": DigestAlgorithm.SHA256,
    "SHA-384": DigestAlgorithm.SHA384,
    "SHA-512": DigestAlgorithm.SHA512,
}
RSA_WITH_SHA256 = "1.2.840.113549.1.1.11"
VECTORS = {
    which: json.loads(file.read_text("utf-8")) for which, file in make_rsa_vectors.FILES.items()
}
WHICH = pytest.mark.parametrize("which", VECTORS)


def judge(group: dict[str, Any], test: dict[str, Any]) -> str:
    key = bytes.fromhex(group["publicKeyDer"])
    message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
    try:
        if "sLen" in group:
            rsa.verify_pss(key, message, signature, DIGESTS[group["sha"]], group["sLen"])
        else:
            verify_signature(parse_public_key(key), message, signature, RSA_WITH_SHA256)
    except SignatureMismatch:
        return "invalid"
    return "valid"


@WHICH
def test_every_vector_gives_its_result(which: str) -> None:
    """T-SES-18: padding, encoding, salt, mask, sizes, a small exponent."""
    wrong = [
        (test["tcId"], test["comment"])
        for group in VECTORS[which]["testGroups"]
        for test in group["tests"]
        if judge(group, test) != test["result"]
    ]
    assert wrong == []


@WHICH
def test_the_vectors_are_what_their_script_makes(which: str) -> None:
    assert make_rsa_vectors.make(which) == make_rsa_vectors.FILES[which].read_text("utf-8")


@WHICH
def test_every_category_is_there_and_only_ordinary_signatures_are_valid(which: str) -> None:
    tests = [test for group in VECTORS[which]["testGroups"] for test in group["tests"]]
    used = {flag for test in tests for flag in test["flags"]}
    assert used == set(VECTORS[which]["notes"])
    assert len(tests) == VECTORS[which]["numberOfTests"]
    valid = {flag for test in tests if test["result"] == "valid" for flag in test["flags"]}
    assert valid <= {"Normal", "SmallPublicKey"}

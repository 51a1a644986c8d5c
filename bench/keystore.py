"""What the key store costs on top of the engine: SM2 signatures, and verification by public key."""

from collections.abc import Callable
from pathlib import Path

from bench.measure import Measurement, measure, median_of
from keys import sm2
from keys.algorithms import OID_SM2_WITH_SM3, KeyAlgorithm
from keys.keystore import KeyStore
from keys.public_key import verify_signature

MESSAGE = b"signed attributes are about this long; " * 6
PAIRS = 2 * sm2.REMEMBERED
"""Signatures that are verified in turn: more than are remembered, so that none is."""


def measure_keystore(folder: Path, *, rounds: int = 5, ops: int = 500) -> tuple[Measurement, ...]:
    """Return engine and key store, round by round in turn.

    Both verify what they signed, as every signature that leaves is; the engine has its e ready.
    """
    store = KeyStore(folder / "keystore-bench", b"pass-phrase of the bench")
    key = store.generate("bench", KeyAlgorithm.SM2)
    point = key.point or b""
    signer = sm2.SM2Signer(sm2.generate_scalar())
    e = sm2.message_digest(signer.point, MESSAGE)
    messages = [MESSAGE + number.to_bytes(4, "big") for number in range(PAIRS)]
    made = [(message, store.sign_with("bench", message)) for message in messages]
    digests = [(sm2.message_digest(point, message), signature) for message, signature in made]

    def engine_verify(number: int) -> None:
        digest, signature = digests[number % PAIRS]
        sm2.verify_digest(point, digest, signature)

    def keystore_verify(number: int) -> None:
        message, signature = made[number % PAIRS]
        verify_signature(key, message, signature, OID_SM2_WITH_SM3)

    operations: dict[str, Callable[[int], object]] = {
        "engine_sm2_sign": lambda _: signer.sign_digest(e),
        "keystore_sm2_sign": lambda _: store.sign_with("bench", MESSAGE),
        "engine_sm2_verify": engine_verify,
        "keystore_sm2_verify": keystore_verify,
    }
    rows: dict[str, list[Measurement]] = {name: [] for name in operations}
    for _ in range(rounds):
        for name, operation in operations.items():
            rows[name].append(measure(name, operation, ops=ops, rounds=1))
    return tuple(median_of(found) for found in rows.values())

"""The crypto floor: what OpenSSL's own speed test does on this machine, in this minute."""

import re
import subprocess
from collections.abc import Iterator

from bench.measure import Measurement

SECONDS = 2
_SM2 = re.compile(r"^\s*256 bits SM2 .*?([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)
_RSA = re.compile(r"^rsa\s+(\d+) bits.*?([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)


def openssl_speed(*algorithms: str) -> str:
    """Run ``openssl speed`` and return what it prints."""
    command = ["openssl", "speed", "-seconds", str(SECONDS), *algorithms]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sm2_floor() -> tuple[Measurement, Measurement]:
    """Return OpenSSL's SM2 signing and verifying; it counts CPU time itself."""
    found = _SM2.search(openssl_speed("sm2"))
    if found is None:
        raise SystemExit("this openssl has no SM2 speed test")
    sign, verify = _rates("openssl_sm2", found[1], found[2])
    return sign, verify


def rsa_floor(bits: int) -> tuple[Measurement, ...]:
    """Return OpenSSL's RSA signing and verifying at one key length."""
    found = _RSA.search(openssl_speed(f"rsa{bits}"))
    return tuple(_rates(f"openssl_rsa{bits}", found[2], found[3])) if found else ()


def _rates(name: str, sign: str, verify: str) -> Iterator[Measurement]:
    for kind, rate in (("sign", float(sign)), ("verify", float(verify))):
        cost = round(1000 / rate, 4)
        yield Measurement(name=f"{name}_{kind}", cpu_ms=cost, wall_ms=cost, ops=int(rate * SECONDS))

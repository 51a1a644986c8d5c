"""Build certificates and chains; every default is valid, every keyword is a flaw or a choice.

Encoded here apart from the product's own issuing, so that flaws can be made.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from keys import der
from keys.certificates import Certificate, parse_certificate
from keys.path import PathReport, TrustStore, Usage, check_path
from keys.rsa import RSASigner, generate
from keys.sm2 import SM2Signer
from keys.sm2_values import SPKI_PREFIX

NOW = datetime(2026, 11, 24, 4, 0, 0, tzinfo=UTC)
SM2_WITH_SM3 = "1.2.156.10197.1.501"
RSA_WITH_SHA256 = "1.2.840.113549.1.1.11"
SIGNING_USAGE = (0, 1)
CA_USAGE = (5, 6)

COUNTRY = "2.5.4.6"
ORGANISATION = "2.5.4.10"
UNIT = "2.5.4.11"
COMMON_NAME = "2.5.4.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainKey:
    """A key of a test and the means to sign with it."""

    spki: bytes
    algorithm: bytes
    """AlgorithmIdentifier of its signatures."""
    sign: Callable[[bytes], bytes]

    @property
    def key_id(self) -> bytes:
        return hashlib.sha1(self.spki, usedforsecurity=False).digest()


@lru_cache(maxsize=64)
def sm2_key(name: str) -> ChainKey:
    """Make an SM2 key that follows from the name."""
    signer = SM2Signer(hashlib.sha256(f"chain {name}".encode()).digest())
    return ChainKey(
        spki=SPKI_PREFIX + signer.point,
        algorithm=der.sequence(der.oid(SM2_WITH_SM3)),
        sign=signer.sign,
    )


@lru_cache(maxsize=8)
def rsa_key(name: str, bits: int = 2048) -> ChainKey:
    """Make an RSA key; ``name`` only tells keys of one process apart."""
    signer = RSASigner(generate(bits))
    return ChainKey(
        spki=signer.spki,
        algorithm=der.sequence(der.oid(RSA_WITH_SHA256), der.null()),
        sign=signer.sign,
    )


def name(*pairs: tuple[str, str | bytes]) -> bytes:
    """Encode a Name; a value in bytes is a whole element."""
    return der.sequence(
        *(
            der.set_of(
                [der.sequence(der.oid(oid), der.utf8(text) if isinstance(text, str) else text)]
            )
            for oid, text in pairs
        )
    )


def simple_name(common_name: str) -> bytes:
    return name((COUNTRY, der.printable("CN")), (COMMON_NAME, common_name))


def extension(oid: str, value: bytes, critical: bytes = b"") -> bytes:
    """Encode an Extension; ``critical`` is the whole BOOLEAN, if it is there."""
    return der.sequence(der.oid(oid), critical, der.octet_string(value))


CRITICAL = der.boolean(True)
NOT_CRITICAL = der.boolean(False)


def key_usage(*bits: int) -> bytes:
    return extension("2.5.29.15", der.bit_flags(bits), CRITICAL)


def basic_constraints(path_length: int | None = None, *, is_ca: bool = True) -> bytes:
    length = b"" if path_length is None else der.integer(path_length)
    return extension(
        "2.5.29.19", der.sequence(der.boolean(True) if is_ca else b"", length), CRITICAL
    )


def extended_key_usage(*oids: str, critical: bytes = b"") -> bytes:
    return extension("2.5.29.37", der.sequence(*map(der.oid, oids)), critical)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSpec:
    """What a test certificate contains. Bytes of whole elements are put in as they are."""

    subject: bytes
    key: ChainKey
    issuer: bytes | None = None
    """By default its own subject: self-signed."""
    issuer_key: ChainKey | None = None
    version: bytes = field(default_factory=lambda: der.explicit(0, der.integer(2)))
    serial: bytes | None = None
    inner_algorithm: bytes | None = None
    outer_algorithm: bytes | None = None
    not_before: bytes = field(default_factory=lambda: der.time(NOW - timedelta(days=365)))
    not_after: bytes = field(default_factory=lambda: der.time(NOW + timedelta(days=730)))
    spki: bytes | None = None
    extensions: tuple[bytes, ...] = ()
    has_key_ids: bool = True
    authority_key_id: bytes | None = None
    tail: bytes = b""
    """Elements before the extensions."""
    change: Callable[[bytes], bytes] = bytes
    """Turns the tbs into what is signed."""


def make_certificate(spec: CertificateSpec) -> bytes:
    """Build one certificate."""
    signer = spec.issuer_key or spec.key
    algorithm = spec.inner_algorithm or signer.algorithm
    serial = int.from_bytes(hashlib.sha256(spec.subject + spec.key.spki).digest()[:15], "big")
    extensions = list(spec.extensions)
    if spec.has_key_ids:
        authority = spec.authority_key_id or signer.key_id
        extensions += [
            extension("2.5.29.14", der.octet_string(spec.key.key_id)),
            extension("2.5.29.35", der.sequence(der.element(0x80, authority))),
        ]
    tbs = der.sequence(
        spec.version,
        spec.serial or der.integer(serial),
        algorithm,
        spec.issuer or spec.subject,
        der.sequence(spec.not_before, spec.not_after),
        spec.subject,
        spec.spki or spec.key.spki,
        spec.tail,
        der.explicit(3, der.sequence(*extensions)) if extensions else b"",
    )
    value = signer.sign(spec.change(tbs))
    return der.sequence(tbs, spec.outer_algorithm or algorithm, der.bit_string(value))


def read_certificate(spec: CertificateSpec) -> Certificate:
    """Build one certificate and read it."""
    return parse_certificate(make_certificate(spec))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A root, an issuing authority and a leaf, with what is needed to make more."""

    root: Certificate
    issuing: Certificate
    leaf: Certificate
    root_spec: CertificateSpec
    issuing_spec: CertificateSpec
    leaf_spec: CertificateSpec


def chain_specs(
    prefix: str = "", make_key: Callable[[str], ChainKey] = sm2_key
) -> tuple[CertificateSpec, CertificateSpec, CertificateSpec]:
    """Return the specs of a root, an issuing authority and a leaf that signs."""
    root = CertificateSpec(
        subject=simple_name("测试根"),
        key=make_key(f"{prefix}root"),
        extensions=(basic_constraints(1), key_usage(*CA_USAGE)),
    )
    issuing = CertificateSpec(
        subject=simple_name("测试签发机构"),
        key=make_key(f"{prefix}issuing"),
        issuer=root.subject,
        issuer_key=root.key,
        extensions=(basic_constraints(0), key_usage(*CA_USAGE)),
    )
    leaf = CertificateSpec(
        subject=simple_name("示例市行政审批局"),
        key=make_key(f"{prefix}leaf"),
        issuer=issuing.subject,
        issuer_key=issuing.key,
        extensions=(basic_constraints(is_ca=False), key_usage(*SIGNING_USAGE)),
    )
    return root, issuing, leaf


def make_chain(
    *,
    root: Mapping[str, object] | None = None,
    issuing: Mapping[str, object] | None = None,
    leaf: Mapping[str, object] | None = None,
    prefix: str = "",
    make_key: Callable[[str], ChainKey] = sm2_key,
) -> Chain:
    """Build a chain of three; the dictionaries hold changes to the specs."""
    changes = (root, issuing, leaf)
    specs = [
        replace(spec, **(change or {}))  # type: ignore[arg-type] # field names are the callers'
        for spec, change in zip(chain_specs(prefix, make_key), changes, strict=True)
    ]
    made = [read_certificate(spec) for spec in specs]
    return Chain(
        root=made[0],
        issuing=made[1],
        leaf=made[2],
        root_spec=specs[0],
        issuing_spec=specs[1],
        leaf_spec=specs[2],
    )


def check(
    chain: Chain,
    *,
    usage: Usage = Usage.SEAL_HOLDER,
    at: datetime = NOW,
    trust: tuple[Certificate, ...] | None = None,
    others: tuple[Certificate, ...] = (),
) -> PathReport:
    """Check the leaf against the root; ``others`` join the issuing authority."""
    roots = (chain.root,) if trust is None else trust
    return check_path(
        chain.leaf,
        usage=usage,
        at=at,
        trust=TrustStore.of(roots),
        intermediates=(chain.issuing, *others),
    )


def reasons(report: PathReport) -> set[str]:
    return {str(problem.reason) for problem in report.problems}


def details(report: PathReport) -> list[str]:
    return [problem.detail for problem in report.problems]

"""Sealed OFD packages for the verifier: genuine by default; every keyword is a forgery or a choice.

The package is laid out by our own writer; the seal and its signature are spelt out by
``tests.support.seals``, so that each part can be made wrong by itself.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from seal_service.formats import asn1
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.model import OFDProvider
from seal_service.formats.ofd.own_form import OWN_PROVIDER
from seal_service.formats.ofd.sealing import StampPlacement, finish, prepare
from tests.support.ofd import SPOT, make_ofd
from tests.support.seals import (
    Party,
    SealSpec,
    SignatureSpec,
    make_seal,
    make_seal_signature,
)
from tests.support.trust import NOW, SM2_TRUST, Trust

FOREIGN = OFDProvider(name="another", version="2", company="vendor")
"""A provider under whose name every deviation of real issuers is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSpec:
    """One seal on a package."""

    package: bytes | None = None
    seal: SealSpec = field(default_factory=SealSpec)
    seal_der: bytes | None = None
    """The seal inside the signature; by default built from ``seal``."""
    seal_copy: bytes | None = None
    """Seal.esl, where it is to differ."""
    signature: SignatureSpec = field(default_factory=SignatureSpec)
    signer: Party | None = None
    family: Trust = SM2_TRUST
    signed_at: datetime = NOW
    stamped_at: datetime | None = None
    """When a time stamp is made; None for none."""
    token: Callable[[bytes], bytes] | None = None
    """Makes the token over the signature value, where it is to be wrong."""
    lock: bool = False
    provider: OFDProvider = OWN_PROVIDER
    placements: Sequence[StampPlacement] = (SPOT,)
    custom_datas: Mapping[str, str] | None = None
    uncovered: Collection[str] = ()
    """Entries that are left out of the references (a foreign provider only)."""
    edit_xml: Callable[[bytes], bytes] = bytes
    """Changes Signature.xml before it is signed."""


def seal_of(spec: SealedSpec) -> bytes:
    """Build the seal of a spec."""
    if spec.seal_der is not None:
        return spec.seal_der
    maker = spec.seal.maker or spec.family.maker()
    signer = spec.seal.signer or spec.signer or spec.family.holder()
    return make_seal(replace(spec.seal, maker=maker, signer=signer))


def seal_document(spec: SealedSpec | None = None) -> bytes:
    """Seal a package as a spec says."""
    spec = spec or SealedSpec()
    eseal = seal_of(spec)
    package = spec.package or make_ofd(custom_datas=spec.custom_datas)
    prepared = prepare(
        package,
        eseal_der=spec.seal_copy or eseal,
        placements=spec.placements,
        signed_at=spec.signed_at,
        lock=spec.lock,
        provider=spec.provider,
    )
    value = sign(spec, eseal, prepared.data_hash, prepared.property_info)
    return finish(prepared, value)


def sign(spec: SealedSpec, eseal: bytes, data_hash: bytes, property_info: str) -> bytes:
    """Build the seal signature of a spec."""
    signature = replace(
        spec.signature,
        seal=eseal,
        version=spec.seal.version,
        signer=spec.signature.signer or spec.signer or spec.family.holder(),
        time=spec.signature.time or _time(spec),
    )
    defaults = SignatureSpec()
    if spec.signature.data_hash == defaults.data_hash:
        signature = replace(signature, data_hash=asn1.bit_string(data_hash))
    if spec.signature.property_info == defaults.property_info:
        signature = replace(signature, property_info=asn1.ia5(property_info))
    if spec.stamped_at is None and spec.token is None:
        return make_seal_signature(signature)
    return _stamped(spec, signature)


def _time(spec: SealedSpec) -> bytes:
    if spec.seal.version == 1:
        return asn1.bit_string(asn1.utc_time(spec.signed_at))
    return asn1.generalized_time(spec.signed_at)


def _stamped(spec: SealedSpec, signature: SignatureSpec) -> bytes:
    """Add a token over the signature value; the value is fixed first, for it differs each time."""
    kept: list[bytes] = []

    def remember(value: bytes) -> bytes:
        kept[:] = [signature.value(value)]
        return kept[0]

    make_seal_signature(replace(signature, value=remember))
    value = kept[0]
    tsa = spec.family.stamper(spec.stamped_at or spec.signed_at)
    token = (spec.token or tsa.stamp)(value)
    element = asn1.explicit(0, asn1.bit_string(token))
    return make_seal_signature(replace(signature, value=lambda _: value, timestamp=element))


# Forgeries that are made after sealing, by whoever holds the file


def with_entries(document: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Replace, add or (None) remove entries, written as our own writer would."""
    entries: dict[str, bytes] = dict(read_container(document).entries)
    for path, content in changes.items():
        if content is None:
            del entries[path]
        else:
            entries[path] = content
    return write_container(entries)


def resigned(document: bytes, spec: SealedSpec, changes: Mapping[str, bytes]) -> bytes:
    """Change entries (Signature.xml too) and sign again with the same seal over the result."""
    entries: dict[str, bytes] = dict(read_container(document).entries)
    entries.update(changes)
    path = "Doc_0/Signs/Sign_0/Signature.xml"
    entries[path] = spec.edit_xml(entries[path])
    eseal = spec.seal_der or entries["Doc_0/Signs/Sign_0/Seal.esl"]
    value = sign(spec, eseal, sm3_of(entries[path]), f"/{path}")
    entries["Doc_0/Signs/Sign_0/SignedValue.dat"] = value
    return write_container(entries)


def sm3_of(data: bytes) -> bytes:
    """Return the SM3 digest."""
    return hashlib.new("sm3", data).digest()

"""Which signatures of a document hold before a seal is added: every kind, and every way not to."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from keys.algorithms import sm3
from seal_service.errors import MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.cms import CMSProfile, assemble, prepare_signer, signed_attributes
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.opening import open_package
from seal_service.formats.pdf.archiving import prepare_timestamp
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import SubFilter, finish
from seal_service.seals.earlier import check_earlier_ofd, check_earlier_pdf
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.seals import SignatureSpec
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST

THEIRS = SealedSpec(provider=FOREIGN)
SIGN = "Doc_0/Signs/Sign_0"
LIST = "Doc_0/Signs/Signatures.xml"


def check_ofd(package: bytes) -> None:
    check_earlier_ofd(open_package(package).signatures)


def check_pdf(pdf: bytes) -> None:
    check_earlier_pdf(read_pdf(pdf))


def with_value(make: Callable[[bytes], bytes], *, kind: bytes = b"Sign") -> bytes:
    """Turn a foreign seal into a signature of another kind, over Signature.xml without a seal."""
    entries = dict(read_container(seal_document(THEIRS)).entries)
    xml = re.sub(
        rb"<ofd:StampAnnot[^>]*/>|<ofd:Seal>.*</ofd:Seal>", b"", entries[f"{SIGN}/Signature.xml"]
    )
    xml = re.sub(rb'<ofd:Reference FileRef="[^"]*Seal\.esl">.*?</ofd:Reference>', b"", xml)
    del entries[f"{SIGN}/Seal.esl"]
    entries[f"{SIGN}/Signature.xml"] = xml
    entries[f"{SIGN}/SignedValue.dat"] = make(xml)
    entries[LIST] = entries[LIST].replace(b'Type="Seal"', b'Type="' + kind + b'"')
    return write_container(entries)


def plain_signature(xml: bytes) -> bytes:
    signer = SM2_TRUST.holder()
    template = prepare_signer(signer.certificate, profile=CMSProfile.GBT_35275)
    attributes = signed_attributes(template, sm3(xml))
    return assemble(template, attributes, signer.sign(attributes))


@pytest.mark.parametrize(
    "package",
    [
        seal_document(THEIRS),
        seal_document(replace(THEIRS, lock=False, stamped_at=NOW)),
        seal_document(replace(THEIRS, seal=replace(THEIRS.seal, version=5))),
        seal_document(replace(THEIRS, seal=replace(THEIRS.seal, version=1))),
        with_value(plain_signature),
    ],
)
def test_signatures_of_every_kind_hold_in_an_ofd(package: bytes) -> None:
    check_ofd(package)


def elsewhere(path: str) -> bytes:
    signature = SignatureSpec(property_info=asn1.ia5(path))
    return seal_document(replace(THEIRS, signature=signature))


def other_copy() -> bytes:
    return seal_document(replace(THEIRS, seal_copy=b"\x30\x03\x02\x01\x01"))


@pytest.mark.parametrize(
    "package",
    [
        elsewhere("/Doc_0/Signs/Sign_1/Signature.xml"),
        other_copy(),
        seal_document(
            replace(THEIRS, signature=SignatureSpec(data_hash=asn1.bit_string(bytes(32))))
        ),
        seal_document(replace(THEIRS, signature=SignatureSpec(signer=SM2_TRUST.maker()))),
        with_value(lambda xml: plain_signature(xml + b" ")),
        with_value(lambda xml: b"\x30\x00"),
        with_value(plain_signature, kind=b"Seal"),
    ],
)
def test_a_value_that_does_not_fit_holds_in_no_ofd(package: bytes) -> None:
    with pytest.raises(MalformedDocument) as refusal:
        check_ofd(package)
    assert refusal.value.params["reason"] == "earlier-signature"
    assert refusal.value.params["subject"] == f"{SIGN}/Signature.xml"


def test_a_place_without_its_leading_slash_is_the_same_place() -> None:
    check_ofd(elsewhere(f"{SIGN}/Signature.xml"))


GM_SEAL = PDFSpec(sub_filter=SubFilter.SES, family=SM2_TRUST, stamped_at=None)
GM_MESSAGE = PDFSpec(profile=CMSProfile.SM2, sub_filter=SubFilter.CMS, family=SM2_TRUST)


def stamped(pdf: bytes) -> bytes:
    prepared = prepare_timestamp(pdf, field_name="Stamp")
    token = RSA_TRUST.stamper(NOW).stamp(b"".join(prepared.pieces))
    return finish(prepared, token)


@pytest.mark.parametrize(
    "pdf", [sign_pdf(), sign_pdf(GM_SEAL), sign_pdf(GM_MESSAGE), stamped(sign_pdf())]
)
def test_signatures_of_every_kind_hold_in_a_pdf(pdf: bytes) -> None:
    check_pdf(pdf)


def wrongly_stamped() -> bytes:
    prepared = prepare_timestamp(sign_pdf(), field_name="Stamp")
    return finish(prepared, RSA_TRUST.stamper(NOW).stamp(b"another document"))


def renamed(pdf: bytes, name: bytes) -> bytes:
    """Give the signature another SubFilter of the same length: its value fits no more."""
    old = b"/ETSI.CAdES.detached"
    return pdf.replace(old, b"/" + name.ljust(len(old) - 1, b"x"))


@pytest.mark.parametrize(
    "pdf",
    [
        sign_pdf(PDFSpec(message=lambda value: value[:-1] + bytes((value[-1] ^ 1,)))),
        sign_pdf(replace(GM_SEAL, message=lambda value: b"\x30\x00")),
        sign_pdf(replace(GM_MESSAGE, message=lambda value: b"\x30\x00")),
        renamed(sign_pdf(), b"GM.sm2cms.detached"),
        renamed(sign_pdf(), b"nobody.knows"),
        sign_pdf().replace(b"(Licence) Tj", b"(licence) Tj"),
        wrongly_stamped(),
    ],
)
def test_a_value_that_does_not_fit_holds_in_no_pdf(pdf: bytes) -> None:
    with pytest.raises(MalformedDocument) as refusal:
        check_pdf(pdf)
    assert refusal.value.params["reason"] == "earlier-signature"

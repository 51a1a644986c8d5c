"""Third-party seals and signatures, and the worked example that goes with them.

The files come from the public repository ofdrw/ofdrw (Apache-2.0). They are not part of this
repository: the tests are skipped where the folder with them is absent.
"""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.algorithms import sm3
from keys.errors import SignatureMismatch
from seal_service.errors import SignerNotInSeal
from seal_service.formats.ses import (
    CertificateListType,
    SealSignature,
    SESVersion,
    check_signer_listed,
    parse_seal,
    parse_seal_signature,
    seal_signed_bytes,
    verify_seal_value,
    verify_signature_value,
)

SAMPLES = Path(__file__).parents[2].parent / "shared" / "interop" / "ofd"
SIGN = "Doc_0/Signs/Sign_0/"

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="third-party samples are not present beside the repository"
)


def member(package: str, path: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO((SAMPLES / package).read_bytes())) as archive:
        return archive.read(path)


def signature(package: str, folder: str = SIGN) -> SealSignature:
    return parse_seal_signature(member(package, folder + "SignedValue.dat"))


def reasons(signed: SealSignature) -> set[str]:
    return {notice.reason for notice in signed.notices}


def test_the_worked_example_reads_at_the_offsets_given() -> None:
    data = member("v4-tax-test-valid.ofd", SIGN + "SignedValue.dat")
    signed = parse_seal_signature(data)
    assert len(data) == 6439
    assert signed.tbs_raw == data[4:5123]
    assert signed.eseal_raw == data[11:5036]
    assert seal_signed_bytes(signed.seal) == signed.seal.info_raw == data[15:3893]
    assert signed.seal.info_raw[4:21].hex() == "300f160245530201041606474f4d41494e"
    assert signed.seal.extensions[0].value == b"2.1"
    assert data[3869:3893].hex() == "30163014060a2a811ccf5506070202010101000403322e31"


def test_the_worked_example_reads_every_field() -> None:
    signed = signature("v4-tax-test-valid.ofd")
    seal = signed.seal
    assert signed.version is seal.version is SESVersion.V4
    assert (seal.vendor_id, seal.seal_id, seal.seal_type) == ("GOMAIN", "50011200000399", 3)
    assert len(seal.name.encode()) == 69
    assert seal.list_type is CertificateListType.CERTIFICATES
    assert len(seal.certificates) == 1
    assert seal.created_at == datetime(2020, 10, 7, 16, 0, 50, tzinfo=UTC)
    assert seal.valid_from == datetime(2020, 10, 7, 16, 0, tzinfo=UTC)
    assert seal.valid_until == datetime(2023, 10, 7, 16, 0, tzinfo=UTC)
    assert (seal.picture.format, seal.picture.width_mm, seal.picture.height_mm) == ("OFD", 30, 20)
    assert len(seal.picture.data) == 2430
    assert seal.extensions[0].oid == "1.2.156.10197.6.7.2.2.1"
    assert not seal.extensions[0].is_critical
    assert signed.signed_at == datetime(2020, 10, 10, 7, 11, 20, tzinfo=UTC)
    assert signed.property_info == "/Doc_0/Signs/Sign_0/Signature.xml"
    assert signed.timestamp is None
    assert reasons(signed) == {"explicit-default"}


def test_the_worked_example_hashes_and_verifies_over_the_original_bytes() -> None:
    signed = signature("v4-tax-test-valid.ofd")
    xml = member("v4-tax-test-valid.ofd", SIGN + "Signature.xml")
    expected = "14859b925039a50fe268d40e4a903da44d64cc56b1eebd0902d45a5a41a134b5"
    assert signed.data_hash == sm3(xml) == bytes.fromhex(expected)
    assert sm3(signed.tbs_raw).hex() == (
        "152c46d105187ca67d37d8d139284b7e7305720b3560537520fb0316867748cc"
    )
    signer = verify_signature_value(signed)
    maker = verify_seal_value(signed.seal)
    assert signer.public_key.point is not None
    assert signer.public_key.point.hex().startswith("04075c626254f7ebb1")
    assert maker.public_key.point is not None
    assert maker.public_key.point.hex().startswith("046ca2d31e077987")
    check_signer_listed(signed.seal, signed.certificate)


@pytest.mark.parametrize(
    ("package", "folder"),
    [
        ("v4-tax-test-tampered.ofd", SIGN),
        ("v4-whole-protected-valid.ofd", SIGN),
        ("v4-append-after-lock.ofd", SIGN),
        ("v4-append-after-lock.ofd", "Doc_0/Signs/Sign_1/"),
    ],
)
def test_third_party_v4_signatures_verify(package: str, folder: str) -> None:
    signed = signature(package, folder)
    assert signed.version is SESVersion.V4
    assert signed.data_hash == sm3(member(package, folder + "Signature.xml"))
    verify_signature_value(signed)
    verify_seal_value(signed.seal)
    check_signer_listed(signed.seal, signed.certificate)


@pytest.mark.parametrize("package", ["v4-whole-protected-valid.ofd", "v4-append-after-lock.ofd"])
def test_the_seal_file_is_the_seal_inside(package: str) -> None:
    assert member(package, SIGN + "Seal.esl") == signature(package).eseal_raw


def test_a_third_party_v5_signature_verifies() -> None:
    signed = parse_seal_signature((SAMPLES / "v5-signedvalue.dat").read_bytes())
    assert signed.version is signed.seal.version is SESVersion.V5
    assert signed.seal.name == "OFD R&W V5测试用印章"
    assert (signed.timestamp, signed.seal.timestamp) == (None, None)
    assert signed.signed_at == datetime(2026, 4, 24, 8, 53, 26, tzinfo=UTC)
    assert signed.notices == ()
    verify_signature_value(signed)
    verify_seal_value(signed.seal)
    check_signer_listed(signed.seal, signed.certificate)


def test_the_nonconforming_v1_file_reports_each_of_its_faults() -> None:
    signed = signature("v1-nonconforming-vendor.ofd")
    seal = signed.seal
    assert signed.version is seal.version is SESVersion.V1
    assert seal.extensions[0].is_critical
    assert {"certificate-list", "odd-time"} <= reasons(signed)
    assert (seal.certificates, seal.picture.format) == ((), "PNG")
    verify_seal_value(seal)
    with pytest.raises(SignatureMismatch):
        verify_signature_value(signed)
    with pytest.raises(SignerNotInSeal):
        check_signer_listed(seal, signed.certificate)
    xml = member("v1-nonconforming-vendor.ofd", SIGN + "Signature.xml")
    assert signed.data_hash != sm3(xml)


def test_a_seal_file_alone_reads_as_the_one_inside() -> None:
    """v1 seals are signed over info, certificate and algorithm together."""
    seal = parse_seal(member("v1-nonconforming-vendor.ofd", SIGN + "Seal.esl"))
    assert seal_signed_bytes(seal) != seal.info_raw
    verify_seal_value(seal)

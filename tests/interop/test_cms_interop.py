"""Our messages before other programs: OpenSSL's command line, and theirs before our reader."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, pkcs7
from cryptography.x509 import load_der_x509_certificate

from seal_service.formats.cms import (
    CMSProfile,
    assemble,
    parse_signed_data,
    prepare_signer,
    signed_attributes,
    verify_signer,
)
from tests.support.messages import CONTENT, rsa_key_der, rsa_party
from tests.support.seals import NOW

OPENSSL = shutil.which("openssl")


def openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(OPENSSL), *arguments], capture_output=True, check=False, timeout=30)


@pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")
def test_openssl_verifies_our_rsa_message(tmp_path: Path) -> None:
    party = rsa_party()
    template = prepare_signer(party.certificate, profile=CMSProfile.RSA)
    attributes = signed_attributes(template, hashlib.sha256(CONTENT).digest())
    message, content = tmp_path / "message.der", tmp_path / "content"
    message.write_bytes(assemble(template, attributes, party.sign(attributes)))
    anchor = tmp_path / "anchor.pem"
    certificate = load_der_x509_certificate(party.certificate)
    anchor.write_bytes(certificate.public_bytes(Encoding.PEM))
    check = [
        *("cms", "-verify", "-cades", "-inform", "DER", "-in", str(message), "-binary"),
        *("-content", str(content), "-out", str(tmp_path / "out"), "-purpose", "any"),
        *("-CAfile", str(anchor), "-partial_chain", "-attime", str(int(NOW.timestamp()))),
    ]
    content.write_bytes(CONTENT)
    result = openssl(*check)
    assert result.returncode == 0, result.stderr.decode()
    content.write_bytes(CONTENT + b" ")
    assert openssl(*check).returncode != 0


def test_a_message_of_a_common_library_verifies() -> None:
    certificate = load_der_x509_certificate(rsa_party().certificate)
    key = load_der_private_key(rsa_key_der(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    message = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(CONTENT)
        .add_signer(certificate, key, hashes.SHA256())
        .sign(
            Encoding.DER,
            [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
        )
    )
    signer = verify_signer(parse_signed_data(message), [CONTENT])
    assert [notice.reason for notice in signer.notices] == ["signing-certificate-missing"]
    assert signer.signing_time is not None

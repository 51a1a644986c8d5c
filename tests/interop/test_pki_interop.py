"""Our PKI before other programs: OpenSSL's command line and library, and a certificate library.

OpenSSL 3.0 checks chains and lists with the empty ID, so its command line sees SM2 link by link
with the ID set; pyOpenSSL brings a version that uses the default ID.
"""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from OpenSSL import crypto

from keys.algorithms import DigestAlgorithm, KeyAlgorithm, digest
from keys.certificates import Certificate, encode_pem
from keys.crl import RevocationReason, RevokedEntry
from keys.ocsp import RevokedInfo, certificate_id, parse_ocsp_request
from keys.profiles import TSA
from keys.revocation import CertificateStatus, RevocationEvidence, check_revocation
from keys.rsa import generate
from keys.timestamp_messages import Imprint, TimestampRequest, encode_request, parse_response
from keys.timestamps import parse_token, verify_token
from tests.support.pki import (
    NOW,
    RSA,
    SM2,
    FixedClock,
    LeafSpec,
    copy_pki,
    make_leaf,
    shared_pki,
)
from tests.support.status import ResponseSpec, issuer_of, make_response

OPENSSL = shutil.which("openssl")
DIST_ID = "distid:1234567812345678"
AT = ("-attime", str(int(NOW.timestamp())))
LEAVES = {SM2: ("seal-maker", "sm2-tsa", "log"), RSA: ("rsa-tsa",)}
BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(OPENSSL), *map(str, arguments)], capture_output=True, check=False, timeout=60
    )


def succeed(*arguments: str | Path) -> str:
    """Run OpenSSL and return what it said; it must succeed."""
    result = openssl(*arguments)
    said = (result.stdout + result.stderr).decode(errors="replace")
    assert result.returncode == 0, said
    return said


def write(path: Path, *certificates: Certificate) -> Path:
    path.write_text("".join(encode_pem(certificate.der) for certificate in certificates))
    return path


def chain_of(algorithm: KeyAlgorithm) -> tuple[Certificate, Certificate]:
    pki = shared_pki().pki
    return pki.certificate(f"{algorithm}-root"), pki.certificate(f"{algorithm}-issuing-ca")


# Chains


@needs_openssl
@pytest.mark.parametrize("name", LEAVES[SM2])
def test_openssl_accepts_our_sm2_chain_link_by_link(tmp_path: Path, name: str) -> None:
    root, issuing = chain_of(SM2)
    leaf = shared_pki().pki.certificate(name)
    for issuer, certificate in ((root, root), (root, issuing), (issuing, leaf)):
        anchor = write(tmp_path / "issuer.pem", issuer)
        subject = write(tmp_path / "subject.pem", certificate)
        check: list[str | Path] = ["verify", "-partial_chain", "-CAfile", anchor, *AT, "-vfyopt"]
        succeed(*check, DIST_ID, subject)
    assert openssl(*check, "distid:another-one-here", subject).returncode != 0


@needs_openssl
@pytest.mark.parametrize("name", LEAVES[RSA])
def test_openssl_accepts_our_rsa_chain_without_help(tmp_path: Path, name: str) -> None:
    root, issuing = chain_of(RSA)
    anchor = write(tmp_path / "root.pem", root)
    middle = write(tmp_path / "issuing.pem", issuing)
    subject = write(tmp_path / "leaf.pem", shared_pki().pki.certificate(name))
    succeed(
        *("verify", "-x509_strict", "-check_ss_sig", "-CAfile", anchor),
        *("-untrusted", middle, *AT, subject),
    )


def store_with(algorithm: KeyAlgorithm, *crls: bytes) -> crypto.X509Store:
    store = crypto.X509Store()
    store.add_cert(load(chain_of(algorithm)[0]))
    flags = crypto.X509StoreFlags.X509_STRICT | crypto.X509StoreFlags.CHECK_SS_SIGNATURE
    if crls:
        flags |= crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL
        for crl in crls:
            store.add_crl(x509.load_der_x509_crl(crl))
    store.set_flags(flags)
    store.set_time(NOW)
    return store


def load(certificate: Certificate) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, certificate.der)


def verify(store: crypto.X509Store, leaf: Certificate, issuing: Certificate) -> None:
    crypto.X509StoreContext(store, load(leaf), [load(issuing)]).verify_certificate()


@pytest.mark.parametrize(
    ("algorithm", "name"), [(one, name) for one, names in LEAVES.items() for name in names]
)
def test_pyopenssl_accepts_our_chain_and_lists(algorithm: KeyAlgorithm, name: str) -> None:
    made, issuing = shared_pki().pki, chain_of(algorithm)[1]
    crls = (made.crl(f"{algorithm}-root"), made.crl(f"{algorithm}-issuing-ca"))
    verify(store_with(algorithm, *crls), made.certificate(name), issuing)


@BOTH
def test_pyopenssl_refuses_a_changed_certificate(algorithm: KeyAlgorithm) -> None:
    issuing = chain_of(algorithm)[1]
    changed = LeafSpec(
        algorithm=algorithm, change=lambda data: data.replace("示例".encode(), "示列".encode(), 1)
    )
    verify(store_with(algorithm), make_leaf(LeafSpec(algorithm=algorithm)), issuing)
    with pytest.raises(crypto.X509StoreContextError):
        verify(store_with(algorithm), make_leaf(changed), issuing)


@BOTH
def test_pyopenssl_refuses_a_revoked_certificate(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    made, issuing = copy_pki(tmp_path).pki, chain_of(algorithm)[1]
    leaf = made.certificate(LEAVES[algorithm][0])
    entry = RevokedEntry(
        serial=leaf.serial,
        revoked_at=NOW,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - timedelta(days=1),
    )
    published = made.revoke(leaf, entry, now=NOW)
    store = store_with(algorithm, made.crl(f"{algorithm}-root"), published)
    with pytest.raises(crypto.X509StoreContextError, match="revoked"):
        verify(store, leaf, issuing)


# Contents, read by a second reader


@BOTH
def test_a_second_reader_finds_what_we_wrote(algorithm: KeyAlgorithm) -> None:
    made = shared_pki().pki
    for name in (*LEAVES[algorithm], f"{algorithm}-root", f"{algorithm}-issuing-ca"):
        ours = made.certificate(name)
        theirs = x509.load_der_x509_certificate(ours.der)
        assert theirs.serial_number == ours.serial
        assert theirs.tbs_certificate_bytes == ours.tbs_raw
        assert theirs.not_valid_after_utc == ours.not_after
        usage = theirs.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.key_cert_sign == ours.is_ca
        key_id = theirs.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        assert key_id.value.digest == ours.subject_key_id
        point = theirs.extensions.get_extension_for_class(x509.CRLDistributionPoints)
        found = point.value[0].full_name
        assert found is not None
        assert found[0].value == ours.crl_urls[0]
        names = theirs.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert names[0].value == ours.common_name


def test_a_second_reader_finds_the_organisation_code() -> None:
    theirs = x509.load_der_x509_certificate(shared_pki().pki.seal_maker.der)
    found = theirs.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    assert found[0].value == shared_pki().pki.seal_maker.organisation_code


@BOTH
def test_a_second_reader_reads_our_lists(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    made = copy_pki(tmp_path).pki
    leaf = made.certificate(LEAVES[algorithm][0])
    entry = RevokedEntry(
        serial=leaf.serial,
        revoked_at=NOW,
        reason=RevocationReason.SUPERSEDED,
        invalidity_at=NOW - timedelta(days=1),
    )
    crl = x509.load_der_x509_crl(made.revoke(leaf, entry, now=NOW))
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    found = crl.get_revoked_certificate_by_serial_number(leaf.serial)
    assert found is not None
    assert found.revocation_date_utc == NOW
    reason = found.extensions.get_extension_for_class(x509.CRLReason)
    assert reason.value.reason is x509.ReasonFlags.superseded
    date = found.extensions.get_extension_for_class(x509.InvalidityDate)
    assert date.value.invalidity_date_utc == NOW - timedelta(days=1)
    assert crl.next_update_utc == NOW + timedelta(days=7)


# Lists


@needs_openssl
def test_openssl_verifies_our_rsa_lists(tmp_path: Path) -> None:
    for issuer, name in zip(chain_of(RSA), ("rsa-root", "rsa-issuing-ca"), strict=True):
        crl = tmp_path / "list.crl"
        crl.write_bytes(shared_pki().pki.crl(name))
        anchor = write(tmp_path / "issuer.pem", issuer)
        said = succeed("crl", "-inform", "DER", "-in", crl, "-CAfile", anchor, "-noout")
        assert "verify OK" in said


@needs_openssl
@pytest.mark.parametrize("name", ["sm2-root", "sm2-issuing-ca"])
def test_openssl_verifies_the_signed_part_of_our_sm2_lists(tmp_path: Path, name: str) -> None:
    crl = x509.load_der_x509_crl(shared_pki().pki.crl(name))
    issuer = write(tmp_path / "issuer.pem", shared_pki().pki.certificate(name))
    (tmp_path / "key.pem").write_text(succeed("x509", "-in", issuer, "-pubkey", "-noout"))
    (tmp_path / "tbs").write_bytes(crl.tbs_certlist_bytes)
    (tmp_path / "signature").write_bytes(crl.signature)
    check: list[str | Path] = [
        *("dgst", "-sm3", "-verify", tmp_path / "key.pem", "-sigopt", DIST_ID),
        *("-signature", tmp_path / "signature", tmp_path / "tbs"),
    ]
    assert "Verified OK" in succeed(*check)


# OCSP


@needs_openssl
@pytest.mark.parametrize("is_revoked", [False, True])
def test_openssl_verifies_our_rsa_responses(tmp_path: Path, is_revoked: bool) -> None:
    leaf = make_leaf(LeafSpec(algorithm=RSA))
    info = RevokedInfo(revoked_at=NOW, reason=RevocationReason.KEY_COMPROMISE)
    response = make_response(
        ResponseSpec(algorithm=RSA, certificate=leaf, revoked=info if is_revoked else None)
    )
    (tmp_path / "response.der").write_bytes(response)
    root, issuing = chain_of(RSA)
    anchors = write(tmp_path / "anchors.pem", root, issuing)
    issuer = write(tmp_path / "issuer.pem", issuing)
    subject = write(tmp_path / "leaf.pem", leaf)
    said = succeed(
        *("ocsp", "-respin", tmp_path / "response.der", "-issuer", issuer, "-cert", subject),
        *("-CAfile", anchors, *AT, "-no_nonce", "-validity_period", "999999999"),
    )
    assert "Response verify OK" in said
    assert f": {'revoked' if is_revoked else 'good'}" in said


@needs_openssl
@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sm3"])
@BOTH
def test_we_read_the_requests_of_openssl(
    tmp_path: Path, algorithm: KeyAlgorithm, hash_name: str
) -> None:
    leaf, issuing = make_leaf(LeafSpec(algorithm=algorithm)), chain_of(algorithm)[1]
    issuer = write(tmp_path / "issuer.pem", issuing)
    subject = write(tmp_path / "leaf.pem", leaf)
    succeed(
        *("ocsp", "-issuer", issuer, f"-{hash_name}", "-cert", subject),
        *("-reqout", tmp_path / "request.der"),
    )
    wanted, nonce = parse_ocsp_request((tmp_path / "request.der").read_bytes())
    assert [one.is_for(leaf, issuing) for one in wanted] == [True]
    assert nonce is not None
    if hash_name == "sha1":
        assert wanted == (certificate_id(leaf, issuing),)


@BOTH
def test_a_second_reader_reads_our_responses(algorithm: KeyAlgorithm) -> None:
    info = RevokedInfo(revoked_at=NOW, reason=RevocationReason.SUPERSEDED)
    response = ocsp.load_der_ocsp_response(
        make_response(ResponseSpec(algorithm=algorithm, revoked=info, nonce=b"0123456789abcdef"))
    )
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_time_utc == NOW
    assert response.revocation_reason is x509.ReasonFlags.superseded
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == (
        b"0123456789abcdef"
    )


def test_we_read_the_responses_of_another_library() -> None:
    """An answer by a common library about our RSA leaf, under its own key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    leaf, issuing = make_leaf(LeafSpec(algorithm=RSA)), issuer_of(RSA)
    theirs = x509.load_der_x509_certificate(leaf.der), x509.load_der_x509_certificate(issuing.der)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    own = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            *theirs,
            hashes.SHA1(),  # noqa: S303 - names an issuer, proves nothing
            ocsp.OCSPCertStatus.GOOD,
            NOW,
            NOW + timedelta(days=1),
            None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.NAME, own)
        .certificates([own])
        .sign(key, hashes.SHA256())
    )
    data = response.public_bytes(Encoding.DER)
    state = check_revocation(
        leaf, issuing, RevocationEvidence(ocsp_responses=(data,)), at=NOW, now=NOW
    )
    assert (state.status, state.reason) == (CertificateStatus.UNKNOWN, "ocsp-responder")


# Time stamps


def stamp_file(tmp_path: Path, algorithm: KeyAlgorithm) -> tuple[Path, Path, Path]:
    """Have OpenSSL ask, our authority answer; return data, request and answer."""
    data, request, answer = (tmp_path / name for name in ("data", "request.tsq", "answer.tsr"))
    data.write_bytes(b"what is stamped")
    succeed(
        *("ts", "-query", "-data", data, "-sha256" if algorithm is RSA else "-sm3"),
        *("-cert", "-out", request),
    )
    tsa = shared_pki().pki.tsa(algorithm, FixedClock())
    answer.write_bytes(tsa.respond(request.read_bytes()))
    return data, request, answer


@needs_openssl
def test_openssl_verifies_the_answers_of_our_rsa_authority(tmp_path: Path) -> None:
    data, request, answer = stamp_file(tmp_path, RSA)
    anchor = write(tmp_path / "root.pem", chain_of(RSA)[0])
    for against in (("-queryfile", request), ("-data", data)):
        said = succeed("ts", "-verify", *against, "-in", answer, "-CAfile", anchor, *AT)
        assert "Verification: OK" in said
    data.write_bytes(b"something else")
    assert openssl("ts", "-verify", "-data", data, "-in", answer, "-CAfile", anchor, *AT).returncode


@needs_openssl
@BOTH
def test_openssl_reads_our_answers_and_we_what_it_asked_for(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    data, _, answer = stamp_file(tmp_path, algorithm)
    said = succeed("ts", "-reply", "-in", answer, "-text")
    assert "Status: Granted." in said
    assert re.search(r"Time stamp: Nov 24 04:00:00 2026 GMT", said)
    token = parse_response(answer.read_bytes())
    assert verify_token(token, data.read_bytes()).notices == ()


@needs_openssl
def test_openssl_verifies_the_signature_of_our_sm2_token(tmp_path: Path) -> None:
    """Over SM3(Z || attributes) with the default ID, as GM/T 0009 has it."""
    _, _, answer = stamp_file(tmp_path, SM2)
    token = parse_response(answer.read_bytes())
    signer = parse_token(token).signer
    issuer = write(tmp_path / "tsa.pem", shared_pki().pki.certificate("sm2-tsa"))
    (tmp_path / "key.pem").write_text(succeed("x509", "-in", issuer, "-pubkey", "-noout"))
    (tmp_path / "attributes").write_bytes(signer.signed_raw)
    (tmp_path / "signature").write_bytes(signer.signature)
    said = succeed(
        *("dgst", "-sm3", "-verify", tmp_path / "key.pem", "-sigopt", DIST_ID),
        *("-signature", tmp_path / "signature", tmp_path / "attributes"),
    )
    assert "Verified OK" in said


OPENSSL_TSA = """
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = {named}
ess_cert_id_chain = yes
"""


@needs_openssl
@pytest.mark.parametrize("named", ["sha1", "sha256"])
def test_we_verify_the_tokens_of_openssl(tmp_path: Path, named: str) -> None:
    """Certificates come from us, the token is OpenSSL's own."""
    store = shared_pki().store
    secret = generate(2048)
    key_name = f"openssl-tsa-{named}"
    if not store.has(key_name):
        store.import_key(key_name, RSA, secret)
    leaf = make_leaf(LeafSpec(profile=TSA, algorithm=RSA, key_name=key_name, serial=0x4001))
    (tmp_path / "key.der").write_bytes(secret)
    succeed("pkey", "-inform", "DER", "-in", tmp_path / "key.der", "-out", tmp_path / "key.pem")
    (tmp_path / "tsa.cnf").write_text(OPENSSL_TSA.format(folder=tmp_path, named=named))
    (tmp_path / "serial").write_text("01\n")
    value = b"what OpenSSL stamps"
    imprint = Imprint(algorithm=DigestAlgorithm.SHA512, value=digest(DigestAlgorithm.SHA512, value))
    (tmp_path / "request").write_bytes(encode_request(TimestampRequest(imprint=imprint, nonce=5)))
    succeed(
        *("ts", "-reply", "-config", tmp_path / "tsa.cnf", "-queryfile", tmp_path / "request"),
        *("-signer", write(tmp_path / "tsa.pem", leaf), "-inkey", tmp_path / "key.pem"),
        *("-chain", write(tmp_path / "chain.pem", *chain_of(RSA)), "-out", tmp_path / "answer"),
    )
    token = parse_response((tmp_path / "answer").read_bytes())
    verified = verify_token(token, value)
    assert verified.nonce == 5
    assert verified.certificate == leaf
    expected = {"signing-certificate-weak"} if named == "sha1" else set()
    assert {notice.reason for notice in verified.notices} >= expected

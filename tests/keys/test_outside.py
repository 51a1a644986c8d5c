"""Requests to outside authorities, and what they return: checked, kept, renewed."""

import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.authority import Authority, CertificateOrder
from keys.certificates import Certificate, encode_pem, parse_certificate
from keys.errors import CertificateRefused, SignatureMismatch, TrustRefused
from keys.outside import ImportOrder, OutsideCertificates
from keys.path import TrustStore, Usage
from keys.profiles import OCSP, SEAL_HOLDER, TSA, Profile
from keys.requests import parse_certificate_request
from keys.x509_building import Subject
from tests.support.pki import (
    HOLDER_CODE,
    HOLDER_NAME,
    NOW,
    RSA,
    SM2,
    MadePKI,
    copy_pki,
)

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
SUBJECT = Subject(common_name=HOLDER_NAME, organisation=HOLDER_NAME, organisation_code=HOLDER_CODE)
KEY = "seal-key"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")


class Scene:
    """Our store with requests, and the shared PKI in the part of the outside authority."""

    def __init__(self, folder: Path, algorithm: KeyAlgorithm = SM2) -> None:
        self.made: MadePKI = copy_pki(folder)
        self.folder = folder / "outside"
        self.desk = OutsideCertificates(self.folder, self.made.store)
        self.algorithm = algorithm

    def request(self, name: str = KEY) -> str:
        return self.desk.request(name, self.algorithm, SUBJECT, SEAL_HOLDER)

    def issue(
        self,
        *,
        profile: Profile = SEAL_HOLDER,
        key_name: str = KEY,
        subject: Subject = SUBJECT,
        days: int = 365,
        ago: int = 0,
    ) -> Certificate:
        """Let the outside authority issue, at an instant some days ago."""
        name = f"{self.algorithm}-issuing-ca"
        authority = Authority(
            signer=self.made.store,
            key_name=name,
            certificate=self.made.pki.certificate(name),
            crl_url=f"http://outside.example/{name}.crl",
        )
        order = CertificateOrder(
            profile=profile,
            subject=subject,
            public_key=self.made.store.public_key(key_name),
            now=NOW - timedelta(days=ago),
            validity=timedelta(days=days),
        )
        return parse_certificate(authority.issue_certificate(order))

    def order(self) -> ImportOrder:
        return ImportOrder(
            key_name=KEY,
            usage=Usage.SEAL_HOLDER,
            trust=self.made.trust,
            organisation_code=HOLDER_CODE,
            now=NOW,
        )

    def answer(self, *certificates: Certificate) -> bytes:
        """Return a file as an authority sends it: its own certificates first."""
        issuing = self.made.pki.certificate(f"{self.algorithm}-issuing-ca")
        return "".join(encode_pem(one.der) for one in (issuing, *certificates)).encode()

    def refused(self, data: bytes, order: ImportOrder | None = None) -> str:
        with pytest.raises(CertificateRefused) as error:
            self.desk.import_chain(data, order or self.order())
        assert self.desk.chains(KEY) == ()
        return str(error.value.params["reason"])


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    found = Scene(tmp_path)
    found.request()
    return found


# Requests


@needs_openssl
@BOTH
def test_openssl_verifies_our_requests(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    scene = Scene(tmp_path, algorithm)
    (tmp_path / "request.pem").write_text(scene.request())
    check = ["openssl", "req", "-in", "request.pem", "-verify", "-noout", "-text", "-utf8"]
    if algorithm is SM2:
        check += ["-vfyopt", "distid:1234567812345678"]
    said = subprocess.run(check, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert "verify OK" in said.stdout + said.stderr
    assert HOLDER_CODE in said.stdout
    assert "Digital Signature, Non Repudiation" in said.stdout


def test_no_private_key_leaves(scene: Scene) -> None:
    files = sorted(path for path in scene.folder.rglob("*") if path.is_file())
    assert [path.name for path in files if path.name != ".lock"] == [f"{KEY}.csr"]
    assert b"PRIVATE" not in (scene.folder / f"{KEY}.csr").read_bytes()


def test_a_request_again_is_for_the_same_key(scene: Scene) -> None:
    before = scene.made.store.public_key(KEY)
    scene.request()
    assert scene.made.store.public_key(KEY) == before


def test_a_key_of_another_algorithm_is_refused(scene: Scene) -> None:
    with pytest.raises(CertificateRefused):
        scene.desk.request(KEY, RSA, SUBJECT, SEAL_HOLDER)


@pytest.mark.parametrize("name", ["../keys", "", "crls", "A", "a/b", "a\n"])
def test_a_name_that_is_none_of_a_key_is_refused(scene: Scene, name: str) -> None:
    with pytest.raises(CertificateRefused):
        scene.request(name)


def test_a_request_that_was_changed_proves_nothing(scene: Scene) -> None:
    text = "".join(scene.request().splitlines()[1:-1])
    request = b64decode(text)
    assert parse_certificate_request(request).subject.organisation_code == HOLDER_CODE
    with pytest.raises(SignatureMismatch):
        parse_certificate_request(request.replace(HOLDER_CODE.encode(), b"91320500MA00000TE3"))


# What comes back


@BOTH
def test_what_an_authority_returns_is_kept_with_its_chain(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    scene = Scene(tmp_path, algorithm)
    scene.request()
    issued = scene.issue()
    found = scene.desk.import_chain(scene.answer(issued), scene.order())
    issuing = scene.made.pki.certificate(f"{algorithm}-issuing-ca")
    assert (found.certificate, found.issuers) == (issued, (issuing,))
    again = OutsideCertificates(scene.folder, scene.made.store)
    assert again.current(KEY) == found
    assert again.all_chains() == (found,)


Refusal = tuple[str, Callable[[Scene], bytes]]
REFUSALS: dict[str, Refusal] = {
    "not certificates": ("unreadable", lambda _: b"garbage"),
    "of another key": (
        "key-mismatch",
        lambda s: s.answer(s.issue(key_name="sm2-tsa")),
    ),
    "issuers alone": ("key-mismatch", lambda s: s.answer()),
    "two over our key": ("key-mismatch", lambda s: s.answer(s.issue(), s.issue())),
    "of another organisation": (
        "organisation-code",
        lambda s: s.answer(
            s.issue(subject=replace(SUBJECT, organisation_code="91320500MA00000TE3"))
        ),
    ),
    "without an organisation": (
        "organisation-code",
        lambda s: s.answer(s.issue(subject=replace(SUBJECT, organisation_code=""))),
    ),
    "for another purpose": ("key-usage", lambda s: s.answer(s.issue(profile=TSA))),
    "for a responder": ("key-usage", lambda s: s.answer(s.issue(profile=OCSP))),
    "without its issuer": ("untrusted", lambda s: encode_pem(s.issue().der).encode()),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_certificate_that_is_not_the_one_asked_for_is_refused(scene: Scene, case: str) -> None:
    reason, make = REFUSALS[case]
    assert scene.refused(make(scene)) == reason


def test_a_certificate_out_of_its_period_is_refused(scene: Scene) -> None:
    data = scene.answer(scene.issue())
    late = replace(scene.order(), now=NOW + timedelta(days=366))
    early = replace(scene.order(), now=NOW - timedelta(hours=2))
    assert scene.refused(data, late) == "expired"
    assert scene.refused(data, early) == "not-yet-valid"


def test_a_chain_to_a_root_nobody_gave_is_refused(scene: Scene) -> None:
    other = TrustStore.of([scene.made.pki.certificate("rsa-root")])
    order = replace(scene.order(), trust=other)
    assert scene.refused(scene.answer(scene.issue()), order) == "untrusted"


# Renewal


def test_a_renewed_certificate_is_used_and_the_old_one_stays(scene: Scene) -> None:
    old, new = scene.issue(days=30), scene.issue(days=400)
    scene.desk.import_chain(scene.answer(old), scene.order())
    scene.desk.import_chain(scene.answer(new), scene.order())
    current = scene.desk.current(KEY)
    assert current is not None
    assert current.certificate == new
    assert [chain.certificate for chain in scene.desk.chains(KEY)] == [new, old]
    with pytest.raises(CertificateRefused) as error:
        scene.desk.import_chain(scene.answer(old), scene.order())
    assert error.value.params["reason"] == "not-newer"


def test_a_certificate_of_another_key_cannot_slip_in(scene: Scene) -> None:
    """T-KEY-04."""
    found = scene.desk.import_chain(scene.answer(scene.issue()), scene.order())
    (path,) = (scene.folder / KEY).glob("*.pem")
    path.write_text(encode_pem(scene.made.pki.certificate("sm2-tsa").der))
    with pytest.raises(TrustRefused):
        scene.desk.current(KEY)
    assert found.key_name == KEY


def test_lists_of_outside_issuers_are_kept_by_key(scene: Scene) -> None:
    issuing = scene.made.pki.certificate("sm2-issuing-ca")
    assert scene.desk.crl(issuing) is None
    scene.desk.keep_crl(issuing, scene.made.pki.crl("sm2-issuing-ca"))
    assert scene.desk.crl(issuing) == scene.made.pki.crl("sm2-issuing-ca")

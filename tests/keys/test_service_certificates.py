"""Certificates of services, renewed before they end: what is refused, who uses the new one."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import RevocationReason, RevokedEntry
from keys.errors import IssuingRefused, TrustRefused
from keys.keystore import KeyStore
from keys.path import Usage, check_path
from keys.pki import LOG_KEY, SEAL_MAKER_KEY, load_pki
from keys.pki_making import (
    LEAVES,
    authority_names,
    certificate_path,
    ocsp_key_name,
    verifier_key_name,
)
from keys.revocation import CertificateStatus, RevocationEvidence, check_revocation
from keys.timestamps import verify_token
from tests.support.pki import NOW, PASSPHRASE, RSA, SM2, FixedClock, MadePKI, copy_pki, revoke

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
LATER = NOW + timedelta(days=300)
USAGES = {
    SEAL_MAKER_KEY: Usage.SEAL_MAKER,
    LOG_KEY: Usage.DOCUMENT_SIGNER,
    "sm2-tsa": Usage.TIMESTAMP,
    "rsa-tsa": Usage.TIMESTAMP,
}


def made_later(made: MadePKI, name: str) -> Certificate:
    """Have a certificate made that is made when first asked for."""
    algorithm = KeyAlgorithm(name.partition("-")[0])
    issue = made.pki.issue_ocsp if name.endswith("ocsp") else made.pki.issue_verifier
    return issue(algorithm, now=NOW)


def reason(made: MadePKI, name: str) -> object:
    with pytest.raises(IssuingRefused) as caught:
        made.pki.renew(name, now=LATER)
    return caught.value.params["reason"]


# What is made


@pytest.mark.parametrize("name", [name for name, _, _ in LEAVES])
def test_a_renewed_certificate_differs_in_number_and_period_only(tmp_path: Path, name: str) -> None:
    made = copy_pki(tmp_path)
    old = made.pki.certificate(name)
    new = made.pki.renew(name, now=LATER)
    assert (new.public_key, new.subject_der, new.issuer_der) == (
        old.public_key,
        old.subject_der,
        old.issuer_der,
    )
    assert new.extensions == old.extensions
    assert new.serial != old.serial
    assert new.not_after - old.not_after == LATER - NOW
    report = check_path(
        new,
        usage=USAGES[name],
        at=LATER,
        trust=made.trust,
        intermediates=made.pki.intermediates,
    )
    assert report.problems == ()


@BOTH
@pytest.mark.parametrize("key_name", [verifier_key_name, ocsp_key_name])
def test_services_made_when_first_asked_for_are_renewed_too(
    tmp_path: Path, algorithm: KeyAlgorithm, key_name: object
) -> None:
    made = copy_pki(tmp_path)
    assert callable(key_name)
    name = key_name(algorithm)
    assert reason(made, name) == "not-made"
    old = made_later(made, name)
    new = made.pki.renew(name, now=NOW + timedelta(days=1))
    assert (new.public_key, new.subject_der) == (old.public_key, old.subject_der)
    assert new.serial != old.serial
    assert made_later(made, name) == new


def test_the_old_certificate_stays_on_file_and_good(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    issuer = made.pki.certificate("sm2-issuing-ca")
    old = made.pki.seal_maker
    new = made.pki.renew(SEAL_MAKER_KEY, now=LATER)
    assert {old, new} <= set(made.pki.issued())
    assert made.pki.find_issued(issuer, old.serial) == old
    assert dict(made.pki.in_use())[SEAL_MAKER_KEY] == new
    evidence = RevocationEvidence(crls=made.pki.crls)
    for one in (old, new):
        state = check_revocation(one, issuer, evidence, at=NOW, now=NOW)
        assert state.status is CertificateStatus.GOOD


def test_a_folder_that_knew_certificates_in_use_only_keeps_the_old_one(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    shutil.rmtree(tmp_path / "pki/issued")
    old = made.pki.log
    new = made.pki.renew(LOG_KEY, now=LATER)
    assert {old, new} <= set(made.pki.issued())


# Who uses it


def test_the_running_pki_and_every_other_one_use_the_new_certificate(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    other = load_pki(tmp_path / "pki", KeyStore(tmp_path / "keys", PASSPHRASE))
    for name, _, _ in LEAVES:
        old = other.certificate(name)
        new = made.pki.renew(name, now=LATER)
        assert made.pki.certificate(name) == other.certificate(name) == new
        assert old != new
    assert (other.seal_maker, other.log) == (made.pki.seal_maker, made.pki.log)
    assert other.tsa(SM2, FixedClock(LATER)).certificate == made.pki.certificate("sm2-tsa")


def test_a_file_that_stays_is_read_once(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    assert pki.certificate(LOG_KEY) is pki.log


def test_a_certificate_of_another_key_cannot_slip_in_while_the_service_runs(tmp_path: Path) -> None:
    """T-KEY-04."""
    made = copy_pki(tmp_path)
    path = certificate_path(tmp_path / "pki", LOG_KEY)
    kept = path.read_bytes()
    for content in (certificate_path(tmp_path / "pki", "sm2-tsa").read_bytes(), b"", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TrustRefused):
            made.pki.certificate(LOG_KEY)
    path.write_bytes(kept)
    assert made.pki.log == made.pki.certificate(LOG_KEY)


def test_a_name_that_no_service_has_gives_no_certificate(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    for name in ("holder", "../certificates/log", ""):
        with pytest.raises(TrustRefused):
            pki.certificate(name)


@BOTH
def test_time_stamps_from_before_and_after_hold(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    made = copy_pki(tmp_path)
    name = f"{algorithm}-tsa"
    before = made.pki.tsa(algorithm, FixedClock()).stamp(b"value")
    old, new = made.pki.certificate(name), made.pki.renew(name, now=LATER)
    after = made.pki.tsa(algorithm, FixedClock(LATER)).stamp(b"value")
    verified = [verify_token(token, b"value") for token in (before, after)]
    assert [one.certificate for one in verified] == [old, new]
    for one in verified:
        report = check_path(
            one.certificate,
            usage=Usage.TIMESTAMP,
            at=one.gen_time,
            trust=made.trust,
            intermediates=made.pki.intermediates,
        )
        assert report.is_good


# What is refused


def test_authorities_and_names_nobody_has_are_not_renewed(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "pki").rglob("*.pem")}
    assert {reason(made, name) for name in authority_names()} == {"authority"}
    assert {reason(made, name) for name in ("", "nobody", "../x", "holder-1-sm2")} == {"unknown"}
    assert {path: path.read_bytes() for path in (tmp_path / "pki").rglob("*.pem")} == before


@pytest.mark.parametrize("name", [SEAL_MAKER_KEY, "rsa-tsa", "sm2-ocsp"])
def test_a_revoked_certificate_is_not_renewed(tmp_path: Path, name: str) -> None:
    """T-KEY-07."""
    made = copy_pki(tmp_path)
    if name == "sm2-ocsp":
        made_later(made, name)
    revoke(dict(made.pki.in_use())[name], made=made)
    assert reason(made, name) == "revoked"


def test_a_key_that_was_lost_under_an_earlier_certificate_is_not_certified_again(
    tmp_path: Path,
) -> None:
    """T-KEY-07: the certificate in use is another one, over the same key."""
    made = copy_pki(tmp_path)
    old = made.pki.seal_maker
    made.pki.renew(SEAL_MAKER_KEY, now=NOW)
    entry = RevokedEntry(serial=old.serial, revoked_at=NOW, reason=RevocationReason.SUPERSEDED)
    made.pki.revoke(old, entry, now=NOW)
    made.pki.renew(SEAL_MAKER_KEY, now=NOW)
    lost = replace(entry, reason=RevocationReason.KEY_COMPROMISE)
    made.pki.revoke(old, lost, now=NOW + timedelta(hours=1))
    assert reason(made, SEAL_MAKER_KEY) == "revoked"
    made.pki.renew("rsa-tsa", now=NOW)


def test_an_authority_near_its_end_shortens_and_then_refuses(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    end = made.pki.certificate("rsa-issuing-ca").not_after
    new = made.pki.renew("rsa-tsa", now=end - timedelta(days=9))
    assert new.not_after == end
    with pytest.raises(IssuingRefused) as caught:
        made.pki.renew("rsa-tsa", now=end)
    assert caught.value.params["reason"] == "period"
    assert made.pki.certificate("rsa-tsa") == new


def test_what_follows_a_name_is_its_own_algorithm(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    found = {name: made.pki.renew(name, now=NOW).public_key.algorithm for name in USAGES}
    assert found == {SEAL_MAKER_KEY: SM2, LOG_KEY: SM2, "sm2-tsa": SM2, "rsa-tsa": RSA}

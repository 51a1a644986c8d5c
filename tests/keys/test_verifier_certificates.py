"""The verifier's own certificates: made when first asked for, in folders of any age."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.errors import IssuingRefused, TrustRefused
from keys.keystore import KeyStore
from keys.path import Usage, check_path
from keys.pki import load_pki
from keys.pki_making import certificate_path, verifier_key_name
from tests.support.pki import NOW, PASSPHRASE, RSA, SM2, copy_pki, revoke

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))


@BOTH
def test_a_folder_from_before_gets_its_verifier_when_asked(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    made = copy_pki(tmp_path)
    assert not made.store.has(verifier_key_name(algorithm))
    certificate = made.pki.issue_verifier(algorithm, now=NOW)
    report = check_path(
        certificate,
        usage=Usage.DOCUMENT_SIGNER,
        at=NOW,
        trust=made.trust,
        intermediates=made.pki.intermediates,
    )
    assert report.is_good
    assert certificate.common_name == "核验服务（测试）"


@BOTH
def test_asked_again_the_verifier_is_the_same_also_after_a_restart(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    made = copy_pki(tmp_path)
    first = made.pki.issue_verifier(algorithm, now=NOW)
    again = load_pki(tmp_path / "pki", KeyStore(tmp_path / "keys", PASSPHRASE))
    assert again.issue_verifier(algorithm, now=NOW + timedelta(days=9)).der == first.der


def test_a_verifier_whose_certificate_ended_gets_a_new_one_over_its_key(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    first = made.pki.issue_verifier(SM2, now=NOW)
    later = made.pki.issue_verifier(SM2, now=first.not_after + timedelta(days=1))
    assert later.serial != first.serial
    assert later.public_key.spki == first.public_key.spki


def test_nothing_is_certified_over_a_key_that_was_revoked(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    revoke(made.pki.issue_verifier(SM2, now=NOW), made=made)
    with pytest.raises(IssuingRefused) as refusal:
        made.pki.issue_verifier(SM2, now=NOW)
    assert refusal.value.params["reason"] == "revoked"


def test_a_certificate_of_another_key_cannot_slip_in(tmp_path: Path) -> None:
    """T-KEY-04."""
    made = copy_pki(tmp_path)
    made.pki.issue_verifier(RSA, now=NOW)
    certificate_path(tmp_path / "pki", verifier_key_name(RSA)).write_bytes(
        certificate_path(tmp_path / "pki", "rsa-tsa").read_bytes()
    )
    with pytest.raises(TrustRefused):
        made.pki.issue_verifier(RSA, now=NOW)

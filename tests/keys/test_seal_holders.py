"""A new key for a seal holder: after its certificate was revoked, or because one was planned."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import RevocationReason, RevokedEntry, find_entry, parse_crl
from keys.errors import IssuingRefused, TrustRefused
from keys.keystore import KeyStore
from keys.outside import OUTSIDE_FOLDER, OutsideCertificates
from keys.path import Usage, check_path
from keys.pki import holder_key_name, load_pki
from keys.profiles import SEAL_HOLDER
from keys.x509_building import Subject
from tests.support.pki import (
    HOLDER_CODE,
    HOLDER_NAME,
    NOW,
    PASSPHRASE,
    RSA,
    SM2,
    MadePKI,
    copy_pki,
    revoke,
)

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
LATER = NOW + timedelta(hours=1)
FIRST = holder_key_name(HOLDER_CODE, SM2)


def issue(made: MadePKI, algorithm: KeyAlgorithm = SM2, *, renew: bool = False) -> Certificate:
    return made.pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, algorithm, now=LATER, renew=renew)


def rekey(made: MadePKI, algorithm: KeyAlgorithm = SM2) -> Certificate:
    return made.pki.rekey_seal_holder(HOLDER_NAME, HOLDER_CODE, algorithm, now=LATER)


def key_name(made: MadePKI, algorithm: KeyAlgorithm = SM2) -> str:
    return made.pki.holder_key(HOLDER_CODE, algorithm)


def lose(made: MadePKI, certificate: Certificate) -> None:
    entry = RevokedEntry(
        serial=certificate.serial, revoked_at=LATER, reason=RevocationReason.KEY_COMPROMISE
    )
    made.pki.revoke(certificate, entry, now=LATER)


@pytest.fixture
def made(tmp_path: Path) -> MadePKI:
    return copy_pki(tmp_path)


@BOTH
def test_a_revoked_holder_gets_a_new_key(made: MadePKI, algorithm: KeyAlgorithm) -> None:
    """T-KEY-07."""
    old = issue(made, algorithm)
    revoke(old, made=made)
    new = rekey(made, algorithm)
    assert key_name(made, algorithm) == f"{holder_key_name(HOLDER_CODE, algorithm)}-2"
    assert new.public_key == made.store.public_key(key_name(made, algorithm))
    assert new.public_key != old.public_key
    assert (new.subject_der, new.extensions.key_usage) == (old.subject_der, old.key_usage)
    assert issue(made, algorithm) == made.pki.seal_holder(HOLDER_CODE, algorithm) == new
    report = check_path(
        new,
        usage=Usage.SEAL_HOLDER,
        at=LATER,
        trust=made.trust,
        intermediates=made.pki.intermediates,
    )
    assert report.problems == ()


def test_the_old_certificate_stays_on_file_and_revoked(made: MadePKI) -> None:
    old = issue(made)
    revoke(old, made=made)
    new = rekey(made)
    assert {old, new} <= set(made.pki.issued())
    crl = parse_crl(made.pki.crl("sm2-issuing-ca"))
    assert find_entry(crl, old.serial) is not None
    assert find_entry(crl, new.serial) is None


def test_the_old_key_is_never_certified_again(made: MadePKI) -> None:
    """T-KEY-07: whatever is asked afterwards, also after the new key was lost."""
    old = issue(made)
    lose(made, old)
    for _ in range(3):
        with pytest.raises(IssuingRefused) as caught:
            issue(made, renew=True)
        assert caught.value.params["reason"] == "revoked"
        new = rekey(made)
        assert issue(made, renew=True).public_key == new.public_key
        lose(made, new)
        lose(made, issue_in_use(made))
    over_old = [one for one in made.pki.issued() if one.public_key == old.public_key]
    assert over_old == [old]
    assert key_name(made) == f"{FIRST}-4"


def issue_in_use(made: MadePKI) -> Certificate:
    found = made.pki.seal_holder(HOLDER_CODE, SM2)
    assert found is not None
    return found


def test_a_key_lost_under_an_earlier_certificate_needs_a_new_one(made: MadePKI) -> None:
    """T-KEY-07: the certificate was renewed, and the loss told of the one before."""
    old = issue(made)
    issue(made, renew=True)
    lose(made, old)
    with pytest.raises(IssuingRefused) as caught:
        issue(made)
    assert caught.value.params["reason"] == "revoked"
    assert rekey(made).public_key != old.public_key


def test_a_planned_new_key_leaves_the_old_certificate_good(made: MadePKI) -> None:
    old = issue(made)
    new = rekey(made)
    assert find_entry(parse_crl(made.pki.crl("sm2-issuing-ca")), old.serial) is None
    assert made.pki.seal_holder(HOLDER_CODE, SM2) == new
    renewed = issue(made, renew=True)
    assert (renewed.public_key, renewed == new) == (new.public_key, False)
    assert key_name(made) == f"{FIRST}-2"


def test_the_other_algorithm_and_other_holders_keep_their_keys(made: MadePKI) -> None:
    issue(made, RSA)
    other = made.pki.issue_seal_holder("示例市医疗保障局", "11320500MB1A00001X", SM2, now=LATER)
    issue(made)
    rekey(made)
    assert key_name(made, RSA) == holder_key_name(HOLDER_CODE, RSA)
    assert made.pki.seal_holder("11320500MB1A00001X", SM2) == other
    assert made.pki.holder_key("11320500MB1A00001X", SM2).endswith("-sm2")


def test_the_name_of_the_key_is_known_after_a_restart(made: MadePKI, tmp_path: Path) -> None:
    issue(made)
    new = rekey(made)
    again = load_pki(tmp_path / "pki", KeyStore(tmp_path / "keys", PASSPHRASE))
    assert again.holder_key(HOLDER_CODE, SM2) == f"{FIRST}-2"
    assert again.seal_holder(HOLDER_CODE, SM2) == new


def test_the_tenth_key_comes_after_the_ninth(made: MadePKI) -> None:
    for _ in range(11):
        rekey(made)
    assert key_name(made) == f"{FIRST}-11"


def test_a_holder_without_a_certificate_gets_its_first_key(made: MadePKI) -> None:
    assert key_name(made) == FIRST
    assert made.pki.holder_keys(HOLDER_CODE, SM2) == (FIRST,)
    assert rekey(made).public_key == made.store.public_key(FIRST)


def test_a_key_that_waits_under_the_next_name_is_taken(made: MadePKI) -> None:
    """Made with a device's own tool, or before an interruption."""
    issue(made)
    waiting = made.store.generate(f"{FIRST}-2", SM2)
    assert made.pki.holder_keys(HOLDER_CODE, SM2) == (f"{FIRST}-2", FIRST)
    assert key_name(made) == FIRST
    assert rekey(made).public_key == waiting


def test_a_key_that_an_outside_authority_was_asked_for_is_not_taken(made: MadePKI) -> None:
    issue(made)
    outside = OutsideCertificates(made.folder / "pki" / OUTSIDE_FOLDER, made.store)
    subject = Subject(
        common_name=HOLDER_NAME, organisation=HOLDER_NAME, organisation_code=HOLDER_CODE
    )
    outside.request(f"{FIRST}-2", SM2, subject, SEAL_HOLDER)
    rekey(made)
    assert key_name(made) == f"{FIRST}-3"
    assert made.pki.holder_keys(HOLDER_CODE, SM2) == (f"{FIRST}-3",)


def test_a_key_that_was_destroyed_gives_its_name_to_nobody(made: MadePKI, tmp_path: Path) -> None:
    issue(made)
    rekey(made)
    for path in (tmp_path / "keys").glob(f"{FIRST}*"):
        path.unlink()
    again = MadePKI(
        folder=tmp_path,
        store=(store := KeyStore(tmp_path / "keys", PASSPHRASE)),
        pki=load_pki(tmp_path / "pki", store),
    )
    with pytest.raises(TrustRefused) as caught:
        key_name(again)
    assert caught.value.params["reason"] == "key-mismatch"
    rekey(again)
    assert key_name(again) == f"{FIRST}-3"


def test_a_new_key_is_for_the_same_name_and_code(made: MadePKI) -> None:
    issue(made)
    for name, code in (("另一个机关", HOLDER_CODE), (HOLDER_NAME, "../x"), (" ", HOLDER_CODE)):
        with pytest.raises(IssuingRefused):
            made.pki.rekey_seal_holder(name, code, SM2, now=LATER)
    assert made.pki.holder_keys(HOLDER_CODE, SM2) == (FIRST,)

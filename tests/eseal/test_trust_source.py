"""Which revocation lists a running service uses, as their files change under it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from eseal.trust_source import TrustSource
from keys.certificates import parse_certificate
from keys.crl import RevokedEntry
from keys.keystore import KeyStore
from keys.pki import PKI, make_pki
from tests.support.pki import NOW, PASSPHRASE, SM2

HOUR = timedelta(hours=1)


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return make_pki(tmp_path / "pki", KeyStore(tmp_path / "keys", PASSPHRASE), NOW)


def list_file(tmp_path: Path) -> Path:
    return tmp_path / "pki/crls/sm2-issuing-ca.crl"


def put_back(file: Path, content: bytes, seconds: int) -> None:
    """Write a list as if at another time, so that the change is noticed."""
    file.write_bytes(content)
    os.utime(file, (seconds, seconds))


def revoke_somebody(pki: PKI) -> bytes:
    holder = parse_certificate(
        pki.issue_seal_holder("某机关", "11320102MB9K00021D", SM2, now=NOW).der
    )
    entry = RevokedEntry(serial=holder.serial, revoked_at=NOW)
    return pki.revoke(holder, entry, now=NOW + HOUR)


def test_a_list_that_was_published_counts_at_once(pki: PKI) -> None:
    source = TrustSource(pki)
    before = source.material().revocation.crls
    new = revoke_somebody(pki)
    assert new not in before
    assert new in source.material().revocation.crls


def test_a_list_put_back_is_refused_and_the_newer_one_kept(pki: PKI, tmp_path: Path) -> None:
    """T-PKI-21: the revoked certificate does not become good again."""
    file = list_file(tmp_path)
    old = file.read_bytes()
    source = TrustSource(pki)
    new = revoke_somebody(pki)
    assert new in source.material().revocation.crls
    put_back(file, old, 1)
    assert old not in source.material().revocation.crls
    assert new in source.material().revocation.crls
    put_back(file, b"no list", 2)
    assert new in source.material().revocation.crls
    put_back(file, new, 3)
    assert new in source.material().revocation.crls

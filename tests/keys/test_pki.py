"""The test PKI and its authorities: what is issued, what is refused, what is read back."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.authority import Authority, CertificateOrder, merge_entries
from keys.certificates import Certificate, parse_certificate
from keys.crl import RevocationReason, RevokedEntry, parse_crl, read_entries
from keys.errors import IssuingRefused, KeyStoreUnavailable, SignatureMismatch, TrustRefused
from keys.extensions import OID_EXTENDED_KEY_USAGE, OID_TIME_STAMPING
from keys.keystore import KeyStore, StoreHealth
from keys.path import TrustStore, Usage, check_path
from keys.pki import LOG_KEY, SEAL_MAKER_KEY, holder_key_name, load_pki, make_pki, trust_digest_of
from keys.profiles import ISSUING_CA, OCSP, ROOT, SEAL_HOLDER
from keys.public_files import load_trust, write_trust
from keys.public_key import PublicKey
from keys.revocation import CertificateStatus, RevocationEvidence, check_revocation
from keys.rsa import generate
from keys.x509_building import Subject
from tests.support.pki import (
    HOLDER_CODE,
    HOLDER_NAME,
    NOW,
    PASSPHRASE,
    RSA,
    SM2,
    FixedClock,
    copy_pki,
    shared_pki,
)

SUBJECT = Subject(common_name="示例", organisation="示例单位", organisation_code=HOLDER_CODE)
BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))


def authority(algorithm: KeyAlgorithm = SM2, kind: str = "issuing-ca") -> Authority:
    made = shared_pki()
    name = f"{algorithm}-{kind}"
    return Authority(
        signer=made.store,
        key_name=name,
        certificate=made.pki.certificate(name),
        crl_url=f"http://127.0.0.1/{name}.crl",
    )


def order(algorithm: KeyAlgorithm = SM2, now: datetime = NOW) -> CertificateOrder:
    key = shared_pki().store.public_key(f"{algorithm}-tsa")
    return CertificateOrder(profile=SEAL_HOLDER, subject=SUBJECT, public_key=key, now=now)


def reason_of(error: pytest.ExceptionInfo[IssuingRefused]) -> object:
    return error.value.params["reason"]


# What is made


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        (SEAL_MAKER_KEY, Usage.SEAL_MAKER),
        ("sm2-tsa", Usage.TIMESTAMP),
        ("rsa-tsa", Usage.TIMESTAMP),
        ("sm2-issuing-ca", Usage.AUTHORITY),
        ("rsa-issuing-ca", Usage.AUTHORITY),
        (LOG_KEY, Usage.DOCUMENT_SIGNER),
    ],
)
def test_every_certificate_leads_to_its_root(name: str, usage: Usage) -> None:
    pki = shared_pki().pki
    report = check_path(
        pki.certificate(name),
        usage=usage,
        at=NOW,
        trust=pki.trust,
        intermediates=pki.intermediates,
    )
    assert report.problems == ()


def test_the_two_roots_are_trusted_apart() -> None:
    trust = shared_pki().trust
    assert (len(trust.sm2), len(trust.rsa)) == (1, 1)


def test_every_certificate_wears_the_word_test_and_says_where_it_is_revoked() -> None:
    pki = shared_pki().pki
    certificates = [*pki.trust.roots, *pki.intermediates, pki.seal_maker, pki.log]
    assert all("测试" in certificate.common_name for certificate in certificates)
    assert all(len(certificate.crl_urls) == 1 for certificate in certificates)
    assert {certificate.crl_urls[0] for certificate in pki.intermediates} == {
        "http://127.0.0.1:8765/pki/sm2-root.crl",
        "http://127.0.0.1:8765/pki/rsa-root.crl",
    }
    assert pki.seal_maker.crl_urls == ("http://127.0.0.1:8765/pki/sm2-issuing-ca.crl",)


def test_no_certificate_has_anything_to_remark() -> None:
    pki = shared_pki().pki
    certificates = [*pki.trust.roots, *pki.intermediates, pki.seal_maker, pki.log]
    assert [certificate.notices for certificate in certificates] == [()] * len(certificates)


def test_serial_numbers_have_sixteen_random_bytes() -> None:
    pki = shared_pki().pki
    serials = {c.serial for c in (*pki.trust.roots, *pki.intermediates, pki.seal_maker, pki.log)}
    assert len(serials) == 6
    assert all(2**100 < serial < 2**128 for serial in serials)


@BOTH
def test_a_time_stamp_certificate_is_for_nothing_else(algorithm: KeyAlgorithm) -> None:
    certificate = shared_pki().pki.certificate(f"{algorithm}-tsa")
    assert certificate.extended_key_usage == frozenset({OID_TIME_STAMPING})
    assert OID_EXTENDED_KEY_USAGE in certificate.extensions.critical


def test_rsa_keys_have_3072_bits() -> None:
    pki = shared_pki().pki
    certificates = [pki.certificate(name) for name in ("rsa-root", "rsa-issuing-ca", "rsa-tsa")]
    assert [certificate.public_key.bits for certificate in certificates] == [3072] * 3


def test_nobody_is_revoked_at_first() -> None:
    pki = shared_pki().pki
    for certificate, issuer in (
        (pki.seal_maker, pki.certificate("sm2-issuing-ca")),
        (pki.certificate("rsa-tsa"), pki.certificate("rsa-issuing-ca")),
        (pki.certificate("sm2-issuing-ca"), pki.certificate("sm2-root")),
    ):
        state = check_revocation(
            certificate, issuer, RevocationEvidence(crls=pki.crls), at=NOW, now=NOW
        )
        assert state.status is CertificateStatus.GOOD


# Seal holders


@BOTH
def test_a_seal_holder_gets_one_certificate_however_often_it_is_asked(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    made = copy_pki(tmp_path)
    issued = made.pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, algorithm, now=NOW)
    assert (issued.organisation, issued.organisation_code) == (HOLDER_NAME, HOLDER_CODE)
    assert issued.common_name == f"{HOLDER_NAME}（测试）"
    key = made.store.public_key(holder_key_name(HOLDER_CODE, algorithm))
    assert key.spki == issued.public_key.spki
    again = load_pki(tmp_path / "pki", made.store)
    assert again.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, algorithm, now=NOW) == issued
    report = check_path(
        issued,
        usage=Usage.SEAL_HOLDER,
        at=NOW,
        trust=again.trust,
        intermediates=again.intermediates,
    )
    assert report.problems == ()


def test_an_expired_holder_gets_a_new_certificate_over_the_same_key(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    first = pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=NOW)
    later = first.not_after + timedelta(days=1)
    second = pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=later)
    assert second.public_key.spki == first.public_key.spki
    assert second.not_after > first.not_after
    assert second.serial != first.serial


def test_a_revoked_holder_gets_nothing_over_the_old_key(tmp_path: Path) -> None:
    """T-KEY-07."""
    pki = copy_pki(tmp_path).pki
    holder = pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=NOW)
    pki.revoke(holder, RevokedEntry(serial=holder.serial, revoked_at=NOW), now=NOW)
    for now in (NOW, holder.not_after + timedelta(days=1)):
        with pytest.raises(IssuingRefused) as caught:
            pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=now)
        assert reason_of(caught) == "revoked"


def test_a_code_belongs_to_one_name(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=NOW)
    with pytest.raises(IssuingRefused):
        pki.issue_seal_holder("另一个机关", HOLDER_CODE, SM2, now=NOW)


@pytest.mark.parametrize(
    ("name", "code"), [(HOLDER_NAME, "../../etc/passwd"), (HOLDER_NAME, ""), (" ", HOLDER_CODE)]
)
def test_a_holder_needs_a_name_and_a_code(tmp_path: Path, name: str, code: str) -> None:
    pki = copy_pki(tmp_path).pki
    with pytest.raises(IssuingRefused):
        pki.issue_seal_holder(name, code, SM2, now=NOW)
    assert pki.seal_holder(code, SM2) is None


# Authorities


@BOTH
def test_an_authority_issues_for_its_own_algorithm_only(algorithm: KeyAlgorithm) -> None:
    other = RSA if algorithm is SM2 else SM2
    with pytest.raises(IssuingRefused) as caught:
        authority(algorithm).issue_certificate(order(other))
    assert reason_of(caught) == "algorithm"


@pytest.mark.parametrize("profile", [ISSUING_CA, ROOT])
def test_an_issuing_authority_makes_no_authorities(profile: object) -> None:
    with pytest.raises(IssuingRefused) as caught:
        authority().issue_certificate(replace(order(), profile=profile))  # type: ignore[arg-type]
    assert reason_of(caught) == "path-length"


def test_a_root_makes_issuing_authorities_and_no_roots() -> None:
    root = authority(kind="root")
    issued = parse_certificate(root.issue_certificate(replace(order(), profile=ISSUING_CA)))
    assert (issued.is_ca, issued.path_length) == (True, 0)
    with pytest.raises(IssuingRefused):
        root.issue_certificate(replace(order(), profile=ROOT))


def test_a_certificate_does_not_outlive_its_issuer() -> None:
    own = authority()
    late = own.certificate.not_after - timedelta(days=10)
    issued = parse_certificate(own.issue_certificate(order(now=late)))
    assert issued.not_after == own.certificate.not_after


@pytest.mark.parametrize("now", [NOW - timedelta(days=400), NOW + timedelta(days=365 * 11)])
def test_an_authority_outside_its_period_issues_nothing(now: datetime) -> None:
    """T-KEY-07."""
    with pytest.raises(IssuingRefused) as caught:
        authority().issue_certificate(order(now=now))
    assert reason_of(caught) == "period"


def test_an_authority_with_another_key_does_not_start() -> None:
    """T-KEY-04."""
    made = shared_pki()
    with pytest.raises(IssuingRefused) as caught:
        Authority(
            signer=made.store,
            key_name="sm2-root",
            certificate=made.pki.certificate("sm2-issuing-ca"),
            crl_url="http://127.0.0.1/",
        )
    assert reason_of(caught) == "key-mismatch"


def test_no_weak_key_is_certified(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    made.store.import_key("short", RSA, generate(2048))
    key = replace(made.store.public_key("short"), weakness="RSA 1024")
    with pytest.raises(IssuingRefused) as caught:
        authority(RSA).issue_certificate(replace(order(RSA), public_key=key))
    assert reason_of(caught) == "weak-key"


def test_dates_from_2050_on_are_written_in_full() -> None:
    """T-PKI-10, T-PKI-32."""
    own = authority(kind="root")
    issued = own.issue_certificate(replace(order(), validity=timedelta(days=365 * 20)))
    assert parse_certificate(issued).not_after == own.certificate.not_after
    assert own.certificate.not_after.year == 2046


def test_a_responder_certificate_is_marked() -> None:
    issued = parse_certificate(authority().issue_certificate(replace(order(), profile=OCSP)))
    assert issued.notices == ()
    assert issued.unknown_critical == ()


# Revocation


@BOTH
def test_a_revoked_certificate_stands_in_the_next_list(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    pki = copy_pki(tmp_path).pki
    certificate = pki.certificate(f"{algorithm}-tsa")
    entry = RevokedEntry(
        serial=certificate.serial,
        revoked_at=NOW,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - timedelta(days=3),
    )
    published = pki.revoke(certificate, entry, now=NOW + timedelta(minutes=1))
    assert published == pki.crl(f"{algorithm}-issuing-ca")
    assert read_entries(parse_crl(published)) == (entry,)
    assert parse_crl(published).number == 2


def test_a_stranger_cannot_be_revoked_here() -> None:
    pki = shared_pki().pki
    stranger = replace(pki.seal_maker, issuer_der=b"\x30\x00")
    entry = RevokedEntry(serial=stranger.serial, revoked_at=NOW)
    with pytest.raises(IssuingRefused):
        pki.revoke(stranger, entry, now=NOW)
    with pytest.raises(IssuingRefused):
        pki.revoke(pki.seal_maker, replace(entry, serial=1), now=NOW)


def test_lists_are_published_again_in_time_and_keep_their_entries(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    maker = pki.seal_maker
    pki.revoke(maker, RevokedEntry(serial=maker.serial, revoked_at=NOW), now=NOW)
    assert pki.refresh_crls(NOW + timedelta(days=1)) == ()
    later = NOW + timedelta(days=5)
    assert pki.refresh_crls(later) == ("sm2-issuing-ca", "rsa-issuing-ca")
    assert pki.refresh_crls(later) == ()
    crl = parse_crl(pki.crl("sm2-issuing-ca"))
    assert (crl.number, crl.this_update) == (3, later)
    assert [entry.serial for entry in read_entries(crl)] == [maker.serial]
    assert len(pki.refresh_crls(NOW + timedelta(days=60))) == 4


def test_a_clock_that_went_back_publishes_nothing(tmp_path: Path) -> None:
    """T-PKI-31."""
    pki = copy_pki(tmp_path).pki
    maker = pki.seal_maker
    entry = RevokedEntry(serial=maker.serial, revoked_at=NOW)
    with pytest.raises(IssuingRefused) as caught:
        pki.revoke(maker, entry, now=NOW - timedelta(days=1))
    assert reason_of(caught) == "clock"


def test_a_foreign_list_is_not_continued() -> None:
    foreign = shared_pki().pki.crl("sm2-root")
    with pytest.raises(IssuingRefused):
        authority().publish_crl(now=NOW, previous=foreign)
    own = bytearray(shared_pki().pki.crl("sm2-issuing-ca"))
    own[-1] ^= 1
    with pytest.raises(IssuingRefused):
        authority().publish_crl(now=NOW, previous=bytes(own))


def test_only_a_hold_can_end() -> None:
    held = RevokedEntry(serial=1, revoked_at=NOW, reason=RevocationReason.CERTIFICATE_HOLD)
    lost = RevokedEntry(serial=2, revoked_at=NOW, reason=RevocationReason.KEY_COMPROMISE)
    ended = replace(held, reason=RevocationReason.REMOVE_FROM_CRL)
    assert merge_entries([held, lost], [ended]) == (lost,)
    for serial in (2, 3):
        with pytest.raises(IssuingRefused):
            merge_entries([held, lost], [replace(ended, serial=serial)])


def test_the_earliest_dates_of_a_revocation_stay() -> None:
    """T-PKI-27."""
    first = RevokedEntry(serial=1, revoked_at=NOW, reason=RevocationReason.CERTIFICATE_HOLD)
    later = RevokedEntry(
        serial=1,
        revoked_at=NOW + timedelta(days=1),
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - timedelta(days=9),
    )
    merged = merge_entries([first], [later])[0]
    assert merged.revoked_at == NOW
    assert merged.invalidity_at == NOW - timedelta(days=9)
    assert merged.reason is RevocationReason.KEY_COMPROMISE


class Mumbling:
    """A signer whose public key does not fit what it signs with."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def has(self, name: str) -> bool:
        return name in self._names

    def public_key(self, name: str) -> PublicKey:
        return shared_pki().store.public_key(name)

    def sign_with(self, name: str, message: bytes) -> bytes:
        return shared_pki().store.sign_with(self._names[name], message)

    def health(self) -> StoreHealth:
        return StoreHealth(is_ready=True, keys=len(self._names))


def test_a_certificate_that_does_not_hold_is_not_released() -> None:
    """T-KEY-10."""
    own = Authority(
        signer=Mumbling({"sm2-issuing-ca": "log"}),
        key_name="sm2-issuing-ca",
        certificate=shared_pki().pki.certificate("sm2-issuing-ca"),
        crl_url="http://127.0.0.1/a.crl",
    )
    with pytest.raises(SignatureMismatch):
        own.issue_certificate(order())


def test_an_unknown_authority_publishes_nothing(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    for name in ("seal-maker", "../keys/keystore"):
        with pytest.raises(TrustRefused):
            pki.crl(name)
    (tmp_path / "pki/crls/sm2-root.crl").unlink()
    with pytest.raises(TrustRefused):
        pki.crl("sm2-root")


def test_a_folder_without_a_list_of_roots_is_no_pki(tmp_path: Path) -> None:
    """T-PKI-33."""
    made = copy_pki(tmp_path)
    (tmp_path / "pki/trust.pem").unlink()
    with pytest.raises(TrustRefused) as caught:
        load_pki(tmp_path / "pki", made.store)
    assert caught.value.params["reason"] == "missing"


def test_a_holder_file_with_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    pki = copy_pki(tmp_path).pki
    for algorithm in KeyAlgorithm:
        pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, algorithm, now=NOW)
    holders = tmp_path / "pki/holders"
    shutil.copy(holders / f"{HOLDER_CODE}-rsa.pem", holders / f"{HOLDER_CODE}-sm2.pem")
    with pytest.raises(TrustRefused):
        pki.seal_holder(HOLDER_CODE, SM2)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyStoreUnavailable):
        write_trust(tmp_path / "file/trust.pem", shared_pki().trust.roots)


# Reading back


def test_a_pki_is_made_once(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    with pytest.raises(IssuingRefused) as caught:
        make_pki(tmp_path / "pki", made.store, NOW)
    assert reason_of(caught) == "exists"


def test_an_interrupted_making_is_finished_over_the_same_keys(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    before = made.pki.certificate("sm2-root").public_key.spki
    (tmp_path / "pki/trust.pem").unlink()
    again = make_pki(tmp_path / "pki", made.store, NOW)
    assert again.certificate("sm2-root").public_key.spki == before


def test_another_root_cannot_slip_in(tmp_path: Path) -> None:
    """T-PKI-33, T-KEY-04."""
    made = copy_pki(tmp_path)
    stranger = copy_pki(tmp_path / "stranger")
    folder = tmp_path / "pki"
    other = make_pki(tmp_path / "other", KeyStore(tmp_path / "other-keys", PASSPHRASE), NOW)
    write_trust(folder / "trust.pem", other.trust.roots)
    with pytest.raises(TrustRefused) as caught:
        load_pki(folder, made.store)
    assert caught.value.params["reason"] == "altered"
    shutil.copytree(tmp_path / "other", folder, dirs_exist_ok=True)
    with pytest.raises((TrustRefused, IssuingRefused)):
        load_pki(folder, stranger.store)


@pytest.mark.parametrize("name", ["seal-maker", "log", "sm2-tsa"])
def test_a_certificate_must_belong_to_its_key(tmp_path: Path, name: str) -> None:
    """T-KEY-04."""
    made = copy_pki(tmp_path)
    certificates = tmp_path / "pki/certificates"
    other = "log" if name != "log" else "seal-maker"
    shutil.copy(certificates / f"{other}.pem", certificates / f"{name}.pem")
    with pytest.raises(TrustRefused) as caught:
        load_pki(tmp_path / "pki", made.store)
    assert caught.value.params["reason"] == "key-mismatch"


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"junk"])
def test_a_broken_certificate_file_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    """T-PKI-33."""
    made = copy_pki(tmp_path)
    path = tmp_path / "pki/certificates/sm2-root.pem"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrustRefused):
        load_pki(tmp_path / "pki", made.store)


def test_the_pinned_digest_decides(tmp_path: Path) -> None:
    """T-PKI-33."""
    made = copy_pki(tmp_path)
    folder = tmp_path / "pki"
    pinned = trust_digest_of(folder)
    assert load_pki(folder, made.store, trust_digest=pinned).trust == made.trust
    with pytest.raises(TrustRefused) as caught:
        load_pki(folder, made.store, trust_digest="00" * 32)
    assert caught.value.params["reason"] == "digest"


def altered(data: bytes) -> bytes:
    return data.replace(b"M", b"N", 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (None, "missing"),
        (lambda data: b"", "digest"),
        (lambda data: data[:-200], "digest"),
        (altered, "digest"),
        (lambda data: data + b"\n", "digest"),
    ],
)
def test_a_trust_file_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, change: object, reason: str
) -> None:
    """T-PKI-33."""
    path = tmp_path / "trust.pem"
    pinned = write_trust(path, shared_pki().trust.roots)
    assert load_trust(path, pinned) == shared_pki().trust
    if callable(change):
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(TrustRefused) as caught:
        load_trust(path, pinned)
    assert caught.value.params["reason"] == reason


@pytest.mark.parametrize("content", ["maker", "nothing"])
def test_only_roots_are_trusted(tmp_path: Path, content: str) -> None:
    """T-PKI-33: the digest may be right and the file still no list of roots."""
    certificates: tuple[Certificate, ...] = ()
    if content == "maker":
        certificates = (shared_pki().pki.seal_maker,)
    pinned = write_trust(tmp_path / "trust.pem", certificates)
    with pytest.raises(TrustRefused):
        load_trust(tmp_path / "trust.pem", pinned)


def test_trust_is_the_pair_of_roots_and_nothing_else() -> None:
    pki = shared_pki().pki
    assert pki.trust == TrustStore.of([pki.certificate("sm2-root"), pki.certificate("rsa-root")])
    assert FixedClock().now() == NOW


def test_no_private_key_is_in_the_public_folder(tmp_path: Path) -> None:
    """T-KEY-09."""
    copy_pki(tmp_path)
    for path in (tmp_path / "pki").rglob("*"):
        if path.is_file():
            assert b"PRIVATE" not in path.read_bytes()

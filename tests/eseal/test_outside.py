"""Outside authorities of an installation: stamps, roots, lists (T-STO-15, T-PKI-25, T-PKI-33)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from eseal.outside import RETRY, Outside, read_hosts
from eseal.settings import Settings
from eseal.trust_source import TrustSource
from keys.algorithms import sm3
from keys.authority import Authority, CertificateOrder
from keys.certificates import Certificate, encode_pem
from keys.errors import AddressRefused, TrustRefused
from keys.keystore import KeyStore
from keys.outside import ImportOrder
from keys.path import TrustStore, Usage, check_path
from keys.pki import make_pki
from keys.profiles import SEAL_HOLDER
from keys.revocation import CertificateStatus, check_revocation
from keys.timestamps import verify_token
from keys.x509_building import Subject
from seal_service.errors import TSAUnavailable
from tests.support.outside import Outside as Server
from tests.support.outside import closed_port, outside
from tests.support.pki import (
    HOLDER_CODE,
    HOLDER_NAME,
    NOW,
    RSA,
    SM2,
    FixedClock,
    MadePKI,
    copy_pki,
    revoke,
)

VALUE = b"a signature value"
KEY = "outside-holder"


@pytest.fixture
def server() -> Iterator[Server]:
    with outside() as found:
        yield found


def settings_of(made: MadePKI, server: Server | None = None, **more: object) -> Settings:
    hosts = "" if server is None else server.host
    values = {"outside_hosts": hosts, "outside_private_hosts": hosts, **more}
    return Settings(data_folder=made.folder).model_copy(update=values)


def outside_of(made: MadePKI, settings: Settings) -> Outside:
    return Outside(settings, made.pki, made.store, FixedClock())


# Stamps


def test_without_a_setting_our_own_authority_stamps(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    found = outside_of(made, settings_of(made))
    for algorithm in (SM2, RSA):
        token = found.stamp(algorithm)(VALUE)
        assert verify_token(token, VALUE).certificate == made.pki.certificate(f"{algorithm}-tsa")


def test_with_a_setting_the_outside_authority_stamps(tmp_path: Path, server: Server) -> None:
    made = copy_pki(tmp_path)
    server.answer = made.pki.tsa(SM2, FixedClock()).respond
    found = outside_of(made, settings_of(made, server, tsa_url=server.url("/tsa")))
    assert verify_token(found.stamp(SM2)(VALUE), VALUE).nonce is not None
    found.stamp(RSA)(VALUE)
    assert server.asked == [("POST", "/tsa")], "RSA has no address: our own"


@pytest.mark.parametrize(
    "answer", [b"", b"garbage", b"\x30\x09\x30\x07\x02\x01\x02\x03\x02\x05\x20"]
)
def test_an_authority_that_answers_badly_gives_no_stamp_and_no_other_is_taken(
    tmp_path: Path, server: Server, answer: bytes
) -> None:
    """T-STO-15: never a silent skip."""
    made = copy_pki(tmp_path)
    server.answer = lambda _: answer
    found = outside_of(made, settings_of(made, server, tsa_url=server.url()))
    with pytest.raises(TSAUnavailable):
        found.stamp(SM2)(VALUE)


def test_an_authority_of_yesterday_gives_no_stamp(tmp_path: Path, server: Server) -> None:
    """T-STO-15."""
    made = copy_pki(tmp_path)
    server.answer = made.pki.tsa(SM2, FixedClock(NOW - timedelta(minutes=30))).respond
    found = outside_of(made, settings_of(made, server, tsa_url=server.url()))
    with pytest.raises(TSAUnavailable) as error:
        found.stamp(SM2)(VALUE)
    assert error.value.params["reason"] == "gen-time"


def test_an_authority_that_is_down_gives_no_stamp(tmp_path: Path) -> None:
    """T-STO-15."""
    made = copy_pki(tmp_path)
    host = f"127.0.0.1:{closed_port()}"
    settings = settings_of(
        made, tsa_url=f"http://{host}/", outside_hosts=host, outside_private_hosts=host
    )
    with pytest.raises(TSAUnavailable) as error:
        outside_of(made, settings).stamp(SM2)(VALUE)
    assert error.value.params["reason"] == "network"


def test_an_authority_that_is_not_on_the_list_stops_the_start(tmp_path: Path) -> None:
    """T-PKI-25."""
    made = copy_pki(tmp_path)
    settings = settings_of(made, tsa_url="http://169.254.169.254/")
    with pytest.raises(AddressRefused):
        outside_of(made, settings).stamp(SM2)


def test_hosts_are_read_from_one_line() -> None:
    assert read_hosts(" TSA.example, ocsp.example:8080  ") == {"tsa.example", "ocsp.example:8080"}
    assert read_hosts("") == frozenset()


# Roots


@pytest.mark.parametrize("digest", ["", "00" * 32])
def test_outside_roots_must_be_the_pinned_ones(tmp_path: Path, digest: str) -> None:
    """T-PKI-33."""
    made = copy_pki(tmp_path)
    path = tmp_path / "roots.pem"
    path.write_text(encode_pem(made.pki.certificate("sm2-root").der))
    settings = settings_of(made, outside_roots=path, outside_roots_digest=digest)
    with pytest.raises(TrustRefused):
        outside_of(made, settings)


# Certificates and lists of another authority


class Imported:
    """Our installation with a certificate that another PKI issued."""

    def __init__(self, folder: Path, server: Server, other: MadePKI) -> None:
        self.other = other
        self.ours = copy_pki(folder / "ours")
        roots = "".join(encode_pem(root.der) for root in other.pki.trust.roots).encode()
        path = folder / "roots.pem"
        path.write_bytes(roots)
        settings = settings_of(
            self.ours, server, outside_roots=path, outside_roots_digest=sm3(roots).hex()
        )
        self.outside = outside_of(self.ours, settings)
        self.issuer = other.pki.certificate("sm2-issuing-ca")
        self.certificate = self._import(server.url("/pki/list.crl"))

    def _import(self, url: str) -> Certificate:
        subject = Subject(
            common_name=HOLDER_NAME, organisation=HOLDER_NAME, organisation_code=HOLDER_CODE
        )
        self.outside.certificates.request(KEY, SM2, subject, SEAL_HOLDER)
        authority = Authority(
            signer=self.other.store,
            key_name="sm2-issuing-ca",
            certificate=self.issuer,
            crl_url=url,
        )
        key = self.ours.store.public_key(KEY)
        order = CertificateOrder(profile=SEAL_HOLDER, subject=subject, public_key=key, now=NOW)
        issued = authority.issue_certificate(order)
        import_order = ImportOrder(
            key_name=KEY,
            usage=Usage.SEAL_HOLDER,
            trust=TrustStore.of(self.outside.roots),
            organisation_code=HOLDER_CODE,
            now=NOW,
        )
        text = encode_pem(issued) + encode_pem(self.issuer.der)
        return self.outside.certificates.import_chain(text.encode(), import_order).certificate


@pytest.fixture
def imported(tmp_path: Path, server: Server, other: MadePKI) -> Imported:
    return Imported(tmp_path, server, other)


@pytest.fixture
def other(tmp_path: Path) -> MadePKI:
    """Another PKI: the same names, keys and roots of its own."""
    folder = tmp_path / "other"
    store = KeyStore(folder / "keys", b"another pass-phrase")
    return MadePKI(folder=folder, store=store, pki=make_pki(folder / "pki", store, NOW))


def test_an_imported_certificate_is_trusted_and_its_status_known(
    imported: Imported, server: Server
) -> None:
    source = TrustSource(imported.ours.pki, imported.outside)
    current = imported.outside.current(KEY)
    assert current is not None
    assert current.certificate == imported.certificate
    server.answer = lambda _: imported.other.pki.crl("sm2-issuing-ca")
    assert _status(source, imported) == (True, CertificateStatus.UNKNOWN), "nothing fetched yet"
    assert imported.outside.refresh_crls(NOW) == 1
    assert _status(source, imported) == (True, CertificateStatus.GOOD)
    revoke(imported.certificate, at=NOW, made=imported.other)
    assert imported.outside.refresh_crls(NOW) == 0, "the list is young"
    later = NOW + timedelta(days=4)
    assert imported.outside.refresh_crls(later) == 1
    assert _status(source, imported) == (True, CertificateStatus.REVOKED)


def _status(source: TrustSource, imported: Imported) -> tuple[bool, CertificateStatus]:
    material = source.material()
    report = check_path(
        imported.certificate,
        usage=Usage.SEAL_HOLDER,
        at=NOW,
        trust=material.trust,
        intermediates=material.intermediates,
    )
    state = check_revocation(
        imported.certificate, imported.issuer, material.revocation, at=NOW, now=NOW
    )
    return report.is_good, state.status


def test_a_host_that_gives_no_list_is_left_alone_for_a_while(
    imported: Imported, server: Server
) -> None:
    server.status = 500
    assert [imported.outside.refresh_crls(NOW) for _ in range(3)] == [0, 0, 0]
    assert len(server.asked) == 1
    imported.outside.refresh_crls(NOW + RETRY)
    assert len(server.asked) == 2


def test_judging_asks_nobody(imported: Imported, server: Server) -> None:
    """T-PKI-25: trust is read from the folder, whatever addresses certificates name."""
    source = TrustSource(imported.ours.pki, imported.outside)
    for _ in range(3):
        _status(source, imported)
    assert server.asked == []

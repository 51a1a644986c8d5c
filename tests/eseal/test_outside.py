"""Outside authorities of an installation: stamps, roots, lists (T-STO-15, T-PKI-25, T-PKI-33)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from eseal.outside import RETRY, read_hosts
from eseal.trust_source import TrustSource
from keys.certificates import encode_pem
from keys.errors import AddressRefused, TrustRefused
from keys.path import Usage, check_path
from keys.revocation import CertificateStatus, check_revocation
from keys.timestamps import verify_token
from seal_service.errors import TSAUnavailable
from tests.support.imported import KEY, Imported, another_pki, outside_of, settings_of
from tests.support.outside import Outside as Server
from tests.support.outside import closed_port, outside
from tests.support.pki import NOW, RSA, SM2, FixedClock, MadePKI, copy_pki, revoke

VALUE = b"a signature value"


@pytest.fixture
def server() -> Iterator[Server]:
    with outside() as found:
        yield found


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


@pytest.fixture
def imported(tmp_path: Path, server: Server, other: MadePKI) -> Imported:
    return Imported(tmp_path, server, other)


@pytest.fixture
def other(tmp_path: Path) -> MadePKI:
    return another_pki(tmp_path / "other")


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

"""Clients of outside authorities: good answers, bad ones, none (T-STO-15, T-PKI-20..24)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.certificates import Certificate
from keys.clients import CRLClient, OCSPClient, TSAClient, TSAPlan
from keys.errors import (
    AddressRefused,
    OutsideUnavailable,
    StatusRolledBack,
    StatusUnknown,
    TimestampRefused,
)
from keys.fetching import Fetcher, FetchRules
from keys.ocsp import encode_ocsp_error, encode_ocsp_request, parse_ocsp_request
from keys.path import TrustStore
from keys.revocation import CertificateStatus
from keys.timestamp_messages import TimestampRequest, encode_request, parse_request
from keys.timestamps import verify_token
from keys.tsa import TSA
from tests.support.authority import responder_of
from tests.support.outside import Outside, closed_port, outside
from tests.support.pki import NOW, RSA, SM2, FixedClock, MadePKI, copy_pki, revoke, shared_pki

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
VALUE = b"a signature value"
DIGESTS = {SM2: DigestAlgorithm.SM3, RSA: DigestAlgorithm.SHA256}
Change = Callable[[bytes], bytes]


@pytest.fixture
def server() -> Iterator[Outside]:
    with outside() as found:
        yield found


def tsa_at(shift: timedelta = timedelta(), algorithm: KeyAlgorithm = SM2) -> TSA:
    return shared_pki().pki.tsa(algorithm, FixedClock(NOW + shift))


def client(
    server: Outside, algorithm: KeyAlgorithm = SM2, trust: TrustStore | None = None
) -> TSAClient:
    plan = TSAPlan(
        url=server.url("/tsa"),
        digest_algorithm=DIGESTS[algorithm],
        trust=trust or shared_pki().trust,
    )
    return TSAClient(plan, server.fetcher(), FixedClock())


def refused(server: Outside) -> str:
    with pytest.raises(TimestampRefused) as error:
        client(server).stamp(VALUE)
    return str(error.value.params["reason"])


def changed(change: Callable[[TimestampRequest], TimestampRequest]) -> Change:
    """Answer another request than the one that came."""
    return lambda body: tsa_at().respond(encode_request(change(parse_request(body))))


# Time stamps


@BOTH
def test_an_outside_authority_stamps(server: Outside, algorithm: KeyAlgorithm) -> None:
    server.answer = tsa_at(algorithm=algorithm).respond
    token = client(server, algorithm).stamp(VALUE)
    assert verify_token(token, VALUE).gen_time == NOW
    assert verify_token(token, VALUE).nonce is not None


def test_every_request_has_a_nonce_of_its_own(server: Outside) -> None:
    seen: set[int | None] = set()

    def answer(body: bytes) -> bytes:
        seen.add(parse_request(body).nonce)
        return tsa_at().respond(body)

    server.answer = answer
    for _ in range(3):
        client(server).stamp(VALUE)
    assert len(seen) == 3
    assert None not in seen


def test_another_nonce_is_refused(server: Outside) -> None:
    """T-STO-15."""
    server.answer = changed(lambda request: replace(request, nonce=5))
    assert refused(server) == "nonce"
    server.answer = changed(lambda request: replace(request, nonce=None))
    assert refused(server) == "nonce"


def test_a_stamp_of_something_else_is_refused(server: Outside) -> None:
    server.answer = changed(
        lambda request: replace(request, imprint=replace(request.imprint, value=b"\1" * 32))
    )
    assert refused(server) == "imprint"


@pytest.mark.parametrize(
    "shift", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(minutes=-59)]
)
def test_an_old_time_and_a_future_one_are_refused(server: Outside, shift: timedelta) -> None:
    """T-STO-15."""
    server.answer = tsa_at(shift).respond
    assert refused(server) == "gen-time"


def test_an_authority_nobody_trusts_is_refused(server: Outside) -> None:
    server.answer = tsa_at().respond
    other = TrustStore.of([shared_pki().pki.certificate("rsa-root")])
    with pytest.raises(TimestampRefused) as error:
        client(server, trust=other).stamp(VALUE)
    assert error.value.params["reason"] == "untrusted"


@pytest.mark.parametrize("answer", [b"", b"garbage", b"\x30\x03\x02\x01\x00", b"\x30\x80" * 50])
def test_garbage_is_refused(server: Outside, answer: bytes) -> None:
    """T-STO-15."""
    server.answer = lambda _: answer
    with pytest.raises(TimestampRefused):
        client(server).stamp(VALUE)


def test_a_changed_token_is_refused(server: Outside) -> None:
    server.answer = lambda body: tsa_at().respond(body)[:-1] + b"\0"
    with pytest.raises(TimestampRefused):
        client(server).stamp(VALUE)


def test_an_authority_that_is_down_or_slow_stamps_nothing(server: Outside) -> None:
    """T-STO-15."""
    server.answer, server.slow_seconds = (lambda _: b"x" * 100), 0.05
    plan = TSAPlan(url=server.url(), digest_algorithm=DigestAlgorithm.SM3, trust=shared_pki().trust)
    with pytest.raises(OutsideUnavailable) as slow:
        TSAClient(plan, server.fetcher(seconds=0.3), FixedClock()).stamp(VALUE)
    assert slow.value.params["reason"] == "timeout"
    host = f"127.0.0.1:{closed_port()}"
    rules = FetchRules(hosts=frozenset({host}), private_hosts=frozenset({host}))
    down = TSAClient(replace(plan, url=f"http://{host}/"), Fetcher(rules), FixedClock())
    with pytest.raises(OutsideUnavailable):
        down.stamp(VALUE)


def test_an_address_that_is_not_on_the_list_is_refused_at_the_start(server: Outside) -> None:
    """T-PKI-25."""
    plan = TSAPlan(
        url="http://169.254.169.254/",
        digest_algorithm=DigestAlgorithm.SM3,
        trust=shared_pki().trust,
    )
    with pytest.raises(AddressRefused):
        TSAClient(plan, server.fetcher(), FixedClock())


# Status


def _leaf(made: MadePKI) -> tuple[Certificate, Certificate]:
    return made.pki.certificate("sm2-tsa"), made.pki.certificate("sm2-issuing-ca")


def test_a_responder_tells_good_and_revoked(server: Outside, tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    server.answer = responder_of(made).answer_status
    asking = OCSPClient(server.fetcher(), FixedClock())
    assert asking.ask(server.url(), *_leaf(made))[0].status is CertificateStatus.GOOD
    revoke(_leaf(made)[0], made=made)
    assert asking.ask(server.url(), *_leaf(made))[0].status is CertificateStatus.REVOKED


def test_an_old_good_answer_counts_for_nothing(server: Outside, tmp_path: Path) -> None:
    """T-PKI-23, T-PKI-24: replayed, without a nonce, or no answer at all."""
    made = copy_pki(tmp_path)
    responder = responder_of(made)

    def forget_nonce(body: bytes) -> bytes:
        return responder.answer_status(encode_ocsp_request(parse_ocsp_request(body)[0][0]))

    asking = OCSPClient(server.fetcher(), FixedClock())
    stale = responder_of(made, FixedClock(NOW - timedelta(days=2)))
    answers: tuple[Change, ...] = (
        forget_nonce,
        stale.answer_status,
        lambda _: encode_ocsp_error(3),
        lambda _: b"garbage",
    )
    for answer in answers:
        server.answer = answer
        assert asking.ask(server.url(), *_leaf(made))[0].status is CertificateStatus.UNKNOWN


def test_an_answer_is_fetched_when_it_settles_the_status(server: Outside, tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    clock = FixedClock(NOW + timedelta(minutes=2))
    server.answer = responder_of(made, clock).answer_status
    asking = OCSPClient(server.fetcher(), clock)
    known = asking.fetch(server.url(), *_leaf(made))
    assert asking.fetch(server.url(), *_leaf(made), known) != known, "another nonce"
    revoke(_leaf(made)[0], made=made)
    assert asking.fetch(server.url(), *_leaf(made), known) != known
    server.answer = responder_of(made).answer_status
    with pytest.raises(StatusRolledBack):
        asking.fetch(server.url(), *_leaf(made), known)
    server.answer = lambda _: encode_ocsp_error(3)
    with pytest.raises(StatusUnknown) as caught:
        asking.fetch(server.url(), *_leaf(made))
    assert caught.value.params["reason"] == "ocsp-not-successful"


# Lists


def test_a_list_is_fetched_and_checked(server: Outside, tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    issuer = made.pki.certificate("sm2-issuing-ca")
    old = made.pki.crl("sm2-issuing-ca")
    server.answer = lambda _: made.pki.crl("sm2-issuing-ca")
    fetching = CRLClient(server.fetcher(), FixedClock())
    assert fetching.fetch(server.url("/list.crl"), issuer) == old
    revoke(made.pki.certificate("sm2-tsa"), made=made)
    new = fetching.fetch(server.url("/list.crl"), issuer, known=old)
    assert new != old
    server.answer = lambda _: old
    with pytest.raises(StatusRolledBack):
        fetching.fetch(server.url("/list.crl"), issuer, known=new)


@pytest.mark.parametrize(
    ("name", "shift", "reason"),
    [
        ("rsa-issuing-ca", timedelta(), "issuer"),
        ("sm2-issuing-ca", timedelta(days=30), "stale"),
        ("sm2-issuing-ca", timedelta(days=-1), "in-future"),
    ],
)
def test_a_list_that_must_not_be_believed_is_refused(
    server: Outside, name: str, shift: timedelta, reason: str
) -> None:
    """T-PKI-20."""
    server.answer = lambda _: shared_pki().pki.crl(name)
    fetching = CRLClient(server.fetcher(), FixedClock(NOW + shift))
    with pytest.raises(OutsideUnavailable) as error:
        fetching.fetch(server.url(), shared_pki().pki.certificate("sm2-issuing-ca"))
    assert error.value.params["reason"] == reason


def test_a_changed_list_and_garbage_are_refused(server: Outside) -> None:
    """T-PKI-20."""
    fetching = CRLClient(server.fetcher(), FixedClock())
    issuer = shared_pki().pki.certificate("sm2-issuing-ca")
    good = shared_pki().pki.crl("sm2-issuing-ca")
    for data in (b"", b"garbage", good[:-3] + bytes(3), b"-----BEGIN X509 CRL-----"):
        server.answer = lambda _, data=data: data  # type: ignore[misc]
        with pytest.raises(OutsideUnavailable):
            fetching.fetch(server.url(), issuer)

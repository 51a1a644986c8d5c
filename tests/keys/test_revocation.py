"""Revocation data: what is believed, what leaves the status open, what wins."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import der
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import (
    OID_DELTA_CRL,
    OID_INVALIDITY_DATE,
    OID_ISSUING_DISTRIBUTION_POINT,
    OID_REASON_CODE,
    RevocationReason,
    RevokedEntry,
    find_entry,
    parse_crl,
)
from keys.errors import EngineUnavailable, MalformedCertificate, ServiceError, StatusRolledBack
from keys.ocsp import (
    parse_ocsp,
    parse_ocsp_request,
)
from keys.revocation import (
    CertificateStatus,
    RevocationEvidence,
    Source,
    check_not_older,
    check_revocation,
)
from keys.x509_building import extension, signature_algorithm
from tests.support.pki import NOW, RSA, LeafSpec, make_leaf, shared_pki
from tests.support.status import (
    HOUR,
    ListSpec,
    assert_unknown,
    issuer_of,
    judge,
    make_list,
    make_response,
    raw_entry,
)

DAY = timedelta(days=1)
BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
COMPROMISED = extension(OID_REASON_CODE, der.enumerated(RevocationReason.KEY_COMPROMISE))
HELD = extension(OID_REASON_CODE, der.enumerated(RevocationReason.CERTIFICATE_HOLD))
REMOVED = extension(OID_REASON_CODE, der.enumerated(RevocationReason.REMOVE_FROM_CRL))


def entry_of(
    *extensions: bytes, certificate: Certificate | None = None, at: datetime = NOW - 2 * DAY
) -> bytes:
    serial = (certificate or make_leaf()).serial
    return raw_entry(RevokedEntry(serial=serial, revoked_at=at), *extensions)


# Lists


@BOTH
def test_who_is_not_listed_is_good(algorithm: KeyAlgorithm) -> None:
    state = judge(
        make_list(ListSpec(algorithm=algorithm)),
        certificate=make_leaf(LeafSpec(algorithm=algorithm)),
    )
    assert (state.status, state.source) == (CertificateStatus.GOOD, Source.CRL)


@BOTH
def test_who_is_listed_is_revoked(algorithm: KeyAlgorithm) -> None:
    leaf = make_leaf(LeafSpec(algorithm=algorithm))
    date = extension(OID_INVALIDITY_DATE, der.generalized_time(NOW - 9 * DAY))
    entry = entry_of(COMPROMISED, date, certificate=leaf)
    state = judge(make_list(ListSpec(algorithm=algorithm, entries=(entry,))), certificate=leaf)
    assert state.status is CertificateStatus.REVOKED
    assert state.revoked_at == NOW - 2 * DAY
    assert state.reason == "key-compromise"


def test_a_compromised_key_counts_from_the_invalidity_date() -> None:
    """T-PKI-27."""
    date = extension(OID_INVALIDITY_DATE, der.generalized_time(NOW - 9 * DAY))
    state = judge(make_list(ListSpec(entries=(entry_of(COMPROMISED, date),))))
    assert state.invalidity_at == state.effective_at == NOW - 9 * DAY
    plain = judge(make_list(ListSpec(entries=(entry_of(),))))
    assert (plain.invalidity_at, plain.effective_at) == (None, NOW - 2 * DAY)
    assert plain.reason == "unspecified"


def test_without_evidence_nothing_is_known() -> None:
    assert_unknown(judge(), "no-evidence")


IDP = OID_ISSUING_DISTRIBUTION_POINT


def distribution_point(*parts: bytes) -> bytes:
    return extension(IDP, der.sequence(*parts), is_critical=True)


FLAWED_LISTS = {
    "in-future": ListSpec(this_update=NOW + HOUR),
    "stale": ListSpec(next_update=NOW - timedelta(minutes=1)),
    "no-next-update": ListSpec(next_update=None),
    "unknown-critical": ListSpec(extensions=(extension("1.2.3.4", der.null(), is_critical=True),)),
    "partial-scope": ListSpec(extensions=(distribution_point(der.implicit(1, b"\xff")),)),
    "indirect": ListSpec(extensions=(distribution_point(der.implicit(4, b"\xff")),)),
    "delta": ListSpec(extensions=(extension(OID_DELTA_CRL, der.integer(4), is_critical=True),)),
    "crl-signer": ListSpec(key_id=b"another key of twenty"),
    "signature-mismatch": ListSpec(signer="sm2-root"),
}


@pytest.mark.parametrize("reason", sorted(FLAWED_LISTS))
def test_a_flawed_list_leaves_the_status_open(reason: str) -> None:
    """T-PKI-20."""
    assert_unknown(judge(make_list(FLAWED_LISTS[reason])), reason)


@pytest.mark.parametrize(
    "parts",
    [
        (der.implicit(1, b"\xff"),),
        (der.implicit(2, b"\xff"),),
        (der.implicit(5, b"\xff"),),
        (der.implicit(3, b"\x06\x40"),),
    ],
)
def test_a_list_for_some_certificates_or_reasons_says_good_to_nobody(
    parts: tuple[bytes, ...],
) -> None:
    """T-PKI-20."""
    assert_unknown(
        judge(make_list(ListSpec(extensions=(distribution_point(*parts),)))), "partial-scope"
    )


def test_a_distribution_point_that_only_names_the_place_limits_nothing() -> None:
    name = der.element(0xA0, der.element(0xA0, der.implicit(6, b"http://127.0.0.1/a.crl")))
    state = judge(make_list(ListSpec(extensions=(distribution_point(name),))))
    assert state.status is CertificateStatus.GOOD


def test_a_list_of_another_issuer_says_nothing() -> None:
    """T-PKI-20."""
    assert_unknown(judge(shared_pki().pki.crl("sm2-root")), "no-evidence")


@pytest.mark.parametrize("skew", [timedelta(minutes=4), timedelta(minutes=-4)])
def test_clocks_may_differ_a_little(skew: timedelta) -> None:
    assert judge(make_list(ListSpec(this_update=NOW + skew))).status is CertificateStatus.GOOD


def test_revoked_counts_from_a_stale_or_partial_list() -> None:
    """Revocation is for ever, so the age of the list that tells it does not matter."""
    entries = (entry_of(COMPROMISED),)
    partial = (distribution_point(der.implicit(1, b"\xff")),)
    for spec in (
        ListSpec(entries=entries, next_update=NOW - HOUR),
        ListSpec(entries=entries, extensions=partial),
        ListSpec(entries=entries, next_update=None),
    ):
        assert judge(make_list(spec)).status is CertificateStatus.REVOKED


def test_revoked_does_not_count_from_a_list_that_is_not_the_issuers() -> None:
    """T-PKI-20."""
    entries = (entry_of(COMPROMISED),)
    for spec in (
        ListSpec(entries=entries, signer="sm2-root"),
        ListSpec(entries=entries, this_update=NOW + DAY),
        ListSpec(entries=entries, extensions=FLAWED_LISTS["unknown-critical"].extensions),
    ):
        assert judge(make_list(spec)).status is CertificateStatus.UNKNOWN


def test_revoked_wins_over_good_whatever_the_order() -> None:
    revoked = make_list(ListSpec(entries=(entry_of(COMPROMISED),)))
    newer = make_list(ListSpec(this_update=NOW - timedelta(minutes=1), number=6))
    for data in ((revoked, newer), (newer, revoked)):
        assert judge(*data).status is CertificateStatus.REVOKED


def test_an_old_good_list_does_not_outlive_itself() -> None:
    """T-PKI-24: what was good before the revocation is replayed after it."""
    old = make_list(ListSpec(this_update=NOW - 9 * DAY, next_update=NOW - 2 * DAY))
    assert_unknown(judge(old), "stale")
    assert judge(old, now=NOW - 8 * DAY).status is CertificateStatus.GOOD


def test_archived_data_counts_only_where_asked_for_and_for_the_time_before_it() -> None:
    old = make_list(ListSpec(this_update=NOW - 9 * DAY, next_update=NOW - 2 * DAY))
    archive = RevocationEvidence(accepts_archived=True)
    earlier, later = NOW - 10 * DAY, NOW - 8 * DAY
    assert judge(old, at=earlier, evidence=archive).status is CertificateStatus.GOOD
    assert_unknown(judge(old, at=later, evidence=archive), "stale")
    assert_unknown(judge(old, at=earlier), "stale")


def test_a_hold_ends_with_a_newer_good_list() -> None:
    held = make_list(ListSpec(entries=(entry_of(HELD),)))
    assert judge(held).reason == "certificate-hold"
    newer = make_list(ListSpec(this_update=NOW - timedelta(minutes=1), number=6))
    older = make_list(ListSpec(this_update=NOW - 2 * HOUR, number=4))
    assert judge(held, newer).status is CertificateStatus.GOOD
    assert judge(held, older).status is CertificateStatus.REVOKED


def test_a_stale_hold_leaves_the_status_open() -> None:
    held = make_list(ListSpec(entries=(entry_of(HELD),), next_update=NOW - HOUR))
    assert_unknown(judge(held), "stale")


def test_an_entry_that_ends_a_hold_makes_nobody_good() -> None:
    assert judge(make_list(ListSpec(entries=(entry_of(REMOVED),)))).status is (
        CertificateStatus.UNKNOWN
    )


@pytest.mark.parametrize(
    "entry",
    [
        entry_of(extension("2.5.29.29", der.sequence(), is_critical=True)),
        raw_entry(
            RevokedEntry(serial=77, revoked_at=NOW),
            extension("1.2.3", der.null(), is_critical=True),
        ),
    ],
    ids=["own entry", "entry of another"],
)
def test_an_unknown_critical_extension_of_any_entry_spoils_the_list(entry: bytes) -> None:
    """T-PKI-20."""
    assert_unknown(judge(make_list(ListSpec(entries=(entry,)))), "unknown-critical")


def test_a_certificate_that_had_expired_may_have_left_the_list() -> None:
    leaf = make_leaf(LeafSpec(is_expired=True))
    assert_unknown(judge(make_list(), certificate=leaf), "expired-before-status")


@pytest.mark.parametrize(
    "spec",
    [
        ListSpec(version=b""),
        ListSpec(version=der.integer(0)),
        ListSpec(outer_algorithm=signature_algorithm(RSA)),
        ListSpec(change=lambda data: data + b"\x00"),
        ListSpec(change=lambda data: data[:-1]),
        ListSpec(change=lambda data: b""),
        ListSpec(extensions=(extension("2.5.29.20", der.integer(1)),)),
        ListSpec(entries=(entry_of(extension(OID_REASON_CODE, der.enumerated(7))),)),
    ],
)
def test_a_list_that_cannot_be_read_leaves_the_status_open(spec: ListSpec) -> None:
    """T-PKI-20."""
    assert judge(make_list(spec)).status is CertificateStatus.UNKNOWN


def test_an_authority_that_signs_no_lists_is_not_believed() -> None:
    issuer = issuer_of()
    extensions = replace(issuer.extensions, key_usage=frozenset({"key_cert_sign"}))
    evidence = RevocationEvidence(crls=(make_list(),))
    state = check_revocation(
        make_leaf(), replace(issuer, extensions=extensions), evidence, at=NOW, now=NOW
    )
    assert_unknown(state, "crl-signer")


def test_a_list_older_than_the_one_in_use_is_refused() -> None:
    """T-PKI-21."""
    used = make_list(ListSpec(number=5))
    check_not_older(make_list(ListSpec(number=6, this_update=NOW)), used)
    check_not_older(used, used)
    for spec in (
        ListSpec(number=4),
        ListSpec(number=6, this_update=NOW - DAY),
        ListSpec(number=6, issuer_der=shared_pki().pki.certificate("sm2-root").subject_der),
    ):
        with pytest.raises(StatusRolledBack):
            check_not_older(make_list(spec), used)


def test_a_long_list_is_walked_and_an_endless_one_refused() -> None:
    """T-PKI-22."""
    entries = tuple(
        raw_entry(RevokedEntry(serial=10_000 + number, revoked_at=NOW)) for number in range(20_000)
    )
    crl = parse_crl(make_list(ListSpec(entries=entries)))
    found = find_entry(crl, 29_999)
    assert found is not None
    assert found.serial == 29_999
    assert find_entry(crl, 1) is None
    with pytest.raises(MalformedCertificate) as caught:
        parse_crl(bytes(50 * 1024 * 1024 + 1))
    assert caught.value.params["reason"] == "limit"


def test_a_serial_number_is_not_found_inside_another() -> None:
    leaf = make_leaf()
    longer = raw_entry(RevokedEntry(serial=leaf.serial << 8 | 0x7F, revoked_at=NOW))
    assert judge(make_list(ListSpec(entries=(longer,)))).status is CertificateStatus.GOOD


def test_a_fault_of_the_engine_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be checked must not be taken for revocation data that does not hold."""

    def fail(*_: object) -> None:
        raise EngineUnavailable("gone")

    monkeypatch.setattr("keys.revocation._verify_cached", fail)
    with pytest.raises(EngineUnavailable):
        judge(make_list())


def test_fields_after_the_extensions_of_a_list_are_refused() -> None:
    tbs, *rest = der.read_sequence(der.read_der(make_list()))
    fields = [node.raw for node in der.read_sequence(tbs)]
    extended = der.sequence(*fields, fields[-1])
    with pytest.raises(MalformedCertificate):
        parse_crl(der.sequence(extended, *(node.raw for node in rest)))


def test_every_flipped_byte_of_a_list_is_noticed() -> None:
    """T-PKI-20."""
    data = make_list()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        assert judge(bytes(changed)).status is CertificateStatus.UNKNOWN, at


def refuse_to_connect(*_: object) -> None:
    raise AssertionError("a connection was made")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/list.crl",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ldap://127.0.0.1/",
        "gopher://127.0.0.1/",
    ],
)
def test_no_address_in_a_certificate_is_ever_visited(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """T-PKI-25."""
    leaf = make_leaf(LeafSpec(serial=0x5001, crl_url=url))
    assert leaf.crl_urls == (url,)
    monkeypatch.setattr("socket.socket.connect", refuse_to_connect)
    monkeypatch.setattr("socket.getaddrinfo", refuse_to_connect)
    assert_unknown(judge(certificate=leaf), "no-evidence")
    assert judge(make_list(), certificate=leaf).status is CertificateStatus.GOOD


# Hostile bytes


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    for parse in (parse_crl, parse_ocsp, parse_ocsp_request):
        try:
            parse(data)
        except ServiceError:
            continue


@lru_cache(maxsize=1)
def _originals() -> tuple[bytes, ...]:
    return make_list(), make_response()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_changed_data_is_judged_without_an_exception(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(_originals()))
    at = data.draw(st.integers(0, 800)) % len(original)
    changed = original[:at] + data.draw(st.binary(max_size=4)) + original[at + 2 :]
    evidence = RevocationEvidence(crls=(changed,), ocsp_responses=(changed,))
    check_revocation(make_leaf(), issuer_of(), evidence, at=NOW, now=NOW)

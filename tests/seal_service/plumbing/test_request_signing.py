"""The signature base and its headers, without a database (T-API-02, T-API-04)."""

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.plumbing.request_signing import (
    RequestSigner,
    RequestToSign,
    content_digest,
    hmac_sm3,
    read_claim,
    sign_request,
)
from tests.support.licences import MovingClock

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
NONCE = "n0nce-of-sixteen-and-more"


def make_request(**changes: object) -> RequestToSign:
    parts: dict[str, object] = {
        "method": "POST",
        "path": "/v1/licences",
        "query": "a=1&b=2",
        "headers": {"content-type": "application/json", "idempotency-key": "key-1"},
        "body": b'{"a": 1}',
        **changes,
    }
    return RequestToSign(**parts)  # type: ignore[arg-type]  # a builder's keywords are flaws


def sign(request: RequestToSign) -> RequestToSign:
    added = sign_request(request, caller_id="approval", secret=b"s" * 32, created=NOW, nonce=NONCE)
    headers = {**request.headers, **{name.lower(): value for name, value in added.items()}}
    return make_request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=headers,
        body=request.body,
    )


def with_header(request: RequestToSign, name: str, value: str) -> RequestToSign:
    return make_request(headers={**request.headers, name: value})


def test_hmac_sm3_gives_the_value_of_a_second_implementation() -> None:
    """Made with OpenSSL: printf abc | openssl mac -digest SM3 -macopt key:secret HMAC."""
    expected = "96042a28529e7a438af81eece5b293e0699f481fd372c08c5ac01b8dc4b81856"
    assert hmac_sm3(b"secret", b"abc").hex() == expected


def test_the_signature_base_is_as_written_down() -> None:
    assert make_request().base("(...)") == (
        b'"@method": POST\n'
        b'"@path": /v1/licences\n'
        b'"@query": ?a=1&b=2\n'
        b'"content-digest": ' + content_digest(b'{"a": 1}').encode() + b"\n"
        b'"content-type": application/json\n'
        b'"idempotency-key": key-1\n'
        b'"@signature-params": (...)'
    )


def test_a_request_without_query_and_body_has_both_empty() -> None:
    base = make_request(query="", headers={}, body=b"").base("()")
    assert b'"@query": ?\n' in base
    assert content_digest(b"").encode() in base


def test_what_was_signed_is_claimed() -> None:
    claim = read_claim(sign(make_request()))
    assert claim is not None
    assert (claim.caller_id, claim.nonce) == ("approval", NONCE)
    assert claim.created == int(NOW.timestamp())
    assert len(claim.value) == 32


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
def test_each_of_the_three_headers_is_needed(name: str) -> None:
    signed = sign(make_request())
    headers = {key: value for key, value in signed.headers.items() if key != name}
    assert read_claim(make_request(headers=headers)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('alg="hmac-sm3"', 'alg="none"'),
        ('alg="hmac-sm3"', 'alg="hmac-sha256"'),
        ('alg="hmac-sm3"', 'alg="rsa-v1_5-sha256"'),
        (';alg="hmac-sm3"', ""),
        (f';nonce="{NONCE}"', ""),
        (f';nonce="{NONCE}"', ";nonce=1"),
        (";created=1795492800", ""),
        (";created=1795492800", ';created="1795492800"'),
        (";created=1795492800", ";created=-1"),
        (";created=1795492800", ";created=1795492800;created=1795492800"),
        (";created=1795492800", ";created=1795492800;expires=1895492800"),
        ('"@method" ', ""),
        ('"@path" ', ""),
        ('"@query" ', ""),
        (' "content-digest"', ""),
        (' "content-type"', ""),
        (' "idempotency-key"', ""),
        ('"@method" "@path"', '"@path" "@method"'),
        ('"@method" ', '"@method" "@method" '),
        ('"@path"', '"@authority"'),
        ("sig1=", "sig2="),
        ("sig1=", "SIG1="),
        ("sig1=(", "sig1=  ("),
    ],
)
def test_signature_input_has_one_form_only(old: str, new: str) -> None:
    """T-API-02, T-API-04: fewer or other components, another algorithm, parameters missing."""
    signed = sign(make_request())
    given_input = signed.headers["signature-input"]
    assert old in given_input
    assert read_claim(with_header(signed, "signature-input", given_input.replace(old, new))) is None


@pytest.mark.parametrize("suffix", [" ", ";x", ', sig2=("@method")', "\n"])
@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
def test_nothing_may_follow_a_signature_header(name: str, suffix: str) -> None:
    signed = sign(make_request())
    assert read_claim(with_header(signed, name, signed.headers[name] + suffix)) is None


def test_a_digest_of_another_body_or_algorithm_is_refused() -> None:
    signed = sign(make_request())
    for digest in (content_digest(b"other"), "sha-256=:" + "A" * 43 + "=:", "sm3=::"):
        assert read_claim(with_header(signed, "content-digest", digest)) is None


def test_base64_has_one_spelling() -> None:
    """The unused bits of the last character would give one signature several texts."""
    signed = sign(make_request())
    value = signed.headers["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(value[-3]) ^ 1]
    claim = read_claim(with_header(signed, "signature", f"{value[:-3]}{last}=:"))
    assert claim is not None
    assert claim.value == b""


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_any_text_in_the_headers_is_answered(one: str, two: str, three: str) -> None:
    headers = {"signature-input": one, "signature": two, "content-digest": three}
    assert read_claim(make_request(headers=headers)) is None


def test_the_signer_signs_what_the_client_sends() -> None:
    signer = RequestSigner("approval", b"s" * 32, clock=MovingClock(), make_nonce=lambda: NONCE)
    request = httpx.Request(
        "POST",
        "https://host.example/v1/licences?a=1&b=2",
        content=b'{"a": 1}',
        headers={"Content-Type": "application/json", "Idempotency-Key": "key-1"},
    )
    next(signer.sync_auth_flow(request))
    expected = sign(make_request())
    for name in ("signature", "signature-input", "content-digest"):
        assert request.headers[name] == expected.headers[name]


def test_the_signer_makes_a_new_nonce_for_every_request() -> None:
    signer = RequestSigner("approval", b"s" * 32)
    inputs = set()
    for _ in range(3):
        request = httpx.Request("GET", "https://host.example/")
        next(signer.sync_auth_flow(request))
        inputs.add(request.headers["signature-input"])
    assert len(inputs) == 3

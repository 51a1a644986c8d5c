"""Our authorities over real HTTP before OpenSSL's own ``ocsp``, ``ts``, ``crl`` and ``verify``.

OpenSSL 3.0 checks SM2 answers with the empty ID: there it sends the request and reads the answer,
and the signature is checked by ``dgst`` with the ID set.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, parse_certificate
from keys.crl import RevocationReason, RevokedEntry, parse_crl
from keys.extensions import OID_AUTHORITY_ACCESS
from keys.ocsp import certificate_id, encode_ocsp_request, parse_ocsp
from keys.timestamp_messages import parse_response
from keys.timestamps import verify_token
from tests.interop.test_pki_interop import (
    AT,
    DIST_ID,
    needs_openssl,
    openssl,
    succeed,
    write,
)
from tests.support.authority import authority_app
from tests.support.live import serve
from tests.support.pki import NOW, RSA, SM2, MadePKI, copy_pki

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
LONG_AGO = "999999999"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Authorities that listen on loopback."""

    made: MadePKI
    url: str

    def chain(self, algorithm: KeyAlgorithm) -> tuple[Certificate, Certificate]:
        return tuple(  # type: ignore[return-value]  # two of them
            self.made.pki.certificate(f"{algorithm}-{kind}") for kind in ("root", "issuing-ca")
        )

    def post(self, path: str, body: bytes, kind: str) -> httpx.Response:
        url, headers = self.url + path, {"content-type": kind}
        return httpx.post(url, content=body, headers=headers, trust_env=False)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = copy_pki(tmp_path_factory.mktemp("authority"))
    with serve(authority_app(made)) as url:
        yield Served(made=made, url=url)


def _revoke(made: MadePKI, certificate: Certificate) -> None:
    entry = RevokedEntry(
        serial=certificate.serial, revoked_at=NOW, reason=RevocationReason.SUPERSEDED
    )
    made.pki.revoke(certificate, entry, now=NOW)


def _holder(made: MadePKI, algorithm: KeyAlgorithm, code: str) -> Certificate:
    return made.pki.issue_seal_holder("示例市行政审批局", code, algorithm, now=NOW)


@needs_openssl
@pytest.mark.parametrize("is_revoked", [False, True])
def test_openssl_asks_our_rsa_responder_and_believes_it(
    served: Served, tmp_path: Path, is_revoked: bool
) -> None:
    leaf = _holder(served.made, RSA, "1132050001414958RR" if is_revoked else "11320500014149587R")
    if is_revoked:
        _revoke(served.made, leaf)
    root, issuing = served.chain(RSA)
    said = succeed(
        *("ocsp", "-url", f"{served.url}/pki/ocsp", "-issuer", write(tmp_path / "i.pem", issuing)),
        *("-cert", write(tmp_path / "l.pem", leaf), "-CAfile", write(tmp_path / "r.pem", root)),
        *("-verify_other", tmp_path / "i.pem", *AT, "-validity_period", LONG_AGO),
    )
    assert "Response verify OK" in said
    assert "Nonce" not in said, "the nonce came back"
    assert f": {'revoked' if is_revoked else 'good'}" in said


@needs_openssl
def test_openssl_asks_our_sm2_responder_and_reads_it(served: Served, tmp_path: Path) -> None:
    leaf = _holder(served.made, SM2, "11320500014149587R")
    issuing = served.chain(SM2)[1]
    answer = tmp_path / "answer"
    succeed(
        *("ocsp", "-url", f"{served.url}/pki/ocsp", "-issuer", write(tmp_path / "i.pem", issuing)),
        *("-cert", write(tmp_path / "l.pem", leaf), "-noverify", "-respout", answer, *AT),
    )
    said = succeed("ocsp", "-respin", answer, "-text", "-noverify")
    assert "Cert Status: good" in said
    response = parse_ocsp(answer.read_bytes())
    own = parse_certificate(response.certificates[0])
    assert _is_signed(tmp_path, own, response.tbs_raw, response.signature)
    # The responder's certificate is the issuing authority's, checked by OpenSSL link by link.
    anchor, subject = write(tmp_path / "a.pem", issuing), write(tmp_path / "o.pem", own)
    check = ("verify", "-partial_chain", "-CAfile", anchor, *AT, "-vfyopt", DIST_ID, subject)
    succeed(*check)


def _is_signed(tmp_path: Path, own: Certificate, message: bytes, signature: bytes) -> bool:
    (tmp_path / "key.pem").write_text(
        succeed("x509", "-in", write(tmp_path / "own.pem", own), "-pubkey", "-noout")
    )
    (tmp_path / "tbs").write_bytes(message)
    (tmp_path / "signature").write_bytes(signature)
    said = openssl(
        *("dgst", "-sm3", "-verify", tmp_path / "key.pem", "-sigopt", DIST_ID),
        *("-signature", tmp_path / "signature", tmp_path / "tbs"),
    )
    return b"Verified OK" in said.stdout


@BOTH
def test_a_request_in_the_path_may_hold_every_character_of_base64(
    served: Served, algorithm: KeyAlgorithm
) -> None:
    leaf, issuing = (
        _holder(served.made, algorithm, "11320500014149587R"),
        served.chain(algorithm)[1],
    )
    seen = ""
    for number in range(64):
        request = encode_ocsp_request(certificate_id(leaf, issuing), bytes([number]) * 16)
        encoded = b64encode(request).decode()
        seen += encoded
        if number % 16 == 0:
            answer = served.get("/pki/ocsp/" + quote(encoded, safe=""))
            assert answer.headers["content-type"] == "application/ocsp-response"
            assert parse_ocsp(answer.content).nonce == bytes([number]) * 16
    assert "+" in seen
    assert "/" in seen


@needs_openssl
@BOTH
def test_openssl_has_data_stamped_over_http(
    served: Served, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    data, query, answer = (tmp_path / name for name in ("data", "request.tsq", "answer.tsr"))
    data.write_bytes(b"what is stamped")
    digest = "-sha256" if algorithm is RSA else "-sm3"
    succeed("ts", "-query", "-data", data, digest, "-cert", "-out", query)
    reply = served.post(f"/pki/tsa/{algorithm}", query.read_bytes(), "application/timestamp-query")
    assert reply.headers["content-type"] == "application/timestamp-reply"
    answer.write_bytes(reply.content)
    assert "Status: Granted." in succeed("ts", "-reply", "-in", answer, "-text")
    assert verify_token(parse_response(reply.content), data.read_bytes()).gen_time == NOW
    if algorithm is RSA:
        anchor = write(tmp_path / "root.pem", served.chain(RSA)[0])
        said = succeed("ts", "-verify", "-queryfile", query, "-in", answer, "-CAfile", anchor, *AT)
        assert "Verification: OK" in said


@needs_openssl
@BOTH
def test_openssl_reads_the_list_and_the_issuer_it_fetches(
    served: Served, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    name = f"{algorithm}-issuing-ca"
    fetched = served.get(f"/pki/{name}.crl")
    assert fetched.headers["content-type"] == "application/pkix-crl"
    (tmp_path / "list.crl").write_bytes(fetched.content)
    certificate = served.get(f"/pki/{name}.cer")
    assert certificate.headers["content-type"] == "application/pkix-cert"
    issuing = parse_certificate(certificate.content)
    assert issuing == served.chain(algorithm)[1]
    anchor = write(tmp_path / "issuer.pem", issuing)
    if algorithm is RSA:
        said = succeed(
            *("crl", "-inform", "DER", "-in", tmp_path / "list.crl", "-CAfile", anchor, "-noout")
        )
        assert "verify OK" in said
    else:
        crl = parse_crl(fetched.content)
        assert _is_signed(tmp_path, issuing, crl.tbs_raw, crl.signature)


@needs_openssl
@BOTH
def test_a_new_certificate_says_where_to_ask(
    served: Served, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    leaf = _holder(served.made, algorithm, "11320500014149587R")
    said = succeed("x509", "-in", write(tmp_path / "leaf.pem", leaf), "-noout", "-text")
    assert re.search(r"OCSP - URI:http://127\.0\.0\.1:8765/pki/ocsp\n", said)
    assert re.search(rf"CA Issuers - URI:http://\S+/pki/{algorithm}-issuing-ca\.cer\n", said)
    uri = succeed("x509", "-in", tmp_path / "leaf.pem", "-noout", "-ocsp_uri")
    assert uri.strip() == "http://127.0.0.1:8765/pki/ocsp"
    assert OID_AUTHORITY_ACCESS not in leaf.extensions.critical


@needs_openssl
def test_a_responder_and_a_root_send_nobody_to_a_responder(served: Served, tmp_path: Path) -> None:
    own = served.made.pki.issue_ocsp(RSA, now=NOW)
    for certificate in (own, *served.chain(RSA)):
        path = write(tmp_path / "one.pem", certificate)
        assert succeed("x509", "-in", path, "-noout", "-ocsp_uri").strip() == ""


# Refusals


@pytest.mark.parametrize("path", ["/pki/ocsp", "/pki/tsa/sm2"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_another_media_type_is_refused_without_a_problem_document(
    served: Served, path: str, kind: str
) -> None:
    answer = served.post(path, b"{}", kind)
    assert (answer.status_code, answer.content) == (415, b"")


@pytest.mark.parametrize(
    "path", ["/pki/sm2-tsa.crl", "/pki/seal-maker.cer", "/pki/..%2Fkeys.crl", "/pki/sm9-root.cer"]
)
def test_what_is_not_published_is_not_found(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 404


def test_an_unknown_time_stamp_authority_is_not_found(served: Served) -> None:
    answer = served.post("/pki/tsa/sm9", b"", "application/timestamp-query")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/pki/ocsp", "application/ocsp-request", b"\x30\x03\x0a\x01\x01"),
        ("/pki/tsa/rsa", "application/timestamp-query", b"\x30\x09\x30\x07\x02\x01\x02"),
    ],
)
def test_garbage_gets_the_refusal_of_the_standard(
    served: Served, path: str, kind: str, expected: bytes
) -> None:
    for body in (b"", b"garbage", b"\x30" * 9000):
        answer = served.post(path, body, kind)
        assert answer.status_code == 200
        assert answer.content.startswith(expected)


def test_too_many_requests_are_told_to_wait(tmp_path: Path) -> None:
    with serve(authority_app(copy_pki(tmp_path), burst=2)) as url:
        answers = [httpx.get(f"{url}/pki/sm2-root.crl", trust_env=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].content == b""
    assert int(answers[-1].headers["retry-after"]) > 0

"""Chains and status as verdicts: what is wrong with a certificate decides on what it signed.

Each flaw is put into the signer's chain of a sealed OFD (SM2) and of a signed PDF (RSA); the seal
maker and everything else are in order.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys import der
from keys.certificates import Certificate, parse_certificate
from keys.ocsp import (
    OCSPPlan,
    RevokedInfo,
    SingleStatus,
    assemble_ocsp,
    certificate_id,
    encode_ocsp_tbs,
)
from keys.path import TrustStore
from keys.profiles import OCSP
from keys.revocation import RevocationEvidence
from tests.support.chains import (
    CRITICAL,
    Chain,
    ChainKey,
    basic_constraints,
    chain_specs,
    extension,
    key_usage,
    make_certificate,
    make_chain,
    read_certificate,
    rsa_key,
    simple_name,
    sm2_key,
)
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.seals import Party
from tests.support.sm2_arithmetic import message_e, multiply
from tests.support.sm2_arithmetic import sign as sign_plainly
from tests.support.trust import (
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    STRANGER,
    EvidenceSpec,
    entry_for,
    make_evidence,
)
from tests.verifier.verdicts import doubts, faults
from verifier.judge import JudgeContext, judge_document
from verifier.policy import DEFAULT_POLICY, Severity
from verifier.verdict import Outcome, Verdict

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LENIENT = replace(DEFAULT_POLICY, revocation_unknown=Severity.NOTICE)
"""The chains here come without lists; their status is not what is judged."""


def judge_signed_by(
    chain: Chain, *others: Certificate, signer: Certificate | None = None
) -> Verdict:
    """Let the leaf sign, in an OFD or a PDF by its key, and judge with its root trusted."""
    leaf = signer or chain.leaf
    party = Party(certificate=leaf.der, sign=chain.leaf_spec.key.sign)
    if leaf.public_key.algorithm.value == "sm2":
        document = seal_document(SealedSpec(provider=FOREIGN, signer=party))
    else:
        document = sign_pdf(PDFSpec(signer=party))
    given = make_evidence(EvidenceSpec(policy=LENIENT))
    evidence = replace(
        given,
        trust=TrustStore.of([*given.trust.sm2, *given.trust.rsa, chain.root]),
        intermediates=(*given.intermediates, chain.issuing, *others),
    )
    return judge_document(document, JudgeContext(evidence=evidence))


BOTH_KINDS = pytest.mark.parametrize("make_key", [sm2_key, rsa_key], ids=["ofd", "pdf"])
MakeKey = Callable[[str], ChainKey]


@BOTH_KINDS
def test_a_chain_in_order_makes_a_valid_document(make_key: MakeKey) -> None:
    assert judge_signed_by(make_chain(make_key=make_key)).outcome is Outcome.VALID


@BOTH_KINDS
@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ({"issuing": {"extensions": (basic_constraints(is_ca=False), key_usage(5, 6))}}, "chain"),
        ({"issuing": {"extensions": (key_usage(5, 6),)}}, "chain"),
        ({"issuing": {"extensions": (basic_constraints(0), key_usage(0, 6))}}, "chain"),
        ({"root": {"extensions": (basic_constraints(0), key_usage(5, 6))}}, "chain"),
        (
            {
                "issuing": {
                    "extensions": (
                        basic_constraints(0),
                        key_usage(5, 6),
                        extension("2.5.29.30", der.sequence(), CRITICAL),
                    )
                }
            },
            "unknown-critical",
        ),
        (
            {"leaf": {"extensions": (key_usage(0, 1), extension("1.2.3.4", der.null(), CRITICAL))}},
            "unknown-critical",
        ),
    ],
    ids=["not-a-ca", "no-constraints", "no-cert-sign", "path-length", "names", "critical"],
)
def test_a_chain_that_may_not_be_makes_it_invalid(
    make_key: MakeKey, flaw: dict[str, dict[str, object]], reason: str
) -> None:
    """T-PKI-04."""
    verdict = judge_signed_by(make_chain(make_key=make_key, **flaw))  # type: ignore[arg-type]
    assert ("signer-chain", reason) in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


@BOTH_KINDS
def test_a_document_signer_that_issues_certificates_makes_it_invalid(make_key: MakeKey) -> None:
    """T-PKI-04: a good leaf below a good leaf."""
    chain = make_chain(make_key=make_key)
    impostor = replace(
        chain.leaf_spec,
        subject=simple_name("冒名者"),
        key=make_key("impostor"),
        issuer=chain.leaf.subject_der,
        issuer_key=chain.leaf_spec.key,
    )
    below = replace(chain, leaf=read_certificate(impostor), leaf_spec=impostor)
    verdict = judge_signed_by(below, chain.leaf)
    assert ("signer-chain", "chain") in faults(verdict)


def test_weak_links_and_weak_keys_make_it_invalid() -> None:
    """T-PKI-06: MD5 and SHA-1 in a link, a short key."""
    for oid in ("1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5"):
        weak = der.sequence(der.oid(oid), der.null())
        for which in ("issuing", "leaf"):
            chain = make_chain(make_key=rsa_key, **{which: {"inner_algorithm": weak}})  # type: ignore[arg-type]
            assert ("signer-chain", "weak-algorithm") in faults(judge_signed_by(chain))
    numbers = der.sequence(der.integer(2**1023 + 1), der.integer(65537))
    rsa = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    short = {"spki": der.sequence(rsa, der.bit_string(numbers))}
    verdict = judge_signed_by(make_chain(make_key=rsa_key, issuing=short))
    assert ("signer-chain", "weak-algorithm") in faults(verdict)


@BOTH_KINDS
def test_a_root_under_a_trusted_name_and_key_identifier_is_not_trusted(make_key: MakeKey) -> None:
    """T-PKI-05: whether the false root travels along or not."""
    trusted = make_chain(make_key=make_key)
    identifier = extension("2.5.29.14", der.octet_string(trusted.root_spec.key.key_id))
    false_key = make_key("false root")
    forged = make_chain(
        make_key=make_key,
        prefix="false ",
        root={
            "key": false_key,
            "has_key_ids": False,
            "extensions": (*trusted.root_spec.extensions, identifier),
        },
        issuing={"issuer_key": false_key, "authority_key_id": trusted.root_spec.key.key_id},
    )
    assert forged.root.subject_key_id == trusted.root.subject_key_id
    for others in ((), (forged.root,)):
        verdict = judge_signed_by(replace(forged, root=trusted.root), *others)
        assert verdict.outcome is Outcome.INDETERMINATE
        assert ("signer-chain", "untrusted") in doubts(verdict)


def test_a_certificate_signed_under_another_user_id_is_not_trusted() -> None:
    """T-PKI-07: the key is the issuer's, and still no certificate of it."""
    d = 987654321
    public = multiply(d)
    assert public is not None

    def signs_with(user_id: bytes) -> ChainKey:
        def sign(message: bytes) -> bytes:
            r, s = sign_plainly(d, message_e(public, message, user_id), 123456789)
            return der.sequence(der.integer(r), der.integer(s))

        point = b"\x04" + b"".join(value.to_bytes(32, "big") for value in public)
        plain = sm2_key("odd id")
        return replace(plain, spki=plain.spki[:-65] + point, sign=sign)

    usual, odd = signs_with(b"1234567812345678"), signs_with(b"ALICE123@YAHOO.COM")
    good = make_chain(issuing={"key": usual}, leaf={"issuer_key": usual})
    assert judge_signed_by(good).outcome is Outcome.VALID
    bad = make_chain(issuing={"key": odd}, leaf={"issuer_key": odd})
    verdict = judge_signed_by(bad)
    assert verdict.outcome is not Outcome.VALID
    assert ("signer-chain", "untrusted") in doubts(verdict)


SM2_CURVE = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.156.10197.1.301"))
POINT = sm2_key("leaf").spki[-65:]
P256 = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


@pytest.mark.parametrize(
    "spki",
    [
        der.sequence(SM2_CURVE, der.bit_string(POINT[:-1] + bytes((POINT[-1] ^ 1,)))),
        der.sequence(SM2_CURVE, der.bit_string(b"\x00")),
        der.sequence(SM2_CURVE, der.bit_string(P256)),
        der.sequence(SM2_CURVE, der.bit_string(b"\x02" + POINT[1:33])),
        der.sequence(SM2_CURVE, der.bit_string(b"\x06" + POINT[1:])),
        der.sequence(
            der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")),
            der.bit_string(POINT),
        ),
        der.sequence(
            der.sequence(der.oid("1.2.840.10045.2.1"), der.sequence(der.integer(1))),
            der.bit_string(POINT),
        ),
    ],
    ids=["off-curve", "infinity", "p-256", "compressed", "hybrid", "labelled", "explicit"],
)
def test_a_signer_whose_key_is_no_sm2_point_makes_it_invalid(spki: bytes) -> None:
    """T-SES-16, T-PKI-07."""
    flawed = Party(certificate=_leaf_der(spki=spki), sign=sm2_key("leaf").sign)
    verdict = _judge_sealed_by(flawed)
    assert verdict.outcome is Outcome.INVALID
    assert "signer-chain" in {check for check, _ in faults(verdict)}


@pytest.mark.parametrize("serial", [0, -1, 2**160])
def test_a_signer_without_a_proper_serial_number_makes_it_invalid(serial: int) -> None:
    """T-PKI-09."""
    flawed = _leaf_der(serial=der.integer(serial))
    verdict = _judge_sealed_by(Party(certificate=flawed, sign=sm2_key("leaf").sign))
    assert verdict.outcome is Outcome.INVALID
    assert "signer-chain" in {check for check, _ in faults(verdict)}


@BOTH_KINDS
def test_two_certificates_of_one_serial_number_make_it_invalid(make_key: MakeKey) -> None:
    """T-PKI-09."""
    chain = make_chain(make_key=make_key)
    twin = replace(
        chain.leaf_spec,
        subject=simple_name("孪生"),
        key=make_key("twin"),
        serial=der.integer(chain.leaf.serial),
    )
    verdict = judge_signed_by(chain, read_certificate(twin))
    assert ("signer-chain", "chain") in faults(verdict)


def _leaf_der(**changes: object) -> bytes:
    """Build the leaf of the SM2 chain with flaws that refuse to be parsed."""
    return make_certificate(replace(chain_specs()[2], **changes))  # type: ignore[arg-type]


def _judge_sealed_by(party: Party) -> Verdict:
    document = seal_document(SealedSpec(provider=FOREIGN, signer=party))
    evidence = make_evidence(EvidenceSpec(policy=LENIENT))
    return judge_document(document, JudgeContext(evidence=evidence))


@pytest.mark.parametrize(
    ("root_key", "below"), [(rsa_key, sm2_key), (sm2_key, rsa_key)], ids=["sm2-below", "rsa-below"]
)
def test_a_chain_of_mixed_algorithms_stays_open(root_key: MakeKey, below: MakeKey) -> None:
    """T-PKI-08."""
    anchor = root_key("mixed root")
    chain = make_chain(make_key=below, root={"key": anchor}, issuing={"issuer_key": anchor})
    verdict = judge_signed_by(chain)
    assert verdict.outcome is Outcome.INDETERMINATE
    assert ("signer-chain", "untrusted") in doubts(verdict)


# Status

SIGNER = parse_certificate(SM2_TRUST.holder().certificate)
SEALED = seal_document(SealedSpec(provider=FOREIGN))
OTHERS = (SM2_TRUST.crl(of_root=True),)


def judge_with(*, crls: tuple[bytes, ...] = (), answers: tuple[bytes, ...] = ()) -> Verdict:
    """Judge a sealed document whose maker is good by a list of its own."""
    given = make_evidence(EvidenceSpec(crls=()))
    status = RevocationEvidence(crls=(*OTHERS, *crls), ocsp_responses=(*MAKER_GOOD, *answers))
    evidence = replace(given, revocation=status)
    return judge_document(SEALED, JudgeContext(evidence=evidence))


def answer(
    certificate: Certificate = SIGNER,
    *,
    responder: Party | None = None,
    revoked: RevokedInfo | None = None,
    is_known: bool = True,
    this_update: datetime = NOW,
    next_update: datetime = NOW + 2 * HOUR,
) -> bytes:
    """Let a delegated responder, or somebody else, answer for a certificate."""
    signer = responder or SM2_TRUST.party("示例状态响应者", OCSP)
    plan = OCSPPlan(
        responder_spki=parse_certificate(signer.certificate).public_key.spki,
        produced_at=this_update,
        statuses=(
            SingleStatus(
                certificate_id=certificate_id(certificate, SM2_TRUST.authority),
                is_known=is_known,
                revoked=revoked,
                this_update=this_update,
                next_update=next_update,
            ),
        ),
        nonce=None,
    )
    tbs = encode_ocsp_tbs(plan)
    return assemble_ocsp(tbs, SM2_TRUST.algorithm, signer.sign(tbs), (signer.certificate,))


MAKER_GOOD = (answer(parse_certificate(SM2_TRUST.maker().certificate)),)
REVOKED = RevokedInfo(revoked_at=NOW - HOUR)


def test_a_fresh_answer_that_says_good_makes_it_valid_and_revoked_invalid() -> None:
    assert judge_with(answers=(answer(),)).outcome is Outcome.VALID
    assert faults(judge_with(answers=(answer(revoked=REVOKED),))) == {("revocation", "revoked")}


FLAWED_ANSWERS: dict[str, Callable[[], bytes]] = {
    "a responder of nobody": lambda: answer(responder=STRANGER.party("响应者", OCSP)),
    "the holder himself": lambda: answer(responder=SM2_TRUST.holder()),
    "a responder that ended": lambda: answer(
        responder=SM2_TRUST.party("旧响应者", OCSP, not_after=NOW - DAY)
    ),
    "about another": lambda: answer(parse_certificate(SM2_TRUST.holder(serial=4711).certificate)),
    "stale": lambda: answer(this_update=NOW - 9 * DAY, next_update=NOW - 8 * DAY),
    "of the future": lambda: answer(this_update=NOW + DAY, next_update=NOW + 2 * DAY),
    "unknown": lambda: answer(is_known=False),
    "cut": lambda: answer()[:-1],
    "changed": lambda: answer()[:-1] + bytes((answer()[-1] ^ 1,)),
}


@pytest.mark.parametrize("flaw", FLAWED_ANSWERS)
def test_an_answer_that_must_not_be_believed_leaves_it_open(flaw: str) -> None:
    """T-PKI-23."""
    verdict = judge_with(answers=(FLAWED_ANSWERS[flaw](),))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) == {("revocation", "status-unknown")}


@pytest.mark.parametrize(
    "crl",
    [
        STRANGER.crl(),
        SM2_TRUST.crl(this_update=NOW - 9 * DAY, next_update=NOW - DAY),
        SM2_TRUST.crl(this_update=NOW + DAY, next_update=NOW + 9 * DAY),
        SM2_TRUST.crl()[:-1] + bytes((SM2_TRUST.crl()[-1] ^ 1,)),
        RSA_TRUST.crl(),
        b"",
    ],
    ids=["stranger", "ended", "future", "changed", "other-family", "empty"],
)
def test_a_list_that_must_not_be_believed_leaves_it_open(crl: bytes) -> None:
    """T-PKI-20."""
    verdict = judge_with(crls=(crl,))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) == {("revocation", "status-unknown")}


def test_an_old_good_status_does_not_undo_a_revocation() -> None:
    """T-PKI-24: replayed alone it says nothing, and beside the list it does not count."""
    old = SM2_TRUST.crl(this_update=NOW - 3 * DAY, next_update=NOW - 2 * DAY)
    said = answer(this_update=NOW - 3 * DAY, next_update=NOW - 2 * DAY)
    replayed = judge_with(crls=(old,), answers=(said,))
    assert replayed.outcome is Outcome.INDETERMINATE
    now = SM2_TRUST.crl([entry_for(SM2_TRUST.holder(), NOW - HOUR)])
    for crls in ((old, now), (now, old)):
        verdict = judge_with(crls=crls, answers=(said,))
        assert faults(verdict) == {("revocation", "revoked")}


ADDRESSES = (
    "http://127.0.0.1:9/list.crl",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "ldap://127.0.0.1/",
    "gopher://127.0.0.1/",
)


@BOTH_KINDS
def test_no_address_in_a_certificate_is_ever_visited(
    make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-PKI-25: the certificate says where lists and answers are, and nobody goes there."""

    def refuse(*_: object) -> None:
        raise AssertionError("somebody tried to reach an address")

    for name in ("socket.socket.connect", "socket.socket.connect_ex", "socket.getaddrinfo"):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    uris = [der.element(0x86, address.encode()) for address in ADDRESSES]
    points = [der.sequence(der.element(0xA0, der.element(0xA0, uri))) for uri in uris]
    access = [
        der.sequence(der.oid(oid), uri)
        for oid in ("1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2")
        for uri in uris
    ]
    spec = chain_specs(make_key=make_key)[2]
    leaf = {
        "extensions": (
            *spec.extensions,
            extension("2.5.29.31", der.sequence(*points)),
            extension("1.3.6.1.5.5.7.1.1", der.sequence(*access)),
        )
    }
    chain = make_chain(make_key=make_key, leaf=leaf)
    assert chain.leaf.crl_urls
    assert judge_signed_by(chain).outcome is Outcome.VALID


# Sameness

JUDGE_ELSEWHERE = """
import pathlib, sys
from datetime import datetime, timezone
from keys.certificates import parse_certificate
from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from verifier.judge import JudgeContext, judge_document
from verifier.rules.chain import ChainEvidence
from verifier.wire import verdict_to_json
sealed, root, authority, *lists = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
evidence = ChainEvidence(
    trust=TrustStore.of([parse_certificate(root)]),
    intermediates=(parse_certificate(authority),),
    revocation=RevocationEvidence(crls=tuple(lists)),
    now=datetime(2026, 11, 24, 5, tzinfo=timezone.utc),
)
print(ascii(verdict_to_json(judge_document(sealed, JudgeContext(evidence=evidence)))))
"""


def test_the_verdict_is_the_same_in_every_locale(tmp_path: Path) -> None:
    """T-PKI-30: time zone and language of the process change nothing."""
    parts = (
        seal_document(SealedSpec(stamped_at=NOW + timedelta(seconds=2))),
        SM2_TRUST.root.der,
        SM2_TRUST.authority.der,
        SM2_TRUST.crl(),
        SM2_TRUST.crl(of_root=True),
    )
    files = [tmp_path / str(number) for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.write_bytes(part)
    places = (("UTC", "C"), ("Asia/Shanghai", "zh_CN.UTF-8"), ("America/Los_Angeles", "POSIX"))
    said = set()
    for zone, language in places:
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "LANG": language}
        done = subprocess.run(
            [sys.executable, "-c", JUDGE_ELSEWHERE, *map(str, files)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert "'verdict': 'valid'" in said.pop()

"""Chains: found, trusted, and everything that can be wrong with one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keys import der, path
from keys.algorithms import KeyAlgorithm
from keys.certificates import parse_certificate
from keys.errors import EngineUnavailable, ServiceError
from keys.path import TrustStore, Usage, check_path
from tests.support import chains
from tests.support.chains import (
    NOW,
    CertificateSpec,
    Chain,
    ChainKey,
    basic_constraints,
    check,
    details,
    extension,
    key_usage,
    make_chain,
    read_certificate,
    reasons,
    rsa_key,
    simple_name,
    sm2_key,
)
from tests.support.sm2_arithmetic import message_e, multiply
from tests.support.sm2_arithmetic import sign as sign_plainly

DAY = timedelta(days=1)
MakeKey = Callable[[str], ChainKey]


# Good chains


@pytest.mark.parametrize("make_key", [sm2_key, rsa_key])
def test_a_good_chain_is_trusted(make_key: MakeKey) -> None:
    chain = make_chain(make_key=make_key)
    report = check(chain)
    assert report.is_good
    assert report.is_trusted
    assert report.chain == (chain.leaf, chain.issuing, chain.root)
    assert report.issuer == chain.issuing
    assert report.certificate == chain.leaf


def test_a_leaf_right_below_the_root_is_trusted() -> None:
    chain = make_chain()
    leaf = replace(chain.leaf_spec, issuer=chain.root.subject_der, issuer_key=chain.root_spec.key)
    assert check(replace(chain, leaf=read_certificate(leaf))).is_good


def test_the_order_and_number_of_intermediates_do_not_matter() -> None:
    chain = make_chain()
    strangers = tuple(make_chain(prefix=f"other {at}").issuing for at in range(5))
    report = check(chain, others=(*strangers, chain.root, chain.leaf, chain.issuing))
    assert report.is_good
    assert len(report.chain) == 3


def test_a_name_in_another_string_type_still_leads_to_the_issuer() -> None:
    chain = make_chain()
    printable = chains.name((chains.COUNTRY, der.utf8("CN")), (chains.COMMON_NAME, "测试签发机构"))
    assert check(
        replace(chain, leaf=read_certificate(replace(chain.leaf_spec, issuer=printable)))
    ).is_good


def test_certificates_without_key_identifiers_are_chained_by_name() -> None:
    chain = make_chain(
        root={"has_key_ids": False}, issuing={"has_key_ids": False}, leaf={"has_key_ids": False}
    )
    assert check(chain).is_good


def test_the_better_of_two_chains_is_reported() -> None:
    chain = make_chain()
    expired = read_certificate(
        replace(chain.issuing_spec, not_after=der.time(NOW - DAY), serial=der.integer(7))
    )
    for others in ((chain.issuing, expired), (expired, chain.issuing)):
        report = check_path(
            chain.leaf,
            usage=Usage.SEAL_HOLDER,
            at=NOW,
            trust=TrustStore.of([chain.root]),
            intermediates=others,
        )
        assert report.is_good
        assert report.chain[1] == chain.issuing


def test_a_verified_link_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = make_chain(prefix="cached ")
    assert check(chain).is_good
    monkeypatch.setattr(path, "verify_signature", None)
    assert check(chain).is_good


def test_a_fault_of_the_engine_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = make_chain(prefix="engine ")

    def fail(*_: object) -> None:
        raise EngineUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(path, "verify_signature", fail)
        with pytest.raises(EngineUnavailable):
            check(chain)
    assert check(chain).is_good


# Trust


def test_without_roots_nothing_is_trusted() -> None:
    """T-PKI-05."""
    report = check(make_chain(), trust=())
    assert reasons(report) == {"untrusted"}
    assert not report.is_trusted
    assert len(report.chain) == 2


def test_a_root_of_somebody_else_does_not_help() -> None:
    """T-PKI-05."""
    report = check(make_chain(), trust=(make_chain(prefix="other ").root,))
    assert reasons(report) == {"untrusted"}


def test_an_attackers_root_with_name_and_key_id_of_ours_is_not_trusted() -> None:
    """T-PKI-05."""
    ours = make_chain()
    false_id = extension("2.5.29.14", der.octet_string(ours.root_spec.key.key_id))
    attacker = make_chain(
        prefix="attacker ",
        root={
            "has_key_ids": False,
            "extensions": (basic_constraints(1), key_usage(5, 6), false_id),
        },
        issuing={"authority_key_id": ours.root_spec.key.key_id},
    )
    assert attacker.root.subject_der == ours.root.subject_der
    assert attacker.root.subject_key_id == ours.root.subject_key_id
    report = check(attacker, trust=(ours.root,), others=(attacker.root,))
    assert reasons(report) == {"untrusted"}
    assert report.chain[-1] == attacker.root


def test_a_renamed_key_of_the_same_authority_is_merely_unknown() -> None:
    """T-PKI-05: another key under the same name is no proof of a forgery."""
    report = check(make_chain(prefix="new "), trust=(make_chain(prefix="old ").root,))
    assert reasons(report) == {"untrusted"}


def test_a_self_signed_leaf_is_not_trusted() -> None:
    """T-PKI-05."""
    chain = make_chain()
    leaf = read_certificate(replace(chain.leaf_spec, issuer=None, issuer_key=None))
    report = check(replace(chain, leaf=leaf))
    assert reasons(report) == {"untrusted"}
    assert report.chain == (leaf,)
    assert report.issuer is None


def test_a_leaf_that_is_itself_a_root_may_still_not_sign() -> None:
    chain = make_chain()
    report = check(replace(chain, leaf=chain.root))
    assert report.is_trusted
    assert reasons(report) == {"key-usage"}


def test_roots_are_kept_apart_by_algorithm() -> None:
    """T-PKI-08."""
    sm2_chain, rsa_chain = make_chain(), make_chain(make_key=rsa_key)
    store = TrustStore.of([sm2_chain.root, rsa_chain.root, sm2_chain.root])
    assert store.roots == (sm2_chain.root, rsa_chain.root)
    assert store.sm2 == store.roots_for(KeyAlgorithm.SM2) == (sm2_chain.root,)
    assert store.rsa == (rsa_chain.root,)


@pytest.mark.parametrize("keys", [(sm2_key, rsa_key), (rsa_key, sm2_key)])
def test_a_chain_of_two_algorithms_is_not_trusted(keys: tuple[MakeKey, MakeKey]) -> None:
    """T-PKI-08."""
    upper, lower = keys
    chain = make_chain(make_key=upper, leaf={"key": lower("mixed leaf")})
    report = check(chain)
    assert reasons(report) == {"untrusted"}


# Signatures


def test_a_leaf_changed_after_signing_is_disowned() -> None:
    """T-PKI-04."""
    chain = make_chain(leaf={"change": lambda tbs: tbs + b"\x00"})
    report = check(chain)
    assert reasons(report) == {"untrusted", "chain-signature"}
    assert report.chain == (chain.leaf,)


def test_no_changed_byte_leaves_a_certificate_good() -> None:
    """T-PKI-04: every byte is signed, or the signature, or a copy of what is signed."""
    chain = make_chain()
    for at in range(len(chain.leaf.der)):
        changed = bytearray(chain.leaf.der)
        changed[at] ^= 1 << at % 8
        try:
            leaf = parse_certificate(bytes(changed))
        except ServiceError:
            continue
        assert not check(replace(chain, leaf=leaf)).is_good, at


def test_a_certificate_signed_under_another_id_is_disowned() -> None:
    """T-PKI-07."""
    d = 987654321
    signer = sm2_key("odd id")
    public = multiply(d)

    def sign(message: bytes) -> bytes:
        e = message_e(public, message, b"ALICE123@YAHOO.COM")
        r, s = sign_plainly(d, e, 123456789)
        return der.sequence(der.integer(r), der.integer(s))

    assert public is not None
    point = b"\x04" + b"".join(value.to_bytes(32, "big") for value in public)
    odd = replace(signer, spki=signer.spki[:-65] + point, sign=sign)
    issuing = {"key": odd}
    chain = make_chain(issuing=issuing, leaf={"issuer_key": odd})
    report = check(chain)
    assert reasons(report) == {"untrusted", "chain-signature"}


def test_an_algorithm_that_is_not_ours_breaks_the_chain() -> None:
    ecdsa = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    report = check(make_chain(leaf={"inner_algorithm": ecdsa}))
    assert reasons(report) == {"untrusted", "chain-signature"}


def test_null_parameters_of_the_signature_algorithm_are_accepted() -> None:
    with_null = der.sequence(der.oid(chains.SM2_WITH_SM3), der.null())
    assert check(make_chain(leaf={"inner_algorithm": with_null})).is_good


def test_other_parameters_of_the_signature_algorithm_are_not() -> None:
    odd = der.sequence(der.oid(chains.SM2_WITH_SM3), der.integer(1))
    assert "chain-signature" in reasons(check(make_chain(leaf={"inner_algorithm": odd})))


# Time


@pytest.mark.parametrize(
    ("which", "change", "reason"),
    [
        (which, change, reason)
        for which in ("root", "issuing", "leaf")
        for change, reason in (
            ({"not_after": der.time(NOW - DAY)}, "expired"),
            ({"not_before": der.time(NOW + DAY)}, "not-yet-valid"),
        )
    ],
)
def test_every_certificate_is_valid_at_the_time(
    which: str, change: dict[str, object], reason: str
) -> None:
    """T-PKI-01."""
    report = check(make_chain(**{which: change}))  # type: ignore[arg-type] # one name of three
    assert reasons(report) == {reason}
    assert report.is_trusted
    assert not report.is_good


def test_both_ends_of_the_validity_belong_to_it() -> None:
    """T-PKI-01."""
    chain = make_chain(leaf={"not_before": der.time(NOW), "not_after": der.time(NOW + DAY)})
    second = timedelta(seconds=1)
    for at, expected in (
        (NOW - second, {"not-yet-valid"}),
        (NOW, set()),
        (NOW + DAY, set()),
        (NOW + DAY + second, {"expired"}),
    ):
        assert reasons(check(chain, at=at)) == expected


# Issuers


def test_an_issuer_must_be_a_ca() -> None:
    """T-PKI-04."""
    for constraints in ((), (basic_constraints(is_ca=False),)):
        chain = make_chain(issuing={"extensions": (*constraints, key_usage(5, 6))})
        report = check(chain)
        assert reasons(report) == {"chain"}
        assert details(report) == ["not a CA"]


def test_a_leaf_cannot_issue() -> None:
    """T-PKI-04."""
    chain = make_chain()
    below = read_certificate(
        replace(
            chain.leaf_spec,
            subject=simple_name("冒名者"),
            key=sm2_key("impostor"),
            issuer=chain.leaf.subject_der,
            issuer_key=chain.leaf_spec.key,
        )
    )
    report = check(replace(chain, leaf=below), others=(chain.leaf,))
    assert report.is_trusted
    assert reasons(report) == {"chain"}
    assert details(report) == [
        "not a CA",
        "may not sign certificates",
        "path length exceeded",
        "path length exceeded",
    ]


def test_an_issuer_must_be_allowed_to_sign_certificates() -> None:
    """T-PKI-04."""
    chain = make_chain(issuing={"extensions": (basic_constraints(0), key_usage(0, 6))})
    assert details(check(chain)) == ["may not sign certificates"]


def test_an_issuer_without_key_usage_may_sign_certificates() -> None:
    assert check(make_chain(issuing={"extensions": (basic_constraints(0),)})).is_good


def longer_chain(root_path_length: int) -> Chain:
    """Return a chain with one more authority between."""
    chain = make_chain(
        root={"extensions": (basic_constraints(root_path_length), key_usage(5, 6))},
        issuing={"extensions": (basic_constraints(), key_usage(5, 6))},
    )
    lower = replace(
        chain.issuing_spec,
        subject=simple_name("下级签发机构"),
        key=sm2_key("lower"),
        issuer=chain.issuing.subject_der,
        issuer_key=chain.issuing_spec.key,
    )
    leaf = replace(chain.leaf_spec, issuer=lower.subject, issuer_key=lower.key)
    return replace(chain, leaf=read_certificate(leaf), issuing_spec=lower)


def test_the_path_length_is_kept() -> None:
    """T-PKI-04."""
    for allowed, expected in ((2, []), (1, ["path length exceeded"])):
        chain = longer_chain(allowed)
        report = check(chain, others=(read_certificate(chain.issuing_spec),))
        assert len(report.chain) == 4
        assert details(report) == expected


def test_a_self_issued_certificate_does_not_count_for_the_path_length() -> None:
    chain = make_chain(
        root={"extensions": (basic_constraints(1), key_usage(5, 6))},
        issuing={"extensions": (basic_constraints(0), key_usage(5, 6))},
    )
    renewed = replace(
        chain.issuing_spec,
        key=sm2_key("renewed"),
        issuer=chain.issuing.subject_der,
        issuer_key=chain.issuing_spec.key,
    )
    leaf = read_certificate(replace(chain.leaf_spec, issuer_key=renewed.key))
    report = check(replace(chain, leaf=leaf), others=(read_certificate(renewed),))
    assert len(report.chain) == 4
    assert report.is_good


def test_a_serial_number_given_twice_is_reported() -> None:
    """T-PKI-09."""
    chain = make_chain()
    twin = read_certificate(
        replace(
            chain.leaf_spec,
            subject=simple_name("孪生"),
            key=sm2_key("twin"),
            serial=der.integer(chain.leaf.serial),
        )
    )
    report = check(chain, others=(twin,))
    assert details(report) == ["serial number given twice"]
    forged = read_certificate(
        replace(
            chain.leaf_spec,
            key=sm2_key("forger"),
            serial=der.integer(chain.leaf.serial),
            change=lambda tbs: tbs + tbs,
        )
    )
    assert check(chain, others=(forged,)).is_good


def test_an_endless_chain_ends() -> None:
    specs = [
        CertificateSpec(
            subject=simple_name(f"第{at}级"),
            key=sm2_key(f"level {at}"),
            issuer=simple_name(f"第{at + 1}级"),
            issuer_key=sm2_key(f"level {at + 1}"),
            extensions=(basic_constraints(), key_usage(0, 5, 6)),
        )
        for at in range(12)
    ]
    certificates = [read_certificate(spec) for spec in specs]
    report = check_path(
        certificates[0],
        usage=Usage.AUTHORITY,
        at=NOW,
        trust=TrustStore(),
        intermediates=certificates[1:],
    )
    assert len(report.chain) == path.MAX_CHAIN
    assert reasons(report) == {"untrusted", "chain"}


def test_two_authorities_that_certify_each_other_are_no_endless_loop() -> None:
    names = [simple_name("甲"), simple_name("乙")]
    keys = [sm2_key("a"), sm2_key("b")]
    certificates = [
        read_certificate(
            CertificateSpec(
                subject=names[at],
                key=keys[at],
                issuer=names[1 - at],
                issuer_key=keys[1 - at],
                extensions=(basic_constraints(), key_usage(5, 6)),
            )
        )
        for at in range(2)
    ]
    report = check_path(
        certificates[0],
        usage=Usage.AUTHORITY,
        at=NOW,
        trust=TrustStore(),
        intermediates=certificates,
    )
    assert reasons(report) == {"untrusted"}


def test_hundreds_of_namesakes_cost_a_bounded_number_of_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = make_chain()
    namesakes = tuple(
        read_certificate(
            replace(chain.issuing_spec, serial=der.integer(1_000 + at), not_after=der.time(NOW))
        )
        for at in range(100)
    )
    calls: list[bytes] = []

    def check_link(issuer_der: bytes, certificate_der: bytes) -> object:
        calls.append(issuer_der)
        return path._Link.BROKEN

    monkeypatch.setattr(path, "_check_link", check_link)
    report = check(chain, trust=(), others=namesakes)
    assert len(calls) <= path.MAX_LINKS
    assert "untrusted" in reasons(report)

"""Chains that lead to a root and may still not be relied on: strength, extensions, usage."""

from datetime import timedelta

import pytest

from keys import der
from keys.path import PathReason, Usage
from tests.support import chains
from tests.support.chains import (
    NOW,
    basic_constraints,
    check,
    details,
    extended_key_usage,
    extension,
    key_usage,
    make_chain,
    reasons,
    rsa_key,
)

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
EMAIL = "1.3.6.1.5.5.7.3.4"
DAY = timedelta(days=1)


# Strength


@pytest.mark.parametrize(
    "oid", ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.14"]
)
def test_weak_digests_in_a_link_are_reported(oid: str) -> None:
    """T-PKI-06."""
    weak = der.sequence(der.oid(oid), der.null())
    for which in ("issuing", "leaf"):
        chain = make_chain(make_key=rsa_key, **{which: {"inner_algorithm": weak}})  # type: ignore[arg-type] # one name of three
        report = check(chain)
        assert reasons(report) == {"weak-algorithm"}
        assert report.is_trusted


def test_the_signature_of_a_root_itself_proves_nothing_and_may_be_weak() -> None:
    """T-PKI-06."""
    weak = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null())
    assert check(make_chain(make_key=rsa_key, root={"inner_algorithm": weak})).is_good


def rsa_spki(modulus: int, exponent: int) -> bytes:
    key = der.sequence(der.integer(modulus), der.integer(exponent))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    return der.sequence(algorithm, der.bit_string(key))


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (2**1023 + 1, 65537),
        (2**2046 + 1, 65537),
        (2**2047 + 1, 1),
        (2**2047 + 1, 2),
        (2**2047 + 1, 65536),
        (2**2047 + 2, 65537),
    ],
)
def test_weak_rsa_keys_are_reported_anywhere_in_the_chain(modulus: int, exponent: int) -> None:
    """T-PKI-06: too short, exponent 1 or even, even modulus."""
    spki = rsa_spki(modulus, exponent)
    for which in ("root", "issuing", "leaf"):
        chain = make_chain(make_key=rsa_key, **{which: {"spki": spki}})  # type: ignore[arg-type] # one name of three
        assert "weak-algorithm" in reasons(check(chain))


# Extensions


@pytest.mark.parametrize("which", ["root", "issuing", "leaf"])
def test_unknown_critical_extensions_are_reported(which: str) -> None:
    """T-PKI-04."""
    index = ("root", "issuing", "leaf").index(which)
    spec = chains.chain_specs()[index]
    odd = extension("1.2.3.4", b"\x05\x00", chains.CRITICAL)
    chain = make_chain(**{which: {"extensions": (*spec.extensions, odd)}})  # type: ignore[arg-type] # one name of three
    assert details(check(chain)) == ["critical extension 1.2.3.4"]


def test_name_constraints_are_not_understood_and_so_refused() -> None:
    """T-PKI-04."""
    constraints = extension("2.5.29.30", der.sequence(), chains.CRITICAL)
    chain = make_chain(issuing={"extensions": (basic_constraints(0), key_usage(5, 6), constraints)})
    assert reasons(check(chain)) == {"unknown-critical"}


def test_unknown_extensions_that_are_not_critical_do_not_matter() -> None:
    odd = extension("1.2.3.4", b"\x05\x00")
    chain = make_chain(leaf={"extensions": (key_usage(0, 1), odd)})
    assert check(chain).is_good


# Usage of the leaf

SIGNER_USAGES = [Usage.SEAL_MAKER, Usage.SEAL_HOLDER, Usage.DOCUMENT_SIGNER]


@pytest.mark.parametrize("usage", SIGNER_USAGES)
@pytest.mark.parametrize(
    ("extensions", "is_good"),
    [
        ((key_usage(0),), True),
        ((key_usage(1),), True),
        ((key_usage(0, 1, 2, 3, 4),), True),
        ((key_usage(0), extended_key_usage(EMAIL)), True),
        ((key_usage(0), extended_key_usage(EMAIL, TIME_STAMPING)), True),
        ((), False),
        ((key_usage(2, 3, 4),), False),
        ((key_usage(5, 6),), False),
        ((key_usage(),), False),
        ((basic_constraints(), key_usage(0, 1)), False),
        ((key_usage(0), extended_key_usage(TIME_STAMPING, critical=chains.CRITICAL)), False),
        ((key_usage(0), extended_key_usage(OCSP_SIGNING)), False),
        ((extension("2.5.29.15", b"\x03\x02\x06", chains.CRITICAL),), False),
    ],
)
def test_who_may_make_and_apply_seals(
    usage: Usage, extensions: tuple[bytes, ...], is_good: bool
) -> None:
    """T-PKI-03, T-SES-42."""
    report = check(make_chain(leaf={"extensions": extensions}), usage=usage)
    assert report.is_good == is_good
    assert is_good or "key-usage" in reasons(report)


@pytest.mark.parametrize(
    ("extensions", "is_good"),
    [
        ((extended_key_usage(TIME_STAMPING, critical=chains.CRITICAL), key_usage(0, 1)), True),
        ((extended_key_usage(TIME_STAMPING, critical=chains.CRITICAL),), True),
        ((extended_key_usage(TIME_STAMPING), key_usage(0)), False),
        ((extended_key_usage(TIME_STAMPING, critical=chains.NOT_CRITICAL),), False),
        ((extended_key_usage(TIME_STAMPING, EMAIL, critical=chains.CRITICAL),), False),
        ((extended_key_usage(EMAIL, critical=chains.CRITICAL),), False),
        ((key_usage(0, 1),), False),
        ((extended_key_usage(TIME_STAMPING, critical=chains.CRITICAL), key_usage(5)), False),
        (
            (
                extended_key_usage(TIME_STAMPING, critical=chains.CRITICAL),
                basic_constraints(),
                key_usage(0),
            ),
            False,
        ),
    ],
)
def test_who_may_make_time_stamps(extensions: tuple[bytes, ...], is_good: bool) -> None:
    """T-SES-31."""
    report = check(make_chain(leaf={"extensions": extensions}), usage=Usage.TIMESTAMP)
    assert report.is_good == is_good
    assert is_good or "key-usage" in reasons(report)


@pytest.mark.parametrize(
    ("extensions", "is_good"),
    [
        ((extended_key_usage(OCSP_SIGNING), key_usage(0)), True),
        ((extended_key_usage(OCSP_SIGNING),), True),
        ((extended_key_usage(EMAIL), key_usage(0)), False),
        ((key_usage(0),), False),
        ((extended_key_usage(OCSP_SIGNING), key_usage(5)), False),
        ((extended_key_usage(OCSP_SIGNING), basic_constraints(), key_usage(0)), False),
    ],
)
def test_who_may_answer_for_the_status(extensions: tuple[bytes, ...], is_good: bool) -> None:
    """T-PKI-23."""
    report = check(make_chain(leaf={"extensions": extensions}), usage=Usage.OCSP)
    assert report.is_good == is_good


@pytest.mark.parametrize(
    ("extensions", "is_good"),
    [
        ((basic_constraints(0), key_usage(5, 6)), True),
        ((basic_constraints(0),), True),
        ((basic_constraints(0), key_usage(6)), False),
        ((key_usage(5, 6),), False),
    ],
)
def test_who_may_issue(extensions: tuple[bytes, ...], is_good: bool) -> None:
    chain = make_chain(
        issuing={"extensions": (basic_constraints(), key_usage(5))},
        root={"extensions": (basic_constraints(), key_usage(5))},
        leaf={"extensions": extensions},
    )
    assert check(chain, usage=Usage.AUTHORITY).is_good == is_good


def test_all_problems_are_reported_and_not_the_first_alone() -> None:
    weak = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null())
    odd = extension("1.2.3.4", b"\x05\x00", chains.CRITICAL)
    chain = make_chain(
        make_key=rsa_key,
        root={"not_after": der.time(NOW - DAY)},
        issuing={"extensions": (key_usage(5),), "not_before": der.time(NOW + DAY)},
        leaf={"inner_algorithm": weak, "extensions": (key_usage(2), odd)},
    )
    assert reasons(check(chain)) == set(PathReason) - {
        PathReason.UNTRUSTED,
        PathReason.CHAIN_SIGNATURE,
    }

"""A policy file answers the open questions, and refuses what it does not know."""

import pytest

from verifier.policy import (
    DEFAULT_POLICY,
    MakerJudgedAt,
    PolicyRefused,
    Severity,
    parse_policy,
)


def test_an_empty_file_is_the_default() -> None:
    assert parse_policy("") == DEFAULT_POLICY


def test_every_rule_can_be_set() -> None:
    policy = parse_policy(
        'name = "strict"\nmaker_judged_at = "signing"\nuncovered_drawn = "invalid"\n'
        'uncovered_other = "invalid"\nunknown_critical_extension = "invalid"\n'
        'container_deviation = "notice"\nrevocation_unknown = "notice"\nclock_skew_seconds = 0\n'
    )
    assert policy.name == "strict"
    assert policy.maker_judged_at is MakerJudgedAt.SIGNING
    assert policy.uncovered_other is Severity.INVALID
    assert policy.container_deviation is Severity.NOTICE
    assert policy.clock_skew.total_seconds() == 0


@pytest.mark.parametrize(
    "text",
    [
        "uncovered_drawn = 1",
        'uncovered_drawn = "maybe"',
        'maker_judged_at = "notice"',
        "clock_skew_seconds = -1",
        "clock_skew_seconds = true",
        "clock_skew_seconds = 86401",
        'clock_skew_seconds = "300"',
        "name = 3",
        'no_such_rule = "notice"',
        "not toml at all",
        "name = 'a'\nname = 'b'",
    ],
)
def test_unknown_rules_and_values_are_refused(text: str) -> None:
    with pytest.raises(PolicyRefused):
        parse_policy(text)

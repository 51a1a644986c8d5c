"""The open questions of verification, as one named and changeable set of answers.

The standards leave these to the relying party (``docs/adr/0011-verification-policy.md``). The
defaults are strict where a wrong "valid" could follow and lenient where real issuers differ.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum

from keys.errors import Kind, ServiceError


class PolicyRefused(ServiceError):
    """A policy file cannot be read or names an unknown rule."""

    code = "policy-refused"
    kind = Kind.INVALID
    title = "核验策略文件有误"
    title_en = "The verification policy cannot be used"
    advice = "请对照文档检查策略文件中的规则名称与取值。"


class MakerJudgedAt(StrEnum):
    """At which instant the seal maker's certificate must be good."""

    CREATION = "creation"
    """When the seal was made (GM/T 0031-2025); a later end is only a notice."""
    SIGNING = "signing"
    """When the document was sealed (the stricter reading of GB/T 38540-2020)."""


class Severity(StrEnum):
    """What a deviation amounts to."""

    NOTICE = "notice"
    INDETERMINATE = "indeterminate"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Answers to what the standards leave open."""

    name: str = "default"
    maker_judged_at: MakerJudgedAt = MakerJudgedAt.CREATION
    uncovered_drawn: Severity = Severity.INVALID
    """A part that a viewer draws or reads is not covered by any signature that holds."""
    uncovered_other: Severity = Severity.INDETERMINATE
    """An entry that nothing refers to is not covered."""
    unknown_critical_extension: Severity = Severity.INDETERMINATE
    """In a seal or seal signature; in a certificate it is always invalid (RFC 5280, 4.2)."""
    container_deviation: Severity = Severity.INDETERMINATE
    """Bytes before or after the package, in a foreign file."""
    revocation_unknown: Severity = Severity.INDETERMINATE
    clock_skew_seconds: int = 300

    @property
    def clock_skew(self) -> timedelta:
        """How far in the future a signing time may lie."""
        return timedelta(seconds=self.clock_skew_seconds)


DEFAULT_POLICY = Policy()
MAX_SKEW = 86_400


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML. Raises ``PolicyRefused`` for unknown rules or values."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyRefused(str(error)) from error
    unknown = sorted(set(values) - {field.name for field in fields(Policy)})
    if unknown:
        raise PolicyRefused(f"unknown rules: {', '.join(unknown)}", rules=", ".join(unknown))
    policy = DEFAULT_POLICY
    for name, value in values.items():
        policy = _with_rule(policy, name, value)
    return policy


def _with_rule(policy: Policy, name: str, value: object) -> Policy:
    """Return the policy with one rule set; raises ``PolicyRefused`` for a value it cannot have."""
    if name == "clock_skew_seconds":
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SKEW:
            return replace(policy, clock_skew_seconds=value)
    elif name == "name":
        if isinstance(value, str):
            return replace(policy, name=value)
    elif name == "maker_judged_at":
        if value in list(MakerJudgedAt):
            return replace(policy, maker_judged_at=MakerJudgedAt(str(value)))
    elif value in list(Severity):
        severity = Severity(str(value))
        changes: dict[str, Severity] = {name: severity}
        return replace(policy, **changes)  # type: ignore[arg-type]  # all other rules are severities
    raise PolicyRefused(f"{name}: {value!r} is not allowed", rule=name)

"""May this caller use this seal for this licence, now (pure).

1. A standing mandate covers seal, caller, licence type, matter, day and hour.
2. The seal is active and within its period.
3. The certificate is within its period, names the seal's owner, and belongs to the key.

A refusal names the rule that failed: among several mandates, the one that came closest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from keys.certificates import parse_certificate
from keys.errors import InvalidKey
from keys.public_key import PublicKey
from seal_service.errors import (
    MandateMissing,
    SealExpired,
    SealRevoked,
    SealStateRefused,
    SealSuspended,
)
from seal_service.seals.model import MadeSeal, Mandate, MandateGrant, Seal, SigningIdentity
from seal_service.seals.states import STATE_NAMES, SealState

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Without summer time since 1991."""
_STOPPED = frozenset({SealState.SUSPENDED, SealState.LOST})
_ENDED = frozenset({SealState.REVOKED, SealState.CANCELLED, SealState.CHANGED, SealState.DESTROYED})


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUse:
    """Who wants to use a seal for what. No caller: whether anybody may."""

    caller_id: str | None
    licence_type_code: str
    """Licence type, or kind of document."""
    matter_code: str | None = None
    """Service item; None where nobody has said it yet, empty where there is none."""


def check_mandate(mandates: Iterable[Mandate], wanted: WantedUse, now: datetime) -> Mandate:
    """Return a mandate that covers the use; raises ``MandateMissing`` with the rule that failed.

    Rules, in the order they are tried: ``no-mandate``, ``licence-type``, ``caller``, ``matter``,
    ``withdrawn``, ``not-yet``, ``over``, ``hours``. How often is counted where the use is written
    down: ``daily-count``.
    """
    return check_mandates(mandates, wanted, now)[0]


def check_mandates(
    mandates: Iterable[Mandate], wanted: WantedUse, now: datetime
) -> tuple[Mandate, ...]:
    """Return every mandate that covers the use, at least one; raises as ``check_mandate``."""
    closest, rule = -1, "no-mandate"
    found = []
    for mandate in mandates:
        failures = _failures(mandate, wanted, now)
        if not failures:
            found.append(mandate)
            continue
        passed = _RULES.index(failures[0])
        if passed > closest:
            closest, rule = passed, failures[0]
    if found:
        return tuple(found)
    raise MandateMissing(rule=rule, licence_type_code=wanted.licence_type_code)


def covers(mandate: Mandate, wanted: WantedUse, now: datetime) -> bool:
    """Tell whether a mandate covers the use."""
    return not _failures(mandate, wanted, now)


_RULES = ("licence-type", "caller", "matter", "withdrawn", "not-yet", "over", "hours")


def _failures(mandate: Mandate, wanted: WantedUse, now: datetime) -> list[str]:
    grant, limits = mandate.grant, mandate.grant.limits
    matters = limits.matter_codes
    holds = (
        _covers_type(grant, wanted.licence_type_code),
        wanted.caller_id is None or grant.caller_id in (None, wanted.caller_id),
        not matters or wanted.matter_code is None or wanted.matter_code in matters,
        mandate.withdrawn_at is None or mandate.withdrawn_at > now,
        grant.valid_from <= now,
        now <= grant.valid_until,
        _in_hours(limits.hours, now),
    )
    return [rule for rule, is_met in zip(_RULES, holds, strict=True) if not is_met]


def _covers_type(grant: MandateGrant, code: str) -> bool:
    several = grant.limits.type_codes
    if grant.licence_type_code is None:
        return not several or code in several
    return code == grant.licence_type_code or code in several


def _in_hours(hours: tuple[int, int] | None, now: datetime) -> bool:
    local = now.astimezone(SHANGHAI)
    return hours is None or hours[0] <= local.hour * 60 + local.minute < hours[1]


def day_start(now: datetime) -> datetime:
    """Return when the day of Asia/Shanghai began that holds an instant."""
    return now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def check_state(state: SealState, seal_id: str) -> None:
    """Raise unless the state allows use: ``SealSuspended``, ``SealRevoked``, ``SealExpired``..."""
    if state is SealState.ACTIVE:
        return
    if state in _STOPPED:
        raise SealSuspended(seal_id=seal_id, state=state.value)
    if state in _ENDED:
        raise SealRevoked(seal_id=seal_id, state=state.value)
    if state is SealState.EXPIRED:
        raise SealExpired(seal_id=seal_id, rule="seal-period")
    raise SealStateRefused(
        f"{STATE_NAMES[state]}的印章尚未启用", seal_id=seal_id, state=state.value
    )


def is_usable(seal: Seal, now: datetime) -> bool:
    """Tell whether ``check_usable`` would pass."""
    application = seal.application
    in_period = application.valid_from <= now <= application.valid_until
    return seal.state is SealState.ACTIVE and seal.made is not None and in_period


def check_usable(seal: Seal, now: datetime) -> MadeSeal:
    """Return what the seal signs with; raises as ``check_state``, or ``SealExpired``."""
    check_state(seal.state, seal.seal_id)
    application = seal.application
    if not application.valid_from <= now <= application.valid_until:
        raise SealExpired(seal_id=seal.seal_id, rule="seal-period")
    if seal.made is None:
        raise SealStateRefused("the seal was not made", seal_id=seal.seal_id)
    return seal.made


def check_identity(identity: SigningIdentity, key: PublicKey, now: datetime) -> None:
    """Check that a certificate is valid now and belongs to the key (T-KEY-04, T-KEY-07).

    Raises ``SealExpired`` or ``InvalidKey``. Trust and revocation are the verifier's.
    """
    certificate = parse_certificate(identity.certificate)
    if not certificate.not_before <= now <= certificate.not_after:
        raise SealExpired(rule="certificate-period")
    if certificate.public_key.spki != key.spki:
        raise InvalidKey("key and certificate do not belong together", key_name=identity.key_name)

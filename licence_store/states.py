"""The states of a licence and the legal moves between them (pure).

The words 吊销, 撤销 and 注销 have different legal effects and are three kinds, never one. "Expired"
is not a state: it follows from the last day of validity, inclusive, in Asia/Shanghai.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from licence_store.errors import LicenceStateRefused

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had no summer time since 1991; no licence here is older."""


class LicenceState(StrEnum):
    """Where a licence stands in the library."""

    ISSUING = "issuing"
    """Reserved: the identifier is taken, nothing has left the house."""
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    VOIDED = "voided"
    TRANSFERRED = "transferred"
    ABANDONED = "abandoned"
    """A reservation that came to nothing; the same case may take it up again."""


STATE_NAMES = {
    LicenceState.ISSUING: "签发中",
    LicenceState.IN_FORCE: "有效",
    LicenceState.SUSPENDED: "暂扣",
    LicenceState.REPLACED: "已换发",
    LicenceState.CANCELLED: "已注销",
    LicenceState.WITHDRAWN: "已撤销",
    LicenceState.REVOKED: "已吊销",
    LicenceState.VOIDED: "已作废",
    LicenceState.TRANSFERRED: "已转出",
    LicenceState.ABANDONED: "未颁发",
}

ISSUED_STATES = frozenset(LicenceState) - {LicenceState.ISSUING, LicenceState.ABANDONED}
"""States in which the licence has left the house and may be seen."""

_ENDINGS = frozenset(
    {
        LicenceState.CANCELLED,
        LicenceState.WITHDRAWN,
        LicenceState.REVOKED,
        LicenceState.VOIDED,
        LicenceState.TRANSFERRED,
        LicenceState.REPLACED,
    }
)

TRANSITIONS: dict[LicenceState, frozenset[LicenceState]] = {
    LicenceState.ISSUING: frozenset({LicenceState.IN_FORCE, LicenceState.ABANDONED}),
    LicenceState.ABANDONED: frozenset({LicenceState.ISSUING}),
    LicenceState.IN_FORCE: _ENDINGS | {LicenceState.SUSPENDED},
    LicenceState.SUSPENDED: _ENDINGS | {LicenceState.IN_FORCE},
    # A licence that was transferred out may come back (取消转出).
    LicenceState.TRANSFERRED: frozenset({LicenceState.IN_FORCE}),
    # Withdrawal (撤销) voids from the start and is still possible after a softer ending.
    LicenceState.CANCELLED: frozenset({LicenceState.WITHDRAWN}),
    LicenceState.REPLACED: frozenset({LicenceState.WITHDRAWN}),
    LicenceState.WITHDRAWN: frozenset(),
    LicenceState.REVOKED: frozenset(),
    LicenceState.VOIDED: frozenset(),
}


class RevocationKind(StrEnum):
    """The three endings by the authority."""

    REVOKED = "revoked"
    """吊销: a punishment."""
    WITHDRAWN = "withdrawn"
    """撤销: the decision was unlawful; void from the start."""
    CANCELLED = "cancelled"
    """注销: on request, or because the holder ended."""

    @property
    def state(self) -> LicenceState:
        """Return the state the licence takes."""
        return LicenceState(self.value)


class Standing(StrEnum):
    """Whether a licence has force on a given day, and if not, why."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    ENDED = "ended"
    NOT_ISSUED = "not_issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """First and last day, both inclusive; no last day for a long-term licence."""

    valid_from: date
    valid_until: date | None


def check_transition(before: LicenceState, after: LicenceState) -> None:
    """Raise ``LicenceStateRefused`` unless the move is legal."""
    if after not in TRANSITIONS[before]:
        raise LicenceStateRefused(
            f"{STATE_NAMES[before]}的证照不能变为{STATE_NAMES[after]}",
            state=before.value,
            wanted=after.value,
        )


def states_before(after: LicenceState) -> frozenset[LicenceState]:
    """Return every state from which the move to ``after`` is legal."""
    return frozenset(state for state, targets in TRANSITIONS.items() if after in targets)


def day_in_china(now: datetime) -> date:
    """Return the calendar day in Asia/Shanghai of an aware instant."""
    return now.astimezone(UTC).astimezone(SHANGHAI).date()


def standing_on(state: LicenceState, validity: Validity, day: date) -> Standing:
    """Tell whether a licence has force on a day (in Asia/Shanghai)."""
    if state in (LicenceState.ISSUING, LicenceState.ABANDONED):
        return Standing.NOT_ISSUED
    if state is LicenceState.SUSPENDED:
        return Standing.SUSPENDED
    if state is not LicenceState.IN_FORCE:
        return Standing.ENDED
    if day < validity.valid_from:
        return Standing.NOT_YET
    if validity.valid_until is not None and day > validity.valid_until:
        return Standing.EXPIRED
    return Standing.IN_FORCE

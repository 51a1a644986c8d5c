"""The life of a seal: its states and the legal moves between them (pure).

GB/T 33481 and 国办发〔2025〕33号 as noted in the standards pages: applied for, approved by somebody
else, made, filed (备案), issued, active; suspended and resumed; reported lost, changed, expired,
revoked, cancelled, destroyed. A move is a row of ``MOVES``; what is not there is refused.

Stopping a seal (suspended, reported lost) never waits for a second person; everything that lets it
be used, or ends it for good, needs two (T-API-09).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.errors import DualControlRefused, SealStateRefused


class SealState(StrEnum):
    """Where a seal stands in the register."""

    APPLIED = "applied"
    REJECTED = "rejected"
    APPROVED = "approved"
    MADE = "made"
    FILED = "filed"
    ISSUED = "issued"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    CHANGED = "changed"
    """Replaced by a seal with a new face; the old face stays with its history."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    DESTROYED = "destroyed"


class SealAction(StrEnum):
    """What is done to a seal."""

    APPLY = "apply"
    APPROVE = "approve"
    REJECT = "reject"
    MAKE = "make"
    FILE = "file"
    ISSUE = "issue"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REPORT_LOST = "report_lost"
    CHANGE = "change"
    EXPIRE = "expire"
    REVOKE = "revoke"
    """Against the holder's will."""
    COMPROMISE = "compromise"
    """The key may be in other hands, since an instant that may lie in the past."""
    CANCEL = "cancel"
    """On request, or because the holder ended."""
    DESTROY = "destroy"


ACTION_NAMES = {
    SealAction.APPLY: "申请",
    SealAction.APPROVE: "审批通过",
    SealAction.REJECT: "审批不通过",
    SealAction.MAKE: "制作",
    SealAction.FILE: "备案",
    SealAction.ISSUE: "发放",
    SealAction.ACTIVATE: "启用",
    SealAction.SUSPEND: "停用",
    SealAction.RESUME: "恢复",
    SealAction.REPORT_LOST: "挂失",
    SealAction.CHANGE: "变更",
    SealAction.EXPIRE: "到期",
    SealAction.REVOKE: "撤销",
    SealAction.COMPROMISE: "密钥失密",
    SealAction.CANCEL: "注销",
    SealAction.DESTROY: "销毁",
}

STATE_NAMES = {
    SealState.APPLIED: "已申请",
    SealState.REJECTED: "审批未通过",
    SealState.APPROVED: "已批准",
    SealState.MADE: "已制作",
    SealState.FILED: "已备案",
    SealState.ISSUED: "已发放",
    SealState.ACTIVE: "正常",
    SealState.SUSPENDED: "已停用",
    SealState.LOST: "已挂失",
    SealState.CHANGED: "已变更",
    SealState.EXPIRED: "已过期",
    SealState.REVOKED: "已撤销",
    SealState.CANCELLED: "已注销",
    SealState.DESTROYED: "已销毁",
}

_HELD = (SealState.ACTIVE, SealState.SUSPENDED)
_READY = (SealState.MADE, SealState.FILED, SealState.ISSUED)
_REVOCABLE = (*_READY, *_HELD, SealState.LOST, SealState.CHANGED, SealState.EXPIRED)
_ENDED = (
    SealState.LOST,
    SealState.CHANGED,
    SealState.EXPIRED,
    SealState.REVOKED,
    SealState.CANCELLED,
)

_ROWS: tuple[tuple[SealAction, tuple[SealState, ...], SealState], ...] = (
    (SealAction.APPROVE, (SealState.APPLIED,), SealState.APPROVED),
    (SealAction.REJECT, (SealState.APPLIED,), SealState.REJECTED),
    (SealAction.MAKE, (SealState.APPROVED,), SealState.MADE),
    (SealAction.FILE, (SealState.MADE,), SealState.FILED),
    (SealAction.ISSUE, (SealState.FILED,), SealState.ISSUED),
    (SealAction.ACTIVATE, (SealState.ISSUED,), SealState.ACTIVE),
    (SealAction.SUSPEND, (SealState.ACTIVE,), SealState.SUSPENDED),
    (SealAction.RESUME, (SealState.SUSPENDED,), SealState.ACTIVE),
    (SealAction.REPORT_LOST, (*_READY, *_HELD), SealState.LOST),
    (SealAction.CHANGE, _HELD, SealState.CHANGED),
    (SealAction.EXPIRE, (*_READY, *_HELD), SealState.EXPIRED),
    (SealAction.REVOKE, _REVOCABLE, SealState.REVOKED),
    (
        SealAction.COMPROMISE,
        (*_REVOCABLE, SealState.REVOKED, SealState.CANCELLED),
        SealState.REVOKED,
    ),
    (
        SealAction.CANCEL,
        (SealState.APPLIED, SealState.APPROVED, *_READY, *_HELD, SealState.LOST),
        SealState.CANCELLED,
    ),
    (SealAction.DESTROY, _ENDED, SealState.DESTROYED),
)

MOVES: dict[tuple[SealState, SealAction], SealState] = {
    (before, action): after for action, states, after in _ROWS for before in states
}

TWO_PERSON_ACTIONS = frozenset(
    {
        SealAction.APPROVE,
        SealAction.REJECT,
        SealAction.MAKE,
        SealAction.ACTIVATE,
        SealAction.RESUME,
        SealAction.CHANGE,
        SealAction.REVOKE,
        SealAction.COMPROMISE,
        SealAction.CANCEL,
        SealAction.DESTROY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealEvent:
    """One move, as it stands in the register for ever."""

    happened_at: datetime
    action: SealAction
    before: SealState | None
    """None for the application."""
    after: SealState
    epoch: int
    """Of the seal after the move."""
    applicant: str
    approver: str
    basis_document: str
    reason: str
    effective_at: datetime | None = None
    """Since when the new state counts, where that lies before the move: a key lost since then."""

    @property
    def counts_from(self) -> datetime:
        """Return the instant from which the new state holds."""
        return min(self.happened_at, self.effective_at or self.happened_at)


def next_state(before: SealState, action: SealAction) -> SealState:
    """Return the state an action leads to; raises ``SealStateRefused`` for an illegal move."""
    try:
        return MOVES[before, action]
    except KeyError:
        raise SealStateRefused(
            f"{STATE_NAMES[before]}的印章不能进行该操作", state=before.value, action=action.value
        ) from None


def next_epoch(epoch: int, before: SealState, after: SealState) -> int:
    """Return the seal's epoch after a move: every move that stops use raises it.

    A use of the seal that began before the stop carries the old epoch and is refused when it
    commits, even if the seal has been resumed since (T-STO-07).
    """
    return epoch + 1 if before is SealState.ACTIVE and after is not SealState.ACTIVE else epoch


def check_two_persons(action: SealAction, applicant: str, approver: str) -> None:
    """Raise ``DualControlRefused`` where one person does what needs two (T-API-09)."""
    if action in TWO_PERSON_ACTIONS and applicant == approver:
        raise DualControlRefused(rule="own-request", action=action.value)


def state_at(events: Iterable[SealEvent], at: datetime, valid_until: datetime) -> SealState | None:
    """Return the state at an instant from the events in order; None before the application.

    It is what is known today: a key that turns out to have been lost since an instant counts from
    that instant, whatever was done in between. The last instant of validity is inclusive. A seal
    that could be used until then counts as expired afterwards, whether or not anybody recorded it.
    """
    state: SealState | None = None
    for event in events:
        if event.counts_from <= at:
            state = event.after
    if at > valid_until and state is not None and (state, SealAction.EXPIRE) in MOVES:
        return SealState.EXPIRED
    return state

"""How an instant is written for other programs."""

from datetime import UTC, datetime


def instant(moment: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Read the digits of ASN.1 times: UTCTime, GeneralizedTime, and the texts that stand in for them.

X.690, 11.7 and 11.8. A text without a zone names no instant, and is never taken for local time.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class TimeValue(NamedTuple):
    """An instant as read; ``at`` is None where the text names no zone."""

    at: datetime | None
    text: str
    is_canonical: bool
    """In the one form that DER allows, with the tag that the format wants."""


def parse_compact_time(text: str, year_digits: int) -> TimeValue | None:
    """Read ``[YY]YYMMDDHHMMSS[.f][Z|+hhmm]``; None where it is no such text or no such date."""
    size = year_digits + 10
    digits, rest = text[:size], text[size:]
    if len(text) > size + 16 or len(digits) != size or not (digits.isascii() and digits.isdigit()):
        return None
    fraction, zone = _split_fraction(rest)
    offset = _offset(zone)
    if fraction is None or offset is _BAD_ZONE:
        return None
    if year_digits == 2:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    fields = [int(digits[:4]), *(int(digits[i : i + 2]) for i in range(4, 14, 2))]
    try:
        local = datetime(*fields, microsecond=fraction, tzinfo=UTC)  # type: ignore[misc,arg-type] # six integers by construction
        at = None if offset is None else local - offset
    except (ValueError, OverflowError):
        return None
    return TimeValue(at, text, rest == "Z")


_BAD_ZONE = timedelta(days=99)


def _split_fraction(rest: str) -> tuple[int | None, str]:
    """Return microseconds (None where malformed) and the zone part."""
    if not rest.startswith((".", ",")):
        return 0, rest
    end = 1
    while end < len(rest) and rest[end] in "0123456789":
        end += 1
    digits = rest[1:end]
    return (int(digits[:6].ljust(6, "0")) if digits else None), rest[end:]


def _offset(zone: str) -> timedelta | None:
    """Return the zone's offset, None where there is no zone, ``_BAD_ZONE`` where it is nonsense."""
    if zone == "":
        return None
    if zone == "Z":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    if zone[0] not in "+-" or len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
        return _BAD_ZONE
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        return _BAD_ZONE
    size = timedelta(hours=hours, minutes=minutes)
    return size if zone[0] == "+" else -size

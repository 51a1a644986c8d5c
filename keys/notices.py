"""What a reader remarks without refusing: deviations that real issuers are known for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A deviation that was read over; ``reason`` is a stable kebab-case word.

    A deviation never makes a check weaker. Documents that claim to be ours must have none.
    """

    reason: str
    subject: str = ""
    detail: str = ""

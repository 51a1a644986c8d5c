"""Who calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An approval system that signed its request, its tenant, and what it may do."""

    caller_id: str
    authority_code: str
    scopes: frozenset[str]

"""Rate limits in memory: a token bucket per caller or address, kept as one time each (GCRA).

For public pages and for guessable codes. Each worker process counts by itself, and a restart
forgets: what must never be exceeded belongs into the database.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic

from starlette.requests import Request

from seal_service.errors import RateLimited

MOST_KEYS = 50_000


class RateLimiter:
    """Lets ``burst`` requests of one key through at once, and ``per_minute`` in the long run."""

    def __init__(
        self,
        *,
        per_minute: float,
        burst: int,
        monotonic_seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._interval = 60 / per_minute
        self._tolerance = self._interval * (burst - 1)
        self._monotonic = monotonic_seconds
        self._due: OrderedDict[str, float] = OrderedDict()
        self._guard = Lock()

    def take(self, key: str) -> None:
        """Count one request of a key; raises ``RateLimited`` with ``retry_after`` in seconds.

        A refused request is not counted, so whoever waits as told is let through.
        """
        with self._guard:
            now = self._monotonic()
            due = max(self._due.get(key, now), now)
            wait = due - self._tolerance - now
            if wait > 0:
                raise RateLimited(retry_after=ceil(wait))
            self._due[key] = due + self._interval
            self._due.move_to_end(key)
            # The oldest key is the one whose bucket is most likely full again.
            while len(self._due) > MOST_KEYS:
                self._due.popitem(last=False)


def address_key(request: Request) -> str:
    """Return the key of the peer: its IPv4 address, or the /64 network of its IPv6 address.

    The address is the one the server sees; forwarded headers count only if the server was told to
    trust the proxy that sent them (T-API-36).
    """
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def limit_address(limiter: RateLimiter) -> Callable[[Request], None]:
    """Make the dependency of a public route: one count per request of an address."""

    def count(request: Request) -> None:
        limiter.take(address_key(request))

    return count

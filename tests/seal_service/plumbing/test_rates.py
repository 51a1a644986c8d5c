"""Rate limits (T-API-36)."""

import pytest
from starlette.requests import Request

from seal_service.errors import RateLimited
from seal_service.plumbing.rates import MOST_KEYS, RateLimiter, address_key, limit_address


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def limiter(stopwatch: Stopwatch) -> RateLimiter:
    return RateLimiter(per_minute=6, burst=3, monotonic_seconds=stopwatch)


def make_request(host: str | None, **headers: str) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": (host, 1) if host else None, "headers": raw})


def test_a_burst_passes_and_the_next_one_waits(limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(RateLimited) as caught:
        limiter.take("a")
    assert caught.value.params == {"retry_after": 10}


def test_who_waits_as_told_is_let_through(limiter: RateLimiter, stopwatch: Stopwatch) -> None:
    for _ in range(3):
        limiter.take("a")
    for _ in range(5):
        with pytest.raises(RateLimited):
            limiter.take("a")
    stopwatch.seconds += 10
    limiter.take("a")
    with pytest.raises(RateLimited):
        limiter.take("a")


def test_a_bucket_fills_up_again_and_never_more(limiter: RateLimiter, stopwatch: Stopwatch) -> None:
    for _ in range(3):
        limiter.take("a")
    stopwatch.seconds += 3600
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(RateLimited):
        limiter.take("a")


def test_keys_do_not_share_a_bucket(limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.take("a")
    limiter.take("b")


def test_memory_is_bounded(limiter: RateLimiter) -> None:
    for number in range(MOST_KEYS + 10):
        limiter.take(str(number))
    assert len(limiter._due) == MOST_KEYS


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_key_is_the_address_or_its_network(host: str | None, key: str) -> None:
    assert address_key(make_request(host)) == key


def test_a_header_does_not_change_the_address(limiter: RateLimiter) -> None:
    """T-API-36."""
    count = limit_address(limiter)
    for number in range(3):
        count(make_request("192.0.2.7", **{"X-Forwarded-For": f"198.51.100.{number}"}))
    with pytest.raises(RateLimited):
        count(make_request("192.0.2.7", **{"X-Forwarded-For": "198.51.100.9"}))
    count(make_request("192.0.2.8"))

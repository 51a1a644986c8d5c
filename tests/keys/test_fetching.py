"""Where we connect, and for how long (T-PKI-25)."""

import time
from collections.abc import Callable, Iterator

import pytest

from keys.errors import AddressRefused, OutsideUnavailable
from keys.fetching import Fetcher, FetchRules, is_public, resolve_name
from tests.support.outside import Outside, closed_port, outside

KINDS = ("application/x", "application/y")


@pytest.fixture
def server() -> Iterator[Outside]:
    with outside() as found:
        yield found


def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(AddressRefused) as error:
        fetcher.get(url, limit=100)
    return str(error.value.params["reason"])


def always(addresses: tuple[str, ...]) -> Callable[[str, int], tuple[str, ...]]:
    return lambda _host, _port: addresses


def never(_host: str, _port: int) -> tuple[str, ...]:
    raise AssertionError("a name was resolved")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ldap://tsa.example/cn=x",
        "gopher://tsa.example/",
        "ftp://tsa.example/list.crl",
        "http://user:secret@tsa.example/",
        "http://tsa.example@127.0.0.1/",
        "http://tsa.example#@127.0.0.1/",
        "http://tsa.example\\@127.0.0.1/",
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "http://tsa.example.evil.example/",
        "http://tsa.example:8080/",
        "https://other.example/",
        "http://tsa.example:99999/",
        "http://tsa.example/\r\nX: y",
        "http:///nothing",
        "",
        "http://tsa。example/",
    ],
)
def test_what_is_not_on_the_list_is_not_even_resolved(url: str) -> None:
    """T-PKI-25."""
    fetcher = Fetcher(FetchRules(hosts=frozenset({"tsa.example"})), never)
    assert refusal(fetcher, url) in {"scheme", "host", "malformed"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing listens on it
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2001:0:7f00:1::",
        "nonsense",
    ],
)
def test_a_name_that_leads_inside_is_not_connected(address: str) -> None:
    """T-PKI-25: also where only one of its addresses does."""
    assert not is_public(address)
    rules = FetchRules(hosts=frozenset({"tsa.example"}))
    for answers in ((address,), ("93.184.216.34", address)):
        assert refusal(Fetcher(rules, always(answers)), "http://tsa.example/") == "private-address"


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


def test_the_address_that_was_checked_is_the_one_that_is_used(server: Outside) -> None:
    """A name that would be resolved otherwise a moment later leads nowhere else (T-PKI-25)."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("192.0.2.1",)

    name = f"tsa.example:{server.port}"
    rules = FetchRules(hosts=frozenset({name}), private_hosts=frozenset({name}))
    server.answer = lambda _: b"here"
    assert Fetcher(rules, resolve).get(f"http://{name}/list", limit=10) == b"here"
    assert asked == ["tsa.example"]
    assert server.asked == [("GET", "/list")]


def test_permission_for_one_inside_host_is_none_for_another(server: Outside) -> None:
    rules = FetchRules(
        hosts=frozenset({server.host, "other.example"}), private_hosts=frozenset({server.host})
    )
    fetcher = Fetcher(rules, lambda *_: ("127.0.0.1",))
    assert refusal(fetcher, "http://other.example/") == "private-address"


def test_a_redirect_is_not_followed(server: Outside) -> None:
    """T-PKI-25."""
    server.status, server.headers = 302, {"location": server.url("/elsewhere")}
    with pytest.raises(OutsideUnavailable) as error:
        server.fetcher().get(server.url(), limit=10)
    assert error.value.params == {"reason": "status", "status": 302}
    assert server.asked == [("GET", "/")]


def test_a_proxy_of_the_environment_is_not_asked(
    server: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    server.answer = lambda _: b"direct"
    assert server.fetcher().get(server.url(), limit=10) == b"direct"


def test_a_long_answer_is_not_read_to_its_end(server: Outside) -> None:
    """T-PKI-22."""
    server.answer = lambda _: b"x" * 10_000_000
    with pytest.raises(OutsideUnavailable) as error:
        server.fetcher().get(server.url(), limit=1000)
    assert error.value.params["reason"] == "limit"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 500}, "status"),
        ({"status": 404}, "status"),
        ({"kind": "text/html"}, "media-type"),
        ({"headers": {"content-encoding": "gzip"}}, "encoding"),
    ],
)
def test_an_answer_of_another_form_is_none(
    server: Outside, change: dict[str, object], reason: str
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(OutsideUnavailable) as error:
        server.fetcher().post(server.url(), b"?", kinds=KINDS, limit=100)
    assert error.value.params["reason"] == reason


def test_everything_ends_at_one_deadline_however_slowly_bytes_drip(server: Outside) -> None:
    server.answer, server.slow_seconds = (lambda _: b"x" * 200), 0.05
    started = time.monotonic()
    with pytest.raises(OutsideUnavailable) as error:
        server.fetcher(seconds=0.4).get(server.url(), limit=1000)
    assert error.value.params["reason"] == "timeout"
    assert time.monotonic() - started < 2


def test_a_host_that_is_down_is_told_as_such() -> None:
    host = f"127.0.0.1:{closed_port()}"
    rules = FetchRules(hosts=frozenset({host}), private_hosts=frozenset({host}))
    with pytest.raises(OutsideUnavailable) as error:
        Fetcher(rules).get(f"http://{host}/", limit=10)
    assert error.value.params["reason"] == "network"


def test_a_name_without_an_address_is_told_as_such() -> None:
    with pytest.raises(OutsideUnavailable) as error:
        resolve_name("no-such-host.invalid", 80)
    assert error.value.params["reason"] == "name"

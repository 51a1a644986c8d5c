"""Fetch from outside, for issuing and maintenance alone: never while a file is being judged.

Judging must not tell anybody that it judges, nor let a file choose where we connect (T-PKI-25):

1. The address is http or https, without user name or fragment, and host and port are on the list
   of the configuration.
2. The name is resolved once. Every address must be a public one, unless the configuration says of
   this very host that it may be inside; we connect to the address that was checked, so a name that
   is resolved otherwise a moment later leads nowhere else.
3. No redirect is followed, no proxy of the environment is asked, no compression is accepted.
4. Everything together ends at one deadline, and bytes are counted as they arrive.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpcore

from keys.errors import AddressRefused, OutsideUnavailable

DEFAULT_PORTS = {"http": 80, "https": 443}
TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 3.0
_OK = 200
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], tuple[str, ...]]
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRules:
    """Where we may connect and for how long."""

    hosts: frozenset[str] = frozenset()
    """``host``, for the usual port of the scheme, or ``host:port``; nothing else is asked."""
    private_hosts: frozenset[str] = frozenset()
    """Those of ``hosts``, as written there, that may have an address inside."""
    total_seconds: float = TOTAL_SECONDS


def resolve_name(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host; raises ``OutsideUnavailable``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OutsideUnavailable("the name has no address", reason="name") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also behind its disguises."""
    try:
        found: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.teredo is not None:
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_global and not found.is_multicast


class Fetcher:
    """Asks hosts that the configuration names."""

    def __init__(self, rules: FetchRules, resolve: Resolver = resolve_name) -> None:
        self._rules = rules
        self._resolve = resolve

    def check(self, url: str) -> None:
        """Raise ``AddressRefused`` where step 1 refuses; nothing is resolved or connected."""
        self._allowed(url)

    def get(self, url: str, *, limit: int) -> bytes:
        """Fetch a file of at most ``limit`` bytes; raises as ``post``."""
        return self._ask("GET", url, limit)

    def post(self, url: str, body: bytes, *, kinds: tuple[str, str], limit: int) -> bytes:
        """Send ``body`` and return the answer; ``kinds`` are the media types of both.

        Raises ``AddressRefused`` for what may not be asked, ``OutsideUnavailable`` for what does
        not answer in time, with another status or kind, or with more than ``limit`` bytes.
        """
        return self._ask("POST", url, limit, body, kinds)

    def _allowed(self, url: str) -> tuple[SplitResult, bool]:
        """Return the parts of an address on the list, and whether it may lead inside."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise AddressRefused("not an address", reason="malformed") from error
        if parts.scheme not in DEFAULT_PORTS or not url.isascii() or not url.isprintable():
            raise AddressRefused("http or https is due", reason="scheme")
        if not host or "@" in parts.netloc or parts.fragment or "\\" in url:
            raise AddressRefused("not an address of a host", reason="malformed")
        default = DEFAULT_PORTS[parts.scheme]
        name = f"[{host}]" if ":" in host else host
        names = {f"{name}:{port or default}"} | ({name} if port in (None, default) else set())
        if not names & self._rules.hosts:
            raise AddressRefused("the host is not on the list", reason="host")
        return parts, bool(names & self._rules.private_hosts)

    def _ask(
        self,
        method: str,
        url: str,
        limit: int,
        body: bytes | None = None,
        kinds: tuple[str, str] | None = None,
    ) -> bytes:
        parts, may_be_inside = self._allowed(url)
        deadline = time.monotonic() + self._rules.total_seconds
        backend = _GuardedNetwork(self._resolve, deadline, may_be_inside=may_be_inside)
        headers = [("Host", parts.netloc), ("Accept-Encoding", "identity")]
        if kinds is not None:
            headers += [("Content-Type", kinds[0]), ("Accept", kinds[1])]
        if body is not None:
            headers.append(("Content-Length", str(len(body))))
        timeout = {"connect": CONNECT_SECONDS, "read": None, "write": None, "pool": None}
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=ssl.create_default_context(), network_backend=backend
                ) as pool,
                pool.stream(
                    method, url, headers=headers, content=body, extensions={"timeout": timeout}
                ) as answer,
            ):
                _check_answer(answer, kinds)
                return _read(answer, limit)
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise OutsideUnavailable("no answer in time", reason="timeout") from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            raise OutsideUnavailable("the host does not answer", reason="network") from error


def _check_answer(answer: httpcore.Response, kinds: tuple[str, str] | None) -> None:
    """Refuse redirects and failures, and answers in another form."""
    if answer.status != _OK:
        raise OutsideUnavailable("another status", reason="status", status=answer.status)
    headers = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
    if headers.get(b"content-encoding", "identity").strip().lower() != "identity":
        raise OutsideUnavailable("the answer is compressed", reason="encoding")
    kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
    if kinds is not None and kind != kinds[1]:
        raise OutsideUnavailable("the answer has another form", reason="media-type")


def _read(answer: httpcore.Response, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_stream():
        size += len(part)
        if size > limit:
            raise OutsideUnavailable("the answer is too long", reason="limit")
        parts.append(part)
    return b"".join(parts)


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


class _GuardedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and ends at the deadline."""

    def __init__(self, resolve: Resolver, deadline: float, *, may_be_inside: bool) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._may_be_inside = may_be_inside
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Do step 2 and connect."""
        addresses = self._resolve(host, port)
        if not addresses:
            raise OutsideUnavailable("the name has no address", reason="name")
        if not self._may_be_inside and not all(map(is_public, addresses)):
            raise AddressRefused("the host has an address inside", reason="private-address")
        left = min(timeout or CONNECT_SECONDS, _remaining(self._deadline))
        stream = self._network.connect_tcp(addresses[0], port, left, local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A connection none of whose steps outlives the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived."""
        return self._stream.read(max_bytes, _remaining(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self._stream.write(buffer, _remaining(self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Prove who answers: the name of the address, not the number it was resolved to."""
        stream = self._stream.start_tls(ssl_context, server_hostname, _remaining(self._deadline))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """Tell what the connection knows of itself."""
        return self._stream.get_extra_info(info)

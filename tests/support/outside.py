"""Outside authorities on loopback, good and bad: what a client must live with."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from keys.fetching import Fetcher, FetchRules


@dataclass(kw_only=True)
class Outside:
    """A server whose answer a test decides; counts who came."""

    port: int = 0
    answer: Callable[[bytes], bytes] = bytes
    status: int = 200
    kind: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    slow_seconds: float = 0.0
    """Between two bytes of the answer."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    def fetcher(self, seconds: float = 5.0) -> Fetcher:
        """Return a fetcher that may ask this server, inside though it is."""
        hosts = frozenset({self.host})
        return Fetcher(FetchRules(hosts=hosts, private_hosts=hosts, total_seconds=seconds))


@contextmanager
def outside() -> Iterator[Outside]:
    """Listen on a free port of loopback."""
    found = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["content-length"])))

        def _reply(self, body: bytes) -> None:
            found.asked.append((self.command, self.path))
            answer = found.answer(body)
            self.send_response(found.status)
            kind = found.kind or self.headers.get("accept", "application/octet-stream")
            self.send_header("content-type", kind)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self._write(answer)
            except OSError:
                self.close_connection = True

        def _write(self, answer: bytes) -> None:
            if not found.slow_seconds:
                self.wfile.write(answer)
                return
            for byte in answer:
                time.sleep(found.slow_seconds)
                self.wfile.write(bytes([byte]))
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Start the HTTP server, in this process or beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from eseal.errors import ServerFailed
from eseal.settings import Settings

STARTUP_SECONDS = 60.0
_WAIT = 0.1


def run_server(app: object, settings: Settings) -> None:
    """Serve until the process is told to stop."""
    uvicorn.run(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=20,
    )


def is_free(host: str, port: int) -> bool:
    """Tell whether a port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str) -> int:
    """Return a port nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def server_beside(settings: Settings, log_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``eseal serve`` as a process of its own, ready when this yields, stopped at the end.

    Raises ``ServerFailed`` with the last lines of its log when it does not come up.
    """
    environment = {
        **os.environ,
        "ESEAL_DATA_FOLDER": str(settings.data_folder),
        "ESEAL_HOST": settings.host,
        "ESEAL_PORT": str(settings.port),
        "ESEAL_BASE_URL": settings.public_url(),
    }
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "eseal", "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(process, settings, log_path)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(
    process: "subprocess.Popen[bytes]", settings: Settings, log_path: Path
) -> None:
    url = f"http://{settings.host}:{settings.port}/healthz"
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(_WAIT)
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    raise ServerFailed("\n".join(lines))

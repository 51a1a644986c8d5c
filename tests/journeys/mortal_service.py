"""A service that is meant to be killed: one life after the other, each begun within milliseconds.

Run as a program it opens the data folder once, then waits for a line on standard input. For each
line it forks a life, which does what ``eseal serve`` does over the listening socket they share, and
prints its process id. A line with the name of a point makes that life die there: SIGKILL, at once.

The socket outlives the lives, so a client that comes between two of them waits for the next one.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import uvicorn

from eseal.installation import Installation, open_installation
from eseal.main import build_app, build_service
from eseal.maintenance import Repeater, sweep_files
from eseal.settings import Settings
from keys.keystore import KeyStore
from licence_store.office import LicenceOffice
from licence_store.rendering.face import FaceRenderer
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.database import Database
from seal_service.plumbing.logging import set_up_logging
from seal_service.sealing import Sealer
from verifier.evidence import Verification

POINTS: dict[str, tuple[type, str]] = {
    "face-rendered": (FaceRenderer, "render_face"),
    "signature-made": (KeyStore, "sign_with"),
    "ofd-sealed": (Sealer, "seal_ofd"),
    "pdf-sealed": (Sealer, "seal_pdf"),
    "release-checked": (Verification, "check_release"),
    "file-stored": (FolderBlobs, "put"),
    "uses-closed": (Sealer, "commit_uses"),
    "committed": (LicenceOffice, "issue"),
}
"""The steps of issuing in their order; a life dies when the step named has been done once."""
WAIT_SECONDS = 30


@dataclass
class MortalService:
    """The program, as a test sees it."""

    process: "subprocess.Popen[str]"
    address: str
    _life: int = 0

    def start(self, point: str = "") -> None:
        """Begin a life; with ``point`` it dies there by itself."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{point}\n")
        self.process.stdin.flush()
        self._life = int(self.process.stdout.readline())

    def kill(self) -> None:
        """End the life as a power failure does, as far as the process is concerned."""
        try:
            os.kill(self._life, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.wait()

    def wait(self) -> None:
        """Wait until the life is over."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                os.kill(self._life, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)
        raise TimeoutError("the service is still alive")


@contextmanager
def mortal_service(settings: Settings, log_path: Path) -> Iterator[MortalService]:
    """Start the program over a data folder; no life has begun when this yields."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as listener,
        log_path.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno()), settings.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=[listener.fileno()],
        ) as process,
    ):
        made = MortalService(process, f"http://127.0.0.1:{listener.getsockname()[1]}")
        try:
            yield made
        finally:
            if made._life:
                made.kill()
            process.kill()


def _serve_lives(listener: socket.socket, settings: Settings) -> None:
    installation = open_installation(settings)
    for name in installation.store.names():
        installation.store.public_key(name)
    # No connection may be shared between lives; each opens its own.
    installation.database.close()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        life = os.fork()
        if life == 0:
            _live(installation, listener, line.strip())
        print(life, flush=True)


def _live(installation: Installation, listener: socket.socket, point: str) -> NoReturn:
    # The layout engine starts threads, which a fork would lose: each life has an engine of its own.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    set_up_logging()
    if point:
        _die_after(*POINTS[point])
    database = Database(installation.settings.database())
    service = build_service(replace(installation, database=database))
    sweep_files(service.installation.blobs, service.clock)
    Repeater(service.maintenance.run).start()
    config = uvicorn.Config(build_app(service), log_config=None, lifespan="off", ws="none")
    uvicorn.Server(config).run(sockets=[listener])
    os._exit(0)


def _die_after(owner: type, name: str) -> None:
    step = getattr(owner, name)

    def do_and_die(*arguments: object, **keywords: object) -> None:
        step(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, do_and_die)


if __name__ == "__main__":
    _serve_lives(socket.socket(fileno=int(sys.argv[1])), Settings.model_validate_json(sys.argv[2]))

"""What tests let bounded processes do: well-meant work and hostile work."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from seal_service.errors import MalformedDocument
from seal_service.plumbing.problems import status_of


def double(number: int) -> int:
    return 2 * number


def process_id() -> int:
    return os.getpid()


def loop() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def allocate(mebibytes: int) -> int:
    kept = [bytearray(1024 * 1024) for _ in range(mebibytes)]
    return len(kept)


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def crash() -> None:
    ctypes.string_at(0)


def refuse() -> None:
    raise MalformedDocument("no OFD.xml", reason="entry-missing", subject="OFD.xml")


def fail() -> None:
    raise ValueError("secret content of a document")


def return_a_function() -> object:
    return status_of


def ask_twice(number: int, ask: Callable[[object], object]) -> object:
    return ask(("twice", number))


def connect(port: int) -> str:
    return _told(lambda: socket.create_connection(("127.0.0.1", port), timeout=1))


def resolve() -> str:
    return _told(lambda: socket.getaddrinfo("localhost", 80))


def write(path: str) -> str:
    return _told(lambda: Path(path).write_text("x", encoding="ascii"))


def start_program() -> str:
    return _told(lambda: subprocess.run([sys.executable, "-c", ""], check=False))


def environment() -> list[str]:
    return sorted(os.environ)


def print_something() -> str:
    print("not a message")
    sys.stdout.flush()
    return "done"


def _told(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"

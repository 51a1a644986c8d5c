"""The child of ``bounded``: takes one call after another from its parent, within limits.

Started as a module with the memory limit and the modules to import. After the imports it may read
files but neither write one, reach a network, nor start a program; CPU time is limited per call.
It ends with its parent, when its input ends.
"""

import gc
import importlib
import io
import math
import os
import pickle
import resource
import signal
import sys
import traceback

from keys.errors import ServiceError
from seal_service.plumbing.bounded_messages import (
    FOREVER,
    Channel,
    ChannelClosed,
    Reply,
    ReplyKind,
    Task,
    pack,
)

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.kill",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.",
    "ftplib.",
    "urllib.",
    "http.client.",
)
"""Beginnings of audit events (PEP 578) that a bounded call has no business with."""


class NotAllowedHere(PermissionError):
    """A bounded call tried to reach beyond its arguments."""


def refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse network, programs and writing (T-WEB-14); an audit hook."""
    if event == "open":
        flags = arguments[2] if len(arguments) > 2 else 0
        if isinstance(flags, int) and flags & WRITING:
            raise NotAllowedHere("writing")
    elif event.startswith(FORBIDDEN):
        raise NotAllowedHere(event)


def limit_process(memory_bytes: int) -> None:
    """Bound what the whole process may take; CPU time is bounded per call."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Private memory, not address space: libraries reserve far more of that than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def allow_cpu(seconds: int) -> None:
    """Let the process use so many more seconds; then the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


class Worker:
    """Reads tasks, writes replies."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def serve(self) -> None:
        """Work until the parent is gone."""
        self._say(Reply(ReplyKind.READY))
        while True:
            task = pickle.loads(self._hear())  # noqa: S301 - from our own parent
            reply = self._perform(task)
            self._say(reply)
            if reply.kind is ReplyKind.LIMIT:
                return

    def _perform(self, task: Task) -> Reply:
        allow_cpu(task.cpu_seconds)
        args = (*task.args, self.ask) if task.asks else task.args
        try:
            return Reply(ReplyKind.RESULT, task.function(*args))
        except ServiceError as error:
            return Reply(ReplyKind.ERROR, error.with_traceback(None))
        except MemoryError:
            return Reply(ReplyKind.LIMIT, "verification_memory")
        except RecursionError:
            return Reply(ReplyKind.LIMIT, "verification_depth")
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises WorkFailed
            return Reply(ReplyKind.FAULT, _where(error))

    def ask(self, question: object) -> object:
        """Put a question to the parent and wait for the answer."""
        self._say(Reply(ReplyKind.QUESTION, question))
        return pickle.loads(self._hear())  # noqa: S301 - from our own parent

    def _say(self, reply: Reply) -> None:
        self._channel.send(pack(reply), FOREVER)

    def _hear(self) -> bytes:
        return self._channel.receive(FOREVER)


def _where(error: Exception) -> str:
    """Name a fault by type and place, never by its text: that may hold document content (G-9)."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-4:]]
    return f"{type(error).__name__} at {' '.join(places)}"


def main(memory: str, *modules: str) -> None:
    """Get ready and serve."""
    reading, writing = os.dup(0), os.dup(1)
    # What a library prints must not get between the messages, nor meet the limit on files.
    os.dup2(2, 1)
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in modules:
        importlib.import_module(module)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    gc.collect()
    gc.freeze()
    limit_process(int(memory))
    sys.addaudithook(refuse_outside)
    try:
        Worker(Channel(reading, writing)).serve()
    except ChannelClosed:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Run a function over hostile bytes in a process of its own, within time and memory, or not at all.

A small number of processes is kept warm, so that a call costs two messages. One that uses up its
time, its memory or its wits is killed; the caller gets ``LimitExceeded`` and the service goes on
with the next one (threat list 9: 5 s of CPU, 512 MiB). The processes have no network, write no
file and start no program (T-WEB-13, T-WEB-14; ``bounded_child``).

Functions are named by module, so they stand at the top of one; arguments are values. What comes
back is read as data: nothing but our own records, enumerations and errors can be made by it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple, cast

from keys.errors import ServiceError
from seal_service.errors import LimitExceeded
from seal_service.formats.limits import MIB
from seal_service.plumbing.bounded_messages import (
    Channel,
    ChannelClosed,
    ChannelTimeout,
    Reply,
    ReplyKind,
    Task,
    pack,
    unpack_reply,
)
from seal_service.plumbing.errors import WorkersBusy, WorkFailed

CHILD_MODULE = "seal_service.plumbing.bounded_child"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "ESEAL_LIBCRYPTO")
"""Names of the environment that a child may see; secrets are not among them."""
START_SECONDS = 60.0
JOBS_PER_PROCESS = 1_000
"""A process is replaced after so many, so that nothing a library leaks adds up."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one call may cost."""

    cpu_seconds: int = 5
    wall_seconds: float = 20.0
    """Against waiting for ever; longer than the CPU time, since other work may be going on."""


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """How a pool is set up."""

    size: int = 3
    memory_bytes: int = 512 * MIB
    patience_seconds: float = 15.0
    """How long a call waits for a free process before it is refused."""
    preload: tuple[str, ...] = ()
    """Modules that the processes import before their first call."""


class BoundedPool:
    """Keeps the processes. May be shared between threads; close it at the end."""

    def __init__(self, plan: PoolPlan | None = None) -> None:
        self._plan = plan or PoolPlan()
        self._idle: deque[_Process] = deque()
        self._free = threading.Semaphore(self._plan.size)
        self._lock = threading.Lock()
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _stop_all, self._idle)

    def warm(self) -> None:
        """Start the processes and wait until they are ready for work."""
        with self._lock:
            while not self._is_closed and len(self._idle) < self._plan.size:
                self._idle.append(_Process(self._plan))
        for process in list(self._idle):
            try:
                process.wait_until_ready()
            except (WorkFailed, OSError):
                if not self._is_closed:
                    raise

    def close(self) -> None:
        """End the processes; calls that still run are waited for by nobody."""
        self._is_closed = True
        self._finalizer()

    def run(
        self,
        function: Callable[[*Ts], T],
        *args: *Ts,
        bounds: Bounds = DEFAULT_BOUNDS,
    ) -> T:
        """Call ``function`` in a bounded process and return what it returns.

        Raises its ``ServiceError`` if it raises one, ``LimitExceeded`` if it was stopped,
        ``WorkersBusy`` if no process came free, ``WorkFailed`` for a fault of our own.
        """
        task = Task(function, args, bounds.cpu_seconds, False)
        # The child returns what the function does.
        return cast(T, self._call(task, bounds, None))

    def converse(
        self,
        function: Callable[[*Ts, Callable[[object], object]], T],
        *args: *Ts,
        answer: Callable[[object], object],
        bounds: Bounds = DEFAULT_BOUNDS,
    ) -> T:
        """Call a function that asks back: its last argument puts a question to ``answer`` here.

        So a bounded process can have what only this one may look up. Raises as ``run`` does, and
        whatever ``answer`` raises.
        """
        task = Task(function, args, bounds.cpu_seconds, True)
        return cast(T, self._call(task, bounds, answer))

    def _call(
        self, task: Task, bounds: Bounds, answer: Callable[[object], object] | None
    ) -> object:
        if not self._free.acquire(timeout=self._plan.patience_seconds):
            raise WorkersBusy("every bounded process is at work")
        try:
            process = self._take()
            try:
                return process.call(task, bounds, answer)
            finally:
                self._give_back(process)
        finally:
            self._free.release()

    def _take(self) -> "_Process":
        with self._lock:
            if self._is_closed:
                raise WorkersBusy("the pool is closed")
            return self._idle.pop() if self._idle else _Process(self._plan)

    def _give_back(self, process: "_Process") -> None:
        if process.is_reusable and not self._is_closed:
            self._idle.append(process)
            return
        process.stop()
        with self._lock:
            if not self._is_closed:
                # At the far end: it gets ready while the warm ones are used.
                self._idle.appendleft(_Process(self._plan))


def _stop_all(idle: "deque[_Process]") -> None:
    while idle:
        idle.pop().stop()


class _Process:
    """One child; used by one thread at a time."""

    def __init__(self, plan: PoolPlan) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(way) for way in sys.path)  # noqa: PTH100
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-P", "-m", CHILD_MODULE, str(plan.memory_bytes), *plan.preload]
        self._child = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",
            bufsize=0,
        )
        if self._child.stdin is None or self._child.stdout is None:
            raise WorkFailed("no pipes to the child")
        self._channel = Channel(self._child.stdout.fileno(), self._child.stdin.fileno())
        self._is_ready = False
        self._starting = threading.Lock()
        self._jobs = 0
        self.is_reusable = True

    def wait_until_ready(self) -> None:
        """Wait for the child to have imported what it needs; several threads may."""
        with self._starting:
            if self._is_ready:
                return
            try:
                self._channel.receive(time.monotonic() + START_SECONDS)
            except (ChannelClosed, ChannelTimeout) as error:
                self.is_reusable = False
                raise WorkFailed("a bounded process does not start") from error
            self._is_ready = True

    def call(self, task: Task, bounds: Bounds, answer: Callable[[object], object] | None) -> object:
        """Send the task, answer questions, return the result."""
        self.wait_until_ready()
        # Until the end is reached in order, the child is not to be used again.
        self.is_reusable = False
        deadline = time.monotonic() + bounds.wall_seconds
        message = pack(task)
        try:
            while True:
                self._channel.send(message, deadline)
                reply = unpack_reply(self._channel.receive(deadline))
                if reply.kind is not ReplyKind.QUESTION or answer is None:
                    break
                message = pack(answer(reply.value))
        except ChannelTimeout:
            raise LimitExceeded("out of time", reason="limit", limit="verification_time") from None
        except ChannelClosed:
            raise self._cause_of_death() from None
        return self._conclude(reply)

    def _conclude(self, reply: Reply) -> object:
        if reply.kind is ReplyKind.LIMIT:
            raise LimitExceeded("stopped", reason="limit", limit=str(reply.value))
        self._jobs += 1
        self.is_reusable = self._jobs < JOBS_PER_PROCESS
        if reply.kind is ReplyKind.ERROR and isinstance(reply.value, ServiceError):
            raise reply.value
        if reply.kind is not ReplyKind.RESULT:
            raise WorkFailed(str(reply.value))
        return reply.value

    def _cause_of_death(self) -> ServiceError:
        try:
            code = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = 0
        limit = "verification_cpu" if code == -signal.SIGXCPU else "verification_crash"
        return LimitExceeded("the process ended", reason="limit", limit=limit)

    def stop(self) -> None:
        """Kill the child, which owns nothing that could be left half done."""
        self._child.kill()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()
        self._child.wait()


def default_plan(preload: Sequence[str]) -> PoolPlan:
    """Return a plan for this machine: one process more than it has processors, at most eight."""
    return PoolPlan(size=min(8, (os.cpu_count() or 1) + 1), preload=tuple(preload))

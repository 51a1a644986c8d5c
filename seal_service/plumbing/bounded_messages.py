"""Messages between the service and its bounded processes.

A message is eight bytes of length and a pickle. Towards the child anything may be pickled. What
comes from a child is not trusted, since hostile bytes may have taken it over: its replies may only
make builtin values, moments and our own records, enumerations and errors.
"""

import fcntl
import importlib
import io
import math
import os
import pickle
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import Enum, StrEnum

from keys.errors import ServiceError
from seal_service.formats.limits import MIB

LENGTH_BYTES = 8
FOREVER = math.inf
"""As a deadline: wait until something comes."""
LARGEST_MESSAGE = 64 * MIB
OUR_PACKAGES = frozenset({"keys", "seal_service", "licence_store", "verifier", "tests"})
PLAIN = frozenset(
    {
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("builtins", "bytearray"),
        ("datetime", "datetime"),
        ("datetime", "date"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
    }
)
_PIPE_SIZE = MIB
_CHUNK = MIB


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelTimeout(Exception):
    """The other end does not answer in time."""


@dataclass(frozen=True, slots=True)
class Task:
    """One call."""

    function: Callable[..., object]
    args: tuple[object, ...]
    cpu_seconds: int
    asks: bool
    """Whether the function gets, as last argument, a way to ask back."""


class ReplyKind(StrEnum):
    """What a child may say."""

    READY = "ready"
    RESULT = "result"
    QUESTION = "question"
    ERROR = "error"
    """A ``ServiceError`` of the function."""
    LIMIT = "limit"
    FAULT = "fault"
    """Another exception: a fault of ours, told by type and place only."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a child says."""

    kind: ReplyKind
    value: object = None


def pack(value: object) -> bytes:
    """Return a value as the body of a message."""
    return pickle.dumps(value, protocol=5)


def unpack_reply(body: bytes) -> Reply:
    """Read what a child sent; anything it must not say counts as its end (``ChannelClosed``)."""
    try:
        reply = _DataReader(io.BytesIO(body)).load()
    except (pickle.UnpicklingError, ValueError, TypeError, KeyError, AttributeError, EOFError):
        raise ChannelClosed("not a reply") from None
    if not isinstance(reply, Reply):
        raise ChannelClosed("not a reply")
    return reply


class _DataReader(pickle.Unpickler):
    """Makes records, enumerations and errors of our own; calls nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) == ("builtins", "getattr"):
            # How Python 3.11.0 to 3.11.3 writes the member of an enumeration.
            return _enumeration_member
        found = getattr(importlib.import_module(module), name) if _may_name(module, name) else None
        if isinstance(found, type) and ((module, name) in PLAIN or _is_record(found)):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} in a reply")


def _enumeration_member(found: object, name: object) -> Enum:
    """Stand in for ``getattr``: names a member of an enumeration and nothing else."""
    if isinstance(found, type) and issubclass(found, Enum) and isinstance(name, str):
        return found[name]
    raise pickle.UnpicklingError("an attribute in a reply")


def _may_name(module: str, name: str) -> bool:
    return (module, name) in PLAIN or module.partition(".")[0] in OUR_PACKAGES


def _is_record(found: type) -> bool:
    return is_dataclass(found) or issubclass(found, Enum | ServiceError)


class Channel:
    """Two ends of pipes with deadlines; one message at a time."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        for end in (reading, writing):
            os.set_blocking(end, False)
            _widen(end)

    def send(self, body: bytes, deadline: float) -> None:
        """Write one message."""
        left = memoryview(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        while left:
            try:
                written = os.write(self._writing, left[:_CHUNK])
            except BlockingIOError:
                _wait(self._writing, select.POLLOUT, deadline)
            except BrokenPipeError:
                raise ChannelClosed from None
            else:
                left = left[written:]

    def receive(self, deadline: float) -> bytes:
        """Read one message."""
        size = int.from_bytes(self._read(LENGTH_BYTES, deadline), "big")
        if size > LARGEST_MESSAGE:
            raise ChannelClosed("too long")
        return self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            _wait(self._reading, select.POLLIN, deadline)
            try:
                piece = os.read(self._reading, min(_CHUNK, size - len(found)))
            except BlockingIOError:
                continue
            if not piece:
                raise ChannelClosed
            found += piece
        return bytes(found)


def _wait(end: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(end, event)
    if deadline == FOREVER:
        poll.poll()
        return
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise ChannelTimeout


def _widen(end: int) -> None:
    """Let a document pass in one go where the system allows it."""
    widen = getattr(fcntl, "F_SETPIPE_SZ", None)
    if widen is None:
        return
    try:
        fcntl.fcntl(end, widen, _PIPE_SIZE)
    except OSError:
        return

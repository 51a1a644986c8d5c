"""A lock whose waiters are served in the order they came, and wait a bounded time."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from seal_service.errors import StorageUnavailable


class WriterQueue:
    """Lets one writer at a time through (T-STO-20).

    A plain lock may be taken again and again by the thread that has just released it; here the
    place is handed to the one who waits longest, so nobody starves.
    """

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._guard = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the only writer's place; raises ``StorageUnavailable`` after waiting too long."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            my_turn = Lock()
            my_turn.acquire()
            self._waiting.append(my_turn)
        if my_turn.acquire(timeout=self._wait_seconds):
            return
        with self._guard:
            if my_turn in self._waiting:
                self._waiting.remove(my_turn)
                raise StorageUnavailable
        # The place was handed over between the time-out and here: it is ours.

    def _leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

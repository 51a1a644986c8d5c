"""Wrong pass-phrases of a key store: counted on disk, so that a new process cannot try afresh.

Each wrong one doubles the wait before the next is looked at, from ``FIRST_SECONDS`` to
``MOST_SECONDS``; the right one ends the count (T-KEY-02). Against somebody who copies the files
away only the cost of the derivation helps.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keys.durable import sync_folder
from keys.errors import KeyStoreRefused, KeyStoreUnavailable
from keys.private_files import read_file, write_new_file

FILE_NAME = "wrong-passphrases.json"
FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0
_MOST_COUNTED = 1_000_000


def delay_after(count: int) -> float:
    """Return how many seconds must pass after the ``count``-th wrong pass-phrase in a row."""
    if count <= 0:
        return 0.0
    return min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(count - 1, 10))


@dataclass(frozen=True, slots=True)
class PassphraseAttempts:
    """The count of one store. ``pause`` waits; nothing else here takes time."""

    folder: Path
    pause: Callable[[float], None] = time.sleep

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Wait for what is due, then let one pass-phrase be tried inside.

        ``KeyStoreRefused`` inside counts as a wrong one and goes on to the caller after the wait;
        no error ends the count. One attempt at a time, over all processes. Raises
        ``KeyStoreUnavailable`` where the count cannot be kept.
        """
        with self._locked():
            count = self.count()
            # A process that was killed while it waited left the wait to this one.
            if count and self._is_wait_owed():
                self.pause(delay_after(count))
            try:
                yield
            except KeyStoreRefused:
                self._write(count + 1, owes_wait=True)
                self.pause(delay_after(count + 1))
                self._write(count + 1, owes_wait=False)
                raise
            if count:
                self._path.unlink(missing_ok=True)

    def count(self) -> int:
        """Return how many wrong pass-phrases came since the last right one."""
        return self._read()[0]

    @property
    def _path(self) -> Path:
        return self.folder / FILE_NAME

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise KeyStoreUnavailable("folder cannot be reached", reason="folder") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _is_wait_owed(self) -> bool:
        return self._read()[1]

    def _read(self) -> tuple[int, bool]:
        """Return the count and whether its wait is owed; a damaged file counts as one wrong."""
        try:
            found = json.loads(read_file(self._path))
            count, owes_wait = found["count"], found["owes_wait"]
        except FileNotFoundError:
            return 0, False
        except (ValueError, KeyError, TypeError, RecursionError):
            return 1, True
        if type(count) is not int or not 1 <= count <= _MOST_COUNTED:
            return 1, True
        return count, owes_wait is not False

    def _write(self, count: int, *, owes_wait: bool) -> None:
        """Keep the count; it is durable when this returns."""
        fields = {"count": min(count, _MOST_COUNTED), "owes_wait": owes_wait}
        fresh = self.folder / f".{FILE_NAME}.new"
        try:
            fresh.unlink(missing_ok=True)
            write_new_file(fresh, json.dumps(fields).encode())
            fresh.replace(self._path)
            sync_folder(self.folder)
        except OSError as error:
            raise KeyStoreUnavailable("count cannot be kept", reason="file") from error

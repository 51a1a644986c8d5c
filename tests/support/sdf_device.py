"""The device of ``sdf/device.c``: compiled when first needed, changed by a test as it likes."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from keys import sm2

SOURCE = Path(__file__).with_name("sdf") / "device.c"
PASSPHRASE = b"card-pass-1"


def reason_to_skip() -> str:
    """Say what is missing; empty where nothing is."""
    return "" if shutil.which("gcc") else "no C compiler (apt-get install gcc libc6-dev)"


@lru_cache(maxsize=1)
def _compiled() -> bytes:
    with TemporaryDirectory() as folder:
        library = Path(folder) / "libsdf.so"
        inputs = [str(SOURCE), sm2.engine().path, "-lpthread"]
        subprocess.run(
            ["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), *inputs],
            check=True,
            timeout=120,
        )
        return library.read_bytes()


@dataclass
class TestDevice:
    """One device; ``write`` makes its file say what the fields say."""

    __test__ = False

    module: Path
    path: Path
    keys: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    """Index to scalar and pass-phrase."""
    lines: list[str] = field(default_factory=list)

    def write(self, *lines: str) -> None:
        """Let the device be as its keys and these lines say."""
        self.lines = list(lines)
        keys = [
            f"key {index} {scalar.hex()} {passphrase.decode()}"
            for index, (scalar, passphrase) in self.keys.items()
        ]
        fresh = self.path.with_suffix(".new")
        fresh.write_text("\n".join([*keys, *lines]) + "\n")
        fresh.replace(self.path)

    def add(self, index: int, passphrase: bytes = PASSPHRASE) -> bytes:
        """Make a key; return its public point."""
        scalar = sm2.generate_scalar()
        self.keys[index] = (scalar, passphrase)
        self.write(*self.lines)
        return sm2.public_point(scalar)

    def remove(self) -> None:
        """Take the device away."""
        self.path.unlink()

    def count(self, name: str) -> int:
        """Return a counter of the library: ``misuse``, ``sessions`` or ``right_calls``."""
        found: int = ctypes.CDLL(str(self.module))[f"sdf_test_{name}"]()
        return found


@contextmanager
def device_in(folder: Path) -> Iterator[TestDevice]:
    """Make a device with a library of its own, whose counters begin at nothing."""
    module = folder / "libsdf.so"
    module.write_bytes(_compiled())
    device = TestDevice(module, folder / "device")
    device.write()
    os.environ["SDF_TEST_DEVICE"] = str(device.path)
    yield device
    os.environ.pop("SDF_TEST_DEVICE", None)

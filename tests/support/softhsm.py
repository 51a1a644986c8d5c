"""A SoftHSM token in a folder of its own; needs Debian's softhsm2 and PyKCS11."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

LABEL = "eseal-test"
PIN = b"4321-token"
OFFICER_PIN = "officer-8765"
MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm2.so"),
)


def find_module() -> Path | None:
    """Return the library, None where it is not installed."""
    return next((path for path in MODULES if path.exists()), None)


def reason_to_skip() -> str:
    """Say what is missing; empty where nothing is."""
    if importlib.util.find_spec("PyKCS11") is None:
        return "PyKCS11 is not installed (requirements/test.txt)"
    if find_module() is None or shutil.which("softhsm2-util") is None:
        return "SoftHSM is not installed (apt-get install softhsm2)"
    return ""


@dataclass(frozen=True, slots=True)
class SoftToken:
    """One token; its folder can be taken away and put back."""

    folder: Path
    module: Path

    def remove(self) -> None:
        """Take the token's storage away."""
        (self.folder / "tokens").rename(self.folder / "away")
        (self.folder / "tokens").mkdir()

    def put_back(self) -> None:
        """Put the token's storage where it was."""
        shutil.rmtree(self.folder / "tokens")
        (self.folder / "away").rename(self.folder / "tokens")


def make_token(folder: Path) -> SoftToken:
    """Make a token and point this process at it (``SOFTHSM2_CONF``)."""
    module = find_module()
    if module is None:
        raise RuntimeError(reason_to_skip())
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\n"
        "objectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    arguments = ["--label", LABEL, "--pin", PIN.decode(), "--so-pin", OFFICER_PIN]
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", *arguments],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return SoftToken(folder, module)

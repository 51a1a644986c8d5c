"""Set up the licence fonts in one folder, with a manifest, and link ``.cache/fonts`` to it.

1. Read ``fonts.toml``; the folder's name is the digest of it and of the converter, so that a second
   checkout finds the finished folder in the user's cache and does nothing.
2. For each font take the installed file, if its digest is pinned; otherwise fetch its package with
   ``apt-get download`` and unpack it aside (works without root, with package lists of our own).
3. Check the digest. An unknown one is named; it is accepted when apt has just checked the package
   against the signed archive, or with ``--accept``.
4. Convert CFF outlines, copy the rest, write ``fonts.json``, move the folder into place.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from convert_outlines import Conversion, convert

HERE = Path(__file__).resolve().parent
LINK = HERE.parent / ".cache" / "fonts"
MANIFEST = "fonts.json"
APT_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class FontSource:
    """One font: where it comes from and what it becomes."""

    role: str
    family: str
    file: str
    package: str
    source: str
    licence: str
    sha256: tuple[str, ...]
    convert: str | None = None
    optional: bool = False
    """Whether faces can do without it: another font of the folder steps in."""


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"setup-fonts: {text}", flush=True)


def fail(text: str) -> SystemExit:
    """Return the exit to raise, with its words."""
    return SystemExit(f"setup-fonts: {text}")


def read_sources() -> list[FontSource]:
    """Read the list of fonts."""
    table = tomllib.loads((HERE / "fonts.toml").read_text("utf-8"))
    return [FontSource(**{**font, "sha256": tuple(font["sha256"])}) for font in table["font"]]


def recipe() -> str:
    """Return a short digest of everything that decides what the folder holds."""
    digest = hashlib.sha256()
    for name in ("fonts.toml", "convert_outlines.py"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_folder() -> Path:
    """Return the user's cache for fonts, or one in the checkout where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~").expanduser() / ".cache")
    folder = Path(base) / "eseal" / "fonts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = LINK.parent / "eseal-fonts"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_whole(folder: Path) -> bool:
    """Return whether a finished folder still has the bytes its manifest names."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    fonts = json.loads(manifest.read_text("utf-8"))["fonts"]
    return all(
        (folder / font["file"]).is_file() and sha256_of(folder / font["file"]) == font["sha256"]
        for font in fonts
    )


class PackageUnavailable(Exception):
    """A package cannot be fetched."""


class PackageFetcher:
    """Fetches packages by apt-get into a folder, without installing them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unpacked: dict[str, Path] = {}
        self.options: list[str] = []

    def fetch(self, package: str) -> Path:
        """Return the folder in which a package lies unpacked."""
        if package not in self.unpacked:
            if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
                raise PackageUnavailable(
                    f"no apt-get here; install the fonts of {package} and run again"
                )
            say(f"fetching {package}")
            target = self.folder / package
            target.mkdir()
            # apt drops its rights to its own user, who may not enter our private folder.
            self._download(package, target)
            archive = next(target.glob("*.deb"))
            subprocess.run(
                ["dpkg-deb", "-x", str(archive), str(target / "root")], check=True, timeout=300
            )
            archive.unlink()
            self.unpacked[package] = target / "root"
        return self.unpacked[package]

    def _download(self, package: str, target: Path) -> None:
        if self._try_download(package, target):
            return
        say("no usable package lists; fetching them")
        if os.geteuid() != 0:
            self._own_lists()
        self._apt("update")
        if not self._try_download(package, target):
            raise PackageUnavailable(f"apt-get cannot download {package}; see its words above")

    def _own_lists(self) -> None:
        state, cache = self.folder / "apt-state", self.folder / "apt-cache"
        (state / "lists" / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        self.options = ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
        self.options += ["-o", "Dir::State::status=/var/lib/dpkg/status"]

    def _try_download(self, package: str, target: Path) -> bool:
        done = subprocess.run(
            ["apt-get", "-q", *self.options, "-o", "APT::Sandbox::User=root", "download", package],
            cwd=target,
            capture_output=True,
            text=True,
            check=False,
            timeout=APT_TIMEOUT_S,
        )
        if done.returncode:
            print(done.stderr.strip(), file=sys.stderr)
        return done.returncode == 0 and any(target.glob("*.deb"))

    def _apt(self, command: str) -> None:
        done = subprocess.run(
            ["apt-get", "-q", *self.options, command],
            check=False,
            stdout=subprocess.DEVNULL,
            timeout=APT_TIMEOUT_S,
        )
        if done.returncode:
            raise PackageUnavailable(f"apt-get {command} failed; see its words above")


def find_source(font: FontSource, fetcher: PackageFetcher, *, accept: bool) -> tuple[Path, str]:
    """Return the checked source file of a font and its digest."""
    installed = Path("/") / font.source
    if installed.is_file():
        digest = sha256_of(installed)
        if digest in font.sha256:
            return installed, digest
        if accept:
            say(f"ACCEPTED {installed}: digest {digest} is not pinned")
            return installed, digest
        say(f"{installed} has unpinned digest {digest}; fetching the package instead")
    fetched = fetcher.fetch(font.package) / font.source
    if not fetched.is_file():
        raise fail(f"package {font.package} holds no {font.source}; see scripts/fonts.toml")
    digest = sha256_of(fetched)
    if digest not in font.sha256:
        say(
            f"WARNING {font.package}: {fetched.name} has digest {digest}, which is not pinned in "
            "scripts/fonts.toml; taken because apt has checked the package against the archive"
        )
    return fetched, digest


def make_font(font: FontSource, source: Path, made: Path, *, workers: int) -> None:
    """Convert or copy one font."""
    if font.convert is None:
        shutil.copyfile(source, made)
        return
    say(f"converting {source.name} to TrueType outlines")
    conversion = Conversion(
        source=source,
        source_family=font.convert,
        target=made,
        family=font.family,
        is_bold=font.role.endswith("bold"),
    )
    convert(conversion, workers=workers)


def build(sources: list[FontSource], target: Path, *, accept: bool, workers: int) -> None:
    """Make the folder: fonts and manifest."""
    target.mkdir()
    entries = []
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="apt-") as aside:
        fetcher = PackageFetcher(Path(aside))
        for font in sources:
            try:
                source, digest = find_source(font, fetcher, accept=accept)
            except PackageUnavailable as error:
                if not font.optional:
                    raise fail(str(error)) from None
                say(f"WARNING {error}; going on without {font.family}")
                continue
            made = target / font.file
            make_font(font, source, made, workers=workers)
            entries.append(
                {
                    "role": font.role,
                    "family": font.family,
                    "file": font.file,
                    "sha256": sha256_of(made),
                    "licence": font.licence,
                    "package": font.package,
                    "source_sha256": digest,
                    "pinned": digest in font.sha256,
                }
            )
    text = json.dumps({"version": 1, "fonts": entries}, indent=2) + "\n"
    (target / MANIFEST).write_text(text, "utf-8")


def make_folder(folder: Path, options: argparse.Namespace) -> None:
    """Build aside, then move into place; another process may have been quicker."""
    fresh = folder.with_name(f".new-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        build(read_sources(), fresh, accept=options.accept, workers=options.workers)
        if not is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def link(folder: Path) -> None:
    """Point ``.cache/fonts`` at the finished folder."""
    LINK.parent.mkdir(exist_ok=True)
    if LINK.is_symlink() and LINK.readlink() == folder:
        return
    if LINK.is_dir() and not LINK.is_symlink():
        raise fail(f"{LINK} is a folder of somebody's own; move it away and run again")
    fresh = LINK.with_name(f"fonts-{os.getpid()}")
    fresh.symlink_to(folder)
    fresh.replace(LINK)


def main() -> None:
    """Set the fonts up."""
    parser = argparse.ArgumentParser(prog="setup-fonts", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="accept installed unpinned fonts")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    started = time.monotonic()
    cache = cache_folder()
    folder = cache / recipe()
    if not is_whole(folder):
        make_folder(folder, options)
    link(folder)
    say(f"{folder} is ready ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    main()

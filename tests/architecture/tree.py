"""What the architecture tests look at: the tracked files, and the modules as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("keys", "seal_service", "licence_store", "verifier", "eseal")
OTHER_CODE = ("scripts", "bench", "examples", "fuzz")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module of the tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def imports(self) -> Iterator[tuple[str, int]]:
        """Yield what is imported, as dotted names (``from a import b`` gives ``a.b``)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield f"{node.module or '.'}.{alias.name}", node.lineno

    def roots(self) -> set[str]:
        """Return the top-level packages that are imported."""
        return {name.partition(".")[0] for name, _ in self.imports()}


@cache
def modules(*roots: str) -> tuple[Module, ...]:
    """Return the modules under these folders, those being written included."""
    found = []
    for root in roots:
        for path in sorted((PROJECT / root).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            found.append(Module(path=path, name=name, text=text, tree=ast.parse(text, str(path))))
    return tuple(found)


def source() -> tuple[Module, ...]:
    """Return the modules of the five packages."""
    return modules(*PACKAGES)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the tracked files, or all of a folder that is no checkout."""
    listing = subprocess.run(
        ["git", "-C", str(PROJECT), "ls-files", "-z"], capture_output=True, check=False
    )
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
        return tuple(p for name in names if name and (p := PROJECT / name).is_file())
    skipped = {".venv", ".cache", "build", "data", "__pycache__"}
    return tuple(
        path
        for path in sorted(PROJECT.rglob("*"))
        if path.is_file() and not skipped & set(path.relative_to(PROJECT).parts)
    )


def tracked_text() -> Iterator[tuple[str, str]]:
    """Yield name and text of every tracked text file."""
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            yield path.relative_to(PROJECT).as_posix(), content.decode("utf-8", "replace")

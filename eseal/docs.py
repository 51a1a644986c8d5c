"""The documents that are written from the code: ``docs/problems.md`` and ``docs/openapi.json``.

Both are committed, so that a reader needs no running service; tests compare them with the code.
"""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI

import eseal
import keys
import licence_store
import seal_service
import verifier
from keys.errors import Kind, ServiceError
from seal_service.plumbing.problems import status_of

PACKAGES = (keys, seal_service, licence_store, verifier, eseal)
PROGRAMS = ("eseal.__main__", "eseal.migrations.env", "eseal.migrations.versions")
"""Modules that do something when they are imported."""
PROBLEMS = "problems.md"
OPENAPI = "openapi.json"

WHO_ACTS = {
    Kind.MALFORMED: ("The request cannot be read", "the caller's programmer"),
    Kind.UNAUTHENTICATED: ("Nobody we know", "the caller's operator"),
    Kind.FORBIDDEN: ("Not allowed", "an administrator"),
    Kind.NOT_FOUND: ("Not there", "the caller"),
    Kind.NOT_ALLOWED: ("Not in this way", "the caller's programmer"),
    Kind.CONFLICT: ("Not in this state", "the caller, after a look at the state"),
    Kind.TOO_LARGE: ("Too much", "the caller"),
    Kind.UNSUPPORTED_MEDIA: ("Not this form", "the caller"),
    Kind.INVALID: ("Not correct", "the caller; `errors` names the fields"),
    Kind.LIMITED: ("Too often", "the caller, after `Retry-After`"),
    Kind.INTERNAL: ("Our fault", "the operator, with the request id"),
    Kind.UNAVAILABLE: ("Not now", "nobody: repeat after `Retry-After`"),
}

_HEAD = """# Problems

Every refusal is `application/problem+json` (RFC 9457):

- `type`: `/problems/` and the code; `code`: for programs, it never changes
- `title`: Chinese, fixed per code; `detail`: this case; `advice`: what to do next
- `status`: the HTTP status again; `instance`: the request id
- `errors`: where fields are at fault, each with a JSON pointer

A verdict, even "forged", is an answer and no problem. Written from the error classes by
`make docs`; change those, not this page.
"""


def list_errors() -> tuple[type[ServiceError], ...]:
    """Return every error that has a code of its own, sorted by code."""
    for name in _module_names():
        importlib.import_module(name)
    found = {error for error in _descendants(ServiceError) if _is_ours(error)}
    return tuple(sorted(found | {ServiceError}, key=lambda error: error.code))


def _module_names() -> Iterator[str]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(PROGRAMS):
                yield module.name


def _descendants(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def _is_ours(error: type[ServiceError]) -> bool:
    """Leave out bases without a code, which nothing raises, and classes that tests define."""
    names = {package.__name__ for package in PACKAGES}
    return "code" in vars(error) and error.__module__.partition(".")[0] in names


def problems_page() -> str:
    """Write the page that lists every error by who must act."""
    errors = list_errors()
    parts = [_HEAD]
    for kind, (heading, who) in WHO_ACTS.items():
        rows = [_row(error) for error in errors if error.kind is kind]
        if rows:
            status = status_of(next(error for error in errors if error.kind is kind))
            parts.append(f"## {status} {heading}\n\nWho acts: {who}.\n")
            table = ["| code | title | English | advice |", "|---|---|---|---|", *rows]
            parts.append("\n".join(table) + "\n")
    return "\n".join(parts)


def _row(error: type[ServiceError]) -> str:
    cells = (f"`{error.code}`", error.title, error.title_en, error.advice)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def openapi_text(app: FastAPI) -> str:
    """Write the interface description of an application, stable to the byte."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_documents(app: FastAPI, folder: Path) -> tuple[Path, ...]:
    """Write both documents into ``folder``; return their paths."""
    written = ((folder / PROBLEMS, problems_page()), (folder / OPENAPI, openapi_text(app)))
    for path, text in written:
        path.write_text(text, "utf-8", newline="\n")
    return tuple(path for path, _ in written)

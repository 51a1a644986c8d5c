"""Errors: one base, a code for ever, words for people, a page in the documents (ADR 0009)."""

import importlib
import re
from collections import Counter

import pytest

from keys.errors import Kind, ServiceError
from tests.architecture.tree import PROJECT, source

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _error_modules() -> list[str]:
    return [m.name for m in source() if "(ServiceError)" in m.text or "errors" in m.name]


def _all_errors() -> list[type[ServiceError]]:
    for name in _error_modules():
        importlib.import_module(name)
    found, waiting = [], [ServiceError]
    while waiting:
        error = waiting.pop()
        found.append(error)
        waiting.extend(error.__subclasses__())
    ours = {m.name for m in source()}
    return sorted((e for e in found if e.__module__ in ours), key=lambda e: e.__name__)


ERRORS = _all_errors()
ANSWERED = [error for error in ERRORS if "code" in vars(error)]
"""Errors with a code of their own; the rest are bases, which nothing raises."""


def test_a_code_belongs_to_one_error() -> None:
    counted = Counter(error.code for error in ANSWERED)
    assert [code for code, times in counted.items() if times > 1] == []


def test_an_error_without_a_code_is_a_base_or_answers_as_its_parent() -> None:
    bare = [error for error in ERRORS if "code" not in vars(error)]
    silent = [error.__name__ for error in bare if error.code == ServiceError.code]
    assert [name for name in silent if not _has_children(name)] == []


def _has_children(name: str) -> bool:
    return any(name in {base.__name__ for base in error.__bases__} for error in ERRORS)


@pytest.mark.parametrize("error", ANSWERED, ids=lambda error: error.code)
def test_an_error_carries_its_words(error: type[ServiceError]) -> None:
    assert SLUG.fullmatch(error.code)
    assert isinstance(error.kind, Kind)
    assert CHINESE.search(error.title), "the title is Chinese"
    assert CHINESE.search(error.advice), "the advice is Chinese"
    assert error.title_en
    assert error.title_en.isascii()
    assert not error.title.endswith("。"), "a title is no sentence"


def test_every_error_has_a_place_in_the_list_of_problems() -> None:
    listed = (PROJECT / "docs" / "problems.md").read_text("utf-8")
    missing = [
        error.code
        for error in ANSWERED
        if f"`{error.code}`" not in listed or error.title not in listed
    ]
    assert missing == [], "run `make docs`"


INSIDE_ONLY = {
    "keys.errors": "defines the base",
    "seal_service.plumbing.bounded_messages": "between two processes; translated by ``bounded``",
}


def test_every_exception_of_ours_has_the_one_base() -> None:
    """A leaked ValueError is a bug; an Exception of our own beside ServiceError is another."""
    strays = [
        f"{module.name}: {line.strip()}"
        for module in source()
        for line in module.text.splitlines()
        # A name with an underscore never leaves its module.
        if re.match(r"\s*class [^_]\w+\((Exception|ValueError|RuntimeError|OSError)\)", line)
        and module.name not in INSIDE_ONLY
    ]
    assert strays == []

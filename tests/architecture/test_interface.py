"""The interface description: committed, complete, and in the words of the house."""

import json
import re
from functools import cache

import pytest
from fastapi import FastAPI

from eseal.docs import openapi_text
from eseal.installation import make_installation
from eseal.main import build_api, build_service
from eseal.settings import Settings
from seal_service.plumbing.clock import SystemClock
from tests.architecture.tree import PROJECT

FONTS = PROJECT / ".cache" / "fonts" / "fonts.json"


Words = dict[str, object]


@cache
def _operations() -> tuple[tuple[str, str, Words], ...]:
    """Return method, path and description of every call."""
    described = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    return tuple(
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    )


@cache
def _fields() -> tuple[tuple[str, str, Words], ...]:
    """Return schema, name and description of every field."""
    described = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    return tuple(
        (name, field, words)
        for name, schema in described["components"]["schemas"].items()
        for field, words in schema.get("properties", {}).items()
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    if not FONTS.is_file():
        pytest.skip("no fonts: run scripts/setup-fonts")
    settings = Settings(data_folder=tmp_path_factory.mktemp("interface") / "data")
    service = build_service(make_installation(settings, SystemClock().now()))
    try:
        return build_api(service)
    finally:
        service.installation.database.close()


def test_the_committed_description_is_that_of_the_service(api: FastAPI) -> None:
    committed = (PROJECT / "docs" / "openapi.json").read_text("utf-8")
    assert committed == openapi_text(api), "run `make docs`"


def test_every_call_is_on_the_page() -> None:
    page = (PROJECT / "docs" / "api.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([A-Z]+) (/v1/[^`]+)` \|", page, re.MULTILINE))
    assert listed == {(method.upper(), path) for method, path, _ in _operations()}


def test_every_call_has_a_version_and_a_name_of_the_house() -> None:
    for _method, path, operation in _operations():
        assert path.startswith("/v1/")
        assert re.fullmatch(r"(get|list|post)_[a-z_]+", str(operation["operationId"]))
        assert operation["summary"]


def test_every_call_says_how_it_refuses() -> None:
    for _method, path, operation in _operations():
        answers = operation["responses"]
        assert isinstance(answers, dict)
        assert {"400", "401", "403", "422", "429", "500", "503"} <= set(answers), path
        refusals = [answers[status] for status in answers if status >= "400"]
        assert all("application/problem+json" in refusal["content"] for refusal in refusals), path


def test_every_field_is_explained_with_an_example() -> None:
    """A field that only points to a closed list is explained there."""
    bare = [
        f"{schema}.{field}"
        for schema, field, words in _fields()
        if "examples" not in words or not {"description", "$ref"} & set(words)
    ]
    assert bare == []


def test_names_on_the_wire_are_snake_case() -> None:
    names = {field for _schema, field, _words in _fields()}
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []

"""The documents written from the code."""

import json
from pathlib import Path

from fastapi import FastAPI

from eseal.docs import WHO_ACTS, list_errors, openapi_text, problems_page, write_documents
from keys.errors import Kind, ServiceError
from seal_service.errors import SealSuspended
from seal_service.plumbing import problems
from tests.architecture.tree import PROJECT


class OnlyInTests(ServiceError):
    """An error that no package knows."""

    code = "only-in-tests"


def _app() -> FastAPI:
    app = FastAPI(title="trial", version="1")
    problems.install(app)

    @app.get("/v1/seals/{seal_id}", responses=problems.problem_responses(SealSuspended))
    def get_seal(seal_id: str) -> dict[str, str]:
        return {"seal_id": seal_id}

    return app


def test_the_committed_list_of_problems_is_that_of_the_code() -> None:
    committed = (PROJECT / "docs" / "problems.md").read_text("utf-8")
    assert committed == problems_page(), "run `make docs`"


def test_every_kind_of_error_has_its_section() -> None:
    assert set(WHO_ACTS) == set(Kind)
    assert set(WHO_ACTS) == set(problems.STATUS)


def test_an_error_of_the_tests_is_not_listed() -> None:
    assert OnlyInTests not in list_errors()
    assert SealSuspended in list_errors()
    assert ServiceError in list_errors()


def test_both_documents_are_written(tmp_path: Path) -> None:
    written = write_documents(_app(), tmp_path)
    assert [path.name for path in written] == ["problems.md", "openapi.json"]
    described = json.loads(written[1].read_text("utf-8"))
    assert "/v1/seals/{seal_id}" in described["paths"]
    assert "Problem" in described["components"]["schemas"]


def test_the_interface_description_is_the_same_every_time() -> None:
    assert openapi_text(_app()) == openapi_text(_app())

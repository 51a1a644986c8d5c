"""The example approval results are valid, and show what issuing must cope with."""

import json
from pathlib import Path

import pytest

from licence_store.approval import check_approval_result
from licence_store.model import ApprovalResult
from licence_store.schemas import ApprovalResultBody

FOLDER = Path(__file__).parents[2] / "examples" / "approval-results"
FILES = sorted(FOLDER.glob("*.json"))


def _read(path: Path) -> ApprovalResult:
    return ApprovalResultBody.model_validate_json(path.read_bytes()).to_approval_result()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_a_valid_approval_result(path: Path) -> None:
    check_approval_result(_read(path))


def test_examples_cover_long_scopes_and_rare_characters() -> None:
    texts = [text for path in FILES for text in _read(path).face_data.values()]
    assert max(len(text) for text in texts) >= 600
    planes = {ord(character) >> 16 for text in texts for character in text}
    assert {2, 3} <= planes


def test_examples_have_cases_of_their_own() -> None:
    cases = [json.loads(path.read_text("utf-8"))["case_number"] for path in FILES]
    assert len(set(cases)) == len(cases) >= 4

"""Every reason a rule can give has words for people."""

import ast
from pathlib import Path

import verifier
from verifier.rules.findings import REASON_CODES
from verifier.rules.licence import STATE_REASONS
from verifier.words import REASONS

ROOT = Path(verifier.__file__).parent
MAKERS = {"passed", "failed", "unknown", "notice"}


def written_reasons() -> set[str]:
    """Return every reason that stands literally in a call that makes a finding."""
    found: set[str] = set()
    for path in [*ROOT.glob("rules/*.py"), ROOT / "judge.py", ROOT / "evidence.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            at = 1 if name in MAKERS else 2 if name == "finding" else None
            if at is None or len(node.args) <= at:
                continue
            reason = node.args[at]
            if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                found.add(reason.value)
    return found


def test_every_literal_reason_has_words() -> None:
    reasons = written_reasons()
    assert len(reasons) > 50
    assert reasons - REASONS.keys() == set()


def test_every_translated_reason_has_words() -> None:
    assert set(REASON_CODES.values()) - REASONS.keys() == set()
    assert set(STATE_REASONS.values()) - REASONS.keys() == set()

"""Documents say what exists: function names, words, settings, links, both READMEs alike."""

import ast
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from eseal.settings import Settings
from tests.architecture.tree import OTHER_CODE, PACKAGES, PROJECT, modules, source

DOCS = PROJECT / "docs"
PAGES = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
HOP = re.compile(r"`((?:keys|seal_service|licence_store|verifier|eseal)[\w.]*) : ([\w.]+)`")
DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")


@cache
def _definitions() -> dict[str, set[str]]:
    """Return the names each module defines: ``function``, ``Class``, ``Class.method``."""
    found = {}
    for module in source():
        names: set[str] = set()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                members = _names(node.body) + _targets(node.body)
                names |= {f"{node.name}.{member}" for member in members}
            names |= set(_names([node]))
        found[module.name] = names | set(_targets(module.tree.body))
    return found


def _names(nodes: Sequence[ast.AST]) -> list[str]:
    named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [node.name for node in nodes if isinstance(node, named)]


def _targets(body: list[ast.stmt]) -> list[str]:
    found = []
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        found += [target.id for target in targets if isinstance(target, ast.Name)]
    return found


def _exists(dotted: str) -> bool:
    """Tell whether a dotted name is a module, a folder of data, or something a module defines."""
    known = _definitions()
    if dotted in known:
        return True
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        if module in known and ".".join(parts[cut:]) in known[module]:
            return True
    return (PROJECT / dotted.replace(".", "/")).exists()


def _documents() -> list[Path]:
    return [PROJECT / name for name in PAGES] + sorted(DOCS.rglob("*.md"))


def test_every_hop_of_the_path_exists() -> None:
    hops = HOP.findall((DOCS / "architecture.md").read_text("utf-8"))
    assert len(hops) >= 12
    missing = [
        f"{module} : {name}" for module, name in hops if name not in _definitions().get(module, ())
    ]
    assert missing == []


@pytest.mark.parametrize("page", _documents(), ids=lambda page: page.name)
def test_every_module_a_page_names_exists(page: Path) -> None:
    spans = CODE_SPAN.findall(page.read_text("utf-8"))
    named = {span for span in spans if DOTTED.fullmatch(span) and not span.endswith(".db")}
    assert sorted(name for name in named if not _exists(name)) == []


@pytest.mark.parametrize("page", _documents(), ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    targets = [t.partition("#")[0] for t in LINK.findall(page.read_text("utf-8"))]
    local = [t for t in targets if t and "://" not in t and not t.startswith("mailto:")]
    assert [t for t in local if not (page.parent / t).exists()] == []


def test_every_document_that_code_speaks_of_exists() -> None:
    """Pages in the code's comments and docstrings; ``docs/openapi.json`` is written by a task."""
    pattern = re.compile(r"\bdocs/[\w./-]*\.md\b")
    named = {name for m in source() + modules("scripts") for name in pattern.findall(m.text)}
    assert sorted(name for name in named if not (PROJECT / name).exists()) == []


@cache
def _identifiers() -> set[str]:
    """Return every name in the code: definitions, arguments, fields, modules, short texts."""
    found: set[str] = set()
    for module in source():
        found |= set(module.name.split("."))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.arg | ast.keyword) and node.arg:
                found.add(node.arg)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value[:64])
    return found


def _vocabulary() -> list[tuple[str, str]]:
    """Return the rows of the glossary's first table: Chinese, identifiers."""
    text = (DOCS / "glossary.md").read_text("utf-8").partition("\n## ")[0]
    cells = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")]
    return [(chinese.strip(), names.strip()) for chinese, names in cells[1:]]


def test_every_identifier_of_the_glossary_exists() -> None:
    rows = _vocabulary()
    assert len(rows) > 30
    missing = [
        f"{chinese}: {name}"
        for chinese, names in rows
        for name in CODE_SPAN.findall(names)
        if name not in _identifiers()
    ]
    assert missing == []


def test_a_chinese_word_stands_in_the_glossary_once() -> None:
    words = [chinese for chinese, _ in _vocabulary()]
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    assert f"`ESEAL_{name.upper()}`" in (DOCS / "operations.md").read_text("utf-8")


def test_every_variable_that_is_read_is_explained_and_the_other_way_round() -> None:
    pattern = re.compile(r"\bESEAL_[A-Z_]+[A-Z]\b")
    read = {name for m in source() + modules(*OTHER_CODE) for name in pattern.findall(m.text)}
    read |= {f"ESEAL_{name.upper()}" for name in Settings.model_fields}
    explained = set(pattern.findall((DOCS / "operations.md").read_text("utf-8")))
    assert read - explained == set()
    assert explained - read == set()


def _outline(page: str) -> list[str]:
    """Return the structure of a page: headings, tables, lists and code, without the words."""
    shape, in_code = [], False
    for line in (PROJECT / page).read_text("utf-8").splitlines():
        if line.startswith("```"):
            in_code = not in_code
            shape.append(line)
        elif in_code:
            shape.append("code")
        elif mark := re.match(r"#+ |\|(?=.)|- |\d+\. ", line):
            shape.append(mark.group() + str(line.count("|")))
    return shape


def test_both_readmes_have_one_structure() -> None:
    assert _outline("README.md") == _outline("README.zh-CN.md")


def test_both_readmes_lead_to_the_same_places() -> None:
    here, there = (
        {link for link in LINK.findall((PROJECT / page).read_text("utf-8")) if "README" not in link}
        for page in ("README.md", "README.zh-CN.md")
    )
    assert here == there


def test_the_commands_a_readme_names_are_tasks() -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in (*PAGES, "docs/operations.md", "docs/architecture.md"):
        named = set(re.findall(r"`make ([a-z-]+)", (PROJECT / page).read_text("utf-8")))
        assert named - tasks == set(), page


RECORDS = sorted((DOCS / "adr").glob("*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_record_has_its_five_parts(record: Path) -> None:
    text = record.read_text("utf-8")
    parts = ("Context.", "Decision.", "Consequences.", "Alternatives.", "Enforced by")
    assert [part for part in parts if f"**{part}**" not in text] == []
    assert text.startswith(f"# {record.stem[:4]} ")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_what_enforces_a_decision_exists(record: Path) -> None:
    enforced = record.read_text("utf-8").partition("**Enforced by**")[2]
    files = [span for span in CODE_SPAN.findall(enforced) if "/" in span or span.endswith(".toml")]
    assert [name for name in files if not (PROJECT / name).exists()] == []


def test_decision_records_are_numbered_without_gaps() -> None:
    assert [record.stem[:4] for record in RECORDS] == [
        f"{number:04}" for number in range(1, len(RECORDS) + 1)
    ]

"""Sizes and names: what keeps a module readable at one sitting."""

import ast

from tests.architecture.tree import OTHER_CODE, PROJECT, Function, Module, modules, source

SOFT_LINES = 400
HARD_LINES = 600
FUNCTION_LINES = 40
TEST_FUNCTION_LINES = 60

LONG_MODULES = {
    "keys.sm2": "the one binding to libcrypto: prototypes and calls are read side by side",
    "licence_store.office": "the order of issuing is one story; its protocols stand beside it",
    "licence_store.schemas": "wire types: three lines a field, no logic to split",
}
"""Modules over the soft limit, each with the reason that was accepted for it."""

EMPTY_NAMES = {
    "utils", "util", "helpers", "helper", "common", "core", "base", "misc", "services",
    "repositories", "managers", "manager", "tools", "lib",
}  # fmt: skip


def _length(function: Function) -> int:
    """Count the lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        lines -= (text.end_lineno or text.lineno) - text.lineno + 1
    return lines


def _too_long(found: tuple[Module, ...], limit: int) -> list[str]:
    return [
        f"{module.path.relative_to(PROJECT)}:{function.lineno} {function.name}: {length} lines"
        for module in found
        for function in module.functions()
        if (length := _length(function)) > limit
    ]


def test_a_module_over_the_soft_limit_has_an_accepted_reason() -> None:
    long = {module.name for module in source() if module.lines > SOFT_LINES}
    assert long - set(LONG_MODULES) == set(), "look for the second noun in it"


def test_a_reason_for_a_long_module_goes_when_the_module_is_short_again() -> None:
    long = {module.name for module in source() if module.lines > SOFT_LINES}
    assert set(LONG_MODULES) - long == set()


def test_no_module_is_over_the_hard_limit() -> None:
    everything = source() + modules("tests", *OTHER_CODE)
    assert [m.name for m in everything if m.lines > HARD_LINES] == []


def test_every_function_fits_a_screen() -> None:
    """But steps of the schema: written once, a table in one piece, never changed."""
    read = [m for m in source() if not m.name.startswith("eseal.migrations.versions")]
    assert _too_long((*read, *modules(*OTHER_CODE)), FUNCTION_LINES) == []


def test_every_test_function_fits_a_large_screen() -> None:
    assert _too_long(modules("tests"), TEST_FUNCTION_LINES) == []


def test_a_name_says_what_the_thing_is() -> None:
    everything = source() + modules("tests", *OTHER_CODE)
    empty = [m.name for m in everything if EMPTY_NAMES & set(m.name.split("."))]
    assert empty == [], "name the noun; if it has none, it belongs to its only caller"


def test_package_files_hold_nothing_but_a_docstring() -> None:
    """Import contracts follow indirect imports, so a package file must not cause any."""
    full = [
        module.name
        for module in source()
        if module.path.name == "__init__.py"
        and any(not isinstance(node, ast.Expr) for node in module.tree.body)
    ]
    assert full == []


def test_every_module_says_what_it_is_for() -> None:
    assert [m.name for m in source() if not ast.get_docstring(m.tree)] == []


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{module.name}:{node.lineno}"
        for module in source()
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_import_is_made_for_types_alone() -> None:
    """An import under TYPE_CHECKING is how an upward dependency hides."""
    assert [m.name for m in source() if "TYPE_CHECKING" in m.text] == []


ASYNC_MODULES = {"seal_service.plumbing.limits"}
"""ASGI middleware; everything else is synchronous (ADR 0002)."""


def test_only_asgi_middleware_is_asynchronous() -> None:
    found = {
        module.name
        for module in source()
        for function in module.functions()
        if isinstance(function, ast.AsyncFunctionDef)
    }
    assert found - ASYNC_MODULES == set()


def _reads_the_clock(node: ast.AST) -> bool:
    """Tell calls of ``datetime.now``, ``datetime.utcnow``, ``date.today`` and ``time.time``."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name | ast.Attribute):
        return False
    owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
    return (owner, node.attr) in {
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
        ("time", "time"),
    }


def test_only_the_clock_reads_the_time() -> None:
    found = [
        f"{module.name}:{node.lineno}"
        for module in source()
        if module.name != "seal_service.plumbing.clock"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and _reads_the_clock(node)
    ]
    assert found == [], "take `now` as an argument"

"""Tables: no foreign key between packages (ADR 0007), and every row has its tenant."""

import importlib

from sqlalchemy import Table

from tests.architecture.tree import source

TENANT_FREE = {
    "log_nodes": "inner digests of the one tree of seal uses",
    "log_heads": "size and root of the one tree of seal uses",
    "log_checkpoints": "signed heads of the one tree of seal uses",
}
"""Tables without a tenant column, with the reason."""

TENANT_COLUMNS = {"authority_code", "caller_id"}


def _tables() -> dict[str, list[Table]]:
    """Return the tables by the package that declares them."""
    found: dict[str, list[Table]] = {}
    for module in source():
        if "Table(" in module.text and "sqlalchemy" in module.roots():
            values = vars(importlib.import_module(module.name)).values()
            own = [value for value in values if isinstance(value, Table)]
            found.setdefault(module.name.partition(".")[0], []).extend(own)
    return found


def test_no_foreign_key_leaves_its_package() -> None:
    owner = {table.name: package for package, tables in _tables().items() for table in tables}
    crossing = [
        f"{table.name} -> {key.target_fullname}"
        for package, tables in _tables().items()
        for table in tables
        for key in table.foreign_keys
        if owner.get(key.target_fullname.rpartition(".")[0]) != package
    ]
    assert crossing == []


def test_every_row_belongs_to_a_tenant() -> None:
    without = {
        table.name
        for tables in _tables().values()
        for table in tables
        if not TENANT_COLUMNS & set(table.columns.keys())
    }
    assert without - set(TENANT_FREE) == set()

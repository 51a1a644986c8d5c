"""Search in columns of text, alike on both databases: the letters A to Z match in either case.

SQLite's LIKE does that by itself. PostgreSQL would go by the language the database was made for, so
it is told to look at A to Z alone. What stands for any text in LIKE is escaped: it is found as it
is written.
"""

import string

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def has_part(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a text stands somewhere in a column."""
    return _Folded(column).contains(text.translate(_SMALL), autoescape=True)


def begins_with(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a column begins with a text."""
    return _Folded(column).startswith(text.translate(_SMALL), autoescape=True)


class _Folded(FunctionElement[str]):
    """A column, in the form in which LIKE compares it."""

    type = String()
    inherit_cache = True


@compiles(_Folded)
def _as_it_is(element: _Folded, compiler: SQLCompiler, **words: object) -> str:
    return f"({compiler.process(element.clauses, **words)})"


@compiles(_Folded, "postgresql")
def _in_small_letters(element: _Folded, compiler: SQLCompiler, **words: object) -> str:
    return f'lower(({compiler.process(element.clauses, **words)}) COLLATE "C")'

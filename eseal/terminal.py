"""The terminal: who sits at it, and what may be shown on it."""

import contextlib
import os
import pwd
from pathlib import Path

LOGIN_ID = Path("/proc/self/loginuid")
NO_LOGIN = 2**32 - 1


def plain(text: str) -> str:
    """Spell out what would move the cursor or turn the text around: others may have written it."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def account_name() -> str:
    """Return who logged in, whoever they have become since; the environment is not asked.

    The system keeps the number of the login through ``sudo``; without one, the account counts.
    """
    number = os.getuid()
    with contextlib.suppress(OSError, ValueError):
        login = int(LOGIN_ID.read_text(encoding="ascii"))
        number = number if login == NO_LOGIN else login
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)

"""Who acts in the terminal, and what others can make it show."""

import os
import pwd
from pathlib import Path

import pytest

from eseal.terminal import NO_LOGIN, account_name, plain


def test_who_acts_is_who_logged_in_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-API-09: one person does not become two by a variable."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(variable, "somebody-else")
    login = tmp_path / "loginuid"
    monkeypatch.setattr("eseal.terminal.LOGIN_ID", login)
    assert account_name() == pwd.getpwuid(os.getuid()).pw_name, "no such file"
    login.write_text(str(NO_LOGIN))
    assert account_name() == pwd.getpwuid(os.getuid()).pw_name
    login.write_text("1")
    assert account_name() == pwd.getpwuid(1).pw_name, "also after sudo"
    login.write_text("3999999999")
    assert account_name() == "3999999999"


def test_what_others_wrote_does_not_move_the_cursor() -> None:
    assert plain("审批\x1b[2J\n\u202egnp.exe") == "审批\\x1b[2J\\n\\u202egnp.exe"

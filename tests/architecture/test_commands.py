"""The command lines that pages show are ones the program understands."""

import re
import shlex

import click
import pytest

from eseal.cli import cli, hoist
from tests.architecture.tree import PROJECT

PAGES = ("README.md", "README.zh-CN.md", "docs/operations.md", "docs/api.md")
LINE = re.compile(r"^(?:\.venv/bin/)?eseal (.+)$", re.MULTILINE)
INLINE = re.compile(r"`eseal ([a-z][^`]*)`")


def _shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = (PROJECT / page).read_text("utf-8")
        found += [(page, line) for line in LINE.findall(text) + INLINE.findall(text)]
    return found


def _unknown(words: list[str]) -> list[str]:
    """Return the commands and options that the program does not know, in their place."""
    command: click.Command = cli
    unknown = []
    waiting = iter(words)
    for word in waiting:
        if word.startswith("--"):
            options = {name: option for option in command.params for name in option.opts}
            option = options.get(word)
            if option is None and word != "--help":
                unknown.append(word)
            elif isinstance(option, click.Option) and not option.is_flag:
                next(waiting, None)
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return [*unknown, word]
            command = command.commands[word]
    return unknown


def test_pages_show_commands() -> None:
    assert len(_shown()) > 6


@pytest.mark.parametrize(("page", "line"), _shown())
def test_a_shown_command_line_is_understood(page: str, line: str) -> None:
    assert _unknown(hoist(shlex.split(line, comments=True))) == [], page


def test_an_option_in_the_wrong_place_is_seen() -> None:
    assert _unknown(["licence", "--no-such-option", "show", "X"]) == ["--no-such-option"]
    assert _unknown(["no-such-command"]) == ["no-such-command"]

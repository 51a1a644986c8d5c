"""``eseal doctor``: tell what ``eseal.doctor`` found, and end with 1 where something is broken."""

from collections.abc import Callable
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eseal.doctor import Finding, Health, examine
from eseal.settings import Settings
from keys.clock import Clock

BROKEN = 1
_STYLES = {Health.GOOD: "green", Health.WARNING: "yellow", Health.BROKEN: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorTools:
    """What the command works with; nothing is opened yet."""

    settings: Settings
    clock: Clock
    console: Console
    tell_json: Callable[[object], None] | None
    """Prints JSON where that was asked for."""


def add_commands(root: click.Group, opened: Callable[[click.Context], DoctorTools]) -> None:
    """Put ``doctor`` under ``root``."""

    @root.command("doctor")
    @click.pass_context
    def doctor(ctx: click.Context) -> None:
        """Look at keys, certificates, lists, database, fonts, disk and what ends soon.

        Ends with 1 where something is broken or overdue.
        """
        tools = opened(ctx)
        findings = examine(tools.settings, tools.clock)
        if tools.tell_json is not None:
            tools.tell_json([_wire(finding) for finding in findings])
        else:
            tools.console.print(_table(findings))
        if any(finding.health is Health.BROKEN for finding in findings):
            ctx.exit(BROKEN)


def _wire(finding: Finding) -> dict[str, str]:
    return {
        "name": finding.name,
        "health": finding.health.value,
        "detail": finding.detail,
        "advice": finding.advice,
    }


def _table(findings: tuple[Finding, ...]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        detail = finding.detail + (f"\n{finding.advice}" if finding.advice else "")
        # As text: what is shown may hold brackets, which are no markup.
        table.add_row(
            Text(finding.health.value, style=_STYLES[finding.health]),
            Text(finding.name),
            Text(detail),
        )
    return table

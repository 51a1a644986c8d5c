"""Commands of seals: ``eseal seal-register``, ``mandate``, ``compromise``, ``seal``.

They work on the opened data folder, as the operator of one authority. Commands only read their
words, call one function, and print.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import click

from seal_service.decisions import cli as decisions_cli
from seal_service.decisions.cli import DecisionTools, seal_facts
from seal_service.decisions.mandates import cli as mandates_cli
from seal_service.pictures.cli import design_options, read_words
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.instants import instant
from seal_service.sealing import Sealer
from seal_service.sealings import cli as sealings_cli
from seal_service.seals.bureau import People, SealBureau
from seal_service.seals.design import PLAIN, SealDesign, SealShape
from seal_service.seals.model import SealApplication, SealFace, SealKind
from seal_service.seals.request_desk import RequestDesk
from seal_service.seals.statements import StatementSigner
from seal_service.seals.states import STATE_NAMES
from seal_service.wire import event_to_wire, listed_to_wire, seal_to_wire, status_to_wire

Facts = list[tuple[str, str]]
_YEARS = click.IntRange(1, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealTools:
    """What the commands work with."""

    bureau: SealBureau
    desk: RequestDesk
    signer: Callable[[], StatementSigner]
    """Signs what anyone may know of a seal."""
    sealer: Sealer
    database: Database
    clock: Clock
    operator: Caller
    tell: Callable[[object, Facts], None]
    """Print a result: the value as JSON when that was asked for, else the facts as a table."""
    tell_rows: Callable[[object, list[str], list[list[str]]], None]


OpenSeals = Callable[[click.Context], SealTools]


def add_commands(root: click.Group, opened: OpenSeals) -> None:
    """Put the commands of seals under ``root``."""
    group = click.Group("seal-register", help="Lead seals through their life, list and ask.")
    group.add_command(_set_up_command(opened))
    group.add_command(_apply_command(opened))
    group.add_command(_list_command(opened))
    group.add_command(_status_command(opened))
    group.add_command(_history_command(opened))

    def decisions(ctx: click.Context) -> DecisionTools:
        return _decision_tools(opened(ctx))

    decisions_cli.add_steps(group, decisions)
    root.add_command(group)
    root.add_command(mandates_cli.build_mandate_group(decisions))
    root.add_command(decisions_cli.build_compromise_command(decisions))
    root.add_command(sealings_cli.build_command(opened))


def _decision_tools(tools: SealTools) -> DecisionTools:
    return DecisionTools(
        bureau=tools.bureau,
        desk=tools.desk,
        clock=tools.clock,
        operator=tools.operator,
        tell=tools.tell,
        tell_rows=tools.tell_rows,
    )


def _apply_command(opened: OpenSeals) -> click.Command:
    @click.command("apply")
    @click.option("--name", required=True, help="Name of the body, around the star.")
    @click.option("--purpose", default="", help="Line below the star of a special seal.")
    @click.option("--number", default="", help="Registered seal code along the rim.")
    @click.option("--diameter", type=click.FloatRange(10, 80), default=42.0, help="Or width, mm.")
    @click.option(
        "--kind",
        type=click.Choice([kind.value for kind in SealKind]),
        help="Default as shape and purpose.",
    )
    @design_options
    @click.option("--years", type=_YEARS, default=3, show_default=True)
    @click.option("--replaces", help="The seal this one takes the place of.")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def apply(ctx: click.Context, /, **words: object) -> None:
        """Apply for a seal, as the person at this terminal; another one approves."""
        tools = opened(ctx)
        replaces = words["replaces"]
        application = replace(
            _application(tools, words),
            predecessor_seal_id=None if replaces is None else str(replaces),
        )
        seal = tools.bureau.apply(
            application,
            applicant=tools.operator.caller_id,
            basis_document=str(words["basis"]),
            reason=str(words["reason"]),
        )
        tools.tell(seal_to_wire(seal).model_dump(mode="json"), seal_facts(seal))

    return apply


def _set_up_command(opened: OpenSeals) -> click.Command:
    @click.command("set-up")
    @click.option("--name", required=True, help="Name of the body, around the star.")
    @click.option("--purpose", default="", help="Line below the star of a special seal.")
    @click.option("--number", default="", help="Registered seal code along the rim.")
    @click.option("--diameter", type=click.FloatRange(20, 60), default=42.0, show_default=True)
    @click.option("--years", type=_YEARS, default=3, show_default=True)
    @click.option("--basis", required=True, help="The decision the seal rests on.")
    @click.option("--applicant", required=True)
    @click.option("--approver", required=True)
    @click.option("--maker", required=True)
    @click.option("--manager", required=True, help="Who files, issues and activates it.")
    @click.option("--type", "types", multiple=True, help="Licence types it may seal; default all.")
    @click.pass_context
    def set_up(ctx: click.Context, /, **words: object) -> None:
        """Lead a new seal all the way into use at once, for a trial; it names four persons."""
        tools = opened(ctx)
        seal = tools.bureau.register_made_seal(
            _application(tools, words),
            People(
                applicant=str(words["applicant"]),
                approver=str(words["approver"]),
                maker=str(words["maker"]),
                manager=str(words["manager"]),
            ),
            basis_document=str(words["basis"]),
            licence_type_codes=_types(words["types"]),
        )
        tools.tell(seal_to_wire(seal).model_dump(mode="json"), seal_facts(seal))

    return set_up


def _types(chosen: object) -> list[str | None]:
    return [str(code) for code in chosen] if isinstance(chosen, tuple) and chosen else [None]


def _application(tools: SealTools, words: dict[str, object]) -> SealApplication:
    now = tools.clock.now().replace(microsecond=0)
    purpose = str(words["purpose"])
    design = read_words(words) if "shape" in words else PLAIN
    return SealApplication(
        authority_code=tools.operator.authority_code,
        kind=_kind(words, design, purpose),
        face=SealFace(
            name=str(words["name"]),
            line_below=purpose,
            number=str(words["number"]),
            diameter_mm=float(str(words["diameter"])),
            design=design,
        ),
        valid_from=now,
        valid_until=now + timedelta(days=365 * int(str(words["years"]))),
    )


def _kind(words: dict[str, object], design: SealDesign, purpose: str) -> SealKind:
    """Return the kind that was said, else the usual one of the shape."""
    if words.get("kind") is not None:
        return SealKind(str(words["kind"]))
    if design.shape is SealShape.NAME:
        return SealKind.PERSONAL
    if design.shape in (SealShape.OVAL, SealShape.BLOCK):
        return SealKind.BUSINESS
    return SealKind.LICENCE if purpose else SealKind.OFFICIAL


def _list_command(opened: OpenSeals) -> click.Command:
    @click.command("list")
    @click.option("--search", default="", help="Part of the name, or beginning of id or number.")
    @click.option("--limit", type=click.IntRange(1, 100), default=50, show_default=True)
    @click.pass_context
    def list_(ctx: click.Context, search: str, limit: int) -> None:
        """List the seals of the authority, newest first."""
        tools = opened(ctx)
        seals = tools.bureau.list_seals(
            tools.operator.authority_code, state=None, search=search, after=None, limit=limit
        )
        rows = [
            [s.seal_id, s.name, STATE_NAMES[s.state], instant(s.application.valid_until)]
            for s in seals
        ]
        wires = [listed_to_wire(seal).model_dump(mode="json") for seal in seals]
        tools.tell_rows(wires, ["seal", "name", "state", "valid until"], rows)

    return list_


def _status_command(opened: OpenSeals) -> click.Command:
    @click.command("status")
    @click.argument("seal_id")
    @click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="Instant in UTC.")
    @click.pass_context
    def status(ctx: click.Context, seal_id: str, at: datetime | None) -> None:
        """Tell the state of a seal, now or as of an instant; with --json as a signed statement."""
        tools = opened(ctx)
        when = None if at is None else at.replace(tzinfo=UTC)
        statement, signature = tools.bureau.public_status(seal_id, when, tools.signer())
        wire = status_to_wire(statement, signature).model_dump(mode="json")
        tools.tell(wire, [(name, str(value)) for name, value in statement.items()])

    return status


def _history_command(opened: OpenSeals) -> click.Command:
    @click.command("history")
    @click.argument("seal_id")
    @click.pass_context
    def history(ctx: click.Context, seal_id: str) -> None:
        """Tell every step of a seal's life."""
        tools = opened(ctx)
        events = tools.bureau.history(tools.operator.authority_code, seal_id)
        wires = [event_to_wire(event).model_dump(mode="json") for event in events]
        rows = [[str(value) for value in wire.values()] for wire in wires]
        tools.tell_rows(wires, list(wires[0]) if wires else [], rows)

    return history

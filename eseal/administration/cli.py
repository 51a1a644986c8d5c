"""Commands of administration: ``eseal caller``, ``eseal key`` and ``eseal service``.

Whoever is at the terminal acts, under the name of their account; what needs two people needs two
accounts (ADR 0016).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from eseal.administration.certificates import instant_text
from eseal.administration.desk import Deciding, ServiceDesk, Wanted, join_halves
from eseal.administration.operations import (
    AddCaller,
    CallerOperation,
    CertificateOperation,
    ChangeScopes,
    ReplaceSecret,
)
from eseal.administration.schemas import (
    caller_answer,
    filed_to_wire,
    key_answer,
    public_key_answer,
    request_to_wire,
)
from keys.errors import KeyStoreUnavailable
from keys.signers import SELF_TEST, MeteredKeyMaker
from seal_service.decisions.cli import read_digest
from seal_service.seals.requests import SealRequest

Facts = list[tuple[str, str]]
_INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTools:
    """What the commands work with."""

    desk: ServiceDesk
    keys: MeteredKeyMaker
    account: str
    """Who acts: the person at this terminal."""
    tell: Callable[[object, Facts], None]
    tell_rows: Callable[[object, list[str], list[list[str]]], None]


OpenService = Callable[[click.Context], ServiceTools]


def add_commands(root: click.Group, opened: OpenService) -> None:
    """Put the three groups under ``root``."""
    service = click.Group("service", help="Requests about the service that two people decide.")
    service.add_command(_requests_command(opened))
    service.add_command(_show_command(opened))
    service.add_command(_decision_command(opened, "confirm", "Confirm a request, have it done."))
    service.add_command(_decision_command(opened, "refuse", "Close a request without doing it."))
    callers = click.Group("caller", help="The calling programs and what they may do.")
    for make in (
        _list_command,
        _add_command,
        _scopes_command,
        _secret_command,
        _join_command,
        _disable_command,
    ):
        callers.add_command(make(opened))
    keys = click.Group("key", help="The keys in the key store; they never leave it.")
    for make in (_keys_command, _key_command, _check_command):
        keys.add_command(make(opened))
    for group in (service, callers, keys):
        root.add_command(group)


def _facts(request: SealRequest) -> Facts:
    wire = request_to_wire(request)
    return [
        ("request", request.request_id),
        ("asks", _words(request)),
        ("applicant", request.applicant),
        ("state", request.state.value),
        ("expires", instant_text(request.expires_at)),
        ("digest", wire.request_digest),
    ]


def _words(request: SealRequest) -> str:
    """Say in a few words what is asked."""
    operation = dict(request_to_wire(request).operation)
    name = operation.pop("operation")
    subject = next(
        operation[one] for one in ("caller_id", "serial", "key_name", "code") if one in operation
    )
    return f"{name} {subject}"


def file_request(
    tools: ServiceTools,
    operation: CertificateOperation | CallerOperation,
    basis: str,
    reason: str,
) -> None:
    """File a request as the person at this terminal, and print it."""
    wanted = Wanted(
        applicant=tools.account, operation=operation, basis_document=basis, reason=reason
    )
    filed = filed_to_wire(request := tools.desk.file(wanted))
    facts = _facts(request.request)
    if filed.half is not None:
        facts.append(("first half", filed.half))
    tools.tell(filed.model_dump(mode="json"), facts)


# Requests


def _requests_command(opened: OpenService) -> click.Command:
    @click.command("requests")
    @click.option("--open", "only_open", is_flag=True, help="Those that wait for a decision.")
    @click.pass_context
    def list_requests(ctx: click.Context, only_open: bool) -> None:
        """List the requests about the service, newest first."""
        tools = opened(ctx)
        found = tools.desk.list_requests(only_open=only_open)
        rows = [[one.request_id, one.applicant, one.state.value, _words(one)] for one in found]
        wires = [request_to_wire(one).model_dump(mode="json") for one in found]
        tools.tell_rows(wires, ["request", "applicant", "state", "asks"], rows)

    return list_requests


def _show_command(opened: OpenService) -> click.Command:
    @click.command("show")
    @click.argument("request_id")
    @click.pass_context
    def show(ctx: click.Context, request_id: str) -> None:
        """Show everything a request asks, and the digest that deciding names."""
        tools = opened(ctx)
        wire = request_to_wire(tools.desk.show(request_id)).model_dump(mode="json")
        asked = wire.pop("operation")
        facts = [(name, str(one)) for name, one in {**wire, **asked}.items() if one is not None]
        tools.tell({**wire, "operation": asked}, facts)

    return show


def _decision_command(opened: OpenService, name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @click.argument("request_id")
    @click.option("--digest", required=True, help="Of the request that was read.")
    @click.option("--remark", default="")
    @click.pass_context
    def decide(ctx: click.Context, request_id: str, digest: str, remark: str) -> None:
        tools = opened(ctx)
        by = Deciding(
            request_id=request_id, actor=tools.account, digest=read_digest(digest), remark=remark
        )
        done = tools.desk.confirm(by) if name == "confirm" else tools.desk.refuse(by)
        wire = request_to_wire(done.request).model_dump(mode="json")
        facts = [*_facts(done.request), *((key, str(one)) for key, one in done.outcome.items())]
        tools.tell({"request": wire, "outcome": done.outcome}, facts)

    return decide


# Callers


def _list_command(opened: OpenService) -> click.Command:
    @click.command("list")
    @click.option("--of", "code", help="Credit code of one authority.")
    @click.pass_context
    def list_callers(ctx: click.Context, code: str | None) -> None:
        """List the calling programs, ended ones too."""
        tools = opened(ctx)
        found = [caller_answer(one) for one in tools.desk.list_callers(code)]
        rows = [
            [
                one.caller_id,
                one.authority_code,
                "disabled" if one.disabled_at else one.expires_at or "",
                " ".join(one.scopes),
            ]
            for one in found
        ]
        wires = [one.model_dump(mode="json") for one in found]
        tools.tell_rows(wires, ["caller", "authority", "until", "scopes"], rows)

    return list_callers


def _add_command(opened: OpenService) -> click.Command:
    @click.command("add")
    @click.argument("caller_id")
    @click.option("--code", required=True, help="Credit code of the authority it works for.")
    @click.option("--scope", "scopes", multiple=True, required=True, help="Several times.")
    @click.option("--until", type=_INSTANT, help="UTC; when it ends.")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.pass_context
    def add(
        ctx: click.Context,
        caller_id: str,
        code: str,
        scopes: tuple[str, ...],
        until: datetime | None,
        basis: str,
    ) -> None:
        """Ask for a new caller; each account is told one half of its secret."""
        operation = AddCaller(
            operation="add-caller",
            caller_id=caller_id,
            authority_code=code,
            scopes=list(scopes),
            expires_at=None if until is None else instant_text(until.replace(tzinfo=UTC)),
        )
        file_request(opened(ctx), operation, basis, "")

    return add


def _scopes_command(opened: OpenService) -> click.Command:
    @click.command("scopes")
    @click.argument("caller_id")
    @click.option("--scope", "scopes", multiple=True, help="Several times; none takes all away.")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def change(
        ctx: click.Context, caller_id: str, scopes: tuple[str, ...], basis: str, reason: str
    ) -> None:
        """Ask to change what a caller may do; another account confirms."""
        operation = ChangeScopes(
            operation="change-scopes", caller_id=caller_id, scopes=list(scopes)
        )
        file_request(opened(ctx), operation, basis, reason)

    return change


def _secret_command(opened: OpenService) -> click.Command:
    @click.command("secret")
    @click.argument("caller_id")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def replace(ctx: click.Context, caller_id: str, basis: str, reason: str) -> None:
        """Ask for a new secret; the old one ends when another account confirms."""
        operation = ReplaceSecret(operation="replace-secret", caller_id=caller_id)
        file_request(opened(ctx), operation, basis, reason)

    return replace


def _join_command(opened: OpenService) -> click.Command:
    @click.command("join")
    @click.argument("halves", nargs=2, metavar="HALF HALF")
    @click.pass_context
    def join(ctx: click.Context, halves: tuple[str, str]) -> None:
        """Join both halves of a secret, where the calling program is set up."""
        secret = join_halves(read_digest(halves[0]), read_digest(halves[1]))
        opened(ctx).tell({"secret_hex": secret.hex()}, [("secret", secret.hex())])

    return join


def _disable_command(opened: OpenService) -> click.Command:
    @click.command("disable")
    @click.argument("caller_id")
    @click.confirmation_option(prompt="A caller that is shut out never comes back. Go on?")
    @click.pass_context
    def disable(ctx: click.Context, caller_id: str) -> None:
        """Shut a caller out, at once and for ever; this needs no second account."""
        tools = opened(ctx)
        found = caller_answer(tools.desk.disable_caller(caller_id, actor=tools.account))
        facts = [("caller", found.caller_id), ("disabled", found.disabled_at or "")]
        tools.tell(found.model_dump(mode="json"), facts)

    return disable


# Keys


def _keys_command(opened: OpenService) -> click.Command:
    @click.command("list")
    @click.pass_context
    def list_keys(ctx: click.Context) -> None:
        """List the keys with their algorithm."""
        tools = opened(ctx)
        found = [
            public_key_answer(name, tools.keys.public_key(name)) for name in tools.keys.names()
        ]
        wires = [one.model_dump(mode="json") for one in found]
        rows = [[one.name, one.algorithm, str(one.bits)] for one in found]
        tools.tell_rows(wires, ["key", "algorithm", "bits"], rows)

    return list_keys


def _key_command(opened: OpenService) -> click.Command:
    @click.command("show")
    @click.argument("name")
    @click.pass_context
    def show(ctx: click.Context, name: str) -> None:
        """Show the public half of a key."""
        tools = opened(ctx)
        found = public_key_answer(name, tools.keys.public_key(name)).model_dump(mode="json")
        tools.tell(found, [(key, str(one)) for key, one in found.items()])

    return show


def _check_command(opened: OpenService) -> click.Command:
    @click.command("check")
    @click.argument("names", nargs=-1)
    @click.pass_context
    def check(ctx: click.Context, names: tuple[str, ...]) -> None:
        """Sign a test message with each key, or with those named, and time it."""
        tools = opened(ctx)
        chosen = names or tools.keys.names()
        for name in chosen:
            tools.keys.sign_with(name, SELF_TEST)
        health = tools.keys.health()
        if not health.is_ready:
            raise KeyStoreUnavailable("the store cannot sign", reason=health.problem)
        stats = {one.name: one for one in tools.keys.stats()}
        found = [key_answer(name, stats.get(name)) for name in chosen]
        wires = [one.model_dump(mode="json") for one in found]
        rows = [[one.name, "works", f"{one.mean_ms:.2f} ms"] for one in found]
        tools.tell_rows(wires, ["key", "state", "time"], rows)

    return check

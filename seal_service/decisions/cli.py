"""Commands of single steps, requests and lost keys.

Whoever is at the terminal acts, under the name of their account: no option names another person,
so what needs two persons needs two accounts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from seal_service.decisions.schemas import (
    request_to_wire,
    use_to_wire,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.instants import instant
from seal_service.seals.bureau import SealBureau, Step
from seal_service.seals.model import Seal
from seal_service.seals.request_desk import Asked, Confirmer, RequestDesk
from seal_service.seals.requests import SealRequest
from seal_service.seals.states import ACTION_NAMES, STATE_NAMES, SealAction
from seal_service.wire import seal_to_wire

Facts = list[tuple[str, str]]

ALONE = {
    "make": SealAction.MAKE,
    "reject": SealAction.REJECT,
    "file": SealAction.FILE,
    "issue": SealAction.ISSUE,
    "activate": SealAction.ACTIVATE,
    "suspend": SealAction.SUSPEND,
    "lost": SealAction.REPORT_LOST,
}
ASKED = {
    "resume": SealAction.RESUME,
    "change": SealAction.CHANGE,
    "revoke": SealAction.REVOKE,
    "cancel": SealAction.CANCEL,
    "destroy": SealAction.DESTROY,
}
_INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ"])
_DIGEST_HEX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTools:
    """What the commands work with."""

    bureau: SealBureau
    desk: RequestDesk
    clock: Clock
    operator: Caller
    tell: Callable[[object, Facts], None]
    tell_rows: Callable[[object, list[str], list[list[str]]], None]


OpenTools = Callable[[click.Context], DecisionTools]


def add_steps(group: click.Group, opened: OpenTools) -> None:
    """Put the single steps of a seal's life under ``seal-register``."""
    group.add_command(_approve_command(opened))
    for name, action in ALONE.items():
        group.add_command(_step_command(opened, name, action))
    for name, action in ASKED.items():
        group.add_command(_request_command(opened, name, action))
    group.add_command(_requests_command(opened))
    group.add_command(_show_request_command(opened))
    group.add_command(_decision_command(opened, "confirm", "Confirm a request and have it done."))
    group.add_command(_decision_command(opened, "refuse", "Close a request without doing it."))
    group.add_command(_uses_command(opened))


def build_compromise_command(opened: OpenTools) -> click.Command:
    """Build ``eseal compromise``."""

    @click.command("compromise")
    @click.argument("seal_id")
    @click.option("--since", required=True, type=_INSTANT, help="Instant in UTC.")
    @click.option("--basis", required=True, help="The finding it rests on.")
    @click.option("--reason", required=True)
    @click.pass_context
    def compromise(
        ctx: click.Context, seal_id: str, since: datetime, basis: str, reason: str
    ) -> None:
        """Ask to declare the key of a seal lost; another account confirms the request.

        Suspend the seal first where that may take time.
        """
        tools = opened(ctx)
        asked = asked_by(tools, seal_id, basis, reason)
        tell_request(tools, tools.desk.file_compromise(asked, since.replace(tzinfo=UTC)))

    return compromise


def seal_facts(seal: Seal) -> Facts:
    """Return what a table shows of one seal."""
    application = seal.application
    period = f"{instant(application.valid_from)} – {instant(application.valid_until)}"
    facts = [
        ("seal", seal.seal_id),
        ("name", seal.name),
        ("state", f"{STATE_NAMES[seal.state]} ({seal.state.value})"),
        ("valid", period),
        ("applicant", seal.applicant),
    ]
    return [*facts, ("digest", application.digest.hex())]


def asked_by(tools: DecisionTools, seal_id: str, basis: str, reason: str) -> Asked:
    """Return who asks: the account at this terminal."""
    return Asked(
        authority_code=tools.operator.authority_code,
        seal_id=seal_id,
        applicant=tools.operator.caller_id,
        basis_document=basis,
        reason=reason,
    )


def _step(tools: DecisionTools, basis: str, reason: str) -> Step:
    actor = tools.operator.caller_id
    return Step(applicant=actor, approver=actor, basis_document=basis, reason=reason)


def _tell_seal(tools: DecisionTools, seal: Seal) -> None:
    tools.tell(seal_to_wire(seal).model_dump(mode="json"), seal_facts(seal))


def tell_request(tools: DecisionTools, request: SealRequest) -> None:
    """Print a request, with the digest that a decision names."""
    wire = request_to_wire(request).model_dump(mode="json")
    facts = [
        ("request", request.request_id),
        ("seal", request.seal_id),
        ("asks", request_words(request)),
        ("applicant", request.applicant),
        ("state", request.state.value),
        ("expires", instant(request.expires_at)),
        ("digest", request.digest.hex()),
    ]
    tools.tell(wire, facts)


def request_words(request: SealRequest) -> str:
    """Say in a few words what is asked."""
    content = request_to_wire(request).content
    if "action" in content:
        action = SealAction(str(content["action"]))
        return f"{ACTION_NAMES[action]} ({action.value})"
    return f"{request.kind.value} {content.get('since', '')}".strip()


# Steps


def _approve_command(opened: OpenTools) -> click.Command:
    @click.command("approve")
    @click.argument("seal_id")
    @click.option("--digest", required=True, help="Of the application that was read.")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def approve(ctx: click.Context, seal_id: str, digest: str, basis: str, reason: str) -> None:
        """Approve exactly one application; not one's own."""
        tools = opened(ctx)
        step, tenant = _step(tools, basis, reason), tools.operator.authority_code
        _tell_seal(tools, tools.bureau.approve(tenant, seal_id, step, read_digest(digest)))

    return approve


def read_digest(text: str) -> bytes:
    """Read 64 hexadecimal digits; raises ``click.UsageError``."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) * 2 != _DIGEST_HEX:
        raise click.UsageError("a digest has 64 hexadecimal digits")
    return digest


def _step_command(opened: OpenTools, name: str, action: SealAction) -> click.Command:
    @click.command(name, help=f"{ACTION_NAMES[action]}: {action.value.replace('_', ' ')}.")
    @click.argument("seal_id")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def step(ctx: click.Context, seal_id: str, basis: str, reason: str) -> None:
        tools = opened(ctx)
        tenant, done = tools.operator.authority_code, _step(tools, basis, reason)
        if action is SealAction.MAKE:
            _tell_seal(tools, tools.bureau.make(tenant, seal_id, done))
        else:
            _tell_seal(tools, tools.bureau.move(tenant, seal_id, action, done))

    return step


def _request_command(opened: OpenTools, name: str, action: SealAction) -> click.Command:
    words = f"{ACTION_NAMES[action]}: ask to {name}; another account confirms the request."

    @click.command(name, help=words)
    @click.argument("seal_id")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", required=True)
    @click.pass_context
    def request(ctx: click.Context, seal_id: str, basis: str, reason: str) -> None:
        tools = opened(ctx)
        asked = asked_by(tools, seal_id, basis, reason)
        tell_request(tools, tools.desk.file_move(asked, action))

    return request


# Requests


def _requests_command(opened: OpenTools) -> click.Command:
    @click.command("requests")
    @click.argument("seal_id")
    @click.pass_context
    def requests(ctx: click.Context, seal_id: str) -> None:
        """List the requests about a seal, newest first."""
        tools = opened(ctx)
        found = tools.desk.list_requests(tools.operator.authority_code, seal_id)
        wires = [request_to_wire(request).model_dump(mode="json") for request in found]
        rows = [
            [one.request_id, one.applicant, one.state.value, request_words(one)] for one in found
        ]
        tools.tell_rows(wires, ["request", "applicant", "state", "asks"], rows)

    return requests


def _show_request_command(opened: OpenTools) -> click.Command:
    @click.command("request")
    @click.argument("seal_id")
    @click.argument("request_id")
    @click.pass_context
    def show(ctx: click.Context, seal_id: str, request_id: str) -> None:
        """Show everything a request asks, and the digest that deciding names."""
        tools = opened(ctx)
        found = tools.desk.show_request(tools.operator.authority_code, seal_id, request_id)
        wire = request_to_wire(found).model_dump(mode="json")
        shown = {**wire, **wire["content"], "content": None}
        facts = [(name, str(one)) for name, one in shown.items() if one is not None]
        tools.tell(wire, facts)

    return show


def _decision_command(opened: OpenTools, name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @click.argument("seal_id")
    @click.argument("request_id")
    @click.option("--digest", required=True, help="Of the request that was read.")
    @click.option("--remark", default="")
    @click.pass_context
    def decide(ctx: click.Context, seal_id: str, request_id: str, digest: str, remark: str) -> None:
        tools = opened(ctx)
        by = Confirmer(
            authority_code=tools.operator.authority_code,
            seal_id=seal_id,
            request_id=request_id,
            actor=tools.operator.caller_id,
            digest=read_digest(digest),
            remark=remark,
        )
        decided = tools.desk.confirm(by) if name == "confirm" else tools.desk.refuse(by)
        tell_request(tools, decided)

    return decide


def _uses_command(opened: OpenTools) -> click.Command:
    @click.command("uses")
    @click.argument("seal_id")
    @click.option("--since", type=_INSTANT, default="2000-01-01T00:00:00Z", help="Instant in UTC.")
    @click.option("--after", type=int, default=0, help="Serial of the last use already seen.")
    @click.pass_context
    def uses(ctx: click.Context, seal_id: str, since: datetime, after: int) -> None:
        """List what was sealed with a seal's keys since an instant."""
        tools = opened(ctx)
        found = tools.desk.sealed_since(
            tools.operator.authority_code, seal_id, since.replace(tzinfo=UTC), after=after
        )
        wires = [use_to_wire(use).model_dump(mode="json") for use in found]
        rows = [
            [str(use.serial), instant(use.committed_at), use.format, use.subject, use.case_number]
            for use in found
        ]
        tools.tell_rows(wires, ["serial", "released", "form", "subject", "case"], rows)

    return uses

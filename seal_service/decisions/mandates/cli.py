"""Commands of mandates: ``eseal mandate``."""

from datetime import timedelta

import click

from seal_service.decisions.cli import DecisionTools, OpenTools, asked_by, tell_request
from seal_service.decisions.schemas import HoursBody, mandate_to_wire
from seal_service.seals.model import MandateGrant, MandateLimits
from seal_service.seals.request_desk import Withdrawal


def build_mandate_group(opened: OpenTools) -> click.Group:
    """Build ``eseal mandate``."""
    group = click.Group("mandate", help="Who may use which seal for what.")
    group.add_command(_grant_command(opened))
    group.add_command(_mandates_command(opened))
    group.add_command(_withdraw_command(opened))
    return group


def _grant_command(opened: OpenTools) -> click.Command:
    @click.command("grant")
    @click.argument("seal_id")
    @click.option("--caller", help="The caller that may use it; default any of the authority.")
    @click.option("--type", "types", multiple=True, help="Licence type or kind of document.")
    @click.option("--matter", "matters", multiple=True, help="Service item code.")
    @click.option("--hours", type=(str, str), help="Hours of the day, such as 08:30 17:30.")
    @click.option("--daily", type=click.IntRange(min=1), help="Most uses a day.")
    @click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.option("--reason", default="")
    @click.pass_context
    def grant(ctx: click.Context, /, **words: object) -> None:
        """Ask for a mandate; it begins when another account confirms the request."""
        tools = opened(ctx)
        wanted = read_grant(tools, words)
        asked = asked_by(tools, wanted.seal_id, wanted.basis_document, str(words["reason"]))
        tell_request(tools, tools.desk.file_mandate(asked, wanted))

    return grant


def read_grant(tools: DecisionTools, words: dict[str, object]) -> MandateGrant:
    """Turn the words of ``mandate grant`` into a grant; raises ``InvalidSealOrder``."""
    now = tools.clock.now().replace(microsecond=0)
    types, hours, daily, caller = _words(words["types"]), words["hours"], words["daily"], None
    if words["caller"] is not None:
        caller = str(words["caller"])
    limits = MandateLimits(
        type_codes=types if len(types) > 1 else (),
        matter_codes=_words(words["matters"]),
        hours=_hours(hours),
        daily_count=None if daily is None else int(str(daily)),
    )
    return MandateGrant(
        authority_code=tools.operator.authority_code,
        seal_id=str(words["seal_id"]),
        caller_id=caller,
        licence_type_code=types[0] if len(types) == 1 else None,
        valid_from=now,
        valid_until=now + timedelta(days=int(str(words["days"]))),
        applicant=tools.operator.caller_id,
        approver="",
        basis_document=str(words["basis"]),
        limits=limits,
    )


def _words(chosen: object) -> tuple[str, ...]:
    return tuple(map(str, chosen)) if isinstance(chosen, tuple) else ()


def _hours(chosen: object) -> tuple[int, int] | None:
    if not isinstance(chosen, tuple):
        return None
    begin, end = map(str, chosen)
    return HoursBody(begin=begin, end=end).to_minutes()


def _mandates_command(opened: OpenTools) -> click.Command:
    @click.command("list")
    @click.argument("seal_id")
    @click.pass_context
    def list_(ctx: click.Context, seal_id: str) -> None:
        """List the mandates of a seal, ended ones too."""
        tools = opened(ctx)
        found = tools.bureau.mandates(tools.operator.authority_code, seal_id)
        wires = [mandate_to_wire(mandate) for mandate in found]
        rows = [
            [
                str(one.mandate_id),
                one.caller_id or "any",
                " ".join(one.type_codes) or "any",
                " ".join(one.matter_codes) or "any",
                "any" if one.hours is None else f"{one.hours.begin}–{one.hours.end}",
                "any" if one.daily_count is None else str(one.daily_count),
                one.withdrawn_at or one.valid_until,
            ]
            for one in wires
        ]
        head = ["mandate", "caller", "types", "matters", "hours", "daily", "until"]
        tools.tell_rows([one.model_dump(mode="json") for one in wires], head, rows)

    return list_


def _withdraw_command(opened: OpenTools) -> click.Command:
    @click.command("withdraw")
    @click.argument("seal_id")
    @click.argument("mandate_id", type=int)
    @click.option("--reason", required=True)
    @click.pass_context
    def withdraw(ctx: click.Context, seal_id: str, mandate_id: int, reason: str) -> None:
        """End a mandate at once."""
        tools = opened(ctx)
        ended = tools.desk.withdraw_mandate(
            tools.operator.authority_code,
            seal_id,
            mandate_id,
            Withdrawal(actor=tools.operator.caller_id, reason=reason),
        )
        wire = mandate_to_wire(ended).model_dump(mode="json")
        tools.tell(wire, [("mandate", str(mandate_id)), ("ended", str(wire["withdrawn_at"]))])

    return withdraw

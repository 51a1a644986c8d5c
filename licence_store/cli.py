"""Commands of the licence library: ``eseal licence``, ``present``, ``redeem``, ``qr``.

They work on the opened data folder, as the operator of one authority. Commands only read their
words, call one function, and print.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import ValidationError

from licence_store.desk import PresentationDesk, PresentationWish
from licence_store.errors import FieldFault, InvalidRequest
from licence_store.library import RevocationOrder
from licence_store.model import FileFormat, Licence
from licence_store.office import LicenceOffice
from licence_store.presentation import LONGEST_SECONDS, SHORTEST_SECONDS
from licence_store.qr import qr_matrix, terminal_picture
from licence_store.schemas import ApprovalResultBody
from licence_store.states import RevocationKind
from licence_store.wire import licence_to_wire, presentation_to_wire, release_to_wire
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.strict_json import read_json

Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTools:
    """What the commands work with."""

    office: LicenceOffice
    desk: PresentationDesk
    clock: Clock
    operator: Caller
    tell: Callable[[object, Facts], None]
    """Print a result: the value as JSON when that was asked for, else the facts as a table."""


OpenLibrary = Callable[[click.Context], LibraryTools]


def add_commands(root: click.Group, opened: OpenLibrary) -> None:
    """Put the commands of the library under ``root``."""
    group = click.Group("licence", help="Issue, show and revoke licences.")
    group.add_command(_issue_command(opened))
    group.add_command(_show_command(opened))
    group.add_command(_revoke_command(opened))
    root.add_command(group)
    root.add_command(_present_command(opened))
    root.add_command(_redeem_command(opened))
    root.add_command(_qr_command(opened))


def _wire(tools: LibraryTools, licence: Licence) -> dict[str, object]:
    link = tools.office.qr_link(licence.authority_code, licence.identifier)
    return licence_to_wire(licence, link).model_dump(mode="json")


def _facts(wire: dict[str, object]) -> Facts:
    holder, files = wire["holder"], wire["files"]
    facts = [
        ("identifier", str(wire["identifier"])),
        ("licence", f"{wire['licence_type_name']} {wire['licence_number']}"),
        ("holder", str(holder["name"]) if isinstance(holder, dict) else ""),
        ("state", f"{wire['state_name']} ({wire['state']})"),
        ("valid", f"{wire['valid_from']} – {wire['valid_until'] or '长期'}"),
        ("case", str(wire["case_number"])),
        ("QR link", str(wire["qr_url"])),
    ]
    if isinstance(files, dict):
        facts += [
            (form, f"{file['size']} bytes, SM3 {file['digest']}") for form, file in files.items()
        ]
    revocation = wire["revocation"]
    if isinstance(revocation, dict):
        facts.append(("ended", f"{revocation['revoked_at']}: {revocation['reason']}"))
    return facts


def _issue_command(opened: OpenLibrary) -> click.Command:
    @click.command("issue")
    @click.argument("approval_result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--key", help="Idempotency key; by default it follows from the case number.")
    @click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files."
    )
    @click.pass_context
    def issue(ctx: click.Context, approval_result: Path, key: str | None, out: Path | None) -> None:
        """Issue a licence from an approval result (JSON, as the API takes it)."""
        tools = opened(ctx)
        body = _read_body(approval_result)
        key = key or f"cli-{body.case_number}"
        issued = tools.office.issue(tools.operator, body.to_approval_result(), key)
        wire = _wire(tools, issued.licence)
        facts = _facts(wire)
        if out is not None:
            facts += _write_files(tools, issued.licence, out)
        tools.tell(wire, facts)

    return issue


def _read_body(path: Path) -> ApprovalResultBody:
    """Read an approval result as strictly as the API does."""
    value = read_json(path.read_bytes())
    try:
        return ApprovalResultBody.model_validate(value)
    except ValidationError as error:
        faults = tuple(
            FieldFault(pointer="/" + "/".join(map(str, fault["loc"])), detail=str(fault["msg"]))
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise InvalidRequest(faults) from None


def _write_files(tools: LibraryTools, licence: Licence, out: Path) -> Facts:
    out.mkdir(parents=True, exist_ok=True)
    facts = []
    for form in FileFormat:
        path = out / f"{licence.identifier}.{form.value}"
        path.write_bytes(tools.office.read_file(licence, form))
        facts.append((f"{form.value} file", str(path)))
    return facts


def _show_command(opened: OpenLibrary) -> click.Command:
    @click.command("show")
    @click.argument("identifier")
    @click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files."
    )
    @click.pass_context
    def show(ctx: click.Context, identifier: str, out: Path | None) -> None:
        """Show what the library holds of a licence."""
        tools = opened(ctx)
        licence = tools.office.show(tools.operator, identifier)
        wire = _wire(tools, licence)
        facts = _facts(wire)
        if out is not None:
            facts += _write_files(tools, licence, out)
        tools.tell(wire, facts)

    return show


def _revoke_command(opened: OpenLibrary) -> click.Command:
    @click.command("revoke")
    @click.argument("identifier")
    @click.option(
        "--kind",
        type=click.Choice([kind.value for kind in RevocationKind]),
        default=RevocationKind.REVOKED.value,
        show_default=True,
        help="revoked 吊销, withdrawn 撤销, cancelled 注销, ...",
    )
    @click.option("--reason", required=True, help="Why, in words the public page shows.")
    @click.option("--basis", required=True, help="The decision it rests on.")
    @click.pass_context
    def revoke(ctx: click.Context, identifier: str, kind: str, reason: str, basis: str) -> None:
        """End the force of a licence."""
        tools = opened(ctx)
        order = RevocationOrder(
            authority_code=tools.operator.authority_code,
            identifier=identifier,
            kind=RevocationKind(kind),
            reason=reason,
            basis_document=basis,
            caller_id=tools.operator.caller_id,
            now=tools.clock.now(),
        )
        wire = _wire(tools, tools.office.revoke(order))
        tools.tell(wire, _facts(wire))

    return revoke


def _present_command(opened: OpenLibrary) -> click.Command:
    @click.command("present")
    @click.argument("identifier")
    @click.option("--purpose", required=True, help="What the licence is shown for.")
    @click.option("--item", help="Service item code; then only this matter may redeem it.")
    @click.option(
        "--seconds",
        type=click.IntRange(SHORTEST_SECONDS, LONGEST_SECONDS),
        default=120,
        show_default=True,
    )
    @click.pass_context
    def present(
        ctx: click.Context, identifier: str, purpose: str, item: str | None, seconds: int
    ) -> None:
        """Make a one-time code that shows a licence, as its holder would."""
        tools = opened(ctx)
        holder = tools.office.show(tools.operator, identifier).approval_result.holder
        made = tools.desk.present(
            tools.operator,
            PresentationWish(
                identifier=identifier,
                holder_code=holder.code,
                holder_code_type=holder.code_type,
                purpose=purpose,
                service_item_code=item,
                lifetime_seconds=seconds,
            ),
        )
        wire = presentation_to_wire(made).model_dump(mode="json")
        facts = [
            ("code", made.code),
            ("purpose", made.purpose),
            ("until", str(wire["expires_at"])),
            ("", "\n" + terminal_picture(qr_matrix(made.code))),
        ]
        tools.tell(wire, facts)

    return present


def _redeem_command(opened: OpenLibrary) -> click.Command:
    @click.command("redeem")
    @click.argument("code")
    @click.option("--item", default="CLI-0001", show_default=True, help="Service item code.")
    @click.option("--case", "case_number", help="Case number; by default a random one.")
    @click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files."
    )
    @click.pass_context
    def redeem(
        ctx: click.Context, code: str, item: str, case_number: str | None, out: Path | None
    ) -> None:
        """Redeem a one-time code, as an approval system would."""
        tools = opened(ctx)
        released = tools.desk.redeem(
            tools.operator,
            code=code,
            service_item_code=item,
            case_number=case_number or f"CLI-{secrets.token_hex(6)}",
        )
        wire = release_to_wire(released).model_dump(mode="json")
        licence = released.licence
        facts = [("identifier", licence.identifier), ("purpose", released.purpose)]
        facts += sorted(licence.approval_result.face_data.items())
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for file, content in released.files:
                path = out / f"{licence.identifier}.{file.format.value}"
                path.write_bytes(content)
                facts.append((f"{file.format.value} file", str(path)))
        tools.tell(wire, facts)

    return redeem


def _qr_command(opened: OpenLibrary) -> click.Command:
    @click.command("qr")
    @click.argument("identifier")
    @click.pass_context
    def qr(ctx: click.Context, identifier: str) -> None:
        """Print the QR code of a licence in the terminal."""
        tools = opened(ctx)
        licence = tools.office.show(tools.operator, identifier)
        link = tools.office.qr_link(licence.authority_code, licence.identifier)
        picture = terminal_picture(qr_matrix(link))
        tools.tell({"identifier": identifier, "qr_url": link}, [("", picture), ("", link)])

    return qr

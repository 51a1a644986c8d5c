"""``eseal``: the command line. Sets up, serves, and carries the commands of every package.

Every refusal is one of our errors: told in Chinese and English with what to do, exit status 2.
"""

import json
import logging
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

import eseal.administration.cli
import eseal.ca_cli
import eseal.doctor_cli
import licence_store.cli
import seal_service.cli
import seal_service.pictures.cli
import verifier.cli
import verifier.receipts.cli
from eseal.administration.building import build_service_desk
from eseal.demo import Demo
from eseal.docs import write_documents
from eseal.errors import AuthorityNeeded
from eseal.installation import Installation, make_installation, open_installation
from eseal.main import Part, Service, build_api, build_app, build_service
from eseal.maintenance import Repeater, sweep_files
from eseal.migrations.runner import migrate
from eseal.outside import build_outside
from eseal.server import run_server
from eseal.settings import PROJECT, Settings
from eseal.terminal import account_name, plain
from eseal.trial import ALL_SCOPES, ensure_caller, ensure_seal
from eseal.version import VERSION
from keys.errors import ServiceError
from licence_store.model import IssuingAuthority
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.callers import list_tenants
from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.database import Database
from seal_service.plumbing.logging import set_up_logging

REFUSED = 2
SHARED_OPTIONS = {"--data": True, "--authority": True, "--json": False}
"""Whether each takes a value."""
Facts = list[tuple[str, str]]


@dataclass(kw_only=True)
class Front:
    """What all commands share: settings, how to print, and the service once it is opened."""

    settings: Settings
    is_json: bool
    authority_code: str | None
    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    _service: Service | None = None

    def service(self) -> Service:
        """Open the data folder at the first call."""
        if self._service is None:
            self._service = build_service(open_installation(self.settings))
        return self._service

    def installation(self) -> Installation:
        """Open the data folder without what issuing needs."""
        return self._service.installation if self._service else open_installation(self.settings)

    def operator(self) -> Caller:
        """Return who acts: the person at this terminal, for one authority."""
        code = self.authority_code or self._only_authority()
        return Caller(caller_id=self.account(), authority_code=code, scopes=ALL_SCOPES)

    def account(self) -> str:
        """Return the name under which the person at this terminal acts."""
        return f"cli:{account_name()}"[:64]

    def _only_authority(self) -> str:
        with self.service().installation.database.reading() as connection:
            codes = list_tenants(connection)
        if len(codes) != 1:
            raise AuthorityNeeded(known=", ".join(codes) or "none")
        return codes[0]

    def tell(self, value: object, facts: Facts) -> None:
        """Print one result."""
        if self.is_json:
            self.tell_json(value)
            return
        width = max((len(name) for name, _ in facts), default=0)
        for name, fact in facts:
            # Not folded, so that identifiers, paths and links can be copied.
            shown = Text(f"{name:<{width}}  ", style="dim") if name else Text()
            # A result without a name is a whole text, such as PEM.
            text = plain(fact) if name else fact
            self.console.print(shown.append(text, style="not dim"), soft_wrap=True)

    def tell_rows(self, value: object, head: list[str], rows: list[list[str]]) -> None:
        """Print a list of results."""
        if self.is_json:
            self.tell_json(value)
            return
        table = Table(box=None, pad_edge=False)
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        self.console.print(table if rows else "nothing")

    def tell_json(self, value: object) -> None:
        """Print a value as JSON."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=1))


class _Commands(click.Group):
    """A group that tells our errors instead of showing a trace."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a refusal ends with status 2."""
        try:
            return super().invoke(ctx)
        except ServiceError as error:
            front = ctx.obj
            if isinstance(front, Front) and front.is_json:
                click.echo(json.dumps(_problem(error), ensure_ascii=False))
            else:
                _tell_refusal(error)
            ctx.exit(REFUSED)


def _problem(error: ServiceError) -> dict[str, object]:
    return {
        "error": error.code,
        "title": error.title,
        "title_en": error.title_en,
        "detail": error.detail,
        "advice": error.advice,
    }


def _tell_refusal(error: ServiceError) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(f"[red]{error.title}[/red]  {error.title_en} ({error.code})")
    if error.detail:
        console.print(error.detail, markup=False)
    console.print(error.advice, style="dim", markup=False)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--authority", help="Credit code of the authority to act for.")
@click.version_option(VERSION, prog_name="eseal")
@click.pass_context
def cli(ctx: click.Context, data: Path | None, is_json: bool, authority: str | None) -> None:
    """E-seals and e-licences: issue, keep, present, verify."""
    settings = Settings() if data is None else Settings(data_folder=data)
    # To standard error: what a command prints may be read by another program.
    set_up_logging(logging.WARNING)
    ctx.obj = Front(settings=settings, is_json=is_json, authority_code=authority)


def _front(ctx: click.Context) -> Front:
    front = ctx.find_object(Front)
    if front is None:
        raise click.ClickException("not started by eseal")
    return front


@cli.command()
@click.option("--name", help="Name of an authority to set up with a seal and a caller.")
@click.pass_context
def init(ctx: click.Context, name: str | None) -> None:
    """Make the data folder: keys, test PKI, database; safe to repeat.

    With --authority CODE --name NAME also a seal and a calling program for that authority.
    """
    front = _front(ctx)
    with front.console.status("making keys, certificates and the database ..."):
        installation = make_installation(front.settings, SystemClock().now())
    facts = [("data folder", str(front.settings.data_folder)), ("database", "up to date")]
    value: dict[str, object] = {"data_folder": str(front.settings.data_folder)}
    if front.authority_code and name:
        service = build_service(installation)
        seal = ensure_seal(service, IssuingAuthority(code=front.authority_code, name=name))
        folder = front.settings.data_folder / "callers"
        access = ensure_caller(service, front.authority_code, folder)
        value |= {"seal_id": seal.seal_id, "caller_id": access.caller_id}
        facts += [("seal", seal.seal_id), ("caller", f"{access.caller_id} ({folder})")]
    front.tell(value, facts)


@cli.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([part.value for part in Part]),
    help="Serve only these parts; may be given several times.",
)
@click.pass_context
def serve(ctx: click.Context, only: tuple[str, ...]) -> None:
    """Run the HTTP service."""
    front = _front(ctx)
    set_up_logging()
    service = front.service()
    sweep_files(service.installation.blobs, service.clock)
    repeater = Repeater(service.maintenance.run)
    repeater.start()
    # Beside the start of the server: the first visitor should not wait for them.
    threading.Thread(target=service.pool.warm, daemon=True).start()
    try:
        run_server(
            build_app(service, frozenset(map(Part, only)) or frozenset(Part)), front.settings
        )
    finally:
        repeater.stop()
        service.pool.close()
        service.installation.database.close()


@cli.command("migrate")
@click.pass_context
def migrate_command(ctx: click.Context) -> None:
    """Bring the database to the shape this version works with."""
    front = _front(ctx)
    revision = migrate(Database(front.settings.database()))
    front.tell({"revision": revision}, [("revision", revision)])


@cli.command()
@click.option("--keep-running", is_flag=True, help="Leave the service running for a browser.")
@click.pass_context
def demo(ctx: click.Context, keep_running: bool) -> None:
    """Set up, issue the example licences over HTTP, verify them, tell the result."""
    front = _front(ctx)
    Demo(front.settings, front.console).run(keep_running=keep_running)


@cli.command()
@click.pass_context
def docs(ctx: click.Context) -> None:
    """Write docs/problems.md and docs/openapi.json from the code."""
    front = _front(ctx)
    with tempfile.TemporaryDirectory() as folder:
        settings = front.settings.model_copy(update={"data_folder": Path(folder) / "data"})
        service = build_service(make_installation(settings, SystemClock().now()))
        for path in write_documents(build_api(service), PROJECT / "docs"):
            click.echo(path.relative_to(PROJECT))


def _library_tools(ctx: click.Context) -> licence_store.cli.LibraryTools:
    front = _front(ctx)
    service = front.service()
    return licence_store.cli.LibraryTools(
        office=service.office,
        desk=service.desk,
        clock=service.clock,
        operator=front.operator(),
        tell=front.tell,
    )


def _seal_tools(ctx: click.Context) -> seal_service.cli.SealTools:
    front = _front(ctx)
    service = front.service()
    return seal_service.cli.SealTools(
        bureau=service.bureau,
        desk=service.requests,
        signer=service.statement_signer,
        sealer=service.sealer,
        database=service.installation.database,
        clock=service.clock,
        operator=front.operator(),
        tell=front.tell,
        tell_rows=front.tell_rows,
    )


def _picture_tools(ctx: click.Context) -> seal_service.pictures.cli.PictureTools:
    front = _front(ctx)
    return seal_service.pictures.cli.PictureTools(
        desk=front.service().pictures,
        operator=front.operator,
        tell=front.tell,
        tell_rows=front.tell_rows,
    )


def _verify_tools(ctx: click.Context) -> verifier.cli.VerifyTools:
    front = _front(ctx)
    has_library = (front.settings.data_folder / "pki" / "trust.pem").exists()
    return verifier.cli.VerifyTools(
        # Opened when it is needed: a file judged against evidence given needs nothing of ours.
        judge=(lambda data: front.service().verification.judge_upload(data))
        if has_library
        else None,
        receipts=(lambda: front.service().receipts) if has_library else None,
        clock=SystemClock(),
        console=front.console,
        is_json=front.is_json,
    )


def _authority_tools(ctx: click.Context) -> eseal.ca_cli.AuthorityTools:
    front = _front(ctx)
    installation = front.installation()
    clock = SystemClock()
    return eseal.ca_cli.AuthorityTools(
        pki=installation.pki,
        outside=build_outside(installation, clock),
        database=installation.database,
        clock=clock,
        service=_service_tools(ctx),
        tell=front.tell,
        tell_rows=front.tell_rows,
    )


def _service_tools(ctx: click.Context) -> eseal.administration.cli.ServiceTools:
    front = _front(ctx)
    installation = front.installation()
    return eseal.administration.cli.ServiceTools(
        desk=build_service_desk(installation, SystemClock()),
        keys=installation.store,
        account=front.account(),
        tell=front.tell,
        tell_rows=front.tell_rows,
    )


def _doctor_tools(ctx: click.Context) -> eseal.doctor_cli.DoctorTools:
    front = _front(ctx)
    return eseal.doctor_cli.DoctorTools(
        settings=front.settings,
        clock=SystemClock(),
        console=front.console,
        tell_json=front.tell_json if front.is_json else None,
    )


licence_store.cli.add_commands(cli, _library_tools)
verifier.cli.add_commands(cli, _verify_tools)
verifier.receipts.cli.add_commands(cli, _verify_tools)
seal_service.cli.add_commands(cli, _seal_tools)
eseal.ca_cli.add_commands(cli, _authority_tools)
eseal.administration.cli.add_commands(cli, _service_tools)
eseal.doctor_cli.add_commands(cli, _doctor_tools)
seal_service.pictures.cli.add_commands(cli, _picture_tools)


def main() -> None:
    """Run the command line."""
    cli(hoist(sys.argv[1:]), prog_name="eseal")


def hoist(words: Sequence[str]) -> list[str]:
    """Move the options of the whole program to the front, wherever they were written."""
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            return [*first, *rest, word, *waiting]
        name, _, _ = word.partition("=")
        if name not in SHARED_OPTIONS:
            rest.append(word)
            continue
        first.append(word)
        if SHARED_OPTIONS[name] and "=" not in word:
            first += [value for value in [next(waiting, None)] if value is not None]
    return [*first, *rest]

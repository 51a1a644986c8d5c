"""Commands of certificates, ``eseal ca``: ours issued and revoked, others' requested and imported.

They work on the data folder, for whoever may open its key store. Commands only read their words,
call one function, and print.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from eseal.administration.certificates import (
    KINDS,
    REASONS,
    CertificateShelf,
    KeptCertificate,
    certificate_to_wire,
    instant_text,
)
from eseal.administration.cli import ServiceTools, file_request
from eseal.administration.operations import RevokeCertificate
from eseal.administration.schemas import calendar_item
from eseal.expiry import collect_items
from eseal.outside import Outside
from keys.algorithms import KeyAlgorithm
from keys.calendar import list_expiring
from keys.certificates import encode_pem, parse_certificates
from keys.clock import Clock
from keys.outside import ImportOrder
from keys.path import TrustStore
from keys.pki import PKI
from keys.x509_building import Subject
from seal_service.plumbing.database import Database

Facts = list[tuple[str, str]]
ALGORITHMS = click.Choice([str(algorithm) for algorithm in KeyAlgorithm])
SHOWN_DIGITS = 12
_INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTools:
    """What the commands work with."""

    pki: PKI
    outside: Outside
    database: Database
    clock: Clock
    service: ServiceTools
    """For what two people decide."""
    tell: Callable[[object, Facts], None]
    tell_rows: Callable[[object, list[str], list[list[str]]], None]

    @property
    def shelf(self) -> CertificateShelf:
        """Return all certificates."""
        return CertificateShelf(pki=self.pki, outside=self.outside, clock=self.clock)

    def now(self) -> datetime:
        """Return the present in whole seconds, as lists and certificates count."""
        return self.shelf.now()


OpenAuthorities = Callable[[click.Context], AuthorityTools]


def add_commands(root: click.Group, opened: OpenAuthorities) -> None:
    """Put ``ca`` under ``root``."""
    group = click.Group("ca", help="Issue, revoke, request and import certificates.")
    for make in (
        _list_command,
        _show_command,
        _issue_command,
        _renew_command,
        _revoke_command,
        _publish_command,
        _request_command,
        _import_command,
        _calendar_command,
    ):
        group.add_command(make(opened))
    root.add_command(group)


# Looking


def _row(one: dict[str, object]) -> list[str]:
    return [
        str(one["serial"])[:SHOWN_DIGITS],
        str(one["state"]),
        str(one["algorithm"]),
        str(one["not_after"])[:10],
        str(one["name"]),
        str(one["source"]),
    ]


def _tell_certificate(tools: AuthorityTools, one: KeptCertificate) -> None:
    facts = certificate_to_wire(one)
    tools.tell(facts, [(name, str(fact)) for name, fact in facts.items()])


def _list_command(opened: OpenAuthorities) -> click.Command:
    @click.command("list")
    @click.option("--all", "everything", is_flag=True, help="Also those ended or revoked.")
    @click.pass_context
    def list_certificates(ctx: click.Context, everything: bool) -> None:
        """List certificates, ours and imported, the newest first."""
        tools = opened(ctx)
        found = [certificate_to_wire(one) for one in tools.shelf.all()]
        shown = [one for one in found if everything or one["state"] == "valid"]
        names = ["number", "state", "key", "until", "name", "source"]
        tools.tell_rows(shown, names, [_row(one) for one in shown])

    return list_certificates


def _show_command(opened: OpenAuthorities) -> click.Command:
    @click.command("show")
    @click.argument("serial")
    @click.option("--pem", is_flag=True, help="Print the certificate itself.")
    @click.pass_context
    def show(ctx: click.Context, serial: str, pem: bool) -> None:
        """Show one certificate by its number, hexadecimal."""
        tools = opened(ctx)
        found = tools.shelf.find(serial)
        if pem:
            click.echo(encode_pem(found.certificate.der), nl=False)
            return
        _tell_certificate(tools, found)

    return show


def _calendar_command(opened: OpenAuthorities) -> click.Command:
    @click.command("calendar")
    @click.pass_context
    def calendar(ctx: click.Context) -> None:
        """List what ends: certificates, seals, revocation lists, time-stamp authorities."""
        tools = opened(ctx)
        items = collect_items(tools.pki, tools.outside, tools.database)
        entries = list_expiring(items, tools.clock.now())
        found = [calendar_item(entry).model_dump(mode="json") for entry in entries]
        names = ["ends_at", "days_left", "urgency", "kind", "name"]
        tools.tell_rows(found, names, [[str(one[name]) for name in names] for one in found])

    return calendar


# Our own authorities


def _issue_command(opened: OpenAuthorities) -> click.Command:
    @click.command("issue-holder")
    @click.argument("code")
    @click.option("--name", required=True, help="Legal name of the organisation.")
    @click.option("--algorithm", type=ALGORITHMS, default="sm2", show_default=True)
    @click.option("--renew", is_flag=True, help="A new certificate before the old one ends.")
    @click.option("--new-key", is_flag=True, help="Over a new key: after a loss, or as planned.")
    @click.pass_context
    def issue_holder(
        ctx: click.Context, code: str, name: str, algorithm: str, renew: bool, new_key: bool
    ) -> None:
        """Give the seal holder with this credit code a certificate, or show the one it has.

        After --renew the old certificate stays good; make the seal again to use the new one.
        """
        tools = opened(ctx)
        pki, chosen, now = tools.pki, KeyAlgorithm(algorithm), tools.now()
        if new_key:
            certificate = pki.rekey_seal_holder(name, code, chosen, now=now)
        else:
            certificate = pki.issue_seal_holder(name, code, chosen, now=now, renew=renew)
        _tell_certificate(tools, tools.shelf.of(certificate, "own"))

    return issue_holder


def _renew_command(opened: OpenAuthorities) -> click.Command:
    @click.command("renew")
    @click.argument("name")
    @click.pass_context
    def renew(ctx: click.Context, name: str) -> None:
        """Give a service a new certificate over the same key: seal-maker, log, sm2-tsa and others.

        What was made under the old one stays good. A running service takes the new one at once.
        """
        tools = opened(ctx)
        certificate = tools.pki.renew(name, now=tools.now())
        _tell_certificate(tools, tools.shelf.of(certificate, "own"))

    return renew


def _revoke_command(opened: OpenAuthorities) -> click.Command:
    @click.command("revoke")
    @click.argument("serial")
    @click.option("--cause", type=click.Choice(list(REASONS)), required=True)
    @click.option("--invalid-since", type=_INSTANT, help="UTC; since when the key may be lost.")
    @click.option("--basis", required=True, help="The finding it rests on.")
    @click.option("--reason", default="", help="In words.")
    @click.pass_context
    def revoke(
        ctx: click.Context,
        serial: str,
        cause: str,
        invalid_since: datetime | None,
        basis: str,
        reason: str,
    ) -> None:
        """Ask to revoke a certificate of ours; another account confirms (eseal service confirm).

        A revoked certificate never becomes good again. This does not stop a seal: for a lost seal
        key use the compromise of that seal.
        """
        tools = opened(ctx)
        operation = RevokeCertificate(
            operation="revoke-certificate",
            serial=f"{tools.shelf.find(serial).certificate.serial:x}",
            cause=cause,
            invalid_since=None
            if invalid_since is None
            else instant_text(invalid_since.replace(tzinfo=UTC)),
        )
        file_request(tools.service, operation, basis, reason)

    return revoke


def _publish_command(opened: OpenAuthorities) -> click.Command:
    @click.command("publish-crl")
    @click.pass_context
    def publish(ctx: click.Context) -> None:
        """Publish all revocation lists again now, and fetch those of outside authorities."""
        tools = opened(ctx)
        names = tools.pki.refresh_crls(tools.now(), everything=True)
        fetched = tools.outside.refresh_crls(tools.now())
        tools.tell(
            {"published": list(names), "fetched": fetched},
            [("published", ", ".join(names)), ("fetched", str(fetched))],
        )

    return publish


# Outside authorities


def _request_command(opened: OpenAuthorities) -> click.Command:
    @click.command("request")
    @click.argument("code")
    @click.option("--name", required=True, help="Legal name of the organisation.")
    @click.option("--algorithm", type=ALGORITHMS, default="sm2", show_default=True)
    @click.option("--kind", type=click.Choice(list(KINDS)), default="seal-holder")
    @click.option("--key", help="Name of the key; by default that of the seal holder.")
    @click.pass_context
    def request(
        ctx: click.Context, code: str, name: str, algorithm: str, kind: str, key: str | None
    ) -> None:
        """Make a certificate request (PKCS#10) for an outside authority; print it.

        The key is made in the key store and stays there. Asked again it is for the same key.
        """
        tools = opened(ctx)
        chosen = KeyAlgorithm(algorithm)
        key_name = key or tools.pki.holder_key(code, chosen)
        subject = Subject(common_name=name, organisation=name, organisation_code=code)
        text = tools.outside.certificates.request(key_name, chosen, subject, KINDS[kind][0])
        tools.tell({"key": key_name, "request": text}, [("", text.rstrip())])

    return request


def _import_command(opened: OpenAuthorities) -> click.Command:
    @click.command("import")
    @click.argument("key")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--code", required=True, help="Credit code the certificate must be for.")
    @click.option("--kind", type=click.Choice(list(KINDS)), default="seal-holder")
    @click.option(
        "--anchor",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="PEM of the root it must lead to; by default ESEAL_OUTSIDE_ROOTS.",
    )
    @click.pass_context
    def import_certificate(
        ctx: click.Context, key: str, file: Path, code: str, kind: str, anchor: Path | None
    ) -> None:
        """Check and keep what an outside authority returned: certificate and chain in one file."""
        tools = opened(ctx)
        roots = parse_certificates(anchor.read_bytes()) if anchor else tools.outside.roots
        order = ImportOrder(
            key_name=key,
            usage=KINDS[kind][1],
            trust=TrustStore.of(roots),
            organisation_code=code,
            now=tools.now(),
        )
        found = tools.outside.certificates.import_chain(file.read_bytes(), order)
        source = f"imported for {found.key_name}"
        _tell_certificate(tools, tools.shelf.of(found.certificate, source))

    return import_certificate

"""Commands of certificates, ``eseal ca``: ours issued and revoked, others' requested and imported.

They work on the data folder, for whoever may open its key store. Commands only read their words,
call one function, and print.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from eseal.expiry import collect_items
from eseal.outside import Outside
from keys.algorithms import KeyAlgorithm
from keys.calendar import CalendarEntry, list_expiring
from keys.certificates import Certificate, encode_pem, parse_certificates
from keys.clock import Clock
from keys.crl import RevocationReason, RevokedEntry, find_entry, parse_crl
from keys.errors import CertificateRefused
from keys.outside import ImportOrder
from keys.path import TrustStore, Usage
from keys.pki import PKI, holder_key_name
from keys.pki_making import authority_names
from keys.profiles import SEAL_HOLDER, SEAL_MAKER, TSA, Profile
from keys.x509_building import Subject
from seal_service.plumbing.database import Database

Facts = list[tuple[str, str]]
ALGORITHMS = click.Choice([str(algorithm) for algorithm in KeyAlgorithm])
KINDS: dict[str, tuple[Profile, Usage]] = {
    "seal-holder": (SEAL_HOLDER, Usage.SEAL_HOLDER),
    "seal-maker": (SEAL_MAKER, Usage.SEAL_MAKER),
    "timestamp": (TSA, Usage.TIMESTAMP),
}
_REASONS = {
    reason.word: reason
    for reason in RevocationReason
    if reason not in (RevocationReason.REMOVE_FROM_CRL, RevocationReason.AA_COMPROMISE)
}
LEAST_DIGITS = 8
SHOWN_DIGITS = 12
"""Of a number; it may be given by its beginning."""
_INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTools:
    """What the commands work with."""

    pki: PKI
    outside: Outside
    database: Database
    clock: Clock
    tell: Callable[[object, Facts], None]
    tell_rows: Callable[[object, list[str], list[list[str]]], None]

    def now(self) -> datetime:
        """Return the present in whole seconds, as lists and certificates count."""
        return self.clock.now().replace(microsecond=0)


OpenAuthorities = Callable[[click.Context], AuthorityTools]


def add_commands(root: click.Group, opened: OpenAuthorities) -> None:
    """Put ``ca`` under ``root``."""
    group = click.Group("ca", help="Issue, revoke, request and import certificates.")
    for make in (
        _list_command,
        _show_command,
        _issue_command,
        _revoke_command,
        _publish_command,
        _request_command,
        _import_command,
        _calendar_command,
    ):
        group.add_command(make(opened))
    root.add_command(group)


# Looking


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _state(tools: AuthorityTools, certificate: Certificate) -> str:
    """Tell the state of a certificate of ours; of an imported one only the period."""
    for name in authority_names():
        if tools.pki.certificate(name).subject_der == certificate.issuer_der:
            if find_entry(parse_crl(tools.pki.crl(name)), certificate.serial) is not None:
                return "revoked"
            break
    return "expired" if certificate.not_after < tools.now() else "valid"


def _wire(tools: AuthorityTools, certificate: Certificate, source: str) -> dict[str, object]:
    return {
        "serial": f"{certificate.serial:x}",
        "source": source,
        "name": certificate.common_name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "organisation_code": certificate.organisation_code,
        "algorithm": str(certificate.public_key.algorithm),
        "not_before": _instant(certificate.not_before),
        "not_after": _instant(certificate.not_after),
        "state": _state(tools, certificate),
        "fingerprint_sm3": certificate.fingerprint,
    }


def _row(one: dict[str, object]) -> list[str]:
    return [
        str(one["serial"])[:SHOWN_DIGITS],
        str(one["state"]),
        str(one["algorithm"]),
        str(one["not_after"])[:10],
        str(one["name"]),
        str(one["source"]),
    ]


def _all(tools: AuthorityTools) -> list[tuple[Certificate, str]]:
    own = [(certificate, "own") for certificate in tools.pki.issued()]
    chains = tools.outside.certificates.all_chains()
    return own + [(chain.certificate, f"imported for {chain.key_name}") for chain in chains]


def _find(tools: AuthorityTools, serial: str) -> tuple[Certificate, str]:
    """Find a certificate by its number, or by a beginning that only one has."""
    wanted = serial.lower().lstrip("0")
    found = [
        (certificate, source)
        for certificate, source in _all(tools)
        if f"{certificate.serial:x}".startswith(wanted) and len(wanted) >= LEAST_DIGITS
    ]
    if len(found) != 1:
        raise CertificateRefused(f"没有编号为 {serial} 的证书，或不止一张", reason="unknown")
    return found[0]


def _list_command(opened: OpenAuthorities) -> click.Command:
    @click.command("list")
    @click.option("--all", "everything", is_flag=True, help="Also those ended or revoked.")
    @click.pass_context
    def list_certificates(ctx: click.Context, everything: bool) -> None:
        """List certificates, ours and imported, the newest first."""
        tools = opened(ctx)
        found = [_wire(tools, certificate, source) for certificate, source in _all(tools)]
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
        certificate, source = _find(tools, serial)
        if pem:
            click.echo(encode_pem(certificate.der), nl=False)
            return
        facts = _wire(tools, certificate, source)
        tools.tell(facts, [(name, str(fact)) for name, fact in facts.items()])

    return show


def _calendar_command(opened: OpenAuthorities) -> click.Command:
    @click.command("calendar")
    @click.pass_context
    def calendar(ctx: click.Context) -> None:
        """List what ends: certificates, seals, revocation lists, time-stamp authorities."""
        tools = opened(ctx)
        items = collect_items(tools.pki, tools.outside, tools.database)
        found = [_entry_wire(entry) for entry in list_expiring(items, tools.clock.now())]
        names = ["ends_at", "days_left", "urgency", "kind", "name"]
        tools.tell_rows(found, names, [[str(one[name]) for name in names] for one in found])

    return calendar


def _entry_wire(entry: CalendarEntry) -> dict[str, object]:
    return {
        "kind": entry.item.kind.value,
        "name": entry.item.name,
        "ends_at": _instant(entry.item.ends_at),
        "days_left": entry.days_left,
        "urgency": entry.urgency.value,
    }


# Our own authorities


def _issue_command(opened: OpenAuthorities) -> click.Command:
    @click.command("issue-holder")
    @click.argument("code")
    @click.option("--name", required=True, help="Legal name of the organisation.")
    @click.option("--algorithm", type=ALGORITHMS, default="sm2", show_default=True)
    @click.option("--renew", is_flag=True, help="A new certificate before the old one ends.")
    @click.pass_context
    def issue_holder(ctx: click.Context, code: str, name: str, algorithm: str, renew: bool) -> None:
        """Give the seal holder with this credit code a certificate, or show the one it has.

        After --renew the old certificate stays good; make the seal again to use the new one.
        """
        tools = opened(ctx)
        certificate = tools.pki.issue_seal_holder(
            name, code, KeyAlgorithm(algorithm), now=tools.now(), renew=renew
        )
        facts = _wire(tools, certificate, "own")
        tools.tell(facts, [(key, str(fact)) for key, fact in facts.items()])

    return issue_holder


def _revoke_command(opened: OpenAuthorities) -> click.Command:
    @click.command("revoke")
    @click.argument("serial")
    @click.option("--reason", type=click.Choice(list(_REASONS)), required=True)
    @click.option("--invalid-since", type=_INSTANT, help="UTC; since when the key may be lost.")
    @click.confirmation_option(prompt="A revoked certificate never becomes good again. Go on?")
    @click.pass_context
    def revoke(
        ctx: click.Context, serial: str, reason: str, invalid_since: datetime | None
    ) -> None:
        """Revoke a certificate of ours and publish the list at once.

        This does not stop a seal: for a lost seal key use the compromise of that seal.
        """
        tools = opened(ctx)
        certificate, _ = _find(tools, serial)
        since = None if invalid_since is None else invalid_since.replace(tzinfo=UTC)
        if since is not None and since > tools.now():
            raise CertificateRefused("失效日期晚于当前时间", reason="invalid-since")
        entry = RevokedEntry(
            serial=certificate.serial,
            revoked_at=tools.now(),
            reason=_REASONS[reason],
            invalidity_at=since,
        )
        crl = parse_crl(tools.pki.revoke(certificate, entry, now=tools.now()))
        tools.tell(
            {"serial": f"{certificate.serial:x}", "state": "revoked", "crl_number": crl.number},
            [("revoked", f"{certificate.serial:x}"), ("list", f"no. {crl.number}")],
        )

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
        key_name = key or holder_key_name(code, chosen)
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
        facts = _wire(tools, found.certificate, f"imported for {found.key_name}")
        tools.tell(facts, [(name, str(fact)) for name, fact in facts.items()])

    return import_certificate

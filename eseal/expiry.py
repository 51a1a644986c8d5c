"""The calendar of an installation: collects what ends from certificates, lists and register."""

from collections.abc import Iterator

from eseal.outside import Outside
from keys.algorithms import KeyAlgorithm
from keys.calendar import CalendarItem, Expiring
from keys.certificates import Certificate
from keys.crl import parse_crl
from keys.extensions import OID_TIME_STAMPING
from keys.pki import PKI
from keys.pki_making import authority_names, ocsp_key_name, verifier_key_name
from seal_service.plumbing.callers import list_tenants
from seal_service.plumbing.database import Database
from seal_service.seals import lookup
from seal_service.seals.model import SealPeriod
from seal_service.seals.states import SealState

_HELD = (SealState.ACTIVE, SealState.SUSPENDED)
"""A seal that can seal, or could again."""
_MADE_AGAIN = frozenset(
    name(algorithm) for algorithm in KeyAlgorithm for name in (ocsp_key_name, verifier_key_name)
)
"""Certificates of services that are made anew when they end: nobody has to act."""


def collect_items(pki: PKI, outside: Outside, database: Database | None) -> list[CalendarItem]:
    """Return everything that ends; without a database the seals are left out."""
    found = [*_certificates(pki, outside), *_lists(pki, outside)]
    if database is not None:
        found += [_seal_item(seal) for seal in _seals(database)]
    return found


def _certificates(pki: PKI, outside: Outside) -> Iterator[CalendarItem]:
    for name, certificate in pki.in_use():
        if name not in _MADE_AGAIN:
            yield _certificate_item(name, certificate)
    seen: set[str] = set()
    for chain in outside.certificates.all_chains():
        # The newest of a key comes first; those before it are there for verifying only.
        if chain.key_name not in seen:
            seen.add(chain.key_name)
            yield _certificate_item(chain.key_name, chain.certificate)
    for root in outside.roots:
        yield _certificate_item(root.common_name, root)


def _certificate_item(name: str, certificate: Certificate) -> CalendarItem:
    is_tsa = OID_TIME_STAMPING in (certificate.extended_key_usage or ())
    return CalendarItem(
        kind=Expiring.TSA if is_tsa else Expiring.CERTIFICATE,
        name=name,
        begins_at=certificate.not_before,
        ends_at=certificate.not_after,
    )


def _lists(pki: PKI, outside: Outside) -> Iterator[CalendarItem]:
    names = {name: pki.crl(name) for name in authority_names()}
    names |= {issuer.common_name: crl for issuer, crl in outside.lists_in_use()}
    for name, encoded in names.items():
        crl = parse_crl(encoded)
        if crl.next_update is not None:
            yield CalendarItem(
                kind=Expiring.CRL,
                name=name,
                begins_at=crl.this_update,
                ends_at=crl.next_update,
                is_renewed_by_service=True,
            )


def _seals(database: Database) -> Iterator[SealPeriod]:
    with database.reading() as connection:
        for tenant in list_tenants(connection):
            yield from lookup.list_periods(connection, tenant, _HELD)


def _seal_item(seal: SealPeriod) -> CalendarItem:
    return CalendarItem(
        kind=Expiring.SEAL,
        name=seal.seal_id,
        begins_at=seal.valid_from,
        ends_at=seal.valid_until,
    )

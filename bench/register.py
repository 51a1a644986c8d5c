"""How the seal register answers when one authority has ten thousand seals."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, insert

from bench.measure import Measurement, measure
from eseal.migrations.runner import migrate
from keys.certificates import parse_certificate
from seal_service.plumbing.database import Database
from seal_service.plumbing.tables import callers
from seal_service.seals import lookup
from seal_service.seals.lookup import chain_text
from seal_service.seals.model import MadeSeal, Seal
from seal_service.seals.states import SealAction, SealState
from seal_service.seals.tables import made_seals, seal_events, seals
from seal_service.wire import listed_to_wire

SEALS = 10_000
AT_ONCE = 500
STRIDE = 37
"""From one seal that is asked for to the next; every seal comes once before any comes again."""
LATE = SEALS // 100
"""After this one, counted from the oldest, the late page begins."""
STATES = ("active", "active", "active", "suspended", "revoked")
LIFE = (
    (SealAction.APPLY, None, SealState.APPLIED),
    (SealAction.APPROVE, SealState.APPLIED, SealState.APPROVED),
    (SealAction.MAKE, SealState.APPROVED, SealState.MADE),
    (SealAction.FILE, SealState.MADE, SealState.FILED),
    (SealAction.ISSUE, SealState.FILED, SealState.ISSUED),
    (SealAction.ACTIVATE, SealState.ISSUED, SealState.ACTIVE),
)

Row = dict[str, object]
Reading = Callable[[Connection, int], object]


def measure_register(
    folder: Path, seal: Seal, collect: Callable[[Database], object], now: datetime
) -> list[Measurement]:
    """Fill a register with copies of a made seal; list, search, ask, and collect the calendar."""
    database = Database(f"sqlite:///{folder / 'register-bench.db'}")
    migrate(database)
    _fill(database, seal)

    def on(reading: Reading) -> Callable[[int], object]:
        def operation(number: int) -> object:
            with database.reading() as connection:
                return reading(connection, number * STRIDE % SEALS)

        return operation

    found = [measure(name, on(reading), ops=40) for name, reading in _readings(seal, now)]
    found.append(measure("register_calendar", lambda _: collect(database), ops=3))
    database.close()
    return found


def _readings(seal: Seal, now: datetime) -> Iterator[tuple[str, Reading]]:
    tenant = seal.authority_code

    def list_late(connection: Connection, _: int) -> object:
        return lookup.list_seals(connection, tenant, after=_seal_id(tenant, LATE))

    def list_rare(connection: Connection, _: int) -> object:
        return lookup.list_seals(connection, tenant, state=SealState.LOST)

    def search(connection: Connection, number: int) -> object:
        found = lookup.list_seals(connection, tenant, search=_branch(number))
        return _exactly(found, 1)

    def search_common(connection: Connection, _: int) -> object:
        return lookup.list_seals(connection, tenant, search=seal.application.face.name)

    def answer(connection: Connection, _: int) -> object:
        return [listed_to_wire(one) for one in lookup.list_seals(connection, tenant)]

    def status(connection: Connection, number: int) -> object:
        return lookup.status_at(connection, _seal_id(tenant, number), now)

    yield "register_list", lambda connection, _: lookup.list_seals(connection, tenant)
    yield "register_list_late", list_late
    yield "register_list_no_match", list_rare
    yield "register_list_answer", answer
    yield "register_search", search
    yield "register_search_common", search_common
    yield "register_status", status


def _exactly(found: tuple[object, ...], count: int) -> tuple[object, ...]:
    if len(found) != count:
        raise SystemExit("the search of the bench does not find its seal")
    return found


def _fill(database: Database, seal: Seal) -> None:
    if seal.made is None:
        raise SystemExit("the seal of the bench was not made")
    with database.transaction() as connection:
        connection.execute(insert(callers).values(_caller(seal)))
    for first in range(0, SEALS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        rows: dict[Table, list[Row]] = {
            seals: [_seal_row(seal, number) for number in numbers],
            made_seals: [_made_row(seal, seal.made, number) for number in numbers],
            seal_events: [row for number in numbers for row in _event_rows(seal, number)],
        }
        with database.transaction() as connection:
            for table, some in rows.items():
                connection.execute(insert(table), some)


def _seal_id(tenant: str, number: int) -> str:
    return f"{tenant}{number:016X}"


def _branch(number: int) -> str:
    return f"第{number:05}分局"


def _caller(seal: Seal) -> Row:
    return {
        "caller_id": "bench",
        "authority_code": seal.authority_code,
        "scopes": "",
        "sealed_secret": b"",
        "created_at": seal.applied_at,
    }


def _seal_row(seal: Seal, number: int) -> Row:
    application = seal.application
    return {
        "authority_code": seal.authority_code,
        "seal_id": _seal_id(seal.authority_code, number),
        "kind": application.kind.value,
        "face_name": application.face.name + _branch(number),
        "face_line_below": application.face.line_below,
        "face_number": f"32010200{number:05}",
        "diameter_mm": application.face.diameter_mm,
        "valid_from": application.valid_from,
        "valid_until": application.valid_until,
        "applicant": seal.applicant,
        "applied_at": seal.applied_at,
        "application_digest": application.digest,
        "state": STATES[number % len(STATES)],
        "epoch": seal.epoch,
    }


def _made_row(seal: Seal, made: MadeSeal, number: int) -> Row:
    return {
        "authority_code": seal.authority_code,
        "seal_id": _seal_id(seal.authority_code, number),
        "eseal_der": made.eseal_der,
        "picture_png": made.picture_png,
        "picture_sha256": made.picture_sha256,
        "width_mm": made.width_mm,
        "height_mm": made.height_mm,
        "sm2_key_name": f"bench-sm2-{number}",
        "sm2_chain": chain_text(_other_chain(made.sm2.chain, number)),
        "rsa_key_name": f"bench-rsa-{number}",
        "rsa_chain": chain_text(_other_chain(made.rsa.chain, number)),
    }


def _other_chain(chain: tuple[bytes, ...], number: int) -> tuple[bytes, ...]:
    """Return a chain whose first certificate has another serial number; nobody verifies it here."""
    own, *issuers = chain
    serial = parse_certificate(own).serial
    length = serial.bit_length() // 8 + 1
    before = serial.to_bytes(length, "big")
    after = ((serial >> 32 << 32) + number).to_bytes(length, "big")
    return own.replace(before, after), *issuers


def _event_rows(seal: Seal, number: int) -> Iterator[Row]:
    for action, before, after in LIFE:
        yield {
            "authority_code": seal.authority_code,
            "seal_id": _seal_id(seal.authority_code, number),
            "happened_at": seal.applied_at,
            "action": action.value,
            "state_before": None if before is None else before.value,
            "state_after": after.value,
            "epoch": 1,
            "applicant": "bench-applicant",
            "approver": "bench-approver",
            "basis_document": "云栖政办〔2026〕12 号",
            "reason": "",
        }

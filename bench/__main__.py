"""``make bench``: measure, print the tables, write ``build/bench.json``."""

import os
import platform
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.floor import rsa_floor
from bench.growth import measure_growth, measure_pyhanko
from bench.keystore import measure_keystore
from bench.measure import Measurement, compare, measure, median_of, table, write_json
from bench.naive import open_stack
from bench.parts import (
    Material,
    measure_rendering,
    measure_sealing,
    measure_sm2,
    measure_verifying,
    prepare,
)
from bench.register import measure_register
from bench.server import measure_issuing, measure_memory, running
from eseal.expiry import collect_items
from eseal.installation import make_installation
from eseal.main import Service, build_service
from eseal.outside import build_outside
from eseal.settings import Settings
from eseal.trial import ALL_SCOPES, ensure_caller, ensure_seal
from eseal.trust_source import TrustSource
from keys.calendar import list_expiring
from licence_store.model import IssuingAuthority
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.database import Database

RESULT = Path("build") / "bench.json"
AUTHORITY = IssuingAuthority(code="11320102MB9K00021D", name="金陵市云栖区行政审批局")
AGAINST = {
    "issue_licence_http": "naive_pdf",
    "verify_pdf": "pyhanko_verify_pdf",
    "sm2_sign": "openssl_sm2_sign",
    "sm2_verify": "openssl_sm2_verify",
    "keystore_sm2_sign": "engine_sm2_sign",
    "keystore_sm2_verify": "engine_sm2_verify",
}
MEMORY_ISSUES = int(os.environ.get("BENCH_MEMORY_ISSUES", "2000"))


def main() -> None:
    """Run everything; about five minutes, most of it the two thousand issues."""
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="eseal-bench-") as folder:
        found, memory = _measure_all(Path(folder))
    named = {measured.name: measured for measured in found}
    rows = [
        compare(m, named[AGAINST[m.name]]) if AGAINST.get(m.name) in named else m for m in found
    ]
    print(table(rows))
    print(
        "\nmemory of the service (MB): "
        + ", ".join(f"{mb:.0f} after {issues}" for issues, mb in memory)
    )
    write_json(RESULT, rows)
    print(f"written: {RESULT}")


def _measure_all(folder: Path) -> tuple[list[Measurement], list[tuple[int, float]]]:
    settings = Settings(data_folder=folder / "data")
    service = build_service(make_installation(settings, SystemClock().now()))
    ensure_seal(service, AUTHORITY)
    access = ensure_caller(service, AUTHORITY.code, folder)
    caller = Caller(caller_id="bench", authority_code=AUTHORITY.code, scopes=ALL_SCOPES)
    material = prepare(service, caller)
    naive = _naive(material, folder)
    with running(settings, access) as target:
        _say("the naive stack and the service, in turn")
        found = _in_turn(
            lambda: measure("naive_pdf", naive, ops=8, rounds=1),
            lambda: measure_issuing(target, ops=30, rounds=1),
        )
        _say("the parts")
        found += [
            *measure_rendering(material),
            *measure_sealing(material),
            *measure_verifying(material),
        ]
        _say("growth with pages and seals, and pyHanko on the same PDF")
        trust = TrustSource(service.installation.pki).material()
        found += [*measure_growth(material, trust), measure_pyhanko(material, trust)]
        _say("a register of ten thousand seals")
        found += _register(service, material, folder)
        _say("SM2 against openssl speed, in turn")
        found += [*measure_sm2(), *rsa_floor(2048), *measure_keystore(folder)]
        _say(f"{MEMORY_ISSUES} issues for memory")
        memory = measure_memory(target, issues=MEMORY_ISSUES)
    service.installation.database.close()
    return found, memory


def _in_turn(*operations: Callable[[], Measurement], rounds: int = 5) -> list[Measurement]:
    """Return the medians of rounds that took turns, so that a busy minute troubles all alike."""
    rows = [[operation() for operation in operations] for _ in range(rounds)]
    return [median_of(found) for found in zip(*rows, strict=True)]


def _register(service: Service, material: Material, folder: Path) -> list[Measurement]:
    """Measure a register full of copies of the seal that sealed the licence."""
    installation, clock = service.installation, service.clock
    outside = build_outside(installation, clock)
    seal = service.bureau.show(material.licence.authority_code, material.licence.files[0].seal_id)

    def collect(database: Database) -> object:
        return list_expiring(collect_items(installation.pki, outside, database), clock.now())

    return measure_register(folder, seal, collect, clock.now())


def _naive(material: Material, folder: Path) -> Callable[[int], object]:
    """Return what makes one PDF as a newcomer would, with the same fields, link and seal."""
    seal = material.service.bureau.show(
        material.licence.authority_code, material.licence.files[0].seal_id
    )
    if seal.made is None:
        raise SystemExit("the seal of the bench was not made")
    fonts = material.service.settings.fonts_folder
    stack = open_stack(seal.made.picture_png, fonts, folder, datetime.now(UTC))
    return lambda number: stack.make(material.face(number).face_data, material.face(number).qr_link)


def _say(words: str) -> None:
    print(f"measuring {words} ...", flush=True)


if __name__ == "__main__":
    main()

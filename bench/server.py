"""Measure the whole service over HTTP: CPU of the server process, wall time, memory."""

import json
import os
import secrets
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.measure import Measurement
from eseal.server import free_port, server_beside
from eseal.settings import PROJECT, Settings
from eseal.trial import CallerAccess
from seal_service.plumbing.request_signing import RequestSigner

EXAMPLE = PROJECT / "examples" / "approval-results" / "01-business-licence-company.json"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running server and the means to call it."""

    settings: Settings
    access: CallerAccess
    process_id: int

    def cpu_seconds(self) -> float:
        """Return user and system time of the server so far, all threads and children."""
        return _cpu_seconds(self.process_id)

    def memory_mb(self) -> float:
        """Return the server's resident memory."""
        text = Path(f"/proc/{self.process_id}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * _PAGE / 1e6

    def client(self) -> httpx.Client:
        """Return a client that signs its requests."""
        signer = RequestSigner(self.access.caller_id, self.access.secret)
        base = f"http://{self.settings.host}:{self.settings.port}"
        return httpx.Client(base_url=base, auth=signer, timeout=60, trust_env=False)


def _cpu_seconds(process_id: int) -> float:
    text = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    return (user + system + child_user + child_system) / _TICKS


@contextmanager
def running(settings: Settings, access: CallerAccess) -> Iterator[Target]:
    """Run the server on a free port."""
    chosen = settings.model_copy(update={"port": free_port(settings.host)})
    log = settings.data_folder / "bench-server.log"
    with server_beside(chosen, log) as process:
        yield Target(settings=chosen, access=access, process_id=process.pid)


def issue_one(client: httpx.Client, template: dict[str, object]) -> None:
    """Issue a licence for a new case."""
    number = secrets.token_hex(8)
    body = {**template, "case_number": f"BENCH-{number}"}
    answer = client.post("/v1/licences", json=body, headers={"Idempotency-Key": number})
    if answer.status_code != httpx.codes.CREATED:
        raise SystemExit(f"issuing failed: {answer.status_code} {answer.text[:300]}")


def measure_issuing(target: Target, *, ops: int, rounds: int) -> Measurement:
    """Issue one after the other; CPU is the server's."""
    template = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    cpu: list[float] = []
    wall: list[float] = []
    with target.client() as client:
        for _ in range(3):
            issue_one(client, template)
        for _ in range(rounds):
            cpu_start, wall_start = target.cpu_seconds(), time.perf_counter()
            for _ in range(ops):
                issue_one(client, template)
            cpu.append((target.cpu_seconds() - cpu_start) * 1000 / ops)
            wall.append((time.perf_counter() - wall_start) * 1000 / ops)
    return Measurement(
        name="issue_licence_http",
        cpu_ms=round(statistics.median(cpu), 3),
        wall_ms=round(statistics.median(wall), 3),
        ops=ops * rounds,
    )


def measure_memory(target: Target, *, issues: int, steps: int = 4) -> list[tuple[int, float]]:
    """Issue many licences with two clients; return issues so far and resident megabytes."""
    template = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    found = [(0, target.memory_mb())]

    def issue_many(count: int) -> None:
        with target.client() as client:
            for _ in range(count):
                issue_one(client, template)

    for step in range(1, steps + 1):
        each = issues // steps // 2
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(issue_many, (each, each)))
        found.append((step * each * 2, target.memory_mb()))
    return found

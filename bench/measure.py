"""Time operations fairly on a noisy machine: CPU and wall, medians, ratios within one run."""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One operation: median milliseconds per operation, and what it is compared with."""

    name: str
    cpu_ms: float
    wall_ms: float
    ops: int
    """How many operations were measured, all rounds together."""
    against: str = ""
    """Name of the measurement of the same run that it is compared with."""
    ratio: float | None = None
    """How many times less CPU than ``against``; above 1 is faster."""


def measure(
    name: str, operation: Callable[[int], object], *, ops: int, rounds: int = ROUNDS
) -> Measurement:
    """Run ``operation(number)`` ``ops`` times a round, after a warm-up round of a tenth of that.

    CPU is the process's own, of all its threads.
    """
    for number in range(max(1, ops // 10)):
        operation(number)
    cpu: list[float] = []
    wall: list[float] = []
    number = ops
    for _ in range(rounds):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        for _ in range(ops):
            operation(number)
            number += 1
        cpu.append((time.process_time() - cpu_start) * 1000 / ops)
        wall.append((time.perf_counter() - wall_start) * 1000 / ops)
    return Measurement(
        name=name,
        cpu_ms=round(statistics.median(cpu), 4),
        wall_ms=round(statistics.median(wall), 4),
        ops=ops * rounds,
    )


def median_of(found: Sequence[Measurement]) -> Measurement:
    """Return the median of several rounds of one measurement."""
    return Measurement(
        name=found[0].name,
        cpu_ms=round(statistics.median(m.cpu_ms for m in found), 4),
        wall_ms=round(statistics.median(m.wall_ms for m in found), 4),
        ops=sum(m.ops for m in found),
    )


def compare(measured: Measurement, against: Measurement) -> Measurement:
    """Return ``measured`` with its ratio: how many times less CPU it takes."""
    return Measurement(
        name=measured.name,
        cpu_ms=measured.cpu_ms,
        wall_ms=measured.wall_ms,
        ops=measured.ops,
        against=against.name,
        ratio=round(against.cpu_ms / measured.cpu_ms, 2),
    )


def write_json(path: Path, measurements: Iterable[Measurement]) -> None:
    """Write the list that other programs read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "name": m.name,
            "cpu_ms": m.cpu_ms,
            "wall_ms": m.wall_ms,
            "ops": m.ops,
            "against": m.against,
            "ratio": m.ratio,
        }
        for m in measurements
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def table(measurements: Sequence[Measurement]) -> str:
    """Return the measurements as a Markdown table."""
    lines = [
        "| operation | CPU ms | per CPU-second | wall ms | per second | compared with | times |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    for m in measurements:
        ratio = "" if m.ratio is None else f"{m.ratio:g}"
        lines.append(
            f"| {m.name} | {m.cpu_ms:.2f} | {1000 / m.cpu_ms:.0f} | {m.wall_ms:.2f} "
            f"| {1000 / m.wall_ms:.0f} | {m.against} | {ratio} |"
        )
    return "\n".join(lines)

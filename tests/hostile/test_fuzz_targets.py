"""What ``make fuzz`` checks for hours, checked here for a moment: bent seeds and random bytes."""

from collections.abc import Callable
from functools import cache
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import certificates, cms, ofd_container, ofd_xml, pdf, ses, verdict
from tests.architecture.tree import PROJECT

TARGETS: dict[str, ModuleType] = {
    module.__name__.removeprefix("fuzz."): module
    for module in (certificates, cms, ofd_container, ofd_xml, pdf, ses, verdict)
}
EVERY = pytest.mark.parametrize("name", TARGETS)
BRIEFLY = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\x00", b"\xff", b"\x80", b"\x84\xff\xff\xff\xff", b"\x30\x80", b"\x30\x00"]),
    st.sampled_from(
        [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"<!DOCTYPE a>", b"<a>", b"&#0;"]
    ),
    st.sampled_from([b"0 0 R", b"/Prev 0", b"%%EOF", b"startxref\n0", b"endobj", b"stream\n"]),
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), PIECES), min_size=1, max_size=4)


@cache
def seeds(name: str) -> list[bytes]:
    return list(TARGETS[name].seeds())


def check(name: str) -> Callable[[bytes], None]:
    found: Callable[[bytes], None] = TARGETS[name].check
    return found


def bent(seed: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, piece in edits:
        at = int(where * len(seed))
        seed = seed[:at] + piece + seed[at + length :]
    return seed


@EVERY
def test_every_seed_passes_its_check(name: str) -> None:
    assert seeds(name)
    for seed in seeds(name):
        check(name)(seed)


@EVERY
@BRIEFLY
@given(data=st.data())
def test_bent_seeds_raise_nothing_but_our_own_errors(name: str, data: st.DataObject) -> None:
    """T-SES-01, T-OFD-01 to T-OFD-17, T-PDF-13: the readers of strangers' bytes."""
    seed = data.draw(st.sampled_from(seeds(name)))
    check(name)(bent(seed, data.draw(EDITS)))


@EVERY
@BRIEFLY
@given(data=st.binary(max_size=600))
def test_random_bytes_raise_nothing_but_our_own_errors(name: str, data: bytes) -> None:
    check(name)(data)


def test_every_target_takes_part() -> None:
    written = {path.stem for path in (PROJECT / "fuzz").glob("*.py")}
    assert written - {"__init__", "__main__"} == set(TARGETS)
    assert "FUZZ ?= " in (PROJECT / "Makefile").read_text("utf-8")
    line = (PROJECT / "Makefile").read_text("utf-8").split("FUZZ ?= ")[1].splitlines()[0]
    assert set(line.split()) == set(TARGETS)

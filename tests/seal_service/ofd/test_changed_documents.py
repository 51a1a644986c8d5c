"""Documents changed at random: whatever comes in, only our own errors come out."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import ServiceError
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.coverage import coverage, locking_signatures_passed_over
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.own_form import own_form_problems
from seal_service.formats.ofd.sealing import prepare
from seal_service.formats.ofd.signatures import check_references, read_signatures
from seal_service.formats.ofd.text import find_text
from tests.support.ofd import ESEAL, SIGNED_AT, SPOT, seal_ofd

ENTRIES = dict(read_container(seal_ofd()).entries)
PARTS = [path for path in ENTRIES if path.endswith(".xml")]
WORDS = [b"", b"x", b"0", b"-1", b"NaN", b"/", b"..", b"<", b">", b'"', b"&#0;", b"\xff", b"9" * 40]
LIMITS = Limits(text_deltas=1000)


def read_everything(package: bytes) -> None:
    """Do all that a verifier and a sealer would do with a package."""
    container = read_container(package, LIMITS)
    document = read_document(container, limits=LIMITS)
    find_text(container, document, "\u4e2d")
    signatures = read_signatures(container, document, limits=LIMITS)
    for signature in signatures:
        check_references(container, signature)
    coverage(container, document, signatures=signatures, holding=signatures)
    locking_signatures_passed_over(signatures)
    own_form_problems(container, signatures)
    prepare(package, eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT)


def test_an_unchanged_package_goes_through() -> None:
    read_everything(seal_ofd())


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_changed_parts_raise_only_our_errors(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PARTS))
    content = ENTRIES[path]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 12)))
        content = content[:start] + data.draw(st.sampled_from(WORDS)) + content[end:]
    with contextlib.suppress(ServiceError):
        read_everything(write_container({**ENTRIES, path: content}))


@given(st.sampled_from(sorted(ENTRIES)), st.sampled_from(sorted(ENTRIES)))
@settings(max_examples=200, deadline=None)
def test_parts_in_the_place_of_others_raise_only_our_errors(one: str, other: str) -> None:
    with contextlib.suppress(ServiceError):
        read_everything(write_container({**ENTRIES, one: ENTRIES[other]}))


@given(st.lists(st.sampled_from(sorted(ENTRIES)), max_size=4))
@settings(max_examples=100, deadline=None)
def test_missing_parts_raise_only_our_errors(gone: list[str]) -> None:
    with contextlib.suppress(ServiceError):
        read_everything(write_container({p: c for p, c in ENTRIES.items() if p not in gone}))

"""What hostile bytes cost is found out before a key is near, in a bounded process (T-WEB-13)."""

from collections.abc import Iterator

import pytest

from keys.errors import ServiceError
from seal_service.errors import (
    AlreadySealed,
    LimitExceeded,
    MalformedDocument,
    UnsupportedFormat,
)
from seal_service.formats.pdf import content
from seal_service.plumbing.bounded import BoundedPool, PoolPlan
from seal_service.seals.placing import (
    AtPoint,
    DocumentLayout,
    InField,
    OnText,
    SealMode,
    Straddling,
    Wish,
)
from seal_service.seals.rehearsal import rehearse
from tests.support.ofd import make_ofd, seal_ofd
from tests.support.pdf import PDFSpec, make_pdf, seal

POINT = AtPoint(x_mm=50, y_mm=50)


def layout(*wishes: Wish) -> DocumentLayout:
    return DocumentLayout(wishes=wishes or (POINT,), mode=SealMode.LOCK)


@pytest.fixture(scope="module")
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(PoolPlan(size=1))
    yield made
    made.close()


@pytest.mark.parametrize("document", [make_ofd(), make_pdf()])
def test_a_sound_document_passes_here_and_in_a_process(document: bytes, pool: BoundedPool) -> None:
    wishes = layout(OnText(keyword="营业执照"), Straddling())
    rehearse(document, wishes)
    pool.run(rehearse, document, wishes)


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        (b"plain", UnsupportedFormat),
        (b"PK\x03\x04", MalformedDocument),
        (b"%PDF-1.7", MalformedDocument),
        (seal_ofd(lock=True), AlreadySealed),
        (seal_ofd(), MalformedDocument),
        (seal().replace(b"/Length 46", b"/Length 45", 1), MalformedDocument),
    ],
)
def test_what_sealing_would_refuse_is_refused(
    document: bytes, refusal: type[ServiceError], pool: BoundedPool
) -> None:
    with pytest.raises(refusal):
        pool.run(rehearse, document, layout())


@pytest.mark.parametrize(
    ("wishes", "reads"),
    [
        ((POINT,), False),
        ((AtPoint(x_mm=1, y_mm=1, pages="last"),), False),
        ((AtPoint(x_mm=1, y_mm=1, pages="all"),), True),
        ((OnText(keyword="x", hit=None),), True),
        ((InField(name="x"),), False),
        ((InField(name="x"), POINT), True),
        ((Straddling(),), True),
    ],
)
def test_pages_are_read_only_where_they_will_be_drawn_on(
    wishes: tuple[Wish, ...], reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-PDF-16: a large drawing costs nothing where only a field is added."""
    monkeypatch.setattr(content, "MAX_OPERATORS", 1)
    document = make_pdf(PDFSpec(pages=2))
    if reads:
        with pytest.raises(LimitExceeded):
            rehearse(document, layout(*wishes))
    else:
        rehearse(document, layout(*wishes))

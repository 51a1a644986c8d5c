"""Our seals on files of other programs: what held before still holds, what does not takes none.

The OFD samples are those of ``test_verdicts``; without them the tests are skipped.
"""

import pytest

from keys.errors import ServiceError
from seal_service.errors import AlreadySealed, MalformedDocument
from seal_service.formats.ofd.container import read_container
from seal_service.plumbing.database import Database
from seal_service.sealing import DocumentOrder
from seal_service.seals.placing import AtPoint, DocumentLayout, OnText, SealMode, Wish
from tests.interop.test_verdicts import CONTEXT, SAMPLES
from tests.support.register import SealScene, grant
from verifier.judge import judge_document
from verifier.verdict import Integrity

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="third-party samples are not present beside the repository"
)


@pytest.fixture
def scene(database: Database) -> SealScene:
    made = SealScene(database)
    grant(database, made.seal, licence_type_code="document")
    return made


def seal(scene: SealScene, document: bytes, wish: Wish, mode: SealMode) -> bytes:
    order = DocumentOrder(
        caller=scene.order().caller,
        seal_id=scene.seal.seal_id,
        case_number="YQ-2026-000003",
        document_kind="document",
        subject="第三方文件",
        layout=DocumentLayout(wishes=(wish,), mode=mode),
    )
    return scene.sealer.seal_document(order, document).document


@pytest.mark.parametrize("mode", list(SealMode))
def test_a_tax_file_takes_a_further_seal_and_both_hold(scene: SealScene, mode: SealMode) -> None:
    foreign = (SAMPLES / "v4-tax-test-valid.ofd").read_bytes()
    sealed = seal(scene, foreign, AtPoint(x_mm=60, y_mm=60), mode)
    verdict = judge_document(sealed, CONTEXT)
    assert [one.integrity for one in verdict.signatures] == [Integrity.HOLDS] * 2
    assert verdict.coverage.uncovered == verdict.coverage.unreferenced == ()
    before, after = read_container(foreign), read_container(sealed)
    changed = [path for path in before.entries if before.entries[path] != after.entries[path]]
    assert [path.rpartition("/")[2] for path in changed] == ["Signatures.xml"]
    records = {member.path: (member.start, member.end) for member in after.members}
    for member in before.members:
        if member.path not in changed:
            start, end = records[member.path]
            assert sealed[start:end] == foreign[member.start : member.end]


def test_a_tax_file_is_sealed_on_a_keyword(scene: SealScene) -> None:
    foreign = (SAMPLES / "v4-tax-test-valid.ofd").read_bytes()
    sealed = seal(scene, foreign, OnText(keyword="开票日期"), SealMode.LOCK)
    stamps = judge_document(sealed, CONTEXT).signatures[1]
    assert stamps.integrity is Integrity.HOLDS


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("v4-whole-protected-valid.ofd", AlreadySealed),
        ("v4-append-after-lock.ofd", AlreadySealed),
        ("v4-tax-test-tampered.ofd", MalformedDocument),
        ("v1-nonconforming-vendor.ofd", MalformedDocument),
    ],
)
def test_files_that_are_locked_or_do_not_hold_take_no_seal(
    scene: SealScene, name: str, refusal: type[ServiceError]
) -> None:
    """T-OFD-60."""
    with pytest.raises(refusal):
        seal(scene, (SAMPLES / name).read_bytes(), AtPoint(x_mm=60, y_mm=60), SealMode.CONTINUE)
    assert scene.keys.signed == []

"""Uploads are judged in bounded processes, to the same verdicts (T-WEB-13, T-OFD-71)."""

import statistics
import time
from collections.abc import Iterator

import pytest

import seal_service.seals.tables
import seal_service.translog.tables  # noqa: F401 - declares the tables
from seal_service.plumbing.bounded import BoundedPool, PoolPlan
from seal_service.plumbing.database import Database
from tests.support.issued import IssuedScene, trust_material
from tests.support.sealed_ofd import with_entries
from verifier.bounded_judging import PRELOAD
from verifier.evidence import Verification, VerificationParts
from verifier.given_evidence import GivenEvidence, GivenFile
from verifier.verdict import Outcome


@pytest.fixture(scope="module")
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(PoolPlan(size=1, preload=PRELOAD))
    made.warm()
    yield made
    made.close()


@pytest.fixture
def scene(database: Database) -> IssuedScene:
    return IssuedScene(database)


def _bounded(scene: IssuedScene, pool: BoundedPool) -> Verification:
    return Verification(
        VerificationParts(
            database=scene.database,
            blobs=scene.blobs,
            clock=scene.seals.clock,
            material=trust_material,
            pool=pool,
        )
    )


def test_a_bounded_process_comes_to_the_same_verdict(scene: IssuedScene, pool: BoundedPool) -> None:
    bounded = _bounded(scene, pool)
    forged = with_entries(scene.ofd, {"Doc_0/Pages/Page_0/Content.xml": None})
    for data in (scene.ofd, scene.pdf, forged, b"%PDF-1.7 nothing", b"PK\x03\x04", b"neither"):
        assert bounded.judge_upload(data) == scene.verification.judge_upload(data)
    assert bounded.judge_upload(scene.ofd).outcome is Outcome.VALID


def test_a_file_with_evidence_is_judged_in_a_bounded_process_too(
    scene: IssuedScene, pool: BoundedPool
) -> None:
    """T-WEB-13; T-API-18: a caller's evidence buys no unbounded work."""
    here, there = scene.verification, _bounded(scene, pool)
    given = GivenEvidence(
        trust=tuple(GivenFile(name="root", data=root.der) for root in trust_material().trust.roots)
    )
    for data in (scene.ofd, scene.pdf, b"neither"):
        assert there.judge_given(data, given) == here.judge_given(data, given)
    verdict = there.judge_given(scene.ofd, given)
    assert (verdict.outcome, verdict.licence) == (Outcome.INDETERMINATE, None)


def test_the_process_adds_little_to_a_verification(scene: IssuedScene, pool: BoundedPool) -> None:
    bounded = _bounded(scene, pool)
    for _ in range(5):
        bounded.judge_upload(scene.ofd)
        scene.verification.judge_upload(scene.ofd)
    here, there = [], []
    for _ in range(40):
        begun = time.perf_counter()
        scene.verification.judge_upload(scene.ofd)
        between = time.perf_counter()
        bounded.judge_upload(scene.ofd)
        here.append(between - begun)
        there.append(time.perf_counter() - between)
    # About a millisecond on a quiet machine; the bound leaves room for a busy one.
    assert statistics.median(there) - statistics.median(here) < 0.01

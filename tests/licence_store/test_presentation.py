"""One-time codes: single redemption, short life, one refusal for all, every use written down."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from licence_store import library
from licence_store.codes import HolderCodeType
from licence_store.desk import DeskParts, PresentationDesk, PresentationWish, Released
from licence_store.errors import (
    HolderMismatch,
    InvalidRequest,
    LicenceNotFound,
    LicenceStateRefused,
    PresentationRefused,
)
from licence_store.library import RevocationOrder
from licence_store.model import FileFormat, Licence
from licence_store.presentation import CODE_LENGTH, UseResult
from licence_store.states import RevocationKind
from seal_service.plumbing.database import Database
from tests.support.licences import (
    AUTHORITY,
    HOLDER,
    NOW,
    OTHER_AUTHORITY,
    MemoryBlobs,
    MovingClock,
    make_approval_result,
    make_caller,
    make_randomness,
    put_in_force,
)

HOLDERS_CALLER = make_caller("wallet")
USER = make_caller("food-approval", OTHER_AUTHORITY.code)
ITEM = "11320100MB9K00013M4320131005000"


class Scene:
    """A licence in force, a desk, and a clock that can be moved."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = MovingClock(NOW)
        self.blobs = MemoryBlobs()
        self.licence: Licence = put_in_force(database, make_approval_result(), self.blobs)
        self.desk = PresentationDesk(
            DeskParts(
                database=database,
                blobs=self.blobs,
                clock=self.clock,
                randomness=make_randomness(7),
                index_secret=b"index secret of tests",
            )
        )

    def wish(self, **changes: object) -> PresentationWish:
        wish = PresentationWish(
            identifier=self.licence.identifier,
            holder_code=HOLDER.code,
            holder_code_type=HolderCodeType.USCC,
            purpose="办理食品经营许可",
            service_item_code=None,
            lifetime_seconds=120,
        )
        return replace(wish, **changes)  # type: ignore[arg-type]

    def code(self, **changes: object) -> str:
        return self.desk.present(HOLDERS_CALLER, self.wish(**changes)).code

    def redeem(self, code: str, item: str = ITEM) -> Released:
        return self.desk.redeem(USER, code=code, service_item_code=item, case_number="F-1")

    def results(self) -> list[UseResult]:
        uses = self.desk.uses(HOLDERS_CALLER, self.licence.identifier, before=None, limit=50)
        return [use.result for use in uses][::-1]


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_a_code_is_redeemed_once_by_a_system_of_another_tenant(scene: Scene) -> None:
    released = scene.redeem(scene.code())
    assert released.licence == scene.licence
    assert released.purpose == "办理食品经营许可"
    assert {file.format for file, _ in released.files} == set(FileFormat)
    (use,) = scene.desk.uses(HOLDERS_CALLER, scene.licence.identifier, before=None, limit=10)
    assert (use.user_authority_code, use.caller_id) == (OTHER_AUTHORITY.code, "food-approval")
    assert (use.service_item_code, use.case_number) == (ITEM, "F-1")
    assert "name" in use.released
    assert "file:ofd" in use.released


def test_codes_have_at_least_128_random_bits_and_are_stored_as_digests(scene: Scene) -> None:
    first, second = scene.code(), scene.code()
    assert len(first) == CODE_LENGTH
    assert first != second
    with scene.database.transaction() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM presentations").all()
    assert first not in repr(rows)


def test_a_second_redemption_is_refused_and_written_down(scene: Scene) -> None:
    """T-WEB-05."""
    code = scene.code()
    scene.redeem(code)
    with pytest.raises(PresentationRefused):
        scene.redeem(code)
    assert scene.results() == [UseResult.RELEASED, UseResult.ALREADY_USED]


def test_a_late_redemption_is_refused_at_the_very_second(scene: Scene) -> None:
    """T-WEB-05."""
    code = scene.code(lifetime_seconds=60)
    scene.clock.move(timedelta(seconds=60))
    with pytest.raises(PresentationRefused):
        scene.redeem(code)
    assert scene.results() == [UseResult.TOO_LATE]


@pytest.mark.parametrize("guess", ["", "A" * 32, "' OR 1=1 --", "甲", "\ud800", "A" * 5000])
def test_a_guess_is_refused_and_written_down_in_the_guessers_tenant(
    scene: Scene, guess: str
) -> None:
    with pytest.raises(PresentationRefused):
        scene.redeem(guess)
    with scene.database.transaction() as connection:
        row = connection.exec_driver_sql(
            "SELECT authority_code, identifier, result FROM licence_uses"
        ).one()
    assert tuple(row) == (OTHER_AUTHORITY.code, None, "unknown-code")


def test_all_refusals_look_alike(scene: Scene) -> None:
    used, late = scene.code(), scene.code(lifetime_seconds=60)
    other = scene.code(service_item_code="another")
    scene.redeem(used)
    answers = set()
    with pytest.raises(PresentationRefused) as caught:
        scene.redeem(other)
    answers.add((caught.value.code, caught.value.detail, str(caught.value.params)))
    scene.clock.move(timedelta(seconds=61))
    for code in (used, late, "guess"):
        with pytest.raises(PresentationRefused) as caught:
            scene.redeem(code)
        answers.add((caught.value.code, caught.value.detail, str(caught.value.params)))
    assert len(answers) == 1


def test_a_code_for_one_matter_is_not_spent_by_another(scene: Scene) -> None:
    code = scene.code(service_item_code=ITEM)
    with pytest.raises(PresentationRefused):
        scene.redeem(code, item="another")
    assert scene.redeem(code).licence == scene.licence


def test_parallel_redemptions_release_once(scene: Scene) -> None:
    """T-WEB-05, raced."""
    for _ in range(5):
        code = scene.code()

        def attempt(_: int, code: str = code) -> bool:
            try:
                scene.redeem(code)
            except PresentationRefused:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]


def test_a_licence_revoked_after_its_code_was_made_is_not_released(scene: Scene) -> None:
    code = scene.code()
    order = RevocationOrder(
        authority_code=AUTHORITY.code,
        identifier=scene.licence.identifier,
        kind=RevocationKind.REVOKED,
        reason="违法",
        basis_document="文号",
        caller_id="approval",
        now=NOW,
    )
    with scene.database.transaction() as connection:
        library.record_revocation(connection, order)
    with pytest.raises(LicenceStateRefused):
        scene.redeem(code)
    assert scene.results() == [UseResult.NOT_IN_FORCE]
    with pytest.raises(LicenceStateRefused):
        scene.code()


def test_only_the_named_holder_is_served(scene: Scene) -> None:
    with pytest.raises(HolderMismatch):
        scene.code(holder_code="91320100MA9K0001XU")


def test_another_tenants_licence_cannot_be_presented(scene: Scene) -> None:
    """T-API-06."""
    with pytest.raises(LicenceNotFound):
        scene.desk.present(USER, scene.wish())
    with pytest.raises(LicenceNotFound):
        scene.desk.uses(USER, scene.licence.identifier, before=None, limit=10)


@pytest.mark.parametrize("purpose", ["", "甲\u202e乙", "x" * 201])
def test_the_purpose_must_be_readable(scene: Scene, purpose: str) -> None:
    with pytest.raises(InvalidRequest):
        scene.code(purpose=purpose)


@pytest.mark.parametrize(("asked", "given"), [(1, 60), (120, 120), (10_000, 300)])
def test_a_code_lives_between_one_and_five_minutes(scene: Scene, asked: int, given: int) -> None:
    made = scene.desk.present(HOLDERS_CALLER, scene.wish(lifetime_seconds=asked))
    assert made.expires_at - made.created_at == timedelta(seconds=given)


def test_uses_are_paged(scene: Scene) -> None:
    for _ in range(3):
        scene.redeem(scene.code())
    first = scene.desk.uses(HOLDERS_CALLER, scene.licence.identifier, before=None, limit=2)
    rest = scene.desk.uses(
        HOLDERS_CALLER, scene.licence.identifier, before=first[-1].use_id, limit=2
    )
    assert [len(first), len(rest)] == [2, 1]

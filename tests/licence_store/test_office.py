"""Issuing: the order of the steps, exactly once, and nothing half done (T-API-12, T-API-13)."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from keys.errors import KeyStoreUnavailable, ServiceError
from licence_store import lookup
from licence_store.codes import HolderCodeType
from licence_store.errors import (
    AuthorityMismatch,
    FileDamaged,
    FileUnavailable,
    InvalidApprovalResult,
    InvalidFaceData,
    InvalidRequest,
    LeaseLost,
    LicenceBusy,
    LicenceExists,
    LicenceNotFound,
    LicenceTypeNotAllowed,
)
from licence_store.identifiers import parse_identifier
from licence_store.library import RevocationOrder
from licence_store.links import read_code
from licence_store.lookup import ListFilter
from licence_store.model import ApprovalResult, FileFormat, Holder
from licence_store.rendering.errors import TemplateNotFound
from licence_store.states import LicenceState, RevocationKind
from seal_service.errors import (
    GlyphMissing,
    IdempotencyMismatch,
    SealRevoked,
    SelfCheckFailed,
    StorageUnavailable,
)
from seal_service.plumbing.database import Database
from tests.support.licences import (
    AUTHORITY,
    BUSINESS_LICENCE,
    HOLDER,
    LONG_SCOPE,
    NOW,
    OTHER_AUTHORITY,
    make_approval_result,
    make_caller,
    make_food_result,
)
from tests.support.office import Crash, OfficeScene

CALLER = make_caller()


@pytest.fixture
def scene(database: Database) -> OfficeScene:
    return OfficeScene(database)


def _raise(error: BaseException) -> None:
    raise error


def _rows(scene: OfficeScene) -> list[tuple[str, str]]:
    with scene.database.transaction() as connection:
        found = connection.exec_driver_sql("SELECT identifier, state FROM licences").all()
    return [(row[0], row[1]) for row in found]


def test_an_approval_result_becomes_a_licence_in_force(scene: OfficeScene) -> None:
    issued = scene.issue(make_approval_result())
    licence = issued.licence
    assert issued.is_new
    assert licence.state is LicenceState.IN_FORCE
    assert licence.licence_number == HOLDER.code
    assert parse_identifier(licence.identifier).authority_code == AUTHORITY.code
    assert licence.metadata["CertificateIdentifier"] == licence.identifier
    assert [file.format for file in licence.files] == [FileFormat.OFD, FileFormat.PDF]
    ofd, pdf = scene.released[0]
    assert scene.office.read_file(licence, FileFormat.OFD) == ofd
    assert scene.office.read_file(licence, FileFormat.PDF) == pdf
    assert set(scene.sealer.states.values()) == {"committed"}


def test_the_reservation_is_committed_before_anything_is_rendered_or_sealed(
    scene: OfficeScene,
) -> None:
    seen: list[list[tuple[str, str]]] = []
    scene.renderer.before_render = lambda: seen.append(_rows(scene))
    issued = scene.issue(make_approval_result())
    assert seen == [[(issued.licence.identifier, "issuing")]]


def test_the_public_link_leads_to_the_licence(scene: OfficeScene) -> None:
    licence = scene.issue(make_approval_result()).licence
    link = scene.office.qr_link(AUTHORITY.code, licence.identifier)
    assert link == scene.renderer.rendered[0].qr_link
    with scene.database.transaction() as connection:
        token = read_code(link.rpartition("/")[2])
        assert lookup.find_by_qr_token(connection, token) == licence


def test_the_same_request_again_returns_the_same_licence_and_bytes(scene: OfficeScene) -> None:
    """T-API-12, sequential and after a year."""
    first = scene.issue(make_approval_result())
    scene.clock.move(timedelta(days=365))
    again = scene.issue(make_approval_result())
    assert again.licence == first.licence
    assert not again.is_new
    assert len(scene.sealer.states) == 2


def test_the_order_of_face_fields_does_not_matter_to_a_retry(scene: OfficeScene) -> None:
    result = make_approval_result()
    first = scene.issue(result)
    turned = make_approval_result(face_data=dict(reversed(list(result.face_data.items()))))
    assert scene.issue(turned).licence == first.licence


def test_a_key_that_came_with_other_content_is_refused(scene: OfficeScene) -> None:
    """T-API-12."""
    scene.issue(make_approval_result())
    with pytest.raises(IdempotencyMismatch):
        scene.issue(make_approval_result(case_number="YQ-2026-000077"))
    assert len(_rows(scene)) == 1


def test_another_key_with_the_same_content_returns_the_same_licence(scene: OfficeScene) -> None:
    first = scene.issue(make_approval_result())
    assert scene.issue(make_approval_result(), "another key").licence == first.licence


@pytest.mark.parametrize(
    "other",
    [
        make_approval_result(area_code="320100"),
        make_approval_result(valid_until=date(2030, 1, 1)),
        make_approval_result(face_changes={"legal_representative": "陈二"}),
        make_approval_result(service_item_name="其他事项"),
        make_approval_result(licence_number=HOLDER.code),
    ],
)
def test_the_same_case_with_other_content_is_refused(
    scene: OfficeScene, other: ApprovalResult
) -> None:
    """T-API-13."""
    scene.issue(make_approval_result())
    with pytest.raises(LicenceExists):
        scene.issue(other, "another key")
    assert len(_rows(scene)) == 1
    assert len(scene.sealer.states) == 2


def test_one_case_may_lead_to_licences_of_two_types(scene: OfficeScene) -> None:
    scene.issue(make_approval_result())
    scene.issue(make_food_result(case_number="YQ-2026-000001"), "another key")
    assert len(_rows(scene)) == 2


def test_parallel_requests_make_one_licence(scene: OfficeScene) -> None:
    """T-API-12, 50 parallel."""
    scene.pause = time.sleep
    scene.renderer.before_render = lambda: time.sleep(0.05)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: scene.issue(make_approval_result()), range(50)))
    assert len({answer.licence.identifier for answer in answers}) == 1
    assert len({answer.licence.files for answer in answers}) == 1
    assert [answer.is_new for answer in answers].count(True) == 1
    assert len(scene.sealer.states) == 2


def test_a_twin_that_never_finishes_is_reported_as_busy(database: Database) -> None:
    scene = OfficeScene(database, wait_seconds=1)
    scene.renderer.before_render = lambda: _raise(Crash())
    scene.office._give_up = lambda *_: None  # type: ignore[method-assign]  # a crash cleans nothing
    with pytest.raises(Crash):
        scene.issue(make_approval_result())
    with pytest.raises(LicenceBusy):
        scene.issue(make_approval_result())
    assert 1 <= sum(scene.pauses) < 2


@pytest.mark.parametrize(
    "step", ["before_render", "before_seal_pdf", "before_release", "before_commit"]
)
def test_after_a_crash_at_any_step_a_retry_issues_under_the_same_identifier(
    scene: OfficeScene, step: str
) -> None:
    """T-STO-02, T-STO-18, T-STO-19."""
    owner = next(o for o in (scene.renderer, scene.sealer, scene) if hasattr(o, step))
    setattr(owner, step, lambda: _raise(Crash()))
    give_up = scene.office._give_up
    scene.office._give_up = lambda *_: None  # type: ignore[method-assign]  # a crash cleans nothing
    with pytest.raises(Crash):
        scene.issue(make_approval_result())
    scene.office._give_up = give_up  # type: ignore[method-assign]
    setattr(owner, step, lambda: None)
    ((identifier, state),) = _rows(scene)
    assert state == "issuing"
    scene.clock.move(timedelta(seconds=scene.settings.lease_seconds))
    issued = scene.issue(make_approval_result())
    assert issued.licence.identifier == identifier
    assert _rows(scene) == [(identifier, "in_force")]


def test_the_sweep_abandons_what_a_crash_left_and_a_retry_takes_it_up(scene: OfficeScene) -> None:
    scene.renderer.before_render = lambda: _raise(Crash())
    give_up = scene.office._give_up
    scene.office._give_up = lambda *_: None  # type: ignore[method-assign]  # a crash cleans nothing
    with pytest.raises(Crash):
        scene.issue(make_approval_result())
    scene.office._give_up = give_up  # type: ignore[method-assign]
    scene.renderer.before_render = lambda: None
    assert scene.office.sweep() == 0
    scene.clock.move(timedelta(seconds=scene.settings.lease_seconds))
    assert scene.office.sweep() == 1
    ((identifier, state),) = _rows(scene)
    assert state == "abandoned"
    assert scene.issue(make_approval_result()).licence.identifier == identifier


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("before_render", KeyStoreUnavailable()),
        ("before_seal_pdf", KeyStoreUnavailable()),
        ("before_release", SelfCheckFailed()),
        ("before_commit", SealRevoked()),
        ("before_commit", StorageUnavailable()),
    ],
)
def test_a_refusal_at_any_step_leaves_no_licence_and_may_be_retried_at_once(
    scene: OfficeScene, step: str, error: ServiceError
) -> None:
    """T-STO-03, T-STO-07, T-STO-18."""
    owner = next(o for o in (scene.renderer, scene.sealer, scene) if hasattr(o, step))
    setattr(owner, step, lambda: _raise(error))
    with pytest.raises(type(error)):
        scene.issue(make_approval_result())
    assert scene.office.list_licences(CALLER, ListFilter()) == ()
    assert "committed" not in scene.sealer.states.values()
    assert "open" not in scene.sealer.states.values()
    setattr(owner, step, lambda: None)
    assert scene.issue(make_approval_result()).is_new


def test_after_a_refusal_the_case_may_come_with_mended_content(scene: OfficeScene) -> None:
    """T-API-27: a name without a glyph is refused, then written with another character."""
    scene.renderer.before_render = lambda: _raise(GlyphMissing())
    with pytest.raises(GlyphMissing):
        scene.issue(make_approval_result())
    scene.renderer.before_render = lambda: None
    mended = make_approval_result(face_changes={"legal_representative": "改正"})
    assert scene.issue(mended).licence.approval_result == mended


def test_a_request_that_lost_its_lease_commits_nothing(scene: OfficeScene) -> None:
    def lose_the_lease() -> None:
        scene.before_release = lambda: None
        scene.clock.move(timedelta(seconds=scene.settings.lease_seconds))
        scene.issue(make_approval_result())

    scene.before_release = lose_the_lease
    with pytest.raises(LeaseLost):
        scene.issue(make_approval_result())
    ((_, state),) = _rows(scene)
    assert state == "in_force"


def test_another_authoritys_approval_result_is_refused(scene: OfficeScene) -> None:
    """T-API-07."""
    with pytest.raises(AuthorityMismatch):
        scene.issue(make_approval_result(issuing_authority=OTHER_AUTHORITY))
    assert _rows(scene) == []


def test_a_licence_type_without_a_template_is_refused(scene: OfficeScene) -> None:
    with pytest.raises(TemplateNotFound):
        scene.issue(make_approval_result(licence_type_code="11100000000019713D008"))


def test_a_licence_type_of_other_authorities_is_refused(scene: OfficeScene) -> None:
    """T-API-26."""
    scene.renderer.templates[BUSINESS_LICENCE] = replace(
        scene.renderer.templates[BUSINESS_LICENCE],
        allowed_authorities=frozenset({OTHER_AUTHORITY.code}),
    )
    with pytest.raises(LicenceTypeNotAllowed):
        scene.issue(make_approval_result())


@pytest.mark.parametrize(
    ("flawed", "pointer"),
    [
        (make_food_result(valid_until=date(2026, 11, 23)), "/valid_until"),
        (make_food_result(valid_until=date(9999, 12, 31)), "/valid_until"),
        (make_food_result(issued_on=date(1, 1, 1)), "/issued_on"),
        (make_food_result(area_code="990000"), "/area_code"),
        (make_food_result(case_number=""), "/case_number"),
        (make_food_result(case_number="x" * 65), "/case_number"),
        (make_food_result(service_item_code="甲"), "/service_item_code"),
        (make_food_result(service_item_name=""), "/service_item_name"),
        (make_food_result(licence_type_code="x"), "/licence_type_code"),
        (make_food_result(licence_number="甲\u202e"), "/licence_number"),
        (make_food_result(licence_number="JY26101030000778"), "/licence_number"),
        (make_approval_result(face_data={"name": "甲\u200b"}), "/face_data/name"),
        (make_approval_result(face_data={"../x": "甲"}), "/face_data"),
        (make_approval_result(face_data={f"f{n}": "甲" for n in range(101)}), "/face_data"),
        (
            make_approval_result(holder=Holder(name="甲", code="x", code_type=HolderCodeType.USCC)),
            "/holder/code",
        ),
        (
            make_approval_result(
                holder=Holder(name="甲\ue000", code=HOLDER.code, code_type=HolderCodeType.USCC)
            ),
            "/holder/name",
        ),
    ],
)
def test_faulty_fields_are_named_and_nothing_is_stored(
    scene: OfficeScene, flawed: ApprovalResult, pointer: str
) -> None:
    """T-API-26, T-API-28."""
    with pytest.raises(InvalidApprovalResult) as caught:
        scene.issue(flawed)
    assert [fault.pointer for fault in caught.value.errors] == [pointer]
    assert _rows(scene) == []


def test_face_data_is_checked_by_the_template(scene: OfficeScene) -> None:
    with pytest.raises(InvalidFaceData):
        scene.issue(make_approval_result(face_data={"uscc": HOLDER.code}))


def test_rare_characters_and_long_texts_are_kept_exactly(scene: OfficeScene) -> None:
    """T-API-27."""
    name = "西安𰻞𰻞面馆（葛󠄀城·云栖店）"
    result = make_approval_result(
        holder=replace(HOLDER, name=name), face_changes={"name": name, "business_scope": LONG_SCOPE}
    )
    licence = scene.issue(result).licence
    assert licence.approval_result.face_data["name"] == name
    assert licence.approval_result.face_data["business_scope"] == LONG_SCOPE


def test_a_missing_format_is_reported(scene: OfficeScene) -> None:
    licence = replace(scene.issue(make_approval_result()).licence, files=())
    with pytest.raises(FileUnavailable):
        scene.office.read_file(licence, FileFormat.OFD)


def test_a_file_that_was_cut_short_is_not_given_out(scene: OfficeScene) -> None:
    """T-STO-09."""
    licence = scene.issue(make_approval_result()).licence
    scene.blobs.kept[licence.files[0].digest] = b"short"
    with pytest.raises(FileDamaged):
        scene.office.read_file(licence, licence.files[0].format)


def test_an_empty_optional_field_is_accepted(scene: OfficeScene) -> None:
    assert scene.issue(make_approval_result(face_changes={"business_term": ""})).is_new


def test_another_tenant_sees_nothing(scene: OfficeScene) -> None:
    """T-API-06."""
    licence = scene.issue(make_approval_result()).licence
    stranger = make_caller("stranger", OTHER_AUTHORITY.code)
    with pytest.raises(LicenceNotFound):
        scene.office.show(stranger, licence.identifier)
    assert scene.office.list_licences(stranger, ListFilter()) == ()


def test_a_licence_is_revoked_in_one_call(scene: OfficeScene) -> None:
    licence = scene.issue(make_approval_result()).licence
    order = RevocationOrder(
        authority_code=AUTHORITY.code,
        identifier=licence.identifier,
        kind=RevocationKind.WITHDRAWN,
        reason="决定违法",
        basis_document="云栖行审撤〔2026〕3 号",
        caller_id=CALLER.caller_id,
        now=NOW,
    )
    with pytest.raises(InvalidRequest):
        scene.office.revoke(replace(order, reason="\u202e", basis_document=""))
    assert scene.office.revoke(order).state is LicenceState.WITHDRAWN
    assert scene.issue(make_approval_result()).licence.state is LicenceState.WITHDRAWN

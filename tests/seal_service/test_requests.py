"""Requests that a second person confirms, on both databases (T-API-09, 10, 11, 37; T-PKI-27)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from keys.errors import IssuingRefused
from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    MandateMissing,
    SealNotFound,
    SealRequestClosed,
    SealRequestNotFound,
    SealStateRefused,
)
from seal_service.plumbing.database import Database
from seal_service.seals import lookup, mandates
from seal_service.seals.model import Mandate, MandateGrant, MandateLimits, Seal
from seal_service.seals.request_desk import (
    REQUESTED_MOVES,
    Asked,
    Confirmer,
    RequestDesk,
    RequestParts,
    Withdrawal,
)
from seal_service.seals.requests import RequestState, SealRequest
from seal_service.seals.states import TWO_PERSON_ACTIONS, SealAction, SealState
from seal_service.seals.tables import seal_requests
from tests.support.licences import BUSINESS_LICENCE, MovingClock, make_randomness
from tests.support.register import (
    OTHER_TENANT,
    TENANT,
    apply_for_seal,
    bring_into_use,
    move,
)
from tests.support.trust import NOW, YEAR

HOUR = timedelta(hours=1)


class Scene:
    """A desk with one seal in use; certificates that are revoked are only noted."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = MovingClock(NOW)
        self.revoked: list[tuple[bytes, datetime]] = []
        self.is_authority_down = False
        self.desk = RequestDesk(
            RequestParts(
                database=database,
                clock=self.clock,
                randomness=make_randomness(9),
                revoke_certificate=self._revoke,
            )
        )
        self.seal = bring_into_use(database, apply_for_seal(database))

    def _revoke(self, certificate: bytes, _: datetime, since: datetime) -> None:
        if self.is_authority_down:
            raise IssuingRefused("not now", reason="crl-file")
        self.revoked.append((certificate, since))

    def asked(self, **changes: str) -> Asked:
        return Asked(
            authority_code=changes.get("tenant", TENANT),
            seal_id=changes.get("seal_id", self.seal.seal_id),
            applicant=changes.get("applicant", "applicant"),
            basis_document=changes.get("basis", "云栖政办〔2026〕12 号"),
            reason="机构撤销",
        )

    def by(self, request: SealRequest, **changes: str) -> Confirmer:
        return Confirmer(
            authority_code=changes.get("tenant", TENANT),
            seal_id=changes.get("seal_id", request.seal_id),
            request_id=changes.get("request_id", request.request_id),
            actor=changes.get("actor", "approver"),
            digest=request.digest,
        )

    def shown(self, seal_id: str = "") -> Seal:
        with self.database.reading() as connection:
            return lookup.find(connection, TENANT, seal_id or self.seal.seal_id)

    def mandates(self) -> tuple[Mandate, ...]:
        with self.database.reading() as connection:
            return mandates.mandates_of(connection, TENANT, self.seal.seal_id)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def grant(**changes: object) -> MandateGrant:
    parts: dict[str, object] = {
        "authority_code": TENANT,
        "seal_id": "SEAL-1",
        "caller_id": "approval",
        "licence_type_code": BUSINESS_LICENCE,
        "valid_from": NOW,
        "valid_until": NOW + YEAR,
        "applicant": "whoever a body names",
        "approver": "whoever a body names",
        "basis_document": "用章授权书",
        "limits": MandateLimits(matter_codes=("000116003000",), hours=(510, 1050), daily_count=9),
        **changes,
    }
    return MandateGrant(**parts)  # type: ignore[arg-type]  # keywords are flaws


def test_every_move_that_needs_two_is_done_here_or_on_an_application() -> None:
    """T-API-37: there is no third way."""
    on_application = {
        SealAction.APPROVE,
        SealAction.REJECT,
        SealAction.MAKE,
        SealAction.ACTIVATE,
    }
    assert REQUESTED_MOVES | on_application | {SealAction.COMPROMISE} == TWO_PERSON_ACTIONS


def test_what_one_asks_another_confirms_and_it_is_done(scene: Scene) -> None:
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    assert scene.shown().state is SealState.ACTIVE
    decided = scene.desk.confirm(scene.by(request))
    assert (decided.state, decided.decided_by) == (RequestState.CONFIRMED, "approver")
    assert decided.completed_at == NOW
    assert scene.shown().state is SealState.REVOKED
    with scene.database.reading() as connection:
        last = lookup.history(connection, TENANT, scene.seal.seal_id)[-1]
    assert (last.applicant, last.approver, last.reason) == ("applicant", "approver", "机构撤销")


@pytest.mark.parametrize("action", [SealAction.APPROVE, SealAction.MAKE, SealAction.SUSPEND])
def test_other_moves_are_not_asked_for_here(scene: Scene, action: SealAction) -> None:
    with pytest.raises(InvalidSealOrder):
        scene.desk.file_move(scene.asked(), action)


def test_an_illegal_move_cannot_be_asked_for(scene: Scene) -> None:
    with pytest.raises(SealStateRefused):
        scene.desk.file_move(scene.asked(), SealAction.RESUME)
    with pytest.raises(InvalidSealOrder):
        scene.desk.file_move(scene.asked(basis=" "), SealAction.REVOKE)
    assert scene.desk.list_requests(TENANT, scene.seal.seal_id) == ()


def test_nobody_confirms_their_own_request(scene: Scene) -> None:
    # T-API-09
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    with pytest.raises(DualControlRefused) as refused:
        scene.desk.confirm(scene.by(request, actor="applicant"))
    assert refused.value.params["rule"] == "own-request"
    assert scene.shown().state is SealState.ACTIVE


def test_a_confirmation_binds_exactly_what_was_read(scene: Scene) -> None:
    # T-API-10: another request, and one that was changed behind the desk's back.
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    other = scene.desk.file_move(scene.asked(), SealAction.CANCEL)
    with pytest.raises(DualControlRefused) as refused:
        scene.desk.confirm(replace(scene.by(request), digest=other.digest))
    assert refused.value.params["rule"] == "other-request"
    with scene.database.transaction() as connection:
        connection.execute(
            update(seal_requests)
            .where(seal_requests.c.request_id == request.request_id)
            .values(content='{"action":"destroy"}')
        )
    with pytest.raises(DualControlRefused):
        scene.desk.confirm(scene.by(request))
    changed = scene.desk.list_requests(TENANT, scene.seal.seal_id)[1]
    with pytest.raises(DualControlRefused) as refused:
        scene.desk.confirm(scene.by(changed))
    assert refused.value.params["rule"] == "changed"
    assert scene.shown().state is SealState.ACTIVE


def test_a_confirmation_counts_once(scene: Scene) -> None:
    # T-API-11
    move(scene.database, scene.seal, SealAction.SUSPEND)
    request = scene.desk.file_move(scene.asked(), SealAction.RESUME)
    scene.desk.confirm(scene.by(request))
    move(scene.database, scene.seal, SealAction.SUSPEND)
    for decide in (scene.desk.confirm, scene.desk.refuse):
        with pytest.raises(SealRequestClosed):
            decide(scene.by(request))
    assert scene.shown().state is SealState.SUSPENDED


def test_a_request_expires(scene: Scene) -> None:
    # T-API-11: the last instant still counts.
    late = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    in_time = scene.desk.file_move(scene.asked(), SealAction.CANCEL)
    scene.clock.move(72 * HOUR)
    scene.desk.confirm(scene.by(in_time))
    scene.clock.move(timedelta(seconds=1))
    with pytest.raises(DualControlRefused) as refused:
        scene.desk.confirm(scene.by(late))
    assert refused.value.params["rule"] == "expired"
    assert scene.shown().state is SealState.CANCELLED


def test_a_refused_request_is_never_done(scene: Scene) -> None:
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    closed = scene.desk.refuse(scene.by(request, actor="applicant"))
    assert (closed.state, closed.decided_by) == (RequestState.REFUSED, "applicant")
    with pytest.raises(SealRequestClosed):
        scene.desk.confirm(scene.by(request))
    assert scene.shown().state is SealState.ACTIVE


def test_what_became_impossible_meanwhile_leaves_the_request_open(scene: Scene) -> None:
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    scene.desk.confirm(scene.by(scene.desk.file_move(scene.asked(), SealAction.CANCEL)))
    with pytest.raises(SealStateRefused):
        scene.desk.confirm(scene.by(request))
    newest, first = scene.desk.list_requests(TENANT, scene.seal.seal_id)
    assert (newest.state, first.state) == (RequestState.CONFIRMED, RequestState.OPEN)


def test_another_tenant_finds_no_request(scene: Scene) -> None:
    # T-API-06
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    for decide in (scene.desk.confirm, scene.desk.refuse):
        with pytest.raises(SealNotFound):
            decide(scene.by(request, tenant=OTHER_TENANT))
    with pytest.raises(SealNotFound):
        scene.desk.file_mandate(scene.asked(tenant=OTHER_TENANT), grant())
    with pytest.raises(SealNotFound):
        scene.desk.list_requests(OTHER_TENANT, scene.seal.seal_id)
    with pytest.raises(SealNotFound):
        scene.desk.sealed_since(OTHER_TENANT, scene.seal.seal_id, NOW)


def test_a_request_belongs_to_its_seal(scene: Scene) -> None:
    other = apply_for_seal(scene.database, "SEAL-2")
    request = scene.desk.file_move(scene.asked(), SealAction.REVOKE)
    with pytest.raises(SealRequestNotFound):
        scene.desk.confirm(scene.by(request, seal_id=other.seal_id))


# Mandates


def test_a_mandate_is_between_the_two_who_signed_their_requests(scene: Scene) -> None:
    # T-API-09: names in the body count for nothing.
    request = scene.desk.file_mandate(scene.asked(), grant())
    assert scene.mandates() == ()
    scene.desk.confirm(scene.by(request))
    (mandate,) = scene.mandates()
    assert mandate.grant == grant(applicant="applicant", approver="approver")


def test_a_mandate_ends_at_once_by_one_person(scene: Scene) -> None:
    scene.desk.confirm(scene.by(scene.desk.file_mandate(scene.asked(), grant())))
    (mandate,) = scene.mandates()
    end = Withdrawal(actor="manager", reason="系统停用")
    ended = scene.desk.withdraw_mandate(TENANT, scene.seal.seal_id, mandate.mandate_id, end)
    assert ended.withdrawn_at == NOW
    other = apply_for_seal(scene.database, "SEAL-2")
    for seal_id in (scene.seal.seal_id, other.seal_id):
        with pytest.raises(MandateMissing):
            scene.desk.withdraw_mandate(TENANT, seal_id, mandate.mandate_id, end)


# Lost keys


def test_a_lost_key_stops_every_seal_that_signs_with_it(scene: Scene) -> None:
    # T-PKI-27: the test seals share the holder's keys, as seals of one body do.
    second = bring_into_use(scene.database, apply_for_seal(scene.database, "SEAL-2"))
    ended = bring_into_use(scene.database, apply_for_seal(scene.database, "SEAL-3"))
    for action in (SealAction.CANCEL, SealAction.DESTROY):
        move(scene.database, ended, action)
    since = NOW - HOUR
    request = scene.desk.file_compromise(scene.asked(), since)
    decided = scene.desk.confirm(scene.by(request))
    assert decided.completed_at == NOW
    for seal in (scene.seal, second):
        assert scene.shown(seal.seal_id).state is SealState.REVOKED
        assert scene.shown(seal.seal_id).epoch == seal.epoch + 1
    assert scene.shown(ended.seal_id).state is SealState.DESTROYED
    assert {when for _, when in scene.revoked} == {since}
    assert len(scene.revoked) == 2
    with scene.database.reading() as connection:
        then = lookup.status_at(connection, scene.seal.seal_id, NOW)
    assert (then.state, then.since) == (SealState.REVOKED, since)


def test_a_loss_lies_in_the_past(scene: Scene) -> None:
    with pytest.raises(InvalidSealOrder) as refused:
        scene.desk.file_compromise(scene.asked(), NOW + HOUR)
    assert refused.value.params["field"] == "since"


def test_the_stop_does_not_wait_for_the_certificate_authority(scene: Scene) -> None:
    request = scene.desk.file_compromise(scene.asked(), NOW - HOUR)
    scene.is_authority_down = True
    decided = scene.desk.confirm(scene.by(request))
    assert (decided.state, decided.completed_at) == (RequestState.CONFIRMED, None)
    assert scene.shown().state is SealState.REVOKED
    scene.desk.finish_compromises()
    assert scene.revoked == []
    scene.is_authority_down = False
    scene.clock.move(HOUR)
    scene.desk.finish_compromises()
    scene.desk.finish_compromises()
    assert len(scene.revoked) == 2
    (done,) = scene.desk.list_requests(TENANT, scene.seal.seal_id)
    assert done.completed_at == NOW + HOUR


def test_an_earlier_loss_can_be_found_later(scene: Scene) -> None:
    for since in (NOW - HOUR, NOW - 3 * HOUR):
        scene.desk.confirm(scene.by(scene.desk.file_compromise(scene.asked(), since)))
    with scene.database.reading() as connection:
        _, events = lookup.find_for_verification(connection, scene.seal.seal_id)
    assert min(event.counts_from for event in events if event.effective_at) == NOW - 3 * HOUR
    assert {since for _, since in scene.revoked} == {NOW - HOUR, NOW - 3 * HOUR}

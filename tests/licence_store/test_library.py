"""The library's rows: one licence per case and type, leases, tenants, revocation, paging."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from keys.algorithms import sm3
from licence_store import library, lookup
from licence_store.codes import HolderCodeType
from licence_store.errors import (
    LeaseLost,
    LicenceExists,
    LicenceNotFound,
    LicenceStateRefused,
)
from licence_store.library import (
    KeptLicence,
    Reservation,
    ReservationStatus,
    Reserved,
    RevocationOrder,
)
from licence_store.lookup import ListFilter
from licence_store.model import ApprovalResult, Holder, Licence
from licence_store.states import LicenceState, RevocationKind
from seal_service.plumbing.database import Database
from tests.support.licences import (
    AUTHORITY,
    NOW,
    OTHER_AUTHORITY,
    make_approval_result,
    make_files,
    make_identifier,
    make_record,
    make_uscc,
)

LEASE = timedelta(seconds=120)


def make_reservation(
    result: ApprovalResult | None = None, *, serial: int = 1, late: timedelta = timedelta(0)
) -> Reservation:
    result = result or make_approval_result()
    identifier = make_identifier(result, serial)
    return Reservation(
        approval_result=result,
        identifier=identifier,
        qr_digest=sm3(identifier.encode()),
        holder_digest=sm3(result.holder.code.encode()),
        licence_number=result.holder.code,
        licence_type_name="营业执照",
        template_version="1",
        now=NOW + late,
        lease_until=NOW + late + LEASE,
    )


def reserve(database: Database, wanted: Reservation) -> Reserved:
    with database.transaction() as connection:
        return library.reserve(connection, wanted)


def keep(database: Database, reserved: Reserved, result: ApprovalResult) -> Licence:
    kept = KeptLicence(
        reserved=reserved,
        metadata=make_record(result, reserved.identifier),
        files=make_files(),
        caller_id="approval",
        now=NOW,
    )
    with database.transaction() as connection:
        library.keep(connection, kept)
        return lookup.find(connection, reserved.authority_code, reserved.identifier)


def issue(database: Database, result: ApprovalResult | None = None, *, serial: int = 1) -> Licence:
    result = result or make_approval_result()
    return keep(database, reserve(database, make_reservation(result, serial=serial)), result)


def revoke(database: Database, identifier: str, **changes: object) -> Licence:
    order = {
        "authority_code": AUTHORITY.code,
        "identifier": identifier,
        "kind": RevocationKind.REVOKED,
        "reason": "提供虚假材料",
        "basis_document": "云栖行审罚〔2026〕7 号",
        "caller_id": "approval",
        "now": NOW,
        **changes,
    }
    with database.transaction() as connection:
        return library.record_revocation(connection, RevocationOrder(**order))  # type: ignore[arg-type]


def test_a_kept_licence_is_found_as_it_was_put_in(database: Database) -> None:
    result = make_approval_result()
    licence = issue(database, result)
    assert licence.approval_result == result
    assert licence.state is LicenceState.IN_FORCE
    assert licence.files == make_files()
    assert licence.metadata == make_record(result, licence.identifier)
    assert licence.issued_at == NOW


def test_a_reservation_is_not_shown_as_a_licence(database: Database) -> None:
    reserved = reserve(database, make_reservation())
    with database.transaction() as connection:
        with pytest.raises(LicenceNotFound):
            lookup.find(connection, AUTHORITY.code, reserved.identifier)
        assert lookup.list_licences(connection, AUTHORITY.code, ListFilter()) == ()


def test_the_same_case_again_is_answered_with_the_licence(database: Database) -> None:
    first = issue(database)
    again = reserve(database, make_reservation(serial=2))
    assert again.status is ReservationStatus.ISSUED
    assert again.identifier == first.identifier


def test_the_same_case_with_other_content_is_refused(database: Database) -> None:
    """T-API-13."""
    issue(database)
    other = make_approval_result(face_changes={"legal_representative": "别人"})
    with pytest.raises(LicenceExists):
        reserve(database, make_reservation(other, serial=2))


def test_a_twin_finds_the_reservation_busy(database: Database) -> None:
    first = reserve(database, make_reservation())
    twin = reserve(database, make_reservation(serial=2))
    assert twin.status is ReservationStatus.BUSY
    assert twin.identifier == first.identifier


def test_other_content_is_refused_while_the_case_is_being_issued(database: Database) -> None:
    reserve(database, make_reservation())
    other = make_approval_result(area_code="320100")
    with pytest.raises(LicenceExists):
        reserve(database, make_reservation(other, serial=2))


def test_a_reservation_left_by_a_crash_is_taken_over_under_its_identifier(
    database: Database,
) -> None:
    """T-STO-02, T-STO-19."""
    dead = reserve(database, make_reservation())
    taken = reserve(database, make_reservation(serial=2, late=LEASE))
    assert taken.status is ReservationStatus.OURS
    assert taken.identifier == dead.identifier
    assert taken.attempt == dead.attempt + 1


def test_the_slow_former_owner_cannot_keep_what_was_taken_over(database: Database) -> None:
    result = make_approval_result()
    slow = reserve(database, make_reservation(result))
    fast = reserve(database, make_reservation(result, serial=2, late=LEASE))
    with pytest.raises(LeaseLost):
        keep(database, slow, result)
    assert keep(database, fast, result).state is LicenceState.IN_FORCE


def test_an_abandoned_case_may_come_again_with_mended_content(database: Database) -> None:
    refused = reserve(database, make_reservation())
    with database.transaction() as connection:
        library.abandon(connection, refused)
    mended = make_approval_result(
        holder=Holder(name="改正后的名称", code=make_uscc(7), code_type=HolderCodeType.USCC)
    )
    again = reserve(database, make_reservation(mended, serial=2))
    assert again.status is ReservationStatus.OURS
    assert again.identifier == refused.identifier
    assert keep(database, again, mended).approval_result == mended


def test_abandoning_leaves_a_kept_licence_alone(database: Database) -> None:
    """T-STO-04: the commit went through although the connection was lost."""
    result = make_approval_result()
    reserved = reserve(database, make_reservation(result))
    keep(database, reserved, result)
    with database.transaction() as connection:
        library.abandon(connection, reserved)
        found = lookup.find(connection, AUTHORITY.code, reserved.identifier)
    assert found.state is LicenceState.IN_FORCE


def test_the_sweep_abandons_only_reservations_whose_lease_is_over(database: Database) -> None:
    dead = reserve(database, make_reservation())
    alive = make_approval_result(case_number="YQ-2026-000009")
    reserve(database, make_reservation(alive, serial=2, late=timedelta(seconds=60)))
    with database.transaction() as connection:
        swept = library.sweep(connection, NOW + LEASE)
    assert [owner.identifier for owner in swept] == [dead.identifier]


def test_two_workers_with_one_case_make_one_reservation(database: Database) -> None:
    """T-STO-05."""
    for case in range(10):
        result = make_approval_result(case_number=f"YQ-2026-1{case:05d}")
        orders = [make_reservation(result, serial=100 + 10 * case + n) for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda order: reserve(database, order), orders))
        statuses = sorted(outcome.status.value for outcome in outcomes)
        assert statuses == ["busy", "busy", "busy", "ours"]
        assert len({outcome.identifier for outcome in outcomes}) == 1


def test_another_tenant_neither_finds_nor_lists_nor_revokes_a_licence(database: Database) -> None:
    """T-API-06."""
    licence = issue(database)
    with database.transaction() as connection:
        with pytest.raises(LicenceNotFound):
            lookup.find(connection, OTHER_AUTHORITY.code, licence.identifier)
        assert lookup.list_licences(connection, OTHER_AUTHORITY.code, ListFilter()) == ()
        assert lookup.history(connection, OTHER_AUTHORITY.code, licence.identifier) == ()
    with pytest.raises(LicenceNotFound):
        revoke(database, licence.identifier, authority_code=OTHER_AUTHORITY.code)


def test_two_tenants_may_use_the_same_case_number(database: Database) -> None:
    first = issue(database)
    second = issue(database, make_approval_result(issuing_authority=OTHER_AUTHORITY), serial=2)
    assert first.identifier != second.identifier


def test_a_public_link_finds_its_licence_by_digest_only(database: Database) -> None:
    licence = issue(database)
    with database.transaction() as connection:
        found = lookup.find_by_qr_token(connection, licence.identifier.encode())
        assert found == licence
        with pytest.raises(LicenceNotFound):
            lookup.find_by_qr_token(connection, b"guess")


def test_the_verifier_finds_a_licence_of_any_tenant_by_its_identifier(database: Database) -> None:
    licence = issue(database)
    with database.transaction() as connection:
        assert lookup.find_for_verification(connection, licence.identifier) == licence


def test_lists_are_paged_by_the_last_identifier(database: Database) -> None:
    """T-API-34."""
    made = [
        issue(database, make_approval_result(case_number=f"YQ-{n}"), serial=n).identifier
        for n in range(1, 6)
    ]
    seen: list[str] = []
    after = None
    with database.transaction() as connection:
        while page := lookup.list_licences(
            connection, AUTHORITY.code, ListFilter(after=after, limit=2)
        ):
            seen += [licence.identifier for licence in page]
            after = seen[-1]
    assert seen == made[::-1]


def test_a_cursor_of_another_tenant_shows_nothing(database: Database) -> None:
    issue(database)
    foreign = issue(database, make_approval_result(issuing_authority=OTHER_AUTHORITY), serial=2)
    with database.transaction() as connection:
        wanted = ListFilter(after=foreign.identifier)
        assert lookup.list_licences(connection, AUTHORITY.code, wanted) == ()


def test_lists_are_filtered(database: Database) -> None:
    licence = issue(database)
    other = issue(database, make_approval_result(case_number="YQ-2"), serial=2)
    revoke(database, other.identifier)
    with database.transaction() as connection:

        def listed(wanted: ListFilter) -> list[str]:
            found = lookup.list_licences(connection, AUTHORITY.code, wanted)
            return [one.identifier for one in found]

        assert listed(ListFilter(state=LicenceState.IN_FORCE)) == [licence.identifier]
        assert listed(ListFilter(state=LicenceState.REVOKED)) == [other.identifier]
        assert listed(ListFilter(case_number="YQ-2")) == [other.identifier]
        assert listed(ListFilter(licence_type_code="x")) == []
        digest = sm3(licence.approval_result.holder.code.encode())
        assert len(listed(ListFilter(holder_digest=digest))) == 2
        assert len(listed(ListFilter(limit=-5))) == 1


@pytest.mark.parametrize("kind", list(RevocationKind))
def test_a_revocation_is_recorded_with_kind_reason_and_basis(
    database: Database, kind: RevocationKind
) -> None:
    licence = revoke(database, issue(database).identifier, kind=kind)
    assert licence.state is kind.state
    assert licence.revocation is not None
    assert licence.revocation.kind is kind
    assert licence.revocation.revoked_at == NOW
    with database.transaction() as connection:
        moves = lookup.history(connection, AUTHORITY.code, licence.identifier)
    assert [(move.before, move.after) for move in moves] == [
        (LicenceState.ISSUING, LicenceState.IN_FORCE),
        (LicenceState.IN_FORCE, kind.state),
    ]


def test_the_same_revocation_again_changes_nothing(database: Database) -> None:
    identifier = issue(database).identifier
    first = revoke(database, identifier)
    again = revoke(database, identifier, now=NOW + timedelta(days=1))
    assert again == first


def test_a_revoked_licence_cannot_be_cancelled(database: Database) -> None:
    """T-STO-08."""
    identifier = issue(database).identifier
    revoke(database, identifier)
    with pytest.raises(LicenceStateRefused):
        revoke(database, identifier, kind=RevocationKind.CANCELLED)


def test_parallel_revocations_of_two_kinds_leave_one(database: Database) -> None:
    """T-STO-08."""
    for case in range(5):
        result = make_approval_result(case_number=f"YQ-{case}")
        identifier = issue(database, result, serial=case + 1).identifier

        def attempt(kind: RevocationKind, identifier: str = identifier) -> bool:
            try:
                revoke(database, identifier, kind=kind)
            except LicenceStateRefused:
                return False
            return True

        kinds = (RevocationKind.REVOKED, RevocationKind.CANCELLED)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(attempt, kinds)) == [False, True]


def test_a_reservation_cannot_be_revoked(database: Database) -> None:
    reserved = reserve(database, make_reservation())
    with pytest.raises(LicenceNotFound):
        revoke(database, reserved.identifier)

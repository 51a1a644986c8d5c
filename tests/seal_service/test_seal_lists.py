"""Lists of the seal register on both databases: search, state and pages together (T-API-06)."""

import pytest

from seal_service.plumbing.database import Database
from seal_service.seals import lookup
from seal_service.seals.model import Seal, SealFace
from seal_service.seals.states import SealAction, SealState
from tests.support.register import (
    OTHER_TENANT,
    TENANT,
    apply_for_seal,
    bring_into_use,
    move,
)
from tests.support.trust import NOW


def enter(database: Database, seal_id: str, face: SealFace, **changes: object) -> Seal:
    return apply_for_seal(database, seal_id, face=face, **changes)


def found(database: Database, search: str, **words: object) -> list[str]:
    with database.reading() as connection:
        seals = lookup.list_seals(connection, TENANT, search=search, **words)  # type: ignore[arg-type]  # any filter
    return [seal.seal_id for seal in seals]


@pytest.fixture
def register(database: Database) -> Database:
    """Enter three seals: a body's, one of a district, one whose texts are special in LIKE."""
    enter(
        database, "AB-1", SealFace(name="金陵市数据局", line_below="合同专用章", number="32010001")
    )
    enter(
        database, "AB-2", SealFace(name="云栖区数据局", line_below="财务专用章", number="32010002")
    )
    enter(database, "CD-3", SealFace(name="百分%_/\\'厅ÉA", line_below="业务专用章", number="%_9"))
    return database


@pytest.mark.parametrize(
    ("search", "seal_ids"),
    [
        ("", ["CD-3", "AB-2", "AB-1"]),
        ("数据局", ["AB-2", "AB-1"]),
        ("财务", ["AB-2"]),
        ("数据局财务专用", ["AB-2"]),
        ("AB-", ["AB-2", "AB-1"]),
        ("ab-1", ["AB-1"]),
        ("32010002", ["AB-2"]),
        ("3201", ["AB-2", "AB-1"]),
        ("厅Éa", ["CD-3"]),
        ("没有这枚章", []),
    ],
)
def test_a_seal_is_found_by_part_of_its_name_or_the_beginning_of_id_and_number(
    register: Database, search: str, seal_ids: list[str]
) -> None:
    assert found(register, search) == seal_ids


@pytest.mark.parametrize("search", ["B-1", "2010002", "专用章财务"])
def test_the_middle_of_an_id_or_number_finds_nothing(register: Database, search: str) -> None:
    assert found(register, search) == []


@pytest.mark.parametrize("search", ["%", "_", "/", "\\", "'", "%_", "百分%_/\\'"])
def test_what_is_special_in_a_pattern_is_found_as_it_is_written(
    register: Database, search: str
) -> None:
    assert found(register, search) == ["CD-3"]


@pytest.mark.parametrize("search", ["金%局", "金陵市_据局", "AB_1", "A%", "3201%", "厅é"])
def test_nothing_in_a_search_stands_for_other_text(register: Database, search: str) -> None:
    assert found(register, search) == []


def test_a_search_finds_no_seal_of_another_tenant(register: Database) -> None:
    face = SealFace(name="金陵市档案局", line_below="合同专用章", number="32010009")
    enter(register, "AB-9", face, authority_code=OTHER_TENANT)
    for search in ("档案局", "AB-9", "32010009"):
        assert found(register, search) == []
    assert found(register, "合同") == ["AB-1"]
    with register.reading() as connection:
        theirs = lookup.list_seals(connection, OTHER_TENANT, search="合同")
    assert [seal.seal_id for seal in theirs] == ["AB-9"]


def test_a_search_goes_with_state_and_pages(database: Database) -> None:
    seals = [
        enter(database, f"S-{number}", SealFace(name=name, line_below="电子证照专用章"))
        for number, name in enumerate(("数据局", "数据局", "档案局", "数据局", "数据局"))
    ]
    for seal in seals[1:]:
        bring_into_use(database, seal)
    move(database, seals[4], SealAction.SUSPEND)
    assert found(database, "数据局", state=SealState.ACTIVE) == ["S-3", "S-1"]
    assert found(database, "数据局", limit=2) == ["S-4", "S-3"]
    assert found(database, "数据局", limit=2, after="S-3") == ["S-1", "S-0"]
    assert found(database, "数据局", state=SealState.ACTIVE, limit=1, after="S-3") == ["S-1"]
    assert found(database, "数据局", state=SealState.ACTIVE, after="S-1") == []


def test_a_list_shows_of_a_seal_what_the_whole_seal_would(database: Database) -> None:
    applied = apply_for_seal(database, "SEAL-1")
    made = bring_into_use(database, apply_for_seal(database, "SEAL-2"))
    with database.reading() as connection:
        assert lookup.list_seals(connection, TENANT) == (made.listed(), applied.listed())
        whole = lookup.find(connection, TENANT, "SEAL-2")
    assert whole.listed() == made.listed()
    assert applied.listed().picture_sha256 is None


def test_the_periods_of_seals_in_some_states_are_listed_for_one_tenant(database: Database) -> None:
    applied = apply_for_seal(database, "SEAL-1")
    active = bring_into_use(database, apply_for_seal(database, "SEAL-2"))
    apply_for_seal(database, "SEAL-3", authority_code=OTHER_TENANT)
    with database.reading() as connection:
        held = lookup.list_periods(connection, TENANT, (SealState.ACTIVE, SealState.SUSPENDED))
        early = lookup.list_periods(connection, TENANT, (SealState.APPLIED,))
    assert [period.seal_id for period in held] == [active.seal_id]
    assert [period.seal_id for period in early] == [applied.seal_id]
    assert held[0].valid_from < NOW < held[0].valid_until
    assert held[0].valid_until == active.application.valid_until

"""The GB/T 36903 record: complete, consistent, comparable."""

from datetime import UTC, date, datetime

import pytest

from licence_store.errors import InvalidMetadata
from licence_store.identifiers import assign_identifier
from licence_store.metadata import (
    DATA_DIGEST,
    LONG_TERM,
    MANDATORY,
    MetadataSource,
    build_metadata,
    check_metadata,
    compare_records,
    data_digest,
)
from licence_store.model import ApprovalResult
from tests.support.licences import make_approval_result, make_food_result


def _identifier(result: ApprovalResult) -> str:
    return assign_identifier(
        licence_type_code=result.licence_type_code,
        authority_code=result.issuing_authority.code,
        serial="2026NJ00000001",
    )


def _record(result: ApprovalResult) -> dict[str, str]:
    return build_metadata(
        MetadataSource(
            approval_result=result,
            identifier=_identifier(result),
            licence_number="JY23201020010244",
            licence_type_name="食品经营许可证",
            define_authority_name="国家市场监督管理总局",
            created_at=datetime(2026, 11, 24, 4, 0, tzinfo=UTC),
        )
    )


def test_a_record_has_every_mandatory_item() -> None:
    record = _record(make_food_result())
    assert all(record[item] for item in MANDATORY)
    assert record["CertificateExpiringDate"] == "2031-11-23"
    assert record["CreationTime"] == "2026-11-24T12:00:00+08:00"
    assert LONG_TERM not in record


def test_a_long_term_licence_has_the_flag_and_no_date() -> None:
    record = _record(make_approval_result())
    assert record[LONG_TERM] == "true"
    assert "CertificateExpiringDate" not in record


def test_the_data_digest_covers_metadata_and_face_data() -> None:
    result = make_food_result()
    record = _record(result)
    assert record[DATA_DIGEST] == data_digest(record, result.face_data)
    assert data_digest(record, {**result.face_data, "domicile": "别处"}) != record[DATA_DIGEST]
    assert (
        data_digest({**record, "RelatedItemName": "其他"}, result.face_data) != record[DATA_DIGEST]
    )


@pytest.mark.parametrize("item", MANDATORY)
def test_a_missing_mandatory_item_is_named(item: str) -> None:
    record = _record(make_food_result())
    del record[item]
    with pytest.raises(InvalidMetadata) as caught:
        check_metadata(record)
    assert [fault.pointer for fault in caught.value.errors] == [f"/{item}"]


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("CertificateIdentifier", "1.2.156.3005.2.x"),
        ("CertificateTypeCode", "11100000MB0143028R009"),
        ("CertificateTypeCode", "x"),
        ("CertificateIssuingAuthorityCode", "11320100MB9K00013M"),
        ("CertificateIssuingAuthorityCode", "11320100MB9K00013N"),
        ("CertificateDefineAuthorityCode", "11320100MB9K00013M"),
        ("CertificateVersion", "002"),
        ("CertificateAreaCode", "990000"),
        ("CertificateHolderTypeCode", "002"),
        ("CertificateHolderTypeCode", "111"),
        ("CertificateHolderTypeName", "公民身份号码"),
        ("CertificateHolderCode", "91320102MA9K00028R"),
        ("CertificateIssuedDate", "2026-02-30"),
        ("CertificateExpiringDate", "2020-01-01"),
        (LONG_TERM, "true"),
    ],
)
def test_a_contradiction_is_refused(item: str, value: str) -> None:
    """T-API-26."""
    record = _record(make_food_result())
    record[item] = value
    with pytest.raises(InvalidMetadata):
        check_metadata(record)


def test_a_result_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidMetadata):
        _record(make_food_result(valid_until=date(2026, 11, 23)))


def test_equal_records_have_no_differences() -> None:
    record = _record(make_food_result())
    face = {"CertificateHolderName": record["CertificateHolderName"]}
    assert compare_records({"library": record, "file": dict(record), "face": face}) == ()


def test_differences_name_item_and_places() -> None:
    record = _record(make_food_result())
    changed = {**record, "CertificateHolderName": "别人"}
    (difference,) = compare_records({"library": record, "file": changed})
    assert difference.item == "CertificateHolderName"
    assert dict(difference.values)["file"] == "别人"


def test_an_item_missing_from_the_file_is_a_difference_but_not_from_the_face() -> None:
    record = _record(make_food_result())
    shorter = {key: value for key, value in record.items() if key != "CertificateAreaCode"}
    assert [d.item for d in compare_records({"library": record, "file": shorter})] == [
        "CertificateAreaCode"
    ]
    assert compare_records({"library": record, "face": shorter}) == ()


def test_a_face_that_shows_another_value_is_a_difference() -> None:
    record = _record(make_food_result())
    face = {"CertificateNumber": "JY1"}
    assert [d.item for d in compare_records({"library": record, "face": face})] == [
        "CertificateNumber"
    ]

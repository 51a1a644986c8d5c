"""Sealing over HTTP: two ways to send a document; refusals, tenants (T-API-06, 08, 16)."""

import base64
from pathlib import Path

import pytest

from keys.algorithms import sm3
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.sealing import check_integrity
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.pdf.integrity import check_integrity as check_pdf
from seal_service.plumbing.database import Database
from seal_service.sealings.schemas import describe_request
from tests.support.ofd import make_ofd
from tests.support.pdf import PDFSpec, make_pdf
from tests.support.register import OTHER_TENANT
from tests.support.sealings import BOUNDARY, SealingClient, make_form

OFD = make_ofd(pages=3)
PDF = make_pdf(PDFSpec(pages=3))


@pytest.fixture
def client(database: Database, tmp_path: Path) -> SealingClient:
    return SealingClient(database, tmp_path)


def encoded(document: bytes) -> str:
    return base64.b64encode(document).decode()


def test_a_document_comes_back_sealed(client: SealingClient) -> None:
    answer = client.post_json({**client.order(), "document": encoded(OFD)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/ofd"
    check_integrity(answer.content)
    record = client.http.get(answer.headers["location"]).json()
    assert record == {
        "sealing_id": "sg-00000000000000000000000000000001",
        "seal_id": client.scene.seal.seal_id,
        "seal_use_id": record["seal_use_id"],
        "case_number": "YQ-2026-000004",
        "document_kind": "document",
        "document_name": "YQ-2026-000004",
        "mode": "lock",
        "format": "ofd",
        "source_sm3": sm3(OFD).hex(),
        "sm3": sm3(answer.content).hex(),
        "size": len(answer.content),
        "sealed_at": "2026-11-24T04:00:00Z",
        "caller_id": "approval",
    }
    again = client.http.get(f"{answer.headers['location']}/document")
    assert (again.status_code, again.content) == (200, answer.content)
    assert ".ofd" in again.headers["content-disposition"]


def test_a_form_carries_order_and_file(client: SealingClient) -> None:
    answer = client.post_form(client.order(mode="continue", document_name="决定书"), PDF)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert check_pdf(answer.content).permission is None
    record = client.http.get(answer.headers["location"]).json()
    assert (record["format"], record["document_name"]) == ("pdf", "决定书")


def test_form_and_json_are_the_same_request(client: SealingClient) -> None:
    first = client.post_form(client.order(), OFD)
    second = client.post_json({**client.order(), "document": encoded(OFD)})
    assert first.content == second.content


@pytest.mark.parametrize(
    ("placements", "pages"),
    [
        ([{"kind": "point", "x_mm": 30, "y_mm": 40, "corner": "bottom-right", "pages": "2-3"}],
         [2, 3]),
        ([{"kind": "keyword", "keyword": "营业执照", "hit": None}], [1, 2, 3]),
        ([{"kind": "keyword", "keyword": "营业执照", "from_end": True, "offset_x_mm": 5}], [3]),
        ([{"kind": "straddle", "edge": "left", "least_end_mm": 16, "top_mm": 100}], [1, 2, 3]),
        ([{"kind": "point", "x_mm": 30, "y_mm": 40}, {"kind": "straddle"}], [1, 1, 2, 3]),
    ],
)  # fmt: skip
def test_every_way_of_placing_is_there(
    client: SealingClient, placements: list[object], pages: list[int]
) -> None:
    answer = client.post_form(client.order(placements=placements), OFD)
    assert answer.status_code == 201, answer.text
    container = read_container(answer.content)
    (signature,) = read_signatures(container, read_document(container))
    assert [stamp.page_number for stamp in signature.stamps] == pages


def test_fields_of_a_pdf_are_left_and_filled(client: SealingClient) -> None:
    place = {"kind": "point", "x_mm": 50, "y_mm": 240}
    order = client.order(mode="continue", reserved=[{"field_name": "Second", "place": place}])
    first = client.post_form(order, PDF).content
    field = {"kind": "field", "field_name": "Second"}
    answer = client.post_json(
        {**client.order(mode="continue", placements=[field]), "document": encoded(first)},
        **{"idempotency-key": "key-00000002"},
    )
    assert check_pdf(answer.content).field_name == "Second"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"document": "no base64!"}, 422, "invalid-fields"),
        ({"document": encoded(b"plain text")}, 415, "unsupported-format"),
        ({"document": encoded(b"PK\x03\x04 cut short")}, 422, "malformed-document"),
        ({"placements": []}, 422, "invalid-fields"),
        ({"placements": [{"kind": "somewhere"}]}, 422, "invalid-fields"),
        ({"placements": [{"kind": "point", "x_mm": "1", "y_mm": 1}]}, 422, "invalid-fields"),
        ({"placements": [{"kind": "point", "x_mm": 1, "y_mm": 1, "pages": "4"}]}, 422,
         "invalid-placement"),
        ({"placements": [{"kind": "keyword", "keyword": "没有"}]}, 422, "invalid-placement"),
        ({"mode": "open"}, 422, "invalid-fields"),
        ({"stranger": 1}, 422, "invalid-fields"),
        ({"document_kind": "11100000MB0143028R001"}, 422, "invalid-fields"),
        ({"document_kind": "contract"}, 403, "mandate-missing"),
        ({"seal_id": "NONE"}, 404, "seal-not-found"),
    ],
)  # fmt: skip
def test_refusals_are_problems_and_leave_the_key_free(
    client: SealingClient, changes: dict[str, object], status: int, code: str
) -> None:
    answer = client.post_json({**client.order(), "document": encoded(OFD), **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    mended = client.post_json({**client.order(), "document": encoded(OFD)})
    assert mended.status_code == 201


def test_faults_are_named_by_pointer(client: SealingClient) -> None:
    answer = client.post_json({**client.order(case_number=""), "document": "AAAA"})
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/case_number"]


def test_locked_documents_are_a_conflict(client: SealingClient) -> None:
    locked = client.post_form(client.order(), OFD).content
    answer = client.post_json(
        {**client.order(), "document": encoded(locked)}, **{"idempotency-key": "key-00000002"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "already-sealed")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"x", "text/plain", 415),
        (b"", "", 415),
        (b"[]", "application/json", 422),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b"x", "multipart/form-data", 400),
        (b"x", f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({"order": b"{}"}), f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({"order": b"{}", "document": b"x"})[:-8],
         f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({"order": b"{", "document": b"x"}),
         f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({"order": b"{}", "document": b"x"}),
         f"multipart/form-data; boundary={BOUNDARY}", 422),
        (make_form({"order": b"{}", "document": b"x", "more": b""}),
         f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({"order": b"{}"})[:-18] + make_form({"order": b"{}"}),
         f"multipart/form-data; boundary={BOUNDARY}", 400),
        (make_form({f"part{n}": b"" for n in range(9)}),
         f"multipart/form-data; boundary={BOUNDARY}", 400),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_read_are_refused(
    client: SealingClient, body: bytes, content_type: str, status: int
) -> None:
    assert client.post_raw(body, content_type).status_code == status


def test_a_key_is_needed(client: SealingClient) -> None:
    answer = client.post_json(
        {**client.order(), "document": encoded(OFD)}, **{"idempotency-key": "short"}
    )
    assert answer.status_code == 422


def test_a_caller_without_the_scope_is_refused(client: SealingClient) -> None:
    """T-API-08."""
    body = {**client.order(), "document": encoded(OFD)}
    location = client.post_json(body).headers["location"]
    assert client.post_json(body, scopes="seals:read").status_code == 403
    for path in (location, f"{location}/document"):
        assert client.http.get(path, headers={"scopes": "seals:read"}).status_code == 403


def test_another_tenant_sees_nothing(client: SealingClient) -> None:
    """T-API-06."""
    body = {**client.order(), "document": encoded(OFD)}
    location = client.post_json(body).headers["location"]
    other = {"tenant": OTHER_TENANT}
    for path in (location, f"{location}/document", "/v1/sealings/sg-none"):
        answer = client.http.get(path, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "sealing-not-found")
    assert client.post_json(body, **other).json()["code"] == "seal-not-found"


def test_the_description_of_the_body_refers_to_nothing_outside() -> None:
    text = str(describe_request())
    assert "$ref" not in text
    assert "$defs" not in text
    for word in ("point", "keyword", "straddle", "field", "order", "document"):
        assert f"'{word}'" in text

"""Any document over HTTP: sealed, sealed again, verified, asked for again, at once and later."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select

from seal_service.seals.tables import seal_sealings, seal_uses
from tests.journeys.service import Running
from tests.support.licences import OTHER_AUTHORITY
from tests.support.ofd import make_ofd
from tests.support.pdf import PDFSpec, make_pdf

pytestmark = pytest.mark.journey

OFD = make_ofd(pages=4)
PDF = make_pdf(PDFSpec(pages=4, is_packed=True, keywords=""))
STRADDLED: list[dict[str, object]] = [
    {"kind": "point", "x_mm": 50, "y_mm": 50, "corner": "bottom-right", "pages": "last"},
    {"kind": "straddle", "least_end_mm": 12},
]
TWINS = 8


def seal(
    client: httpx.Client, document: bytes, case_number: str, /, key: str = "", **changes: object
) -> httpx.Response:
    seals = client.get("/v1/seals", params={"state": "active"}).json()["seals"]
    order: dict[str, object] = {
        "seal_id": seals[0]["seal_id"],
        "case_number": case_number,
        "mode": "lock",
        "placements": STRADDLED,
        **changes,
    }
    return client.post(
        "/v1/sealings",
        files={"order": (None, json.dumps(order)), "document": ("a name", document)},
        headers={"Idempotency-Key": key or f"key-{case_number}"},
    )


def verdict(client: httpx.Client, document: bytes) -> dict[str, object]:
    answer = client.post(
        "/v1/verifications",
        content=document,
        headers={"Content-Type": "application/octet-stream"},
    )
    found = answer.json()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("document", "kind", "order"),
    [
        (OFD, "ofd-seal", {}),
        (PDF, "rsa-pades", {}),
        (PDF, "gm-seal", {"pdf_profile": "gm-seal"}),
        (PDF, "gm-cms", {"pdf_profile": "gm-cms"}),
    ],
)
def test_a_sealed_document_is_valid(
    service: Running, document: bytes, kind: str, order: dict[str, object]
) -> None:
    with service.client() as client:
        answer = seal(client, document, f"YQ-DOC-{kind}", **order)  # type: ignore[arg-type]  # fields of the order
        assert answer.status_code == 201, answer.text
        found = verdict(client, answer.content)
        assert (found["verdict"], found["licence"]) == ("valid", None)
        signatures = found["signatures"]
        assert isinstance(signatures, list)
        assert [one["kind"] for one in signatures] == [kind]
        again = seal(client, answer.content, f"YQ-DOC-{kind}-2")
        assert (again.status_code, again.json()["code"]) == (409, "already-sealed")


def test_two_authorities_seal_one_document(service: Running) -> None:
    with service.client() as client:
        first = seal(client, OFD, "YQ-DOC-BOTH", mode="continue").content
        own = client.get("/v1/seals", params={"state": "active"}).json()["seals"][0]["seal_id"]
    with service.client(OTHER_AUTHORITY) as client:
        stolen = seal(client, first, "YQ-DOC-BOTH-1", seal_id=own)
        assert (stolen.status_code, stolen.json()["code"]) == (404, "seal-not-found")
        both = seal(client, first, "YQ-DOC-BOTH").content
        found = verdict(client, both)
    assert found["verdict"] == "valid"
    names = {one["seal"]["name"] for one in found["signatures"]}  # type: ignore[attr-defined]
    assert len(names) == 2


def test_equal_requests_at_once_get_one_document_and_one_use(service: Running) -> None:
    """T-API-12, T-STO-05."""
    gate = threading.Barrier(TWINS)

    def ask(_: int) -> tuple[int, str, bytes]:
        with service.client() as client:
            gate.wait()
            answer = seal(client, PDF, "YQ-DOC-TWINS")
            return answer.status_code, answer.headers["location"], answer.content

    with ThreadPoolExecutor(TWINS) as pool:
        answers = set(pool.map(ask, range(TWINS)))
    assert len(answers) == 1
    ((status, location, content),) = answers
    assert status == 201
    with service.client() as client:
        assert client.get(f"{location}/document").content == content
        changed = seal(client, OFD, "YQ-DOC-TWINS")
        assert (changed.status_code, changed.json()["code"]) == (409, "idempotency-mismatch")
    with service.service.installation.database.reading() as connection:
        kept = connection.execute(
            select(seal_sealings.c.use_id).where(seal_sealings.c.case_number == "YQ-DOC-TWINS")
        ).all()
        states = connection.execute(
            select(seal_uses.c.use_id, seal_uses.c.state).where(
                seal_uses.c.case_number == "YQ-DOC-TWINS"
            )
        ).all()
    assert [use_id for use_id, state in states if state == "committed"] == [kept[0].use_id]
    assert {state for _, state in states} <= {"committed", "abandoned"}


def test_hostile_files_cost_one_refusal(service: Running) -> None:
    with service.client() as client:
        for number, document in enumerate((b"PK\x05\x06", b"%PDF-1.7\n" + b"[" * 100_000, b"")):
            answer = seal(client, document, f"YQ-DOC-BAD-{number}")
            assert answer.status_code in (415, 422), answer.text
        assert seal(client, OFD, "YQ-DOC-GOOD").status_code == 201

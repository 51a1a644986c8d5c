"""One answer per idempotency key, whatever happens in between (T-STO-07, T-STO-18)."""

from pathlib import Path

import pytest

from seal_service.errors import (
    IdempotencyMismatch,
    SealingNotFound,
    SealSuspended,
    StorageUnavailable,
)
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import StoredFileDamaged
from seal_service.sealing import DocumentOrder
from seal_service.sealings.desk import Released
from seal_service.seals import uses
from seal_service.seals.placing import AtPoint, DocumentLayout, SealMode
from seal_service.seals.states import SealAction
from seal_service.seals.uses import UseState
from tests.support.ofd import make_ofd
from tests.support.register import OTHER_TENANT, TENANT, move
from tests.support.sealings import SealingClient
from tests.support.trust import NOW, YEAR

OFD = make_ofd()
KEY = "key-00000001"


@pytest.fixture
def client(database: Database, tmp_path: Path) -> SealingClient:
    return SealingClient(database, tmp_path)


def order(client: SealingClient) -> DocumentOrder:
    return DocumentOrder(
        caller=client.scene.order().caller,
        seal_id=client.scene.seal.seal_id,
        case_number="YQ-2026-000005",
        document_kind="document",
        subject="决定书",
        layout=DocumentLayout(wishes=(AtPoint(x_mm=150, y_mm=240),), mode=SealMode.LOCK),
    )


def seal(
    client: SealingClient, *, key: str = KEY, document: bytes = OFD, asked: bytes = b"asked"
) -> Released:
    return client.desk.seal(order(client), document, key=key, order_digest=asked)


def states(client: SealingClient) -> list[UseState]:
    with client.scene.database.reading() as connection:
        found = uses.list_uses(
            connection, TENANT, client.scene.seal.seal_id, since=NOW - YEAR, limit=50
        )
    return [use.state for use in found]


def test_the_same_request_gets_the_same_bytes_and_one_use(client: SealingClient) -> None:
    first, second = seal(client), seal(client)
    assert first == second
    assert states(client) == [UseState.COMMITTED]
    assert client.blobs.get(first.kept.digest) == first.document
    other = seal(client, key="key-00000002")
    assert other.kept.sealing_id != first.kept.sealing_id


def test_a_key_with_other_content_is_refused(client: SealingClient) -> None:
    seal(client)
    for changed in ({"document": make_ofd(pages=2)}, {"asked": b"other"}):
        with pytest.raises(IdempotencyMismatch):
            seal(client, **changed)  # type: ignore[arg-type]
    assert states(client) == [UseState.COMMITTED]


def test_two_requests_at_once_are_answered_with_one_document(
    client: SealingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, answers = client.blobs.put, list[Released]()

    def put_slowly(data: bytes) -> str:
        if not answers:
            monkeypatch.setattr(client.blobs, "put", put)
            answers.append(seal(client))
        return put(data)

    monkeypatch.setattr(client.blobs, "put", put_slowly)
    answers.append(seal(client))
    assert answers[0] == answers[1]
    assert sorted(states(client)) == [UseState.ABANDONED, UseState.COMMITTED]


def test_a_seal_stopped_meanwhile_releases_nothing(
    client: SealingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-STO-07."""
    put = client.blobs.put

    def stop_and_put(data: bytes) -> str:
        move(client.scene.database, client.scene.seal, SealAction.SUSPEND, NOW, reason="丢失")
        return put(data)

    monkeypatch.setattr(client.blobs, "put", stop_and_put)
    with pytest.raises(SealSuspended):
        seal(client)
    assert states(client) == [UseState.ABANDONED]
    with pytest.raises(SealSuspended):
        seal(client)


def test_a_full_disk_closes_the_use_and_a_retry_works(
    client: SealingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = client.blobs.put

    def fail(data: bytes) -> str:
        raise StorageUnavailable

    monkeypatch.setattr(client.blobs, "put", fail)
    with pytest.raises(StorageUnavailable):
        seal(client)
    assert states(client) == [UseState.ABANDONED]
    monkeypatch.setattr(client.blobs, "put", put)
    seal(client)
    assert states(client) == [UseState.ABANDONED, UseState.COMMITTED]


def test_a_damaged_file_is_never_answered(client: SealingClient) -> None:
    """T-STO-09."""
    kept = seal(client).kept
    client.blobs.delete(kept.digest)
    with pytest.raises(StoredFileDamaged):
        client.desk.document(TENANT, kept.sealing_id)
    with pytest.raises(StoredFileDamaged):
        seal(client)


def test_records_are_the_tenant_s(client: SealingClient) -> None:
    kept = seal(client).kept
    assert client.desk.show(TENANT, kept.sealing_id) == kept
    with pytest.raises(SealingNotFound):
        client.desk.show(OTHER_TENANT, kept.sealing_id)

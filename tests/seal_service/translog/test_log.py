"""The seal-use log: staged with the commit, published, proven apart (T-STO-11, T-STO-23)."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from keys.errors import ServiceError
from seal_service.errors import LogProofRefused, LogUnavailable
from seal_service.plumbing.database import Database
from seal_service.translog import log, merkle
from seal_service.translog.checkpoint import (
    Checkpoint,
    check_inclusion_proof,
    key_identifier,
    open_checkpoint,
    sign_checkpoint,
)
from seal_service.translog.entries import UseFacts, check_leaf, encode_leaf, facts_json
from seal_service.translog.log import LogSigner, ProvenUse, SignedCheckpoint
from seal_service.translog.tables import log_entries, log_nodes
from tests.support.licences import make_randomness
from tests.support.trust import NOW, make_key

TENANT = "11320102MB9K00021D"
ORIGIN = "licence.example/seal-uses"
KEY = make_key("log")
SIGNER = LogSigner(origin=ORIGIN, public_key=KEY.public_key, sign=KEY.sign)
SALT = bytes(range(16))


def make_facts(number: int) -> UseFacts:
    return UseFacts(
        use_id=f"su-{number}",
        authority_code=TENANT,
        seal_id="SEAL-1",
        epoch=1,
        document_digest=number.to_bytes(32, "big"),
        committed_at=NOW + timedelta(seconds=number),
    )


def append(database: Database, *numbers: int) -> None:
    with database.transaction() as connection:
        log.append(connection, [make_facts(n) for n in numbers], make_randomness(numbers[0]))


def publish(database: Database) -> SignedCheckpoint:
    with database.transaction() as connection:
        return log.publish(connection, SIGNER, NOW)


def prove(database: Database, number: int) -> ProvenUse | None:
    with database.reading() as connection:
        return log.prove_use(connection, TENANT, f"su-{number}")


def test_a_published_use_can_be_proven_away_from_the_service(database: Database) -> None:
    for start in range(0, 20, 4):
        append(database, *range(start, start + 4))
        last = publish(database)
    assert last.checkpoint.size == 20
    for number in range(20):
        proven = prove(database, number)
        assert proven is not None
        checkpoint = check_inclusion_proof(proven.proof, origin=ORIGIN, public_key=KEY.public_key)
        check_leaf(proven.proof.leaf, make_facts(number), proven.salt)
        assert checkpoint == last.checkpoint
        assert proven.committed_at == make_facts(number).committed_at


def test_a_staged_use_has_no_proof_yet(database: Database) -> None:
    append(database, 1)
    assert prove(database, 1) is None
    publish(database)
    append(database, 2)
    assert (prove(database, 1) is None, prove(database, 2) is None) == (False, True)


def test_another_tenant_gets_no_proof(database: Database) -> None:
    append(database, 1)
    publish(database)
    with database.reading() as connection:
        assert log.prove_use(connection, "11320100MB9K00013M", "su-1") is None
        assert not log.is_published(connection, "11320100MB9K00013M", "su-1")
        assert log.is_published(connection, TENANT, "su-1")


def test_a_leaf_whose_transaction_failed_is_not_in_the_log(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        log.append(connection, [make_facts(1)], lambda length: bytes(1 // 0))
    append(database, 2)
    assert publish(database).checkpoint.size == 1


def test_a_use_is_in_the_log_once(database: Database) -> None:
    append(database, 1)
    with pytest.raises(Exception, match="log_entries"):
        append(database, 1)


def test_every_checkpoint_continues_every_older_one(database: Database) -> None:
    checkpoints = []
    for number in range(9):
        append(database, 2 * number, 2 * number + 1)
        checkpoints.append(publish(database).checkpoint)
    with database.reading() as connection:
        for old in checkpoints:
            for new in checkpoints[checkpoints.index(old) :]:
                path = log.prove_growth(connection, old.size, new.size)
                merkle.check_consistency((old.size, old.root), (new.size, new.root), path)


def test_with_nothing_new_the_last_checkpoint_stands(database: Database) -> None:
    assert publish(database).checkpoint.size == 0
    append(database, 1)
    first = publish(database)
    assert publish(database) == first
    with database.reading() as connection:
        assert log.latest_checkpoint(connection) == first


def test_indices_are_contiguous_and_never_change(database: Database) -> None:
    for number in range(7):
        append(database, number)
        if number % 3 == 2:
            publish(database)
    before = [prove(database, number) for number in range(6)]
    publish(database)
    indices = [proven.proof.index for number in range(7) if (proven := prove(database, number))]
    assert indices == list(range(7))
    assert [proven.proof.index for proven in before if proven] == list(range(6))


def test_a_batch_bounds_how_long_the_head_is_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "BATCH", 3)
    append(database, *range(7))
    assert [publish(database).checkpoint.size for _ in range(4)] == [3, 6, 7, 7]


def test_a_changed_leaf_no_longer_leads_to_the_checkpoint(database: Database) -> None:
    append(database, 1, 2, 3)
    publish(database)
    with database.transaction() as connection:
        connection.execute(
            update(log_entries)
            .where(log_entries.c.use_id == "su-2")
            .values(leaf=encode_leaf(make_facts(9), SALT))
        )
    proven = prove(database, 2)
    assert proven is not None
    with pytest.raises(LogProofRefused):
        check_inclusion_proof(proven.proof, origin=ORIGIN, public_key=KEY.public_key)


def test_a_missing_node_is_said_and_not_guessed(database: Database) -> None:
    append(database, 1, 2, 3)
    publish(database)
    with database.transaction() as connection:
        connection.execute(log_nodes.delete().where(log_nodes.c.level == 1))
    with pytest.raises(LogUnavailable):
        prove(database, 3)


def test_leaves_hold_salted_digests_only(database: Database) -> None:
    # T-STO-23: no fact of the use, and no digest that could be guessed without the salt.
    append(database, 1, 2)
    with database.reading() as connection:
        first, second = connection.execute(select(log_entries).order_by("entry_id")).all()
    heading, use_digest, document_digest, end = bytes(first.leaf).decode().split("\n")
    assert (heading, len(use_digest), len(document_digest), end) == ("eseal-use/1", 64, 64, "")
    assert bytes(first.salt) != bytes(second.salt)
    for secret in ("su-1", TENANT, "SEAL-1", make_facts(1).document_digest.hex()):
        assert secret not in bytes(first.leaf).decode()
    assert encode_leaf(make_facts(1), SALT) != encode_leaf(make_facts(1), SALT[::-1])


@pytest.mark.parametrize(
    "changes",
    [
        {"use_id": "su-2"},
        {"authority_code": "11320100MB9K00013M"},
        {"seal_id": "SEAL-2"},
        {"epoch": 2},
        {"document_digest": bytes(32)},
        {"committed_at": NOW},
    ],
)
def test_a_leaf_speaks_of_one_use_only(changes: dict[str, object]) -> None:
    facts = make_facts(1)
    leaf = encode_leaf(facts, SALT)
    check_leaf(leaf, facts, SALT)
    other = replace(facts, **changes)  # type: ignore[arg-type]  # a builder's keywords are flaws
    with pytest.raises(LogProofRefused):
        check_leaf(leaf, other, SALT)


def test_facts_are_written_in_one_way() -> None:
    assert facts_json(make_facts(1)) == (
        '{"authority_code":"11320102MB9K00021D","committed_at":"2026-11-24T04:00:01.000000+00:00",'
        '"document_digest":"' + "0" * 63 + '1","epoch":1,"seal_id":"SEAL-1","use_id":"su-1"}'
    )


def test_a_salt_has_sixteen_bytes() -> None:
    with pytest.raises(LogProofRefused):
        encode_leaf(make_facts(1), b"short")


# Checkpoints as signed notes

CHECKPOINT = Checkpoint(origin=ORIGIN, size=12345, root=bytes(range(32)))


def note() -> str:
    return sign_checkpoint(CHECKPOINT, public_key=KEY.public_key, sign=KEY.sign)


def test_a_checkpoint_has_the_shape_of_a_signed_note() -> None:
    text, line, end = note().partition("\n\n")[0], note().split("\n")[-2], note()[-1]
    assert text == f"{ORIGIN}\n12345\n{base64.b64encode(bytes(range(32))).decode()}"
    assert line.startswith(f"\u2014 {ORIGIN} ")
    value = base64.b64decode(line.rsplit(" ", 1)[1])
    assert value[:4] == key_identifier(ORIGIN, KEY.public_key)
    assert end == "\n"


def test_a_checkpoint_is_read_back() -> None:
    assert open_checkpoint(note(), origin=ORIGIN, public_key=KEY.public_key) == CHECKPOINT


def test_lines_of_other_keys_and_further_lines_of_text_are_passed_over() -> None:
    # As a witness would add its line: the log's own must still be there and hold.
    other = "\u2014 witness.example/w " + base64.b64encode(b"\1\2\3\4other").decode() + "\n"
    signed = note() + other
    assert open_checkpoint(signed, origin=ORIGIN, public_key=KEY.public_key) == CHECKPOINT


@pytest.mark.parametrize(
    "changed",
    [
        note().replace("12345", "12346"),
        note().replace("12345", "012345"),
        note().replace("AAEC", "AAED"),
        note().replace(ORIGIN, "another.example/log"),
        note().partition("\n\n")[0],
        note().rstrip("\n"),
        note().partition("\n\n")[0] + "\n\n",
        note().replace("\u2014 ", "\u2014 !", 1),
        "",
        "\n\n",
        "x\n\n\u2014 y z\n",
        note() + "x" * 70_000,
    ],
)
def test_a_changed_note_is_refused(changed: str) -> None:
    with pytest.raises(ServiceError):
        open_checkpoint(changed, origin=ORIGIN, public_key=KEY.public_key)


def test_a_note_of_another_key_or_log_is_refused() -> None:
    stranger = make_key("another log")
    forged = sign_checkpoint(CHECKPOINT, public_key=stranger.public_key, sign=stranger.sign)
    for text in (forged, note()):
        with pytest.raises(LogProofRefused):
            open_checkpoint(text, origin="other.example", public_key=KEY.public_key)
    with pytest.raises(LogProofRefused):
        open_checkpoint(forged, origin=ORIGIN, public_key=KEY.public_key)


def test_a_log_needs_a_name_that_a_note_can_carry() -> None:
    with pytest.raises(LogProofRefused):
        sign_checkpoint(
            replace(CHECKPOINT, origin="two words"), public_key=KEY.public_key, sign=KEY.sign
        )

"""Bounded processes: killed over the limit, and the service goes on (T-WEB-13, T-WEB-14)."""

import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.errors import LimitExceeded, MalformedDocument, StorageUnavailable
from seal_service.plumbing.bounded import BoundedPool, Bounds, PoolPlan
from seal_service.plumbing.bounded_messages import ChannelClosed, Reply, ReplyKind, unpack_reply
from seal_service.plumbing.errors import WorkersBusy, WorkFailed
from tests.support import bounded_jobs as jobs

BRIEF = Bounds(cpu_seconds=1, wall_seconds=10.0)


@pytest.fixture(scope="module")
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(PoolPlan(size=2, patience_seconds=2.0))
    made.warm()
    yield made
    made.close()


def _limit(refused: pytest.ExceptionInfo[LimitExceeded]) -> object:
    return refused.value.params["limit"]


def test_a_call_returns_what_the_function_returns(pool: BoundedPool) -> None:
    assert pool.run(jobs.double, 21) == 42


def test_a_large_document_passes(pool: BoundedPool) -> None:
    assert pool.run(len, bytes(20 * 1024 * 1024)) == 20 * 1024 * 1024


def test_a_process_is_used_again(pool: BoundedPool) -> None:
    assert pool.run(jobs.process_id) == pool.run(jobs.process_id)


def test_a_call_costs_about_a_millisecond(pool: BoundedPool) -> None:
    document = bytes(150_000)
    took = []
    for _ in range(50):
        begun = time.perf_counter()
        pool.run(len, document)
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < 0.005


def test_a_function_may_ask_back(pool: BoundedPool) -> None:
    def answer(question: object) -> object:
        assert question == ("twice", 4)
        return 8

    assert pool.converse(jobs.ask_twice, 4, answer=answer) == 8


def test_what_the_answer_raises_reaches_the_caller(pool: BoundedPool) -> None:
    def answer(question: object) -> object:
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        pool.converse(jobs.ask_twice, 4, answer=answer)
    assert pool.run(jobs.double, 1) == 2


def test_an_endless_loop_is_killed_and_the_service_goes_on(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.loop, bounds=BRIEF)
    assert _limit(refused) == "verification_cpu"
    assert pool.run(jobs.double, 2) == 4


def test_a_call_that_waits_for_ever_is_killed(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.sleep, 60.0, bounds=Bounds(wall_seconds=0.3))
    assert _limit(refused) == "verification_time"
    assert pool.run(jobs.double, 2) == 4


def test_a_call_that_takes_too_much_memory_is_stopped(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.allocate, 600)
    assert _limit(refused) == "verification_memory"
    assert pool.run(jobs.allocate, 300) == 300


def test_endless_recursion_is_stopped(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.recurse)
    assert _limit(refused) == "verification_depth"


def test_a_crash_of_a_library_is_a_refusal_of_the_document(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.crash)
    assert _limit(refused) == "verification_crash"
    assert pool.run(jobs.double, 2) == 4


def test_our_errors_come_through_with_their_facts(pool: BoundedPool) -> None:
    with pytest.raises(MalformedDocument) as refused:
        pool.run(jobs.refuse)
    assert refused.value.params == {"reason": "entry-missing", "subject": "OFD.xml"}


def test_a_fault_of_ours_is_told_without_the_document(pool: BoundedPool) -> None:
    with pytest.raises(WorkFailed) as failed:
        pool.run(jobs.fail)
    assert "ValueError at" in failed.value.detail
    assert "secret" not in failed.value.detail


def test_what_a_library_prints_does_not_disturb(pool: BoundedPool) -> None:
    assert pool.run(jobs.print_something) == "done"


def test_a_bounded_call_reaches_nothing_outside(pool: BoundedPool, tmp_path: Path) -> None:
    target = tmp_path / "written"
    assert pool.run(jobs.connect, 9) == "NotAllowedHere"
    assert pool.run(jobs.resolve) == "NotAllowedHere"
    assert pool.run(jobs.start_program) == "NotAllowedHere"
    assert pool.run(jobs.write, str(target)) == "NotAllowedHere"
    assert not target.exists()


def test_secrets_of_the_environment_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESEAL_PASSPHRASE_FILE", "/somewhere")
    fresh = BoundedPool(PoolPlan(size=1))
    try:
        assert "ESEAL_PASSPHRASE_FILE" not in fresh.run(jobs.environment)
    finally:
        fresh.close()


def test_calls_wait_for_a_free_process_and_then_are_refused() -> None:
    small = BoundedPool(PoolPlan(size=1, patience_seconds=0.2))
    small.warm()
    held = threading.Thread(target=lambda: small.run(jobs.sleep, 1.0))
    held.start()
    time.sleep(0.1)
    try:
        with pytest.raises(WorkersBusy):
            small.run(jobs.double, 1)
        held.join()
        assert small.run(jobs.double, 1) == 2
    finally:
        small.close()


def test_a_closed_pool_takes_no_work() -> None:
    closed = BoundedPool(PoolPlan(size=1))
    closed.close()
    with pytest.raises(WorkersBusy):
        closed.run(jobs.double, 1)


def test_a_reply_can_make_nothing_but_our_records(pool: BoundedPool) -> None:
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.return_a_function)
    assert _limit(refused) == "verification_crash"


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1",)


@pytest.mark.parametrize("body", [b"", b"junk", pickle.dumps(7), pickle.dumps(_Evil())])
def test_other_replies_count_as_the_end_of_the_process(body: bytes) -> None:
    with pytest.raises(ChannelClosed):
        unpack_reply(body)


def test_a_reply_is_read_back() -> None:
    reply = Reply(ReplyKind.RESULT, {"a": (1, b"x", frozenset({ReplyKind.READY}))})
    assert unpack_reply(pickle.dumps(reply)) == reply


class _AsOlderPythons:
    """Pickles as an enumeration's member does on Python 3.11.0 to 3.11.3."""

    def __init__(self, found: object, name: str) -> None:
        self._parts = (found, name)

    def __reduce__(self) -> tuple[object, tuple[object, str]]:
        return getattr, self._parts


def test_members_of_enumerations_are_read_as_older_pythons_write_them() -> None:
    member = _AsOlderPythons(ReplyKind, "RESULT")
    reply = unpack_reply(pickle.dumps(Reply(ReplyKind.RESULT, member)))
    assert reply.value is ReplyKind.RESULT


@pytest.mark.parametrize("name", ["__class__", "__init__", "mro"])
def test_no_other_attribute_can_be_asked_for(name: str) -> None:
    """T-WEB-14."""
    body = pickle.dumps(Reply(ReplyKind.RESULT, _AsOlderPythons(ReplyKind, name)))
    with pytest.raises(ChannelClosed):
        unpack_reply(body)

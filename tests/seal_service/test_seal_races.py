"""Stopping a seal against committing its uses, at the same time, on both databases (T-STO-07).

After a stop is acknowledged no use commits; every round asks the register which of the two was
first. A nightly run takes more rounds (ESEAL_RACE_ROUNDS).
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from keys.errors import ServiceError
from seal_service.errors import (
    MandateMissing,
    SealRequestClosed,
    SealRevoked,
    SealSuspended,
)
from seal_service.plumbing.database import Database
from seal_service.sealing import Sealing
from seal_service.seals import lookup, mandates, uses
from seal_service.seals.model import MadeSeal, Mandate, MandateGrant, MandateLimits, Seal
from seal_service.seals.request_desk import Asked, Confirmer, RequestDesk, RequestParts
from seal_service.seals.states import SealAction, SealState
from seal_service.seals.uses import UseIntent, UseState
from tests.support.licences import make_randomness
from tests.support.ofd import make_ofd
from tests.support.register import (
    TENANT,
    SealScene,
    apply_for_seal,
    bring_into_use,
    grant,
    made_seal,
    move,
)
from tests.support.trust import NOW, YEAR

ROUNDS = int(os.environ.get("ESEAL_RACE_ROUNDS", "30"))
WORKERS = 3


def run_together(jobs: list[Callable[[], None]]) -> None:
    """Run jobs on threads that start at one moment; an unexpected error fails the test."""
    gate = threading.Barrier(len(jobs))
    errors: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            gate.wait(10)
            job()
        except BaseException as error:  # noqa: BLE001 - carried over to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def intent_of(scene: SealScene, epoch: int) -> UseIntent:
    """Return an intent without a name."""
    return UseIntent(
        use_id="",
        authority_code=TENANT,
        seal_id=scene.seal.seal_id,
        epoch=epoch,
        key_name="seal-sm2",
        caller_id="approval",
        case_number="YQ-2026-000001",
        licence_type_code="11100000MB0143028R001",
        subject="licence",
        format=uses.DocumentFormat.OFD,
        document_digest=bytes(32),
        opened_at=NOW,
    )


def open_intents(scene: SealScene, epoch: int, prefix: str) -> list[str]:
    """Write intents down as if their signatures had just been made."""
    intent = intent_of(scene, epoch)
    names = [f"{prefix}-{number}" for number in range(WORKERS)]
    with scene.database.transaction() as connection:
        for name in names:
            uses.open_use(connection, replace(intent, use_id=name))
    return names


class Round:
    """One stop against several commits; tells who won and whether anybody came too late."""

    def __init__(
        self,
        scene: SealScene,
        names: list[str],
        pauses: list[float],
        stop: Callable[[], object] | None = None,
    ) -> None:
        self.scene = scene
        self.stop = stop or (lambda: move(scene.database, scene.seal, SealAction.SUSPEND))
        self.names = names
        self.pauses = pauses
        self.acknowledged = threading.Event()
        self.committed: list[str] = []
        self.refused: list[str] = []
        self.late: list[str] = []

    def run(self) -> None:
        run_together([self._stop, *(partial(self._commit, at) for at in range(WORKERS))])

    def _stop(self) -> None:
        time.sleep(self.pauses[-1])
        self.stop()
        self.acknowledged.set()

    def _commit(self, at: int) -> None:
        time.sleep(self.pauses[at])
        name = self.names[at]
        try:
            with self.scene.database.transaction() as connection:
                self.scene.sealer.commit_uses(connection, [name], TENANT)
                is_late = self.acknowledged.is_set()
        except (SealSuspended, SealRevoked):
            self.refused.append(name)
            return
        self.committed.append(name)
        if is_late:
            self.late.append(name)


def test_no_use_commits_after_a_stop_was_acknowledged(database: Database) -> None:
    scene = SealScene(database)
    source = Random(7)  # noqa: S311 - repeatable on purpose
    for number in range(ROUNDS):
        epoch = scene.seal.epoch
        names = open_intents(scene, epoch, f"su-{number}")
        game = Round(scene, names, [source.random() * 0.002 for _ in range(WORKERS + 1)])
        game.run()
        assert game.late == []
        assert sorted(game.committed + game.refused) == names
        with database.reading() as connection:
            assert lookup.find(connection, TENANT, "SEAL-1").state is SealState.SUSPENDED
        # Whoever was refused stays refused although the seal is back in use.
        scene.seal = move(database, scene.seal, SealAction.RESUME)
        assert scene.seal.epoch == epoch + 1
        for name in game.refused:
            with pytest.raises(SealSuspended), database.transaction() as connection:
                scene.sealer.commit_uses(connection, [name], TENANT)


def test_a_revocation_stops_sealing_that_is_under_way(database: Database) -> None:
    scene = SealScene(database)
    document = make_ofd()
    outcomes: list[str] = []
    lock = threading.Lock()
    revoked = threading.Event()

    def seal_and_commit() -> None:
        for _ in range(6):
            started_after = revoked.is_set()
            sealing: Sealing | None = None
            try:
                sealing = scene.sealer.seal_ofd(scene.order(), document)
                with database.transaction() as connection:
                    scene.sealer.commit_uses(connection, [sealing.use_id], TENANT)
            except SealRevoked:
                if sealing is not None:
                    scene.sealer.abandon_uses([sealing.use_id], TENANT)
                continue
            with lock:
                outcomes.append("late" if started_after else "committed")

    def revoke() -> None:
        time.sleep(0.03)
        move(database, scene.seal, SealAction.REVOKE)
        revoked.set()

    run_together([revoke, seal_and_commit, seal_and_commit])
    assert "late" not in outcomes
    with database.reading() as connection:
        made = uses.list_uses(connection, TENANT, scene.seal.seal_id, since=NOW)
    committed = [use for use in made if use.state is UseState.COMMITTED]
    assert len(committed) == len(outcomes)
    assert {use.state for use in made} <= {UseState.COMMITTED, UseState.ABANDONED}


def test_moves_in_parallel_leave_one_legal_history(database: Database) -> None:
    # T-STO-08
    scene = SealScene(database)
    actions = [
        SealAction.SUSPEND,
        SealAction.RESUME,
        SealAction.REVOKE,
        SealAction.CANCEL,
        SealAction.CHANGE,
        SealAction.SUSPEND,
    ]

    def try_move(action: SealAction) -> Callable[[], None]:
        def job() -> None:
            try:
                move(database, scene.seal, action)
            except ServiceError:
                return

        return job

    run_together([try_move(action) for action in actions])
    with database.reading() as connection:
        events = lookup.history(connection, TENANT, scene.seal.seal_id)
        seal = lookup.find(connection, TENANT, scene.seal.seal_id)
    for earlier, later in pairwise(events):
        assert later.before is earlier.after
        assert later.epoch >= earlier.epoch
    assert (seal.state, seal.epoch) == (events[-1].after, events[-1].epoch)


def _with_own_keys(seal: Seal, number: int) -> MadeSeal:
    made = made_seal("SEAL-1", seal.name)
    return replace(
        made,
        sm2=replace(made.sm2, key_name=f"sm2-{number}"),
        rsa=replace(made.rsa, key_name=f"rsa-{number}"),
    )


def test_no_use_commits_after_a_lost_key_was_acknowledged(database: Database) -> None:
    # T-STO-07, T-PKI-27: every round has a seal and keys of its own.
    scene = SealScene(database)
    desk = RequestDesk(
        RequestParts(
            database=database,
            clock=scene.clock,
            randomness=make_randomness(11),
            revoke_certificate=lambda *_: None,
        )
    )
    source = Random(11)  # noqa: S311 - repeatable on purpose
    for number in range(ROUNDS):
        applied = apply_for_seal(database, f"SEAL-L{number}")
        seal = bring_into_use(database, applied, _with_own_keys(applied, number))
        scene.seal = seal
        names = open_intents(scene, seal.epoch, f"lost-{number}")
        asked = Asked(
            authority_code=TENANT,
            seal_id=seal.seal_id,
            applicant="applicant",
            basis_document="云栖网安〔2026〕3 号",
        )
        request = desk.file_compromise(asked, NOW)
        by = Confirmer(
            authority_code=TENANT,
            seal_id=seal.seal_id,
            request_id=request.request_id,
            actor="approver",
            digest=request.digest,
        )
        pauses = [source.random() * 0.004 for _ in range(WORKERS + 1)]
        game = Round(scene, names, pauses, stop=partial(desk.confirm, by))
        game.run()
        assert game.late == []
        assert sorted(game.committed + game.refused) == names


def test_a_confirmation_in_parallel_is_done_once(database: Database) -> None:
    # T-API-11
    scene = SealScene(database)
    desk = RequestDesk(
        RequestParts(
            database=database,
            clock=scene.clock,
            randomness=make_randomness(12),
            revoke_certificate=lambda *_: None,
        )
    )
    asked = Asked(
        authority_code=TENANT,
        seal_id=scene.seal.seal_id,
        applicant="applicant",
        basis_document="用章授权书",
    )
    wanted = MandateGrant(
        authority_code=TENANT,
        seal_id=scene.seal.seal_id,
        caller_id=None,
        licence_type_code=None,
        valid_from=NOW,
        valid_until=NOW + YEAR,
        applicant="",
        approver="",
        basis_document="用章授权书",
    )
    for number in range(ROUNDS):
        request = desk.file_mandate(asked, wanted)
        by = Confirmer(
            authority_code=TENANT,
            seal_id=scene.seal.seal_id,
            request_id=request.request_id,
            actor="approver",
            digest=request.digest,
        )
        done: list[str] = []

        def confirm(by: Confirmer = by, done: list[str] = done) -> None:
            try:
                done.append(desk.confirm(by).request_id)
            except SealRequestClosed:
                return

        run_together([confirm, confirm, confirm])
        assert done == [request.request_id]
        with database.reading() as connection:
            assert len(mandates.mandates_of(connection, TENANT, scene.seal.seal_id)) == number + 2


def test_no_race_takes_a_mandate_over_its_daily_count(database: Database) -> None:
    scene = SealScene(database)
    limit = 2
    for number in range(ROUNDS):
        grant(database, scene.seal, limits=MandateLimits(daily_count=limit))
        with database.reading() as connection:
            mandate = mandates.mandates_of(connection, TENANT, scene.seal.seal_id)[-1]
        begun: list[str] = []

        def begin(name: str, mandate: Mandate = mandate, begun: list[str] = begun) -> None:
            intent = replace(
                intent_of(scene, scene.seal.epoch), use_id=name, mandate_id=mandate.mandate_id
            )
            try:
                with database.transaction() as connection:
                    mandates.claim(connection, [mandate], NOW)
                    uses.open_use(connection, intent)
            except MandateMissing:
                return
            begun.append(name)

        run_together([partial(begin, f"daily-{number}-{at}") for at in range(limit + 2)])
        assert len(begun) == limit

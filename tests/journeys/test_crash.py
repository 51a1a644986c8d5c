"""Killed at any moment, the service keeps what it promised (ADR 0005).

What was acknowledged is there, whole; what was not is waiting or given up, and a retry makes of it
one licence. ``ESEAL_KILL_SECONDS`` makes the loop longer than a few seconds per database.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import httpx
import pytest

from eseal.maintenance import sweep_files
from seal_service.settings import SealSettings
from tests.journeys.mortal_service import MortalService, mortal_service
from tests.journeys.service import Kit, LaterClock, Running, issue, make_body, opened, running
from tests.journeys.soundness import Kept, check_sound
from verifier.verdict import Outcome

pytestmark = pytest.mark.journey

KILL_SECONDS = float(os.environ.get("ESEAL_KILL_SECONDS", "6"))
CLIENTS = 3
FEWEST_KILLS = 4
LONGEST_LIFE = 4
MOST_RETRIED = 6
MOST_JUDGED = 4
AFTER_EVERYTHING = LaterClock(timedelta(seconds=SealSettings().intent_seconds + 60))


@dataclass
class Load:
    """Clients that issue one licence after the other, and what they were told."""

    kit: Kit
    address: str
    acknowledged: dict[str, dict[str, object]] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self) -> None:
        """Issue until it is over; whoever gets no answer goes on with another case."""
        while not self.is_over.is_set():
            with httpx.Client(
                base_url=self.address, auth=self.kit.signer(), timeout=20, trust_env=False
            ) as client:
                self._issue_until_cut(client)

    def wait_for(self, more: int) -> None:
        """Wait until so many more licences were issued, but not long."""
        wanted = len(self.acknowledged) + more
        deadline = time.monotonic() + LONGEST_LIFE
        while len(self.acknowledged) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)

    def _issue_until_cut(self, client: httpx.Client) -> None:
        while not self.is_over.is_set():
            case_number = f"YQ-KILL-{next(self._numbers)}"
            try:
                answer = issue(client, make_body(case_number))
            except httpx.TransportError:
                self.unanswered.append(case_number)
                return
            if answer.status_code == httpx.codes.CREATED:
                self.acknowledged[case_number] = answer.json()
            else:
                self.refused.append(answer.text)


def _kill_under_load(lives: MortalService, load: Load, seconds: float) -> int:
    """Let life follow life while clients issue; return how many were killed."""
    moments = Random(7)  # noqa: S311 - when to kill
    clients = [threading.Thread(target=load.run) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    kills = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline or kills < FEWEST_KILLS or not load.acknowledged:
        lives.start()
        load.wait_for(moments.randrange(6))
        time.sleep(moments.uniform(0, 0.2))
        lives.kill()
        kills += 1
    load.is_over.set()
    lives.start()
    for client in clients:
        client.join()
    lives.kill()
    return kills


def _digests(licence: dict[str, object]) -> dict[str, str]:
    files = licence["files"]
    assert isinstance(files, dict)
    return {form: file["digest"] for form, file in files.items()}


@pytest.mark.parametrize("name", ["kit", pytest.param("postgres_kit", marks=pytest.mark.postgres)])
def test_no_acknowledged_licence_is_lost_however_often_the_service_is_killed(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """R-1, T-STO-01: all that is kept is whole; the rest can be swept, or retried."""
    kit: Kit = request.getfixturevalue(name)
    with mortal_service(kit.settings, tmp_path / "lives.log") as lives:
        load = Load(kit=kit, address=lives.address)
        kills = _kill_under_load(lives, load, KILL_SECONDS)
    assert kills >= FEWEST_KILLS
    assert load.refused == []
    assert load.acknowledged
    with opened(kit) as service:
        kept = check_sound(service)
    for licence in load.acknowledged.values():
        assert kept.in_force[str(licence["identifier"])] == _digests(licence)
    assert kept.licence_states.keys() <= {"in_force", "issuing", "abandoned"}
    _check_after_sweep(kit, load, kept)


def _check_after_sweep(kit: Kit, load: Load, before: Kept) -> None:
    with running(kit, AFTER_EVERYTHING) as later, later.client() as client:
        later.service.maintenance.run()
        sweep_files(later.service.installation.blobs, later.service.clock)
        swept = check_sound(later.service)
        assert swept.in_force == before.in_force
        assert swept.licence_states.keys() <= {"in_force", "abandoned"}
        assert list(later.service.settings.data_folder.glob("files/incoming/*")) == []
        assert swept.use_states().keys() <= {"committed", "abandoned"}
        assert swept.use_states()["abandoned"] == (
            before.use_states()["open"] + before.use_states()["abandoned"]
        )
        for case_number in load.unanswered[:MOST_RETRIED]:
            answer = issue(client, make_body(case_number))
            assert answer.status_code == httpx.codes.CREATED
            known = before.in_force.get(answer.json()["identifier"])
            assert known in (None, _digests(answer.json()))
        check_sound(later.service)
        for licence in list(load.acknowledged.values())[:MOST_JUDGED]:
            url = f"/v1/licences/{licence['identifier']}/files/ofd"
            verdict = later.service.verification.judge_upload(client.get(url).content)
            assert verdict.outcome is Outcome.VALID


@pytest.fixture(scope="module")
def lives(
    template_kit: Kit, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kit, MortalService]]:
    """Start one program whose lives die at one point of one issue each."""
    folder = tmp_path_factory.mktemp("points")
    kit = template_kit.copy_to(folder / "data")
    with opened(kit) as service:
        # Otherwise the first life would sign the empty log, and die of that signature.
        service.maintenance.publish_log()
    with mortal_service(kit.settings, folder / "lives.log") as found:
        yield kit, found


def _issue_and_die(kit: Kit, lives: MortalService, case_number: str, point: str) -> None:
    lives.start(point)
    with (
        httpx.Client(
            base_url=lives.address, auth=kit.signer(), timeout=20, trust_env=False
        ) as client,
        pytest.raises(httpx.TransportError),
    ):
        issue(client, make_body(case_number))
    lives.wait()


@pytest.fixture(scope="module")
def later(lives: tuple[Kit, MortalService]) -> Iterator[Running]:
    """Serve the same folder an hour later, when leases and intents of the dead are over."""
    with running(lives[0], AFTER_EVERYTHING) as found:
        yield found


@pytest.mark.parametrize(
    ("point", "intents"),
    [
        ("face-rendered", 0),
        ("signature-made", 1),
        ("ofd-sealed", 1),
        ("pdf-sealed", 2),
        ("release-checked", 2),
        ("file-stored", 2),
        ("uses-closed", 2),
    ],
)
def test_dead_before_the_last_commit_nothing_is_in_force_and_every_signature_has_its_intent(
    lives: tuple[Kit, MortalService], later: Running, point: str, intents: int
) -> None:
    """R-6, T-STO-02, T-STO-18: the intent is there, is swept, and a retry makes the licence."""
    kit, service = lives
    case_number = f"YQ-DEAD-{point}"
    _issue_and_die(kit, service, case_number, point)
    with later.client() as client:
        left = check_sound(later.service)
        assert left.use_states(case_number) == Counter({"open": intents} if intents else {})
        assert client.get("/v1/licences", params={"case_number": case_number}).json() == {
            "licences": [],
            "next_after": None,
        }
        answer = issue(client, make_body(case_number))
        assert answer.status_code == httpx.codes.CREATED
        later.service.maintenance.run()
        kept = check_sound(later.service)
    abandoned = Counter({"abandoned": intents} if intents else {})
    assert kept.use_states(case_number) == Counter({"committed": 2}) + abandoned
    assert kept.in_force[answer.json()["identifier"]] == _digests(answer.json())


def test_dead_between_commit_and_answer_a_retry_gets_the_licence(
    lives: tuple[Kit, MortalService], later: Running
) -> None:
    """R-3, T-STO-19, T-API-12: at once, without a second use of the seal."""
    kit, service = lives
    _issue_and_die(kit, service, "YQ-DEAD-committed", "committed")
    before = check_sound(later.service)
    service.start()
    with httpx.Client(base_url=service.address, auth=kit.signer(), trust_env=False) as client:
        answer = issue(client, make_body("YQ-DEAD-committed"))
    service.kill()
    assert answer.status_code == httpx.codes.CREATED
    assert before.in_force[answer.json()["identifier"]] == _digests(answer.json())
    after = check_sound(later.service)
    assert after.use_states("YQ-DEAD-committed") == Counter({"committed": 2})

"""Every step of a seal's life at the terminal: who is logged in acts, so two persons are due."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eseal.cli import cli, hoist

AUTHORITY = "11320102MB9K00021D"
NAME = "金陵市云栖区行政审批局"
BASIS = ("--basis", "云栖政办〔2026〕12 号")
ASKING = (*BASIS, "--reason", "依规定")

Run = Callable[..., Result]


class Terminal:
    """Runs commands as one account after the other."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._accounts = monkeypatch

    def run(self, account: str, *words: str) -> Result:
        self._accounts.setattr("eseal.cli.account_name", lambda: account)
        arguments = hoist(["--data", str(self._folder), "--authority", AUTHORITY, *words])
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    def json(self, account: str, *words: str) -> dict[str, object]:
        result = self.run(account, "--json", *words)
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert isinstance(found, dict)
        return found

    def rows(self, *words: str) -> list[dict[str, object]]:
        found = json.loads(self.run("reader", "--json", *words).stdout)
        assert isinstance(found, list)
        return found

    def confirmed(self, request: dict[str, object]) -> dict[str, object]:
        words = (str(request["seal_id"]), str(request["request_id"]))
        digest = ("--digest", str(request["request_digest"]))
        refused = self.run("anna", "seal-register", "confirm", *words, *digest)
        assert (refused.exit_code, "dual-control" in refused.output) == (2, True)
        return self.json("bela", "seal-register", "confirm", *words, *digest)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seal-commands") / "data"
    made = CliRunner().invoke(cli, ["--data", str(folder), "init"], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture
def terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(folder, monkeypatch)


def _apply(terminal: Terminal) -> dict[str, object]:
    words = ("--name", NAME, "--purpose", "电子证照专用章", *BASIS)
    return terminal.json("anna", "seal-register", "apply", *words)


def test_seals_are_searched_for_at_the_terminal(terminal: Terminal) -> None:
    words = ("--name", "云栖区档案局", "--purpose", "合同专用章", "--number", "3201029900001")
    seal = terminal.json("anna", "seal-register", "apply", *words, *BASIS)
    for search in ("档案局合同", str(seal["seal_id"])[:30], "32010299"):
        listed = terminal.rows("seal-register", "list", "--search", search)
        assert [row["seal_id"] for row in listed] == [seal["seal_id"]]
    assert terminal.rows("seal-register", "list", "--search", "档案%合同") == []


def _in_use(terminal: Terminal) -> str:
    seal = _apply(terminal)
    seal_id, digest = str(seal["seal_id"]), str(seal["application_digest"])
    approving = ("seal-register", "approve", seal_id, "--digest", digest, *BASIS)
    assert terminal.run("anna", *approving).exit_code == 2
    terminal.json("bela", *approving)
    terminal.json("carl", "seal-register", "make", seal_id, *BASIS)
    for step in ("file", "issue", "activate"):
        terminal.json("dora", "seal-register", step, seal_id, *BASIS)
    return seal_id


def _state(terminal: Terminal, seal_id: str) -> object:
    statement = terminal.json("reader", "seal-register", "status", seal_id)["statement"]
    assert isinstance(statement, dict)
    return statement["state"]


def test_a_seal_is_led_through_its_whole_life(terminal: Terminal) -> None:
    seal_id = _in_use(terminal)
    terminal.json("dora", "seal-register", "suspend", seal_id, *BASIS)
    for step, state in (("resume", "active"), ("revoke", "revoked"), ("destroy", "destroyed")):
        terminal.confirmed(terminal.json("anna", "seal-register", step, seal_id, *ASKING))
        assert _state(terminal, seal_id) == state
    events = terminal.rows("seal-register", "history", seal_id)
    people = [(event["action"], event["applicant"], event["approver"]) for event in events]
    assert people[:3] == [
        ("apply", "cli:anna", ""),
        ("approve", "cli:anna", "cli:bela"),
        ("make", "cli:anna", "cli:carl"),
    ]
    assert people[-1] == ("destroy", "cli:anna", "cli:bela")


@pytest.mark.parametrize(
    ("step", "state"), [("change", "changed"), ("cancel", "cancelled"), ("revoke", "revoked")]
)
def test_a_seal_is_ended_by_two(terminal: Terminal, step: str, state: str) -> None:
    seal_id = _in_use(terminal)
    terminal.confirmed(terminal.json("anna", "seal-register", step, seal_id, *ASKING))
    assert _state(terminal, seal_id) == state


def test_a_seal_is_reported_lost_by_one(terminal: Terminal) -> None:
    seal_id = _in_use(terminal)
    assert terminal.json("dora", "seal-register", "lost", seal_id, *BASIS)["state"] == "lost"


def test_an_application_is_rejected(terminal: Terminal) -> None:
    seal_id = str(_apply(terminal)["seal_id"])
    rejected = terminal.json("bela", "seal-register", "reject", seal_id, *BASIS)
    assert rejected["state"] == "rejected"


def test_a_request_is_listed_and_refused(terminal: Terminal) -> None:
    seal_id = _in_use(terminal)
    request = terminal.json("anna", "seal-register", "revoke", seal_id, *ASKING)
    digest = ("--digest", str(request["request_digest"]))
    closed = terminal.json(
        "bela", "seal-register", "refuse", seal_id, str(request["request_id"]), *digest
    )
    assert closed["state"] == "refused"
    assert [row["state"] for row in terminal.rows("seal-register", "requests", seal_id)] == [
        "refused"
    ]
    table = terminal.run("reader", "seal-register", "requests", seal_id).output
    assert "revoke" in table.replace("\n", "")
    words = ("seal-register", "request", seal_id, str(request["request_id"]))
    shown = terminal.run("reader", *words).output
    assert str(request["request_digest"]) in shown
    assert terminal.json("reader", *words) == closed


def test_a_mandate_is_granted_by_two_and_withdrawn_by_one(terminal: Terminal) -> None:
    seal_id = _in_use(terminal)
    words = ("--type", "approval-letter", "--matter", "000116003000", "--daily", "20")
    hours = ("--hours", "08:30", "17:30", "--caller", "approval", *ASKING)
    asked = terminal.json("anna", "mandate", "grant", seal_id, *words, *hours)
    assert terminal.rows("mandate", "list", seal_id) == []
    terminal.confirmed(asked)
    (mandate,) = terminal.rows("mandate", "list", seal_id)
    assert (mandate["type_codes"], mandate["daily_count"]) == (["approval-letter"], 20)
    assert "08:30" in terminal.run("reader", "mandate", "list", seal_id).output
    ended = terminal.json(
        "dora", "mandate", "withdraw", seal_id, str(mandate["mandate_id"]), "--reason", "停用"
    )
    assert ended["withdrawn_at"] is not None


def test_a_lost_key_is_declared_by_two(terminal: Terminal) -> None:
    seal_id = _in_use(terminal)
    since = ("--since", "2026-11-01T00:00:00Z")
    asked = terminal.json("anna", "compromise", seal_id, *since, *ASKING)
    assert terminal.confirmed(asked)["completed_at"] is not None
    assert _state(terminal, seal_id) == "revoked"
    assert terminal.rows("seal-register", "uses", seal_id, *since) == []


def test_a_trial_sets_a_seal_up_at_once(terminal: Terminal) -> None:
    words = ("--name", "金陵市数据局", *BASIS)
    people = ("--applicant", "a", "--approver", "b", "--maker", "c", "--manager", "d")
    authority = ("--authority", "11320100MB0001232N")
    made = terminal.run("anna", "seal-register", "set-up", *words, *people, *authority)
    assert made.exit_code == 0, made.output
    assert "active" in made.output

"""``eseal caller``, ``eseal key`` and ``eseal service``: two accounts, tables, JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eseal.cli import cli, hoist

CODE = "11320500014149587R"
BASIS = ("--basis", "云栖政办〔2026〕30 号")


class Shell:
    """A data folder and who sits at its terminal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *words: str, account: str = "first") -> Result:
        arguments = hoist(["--data", str(self.path), *words])
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("eseal.cli.account_name", lambda: account)
            return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    def json(self, *words: str, account: str = "first") -> dict[str, object]:
        result = self.run("--json", *words, account=account)
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    found = Shell(tmp_path_factory.mktemp("service") / "data")
    assert found.run("init").exit_code == 0
    return found


def add(shell: Shell, name: str) -> dict[str, object]:
    words = ("caller", "add", name, "--code", CODE, "--scope", "licences:read", *BASIS)
    return shell.json(*words)


def decide(
    shell: Shell, request: dict[str, object], decision: str = "confirm", account: str = "second"
) -> Result:
    words = (str(request["request_id"]), "--digest", str(request["request_digest"]))
    return shell.run("--json", "service", decision, *words, account=account)


def test_a_caller_is_added_by_two_accounts_and_neither_knows_its_secret(shell: Shell) -> None:
    request = add(shell, "window-1")
    assert (request["state"], request["applicant"]) == ("open", "cli:first")
    assert "window-1" not in shell.run("caller", "list").output
    alone = decide(shell, request, account="first")
    assert (alone.exit_code, json.loads(alone.output)["error"]) == (2, "dual-control")
    done = json.loads(decide(shell, request).stdout)
    halves = [bytes.fromhex(str(one)) for one in (request["half"], done["outcome"]["half"])]
    assert all(len(half) == 32 for half in halves)
    joined = shell.json("caller", "join", halves[0].hex(), halves[1].hex())
    assert bytes.fromhex(str(joined["secret_hex"])) not in halves
    assert decide(shell, request, account="third").exit_code == 2, "once"
    listed = shell.run("caller", "list", "--of", CODE)
    assert "window-1" in listed.output
    assert str(joined["secret_hex"]) not in listed.output
    assert (
        str(request["half"]) not in shell.run("service", "show", str(request["request_id"])).output
    )


def test_open_requests_are_listed_with_what_they_ask(shell: Shell) -> None:
    request = add(shell, "window-2")
    shown = shell.run("service", "requests", "--open")
    assert "window-2" in shown.output
    read = shell.run("service", "show", str(request["request_id"])).output
    assert str(request["request_digest"]) in read
    assert "licences:read" in read
    refused = json.loads(decide(shell, request, "refuse").stdout)
    assert refused["request"]["state"] == "refused"
    assert "window-2" not in shell.run("service", "requests", "--open").output
    assert "window-2" in shell.run("service", "requests").output


def test_scopes_and_secrets_change_by_two_and_a_stop_needs_one(shell: Shell) -> None:
    decide(shell, add(shell, "window-3"))
    scopes = shell.json("caller", "scopes", "window-3", "--scope", "licences:issue", *BASIS)
    done = json.loads(decide(shell, scopes).stdout)
    assert done["outcome"] == {"caller_id": "window-3", "scopes": ["licences:issue"]}
    secret = json.loads(decide(shell, shell.json("caller", "secret", "window-3", *BASIS)).stdout)
    assert len(str(secret["outcome"]["half"])) == 64
    assert shell.run("caller", "disable", "window-3").exit_code == 1, "not without a yes"
    ended = shell.json("caller", "disable", "window-3", "--yes")
    assert ended["disabled_at"] is not None
    assert shell.run("caller", "disable", "nobody", "--yes").exit_code == 2


def test_keys_are_listed_shown_and_tried(shell: Shell) -> None:
    assert "seal-maker" in shell.run("key", "list").output
    shown = shell.json("key", "show", "seal-maker")
    assert (shown["algorithm"], shown["bits"]) == ("sm2", 256)
    assert "private" not in json.dumps(shown)
    tried = shell.run("key", "check")
    assert tried.exit_code == 0
    assert tried.output.count("works") == len(shell.run("key", "list").output.splitlines()) - 1
    assert shell.run("key", "check", "nobody").exit_code == 2

"""The command line: one installation, every group of commands, refusals and exit statuses."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eseal.cli import cli, hoist
from eseal.settings import PROJECT

AUTHORITY = "11320102MB9K00021D"
NAME = "金陵市云栖区行政审批局"
EXAMPLES = PROJECT / "examples" / "approval-results"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Set an authority up, and return what runs a command on its data folder."""
    folder = tmp_path_factory.mktemp("cli") / "data"

    def command(*words: str | Path) -> Result:
        arguments = hoist(["--data", str(folder), *map(str, words)])
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    made = command("--authority", AUTHORITY, "init", "--name", NAME)
    assert made.exit_code == 0, made.output
    return command


@pytest.fixture(scope="module")
def licence(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Issue a licence; its files are in the folder named under ``out``."""
    out = tmp_path_factory.mktemp("files")
    result = run("licence", "issue", EXAMPLES / "04-food-permit-restaurant.json", "--out", out)
    assert result.exit_code == 0, result.output
    shown = run("--json", "licence", "show", _identifier(result.output))
    found = json.loads(shown.output)
    assert isinstance(found, dict)
    return {**found, "out": str(out)}


def _identifier(output: str) -> str:
    return next(word for word in output.split() if word.startswith("1.2.156.3005.2."))


def _paths(licence: dict[str, object]) -> tuple[Path, Path]:
    out = Path(str(licence["out"]))
    return out / f"{licence['identifier']}.ofd", out / f"{licence['identifier']}.pdf"


def test_setting_up_again_changes_nothing(run: Run) -> None:
    before = json.loads(run("--json", "seal-register", "list").output)
    again = run("--authority", AUTHORITY, "init", "--name", NAME)
    assert again.exit_code == 0
    assert json.loads(run("--json", "seal-register", "list").output) == before
    assert [seal["state"] for seal in before] == ["active"]


def test_an_issued_licence_verifies_with_our_library(run: Run, licence: dict[str, object]) -> None:
    result = run("verify", *_paths(licence), "--json")
    assert result.exit_code == 0, result.output
    answers = [(v["verdict"], v["authentic"], v["in_force"]) for v in json.loads(result.output)]
    assert answers == [("valid", True, True)] * 2


def test_one_file_gives_one_object_of_the_promised_shape(
    run: Run, licence: dict[str, object]
) -> None:
    verdict = json.loads(run("verify", _paths(licence)[0], "--json").output)
    assert set(verdict) >= {"verdict", "authentic", "in_force", "coverage", "signatures"}
    assert verdict["coverage"] == {"uncovered": [], "unreferenced": []}
    signature = verdict["signatures"][0]
    expected = ("ofd-seal", "holds", "trusted", "timestamp")
    found = tuple(signature[key] for key in ("kind", "integrity", "trust", "time_source"))
    assert found == expected
    assert set(signature["seal"]) == {"id", "name", "version"}
    finding = signature["findings"][0]
    assert set(finding) >= {"check", "result", "reason", "subject", "clause"}


def test_a_changed_file_is_told_in_words_and_ends_with_1(
    run: Run, licence: dict[str, object], tmp_path: Path
) -> None:
    content = bytearray(_paths(licence)[1].read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "changed.pdf").write_bytes(content)
    result = run("verify", tmp_path / "changed.pdf", "--explain")
    assert result.exit_code == 1
    assert "✕" in result.output


def test_a_licence_is_presented_and_redeemed_once(run: Run, licence: dict[str, object]) -> None:
    identifier = str(licence["identifier"])
    made = json.loads(run("present", identifier, "--purpose", "办理变更", "--json").output)
    first = run("redeem", made["code"], "--json")
    assert first.exit_code == 0
    assert json.loads(first.output)["face_data"]["operator_name"]
    second = run("redeem", made["code"], "--json")
    assert second.exit_code == 2
    assert json.loads(second.output)["error"] == "presentation-refused"


def test_the_code_of_a_licence_is_drawn_in_the_terminal(
    run: Run, licence: dict[str, object]
) -> None:
    result = run("qr", str(licence["identifier"]))
    assert result.exit_code == 0
    assert str(licence["qr_url"]) in result.output
    assert result.output.count("█") > 100


def test_a_revoked_licence_is_genuine_without_force(run: Run) -> None:
    issued = run("licence", "issue", EXAMPLES / "01-business-licence-company.json")
    identifier = _identifier(issued.output)
    words = (
        "licence",
        "revoke",
        identifier,
        "--reason",
        "自行停业",
        "--basis",
        "云审撤〔2026〕1号",
    )
    assert run(*words, "--kind", "cancelled").exit_code == 0
    shown = json.loads(run("licence", "show", identifier, "--json").output)
    assert (shown["state"], shown["revocation"]["reason"]) == ("cancelled", "自行停业")


def test_seals_are_listed_with_state_and_history(run: Run) -> None:
    seal_id = json.loads(run("--json", "seal-register", "list").output)[0]["seal_id"]
    status = json.loads(run("--json", "seal-register", "status", seal_id).output)
    assert status["statement"]["state"] == "active"
    history = json.loads(run("--json", "seal-register", "history", seal_id).output)
    assert len(history) >= 6
    assert NAME in run("seal-register", "list").output.replace("\n", "")


def test_a_refusal_names_code_and_what_to_do(run: Run) -> None:
    result = run("licence", "show", "1.2.156.3005.2.nothing")
    assert result.exit_code == 2
    assert "licence-not-found" in result.output


def test_a_folder_without_installation_says_how_to_make_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--data", str(tmp_path), "licence", "show", "1"])
    assert result.exit_code == 2
    assert "eseal init" in result.output


def test_files_are_judged_without_any_data_folder(
    licence: dict[str, object], tmp_path: Path
) -> None:
    words = ["--data", str(tmp_path), "--json", "verify", str(_paths(licence)[0])]
    result = CliRunner().invoke(cli, words)
    verdict = json.loads(result.output)
    assert result.exit_code == 1
    assert (verdict["verdict"], verdict["in_force"]) == ("indeterminate", None)
    assert verdict["signatures"][0]["integrity"] == "holds"
    assert verdict["signatures"][0]["trust"] == "untrusted"


def test_files_are_judged_against_anchors_given(
    run: Run, licence: dict[str, object], tmp_path: Path
) -> None:
    pki = Path(str(json.loads(run("--json", "init").output)["data_folder"])) / "pki"
    words = ["--data", str(tmp_path), "--json", "verify", str(_paths(licence)[0])]
    words += ["--trust", str(pki / "trust.pem")]
    for name in ("sm2-issuing-ca", "rsa-issuing-ca"):
        words += ["--intermediate", str(pki / "certificates" / f"{name}.pem")]
    for crl in sorted((pki / "crls").glob("*.crl")):
        words += ["--crl", str(crl)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["verdict"] == "valid"


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    result = CliRunner().invoke(cli, ["--version"])
    assert project["version"] in result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["verify", "a", "--json"], ["--json", "verify", "a"]),
        (["verify", "--data", "d", "a"], ["--data", "d", "verify", "a"]),
        (["verify", "--data=d", "a"], ["--data=d", "verify", "a"]),
        (["verify", "--", "--json"], ["verify", "--", "--json"]),
    ],
)
def test_shared_options_may_stand_anywhere(words: list[str], expected: list[str]) -> None:
    assert hoist(words) == expected

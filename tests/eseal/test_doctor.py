"""``eseal doctor``: one thing broken at a time is told, and the rest still is."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from eseal import doctor as doctor_module
from eseal.cli import cli, hoist
from eseal.doctor import Finding, Health, examine
from eseal.errors import NotInitialised
from eseal.installation import make_installation
from eseal.settings import Environment, Settings
from tests.support.pki import NOW, FixedClock

ENDING = {"end of certificate seal-maker", "end of tsa sm2-tsa", "end of tsa rsa-tsa"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor") / "data"
    make_installation(Settings(data_folder=folder), NOW).database.close()
    return folder


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made, tmp_path / "data")
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    (fonts / "fonts.json").write_text("{}")
    return Settings(data_folder=tmp_path / "data", fonts_folder=fonts)


def look(settings: Settings, later: timedelta = timedelta()) -> dict[str, Finding]:
    return {one.name: one for one in examine(settings, FixedClock(NOW + later))}


def broken(findings: dict[str, Finding]) -> set[str]:
    return {name for name, one in findings.items() if one.health is Health.BROKEN}


def warned(findings: dict[str, Finding]) -> set[str]:
    return {name for name, one in findings.items() if one.health is Health.WARNING}


def test_a_fresh_installation_is_good(settings: Settings) -> None:
    findings = look(settings)
    assert {one.health for one in findings.values()} == {Health.GOOD}
    assert {"engine", "key-store", "chain seal-maker", "crl rsa-root", "database"} <= set(findings)
    assert {"calendar", "fonts", "disk", "profile"} <= set(findings)


def test_an_empty_folder_is_no_patient(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised):
        examine(Settings(data_folder=tmp_path), FixedClock())


def test_lists_that_ended_are_broken(settings: Settings) -> None:
    findings = look(settings, timedelta(days=8))
    names = {"crl sm2-issuing-ca", "crl rsa-issuing-ca"}
    assert broken(findings) == names | {f"end of {name}" for name in names}
    assert findings["crl sm2-issuing-ca"].advice


def test_lists_nobody_renewed_are_warned_of_before_they_end(settings: Settings) -> None:
    names = {"end of crl sm2-issuing-ca", "end of crl rsa-issuing-ca"}
    assert warned(look(settings, timedelta(days=6))) == names


@pytest.mark.parametrize("days_left", [60, 30, 7])
def test_certificates_are_warned_of_ahead(settings: Settings, days_left: int) -> None:
    """The first certificates of a trial end after five years."""
    findings = look(settings, timedelta(days=5 * 365 - days_left))
    assert warned(findings) >= ENDING
    assert f"{days_left} days left" in findings["end of certificate seal-maker"].detail


def test_certificates_past_their_end_are_broken(settings: Settings) -> None:
    findings = look(settings, timedelta(days=5 * 365 + 1))
    assert ENDING | {"chain seal-maker"} <= broken(findings)


def _no_passphrase(settings: Settings) -> None:
    settings.passphrase_path().write_bytes(b"another pass-phrase")


def _loose_keys(settings: Settings) -> None:
    (settings.data_folder / "keys").chmod(0o755)


def _no_list(settings: Settings) -> None:
    (settings.data_folder / "pki" / "crls" / "sm2-root.crl").unlink()


def _no_certificate(settings: Settings) -> None:
    (settings.data_folder / "pki" / "certificates" / "sm2-tsa.pem").unlink()


def _no_database(settings: Settings) -> None:
    for path in settings.data_folder.glob("eseal.db*"):
        path.unlink()


def _no_fonts(settings: Settings) -> None:
    (settings.fonts_folder / "fonts.json").unlink()


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (_no_passphrase, "key-store"),
        (_loose_keys, "key-store"),
        (_no_list, "crl"),
        (_no_certificate, "chain"),
        (_no_database, "database"),
        (_no_fonts, "fonts"),
    ],
)
def test_what_is_broken_is_told_and_so_is_the_rest(
    settings: Settings, harm: Callable[[Settings], None], expected: str
) -> None:
    harm(settings)
    findings = look(settings)
    assert expected in broken(findings)
    assert findings["engine"].health is Health.GOOD
    assert findings["disk"].health is Health.GOOD


def test_test_keys_in_production_are_broken(settings: Settings) -> None:
    """T-KEY-08."""
    production = settings.model_copy(update={"environment": Environment.PRODUCTION})
    assert "profile" in broken(look(production))


@pytest.mark.parametrize(("free", "health"), [(10**9 * 3, Health.WARNING), (10**8, Health.BROKEN)])
def test_a_disk_that_runs_full_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, health: Health
) -> None:
    monkeypatch.setattr(doctor_module, "_free_bytes", lambda _: free)
    assert look(settings)["disk"].health is health


def test_the_command_ends_with_1_when_something_is_broken(settings: Settings) -> None:
    words = hoist(["--data", str(settings.data_folder), "doctor", "--json"])
    environment = {"ESEAL_FONTS_FOLDER": str(settings.fonts_folder)}
    result = CliRunner().invoke(cli, words, env=environment)
    # The trial was made at a fixed instant; its short lists may have ended since.
    rows = json.loads(result.stdout)
    is_broken = any(row["health"] == "broken" for row in rows)
    assert result.exit_code == (1 if is_broken else 0)
    _no_fonts(settings)
    again = CliRunner().invoke(cli, words, env=environment)
    assert again.exit_code == 1
    shown = CliRunner().invoke(cli, [word for word in words if word != "--json"], env=environment)
    assert shown.exit_code == 1
    assert "broken  fonts" in shown.output

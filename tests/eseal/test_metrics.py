"""``GET /metrics``: off by default, numbers of keys and of what ends."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from eseal.installation import Installation, make_installation
from eseal.metrics import CALENDAR_SECONDS, Calendar, build_metrics_router
from eseal.settings import Settings
from keys.calendar import CalendarEntry
from keys.pki_making import SEAL_MAKER_KEY
from tests.support.asgi import AppClient
from tests.support.pki import NOW, FixedClock


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("metrics") / "data"
    return make_installation(Settings(data_folder=folder), NOW)


def scrape(installation: Installation) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    app = FastAPI(openapi_url=None)
    app.include_router(build_metrics_router(installation, FixedClock()))
    answer = AppClient(app).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_off_unless_asked_for() -> None:
    assert not Settings().metrics


def test_what_ends_is_told_in_days(installation: Installation) -> None:
    found = scrape(installation)
    assert found["eseal_expiry_days", "certificate", "seal-maker", "none"] == 5 * 365
    assert found["eseal_expiry_days", "crl", "sm2-issuing-ca", "none"] == 7
    assert found["eseal_expiry_items", "tsa", "none"] == 2
    assert found["eseal_expiry_items", "seal", "overdue"] == 0


def test_keys_are_counted_as_they_sign(installation: Installation) -> None:
    before = scrape(installation).get(("eseal_signatures_total", SEAL_MAKER_KEY), 0)
    installation.store.sign_with(SEAL_MAKER_KEY, b"message")
    after = scrape(installation)
    assert after["eseal_signatures_total", SEAL_MAKER_KEY] == before + 1
    assert after["eseal_signature_seconds_total", SEAL_MAKER_KEY] > 0
    assert after[("eseal_key_store_ready",)] == 1
    assert after[("eseal_keys",)] == len(installation.store.names())


def test_the_calendar_is_counted_again_only_when_it_is_old() -> None:
    clock, counted = [0.0], []

    def collect() -> tuple[CalendarEntry, ...]:
        counted.append(clock[0])
        return ()

    calendar = Calendar(collect, lambda: clock[0])
    for clock[0] in (0.0, 1.0, CALENDAR_SECONDS - 1, CALENDAR_SECONDS, CALENDAR_SECONDS + 1):
        calendar.entries()
    assert counted == [0.0, CALENDAR_SECONDS]


def test_nothing_but_numbers_and_names_of_keys_is_told(
    installation: Installation, tmp_path: Path
) -> None:
    app = FastAPI(openapi_url=None)
    app.include_router(build_metrics_router(installation, FixedClock()))
    text = AppClient(app).get("/metrics").text
    assert "测试" not in text
    assert str(installation.settings.data_folder) not in text
    assert str(tmp_path) not in text

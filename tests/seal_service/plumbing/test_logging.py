"""Events in the log: one line each, whatever is in them (T-API-29)."""

import json

import pytest

from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.logging import bind_request, log_alarm, log_crash, log_fact


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    bind_request("id-1")
    log_fact("licence_issued", count=1)
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["count"], event["level"]) == ("licence_issued", 1, "info")
    assert event["request_id"] == "id-1"
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\r\nb",
        "\x1b[31mred",
        'quote " and \\',
        "\u2028 \u2029",
        "\u0085",
        "\x00",
        "\u202e",
    ],
)
def test_a_value_stays_within_its_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """T-API-29."""
    log_alarm("something_odd", text=text)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert json.loads(said)["text"] == text
    assert "\x1b" not in said


def fail() -> None:
    try:
        raise KeyError("CANARY")
    except KeyError as error:
        raise ValueError("CANARY\n") from error


def test_a_crash_is_one_line_with_types_and_places_and_no_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """T-API-30: messages of exceptions quote the values they are about."""
    with pytest.raises(ValueError, match="CANARY") as caught:
        fail()
    log_crash("request_crashed", caught.value)
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event["error"] == "ValueError <- KeyError"
    assert event["trace"].startswith("test_logging.py:")
    assert " fail <- " in event["trace"]
    assert "CANARY" not in line


def test_the_clock_of_the_machine_is_aware_and_in_utc() -> None:
    offset = SystemClock().now().utcoffset()
    assert offset is not None
    assert not offset

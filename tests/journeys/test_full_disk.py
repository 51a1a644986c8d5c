"""A disk that is full, for real: a small file system in memory holds the whole data folder."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.service import Kit, issue, make_body, running
from tests.journeys.soundness import check_sound

pytestmark = pytest.mark.journey

SIZE = "6m"
BALLAST = 2 * 1024 * 1024
MOST_CASES = 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={SIZE},mode=700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _issue_until_refused(client: httpx.Client) -> tuple[dict[str, object], httpx.Response]:
    """Return what was acknowledged, by identifier, and the first refusal."""
    acknowledged: dict[str, object] = {}
    for number in range(MOST_CASES):
        answer = issue(client, make_body(f"YQ-FULL-{number}"))
        if answer.status_code != httpx.codes.CREATED:
            return acknowledged, answer
        acknowledged[answer.json()["identifier"]] = answer.json()
    raise AssertionError("the disk never got full")


def test_a_full_disk_is_a_clean_refusal_and_needs_no_repair(
    template_kit: Kit, small_disk: Path
) -> None:
    """R-9, T-STO-03: nothing acknowledged is lost, and with space again the service goes on."""
    kit = template_kit.copy_to(small_disk / "data")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    with running(kit) as found, found.client() as client:
        acknowledged, refusal = _issue_until_refused(client)
        assert acknowledged
        assert (refusal.status_code, refusal.json()["code"]) == (503, "storage-unavailable")
        assert "retry-after" in refusal.headers

        ballast.unlink()
        assert issue(client, make_body("YQ-FULL-AFTER")).status_code == httpx.codes.CREATED
        kept = check_sound(found.service)
        assert kept.in_force.keys() >= acknowledged.keys()
        for identifier, licence in acknowledged.items():
            assert client.get(f"/v1/licences/{identifier}").json() == licence

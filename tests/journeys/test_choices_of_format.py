"""What a deployment chooses: the generation of its seals, and how the PDF of a type is sealed."""

import shutil
from pathlib import Path

import pytest

from eseal.settings import PROJECT
from tests.journeys.service import Kit, issue, make_body, make_kit, running

pytestmark = pytest.mark.journey

MANIFEST = Path("business_licence") / "manifest.toml"


def choose(kit: Kit, folder: Path, profile: str) -> Kit:
    """Return a kit whose business licences are sealed in another way on their PDF."""
    shutil.copytree(PROJECT / "templates", folder)
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / MANIFEST).write_text(f'pdf_profile = "{profile}"\n{text}', encoding="utf-8")
    return Kit(
        settings=kit.settings.model_copy(update={"templates_folder": folder}),
        accesses=kit.accesses,
    )


@pytest.mark.parametrize(
    ("version", "profile"), [(5, "gm-seal"), (4, "gm-seal"), (4, "gm-cms"), (5, "rsa-pades")]
)
def test_licences_are_valid_in_every_format_that_can_be_chosen(
    tmp_path: Path, version: int, profile: str
) -> None:
    made = make_kit(tmp_path / "data", ses_version=version)
    kit = choose(made, tmp_path / "templates", profile)
    with running(kit) as service, service.client() as client:
        answer = issue(client, make_body("YQ-2026-005001"))
        assert answer.status_code == 201, answer.text
        for form, kind in (("ofd", "ofd-seal"), ("pdf", profile)):
            data = client.get(answer.json()["files"][form]["url"]).content
            found = client.post(
                "/v1/verifications",
                content=data,
                headers={"Content-Type": "application/octet-stream"},
            ).json()
            assert found["verdict"] == "valid", found
            assert [one["kind"] for one in found["signatures"]] == [kind]

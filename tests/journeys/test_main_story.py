"""The main story, over real HTTP and in a real browser.

One approval result becomes a sealed licence; a phone reads the printed code and opens the page; the
enterprise shows a one-time code, an approval system redeems it; the licence is revoked; the same
printed code then says so.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import zxingcpp
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from eseal.installation import make_installation
from eseal.main import build_service
from eseal.server import free_port, server_beside
from eseal.settings import PROJECT, Settings
from eseal.trial import CallerAccess, ensure_caller, ensure_seal
from licence_store.model import IssuingAuthority
from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.request_signing import RequestSigner
from tests.journeys.browser import PHONE, open_browser, page_width, reason_to_skip

pytestmark = pytest.mark.journey

EXAMPLE = PROJECT / "examples" / "approval-results" / "01-business-licence-company.json"
ITEM = "11320100MB9K00013M4320131005000"
REASON = "提交虚假材料取得登记"


@dataclass(frozen=True)
class Running:
    """A service of its own, and the means to call it."""

    settings: Settings
    access: CallerAccess

    def client(self) -> httpx.Client:
        """Return a client that signs its requests as the authority's approval system."""
        return httpx.Client(
            base_url=self.settings.public_url(),
            auth=RequestSigner(self.access.caller_id, self.access.secret),
            timeout=60,
            trust_env=False,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("story")
    settings = Settings(data_folder=folder / "data", port=free_port("127.0.0.1"))
    installation = make_installation(settings, SystemClock().now())
    service = build_service(installation)
    authority = IssuingAuthority(**json.loads(EXAMPLE.read_text())["issuing_authority"])
    ensure_seal(service, authority)
    access = ensure_caller(service, authority.code, folder)
    installation.database.close()
    with server_beside(settings, folder / "server.log"):
        yield Running(settings=settings, access=access)


@pytest.fixture(scope="module")
def licence(running: Running) -> dict[str, object]:
    with running.client() as client:
        body = json.loads(EXAMPLE.read_text())
        answer = client.post("/v1/licences", json=body, headers={"Idempotency-Key": "story-0001"})
        assert answer.status_code == 201, answer.text
        issued = answer.json()
        assert isinstance(issued, dict)
        return issued


def _file(running: Running, licence: dict[str, object], form: str) -> bytes:
    with running.client() as client:
        answer = client.get(f"/v1/licences/{licence['identifier']}/files/{form}")
        assert answer.status_code == 200, answer.text
        return answer.content


def _scan(pdf: bytes, folder: Path) -> str:
    """Print a page at 150 dpi and read the code on it, as a phone does."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm (Debian: apt-get install poppler-utils)")
    (folder / "licence.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", "150", "-png", "-singlefile", "licence.pdf", "page"]
    subprocess.run(command, cwd=folder, check=True)
    with Image.open(folder / "page.png") as picture:
        found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1
    return str(found[0].text)


@pytest.fixture
def phone() -> Iterator[Chrome]:
    if reason_to_skip():
        pytest.skip(reason_to_skip())
    with open_browser(PHONE, scripts=False) as browser:
        yield browser


def _words(browser: Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "main").text


def test_the_story_from_issue_to_revocation(
    running: Running, licence: dict[str, object], phone: Chrome, tmp_path: Path
) -> None:
    link = _scan(_file(running, licence, "pdf"), tmp_path)
    assert link == licence["qr_url"]

    phone.get(link)
    assert "真实，现行有效" in _words(phone).replace("\n", "")
    assert "金陵云栖茶点有限公司" in _words(phone)
    assert page_width(phone) <= PHONE.width

    released = _present_and_redeem(running, licence)
    assert released == ("金陵云栖茶点有限公司", {"ofd", "pdf"})

    _revoke(running, licence)
    phone.get(link)
    shown = _words(phone).replace("\n", "")
    assert "真实，但已于" in shown
    assert "吊销" in shown
    assert REASON in shown
    assert _verdict(running, _file(running, licence, "ofd")) == ("invalid", True, False)


def _present_and_redeem(running: Running, licence: dict[str, object]) -> tuple[str, set[str]]:
    """Return the holder's name and the formats of the files that one redemption released."""
    holder = licence["holder"]
    assert isinstance(holder, dict)
    with running.client() as client:
        answer = client.post(
            f"/v1/licences/{licence['identifier']}/presentations",
            json={
                "holder_code": holder["code"],
                "holder_code_type": holder["code_type"],
                "purpose": "办理食品经营许可",
                "service_item_code": ITEM,
                "lifetime_seconds": 60,
            },
        )
        assert answer.status_code == 201, answer.text
        code = answer.json()["code"]
        redemption = {"code": code, "service_item_code": ITEM, "case_number": "YQ-2026-7"}
        first = client.post("/v1/redemptions", json=redemption)
        assert first.status_code == 200, first.text
        second = client.post("/v1/redemptions", json=redemption)
        guess = client.post("/v1/redemptions", json={**redemption, "code": "A" * len(code)})
        assert second.status_code == guess.status_code == 404
        assert second.json()["code"] == guess.json()["code"] == "presentation-refused"
        uses = client.get(f"/v1/licences/{licence['identifier']}/uses").json()["uses"]
    assert [use["result"] for use in uses] == ["already-used", "released"]
    released = first.json()
    return released["face_data"]["name"], set(released["files"])


def _revoke(running: Running, licence: dict[str, object]) -> None:
    with running.client() as client:
        answer = client.post(
            f"/v1/licences/{licence['identifier']}/revocation",
            json={"kind": "revoked", "reason": REASON, "basis_document": "云市监罚〔2026〕12号"},
        )
    assert answer.status_code == 200, answer.text


def _verdict(running: Running, document: bytes) -> tuple[object, object, object]:
    with running.client() as client:
        answer = client.post(
            "/v1/verifications", content=document, headers={"Content-Type": "application/ofd"}
        )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["verdict"], found["authentic"], found["in_force"]

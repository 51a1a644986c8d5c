"""The public pages in a real browser: phone and desktop, without JavaScript (issue 2, item 10)."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from licence_store.errors import LicenceNotFound
from tests.journeys.browser import (
    DESKTOP,
    PHONE,
    Screen,
    complaints,
    open_browser,
    page_width,
    reason_to_skip,
    wait_for,
)
from tests.support.live import serve
from tests.support.verdicts import (
    JUDGED_AT,
    make_expired,
    make_facts,
    make_foreign,
    make_revoked,
    make_tampered,
    make_unsigned,
    make_verdict,
)
from verifier.verdict import Verdict
from verifier.web import WebParts, build_web_router

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "a browser is here"),
]

LONG_NAME = "金陵市云栖区梧桐路街道社区卫生服务中心附属职工食堂有限责任公司第一分公司" * 4
CODES = {
    "in-force": make_verdict(),
    "revoked": make_revoked(),
    "replaced": make_revoked(state="replaced"),
    "expired": make_expired(),
    "long": make_verdict(licence=make_facts(holder_name=LONG_NAME, licence_number="9" * 120)),
}
FILES = {
    b"valid": make_verdict(),
    b"tampered": make_tampered(),
    b"foreign": make_foreign(),
    b"unsigned": make_unsigned(),
}


class _Clock:
    def now(self) -> datetime:
        return JUDGED_AT


def _judge_code(code: str) -> Verdict:
    if code not in CODES:
        raise LicenceNotFound
    return CODES[code]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    parts = WebParts(
        judge_code=_judge_code,
        judge_upload=lambda document: FILES[document],
        clock=_Clock(),
        public_url="https://zhengzhao.yunqi.example",
    )
    app = FastAPI()
    app.include_router(build_web_router(parts))
    with serve(app) as found:
        yield found


@pytest.fixture(scope="module", params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def screen(request: pytest.FixtureRequest) -> Screen:
    found: Screen = request.param
    return found


@pytest.fixture(scope="module")
def browser(screen: Screen) -> Iterator[Chrome]:
    with open_browser(screen, scripts=False) as found:
        yield found


def _heading(browser: Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "h1").text.replace("\n", "")


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        ("in-force", "真实，现行有效"),
        ("revoked", "真实，但已于2026年11月25日吊销"),
        ("expired", "真实，但已于2026年11月24日到期"),
        ("wrong", "查无此证照，或二维码有误"),
    ],
)
def test_the_answer_to_a_scan_is_read_without_scrolling(
    browser: Chrome, screen: Screen, address: str, code: str, heading: str
) -> None:
    browser.get(f"{address}/q/{code}")
    assert _heading(browser) == heading
    words = browser.find_element(By.TAG_NAME, "h1")
    assert words.rect["y"] + words.rect["height"] < screen.height / 2
    assert float(words.value_of_css_property("font-size").removesuffix("px")) >= 22


@pytest.mark.parametrize("code", ["in-force", "revoked"])
def test_both_answers_are_on_the_first_screen(
    browser: Chrome, screen: Screen, address: str, code: str
) -> None:
    browser.get(f"{address}/q/{code}")
    tiles = browser.find_elements(By.CLASS_NAME, "tile")
    assert [tile.is_displayed() for tile in tiles] == [True, True]
    assert max(tile.rect["y"] + tile.rect["height"] for tile in tiles) < screen.height


@pytest.mark.parametrize("path", ["/", "/q/wrong", *(f"/q/{code}" for code in CODES)])
def test_no_page_scrolls_sideways_and_the_browser_has_no_complaint(
    browser: Chrome, screen: Screen, address: str, path: str
) -> None:
    complaints(browser)
    browser.get(address + path)
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        summary.click()
    assert page_width(browser) <= screen.width
    # A missing page is itself one line in the console; nothing may be blocked or fail to load.
    assert [line for line in complaints(browser) if " 404 " not in line] == []


@pytest.mark.parametrize(
    ("content", "heading"),
    [
        (b"valid", "真实，现行有效"),
        (b"tampered", "无效"),
        (b"foreign", "无法确认"),
        (b"unsigned", "未签章"),
    ],
)
def test_a_file_is_uploaded_and_judged(
    browser: Chrome, screen: Screen, address: str, tmp_path: Path, content: bytes, heading: str
) -> None:
    file = tmp_path / "证照 <b>.ofd"
    file.write_bytes(content)
    browser.get(address)
    browser.find_element(By.ID, "document").send_keys(str(file))
    browser.find_element(By.TAG_NAME, "button").click()
    wait_for(browser, ".tiles")
    assert _heading(browser) == heading
    assert browser.current_url == f"{address}/verify"
    assert page_width(browser) <= screen.width


def test_the_checks_unfold_without_a_script(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/q/in-force")
    first = browser.find_element(By.CSS_SELECTOR, ".checks li")
    assert not first.is_displayed()
    browser.find_element(By.TAG_NAME, "summary").click()
    assert first.is_displayed()

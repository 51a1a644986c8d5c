"""A real browser for tests: Debian's Chromium without a window, in a fresh profile each time.

``@pytest.mark.journey`` tests ask for ``browser`` (desktop) or make a ``phone``. Where Chromium or
its driver is absent the test is skipped and says why.
"""

import base64
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=zh-CN",
)
LOAD_SECONDS = 30


@dataclass(frozen=True)
class Screen:
    """A screen in CSS pixels."""

    width: int
    height: int
    scale: int = 1
    is_phone: bool = False


PHONE = Screen(width=360, height=740, scale=2, is_phone=True)
DESKTOP = Screen(width=1280, height=900)


def reason_to_skip() -> str:
    """Say why there is no browser here, or nothing."""
    if not any(map(shutil.which, CHROMIUM)):
        return "no Chromium (Debian: apt-get install chromium)"
    if shutil.which(DRIVER) is None:
        return "no chromedriver (Debian: apt-get install chromium-driver)"
    return ""


@contextmanager
def open_browser(screen: Screen = DESKTOP, *, scripts: bool = True) -> Iterator[Chrome]:
    """Start a browser of its own; without ``scripts`` it runs no JavaScript on any page."""
    logging.getLogger("selenium").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="eseal-browser-", ignore_cleanup_errors=True) as home:
        options = ChromeOptions()
        options.binary_location = next(path for path in map(shutil.which, CHROMIUM) if path)
        for flag in (*FLAGS, f"--user-data-dir={home}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = Chrome(options=options, service=Service(shutil.which(DRIVER)))
        try:
            browser.set_page_load_timeout(LOAD_SECONDS)
            _set_screen(browser, screen)
            if not scripts:
                browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
            yield browser
        finally:
            browser.quit()


def _set_screen(browser: Chrome, screen: Screen) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": screen.width,
            "height": screen.height,
            "deviceScaleFactor": screen.scale,
            "mobile": screen.is_phone,
        },
    )


def save_screenshot(browser: Chrome, path: Path) -> None:
    """Write what the screen shows as PNG, to be looked at."""
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    path.write_bytes(base64.b64decode(shot["data"]))


def page_width(browser: Chrome) -> int:
    """Return how wide the laid-out page is, in CSS pixels; wider than the screen scrolls."""
    metrics = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})
    return int(metrics["cssContentSize"]["width"])


def complaints(browser: Chrome) -> list[str]:
    """Return what the browser's console complained about: blocked or failed parts of a page."""
    entries = browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium leaves it bare
    return [str(entry["message"]) for entry in entries]


def wait_for(browser: Chrome, css: str) -> None:
    """Wait until a page that was asked for by a click has come, known by one of its elements."""
    # While one page gives way to the next, the driver may answer with any of its errors.
    wait = WebDriverWait(browser, LOAD_SECONDS, 0.1, ignored_exceptions=(WebDriverException,))
    wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, css).is_displayed())

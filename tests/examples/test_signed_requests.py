"""The examples sign requests as the service wants them: Python, shell and Java, to the byte."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seal_service.plumbing.request_signing import RequestToSign, sign_request
from tests.architecture.tree import PROJECT

EXAMPLES = PROJECT / "examples"
CALLER, NONCE, CREATED = "demo", "n-0001", 1_795_492_800
SECRET = bytes(range(32))
KEY, BODY = "case-0001", b'{"case_number": "YQ-2026-000001"}'
URL = "http://127.0.0.1:8765/v1/licences"

EXPECTED = sign_request(
    RequestToSign(
        method="POST",
        path="/v1/licences",
        query="",
        headers={"content-type": "application/json", "idempotency-key": KEY},
        body=BODY,
    ),
    caller_id=CALLER,
    secret=SECRET,
    created=datetime.fromtimestamp(CREATED, UTC),
    nonce=NONCE,
)
LINES = {f"{name}: {value}" for name, value in EXPECTED.items()}


def _run_shell(*arguments: str, key: str = KEY) -> str:
    """Run the shell example with ``echo`` in the place of curl."""
    settings = {"CALLER": CALLER, "SECRET_HEX": SECRET.hex(), "KEY": key, "CURL": "echo"}
    settings |= {"CREATED": str(CREATED), "NONCE": NONCE}
    done = subprocess.run(
        [str(EXAMPLES / "call.sh"), *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_shell_example_signs_a_body(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(BODY)
    printed = _run_shell("POST", URL, str(body))
    assert [line for line in LINES if line not in printed] == []


def test_the_shell_example_signs_a_query() -> None:
    printed = _run_shell("GET", f"{URL}?state=in_force", key="")
    expected = sign_request(
        RequestToSign(
            method="GET", path="/v1/licences", query="state=in_force", headers={}, body=b""
        ),
        caller_id=CALLER,
        secret=SECRET,
        created=datetime.fromtimestamp(CREATED, UTC),
        nonce=NONCE,
    )
    assert [name for name, value in expected.items() if f"{name}: {value}" not in printed] == []


def test_the_python_example_signs_alike() -> None:
    program = (
        "import call; caller = call.Caller('demo', bytes(range(32)));"
        "headers = {'content-type': 'application/json', 'idempotency-key': 'case-0001'};"
        f"request = call.Request('POST', {URL!r}, headers, {BODY!r});"
        f"print(call.signature_headers(caller, request, {CREATED}, {NONCE!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=EXAMPLES, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str({name.lower(): value for name, value in EXPECTED.items()})


@pytest.mark.skipif(shutil.which("javac") is None, reason="no Java compiler here")
def test_the_java_example_signs_alike() -> None:
    done = subprocess.run(
        ["java", str(EXAMPLES / "SignedRequest.java")], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.strip().splitlines()) == LINES


def test_the_page_shows_the_same_values() -> None:
    page = (PROJECT / "docs" / "api.md").read_text("utf-8")
    assert [line for line in LINES if line not in page] == []
    assert SECRET.hex() in page


def test_the_page_names_every_call() -> None:
    page = (PROJECT / "docs" / "api.md").read_text("utf-8")
    calls = re.findall(r"^\| `(GET|POST) (/v1/[^`]+)`", page, re.MULTILINE)
    assert len(calls) >= 9

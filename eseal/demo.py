"""The demo: set up, issue every example over HTTP, verify both files of each, tell the result.

It talks to the service as an approval system does: another process, signed requests, the public
page. Run again, it gets the same licences, because a case is issued once.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from eseal.errors import DemoFailed
from eseal.installation import make_installation
from eseal.main import build_service
from eseal.server import free_port, is_free, server_beside
from eseal.settings import PROJECT, Settings
from eseal.trial import CallerAccess, ensure_caller, ensure_seal
from licence_store.model import IssuingAuthority
from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.request_signing import RequestSigner

EXAMPLES = PROJECT / "examples" / "approval-results"
FORMATS = {"ofd": "application/ofd", "pdf": "application/pdf"}
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demo tells of one licence."""

    title: str
    identifier: str
    qr_url: str
    files: dict[str, Path]
    verdicts: dict[str, dict[str, object]]


class Demo:
    """One run of the demo in a data folder."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = _with_free_port(settings, console)
        self._console = console
        self._folder = settings.data_folder / "demo"
        self._bodies = [
            json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("*.json"))
        ]

    def run(self, *, keep_running: bool = False) -> None:
        """Do all of it; raises ``DemoFailed`` where something is not as it must be."""
        accesses = self._prepare()
        with self._step("starting the service"):
            beside = server_beside(self._settings, self._folder / "server.log")
            process = beside.__enter__()
        try:
            started = time.monotonic()
            for body in self._bodies:
                self._tell(self._issue(body, accesses[body["issuing_authority"]["code"]]))
            took = time.monotonic() - started
            self._console.print(
                f"\n{len(self._bodies)} licences issued, sealed twice and verified over HTTP "
                f"in {took:.1f} s"
            )
            if keep_running:
                self._console.print(
                    f"\nThe service runs at [bold]{self._settings.public_url()}[/bold] "
                    "(Ctrl-C stops it)"
                )
                process.wait()
        except KeyboardInterrupt:
            self._console.print("stopping")
        finally:
            beside.__exit__(None, None, None)

    def _prepare(self) -> dict[str, CallerAccess]:
        """Make keys, certificates, database, seals and callers, as far as they are missing."""
        with self._step("keys, certificates and database"):
            installation = make_installation(self._settings, SystemClock().now())
        with self._step("seals and callers"):
            service = build_service(installation)
            authorities = {
                body["issuing_authority"]["code"]: body["issuing_authority"]["name"]
                for body in self._bodies
            }
            accesses = {}
            for code, name in authorities.items():
                ensure_seal(service, IssuingAuthority(code=code, name=name))
                accesses[code] = ensure_caller(service, code, self._folder)
        installation.database.close()
        return accesses

    @contextmanager
    def _step(self, words: str) -> Iterator[None]:
        with self._console.status(f"{words} ..."):
            started = time.monotonic()
            yield
        self._console.print(f"[green]done[/green] {words} ({time.monotonic() - started:.1f} s)")

    def _issue(self, body: dict[str, object], access: CallerAccess) -> Shown:
        """Issue one licence, fetch its files, verify them, look at its public page."""
        signer = RequestSigner(access.caller_id, access.secret)
        base = f"http://{self._settings.host}:{self._settings.port}"
        with httpx.Client(base_url=base, timeout=SECONDS, trust_env=False, auth=signer) as client:
            key = f"demo-{body['case_number']}"
            answer = client.post("/v1/licences", json=body, headers={"Idempotency-Key": key})
            licence = _expect(answer, httpx.codes.CREATED)
            identifier = str(licence["identifier"])
            files, verdicts = {}, {}
            for form, media_type in FORMATS.items():
                url = f"/v1/licences/{identifier}/files/{form}"
                content = _content(client.get(url), httpx.codes.OK)
                files[form] = self._folder / f"{identifier}.{form}"
                files[form].write_bytes(content)
                verdicts[form] = _expect(
                    client.post(
                        "/v1/verifications", content=content, headers={"Content-Type": media_type}
                    ),
                    httpx.codes.OK,
                )
            page = client.get(httpx.URL(str(licence["qr_url"])).raw_path.decode(), auth=None)
            _content(page, httpx.codes.OK)
        shown = Shown(
            title=f"{licence['licence_type_name']}  {_holder_name(licence)}",
            identifier=identifier,
            qr_url=str(licence["qr_url"]),
            files=files,
            verdicts=verdicts,
        )
        _check(shown)
        return shown

    def _tell(self, shown: Shown) -> None:
        """Print one licence; lines are not folded, so that paths and links can be copied."""
        lines = [("identifier", shown.identifier)]
        for form, path in shown.files.items():
            verdict = shown.verdicts[form]
            words = (
                f"{verdict['verdict']}; authentic 真伪: {_yes(verdict['authentic'])}; "
                f"in force 效力: {_yes(verdict['in_force'])}"
            )
            lines += [(form.upper(), str(path)), ("", f"[green]{words}[/green]")]
        lines.append(("QR link", shown.qr_url))
        self._console.print(f"\n[bold]{shown.title}[/bold]", soft_wrap=True)
        for name, value in lines:
            self._console.print(f"  [dim]{name:<10}[/dim]  {value}", soft_wrap=True)


def _with_free_port(settings: Settings, console: Console) -> Settings:
    if is_free(settings.host, settings.port):
        return settings
    port = free_port(settings.host)
    console.print(f"port {settings.port} is in use; taking {port}")
    return settings.model_copy(update={"port": port})


def _holder_name(licence: dict[str, object]) -> str:
    holder = licence["holder"]
    return str(holder["name"]) if isinstance(holder, dict) else ""


def _yes(value: object) -> str:
    if value is None:
        return "unknown"
    return "yes" if value is True else "no"


def _content(answer: httpx.Response, status: int) -> bytes:
    if answer.status_code != status:
        raise DemoFailed(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} "
            f"{answer.text[:500]}"
        )
    return answer.content


def _expect(answer: httpx.Response, status: int) -> dict[str, object]:
    found = json.loads(_content(answer, status))
    if not isinstance(found, dict):
        raise DemoFailed(f"{answer.request.url.path}: not an object")
    return found


def _check(shown: Shown) -> None:
    for form, verdict in shown.verdicts.items():
        answers = (verdict["verdict"], verdict["authentic"], verdict["in_force"])
        if answers != ("valid", True, True):
            raise DemoFailed(f"{shown.identifier} {form}: {answers}")

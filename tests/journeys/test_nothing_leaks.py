"""Canaries: values planted where secrets and personal data are must turn up in no log or refusal.

Each kind is led through what goes right and through every way to fail, down to a crash whose own
message holds the canary.
"""

import base64
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from eseal.installation import CALLER_SECRET
from eseal.main import INDEX_SECRET
from licence_store.codes import HolderCodeType
from licence_store.model import Holder
from licence_store.office import LicenceOffice
from seal_service.plumbing.request_signing import RequestSigner
from tests.journeys.service import Body, Running, issue, make_body
from tests.support.licences import AUTHORITY, business_face, make_uscc

pytestmark = pytest.mark.journey

HOLDER = Holder(
    name="金陵云栖金丝雀茶点有限公司", code=make_uscc(7719), code_type=HolderCodeType.USCC
)
PERSONAL = {
    "name": HOLDER.name,
    "code": HOLDER.code,
    "legal_representative": "金丝雀代表",
    "domicile": "金陵市云栖区金丝雀路 7719 号",
    "purpose": "金丝雀用途办理食品经营许可",
    "reason": "金丝雀原因提交虚假材料",
}
SETTLE_SECONDS = 0.2
OF_THE_TEST = ("uvicorn.access", "httpx", "httpcore.connection", "httpcore.http11")
"""Loggers of the client, and one that is switched off in service."""


@dataclass
class Overheard:
    """Everything the service said to its log and in refusals."""

    errors: pytest.CaptureFixture[str]
    records: pytest.LogCaptureFixture
    refusals: list[str] = field(default_factory=list)

    def hear(self, answer: httpx.Response, *statuses: int) -> httpx.Response:
        """Note an answer that must have one of these statuses; keep it when it is a refusal."""
        assert answer.status_code in statuses, answer.text
        if answer.status_code >= 400:
            self.refusals.append(answer.text + str(answer.headers))
        return answer

    def log(self) -> str:
        """Return the events, escapes resolved, and what libraries told their loggers; once."""
        # An answer is sent before its last event is written.
        time.sleep(SETTLE_SECONDS)
        written = self.errors.readouterr().err
        told = [record for record in self.records.records if record.name not in OF_THE_TEST]
        return "\n".join(
            [written, *(str(json.loads(line)) for line in written.splitlines())]
            + [record.getMessage() for record in told]
        )

    def leaks(self, canaries: dict[str, str], log: str) -> dict[str, str]:
        """Return the canaries that were said, with where."""
        said = {"log": log, "refusal": "\n".join(self.refusals)}
        return {
            f"{name} in {place}": canary
            for name, canary in canaries.items()
            for place, words in said.items()
            if canary in words
        }


@pytest.fixture
def overheard(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Overheard:
    """Listen to the log of events and to every logger of every library."""
    caplog.set_level(logging.DEBUG)
    capsys.readouterr()
    return Overheard(errors=capsys, records=caplog)


def _body(case_number: str) -> Body:
    face = {
        **business_face(HOLDER),
        "legal_representative": PERSONAL["legal_representative"],
        "domicile": PERSONAL["domicile"],
    }
    return make_body(case_number, holder=HOLDER, face_data=face)


def _secrets(running: Running, secret: bytes, codes: Sequence[str]) -> dict[str, str]:
    store = running.service.installation.store
    raw = {
        "caller": secret,
        "index": store.service_secret(INDEX_SECRET),
        "callers": store.service_secret(CALLER_SECRET),
    }
    written = {
        f"{name} {form}": write(value)
        for name, value in raw.items()
        for form, write in (
            ("hex", bytes.hex),
            ("base64", lambda value: base64.b64encode(value).decode()),
            ("repr", lambda value: repr(value)[2:-1]),
        )
    }
    passphrase = running.kit.settings.passphrase_path().read_text().strip()
    return written | {"pass-phrase": passphrase} | {f"code {code[:4]}": code for code in codes}


def _use_and_misuse(running: Running, overheard: Overheard) -> list[str]:
    """Go through the life of a licence and all that is refused; return the codes it had."""
    hear = overheard.hear
    with running.client() as client:
        licence = hear(issue(client, _body("YQ-CANARY-1")), 201).json()
        url = f"/v1/licences/{licence['identifier']}"
        wish = {
            "holder_code": HOLDER.code,
            "holder_code_type": "001",
            "purpose": PERSONAL["purpose"],
        }
        shown = hear(client.post(f"{url}/presentations", json=wish), 201).json()
        redemption = {
            "code": shown["code"],
            "service_item_code": "11320102MB9K00021D4320131005000",
            "case_number": "YQ-CANARY-2",
        }
        hear(client.post("/v1/redemptions", json=redemption), 200)
        hear(client.post("/v1/redemptions", json=redemption), 403, 404, 409)
        ofd = hear(client.get(f"{url}/files/ofd"), 200).content
        document = {"Content-Type": "application/ofd"}
        hear(client.post("/v1/verifications", content=ofd, headers=document), 200)
        hear(client.post("/v1/verifications", content=ofd[:-9], headers=document), 200, 422)
        hear(client.get(urlsplit(licence["qr_url"]).path, auth=None), 200)
        _misuse(client, overheard, url, wish)
        order = {"kind": "revoked", "reason": PERSONAL["reason"], "basis_document": "决定 9 号"}
        hear(client.post(f"{url}/revocation", json=order), 200)
        hear(client.post(f"{url}/revocation", json={**order, "kind": "withdrawn"}), 409)
    return [shown["code"], urlsplit(licence["qr_url"]).path.removeprefix("/q/")]


def _misuse(client: httpx.Client, overheard: Overheard, url: str, wish: dict[str, str]) -> None:
    hear = overheard.hear
    body = _body("YQ-CANARY-1")
    hear(issue(client, {**body, "area_code": "320103"}), 409)
    hear(issue(client, {**_body("YQ-CANARY-3"), "valid_until": HOLDER.name}), 422)
    hear(issue(client, {**_body("YQ-CANARY-3"), "holder": HOLDER.name}), 422)
    hear(issue(client, {**_body("YQ-CANARY-3"), "unknown": HOLDER.code}), 422)
    holder = {"name": HOLDER.name + "\u202e", "code": HOLDER.code[:-1] + "I", "code_type": "001"}
    hear(issue(client, {**_body("YQ-CANARY-3"), "holder": holder}), 422)
    long_face = {**business_face(HOLDER), "domicile": PERSONAL["domicile"] * 40}
    hear(issue(client, {**_body("YQ-CANARY-3"), "face_data": long_face}), 422)
    hear(
        client.post(f"{url}/presentations", json={**wish, "holder_code": make_uscc(7718)}), 403, 422
    )
    hear(client.get("/v1/licences", params={"case_number": HOLDER.name * 20}), 422)
    hear(client.get(f"/v1/licences/{HOLDER.code}"), 404, 422)
    hear(client.get(f"/q/{HOLDER.code}", auth=None), 404)


def test_neither_secrets_nor_personal_data_are_told(service: Running, overheard: Overheard) -> None:
    """T-API-30, T-WEB-11: through a whole life of a licence and everything that is refused."""
    secret = service.kit.accesses[AUTHORITY.code].secret
    codes = _use_and_misuse(service, overheard)
    with service.client(signer=RequestSigner("nobody", secret)) as client:
        overheard.hear(issue(client, _body("YQ-CANARY-4")), 401)
    log = overheard.log()
    assert "request_served" in log
    assert len(overheard.refusals) > 8
    assert overheard.leaks(PERSONAL | _secrets(service, secret, codes), log) == {}


def _fail_in_python(*_: object) -> None:
    raise RuntimeError(f"cannot handle {HOLDER.name} {HOLDER.code}")


def _fail_in_the_database(office: LicenceOffice, *_: object) -> None:
    with office._database.transaction() as connection:
        connection.execute(text("SELECT :name FROM nowhere"), {"name": HOLDER.name + HOLDER.code})


@pytest.mark.parametrize("fail", [_fail_in_python, _fail_in_the_database])
def test_a_crash_tells_nothing_of_what_it_choked_on(
    service: Running,
    overheard: Overheard,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[..., None],
) -> None:
    """T-API-30, T-API-31: the message of an exception reaches neither log nor caller."""
    monkeypatch.setattr(LicenceOffice, "show", fail)
    with service.client() as client:
        answer = overheard.hear(client.get("/v1/licences/1.2.156.3005.2.x"), 500, 503)
    # SQLite counts a table that is missing among its operational errors.
    assert answer.json()["code"] in ("internal", "storage-unavailable")
    log = overheard.log()
    assert "request_crashed" in log or "storage_unavailable" in log
    assert overheard.leaks(PERSONAL, log) == {}

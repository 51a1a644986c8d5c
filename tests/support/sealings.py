"""A sealing desk over HTTP for tests, without a socket: any tenant, any scopes by header."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import FastAPI, Header

from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.database import Database
from seal_service.plumbing.limits import RequestGuard
from seal_service.plumbing.problems import install
from seal_service.sealings.api import SealingRoutes, build_router
from seal_service.sealings.desk import DeskParts, SealingDesk
from tests.support.asgi import AppClient
from tests.support.register import TENANT, SealScene, grant

BOUNDARY = "form-boundary"


def _require(scope: str) -> Callable[..., Caller]:
    def caller(
        who: Annotated[str, Header()] = "approval",
        tenant: Annotated[str, Header()] = TENANT,
        scopes: Annotated[str, Header()] = "seals:use",
    ) -> Caller:
        if scope not in scopes.split():
            raise ScopeMissing
        return Caller(caller_id=who, authority_code=tenant, scopes=frozenset(scopes.split()))

    return caller


def make_form(parts: Mapping[str, bytes]) -> bytes:
    """Spell a multipart form."""
    body = b""
    for name, content in parts.items():
        body += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        ).encode()
        body += content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


class SealingClient:
    """One seal, mandated for documents, and a desk that uses it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.scene = SealScene(database)
        grant(database, self.scene.seal, licence_type_code="document")
        self.blobs = FolderBlobs(folder / "blobs")
        self.desk = SealingDesk(
            DeskParts(
                database=database,
                blobs=self.blobs,
                sealer=self.scene.sealer,
                clock=self.scene.clock,
                randomness=lambda size: (next(self._numbers)).to_bytes(size, "big"),
            )
        )
        self._numbers = iter(range(1, 1000))
        app = FastAPI()
        install(app)
        app.include_router(build_router(SealingRoutes(desk=self.desk, require=_require)))
        self.http = AppClient(RequestGuard(app))

    def order(self, **changes: object) -> dict[str, object]:
        """Return an order for a point on the first page."""
        return {
            "seal_id": self.scene.seal.seal_id,
            "case_number": "YQ-2026-000004",
            "mode": "lock",
            "placements": [{"kind": "point", "x_mm": 150, "y_mm": 240}],
            **changes,
        }

    def post_json(self, body: object, /, **headers: str) -> httpx.Response:
        """Post a JSON body."""
        return self.http.post("/v1/sealings", json=body, headers=_with_key(headers))

    def post_form(
        self, order: object, document: bytes, /, more: Mapping[str, bytes] | None = None
    ) -> httpx.Response:
        """Post a form."""
        parts = {"order": json.dumps(order).encode(), "document": document, **(more or {})}
        return self.post_raw(make_form(parts), f"multipart/form-data; boundary={BOUNDARY}")

    def post_raw(self, body: bytes, content_type: str, /, **headers: str) -> httpx.Response:
        """Post any bytes."""
        return self.http.request(
            "POST",
            "/v1/sealings",
            content=body,
            headers={"content-type": content_type, **_with_key(headers)},
        )


def _with_key(headers: Mapping[str, str]) -> dict[str, str]:
    return {"idempotency-key": "key-00000001", **headers}

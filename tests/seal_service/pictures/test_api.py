"""Seal pictures over HTTP: previews, uploads, tenants, and a seal made of a scan."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header
from PIL import Image

from seal_service.errors import InvalidSealOrder, ScopeMissing, SealPictureNotFound
from seal_service.pictures.api import SCOPE_APPLY, SCOPE_READ, PictureRoutes, build_router
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.plumbing.limits import Limits, RequestGuard
from seal_service.plumbing.problems import install
from seal_service.seals.design import SealDesign, SealShape
from seal_service.seals.model import Seal, SealApplication, SealFace, SealKind
from seal_service.seals.preview import PictureDesk, SealPainter
from tests.golden.seal_faces import FONTS
from tests.seal_service.test_bureau import MAKING, STEP, Scene
from tests.support.asgi import AppClient
from tests.support.impressions import INK, scan
from tests.support.register import OTHER_TENANT, TENANT, make_application

pytestmark = pytest.mark.skipif(
    not FONTS.text.path.exists(), reason="no fonts: run scripts/setup-fonts"
)

FACE = {"kind": "business", "name": "金陵市云栖区青溪新材料公司", "line_below": "发票专用章"}
OVAL = {"shape": "oval", "height_mm": 30.0, "code": "91320102MA1K00017X"}
SIZE = {"width_mm": 42, "height_mm": 42}


def _require(scope: str) -> Callable[..., Caller]:
    def caller(
        tenant: Annotated[str, Header()] = TENANT,
        scopes: Annotated[str, Header()] = f"{SCOPE_APPLY} {SCOPE_READ}",
    ) -> Caller:
        if scope not in scopes.split():
            raise ScopeMissing
        return Caller(caller_id="applicant", authority_code=tenant, scopes=frozenset())

    return caller


class Client:
    """Speaks for one tenant at a time."""

    def __init__(self, database: Database) -> None:
        self.scene = Scene(database)
        self.desk = PictureDesk(SealPainter(database, FONTS), database, self.scene.clock)
        app = FastAPI()
        install(app)
        app.include_router(build_router(PictureRoutes(desk=self.desk, require=_require)))
        limits = Limits(upload_paths=("/v1/seal-pictures",))
        self._client = AppClient(RequestGuard(app, limits))

    def preview(self, **changes: object) -> httpx.Response:
        return self._client.post("/v1/seal-pictures/previews", json={**FACE, **changes})

    def upload(self, picture: bytes, size: object = SIZE, **headers: str) -> httpx.Response:
        form: dict[str, tuple[str | None, bytes | str, str]] = {
            "size": (None, json.dumps(size), "application/json"),
            "picture": ("scan.jpg", picture, "image/jpeg"),
        }
        request = httpx.Request("POST", "http://test", files=form)
        return self._client.request(
            "POST",
            "/v1/seal-pictures",
            content=request.read(),
            headers={"content-type": request.headers["content-type"], **headers},
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._client.get(f"/v1{path}", headers=headers)


@pytest.fixture
def client(database: Database) -> Client:
    return Client(database)


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        return image.convert("RGBA")


def scan_application(digest: str, side: float = 42.0) -> SealApplication:
    design = SealDesign(shape=SealShape.SCAN, picture_sha256=digest)
    face = SealFace(name="金陵市云栖区行政审批局", diameter_mm=side, design=design)
    return make_application(kind=SealKind.OFFICIAL, face=face)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (661, 661)),
        ({"diameter_mm": 40.0, "design": OVAL}, (630, 472)),
        ({"diameter_mm": 24.0, "design": {"shape": "block"}}, (378, 378)),
        (
            {
                "kind": "personal",
                "name": "王建国印",
                "line_below": "",
                "diameter_mm": 20.0,
                "design": {"shape": "name", "lettering": "intaglio"},
            },
            (315, 315),
        ),
    ],
)
def test_a_preview_shows_the_seal_in_its_physical_size(
    client: Client, changes: dict[str, object], size: tuple[int, int]
) -> None:
    shown = picture(client.preview(**changes))
    assert shown.size == pytest.approx(size, abs=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"design": OVAL, "diameter_mm": 20.0}, "diameter_mm"),
        ({"kind": "licence", "design": OVAL, "diameter_mm": 40.0}, "shape"),
        ({"design": {"shape": "round", "centre": "national"}}, "centre"),
        ({"body_kind": "local-government"}, "diameter_mm"),
        ({"body_kind": "department-or-unit", "diameter_mm": 46.0}, "diameter_mm"),
    ],
)
def test_a_preview_that_nobody_may_apply_for_is_refused(
    client: Client, changes: dict[str, object], field: str
) -> None:
    answer = client.preview(**changes)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-seal-order"
    assert field in answer.text


def test_a_preview_is_what_making_draws(client: Client) -> None:
    """T-API-10."""
    painter = client.desk.painter
    face = SealFace(name="金陵市云栖区行政审批局", line_below="电子证照专用章")
    seal = client.scene.approved(face=face)
    before = client.get(f"/seals/{seal.seal_id}/picture")
    assert before.content == painter.paint(TENANT, face).data
    made = client.scene.bureau.make(TENANT, seal.seal_id, MAKING).made
    assert made is not None
    assert client.get(f"/seals/{seal.seal_id}/picture").content == made.picture_png


def test_a_scan_is_cleaned_kept_and_shown(client: Client) -> None:
    answer = client.upload(scan())
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["width_mm"], body["height_mm"], body["dpi"]) == (42.0, 42.0, 400)
    shown = client.get(f"/seal-pictures/{body['picture_sha256']}")
    assert hashlib.sha256(shown.content).hexdigest() == body["picture_sha256"]
    assert picture(shown).size == (661, 661)
    assert client.upload(scan()).json() == body


def test_a_seal_is_made_of_exactly_the_scan_that_was_approved(client: Client) -> None:
    """T-API-10."""
    digest = client.upload(scan()).json()["picture_sha256"]
    seal = _approved(client.scene, scan_application(digest))
    made = client.scene.bureau.make(TENANT, seal.seal_id, MAKING).made
    assert made is not None
    assert hashlib.sha256(made.picture_png).hexdigest() == digest
    assert (made.width_mm, made.height_mm) == (42, 42)


def _approved(scene: Scene, application: SealApplication) -> Seal:
    seal = scene.bureau.apply(application, applicant="applicant", basis_document="申请表")
    return scene.bureau.approve(TENANT, seal.seal_id, STEP, seal.application.digest)


def test_a_scan_is_not_stretched_to_another_size(client: Client) -> None:
    digest = client.upload(scan()).json()["picture_sha256"]
    with pytest.raises(InvalidSealOrder):
        client.scene.bureau.apply(
            scan_application(digest, 40.0), applicant="applicant", basis_document="申请表"
        )


def test_pictures_of_another_tenant_are_not_there(client: Client) -> None:
    """T-API-06."""
    digest = client.upload(scan()).json()["picture_sha256"]
    assert client.get(f"/seal-pictures/{digest}", tenant=OTHER_TENANT).status_code == 404
    foreign = replace(scan_application(digest), authority_code=OTHER_TENANT)
    with pytest.raises(SealPictureNotFound):
        client.scene.bureau.apply(foreign, applicant="applicant", basis_document="申请表")
    seal = client.scene.approved()
    assert client.get(f"/seals/{seal.seal_id}/picture", tenant=OTHER_TENANT).status_code == 404


@pytest.mark.parametrize(
    ("data", "size", "status", "code"),
    [
        (b"GIF89a", SIZE, 422, "unsafe-picture"),
        (b"", SIZE, 422, "unsafe-picture"),
        (None, {"width_mm": 60, "height_mm": 60}, 422, "scan-refused"),
        (None, {"width_mm": 42}, 422, None),
        (None, {"width_mm": 42, "height_mm": 900}, 422, None),
        (None, {"width_mm": 42, "height_mm": 42, "dpi": 300}, 422, None),
        (None, "42", 422, None),
    ],
)
def test_uploads_that_make_no_seal_are_refused(
    client: Client, data: bytes | None, size: object, status: int, code: str | None
) -> None:
    """T-SES-35, T-API-16."""
    answer = client.upload(scan() if data is None else data, size)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


def test_a_blue_stamp_is_told_apart_in_words(client: Client) -> None:
    answer = client.upload(scan(ink=INK[::-1]))
    assert answer.status_code == 422
    assert "红色" in answer.text


@pytest.mark.parametrize("path", ["/seals/x/picture", f"/seal-pictures/{'0' * 64}"])
def test_looking_demands_the_scope_of_reading(client: Client, path: str) -> None:
    """T-API-08."""
    assert client.get(path, scopes=SCOPE_APPLY).status_code == 403
    assert client.get(path).status_code == 404


def test_uploading_demands_the_scope_of_applying(client: Client) -> None:
    """T-API-08."""
    assert client.upload(scan(), scopes=SCOPE_READ).status_code == 403

"""The composition root: settings to objects to application. The only place that knows all packages.

Nothing imports this but the command line. Every object gets what it works with handed in; no
package looks upward (ADR 0001).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

import licence_store.api
import seal_service.api
import verifier.api
from eseal.administration.building import build_service_desk, build_service_router
from eseal.administration.desk import ServiceDesk
from eseal.authority_web import build_authority_router
from eseal.health import build_health_router
from eseal.installation import CALLER_SECRET, Installation
from eseal.maintenance import Maintenance
from eseal.metrics import build_metrics_router
from eseal.outside import build_outside
from eseal.receipt_source import ReceiptKeys, build_receipt_desk
from eseal.seal_side import (
    build_bureau,
    build_painter,
    build_request_desk,
    build_sealer,
    build_sealing_desk,
    build_statement_signer,
)
from eseal.settings import Environment, Settings
from eseal.trust_source import TrustSource
from keys.pki_making import LOG_KEY
from keys.responder import Responder
from licence_store.desk import DeskParts, PresentationDesk
from licence_store.office import LicenceOffice, OfficeParts
from licence_store.rendering.face import FaceRenderer
from licence_store.rendering.manifest import load_templates
from licence_store.sealing_adapter import LicenceSealingAdapter
from licence_store.settings import LicenceSettings
from seal_service.decisions import api as decisions_api
from seal_service.pictures import api as pictures_api
from seal_service.plumbing.auth import Authenticator, Caller
from seal_service.plumbing.bounded import BoundedPool, default_plan
from seal_service.plumbing.clock import Clock, SystemClock
from seal_service.plumbing.limits import Limits, RequestGuard
from seal_service.plumbing.problems import install
from seal_service.plumbing.rates import RateLimiter, limit_address
from seal_service.plumbing.secret_box import SecretBox
from seal_service.sealing import Sealer
from seal_service.sealings import api as sealings_api
from seal_service.sealings.desk import SealingDesk
from seal_service.seals import rehearsal
from seal_service.seals.bureau import SealBureau
from seal_service.seals.preview import PictureDesk
from seal_service.seals.request_desk import RequestDesk
from seal_service.seals.statements import StatementSigner
from seal_service.settings import SealSettings
from seal_service.translog.log import LogSigner
from verifier.bounded_judging import PRELOAD
from verifier.comparison.api import ComparisonRoutes, build_comparison_router
from verifier.comparison.desk import ComparisonDesk, ComparisonParts
from verifier.evidence import Verification, VerificationParts
from verifier.receipts.desk import ReceiptDesk
from verifier.web import WebParts, build_problem_writer, build_web_router

INDEX_SECRET = "licence-index"  # noqa: S105 - the name of a secret


class Part(StrEnum):
    """The parts of the service that can be run alone (``eseal serve --only``)."""

    LICENCES = "licences"
    SEAL_MAKING = "seal-making"
    """The register: applications, decisions, making, mandates, pictures, status."""
    SEALING = "sealing"
    """Seals on documents of callers."""
    VERIFIER = "verifier"
    AUTHORITY = "authority"
    ADMINISTRATION = "administration"


ALL_PARTS = frozenset(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Every object of a running installation."""

    settings: Settings
    installation: Installation
    clock: Clock
    box: SecretBox
    office: LicenceOffice
    desk: PresentationDesk
    sealer: Sealer
    sealing_desk: SealingDesk
    service_desk: ServiceDesk
    bureau: SealBureau
    pictures: PictureDesk
    requests: RequestDesk
    """Where one person asks and another confirms."""
    statement_signer: Callable[[], StatementSigner]
    verification: Verification
    maintenance: Maintenance
    renderer: FaceRenderer
    pool: BoundedPool
    """Where hostile bytes are worked on; its processes start with the first of them."""
    comparison: ComparisonDesk
    receipts: ReceiptDesk


def build_service(installation: Installation, clock: Clock | None = None) -> Service:
    """Build the objects of an opened installation."""
    settings = installation.settings
    clock = clock or SystemClock()
    renderer = FaceRenderer(templates=settings.templates_folder, fonts=settings.fonts_folder)
    sealer = build_sealer(installation, clock)
    pool = BoundedPool(default_plan((*PRELOAD, *rehearsal.PRELOAD)))
    verification = build_verification(installation, clock, pool)
    office = _build_office(installation, clock, renderer, sealer, verification)
    requests = build_request_desk(installation, clock)
    service_desk = build_service_desk(installation, clock)
    return Service(
        settings=settings,
        installation=installation,
        clock=clock,
        box=SecretBox(installation.store.service_secret(CALLER_SECRET)),
        office=office,
        desk=_build_desk(installation, clock),
        sealer=sealer,
        sealing_desk=build_sealing_desk(installation, clock, sealer, pool),
        service_desk=service_desk,
        bureau=build_bureau(installation, clock),
        pictures=PictureDesk(build_painter(installation), installation.database, clock),
        requests=requests,
        statement_signer=lambda: build_statement_signer(installation),
        verification=verification,
        maintenance=_build_maintenance(
            installation, clock, (office, sealer, requests, service_desk)
        ),
        renderer=renderer,
        pool=pool,
        comparison=_build_comparison(installation, pool),
        receipts=build_receipt_desk(
            ReceiptKeys(installation.pki, installation.store, clock),
            verification,
            clock,
            settings.fonts_folder,
        ),
    )


def _build_office(
    installation: Installation,
    clock: Clock,
    renderer: FaceRenderer,
    sealer: Sealer,
    verification: Verification,
) -> LicenceOffice:
    return LicenceOffice(
        OfficeParts(
            database=installation.database,
            blobs=installation.blobs,
            renderer=renderer,
            sealer=LicenceSealingAdapter(sealer),
            check_release=verification.check_release,
            clock=clock,
            randomness=secrets.token_bytes,
            pause=time.sleep,
            index_secret=installation.store.service_secret(INDEX_SECRET),
            settings=_licence_settings(installation.settings),
        )
    )


def _build_desk(installation: Installation, clock: Clock) -> PresentationDesk:
    return PresentationDesk(
        DeskParts(
            database=installation.database,
            blobs=installation.blobs,
            clock=clock,
            randomness=secrets.token_bytes,
            index_secret=installation.store.service_secret(INDEX_SECRET),
        )
    )


def _licence_settings(settings: Settings) -> LicenceSettings:
    return LicenceSettings(
        public_url=settings.public_url(),
        test_mode=settings.environment is not Environment.PRODUCTION,
    )


def build_verification(
    installation: Installation, clock: Clock, pool: BoundedPool | None = None
) -> Verification:
    """Build the verifier over an installation; without ``pool`` it judges in this process."""
    settings = installation.settings
    return Verification(
        VerificationParts(
            database=installation.database,
            blobs=installation.blobs,
            clock=clock,
            material=TrustSource(installation.pki, build_outside(installation, clock)).material,
            is_test=settings.environment is not Environment.PRODUCTION,
            pool=pool,
        )
    )


def _build_comparison(installation: Installation, pool: BoundedPool) -> ComparisonDesk:
    settings = installation.settings
    templates = load_templates(settings.templates_folder)

    def face_labels(licence_type_code: str) -> dict[str, str]:
        template = templates.get(licence_type_code)
        return {} if template is None else {one.name: one.label for one in template.fields}

    return ComparisonDesk(
        ComparisonParts(
            database=installation.database,
            blobs=installation.blobs,
            pool=pool,
            fonts=settings.fonts_folder.resolve(),
            face_labels=face_labels,
        )
    )


def _build_maintenance(
    installation: Installation,
    clock: Clock,
    desks: tuple[LicenceOffice, Sealer, RequestDesk, ServiceDesk],
) -> Maintenance:
    office, sealer, requests, service_desk = desks
    store = installation.store
    signer = LogSigner(
        origin=SealSettings().log_origin,
        public_key=store.public_key(LOG_KEY),
        sign=lambda message: store.sign_with(LOG_KEY, message),
    )
    return Maintenance(
        database=installation.database,
        clock=clock,
        office=office,
        sealer=sealer,
        requests=requests,
        service_desk=service_desk,
        log_signer=signer,
        pki=installation.pki,
        outside=build_outside(installation, clock),
    )


# The application


def build_app(service: Service, parts: frozenset[Part] = ALL_PARTS) -> ASGIApp:
    """Build what the server runs: the API behind the gate every request passes."""
    write_problem = build_problem_writer(service.clock, service.settings.public_url())
    return RequestGuard(build_api(service, parts), _limits(service.settings), write_problem)


def build_api(service: Service, parts: frozenset[Part] = ALL_PARTS) -> FastAPI:
    """Build the routes of these parts."""
    app = FastAPI(
        title="eseal", version="1", docs_url=None, redoc_url=None, openapi_url=None, debug=False
    )
    install(app)
    installation = service.installation
    app.include_router(build_health_router(installation.store, installation.database))
    if service.settings.metrics:
        app.include_router(build_metrics_router(installation, service.clock))
    require = _authenticator(service).require
    if Part.LICENCES in parts:
        app.include_router(_licence_router(service, require))
    if Part.SEAL_MAKING in parts:
        _include_register(app, service, require)
    if Part.SEALING in parts:
        sealings = sealings_api.SealingRoutes(desk=service.sealing_desk, require=require)
        app.include_router(sealings_api.build_router(sealings))
    if Part.VERIFIER in parts:
        _include_verifier(app, service, require)
    if Part.AUTHORITY in parts:
        app.include_router(_authority_router(service))
    if Part.ADMINISTRATION in parts:
        app.include_router(build_service_router(installation, service.service_desk, require))
    return app


def _limits(settings: Settings) -> Limits:
    return Limits(
        body=settings.body_limit_bytes,
        upload=settings.upload_limit_bytes + Limits().upload % (1024 * 1024),
        upload_paths=(
            "/v1/seal-pictures",
            "/v1/sealings",
            "/v1/verifications",
            "/v1/comparisons",
            "/v1/page-pictures",
            "/verify",
        ),
    )


def _authenticator(service: Service) -> Authenticator:
    return Authenticator(
        database=service.installation.database,
        clock=service.clock,
        box=service.box,
        decoy_key=secrets.token_bytes(32),
    )


Require = Callable[[str], Callable[..., Caller]]


def _licence_router(service: Service, require: Require) -> APIRouter:
    return licence_store.api.build_router(
        licence_store.api.LicenceRoutes(
            office=service.office, desk=service.desk, clock=service.clock, require=require
        )
    )


def _include_register(app: FastAPI, service: Service, require: Require) -> None:
    routes = seal_service.api.SealRoutes(
        bureau=service.bureau,
        require=require,
        signer=service.statement_signer,
        admit_public=limit_address(RateLimiter(per_minute=120, burst=60)),
    )
    app.include_router(seal_service.api.build_router(routes))
    decisions = decisions_api.DecisionRoutes(
        desk=service.requests, bureau=service.bureau, require=require
    )
    app.include_router(decisions_api.build_router(decisions))
    pictures = pictures_api.PictureRoutes(desk=service.pictures, require=require)
    app.include_router(pictures_api.build_router(pictures))


def _include_verifier(app: FastAPI, service: Service, require: Require) -> None:
    verification = service.verification
    app.include_router(
        verifier.api.build_router(
            verifier.api.VerificationRoutes(
                judge=verification.judge_upload,
                judge_given=verification.judge_given,
                issue_receipt=service.receipts.issue,
                require=require,
            )
        )
    )
    comparison = service.comparison
    app.include_router(
        build_comparison_router(
            ComparisonRoutes(
                compare=comparison.compare, picture=comparison.picture, require=require
            )
        )
    )
    app.include_router(
        build_web_router(
            WebParts(
                judge_code=verification.judge_code,
                judge_upload=verification.judge_upload,
                compare=comparison.compare_for_public,
                clock=service.clock,
                public_url=service.settings.public_url(),
                admit_lookup=limit_address(RateLimiter(per_minute=120, burst=60)),
                admit_upload=limit_address(RateLimiter(per_minute=20, burst=10)),
            )
        )
    )


def _authority_router(service: Service) -> APIRouter:
    installation = service.installation
    responder = Responder(installation.pki, installation.store.sign_with, service.clock)
    return build_authority_router(
        responder,
        signing=RateLimiter(per_minute=120, burst=60),
        reading=RateLimiter(per_minute=240, burst=120),
    )

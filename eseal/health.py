"""What a supervisor may ask without an account."""

from fastapi import APIRouter, Response

from keys.signers import Signer
from seal_service.plumbing.database import Database


def build_health_router(store: Signer, database: Database) -> APIRouter:
    """Build ``GET /healthz``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    def show_health() -> Response:
        """Answer 200 while keys and database answer, 503 otherwise."""
        health = store.health()
        with database.reading():
            status = 200 if health.is_ready else 503
        return Response(status_code=status)

    return router

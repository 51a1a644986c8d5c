"""The verification API: ``POST /v1/verifications`` takes a file and answers the verdict.

The file is the raw body, or the ``document`` part of a form. It is judged in memory and forgotten:
nothing is stored, neither the file nor the verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header

from seal_service.errors import DocumentTooLarge, UnsupportedFormat
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import problem_responses
from verifier.schemas import VerificationAnswer
from verifier.uploads import LARGEST_DOCUMENT, UploadMissing, UploadUnreadable, read_upload
from verifier.verdict import Verdict
from verifier.wire import verdict_to_json

SCOPE_VERIFY = "verifications:create"
FORM = "multipart/form-data"
RAW_TYPES = frozenset({"application/ofd", "application/pdf", "application/octet-stream"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRoutes:
    """What the route works with; ``require`` makes the dependency that demands a scope."""

    judge: Callable[[bytes], Verdict]
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: VerificationRoutes) -> APIRouter:
    """Build the route of the verifier."""
    router = APIRouter(prefix="/v1", tags=["verifications"])

    @router.post(
        "/verifications",
        operation_id="post_verification",
        summary="Verify an OFD or PDF file",
        responses=problem_responses(
            UploadUnreadable, UploadMissing, DocumentTooLarge, UnsupportedFormat
        ),
    )
    def post_verification(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_VERIFY))],
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    ) -> VerificationAnswer:
        """Answer 200 with the verdict, whatever it is."""
        del caller
        verdict = parts.judge(read_document(content_type, body))
        return VerificationAnswer.model_validate(verdict_to_json(verdict))

    return router


def read_document(content_type: str, body: bytes) -> bytes:
    """Return the bytes of the file in a request.

    Raises ``UnsupportedFormat`` for another media type, ``UploadMissing`` for an empty body,
    ``DocumentTooLarge``, or ``UploadUnreadable`` for a form that is none.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == FORM:
        return read_upload(content_type, body)
    if media_type not in RAW_TYPES:
        raise UnsupportedFormat("not a media type of documents", media_type=media_type[:80])
    if not body:
        raise UploadMissing
    if len(body) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(largest=LARGEST_DOCUMENT)
    return body

"""The verification API: ``POST /v1/verifications`` takes a file and answers the verdict.

The file is the raw body, or the ``document`` part of a form. A form may bring ``evidence`` too:
anchors, revocation data, a policy, an instant, for callers with that scope; then these are judged
against, and our own library is not asked. ``POST /v1/verifications/receipts`` takes the same and
answers a receipt that the verifier signed. Everything is done in memory and forgotten: nothing is
stored, neither the file nor the verdict, and nothing is fetched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Response

from keys.errors import KeyStoreUnavailable, ServiceError
from seal_service.errors import (
    DocumentTooLarge,
    LimitExceeded,
    ScopeMissing,
    SelfCheckFailed,
    TSAUnavailable,
    UnsupportedFormat,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.errors import WorkersBusy
from seal_service.plumbing.problems import problem_responses
from verifier.given_evidence import EvidenceRefused, GivenEvidence
from verifier.policy import PolicyRefused
from verifier.receipts.model import ReceiptForm, ReceiptUnavailable
from verifier.schemas import VerificationAnswer, describe_request, read_evidence_part
from verifier.uploads import (
    LARGEST_DOCUMENT,
    RAW_TYPES,
    UploadMissing,
    UploadUnreadable,
    read_upload,
    read_upload_with_evidence,
)
from verifier.verdict import Verdict
from verifier.wire import verdict_to_json

SCOPE_VERIFY = "verifications:create"
SCOPE_EVIDENCE = "verifications:evidence"
FORM = "multipart/form-data"
_REFUSALS: tuple[type[ServiceError], ...] = (
    UploadUnreadable,
    UploadMissing,
    DocumentTooLarge,
    UnsupportedFormat,
    EvidenceRefused,
    PolicyRefused,
    LimitExceeded,
    WorkersBusy,
)
_RECEIPT_REFUSALS: tuple[type[ServiceError], ...] = (
    ReceiptUnavailable,
    SelfCheckFailed,
    TSAUnavailable,
    KeyStoreUnavailable,
)
RECEIPT_TYPES = {ReceiptForm.PDF: "application/pdf", ReceiptForm.JSON: "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRoutes:
    """What the route works with; ``require`` makes the dependency that demands a scope."""

    judge: Callable[[bytes], Verdict]
    """Judge a file by our own library and trust."""
    judge_given: Callable[[bytes, GivenEvidence], Verdict]
    """Judge a file against evidence given, and nothing of ours."""
    issue_receipt: Callable[[ReceiptForm, Verdict, bytes], bytes]
    """Sign a receipt of the verdict on a file."""
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: VerificationRoutes) -> APIRouter:
    """Build the routes of the verifier."""
    router = APIRouter(prefix="/v1", tags=["verifications"])
    _add_verification(router, parts)
    _add_receipt(router, parts)
    return router


def _add_verification(router: APIRouter, parts: VerificationRoutes) -> None:
    @router.post(
        "/verifications",
        operation_id="post_verification",
        summary="Verify an OFD or PDF file",
        openapi_extra={"requestBody": describe_request()},
        responses=problem_responses(*_REFUSALS),
    )
    def post_verification(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_VERIFY))],
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    ) -> VerificationAnswer:
        """Answer 200 with the verdict, whatever it is."""
        document, given = read_verification(content_type, body)
        verdict = _judge(parts, caller, document, given)
        return VerificationAnswer.model_validate(verdict_to_json(verdict))


def _add_receipt(router: APIRouter, parts: VerificationRoutes) -> None:
    @router.post(
        "/verifications/receipts",
        operation_id="post_verification_receipt",
        summary="Verify a file and answer a signed receipt",
        response_class=Response,
        openapi_extra={"requestBody": describe_request()},
        responses={
            **problem_responses(*_REFUSALS, *_RECEIPT_REFUSALS),
            200: {
                "description": "The receipt, signed by the verifier.",
                "content": {
                    media_type: {"schema": {"type": "string", "format": "binary"}}
                    for media_type in RECEIPT_TYPES.values()
                },
            },
        },
    )
    def post_verification_receipt(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_VERIFY))],
        form: Annotated[ReceiptForm, Query(alias="format", description="`pdf` or `json`.")],
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    ) -> Response:
        """Answer 200 with the receipt, whatever the verdict."""
        document, given = read_verification(content_type, body)
        verdict = _judge(parts, caller, document, given)
        return Response(
            parts.issue_receipt(form, verdict, document), media_type=RECEIPT_TYPES[form]
        )


def _judge(
    parts: VerificationRoutes, caller: Caller, document: bytes, given: GivenEvidence | None
) -> Verdict:
    """Judge by our own library, or against evidence given where the caller may give any."""
    if given is None:
        return parts.judge(document)
    if SCOPE_EVIDENCE not in caller.scopes:
        raise ScopeMissing(scope=SCOPE_EVIDENCE)
    return parts.judge_given(document, given)


def read_verification(content_type: str, body: bytes) -> tuple[bytes, GivenEvidence | None]:
    """Return the file of a request, and the evidence a form may bring with it.

    Raises as ``read_document`` does, and ``MalformedRequest`` or ``InvalidFields`` for evidence.
    """
    if _media_type(content_type) != FORM:
        return read_document(content_type, body), None
    document, evidence = read_upload_with_evidence(content_type, body)
    return document, None if evidence is None else read_evidence_part(evidence)


def read_document(content_type: str, body: bytes) -> bytes:
    """Return the bytes of the file in a request.

    Raises ``UnsupportedFormat`` for another media type, ``UploadMissing`` for an empty body,
    ``DocumentTooLarge``, or ``UploadUnreadable`` for a form that is none.
    """
    media_type = _media_type(content_type)
    if media_type == FORM:
        return read_upload(content_type, body)
    if media_type not in RAW_TYPES:
        raise UnsupportedFormat("not a media type of documents", media_type=media_type[:80])
    if not body:
        raise UploadMissing
    if len(body) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(largest=LARGEST_DOCUMENT)
    return body


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()

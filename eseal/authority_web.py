"""Our authorities over HTTP, in the standard binary forms; no account is needed.

| address                       | form                                                        |
|-------------------------------|-------------------------------------------------------------|
| POST /pki/ocsp                | application/ocsp-request -> application/ocsp-response       |
| GET /pki/ocsp/{base64}        | the same, the request in the path (RFC 6960, A.1)           |
| POST /pki/tsa/{algorithm}     | application/timestamp-query -> application/timestamp-reply  |
| GET /pki/{name}.crl           | application/pkix-crl                                        |
| GET /pki/{name}.cer           | application/pkix-cert                                       |

Programs that ask here read no problem documents: what cannot be answered in the standard's own
words has an empty body and a status.
"""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from keys.algorithms import KeyAlgorithm
from keys.responder import Responder
from seal_service.errors import RateLimited
from seal_service.plumbing.auth import BODY
from seal_service.plumbing.rates import RateLimiter, address_key

OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
TSA_REQUEST, TSA_RESPONSE = "application/timestamp-query", "application/timestamp-reply"
FILE_SECONDS = 300
"""How long a list or certificate may be kept by whoever fetched it."""
_ALGORITHMS = {str(algorithm): algorithm for algorithm in KeyAlgorithm}


def build_authority_router(
    responder: Responder, signing: RateLimiter, reading: RateLimiter
) -> APIRouter:
    """Build the routes; ``signing`` bounds answers that cost a signature, ``reading`` files."""
    router = APIRouter(include_in_schema=False)

    @router.post("/pki/ocsp")
    def post_status(request: Request) -> Response:
        """Answer a status request."""
        return _answer(request, signing, OCSP_REQUEST, OCSP_RESPONSE, responder.answer_status)

    @router.get("/pki/ocsp/{encoded:path}")
    def get_status(encoded: str, request: Request) -> Response:
        """Answer a status request in the path."""
        refusal = _count(request, signing)
        if refusal is not None:
            return refusal
        return Response(responder.answer_status_path(encoded), media_type=OCSP_RESPONSE)

    @router.post("/pki/tsa/{algorithm}")
    def post_timestamp(algorithm: str, request: Request) -> Response:
        """Answer a time-stamp request."""
        known = _ALGORITHMS.get(algorithm)
        if known is None:
            return Response(status_code=404)
        return _answer(
            request,
            signing,
            TSA_REQUEST,
            TSA_RESPONSE,
            lambda body: responder.answer_timestamp(known, body),
        )

    _add_files(router, responder, reading)
    return router


def _add_files(router: APIRouter, responder: Responder, reading: RateLimiter) -> None:
    @router.get("/pki/{name}.crl")
    def get_crl(name: str, request: Request) -> Response:
        """Answer the revocation list of one of our authorities."""
        return _file(request, reading, responder.list_of(name), "application/pkix-crl")

    @router.get("/pki/{name}.cer")
    def get_certificate(name: str, request: Request) -> Response:
        """Answer the certificate of one of our authorities."""
        return _file(request, reading, responder.certificate_of(name), "application/pkix-cert")


def _count(request: Request, limiter: RateLimiter) -> Response | None:
    """Count a request; return the refusal where there were too many."""
    try:
        limiter.take(address_key(request))
    except RateLimited as error:
        wait = str(error.params.get("retry_after", 1))
        return Response(status_code=429, headers={"retry-after": wait})
    return None


def _answer(
    request: Request,
    limiter: RateLimiter,
    asked: str,
    answered: str,
    answer: Callable[[bytes], bytes],
) -> Response:
    refusal = _count(request, limiter)
    if refusal is not None:
        return refusal
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != asked:
        return Response(status_code=415)
    return Response(answer(request.scope.get(BODY, b"")), media_type=answered)


def _file(request: Request, limiter: RateLimiter, data: bytes | None, media_type: str) -> Response:
    refusal = _count(request, limiter)
    if refusal is not None:
        return refusal
    if data is None:
        return Response(status_code=404)
    return Response(
        data, media_type=media_type, headers={"cache-control": f"public, max-age={FILE_SECONDS}"}
    )

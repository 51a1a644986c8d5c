"""Errors as problem documents (RFC 9457): the only place that knows HTTP status codes.

Every refusal has the same shape: ``type``, ``title`` (fixed per code), ``status``, ``detail``,
``instance`` (the request id), ``code``, ``advice``, and where fields are at fault ``errors``.
An error whose ``errors`` attribute is a sequence of objects with ``pointer`` (RFC 6901), ``detail``
and ``code`` has its faults listed, whatever its class. Nothing unexpected is told: an exception
nobody translated becomes the code ``internal`` and goes, with its trace, to the log (T-API-31).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from secrets import token_hex
from typing import Protocol, runtime_checkable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from keys.errors import Kind, ServiceError
from seal_service.errors import CallerUnknown, RateLimited, ScopeMissing, StorageUnavailable
from seal_service.plumbing.errors import (
    EncodingRefused,
    InvalidFields,
    MalformedRequest,
    MethodNotAllowed,
    RequestTooLarge,
    RouteNotFound,
)
from seal_service.plumbing.faults import list_faults
from seal_service.plumbing.logging import log_crash, log_fact

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "eseal.request_id"
"""Key of the ASGI scope under which the request id is kept."""

STATUS = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NOT_ALLOWED: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.INVALID: 422,
    Kind.LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
}
_RETRY_AFTER_SECONDS = 5
_COMMON = (
    MalformedRequest,
    CallerUnknown,
    ScopeMissing,
    RequestTooLarge,
    EncodingRefused,
    InvalidFields,
    RateLimited,
    ServiceError,
    StorageUnavailable,
)
"""What every route under ``/v1`` may answer."""


class ProblemFault(BaseModel):
    """One faulty field."""

    model_config = ConfigDict(extra="forbid")

    pointer: str = Field(
        description="RFC 6901 pointer into the body, or '' for a parameter.",
        examples=["/holder/code"],
    )
    detail: str = Field(description="What is wrong, for people.", examples=["校验位不符"])
    code: str = Field(description="What is wrong, for programs.", examples=["invalid"])


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="Address of the page about this code.", examples=["/problems/licence-not-found"]
    )
    title: str = Field(description="Fixed words per code, Chinese.", examples=["未找到该证照"])
    status: int = Field(description="The HTTP status again.", examples=[404])
    detail: str = Field(description="What happened this time.", examples=["未找到该证照"])
    instance: str = Field(
        description="The request id.", examples=["5f0c6a4b9d1e4c0f8a7b6c5d4e3f2a1b"]
    )
    code: str = Field(description="Stable code for programs.", examples=["licence-not-found"])
    advice: str = Field(description="What to do next, Chinese.", examples=["请核对电子证照标识。"])
    params: dict[str, str | int | float | bool] | None = Field(
        default=None, description="Facts of this case.", examples=[{"limit": 1048576}]
    )
    errors: list[ProblemFault] | None = Field(
        default=None,
        description="The faulty fields, all of them.",
        examples=[[{"pointer": "/holder/code", "detail": "校验位不符", "code": "invalid"}]],
    )


@runtime_checkable
class _HasFaults(Protocol):
    errors: Sequence["_Fault"]


class _Fault(Protocol):
    @property
    def pointer(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def code(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemAnswer:
    """A problem document ready to be sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request_id(scope: Scope) -> str:
    """Return the id of this request, making one when no middleware did."""
    found = scope.setdefault(REQUEST_ID, token_hex(16))
    return str(found)


def status_of(error: ServiceError | type[ServiceError]) -> int:
    """Return the HTTP status an error is answered with."""
    return STATUS[error.kind]


def to_problem(error: ServiceError, instance: str) -> ProblemAnswer:
    """Make the problem document of an error."""
    status = status_of(error)
    is_internal = error.kind is Kind.INTERNAL
    document: dict[str, object] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status,
        "detail": (not is_internal and error.detail) or error.title,
        "instance": instance,
        "code": error.code,
        "advice": error.advice,
    }
    if error.params and not is_internal:
        document["params"] = dict(error.params)
    if isinstance(error, _HasFaults):
        document["errors"] = [
            {"pointer": fault.pointer, "detail": fault.detail, "code": fault.code}
            for fault in error.errors
        ]
    # A lone surrogate a caller sent cannot be written as UTF-8; its escape is the same JSON.
    body = dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    return ProblemAnswer(status=status, headers=_headers(error), body=body)


def _headers(error: ServiceError) -> dict[str, str]:
    headers = {"content-type": MEDIA_TYPE, "cache-control": "no-store"}
    if error.kind in (Kind.UNAVAILABLE, Kind.LIMITED):
        headers["retry-after"] = str(error.params.get("retry_after", _RETRY_AFTER_SECONDS))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Signature"
    return headers


def problem_responses(*classes: type[ServiceError]) -> dict[int | str, dict[str, object]]:
    """Describe, for ``responses=`` of a route, what it may refuse besides what every route may."""
    by_status: dict[int, list[type[ServiceError]]] = {}
    for each in (*_COMMON, *classes):
        known = by_status.setdefault(status_of(each), [])
        if each not in known:
            known.append(each)
    return {
        status: {
            "description": "; ".join(f"`{each.code}` {each.title}" for each in answered),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, answered in sorted(by_status.items())
    }


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document, and describe that in its OpenAPI."""
    app.add_exception_handler(ServiceError, _answer_service_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(Exception, _answer_crash)
    describe = app.openapi

    def openapi() -> dict[str, object]:
        schema = describe()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(problem.pop("$defs"))
        components["Problem"] = problem
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend it


def problem_response(error: ServiceError, scope: Scope) -> Response:
    """Make the response to an error, and log it."""
    answer = to_problem(error, request_id(scope))
    log_fact("request_refused", code=error.code, status=answer.status)
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))


def _answer_service_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ServiceError):
        raise error
    if error.kind is Kind.INTERNAL:
        log_crash("request_failed", error, request_id=request_id(request.scope))
    return problem_response(error, request.scope)


def _answer_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        return problem_response(MalformedRequest("JSON 语法有误", reason="syntax"), request.scope)
    return problem_response(InvalidFields(list_faults(found)), request.scope)


def _answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: unknown addresses, methods, broken forms."""
    if not isinstance(error, HTTPException):
        raise error
    by_status: dict[int, ServiceError] = {
        404: RouteNotFound(),
        405: MethodNotAllowed(),
        413: RequestTooLarge(),
    }
    refusal = by_status.get(error.status_code) or MalformedRequest()
    response = problem_response(refusal, request.scope)
    allowed = (error.headers or {}).get("Allow")
    if allowed:
        response.headers["allow"] = allowed
    return response


def _answer_crash(request: Request, error: Exception) -> Response:
    log_crash("request_crashed", error, request_id=request_id(request.scope))
    return problem_response(ServiceError(), request.scope)

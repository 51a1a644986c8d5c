"""The gate every HTTP request passes before any route: sizes, encodings, headers, strict JSON.

For each request, in this order:

1. It gets an id, which its log lines, its answer and its problem document carry.
2. The body is not larger than its route may take. Bytes are counted as they arrive, so neither
   chunks nor a wrong Content-Length get past (T-API-18); slow bodies end.
3. Method, path and query are acceptable: a known method, no control characters in the path, no
   NUL, no parameter given twice. The body is not compressed.
4. JSON is read strictly (``strict_json``) before the framework reads it leniently (T-API-14..17).
5. The whole body is put into the scope, where ``auth`` finds the bytes the caller signed.
6. Every answer carries the security headers; there are no CORS headers at all (T-API-32).

An exception nobody translated ends here as the code ``internal``, with nothing told (T-API-31).
Forwarded headers and method overrides are not read (T-API-05, T-API-33).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from time import perf_counter
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keys.errors import ServiceError
from seal_service.plumbing.auth import BODY
from seal_service.plumbing.errors import (
    EncodingRefused,
    MalformedRequest,
    MethodNotAllowed,
    RequestTooLarge,
)
from seal_service.plumbing.logging import bind_request, log_crash, log_fact
from seal_service.plumbing.problems import REQUEST_ID, problem_response
from seal_service.plumbing.strict_json import read_json

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
MOST_PARAMETERS = 100
_FORM = "application/x-www-form-urlencoded"
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
"""Set unless the route said otherwise: a page has a content policy of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a request may bring. Sizes in bytes, times in seconds."""

    body: int = 1024 * 1024
    upload: int = 20 * 1024 * 1024 + 64 * 1024
    """For a whole request to an upload path, the wrapping of its form included."""
    upload_paths: tuple[str, ...] = ()
    """Paths, and all below them, that take documents."""
    body_seconds: float = 60

    def for_path(self, path: str) -> int:
        """Return the most bytes a request to this path may have."""
        takes_documents = any(
            path == each or path.startswith(f"{each}/") for each in self.upload_paths
        )
        return self.upload if takes_documents else self.body


class _Disconnected(Exception):
    """The caller went away before its body was complete."""


class RequestGuard:
    """ASGI middleware: wrap the whole application in it.

    ``write_problem`` writes the answer to what is refused here: public pages answer with a page.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits | None = None,
        write_problem: Callable[[ServiceError, Scope], Response] = problem_response,
    ) -> None:
        self._app = app
        self._limits = limits or Limits()
        self._write_problem = write_problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = token_hex(16)
        scope[REQUEST_ID] = request_id
        bind_request(request_id)
        answer = _Answer(send, request_id, self._write_problem)
        started = perf_counter()
        try:
            body = await self._admit(scope, receive)
            scope[BODY] = body
            await self._app(scope, _replay(body, receive), answer.send)
        except _Disconnected:
            return
        except ServiceError as error:
            await answer.refuse(error, scope, receive)
        except Exception as error:  # noqa: BLE001 - the edge: nothing of it may reach the caller
            log_crash("request_crashed", error)
            await answer.refuse(ServiceError(), scope, receive)
        log_fact(
            "request_served",
            method=scope["method"] if scope["method"] in METHODS else "other",
            route=_route(scope),
            status=answer.status,
            milliseconds=round((perf_counter() - started) * 1000, 1),
        )

    async def _admit(self, scope: Scope, receive: Receive) -> bytes:
        """Do steps 2 to 4; return the body."""
        headers = Headers(scope=scope)
        limit = self._limits.for_path(scope["path"])
        _check_declared_length(headers, limit)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await _read_body(receive, limit)
        except TimeoutError:
            raise MalformedRequest("请求内容接收超时", reason="slow-body") from None
        # Not earlier: an answer sent while the body is on its way is lost when we hang up.
        _check_target(scope)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise EncodingRefused(header="Content-Encoding")
        if body:
            _check_content(headers.get("content-type", ""), body)
        return body


class _Answer:
    """Sends an answer with the headers that every answer has."""

    def __init__(
        self,
        send: Send,
        request_id: str,
        write_problem: Callable[[ServiceError, Scope], Response],
    ) -> None:
        self._send = send
        self._request_id = request_id
        self._write_problem = write_problem
        self.status = 0

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one gets the headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self._request_id
        await self._send(message)

    async def refuse(self, error: ServiceError, scope: Scope, receive: Receive) -> None:
        """Answer with the problem, unless an answer has begun already."""
        if self.status == 0:
            response = self._write_problem(error, scope)
            # What is left of the body is not read, so the connection cannot serve another request.
            response.headers["connection"] = "close"
            await response(scope, receive, self.send)


def _check_target(scope: Scope) -> None:
    if scope["method"] not in METHODS:
        raise MethodNotAllowed
    if not _CONTROLS.isdisjoint(scope["path"]):
        # A line break at the end is invisible to the patterns of routes: one page, two addresses.
        raise MalformedRequest("地址中含有控制字符", reason="control-character")
    _check_parameters(scope["query_string"], "查询参数")


def _check_parameters(encoded: bytes, what: str) -> None:
    """Refuse a name given twice, NUL, and text that is not UTF-8 (T-API-14, T-API-15)."""
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise MalformedRequest(f"{what}无法读取", reason="parameters") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedRequest(f"{what}重复", reason="duplicate-parameter")
    if any("\x00" in text for pair in pairs for text in pair):
        raise MalformedRequest(f"{what}含有空字符", reason="nul")


def _check_declared_length(headers: Headers, limit: int) -> None:
    declared = headers.get("content-length")
    if declared is None:
        return
    if "transfer-encoding" in headers:
        # A gateway in front may count by the other one, and see another request behind (T-API-20).
        raise MalformedRequest(reason="two-lengths")
    if not (declared.isascii() and declared.isdigit()) or len(declared) > 18:
        raise MalformedRequest(reason="content-length")
    if int(declared) > limit:
        raise RequestTooLarge(limit=limit)


async def _read_body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise RequestTooLarge(limit=limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _check_content(content_type: str, body: bytes) -> None:
    kind, _, parameters = content_type.lower().partition(";")
    # Wider than the framework's own test, so that nothing it reads as JSON is left unread here.
    if "json" in content_type.lower():
        charset = parameters.replace('"', "").replace(" ", "")
        if "charset=" in charset and "charset=utf-8" not in charset:
            raise EncodingRefused(header="Content-Type")
        read_json(body)
    elif kind.strip() == _FORM:
        _check_parameters(body, "表单字段")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body to the application once, then whatever else the connection says."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _route(scope: Scope) -> str:
    """Return the pattern of the route, never the path: that may hold a token or an identifier."""
    return str(getattr(scope.get("route"), "path", ""))

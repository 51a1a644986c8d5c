"""A signed HTTP client for an ASGI application, without a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from seal_service.plumbing.request_signing import RequestSigner


@dataclass(frozen=True)
class SignedClient:
    """Sends one request at a time, signed when it has a signer."""

    app: ASGIApp
    signer: RequestSigner | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request and return the whole answer."""
        return self.send_prepared(self.prepare(method, url, content=content, headers=headers))

    def prepare(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """Make a request and sign it, for a test to change before it is sent."""
        request = httpx.Request(method, f"http://test{url}", content=content, headers=headers)
        if self.signer is not None:
            next(self.signer.sync_auth_flow(request))
        return request

    def send_prepared(self, request: httpx.Request) -> httpx.Response:
        """Send a request as it is."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.send(request)

        return asyncio.run(send())


async def in_chunks(chunk: bytes, times: int) -> AsyncIterator[bytes]:
    """Yield a chunk again and again: a body without a Content-Length."""
    for _ in range(times):
        yield chunk

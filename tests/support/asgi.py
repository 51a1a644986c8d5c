"""A synchronous HTTP client for an ASGI application, without a socket."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp


@dataclass(frozen=True)
class AppClient:
    """Sends one request at a time to an application in this process."""

    app: ASGIApp

    def request(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        """Send a request and return the whole answer."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(
                    method, url, json=json, content=content, headers=headers, params=params
                )

        return asyncio.run(send())

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", url, headers=headers, params=params)

    def post(
        self, url: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a POST with a JSON body."""
        return self.request("POST", url, json=json, headers=headers)

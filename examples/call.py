"""Call the API with a signed request; Python 3.9 or newer, nothing to install.

    python examples/call.py --caller demo --secret-file secret.hex \
        --idempotency-key case-0001 --body approval-result.json POST http://127.0.0.1:8765/v1/licences

The secret is 32 bytes in hexadecimal. What is signed, and why, is in docs/api.md.
"""

import argparse
import base64
import hashlib
import hmac
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

COVERED = ("content-type", "idempotency-key")


class Caller(NamedTuple):
    """Who calls, with which secret."""

    name: str
    secret: bytes


class Request(NamedTuple):
    """What is sent; ``headers`` holds those of ``COVERED`` that the request has."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def signature_headers(caller: Caller, request: Request, created: int, nonce: str) -> dict[str, str]:
    """Return the three headers that sign a request; the nonce must be new every time."""
    address = urllib.parse.urlsplit(request.url)
    digest = base64.b64encode(hashlib.new("sm3", request.body).digest()).decode()
    lines = [
        ("@method", request.method),
        ("@path", address.path or "/"),
        ("@query", "?" + address.query),
        ("content-digest", f"sm3=:{digest}:"),
    ]
    lines += [(name, request.headers[name]) for name in COVERED if name in request.headers]
    names = " ".join(f'"{name}"' for name, _ in lines)
    signed = f'({names});created={created};nonce="{nonce}";keyid="{caller.name}";alg="hmac-sm3"'
    lines.append(("@signature-params", signed))
    base = "\n".join(f'"{name}": {value}' for name, value in lines)
    value = base64.b64encode(hmac.new(caller.secret, base.encode(), "sm3").digest()).decode()
    return {
        "content-digest": f"sm3=:{digest}:",
        "signature-input": f"sig1={signed}",
        "signature": f"sig1=:{value}:",
    }


def main() -> None:
    """Send one request and print the answer."""
    parser = argparse.ArgumentParser(description="Call the API with a signed request.")
    parser.add_argument("--caller", required=True)
    parser.add_argument("--secret-file", required=True, type=Path)
    parser.add_argument("--body", type=Path, help="file with the JSON body")
    parser.add_argument("--idempotency-key", help="one per approval result; repeat it on a retry")
    parser.add_argument("method")
    parser.add_argument("url")
    options = parser.parse_args()
    caller = Caller(options.caller, bytes.fromhex(options.secret_file.read_text().strip()))
    body = options.body.read_bytes() if options.body else b""
    headers = {"content-type": "application/json"} if body else {}
    if options.idempotency_key:
        headers["idempotency-key"] = options.idempotency_key
    request = Request(options.method, options.url, headers, body)
    headers |= signature_headers(caller, request, int(time.time()), secrets.token_urlsafe(18))
    try:
        with urllib.request.urlopen(  # noqa: S310 - the address is the user's own
            urllib.request.Request(  # noqa: S310
                request.url, data=body or None, headers=headers, method=request.method
            )
        ) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refusal:
        sys.stdout.buffer.write(refusal.read())
        sys.exit(f"\n{refusal.code}")


if __name__ == "__main__":
    main()

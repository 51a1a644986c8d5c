"""Signed requests in the shape of RFC 9421, with HMAC-SM3 (GB/T 15852.2) as the algorithm.

What is signed, one line each: ``@method``, ``@path`` and ``@query`` as they stand in the request
line (so the signature does not depend on the host name a gateway uses), ``content-digest`` (SM3 of
the body, also of an empty one), and ``content-type`` and ``idempotency-key`` whenever the request
has them; last the parameters ``created``, ``nonce``, ``keyid`` and ``alg``.

    Content-Digest: sm3=:<base64>:
    Signature-Input: sig1=("@method" "@path" "@query" "content-digest");created=1795492800;
        nonce="...";keyid="approval";alg="hmac-sm3"
    Signature: sig1=:<base64>:

The reader takes this form and no other. Whether the parameters are acceptable, the nonce new and
the key right is decided in ``auth``.
"""

import base64
import hmac
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe

import httpx

from keys.algorithms import sm3
from seal_service.plumbing.clock import Clock, SystemClock

ALGORITHM = "hmac-sm3"
ALWAYS_COVERED = ("@method", "@path", "@query", "content-digest")
COVERED_IF_PRESENT = ("content-type", "idempotency-key")
NONCE_BYTES = 18

_BASE64 = r"[A-Za-z0-9+/]{43}="
_INPUT = re.compile(
    r'(?P<label>[a-z][a-z0-9]{0,15})=(?P<signed>\((?P<components>"[@a-z-]+"(?: "[@a-z-]+"){0,15})\)'
    r"(?P<parameters>(?:;[a-z]+=(?:[0-9]{1,12}|\"[A-Za-z0-9._-]{1,64}\")){1,8}))"
)
_SIGNATURE = re.compile(rf"(?P<label>[a-z][a-z0-9]{{0,15}})=:(?P<value>{_BASE64}):")
_DIGEST = re.compile(rf"sm3=:(?P<value>{_BASE64}):")
_PARAMETERS = frozenset({"created", "nonce", "keyid", "alg"})


def hmac_sm3(key: bytes, message: bytes) -> bytes:
    """Return the 32-byte HMAC-SM3 of a message."""
    return hmac.digest(key, message, "sm3")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestToSign:
    """The parts of a request that a signature speaks of.

    ``path`` and ``query`` are as in the request line, not decoded; ``query`` without its question
    mark. ``headers`` has lower-case names. All are text as HTTP carries it: one character a byte.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def covered(self) -> tuple[str, ...]:
        """Name the components a signature of this request must cover, in their order."""
        return ALWAYS_COVERED + tuple(
            name for name in COVERED_IF_PRESENT if self.headers.get(name) is not None
        )

    def base(self, signed_parameters: str) -> bytes:
        """Return the signature base (RFC 9421, 2.5)."""
        derived = {
            "@method": self.method,
            "@path": self.path or "/",
            "@query": f"?{self.query}",
            "content-digest": content_digest(self.body),
        }
        lines = [
            f'"{name}": {derived[name] if name in derived else self.headers[name]}'
            for name in self.covered()
        ]
        lines.append(f'"@signature-params": {signed_parameters}')
        return "\n".join(lines).encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureClaim:
    """What the signature headers of a request say; nothing of it is proven yet."""

    caller_id: str
    created: int
    nonce: str
    signed_parameters: str
    value: bytes


def content_digest(body: bytes) -> str:
    """Return the value of the Content-Digest header for a body."""
    return f"sm3=:{base64.b64encode(sm3(body)).decode()}:"


def sign_request(
    request: RequestToSign, *, caller_id: str, secret: bytes, created: datetime, nonce: str
) -> dict[str, str]:
    """Return the three headers that sign a request; ``nonce`` must be new for every request."""
    components = " ".join(f'"{name}"' for name in request.covered())
    signed = (
        f"({components});created={int(created.timestamp())}"
        f';nonce="{nonce}";keyid="{caller_id}";alg="{ALGORITHM}"'
    )
    value = base64.b64encode(hmac_sm3(secret, request.base(signed))).decode()
    return {
        "Content-Digest": content_digest(request.body),
        "Signature-Input": f"sig1={signed}",
        "Signature": f"sig1=:{value}:",
    }


def read_claim(request: RequestToSign) -> SignatureClaim | None:
    """Read the signature headers; None when anything about them is not exactly as it must be.

    Checked here: form, the algorithm's name (T-API-04), that all components are covered in their
    order (T-API-02), and that Content-Digest is the digest of the body that arrived.
    """
    headers = request.headers
    claimed = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    digest = _DIGEST.fullmatch(headers.get("content-digest", ""))
    if claimed is None or signature is None or digest is None:
        return None
    parameters = _read_parameters(claimed["parameters"])
    components = tuple(part.strip('"') for part in claimed["components"].split(" "))
    is_acceptable = (
        claimed["label"] == signature["label"]
        and components == request.covered()
        and parameters.keys() == _PARAMETERS
        and parameters["alg"] == f'"{ALGORITHM}"'
        and not parameters["created"].startswith('"')
        and parameters["nonce"].startswith('"')
        and parameters["keyid"].startswith('"')
        and _decode(digest["value"]) == sm3(request.body)
    )
    if not is_acceptable:
        return None
    return SignatureClaim(
        caller_id=parameters["keyid"].strip('"'),
        created=int(parameters["created"]),
        nonce=parameters["nonce"].strip('"'),
        signed_parameters=claimed["signed"],
        value=_decode(signature["value"]),
    )


def _read_parameters(text: str) -> dict[str, str]:
    """Split ``;name=value`` pairs; a name given twice makes the result unacceptable."""
    parts = (part.partition("=") for part in text.split(";")[1:])
    pairs = [(name, value) for name, _, value in parts]
    read = dict(pairs)
    return read if len(read) == len(pairs) else {}


def _decode(text: str) -> bytes:
    value = base64.b64decode(text, validate=True)
    # Two texts may decode to the same bytes when unused bits are set; only one is ours.
    return value if base64.b64encode(value).decode() == text else b""


class RequestSigner(httpx.Auth):
    """Signs the requests of an HTTP client: ``httpx.Client(auth=RequestSigner(...))``."""

    requires_request_body = True

    def __init__(
        self,
        caller_id: str,
        secret: bytes,
        *,
        clock: Clock | None = None,
        make_nonce: Callable[[], str] = lambda: token_urlsafe(NONCE_BYTES),
    ) -> None:
        self._caller_id = caller_id
        self._secret = secret
        self._clock = clock or SystemClock()
        self._make_nonce = make_nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the signature headers on a request."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        parts = RequestToSign(
            method=request.method,
            path=path,
            query=query,
            headers={
                name: request.headers[name]
                for name in COVERED_IF_PRESENT
                if name in request.headers
            },
            body=request.content,
        )
        request.headers.update(
            sign_request(
                parts,
                caller_id=self._caller_id,
                secret=self._secret,
                created=self._clock.now(),
                nonce=self._make_nonce(),
            )
        )
        yield request

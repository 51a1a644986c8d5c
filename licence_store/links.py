"""The public link behind a licence's printed QR code: short, opaque, versioned.

``<public address>/q/1<22 characters>``: the characters are 16 secret bytes in base64url. They hold
nothing about the licence and cannot be counted up (T-WEB-01, T-WEB-21). One code has one spelling.
"""

import base64
import binascii

from licence_store.errors import LicenceNotFound

VERSION = "1"
CODE_LENGTH = 23


def make_code(token: bytes) -> str:
    """Write a token as the code that follows ``/q/``."""
    return VERSION + base64.urlsafe_b64encode(token).rstrip(b"=").decode("ascii")


def make_link(public_url: str, token: bytes) -> str:
    """Write the link that the QR code of a licence carries."""
    return f"{public_url}/q/{make_code(token)}"


def read_code(code: str) -> bytes:
    """Read a code back to its token; a fault is answered like a wrong guess (T-WEB-02)."""
    if len(code) != CODE_LENGTH or not code.isascii() or not code.startswith(VERSION):
        raise LicenceNotFound
    try:
        token = base64.b64decode(code[1:] + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise LicenceNotFound from None
    if make_code(token) != code:
        raise LicenceNotFound
    return token

"""CMS messages (RFC 5652) and those of GB/T 35275."""

from contextlib import suppress

from keys.errors import ServiceError
from seal_service.formats.cms import parse_signed_data, verify_gbt35275_signer, verify_signer
from tests.support.messages import CONTENT, GM_SIGNED_DATA, MessageSpec, make_message


def seeds() -> list[bytes]:
    """Return an RSA message, an SM2 message, and one of the national type."""
    return [
        make_message(),
        make_message(MessageSpec(is_sm2=True)),
        make_message(MessageSpec(is_sm2=True, outer_type=GM_SIGNED_DATA)),
    ]


def check(data: bytes) -> None:
    """Read a message and verify it; no message verifies over two contents."""
    try:
        message = parse_signed_data(data)
    except ServiceError:
        return
    holding = 0
    for content in (CONTENT, b"something else"):
        try:
            verify_signer(message, [content])
            holding += 1
        except ServiceError:
            continue
    with suppress(ServiceError):
        verify_gbt35275_signer(message, CONTENT)
    if holding > 1:
        raise AssertionError("one message over two contents")

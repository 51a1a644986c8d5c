"""Make a seal: an SES seal signed by the seal maker (GB/T 38540-2020, GM/T 0031-2025).

1. Check the order: picture, certificates, period.
2. Encode what the maker signs.
3. Sign it with the maker's key, which only ``sign`` can reach.
4. Put value and maker certificate beside it, read the result back and check it; then release it.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PIL import Image, UnidentifiedImageError

from keys.certificates import parse_certificate
from keys.errors import ServiceError
from seal_service.errors import MalformedDocument, SelfCheckFailed, UnsafePicture
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses import (
    ESeal,
    SealInfo,
    SealPicture,
    SESVersion,
    SignedPart,
    check_signer_listed,
    encode_seal,
    encode_seal_info,
    parse_seal,
    verify_seal_value,
)

DEFAULT_VENDOR_ID = "ESEAL"
MAX_SIDE_MM = 100
OFFICIAL_SEAL_TYPE = 1
"""An organisation's seal; v1 fixes 1 for organisations, v4 and v5 leave the number free."""
PERSONAL_SEAL_TYPE = 2
"""A person's seal, as v1 numbers it."""
LICENCE_SEAL_TYPE = 4
"""A special seal for e-licences, as seen in use."""

Sign = Callable[[bytes], bytes]
"""Signs a message with the seal maker's key; SM2 with SM3, DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOrder:
    """What is to be made; approved before, by somebody else."""

    seal_id: str
    name: str
    picture: SealPicture
    certificates: tuple[bytes, ...]
    """DER of every certificate that may use the seal; a renewed one needs a new seal."""
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    seal_type: int = OFFICIAL_SEAL_TYPE
    vendor_id: str = DEFAULT_VENDOR_ID


def make_seal(
    order: SealOrder,
    *,
    sign: Sign,
    maker_certificate: bytes,
    version: SESVersion = SESVersion.V4,
    timestamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Make the seal and return its DER, checked.

    ``timestamp`` returns a token over the bytes given; only v5 has a place for it. Raises
    ``MalformedDocument`` or ``UnsafePicture`` for an order that makes no seal, and
    ``SelfCheckFailed`` where the signature does not hold.
    """
    check_order(order)
    info = encode_seal_info(
        SealInfo(
            version=version,
            vendor_id=order.vendor_id,
            seal_id=order.seal_id,
            seal_type=order.seal_type,
            name=order.name,
            certificates=order.certificates,
            created_at=order.created_at,
            valid_from=order.valid_from,
            valid_until=order.valid_until,
            picture=order.picture,
        )
    )
    value = sign(info)
    token = timestamp(value) if timestamp is not None else None
    part = SignedPart(certificate=maker_certificate, value=value, timestamp=token)
    der = encode_seal(info, part, version=version)
    _check_made(der, order)
    return der


def check_order(order: SealOrder) -> None:
    """Raise for an order that would make a seal nobody can use."""
    if not order.seal_id or not order.seal_id.isascii() or not order.name.strip():
        raise MalformedDocument("a seal has a name and an ASCII identifier", reason="seal-id")
    if not order.certificates:
        raise MalformedDocument("a seal names a signer", reason="certificate-list")
    for certificate in order.certificates:
        parse_certificate(certificate)
    if order.valid_from >= order.valid_until:
        raise MalformedDocument("the seal ends before it begins", reason="seal-period")
    check_png_picture(order.picture)


def check_png_picture(picture: SealPicture) -> None:
    """Raise ``UnsafePicture`` unless this is a plain PNG within limits that decodes.

    Own seals carry PNG only; in particular no SVG from outside (T-SES-36).
    """
    if picture.format != "PNG":
        raise UnsafePicture("PNG is due", reason="picture-type")
    if not (0 < picture.width_mm <= MAX_SIDE_MM and 0 < picture.height_mm <= MAX_SIDE_MM):
        raise UnsafePicture("no size of a seal", reason="picture-size")
    check_picture(picture)
    try:
        with Image.open(io.BytesIO(picture.data), formats=["PNG"]) as image:
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnsafePicture("the picture does not decode", reason="picture-type") from error


def _check_made(der: bytes, order: SealOrder) -> None:
    """Read our own seal back: nothing to remark, the maker's signature holds, signers listed."""
    try:
        seal = parse_seal(der)
        verify_seal_value(seal)
        for certificate in order.certificates:
            check_signer_listed(seal, certificate)
    except ServiceError as error:
        raise SelfCheckFailed("the new seal does not hold", reason=error.code) from error
    if seal.notices or not _is_as_ordered(seal, order):
        raise SelfCheckFailed("the new seal is not as ordered", reason="seal-content")


def _is_as_ordered(seal: ESeal, order: SealOrder) -> bool:
    return (seal.seal_id, seal.name, seal.picture, seal.valid_from, seal.valid_until) == (
        order.seal_id,
        order.name,
        order.picture,
        order.valid_from.replace(microsecond=0),
        order.valid_until.replace(microsecond=0),
    )

"""Certificates, revocation lists, status answers, time-stamp messages: all DER of authorities."""

from collections.abc import Callable

from keys.certificates import parse_certificate, parse_certificates
from keys.crl import parse_crl, read_entries
from keys.errors import ServiceError
from keys.ocsp import parse_ocsp
from keys.timestamp_messages import parse_request, parse_response, parse_tst_info
from keys.timestamps import verify_token
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST, entry_for

VALUE = b"a signature value"


def seeds() -> list[bytes]:
    """Return certificates, lists and tokens of both families."""
    found = []
    for family in (SM2_TRUST, RSA_TRUST):
        found += [family.root.der, family.authority.der, family.holder().certificate]
        found += [family.crl(), family.crl([entry_for(family.holder(), NOW)])]
        found.append(family.stamper().stamp(VALUE))
    return found


READERS: tuple[Callable[[bytes], object], ...] = (
    parse_certificate,
    parse_certificates,
    lambda data: read_entries(parse_crl(data)),
    parse_ocsp,
    parse_request,
    parse_response,
    parse_tst_info,
    lambda data: verify_token(data, VALUE),
)


def check(data: bytes) -> None:
    """Read the input as each kind."""
    for read in READERS:
        try:
            read(data)
        except ServiceError:
            continue

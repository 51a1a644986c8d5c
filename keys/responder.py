"""What our authorities answer to anybody: certificate status, time stamps, lists, certificates.

Bytes in, bytes out, in the standard binary forms (RFC 6960, RFC 3161, RFC 5280); HTTP is put
around them elsewhere. A request that cannot be answered gets the standard's own refusal, never an
error of ours.

1. A request is small and names one issuing authority of ours, else ``unauthorized``: a delegated
   responder speaks for its own issuer alone (RFC 6960, 4.2.2.2). Roots have none.
2. The status of a certificate is what the current revocation list says. A number nobody issued is
   "unknown", not "good".
3. The answer is signed by a certificate made for it, of the issuer's algorithm.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.clock import Clock
from keys.crl import CRL, find_entry, parse_crl
from keys.errors import Kind, ServiceError
from keys.ocsp import (
    CertificateID,
    OCSPPlan,
    RevokedInfo,
    SingleStatus,
    assemble_ocsp,
    encode_ocsp_error,
    encode_ocsp_tbs,
    parse_ocsp_request,
)
from keys.pki import PKI
from keys.pki_making import authority_names, ocsp_key_name
from keys.timestamp_messages import Failure, encode_failure

MOST_REQUEST_BYTES = 8 * 1024
"""Of one request for a status or a time stamp; real ones have some hundred."""
MOST_QUESTIONS = 16
"""Certificates asked for in one OCSP request."""
MOST_NONCE_BYTES = 128
"""RFC 9654, 2.1."""
STATUS_VALIDITY = timedelta(hours=1)

MALFORMED = encode_ocsp_error(1)
INTERNAL = encode_ocsp_error(2)
TRY_LATER = encode_ocsp_error(3)
UNAUTHORISED = encode_ocsp_error(6)


class Responder:
    """Answers for the authorities of a PKI."""

    def __init__(self, pki: PKI, sign_with: Callable[[str, bytes], bytes], clock: Clock) -> None:
        """Take the PKI, the means to sign with a key of the store, and a clock."""
        self._pki = pki
        self._sign_with = sign_with
        self._clock = clock

    # Status

    def answer_status(self, request: bytes) -> bytes:
        """Answer an OCSPRequest in DER; never raises one of our errors."""
        if len(request) > MOST_REQUEST_BYTES:
            return MALFORMED
        try:
            wanted, nonce = parse_ocsp_request(request)
        except ServiceError:
            return MALFORMED
        is_nonce_fit = nonce is None or 1 <= len(nonce) <= MOST_NONCE_BYTES
        if len(wanted) > MOST_QUESTIONS or not is_nonce_fit:
            return MALFORMED
        issuer = self._issuer(wanted)
        if issuer is None:
            return UNAUTHORISED
        try:
            return self._respond(issuer, wanted, nonce)
        except ServiceError as error:
            return TRY_LATER if error.kind is Kind.UNAVAILABLE else INTERNAL

    def answer_status_path(self, encoded: str) -> bytes:
        """Answer the request that a GET carries in its path, base64 (RFC 6960, A.1)."""
        try:
            return self.answer_status(b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            return MALFORMED

    def _issuer(self, wanted: tuple[CertificateID, ...]) -> Certificate | None:
        """Return the one issuing authority of ours that made all of them."""
        for issuer in self._pki.intermediates:
            if all(one.is_of(issuer) for one in wanted):
                return issuer
        return None

    def _respond(
        self, issuer: Certificate, wanted: tuple[CertificateID, ...], nonce: bytes | None
    ) -> bytes:
        now = self._clock.now().replace(microsecond=0)
        algorithm = issuer.public_key.algorithm
        own = self._pki.issue_ocsp(algorithm, now=now)
        crl = parse_crl(self._pki.crl(f"{algorithm}-issuing-ca"))
        tbs = encode_ocsp_tbs(
            OCSPPlan(
                responder_spki=own.public_key.spki,
                produced_at=now,
                statuses=tuple(self._status(one, issuer, crl, now) for one in wanted),
                nonce=nonce,
            )
        )
        signature = self._sign_with(ocsp_key_name(algorithm), tbs)
        return assemble_ocsp(tbs, algorithm, signature, (own.der,))

    def _status(
        self, wanted: CertificateID, issuer: Certificate, crl: CRL, now: datetime
    ) -> SingleStatus:
        entry = find_entry(crl, wanted.serial)
        revoked = None
        if entry is not None:
            revoked = RevokedInfo(
                revoked_at=entry.revoked_at,
                reason=entry.reason,
                invalidity_at=entry.invalidity_at,
            )
        is_known = revoked is not None or (self._pki.find_issued(issuer, wanted.serial) is not None)
        return SingleStatus(
            certificate_id=wanted,
            is_known=is_known,
            revoked=revoked,
            this_update=now,
            next_update=now + STATUS_VALIDITY,
        )

    # Time stamps, lists, certificates

    def answer_timestamp(self, algorithm: KeyAlgorithm, request: bytes) -> bytes:
        """Answer a TimeStampReq in DER; never raises one of our errors."""
        if len(request) > MOST_REQUEST_BYTES:
            return encode_failure(Failure.BAD_DATA_FORMAT)
        try:
            return self._pki.tsa(algorithm, self._clock).respond(request)
        except ServiceError:
            return encode_failure(Failure.SYSTEM_FAILURE)

    def list_of(self, name: str) -> bytes | None:
        """Return the revocation list of an authority, DER; None where there is no such one."""
        try:
            return self._pki.crl(name)
        except ServiceError:
            return None

    def certificate_of(self, name: str) -> bytes | None:
        """Return the certificate of an authority, DER; None where there is no such one."""
        if name not in authority_names():
            return None
        return self._pki.certificate(name).der

"""Our time-stamp authority (RFC 3161; GB/T 20520): stamps values, answers requests.

The key is used through ``sign`` alone, which verifies each signature before it hands it out.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta

from keys.algorithms import DigestAlgorithm, digest
from keys.certificates import Certificate
from keys.clock import Clock
from keys.errors import ServiceError, TimestampRefused, UnsupportedAlgorithm
from keys.timestamp_messages import (
    Failure,
    Imprint,
    TimestampRequest,
    TSTInfo,
    encode_failure,
    encode_response,
    encode_tst_info,
    parse_request,
)
from keys.timestamp_tokens import TOKEN_DIGEST, assemble_token, prepare_token
from keys.timestamps import verify_token

TEST_POLICY = "1.3.6.1.4.1.32473.1.3161"
"""A policy for tests and demonstrations, under the number that RFC 5612 keeps for examples."""
ACCURACY = timedelta(seconds=1)
SERIAL_BYTES = 16


class TSA:
    """One time-stamp key with its certificate."""

    def __init__(
        self,
        *,
        sign: Callable[[bytes], bytes],
        certificate: Certificate,
        chain: tuple[bytes, ...],
        clock: Clock,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
        policy: str = TEST_POLICY,
    ) -> None:
        """Take the means to sign with the certificate's key; ``chain`` travels in every token."""
        self.certificate = certificate
        self._sign = sign
        self._embedded = (certificate.der, *chain)
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """The digest this authority hashes with."""
        return TOKEN_DIGEST[self.certificate.public_key.algorithm]

    def stamp(self, value: bytes) -> bytes:
        """Return a token over ``value``: a signature value, or any bytes; checked.

        Raises ``TimestampRefused`` outside the validity of the authority's certificate, and
        whatever the key store raises.
        """
        algorithm = self.digest_algorithm
        imprint = Imprint(algorithm=algorithm, value=digest(algorithm, value))
        token = self._token(TimestampRequest(imprint=imprint))
        verify_token(token, value)
        return token

    def respond(self, request: bytes) -> bytes:
        """Answer a TimeStampReq in DER; a bad request gets an answer that says why.

        Raises only what stands between the authority and its key.
        """
        try:
            parsed = parse_request(request)
        except UnsupportedAlgorithm:
            return encode_failure(Failure.BAD_ALGORITHM)
        except ServiceError:
            return encode_failure(Failure.BAD_DATA_FORMAT)
        if parsed.has_extensions:
            return encode_failure(Failure.UNACCEPTED_EXTENSION)
        if parsed.policy not in (None, self._policy):
            return encode_failure(Failure.UNACCEPTED_POLICY)
        try:
            return encode_response(self._token(parsed))
        except TimestampRefused:
            return encode_failure(Failure.TIME_NOT_AVAILABLE)

    def _token(self, request: TimestampRequest) -> bytes:
        now = self._clock.now().replace(microsecond=0)
        own = self.certificate
        if not own.not_before <= now <= own.not_after:
            raise TimestampRefused("the authority is not valid now", reason="certificate-period")
        info = encode_tst_info(
            TSTInfo(
                policy=self._policy,
                imprint=request.imprint,
                serial=int.from_bytes(self._randomness(SERIAL_BYTES), "big") or 1,
                gen_time=now,
                accuracy=ACCURACY,
                nonce=request.nonce,
            )
        )
        attributes = prepare_token(own, info, now)
        embedded = self._embedded if request.wants_certificate else ()
        return assemble_token(own, info, attributes, self._sign(attributes), embedded=embedded)

"""Clients of outside authorities: time stamps, certificate status, revocation lists.

For sealing and for maintenance; nothing that judges a file may import this (T-PKI-25). Whatever
comes back is believed only after it was checked: a time stamp that is late, old, another's or made
by an untrusted authority stops the work it was asked for (T-STO-15).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from keys.algorithms import DigestAlgorithm, digest
from keys.certificates import Certificate, parse_certificate
from keys.clock import Clock
from keys.crl import parse_crl, read_crl_file
from keys.errors import (
    Kind,
    OutsideUnavailable,
    ServiceError,
    StatusUnknown,
    TimestampRefused,
)
from keys.fetching import Fetcher
from keys.ocsp import (
    MAX_OCSP_BYTES,
    certificate_id,
    check_answer_not_older,
    encode_ocsp_request,
)
from keys.path import TrustStore, Usage, check_path
from keys.public_key import verify_signature
from keys.revocation import (
    CertificateStatus,
    RevocationEvidence,
    RevocationState,
    check_not_older,
    check_revocation,
)
from keys.timestamp_messages import (
    Imprint,
    TimestampRequest,
    check_answer,
    encode_request,
    parse_response,
    parse_tst_info,
)
from keys.timestamp_tokens import parse_token
from keys.timestamps import verify_token

NONCE_BYTES = 16
MOST_TOKEN_BYTES = 64 * 1024
MOST_LIST_BYTES = 20 * 1024 * 1024
CLOCK_SKEW = timedelta(minutes=5)
"""How far the time of a fresh stamp or list may be from ours."""

TSA_KINDS = ("application/timestamp-query", "application/timestamp-reply")
OCSP_KINDS = ("application/ocsp-request", "application/ocsp-response")


@dataclass(frozen=True, slots=True, kw_only=True)
class TSAPlan:
    """One outside time-stamp authority."""

    url: str
    digest_algorithm: DigestAlgorithm
    trust: TrustStore
    """The roots its certificate must lead to."""
    intermediates: tuple[Certificate, ...] = ()
    policy: str | None = None


class TSAClient:
    """Has values stamped by an outside authority; ``stamp`` is what sealing takes."""

    def __init__(
        self,
        plan: TSAPlan,
        fetcher: Fetcher,
        clock: Clock,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Take the plan; raises ``AddressRefused`` where its address is not on the list."""
        fetcher.check(plan.url)
        self._plan = plan
        self._fetcher = fetcher
        self._clock = clock
        self._randomness = randomness

    def stamp(self, value: bytes) -> bytes:
        """Return a checked token over ``value``.

        Raises ``OutsideUnavailable`` or ``AddressRefused`` where the authority is not reached,
        ``TimestampRefused`` with a ``reason`` where its answer proves nothing.
        """
        plan = self._plan
        imprint = Imprint(
            algorithm=plan.digest_algorithm, value=digest(plan.digest_algorithm, value)
        )
        # The top bit keeps the length, so that the number is never zero or short.
        nonce = int.from_bytes(b"\x01" + self._randomness(NONCE_BYTES), "big")
        request = TimestampRequest(imprint=imprint, policy=plan.policy, nonce=nonce)
        answer = self._fetcher.post(
            plan.url, encode_request(request), kinds=TSA_KINDS, limit=MOST_TOKEN_BYTES
        )
        try:
            token = parse_response(answer)
            check_answer(parse_tst_info(parse_token(token).tst_info_der), request)
            self._check(token, value)
        except TimestampRefused:
            raise
        except ServiceError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            raise TimestampRefused("the answer cannot be read", reason="malformed") from error
        return token

    def _check(self, token: bytes, value: bytes) -> None:
        """Check signature, time and chain of the token."""
        verified = verify_token(token, value)
        if abs(verified.gen_time - self._clock.now()) > CLOCK_SKEW:
            raise TimestampRefused("made at another time than now", reason="gen-time")
        report = check_path(
            verified.certificate,
            usage=Usage.TIMESTAMP,
            at=verified.gen_time,
            trust=self._plan.trust,
            intermediates=(
                *self._plan.intermediates,
                *map(parse_certificate, verified.certificates),
            ),
        )
        if not report.is_good:
            raise TimestampRefused("its authority is not trusted", reason="untrusted")


class OCSPClient:
    """Asks outside responders for the status of a certificate."""

    def __init__(
        self,
        fetcher: Fetcher,
        clock: Clock,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._randomness = randomness

    def ask(
        self, url: str, certificate: Certificate, issuer: Certificate
    ) -> tuple[RevocationState, bytes]:
        """Return what a fresh answer says, and the answer.

        An answer that is stale, another's, or without our nonce leaves the status unknown
        (T-PKI-23, T-PKI-24). Raises ``OutsideUnavailable`` or ``AddressRefused``.
        """
        nonce = self._randomness(NONCE_BYTES)
        request = encode_ocsp_request(certificate_id(certificate, issuer), nonce)
        answer = self._fetcher.post(url, request, kinds=OCSP_KINDS, limit=MAX_OCSP_BYTES)
        now = self._clock.now()
        evidence = RevocationEvidence(ocsp_responses=(answer,), ocsp_nonce=nonce)
        return check_revocation(certificate, issuer, evidence, at=now, now=now), answer

    def fetch(
        self, url: str, certificate: Certificate, issuer: Certificate, known: bytes | None = None
    ) -> bytes:
        """Return a fresh answer that says good or revoked; ``known`` is the one in use.

        Raises as ``ask``; ``StatusUnknown`` where the answer leaves the status open, and
        ``StatusRolledBack`` where it is older than ``known`` (T-PKI-21).
        """
        state, answer = self.ask(url, certificate, issuer)
        if state.status is CertificateStatus.UNKNOWN:
            raise StatusUnknown(state.detail, reason=state.reason)
        if known is not None:
            check_answer_not_older(answer, known, certificate, issuer)
        return answer


class CRLClient:
    """Fetches revocation lists of outside authorities."""

    def __init__(self, fetcher: Fetcher, clock: Clock, limit: int = MOST_LIST_BYTES) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._limit = limit

    def fetch(self, url: str, issuer: Certificate, known: bytes | None = None) -> bytes:
        """Return the current list of ``issuer``, DER, checked; ``known`` is the one in use.

        Raises ``OutsideUnavailable`` or ``AddressRefused`` where it cannot be had, or is not the
        issuer's, not fresh or not whole; ``StatusRolledBack`` where it is older than ``known``
        (T-PKI-20, T-PKI-21).
        """
        fetched = self._fetcher.get(url, limit=self._limit)
        try:
            encoded = read_crl_file(fetched)
            self._check(encoded, issuer)
        except OutsideUnavailable:
            raise
        except ServiceError as error:
            reason = str(error.params.get("reason", error.code))
            raise OutsideUnavailable("not a list of this issuer", reason=reason) from error
        if known is not None:
            check_not_older(encoded, known)
        return encoded

    def _check(self, encoded: bytes, issuer: Certificate) -> None:
        crl = parse_crl(encoded)
        if crl.issuer_der != issuer.subject_der:
            raise OutsideUnavailable("a list of another issuer", reason="issuer")
        verify_signature(
            issuer.public_key,
            crl.tbs_raw,
            crl.signature,
            crl.signature_oid,
            crl.signature_parameters,
        )
        now = self._clock.now()
        if crl.this_update > now + CLOCK_SKEW:
            raise OutsideUnavailable("a list of the future", reason="in-future")
        if crl.next_update is None or crl.next_update < now:
            raise OutsideUnavailable("a list past its end", reason="stale")
        if crl.limited_scope or crl.is_indirect or crl.unknown_critical:
            raise OutsideUnavailable("a list that does not speak for all", reason="scope")

"""Judge whether a certificate is revoked, from revocation data handed in. Pure; nothing is fetched.

RFC 5280, 6.3 and RFC 6960, 3.2, on the strict side (T-PKI-20 to T-PKI-24, T-PKI-27):

1. Each list or response is judged alone: made by the issuer, or by a responder it delegated; not
   from the future; fresh now; speaking for this certificate; nothing critical that is unknown.
2. An authentic "revoked" counts even when it is stale or of partial scope: revocation is for ever,
   except a hold.
3. "Good" counts only when nothing at all is wanting. The newest good answer ends an older hold.
4. Revoked wins over good, good over unknown. Without any answer the status is unknown.

When a revocation takes effect (the earlier of revocation and invalidity date), and what that means
for a signature, is for the caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from keys import der
from keys.certificates import Certificate, parse_certificate
from keys.crl import (
    CACHED_BYTES,
    CRL,
    RevocationReason,
    RevokedEntry,
    find_entry,
    parse_crl,
)
from keys.errors import Kind, MalformedCertificate, ServiceError, StatusRolledBack
from keys.extensions import OID_OCSP_SIGNING
from keys.ocsp import OCSPResponse, SingleStatus, parse_ocsp
from keys.public_key import PublicKey, verify_signature
from keys.revocation_model import (
    CertificateStatus,
    RevocationEvidence,
    RevocationState,
    Source,
    unknown,
)
from keys.x509_building import OID_OCSP_NO_CHECK, key_identifier
from keys.x509_reading import read_extensions

__all__ = [
    "CertificateStatus",
    "RevocationEvidence",
    "RevocationState",
    "Source",
    "check_not_older",
    "check_revocation",
]

MAX_EVIDENCE = 64
"""Lists and responses looked at for one certificate."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked: one certificate below its issuer, and when."""

    certificate: Certificate
    issuer: Certificate
    evidence: RevocationEvidence
    at: datetime
    now: datetime


def check_revocation(
    certificate: Certificate,
    issuer: Certificate,
    evidence: RevocationEvidence,
    *,
    at: datetime,
    now: datetime,
) -> RevocationState:
    """Judge the status of ``certificate``, which ``issuer`` issued.

    ``at`` is the instant that matters (it counts only where archived data is accepted), ``now`` the
    present, at which evidence must be fresh. Data that cannot be read or does not hold never
    raises; it leaves the status unknown.
    """
    question = _Question(certificate, issuer, evidence, at, now)
    answers = [*_crl_answers(question), *_ocsp_answers(question)]
    good = _newest(answers, CertificateStatus.GOOD)
    revoked = [
        answer
        for answer in answers
        if answer.status is CertificateStatus.REVOKED and not _is_ended_hold(answer, good)
    ]
    if revoked:
        return min(revoked, key=lambda answer: (answer.effective_at or now, _made_at(answer)))
    if good is not None:
        return good
    return _newest(answers, CertificateStatus.UNKNOWN) or unknown(
        "no-evidence", "no revocation data from this issuer"
    )


def check_not_older(new: bytes, known: bytes) -> None:
    """Raise ``StatusRolledBack`` where a list is older than the one in use (T-PKI-21).

    Both are lists of one issuer whose signatures were checked; raises ``MalformedCertificate`` for
    what is no list.
    """
    fresh, used = parse_crl(new), parse_crl(known)
    if fresh.issuer_der != used.issuer_der:
        raise StatusRolledBack("a list of another issuer", reason="issuer")
    if fresh.this_update < used.this_update or (fresh.number or 0) < (used.number or 0):
        raise StatusRolledBack("older than the list in use", reason="older")


def _made_at(state: RevocationState) -> float:
    return state.this_update.timestamp() if state.this_update is not None else 0.0


def _newest(answers: list[RevocationState], status: CertificateStatus) -> RevocationState | None:
    matching = [answer for answer in answers if answer.status is status]
    return max(matching, key=_made_at, default=None)


def _is_ended_hold(answer: RevocationState, good: RevocationState | None) -> bool:
    """Tell whether a hold was lifted: the one revocation that can end (RFC 5280, 5.3.1)."""
    is_hold = answer.reason == RevocationReason.CERTIFICATE_HOLD.word
    return is_hold and good is not None and _made_at(good) > _made_at(answer)


def _broken(error: ServiceError, source: Source) -> RevocationState:
    """Turn data that cannot be read or does not hold into an open status."""
    if error.kind is Kind.UNAVAILABLE:
        # An engine at fault says nothing about the data.
        raise error
    return unknown(str(error.params.get("reason", error.code)), str(error), source)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Where an answer comes from and when it was true."""

    source: Source
    this_update: datetime
    next_update: datetime | None


def _finish(
    question: _Question, entry: RevokedEntry | None, flaw: RevocationState | None, state: _Answer
) -> RevocationState:
    """Put together what an authentic list or response says, and what it lacks (rules 2 and 3)."""
    is_hold = entry is not None and entry.reason is RevocationReason.CERTIFICATE_HOLD
    if entry is not None and entry.reason is RevocationReason.REMOVE_FROM_CRL:
        return flaw or unknown("delta", "removed from a list", state.source, state.this_update)
    if flaw is not None and (entry is None or is_hold):
        return flaw
    if entry is None:
        return _check_expiry(question, state)
    return RevocationState(
        status=CertificateStatus.REVOKED,
        revoked_at=entry.revoked_at,
        invalidity_at=entry.invalidity_at,
        reason=entry.reason.word,
        source=state.source,
        this_update=state.this_update,
    )


def _check_expiry(question: _Question, state: _Answer) -> RevocationState:
    """Grant "good", unless the certificate had expired: lists then drop it (RFC 5280, 3.3)."""
    if question.certificate.not_after < state.this_update:
        return unknown(
            "expired-before-status",
            "the certificate had expired when the status was made",
            state.source,
            state.this_update,
        )
    return RevocationState(
        status=CertificateStatus.GOOD, source=state.source, this_update=state.this_update
    )


def _time_flaw(question: _Question, state: _Answer) -> RevocationState | None:
    """Say whether an answer is stale, or has no end."""
    evidence = question.evidence
    ends_at = state.next_update
    if ends_at is None and state.source is Source.OCSP:
        ends_at = state.this_update + evidence.max_age
    if ends_at is None:
        return unknown("no-next-update", "no end is stated", state.source, state.this_update)
    is_archived = evidence.accepts_archived and state.this_update >= question.at
    if question.now > ends_at and not is_archived:
        return unknown("stale", f"past {ends_at:%F %T}Z", state.source, state.this_update)
    return None


def _is_future(question: _Question, made_at: datetime) -> bool:
    return made_at > question.now + question.evidence.clock_skew


@lru_cache(maxsize=512)
def _verify_cached(
    key: PublicKey, message: bytes, signature: bytes, oid: str, parameters: bytes | None
) -> None:
    verify_signature(key, message, signature, oid, parameters)


def _verify(key: PublicKey, data: CRL | OCSPResponse) -> None:
    """Check a signature; one that held is remembered, dates and status never are."""
    check = _verify_cached if len(data.tbs_raw) <= CACHED_BYTES else verify_signature
    check(key, data.tbs_raw, data.signature, data.signature_oid, data.signature_parameters)


# Revocation lists


def _crl_answers(question: _Question) -> Iterator[RevocationState]:
    for data in question.evidence.crls[:MAX_EVIDENCE]:
        try:
            crl = parse_crl(data)
            if crl.issuer_der == question.certificate.issuer_der:
                yield _judge_crl(crl, question)
        except ServiceError as error:
            yield _broken(error, Source.CRL)


def _judge_crl(crl: CRL, question: _Question) -> RevocationState:
    state = _Answer(Source.CRL, crl.this_update, crl.next_update)
    issuer = question.issuer
    usage = issuer.key_usage
    if not issuer.is_ca or (usage is not None and "crl_sign" not in usage):
        return unknown("crl-signer", "the issuer signs no lists", Source.CRL)
    if (
        crl.authority_key_id is not None
        and issuer.subject_key_id is not None
        and crl.authority_key_id != issuer.subject_key_id
    ):
        return unknown("crl-signer", "signed with another key of the issuer", Source.CRL)
    _verify(issuer.public_key, crl)
    if _is_future(question, crl.this_update):
        return unknown("in-future", "made in the future", Source.CRL)
    if crl.unknown_critical:
        return unknown("unknown-critical", ", ".join(crl.unknown_critical), Source.CRL)
    if crl.is_indirect:
        return unknown("indirect", "the list speaks for other issuers", Source.CRL)
    flaw = _time_flaw(question, state)
    if crl.limited_scope:
        flaw = unknown(crl.limited_scope, "not for all certificates", Source.CRL, crl.this_update)
    return _finish(question, find_entry(crl, question.certificate.serial), flaw, state)


# OCSP


def _ocsp_answers(question: _Question) -> Iterator[RevocationState]:
    for data in _responses(question):
        try:
            response = parse_ocsp(data)
            statuses = [
                status
                for status in response.statuses
                if status.certificate_id.is_for(question.certificate, question.issuer)
            ]
            if statuses:
                yield _judge_ocsp(response, statuses, question)
        except ServiceError as error:
            yield _broken(error, Source.OCSP)


def _responses(question: _Question) -> tuple[bytes, ...]:
    """Return the responses to look at: of many only those that hold the certificate's number."""
    found = question.evidence.ocsp_responses
    if len(found) > MAX_EVIDENCE:
        number = der.integer(question.certificate.serial)
        found = tuple(data for data in found if number in data)
    return found[:MAX_EVIDENCE]


def _judge_ocsp(
    response: OCSPResponse, statuses: list[SingleStatus], question: _Question
) -> RevocationState:
    flaw = _check_response(response, question)
    if flaw is not None:
        return flaw
    if len(statuses) != 1:
        return unknown("ocsp-repeated", "two answers for one certificate", Source.OCSP)
    status = statuses[0]
    if status.unknown_critical:
        return unknown("unknown-critical", ", ".join(status.unknown_critical), Source.OCSP)
    if _is_future(question, max(status.this_update, response.produced_at)):
        return unknown("in-future", "made in the future", Source.OCSP)
    if not status.is_known:
        return unknown(
            "ocsp-unknown", "the responder does not know it", Source.OCSP, status.this_update
        )
    state = _Answer(Source.OCSP, status.this_update, status.next_update)
    entry = None
    if status.revoked is not None:
        entry = RevokedEntry(
            serial=question.certificate.serial,
            revoked_at=status.revoked.revoked_at,
            reason=status.revoked.reason,
            invalidity_at=status.revoked.invalidity_at,
        )
    return _finish(question, entry, _time_flaw(question, state), state)


def _check_response(response: OCSPResponse, question: _Question) -> RevocationState | None:
    """Check signer, signature, nonce and extensions; return what is wrong, if anything."""
    signer = _find_responder(response, question)
    if signer is None:
        return unknown("ocsp-responder", "not the issuer nor its delegate", Source.OCSP)
    _verify(signer.public_key, response)
    wanted = question.evidence.ocsp_nonce
    if wanted is not None and response.nonce != wanted:
        return unknown("ocsp-nonce", "another nonce", Source.OCSP)
    if response.unknown_critical:
        return unknown("unknown-critical", ", ".join(response.unknown_critical), Source.OCSP)
    return None


def _find_responder(response: OCSPResponse, question: _Question) -> Certificate | None:
    """Return the issuer, or a responder that it delegated and that is valid (RFC 6960, 4.2.2.2)."""
    if _is_named(question.issuer, response):
        return question.issuer
    for encoded in response.certificates[:MAX_EVIDENCE]:
        try:
            delegate = parse_certificate(encoded)
            if _is_named(delegate, response) and _is_delegate(delegate, question):
                return delegate
        except ServiceError as error:
            _broken(error, Source.OCSP)
    return None


def _is_named(certificate: Certificate, response: OCSPResponse) -> bool:
    if response.responder_name is not None:
        return certificate.subject_der == response.responder_name
    return key_identifier(certificate.public_key.spki) == response.responder_key_hash


def _is_delegate(delegate: Certificate, question: _Question) -> bool:
    """Tell whether the issuer itself made this certificate for OCSP, and it is good now."""
    issuer = question.issuer
    usage = delegate.key_usage
    if (
        delegate.issuer_der != issuer.subject_der
        or OID_OCSP_SIGNING not in (delegate.extended_key_usage or ())
        or (usage is not None and not usage & {"digital_signature", "non_repudiation"})
        or delegate.unknown_critical
        or not delegate.not_before <= question.now <= delegate.not_after
    ):
        return False
    verify_signature(
        issuer.public_key,
        delegate.tbs_raw,
        delegate.signature,
        delegate.signature_oid,
        delegate.signature_parameters,
    )
    return _needs_no_check(delegate) or _is_unrevoked(delegate, question)


def _needs_no_check(delegate: Certificate) -> bool:
    """Tell whether the issuer vouches for the responder until its end (4.2.2.2.1)."""
    tbs = der.read_sequence(der.read_der(delegate.tbs_raw))
    try:
        return OID_OCSP_NO_CHECK in read_extensions(der.read_explicit(der.expect(tbs[-1], 0xA3)))
    except MalformedCertificate:
        return False


def _is_unrevoked(delegate: Certificate, question: _Question) -> bool:
    """Judge the responder itself by lists alone; a response about itself would prove nothing."""
    evidence = replace(question.evidence, ocsp_responses=())
    state = check_revocation(delegate, question.issuer, evidence, at=question.now, now=question.now)
    return state.status is CertificateStatus.GOOD

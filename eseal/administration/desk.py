"""The desk where one administrator asks for a change of the service and another confirms it.

The rules are those of requests about seals (ADR 0015, T-API-37). What is done to the callers is
done in the transaction that confirms it. Certificates and keys lie in files: they are changed right
after, and a revocation that failed then is repeated by ``finish``.

Shutting a caller out and publishing lists need one person: stopping waits for nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from eseal.administration.certificates import (
    KINDS,
    REASONS,
    CertificateShelf,
    certificate_to_wire,
)
from eseal.administration.operations import (
    AddCaller,
    CallerOperation,
    CertificateOperation,
    ChangeScopes,
    ImportCertificate,
    IssueHolder,
    RenewCertificate,
    RequestCertificate,
    RevokeCertificate,
    operation_from_text,
    operation_to_text,
)
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import RevokedEntry, parse_crl
from keys.errors import CertificateRefused, ServiceError
from keys.outside import ImportOrder
from keys.path import TrustStore
from keys.x509_building import Subject
from seal_service.errors import InvalidSealOrder
from seal_service.plumbing import callers
from seal_service.plumbing.callers import NewCaller, RegisteredCaller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import CallerExists, CallerNotFound
from seal_service.plumbing.logging import log_alarm, log_fact
from seal_service.plumbing.secret_box import SecretBox
from seal_service.schemas import read_instant
from seal_service.seals import requests
from seal_service.seals.requests import Decision, RequestKind, RequestState, SealRequest

NOBODY = ""
"""Tenant and seal of a request about the service itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeskParts:
    """Everything the desk works with."""

    database: Database
    clock: Clock
    randomness: Callable[[int], bytes]
    box: SecretBox
    shelf: CertificateShelf
    request_hours: int = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants what changed, on what basis and why."""

    applicant: str
    operation: CertificateOperation | CallerOperation
    basis_document: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Who decides about which request, having read what."""

    request_id: str
    actor: str
    digest: bytes
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A request as decided, and what came of it: told once, kept nowhere."""

    request: SealRequest
    outcome: dict[str, object] = field(default_factory=dict, repr=False)


class ServiceDesk:
    """Files and decides requests about the service. May be shared between threads."""

    def __init__(self, parts: ServiceDeskParts) -> None:
        self._parts = parts
        self._database = parts.database

    @property
    def shelf(self) -> CertificateShelf:
        """Return the certificates."""
        return self._parts.shelf

    def file(self, wanted: Wanted) -> SealRequest:
        """Ask for a change.

        Raises ``InvalidSealOrder``, ``CallerNotFound``, ``CallerExists``, ``InvalidCaller`` or
        ``CertificateRefused`` for what could not be done in any case.
        """
        if not wanted.basis_document.strip():
            raise InvalidSealOrder("不能为空", field="basis_document")
        now = self._parts.clock.now()
        request = SealRequest(
            request_id=f"sv-{self._parts.randomness(16).hex()}",
            authority_code=NOBODY,
            seal_id=NOBODY,
            kind=RequestKind.SERVICE,
            content=operation_to_text(wanted.operation),
            applicant=wanted.applicant,
            basis_document=wanted.basis_document,
            reason=wanted.reason,
            filed_at=now,
            expires_at=now + timedelta(hours=self._parts.request_hours),
        )
        with self._database.transaction() as connection:
            self._check(connection, wanted.operation)
            requests.enter(connection, request)
        return request

    def _check(
        self, connection: Connection, operation: CertificateOperation | CallerOperation
    ) -> None:
        """Refuse at once what confirming would refuse."""
        if isinstance(operation, RevokeCertificate):
            self._revoked_entry(operation)
        elif isinstance(operation, AddCaller):
            new = _new_caller(operation)
            callers.check_new(new)
            if callers.find_caller(connection, new.caller_id) is not None:
                raise CallerExists(caller_id=new.caller_id)
        elif isinstance(operation, CallerOperation):
            self._known(connection, operation.caller_id)
            if isinstance(operation, ChangeScopes):
                callers.check_scopes(operation.scopes)

    def confirm(self, by: Deciding) -> Done:
        """Confirm a request and do what it asks.

        Raises ``SealRequestNotFound``, ``SealRequestClosed``, ``DualControlRefused``, or why it can
        no longer be done. A certificate operation that fails after the confirmation stays confirmed
        and not completed.
        """
        now = self._parts.clock.now()
        outcome: dict[str, object] = {}
        with self._database.transaction() as connection:
            request = requests.find(connection, NOBODY, NOBODY, by.request_id)
            requests.confirm(connection, request, _decision(by, self._parts.clock))
            operation = operation_from_text(request.content)
            if isinstance(operation, CallerOperation):
                outcome = self._change_caller(connection, operation)
                requests.complete(connection, request.request_id, now)
        log_fact("service_request_confirmed", request_id=request.request_id)
        if isinstance(operation, CertificateOperation):
            outcome = self._change_certificates(operation)
            self._complete(request)
        return Done(request=self.show(by.request_id), outcome=outcome)

    def refuse(self, by: Deciding) -> Done:
        """Close a request without doing it; raises as ``confirm``."""
        with self._database.transaction() as connection:
            request = requests.find(connection, NOBODY, NOBODY, by.request_id)
            requests.refuse(connection, request, _decision(by, self._parts.clock))
        return Done(request=self.show(by.request_id))

    def finish(self) -> None:
        """Repeat confirmed revocations that failed; for maintenance."""
        with self._database.reading() as connection:
            waiting = requests.unfinished(connection, RequestKind.SERVICE)
        for request in waiting:
            operation = operation_from_text(request.content)
            # Only a revocation is safe to repeat and must not be lost.
            if not isinstance(operation, RevokeCertificate):
                continue
            try:
                self._revoke(operation)
            except ServiceError as error:
                log_alarm("certificate_not_revoked", request_id=request.request_id, code=error.code)
                continue
            self._complete(request)

    def _complete(self, request: SealRequest) -> None:
        with self._database.transaction() as connection:
            requests.complete(connection, request.request_id, self._parts.clock.now())

    # Reading

    def show(self, request_id: str) -> SealRequest:
        """Return a request; raises ``SealRequestNotFound``."""
        with self._database.reading() as connection:
            return requests.find(connection, NOBODY, NOBODY, request_id)

    def list_requests(self, *, only_open: bool = False) -> tuple[SealRequest, ...]:
        """List the newest requests about the service."""
        with self._database.reading() as connection:
            found = requests.list_requests(connection, NOBODY, NOBODY)
        now = self._parts.clock.now()
        return tuple(
            one
            for one in found
            if not only_open or (one.state is RequestState.OPEN and now <= one.expires_at)
        )

    def list_callers(self, authority_code: str | None = None) -> tuple[RegisteredCaller, ...]:
        """List the callers, of one authority or of all."""
        with self._database.reading() as connection:
            return callers.list_registered(connection, authority_code)

    # Callers

    def disable_caller(self, caller_id: str, *, actor: str) -> RegisteredCaller:
        """Shut a caller out at once and for ever; raises ``CallerNotFound``."""
        with self._database.transaction() as connection:
            self._known(connection, caller_id)
            callers.disable(connection, caller_id, now=self._parts.clock.now())
            found = self._known(connection, caller_id)
        log_fact("caller_disabled", caller_id=caller_id, actor=actor)
        return found

    def _known(self, connection: Connection, caller_id: str) -> RegisteredCaller:
        found = callers.find_caller(connection, caller_id)
        if found is None:
            raise CallerNotFound(caller_id=caller_id)
        return found

    def _change_caller(
        self, connection: Connection, operation: CallerOperation
    ) -> dict[str, object]:
        parts, caller_id = self._parts, operation.caller_id
        if isinstance(operation, ChangeScopes):
            callers.change_scopes(connection, caller_id, frozenset(operation.scopes))
            return {"caller_id": caller_id, "scopes": sorted(operation.scopes)}
        if isinstance(operation, AddCaller):
            secret = callers.register_caller(
                connection,
                _new_caller(operation),
                box=parts.box,
                randomness=parts.randomness,
                now=parts.clock.now(),
            )
        else:
            secret = callers.replace_secret(
                connection, caller_id, box=parts.box, randomness=parts.randomness
            )
        return {"caller_id": caller_id, "secret_hex": secret.hex()}

    # Certificates

    def publish_lists(self) -> tuple[str, ...]:
        """Publish every revocation list again; return the names of their authorities."""
        shelf = self._parts.shelf
        return shelf.pki.refresh_crls(shelf.now(), everything=True)

    def _change_certificates(self, operation: CertificateOperation) -> dict[str, object]:
        shelf = self._parts.shelf
        match operation:
            case RevokeCertificate():
                return self._revoke(operation)
            case IssueHolder():
                return certificate_to_wire(shelf.of(self._issue(operation), "own"))
            case RenewCertificate():
                renewed = shelf.pki.renew(operation.key_name, now=shelf.now())
                return certificate_to_wire(shelf.of(renewed, "own"))
            case RequestCertificate():
                return {"key_name": operation.key_name, "request": self._request(operation)}
            case ImportCertificate():
                return self._import(operation)

    def _issue(self, operation: IssueHolder) -> Certificate:
        pki, now = self._parts.shelf.pki, self._parts.shelf.now()
        name, code, algorithm = operation.name, operation.code, KeyAlgorithm(operation.algorithm)
        if operation.new_key:
            return pki.rekey_seal_holder(name, code, algorithm, now=now)
        return pki.issue_seal_holder(name, code, algorithm, now=now, renew=operation.renew)

    def _revoke(self, operation: RevokeCertificate) -> dict[str, object]:
        shelf = self._parts.shelf
        found, entry = shelf.find(operation.serial), self._revoked_entry(operation)
        if found.state != "revoked":
            crl = shelf.pki.revoke(found.certificate, entry, now=shelf.now())
        else:
            # Done before a crash: the list says so already.
            crl = shelf.list_of(found.certificate)
        return {"serial": operation.serial, "state": "revoked", "crl_number": parse_crl(crl).number}

    def _revoked_entry(self, operation: RevokeCertificate) -> RevokedEntry:
        """Return the entry for the list; raises ``CertificateRefused``."""
        shelf = self._parts.shelf
        found = shelf.find(operation.serial)
        if found.source != "own":
            raise CertificateRefused("由外部机构签发，须由其吊销", reason="issuer")
        if operation.cause not in REASONS:
            raise CertificateRefused("吊销原因不在列表中", reason="cause")
        since = operation.invalid_since
        moment = None if since is None else read_instant(since, "invalid_since")
        if moment is not None and moment > shelf.now():
            raise CertificateRefused("失效日期晚于当前时间", reason="invalid-since")
        return RevokedEntry(
            serial=found.certificate.serial,
            revoked_at=shelf.now(),
            reason=REASONS[operation.cause],
            invalidity_at=None if moment is None else moment.replace(microsecond=0),
        )

    def _request(self, operation: RequestCertificate) -> str:
        subject = Subject(
            common_name=operation.name,
            organisation=operation.name,
            organisation_code=operation.code,
        )
        return self._parts.shelf.outside.certificates.request(
            operation.key_name,
            KeyAlgorithm(operation.algorithm),
            subject,
            KINDS[operation.kind][0],
        )

    def _import(self, operation: ImportCertificate) -> dict[str, object]:
        shelf = self._parts.shelf
        order = ImportOrder(
            key_name=operation.key_name,
            usage=KINDS[operation.kind][1],
            trust=TrustStore.of(shelf.outside.roots),
            organisation_code=operation.code,
            now=shelf.now(),
        )
        found = shelf.outside.certificates.import_chain(operation.chain.encode(), order)
        source = f"imported for {found.key_name}"
        return certificate_to_wire(shelf.of(found.certificate, source))


def _new_caller(operation: AddCaller) -> NewCaller:
    until = operation.expires_at
    return NewCaller(
        caller_id=operation.caller_id,
        authority_code=operation.authority_code,
        scopes=frozenset(operation.scopes),
        expires_at=None if until is None else read_instant(until, "expires_at"),
    )


def _decision(by: Deciding, clock: Clock) -> Decision:
    return Decision(actor=by.actor, digest=by.digest, remark=by.remark, now=clock.now())

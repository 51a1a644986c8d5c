"""The desk where one caller asks and another confirms: moves, mandates, compromised keys.

1. File: who asks is the authenticated caller, never a name in the request.
2. Confirm: by somebody else, naming the digest of what was read, in time, once. What was asked is
   done in the same transaction, so that nothing is confirmed and left undone.
3. After a compromise is confirmed its certificates are revoked. The stop does not wait for that; if
   it fails, ``finish_compromises`` repeats it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from keys.errors import ServiceError
from seal_service.errors import InvalidSealOrder
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.logging import log_alarm, log_fact
from seal_service.seals import compromise, lookup, mandates, registry, requests
from seal_service.seals.compromise import SealedSince
from seal_service.seals.model import Mandate, MandateGrant
from seal_service.seals.registry import MoveOrder
from seal_service.seals.requests import Decision, RequestKind, SealRequest
from seal_service.seals.states import SealAction, SealState, next_state
from seal_service.settings import SealSettings

REQUESTED_MOVES = frozenset(
    {
        SealAction.RESUME,
        SealAction.CHANGE,
        SealAction.REVOKE,
        SealAction.CANCEL,
        SealAction.DESTROY,
    }
)
"""Moves that are asked for here; the others have calls of their own."""

RevokeCertificate = Callable[[bytes, datetime, datetime], None]
"""Revokes a certificate (DER) for key compromise at an instant, invalid since an earlier one; safe
to repeat. Raises where another authority issued it and has to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParts:
    """Everything the desk works with."""

    database: Database
    clock: Clock
    randomness: Callable[[int], bytes]
    revoke_certificate: RevokeCertificate
    settings: SealSettings = field(default_factory=SealSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks about which seal, on what basis and why."""

    authority_code: str
    seal_id: str
    applicant: str
    basis_document: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmer:
    """Who decides about which request of which seal, having read what."""

    authority_code: str
    seal_id: str
    request_id: str
    actor: str
    digest: bytes
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Who ends a mandate, and why."""

    actor: str
    reason: str


class RequestDesk:
    """Files and decides requests. May be shared between threads."""

    def __init__(self, parts: RequestParts) -> None:
        self._parts = parts
        self._database = parts.database

    # Filing

    def file_move(self, asked: Asked, action: SealAction) -> SealRequest:
        """Ask for a move; raises ``SealNotFound``, ``InvalidSealOrder``, ``SealStateRefused``."""
        if action not in REQUESTED_MOVES:
            raise InvalidSealOrder("该操作须单独办理", field="action")
        with self._database.transaction() as connection:
            next_state(self._state(connection, asked), action)
            return self._enter(connection, asked, RequestKind.MOVE, {"action": action.value})

    def file_mandate(self, asked: Asked, wanted: MandateGrant) -> SealRequest:
        """Ask for a mandate; raises ``SealNotFound`` or ``InvalidSealOrder``."""
        with self._database.transaction() as connection:
            lookup.find(connection, asked.authority_code, asked.seal_id)
            mandates.check_grant(wanted)
            return self._enter(connection, asked, RequestKind.MANDATE, _grant_content(wanted))

    def file_compromise(self, asked: Asked, since: datetime) -> SealRequest:
        """Ask to declare a seal's key lost; raises as ``file_move``."""
        content: dict[str, object] = {"since": since.astimezone(UTC).isoformat()}
        with self._database.transaction() as connection:
            next_state(self._state(connection, asked), SealAction.COMPROMISE)
            if since > self._parts.clock.now():
                raise InvalidSealOrder("失密时间不能晚于现在", field="since")
            return self._enter(connection, asked, RequestKind.COMPROMISE, content)

    def _state(self, connection: Connection, asked: Asked) -> SealState:
        return lookup.find(connection, asked.authority_code, asked.seal_id).state

    def _enter(
        self,
        connection: Connection,
        asked: Asked,
        kind: RequestKind,
        content: dict[str, object],
    ) -> SealRequest:
        if not asked.basis_document.strip():
            raise InvalidSealOrder("不能为空", field="basis_document")
        now = self._parts.clock.now()
        request = SealRequest(
            request_id=f"sr-{self._parts.randomness(16).hex()}",
            authority_code=asked.authority_code,
            seal_id=asked.seal_id,
            kind=kind,
            content=json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            applicant=asked.applicant,
            basis_document=asked.basis_document,
            reason=asked.reason,
            filed_at=now,
            expires_at=now + timedelta(hours=self._parts.settings.request_hours),
        )
        requests.enter(connection, request)
        return request

    # Deciding

    def confirm(self, by: Confirmer) -> SealRequest:
        """Confirm a request and do what it asks.

        Raises ``SealNotFound``, ``SealRequestNotFound``, ``SealRequestClosed``,
        ``DualControlRefused``, or why it can no longer be done. When this returns for a compromise,
        no use of a seal with that key commits any more.
        """
        now = self._parts.clock.now()
        with self._database.transaction() as connection:
            request = self._find(connection, by)
            requests.confirm(connection, request, _decision(by, now))
            self._do(connection, request, by.actor, now)
        log_fact("seal_request_confirmed", request_id=request.request_id, kind=request.kind.value)
        if request.kind is RequestKind.COMPROMISE:
            self._finish_compromise(request)
        with self._database.reading() as connection:
            return self._find(connection, by)

    def refuse(self, by: Confirmer) -> SealRequest:
        """Close a request without doing it; raises as ``confirm``."""
        with self._database.transaction() as connection:
            request = self._find(connection, by)
            requests.refuse(connection, request, _decision(by, self._parts.clock.now()))
            return self._find(connection, by)

    def _find(self, connection: Connection, by: Confirmer) -> SealRequest:
        lookup.find(connection, by.authority_code, by.seal_id)
        return requests.find(connection, by.authority_code, by.seal_id, by.request_id)

    def _do(self, connection: Connection, request: SealRequest, actor: str, now: datetime) -> None:
        content = json.loads(request.content)
        order = MoveOrder(
            authority_code=request.authority_code,
            seal_id=request.seal_id,
            action=SealAction.COMPROMISE,
            applicant=request.applicant,
            approver=actor,
            basis_document=request.basis_document,
            reason=request.reason,
            now=now,
        )
        if request.kind is RequestKind.MOVE:
            registry.move(connection, replace(order, action=SealAction(content["action"])))
        elif request.kind is RequestKind.MANDATE:
            grant = replace(
                _grant_from_content(content), applicant=request.applicant, approver=actor
            )
            mandates.grant_mandate(connection, grant, now)
        else:
            seal = lookup.find(connection, request.authority_code, request.seal_id)
            lost = replace(order, effective_at=datetime.fromisoformat(content["since"]))
            compromise.stop(connection, compromise.sharing_keys(connection, seal), lost)
        if request.kind is not RequestKind.COMPROMISE:
            requests.complete(connection, request.request_id, now)

    # Compromised keys

    def finish_compromises(self) -> None:
        """Revoke the certificates of every confirmed compromise that is not finished yet."""
        with self._database.reading() as connection:
            waiting = requests.unfinished(connection, RequestKind.COMPROMISE)
        for request in waiting:
            self._finish_compromise(request)

    def _finish_compromise(self, request: SealRequest) -> None:
        """Revoke; the seals are stopped already, so a failure is told and tried again later."""
        since = datetime.fromisoformat(json.loads(request.content)["since"])
        with self._database.reading() as connection:
            seal = lookup.find(connection, request.authority_code, request.seal_id)
            certificates = compromise.certificates(compromise.sharing_keys(connection, seal))
        now = self._parts.clock.now()
        try:
            for certificate in certificates:
                self._parts.revoke_certificate(certificate, now, since)
        except ServiceError as error:
            log_alarm("certificate_not_revoked", request_id=request.request_id, code=error.code)
            return
        with self._database.transaction() as connection:
            requests.complete(connection, request.request_id, now)

    # Reading and withdrawing

    def show_request(self, authority_code: str, seal_id: str, request_id: str) -> SealRequest:
        """Return a request; raises ``SealNotFound`` or ``SealRequestNotFound``."""
        with self._database.reading() as connection:
            lookup.find(connection, authority_code, seal_id)
            return requests.find(connection, authority_code, seal_id, request_id)

    def list_requests(self, authority_code: str, seal_id: str) -> tuple[SealRequest, ...]:
        """List the requests about a seal of the tenant; raises ``SealNotFound``."""
        with self._database.reading() as connection:
            lookup.find(connection, authority_code, seal_id)
            return requests.list_requests(connection, authority_code, seal_id)

    def sealed_since(
        self, authority_code: str, seal_id: str, since: datetime, *, after: int = 0
    ) -> tuple[SealedSince, ...]:
        """List what was sealed with the seal's keys since an instant; raises ``SealNotFound``."""
        with self._database.reading() as connection:
            seal = lookup.find(connection, authority_code, seal_id)
            return compromise.sealed_since(connection, seal, since, after=after)

    def withdraw_mandate(
        self, authority_code: str, seal_id: str, mandate_id: int, ended: Withdrawal
    ) -> Mandate:
        """End a mandate at once; uses that begin afterwards are refused.

        Raises ``SealNotFound``, or ``MandateMissing`` where it has ended or is another seal's.
        """
        now = self._parts.clock.now()
        with self._database.transaction() as connection:
            lookup.find(connection, authority_code, seal_id)
            mandates.check_of_seal(connection, authority_code, seal_id, mandate_id)
            mandates.withdraw_mandate(
                connection,
                authority_code,
                mandate_id,
                actor=ended.actor,
                now=now,
                reason=ended.reason,
            )
            found = mandates.mandates_of(connection, authority_code, seal_id)
        return next(one for one in found if one.mandate_id == mandate_id)


def _decision(by: Confirmer, now: datetime) -> Decision:
    return Decision(actor=by.actor, digest=by.digest, remark=by.remark, now=now)


def _grant_content(grant: MandateGrant) -> dict[str, object]:
    return {
        "authority_code": grant.authority_code,
        "seal_id": grant.seal_id,
        "caller_id": grant.caller_id,
        "licence_type_code": grant.licence_type_code,
        "valid_from": grant.valid_from.astimezone(UTC).isoformat(),
        "valid_until": grant.valid_until.astimezone(UTC).isoformat(),
        "basis_document": grant.basis_document,
        "limits": json.loads(mandates.limits_to_text(grant.limits)),
    }


def _grant_from_content(content: dict[str, str | None]) -> MandateGrant:
    """Read what ``_grant_content`` wrote; the persons are the request's."""
    return MandateGrant(
        authority_code=str(content["authority_code"]),
        seal_id=str(content["seal_id"]),
        caller_id=content["caller_id"],
        licence_type_code=content["licence_type_code"],
        valid_from=datetime.fromisoformat(str(content["valid_from"])),
        valid_until=datetime.fromisoformat(str(content["valid_until"])),
        applicant="",
        approver="",
        basis_document=str(content["basis_document"]),
        limits=mandates.limits_from_text(json.dumps(content["limits"])),
    )

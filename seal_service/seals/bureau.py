"""The seal bureau: leads a seal through its life, and has it made by the maker's key.

Making: 1. the application must be approved; 2. draw the picture; 3. take the seal's keys and
certificates and check them; 4. make the e-seal, signed by the seal maker; 5. enter it. It shares no
key with the sealing path and can be deployed apart from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from keys.algorithms import KeyAlgorithm
from keys.certificates import parse_certificate
from keys.errors import InvalidKey
from keys.keystore import Signer
from seal_service.errors import DualControlRefused, InvalidSealOrder
from seal_service.formats.ses import SESVersion
from seal_service.plumbing.callers import find_caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.seals import compromise, lookup, mandates, registry
from seal_service.seals.making import (
    LICENCE_SEAL_TYPE,
    OFFICIAL_SEAL_TYPE,
    PERSONAL_SEAL_TYPE,
    SealOrder,
    make_seal,
)
from seal_service.seals.model import (
    ListedSeal,
    MadeSeal,
    Mandate,
    MandateGrant,
    Seal,
    SealApplication,
    SealKind,
    SealStatus,
    SigningIdentity,
)
from seal_service.seals.policy import check_identity
from seal_service.seals.preview import SealPainter
from seal_service.seals.registry import ApplyOrder, MoveOrder
from seal_service.seals.statements import (
    Statement,
    StatementSigner,
    make_statement,
    sign_statement,
)
from seal_service.seals.states import SealAction, SealEvent, SealState, next_state
from seal_service.settings import SealSettings

_SEAL_TYPES = {
    SealKind.OFFICIAL: OFFICIAL_SEAL_TYPE,
    SealKind.LICENCE: LICENCE_SEAL_TYPE,
    SealKind.BUSINESS: OFFICIAL_SEAL_TYPE,
    SealKind.PERSONAL: PERSONAL_SEAL_TYPE,
}

IdentitySource = Callable[[Seal, KeyAlgorithm], SigningIdentity]
"""Gives a seal its key and certificate, or finds those it has; must answer alike when asked again.
"""


APPROVING_SCOPE = "seals:approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class BureauParts:
    """Everything the bureau works with."""

    database: Database
    clock: Clock
    randomness: Callable[[int], bytes]
    keys: Signer
    maker: Callable[[], SigningIdentity]
    """Returns the maker's key with its present certificate."""
    painter: SealPainter
    identities: IdentitySource
    settings: SealSettings = field(default_factory=SealSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who asked for a step, who decides and does it, on what basis, why."""

    applicant: str
    approver: str
    basis_document: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The persons of a seal's way from application to use; no two of them may be one."""

    applicant: str
    approver: str
    maker: str
    manager: str


class SealBureau:
    """Applications, decisions, making, and every later move of a seal."""

    def __init__(self, parts: BureauParts) -> None:
        self._parts = parts
        self._database = parts.database

    def apply(
        self, application: SealApplication, *, applicant: str, basis_document: str, reason: str = ""
    ) -> Seal:
        """Enter an application under a fresh seal identifier.

        Raises ``InvalidSealOrder`` or ``SealPictureNotFound``.
        """
        face = self._parts.painter.complete(application.authority_code, application.face)
        application = replace(application, face=face)
        order = ApplyOrder(
            seal_id=make_seal_id(application.authority_code, self._parts.randomness(8)),
            application=application,
            applicant=applicant,
            basis_document=basis_document,
            reason=reason,
            now=self._parts.clock.now(),
        )
        with self._database.transaction() as connection:
            return registry.apply(connection, order)

    def approve(
        self, authority_code: str, seal_id: str, step: Step, application_digest: bytes
    ) -> Seal:
        """Approve exactly the application that was read; raises as ``registry.approve``."""
        order = self._order(authority_code, seal_id, SealAction.APPROVE, step)
        with self._database.transaction() as connection:
            return registry.approve(connection, order, application_digest)

    def make(self, authority_code: str, seal_id: str, step: Step) -> Seal:
        """Make an approved seal.

        Raises ``SealStateRefused``, ``GlyphMissing``, ``UnsafePicture``, ``InvalidKey``,
        ``SealExpired`` (certificate), ``SelfCheckFailed`` or what the key store refuses;
        ``DualControlRefused`` where the approval is too old (T-API-11), or its approver was shut
        out or may approve no more since (T-API-09).
        """
        with self._database.reading() as connection:
            seal = lookup.find(connection, authority_code, seal_id)
            events = lookup.history(connection, authority_code, seal_id)
            next_state(seal.state, SealAction.MAKE)  # 1
            self._check_approval(connection, events)
        made = self._produce(seal)
        order = self._order(authority_code, seal_id, SealAction.MAKE, step)
        with self._database.transaction() as connection:  # 5
            return registry.record_made(connection, order, made)

    def _check_approval(self, connection: Connection, events: tuple[SealEvent, ...]) -> None:
        """Refuse an approval that is too old, or whose approver may approve nothing any more."""
        now = self._parts.clock.now()
        limit = timedelta(days=self._parts.settings.approval_days)
        approval = next(event for event in reversed(events) if event.action is SealAction.APPROVE)
        if now > approval.happened_at + limit:
            raise DualControlRefused(rule="approval-expired", action=SealAction.MAKE.value)
        approver = find_caller(connection, approval.approver)
        # Accounts of the terminal are no callers; whether they are still good is the system's.
        if approver is not None and not (
            approver.may_call_at(now) and APPROVING_SCOPE in approver.scopes
        ):
            raise DualControlRefused(rule="approver-lapsed", action=SealAction.MAKE.value)

    def _produce(self, seal: Seal) -> MadeSeal:
        parts, application = self._parts, seal.application
        now = parts.clock.now()
        picture = parts.painter.paint(seal.authority_code, application.face)  # 2
        sm2 = self._identity(seal, KeyAlgorithm.SM2, now)  # 3
        rsa = self._identity(seal, KeyAlgorithm.RSA, now)
        maker = parts.maker()
        check_identity(maker, parts.keys.public_key(maker.key_name), now)
        order = SealOrder(
            seal_id=seal.seal_id,
            name=seal.name,
            picture=picture,
            certificates=(sm2.certificate,),
            created_at=now,
            valid_from=application.valid_from,
            valid_until=application.valid_until,
            seal_type=_SEAL_TYPES[application.kind],
        )
        eseal_der = make_seal(  # 4
            order,
            sign=lambda message: parts.keys.sign_with(maker.key_name, message),
            maker_certificate=maker.certificate,
            version=SESVersion(parts.settings.ses_version),
        )
        return MadeSeal(
            eseal_der=eseal_der,
            picture_png=picture.data,
            width_mm=picture.width_mm,
            height_mm=picture.height_mm,
            sm2=sm2,
            rsa=rsa,
        )

    def _identity(self, seal: Seal, algorithm: KeyAlgorithm, now: datetime) -> SigningIdentity:
        identity = self._parts.identities(seal, algorithm)
        check_holder(seal, identity, algorithm)
        with self._database.reading() as connection:
            if compromise.is_lost(connection, identity.key_name):
                raise InvalidKey("the key was declared lost", key_name=identity.key_name)
        check_identity(identity, self._parts.keys.public_key(identity.key_name), now)
        return identity

    def move(self, authority_code: str, seal_id: str, action: SealAction, step: Step) -> Seal:
        """Do any step but approving and making; raises as ``registry.move``."""
        with self._database.transaction() as connection:
            return registry.move(connection, self._order(authority_code, seal_id, action, step))

    def grant(self, grant: MandateGrant) -> Mandate:
        """Enter a mandate; raises as ``mandates.grant_mandate``."""
        with self._database.transaction() as connection:
            return mandates.grant_mandate(connection, grant, self._parts.clock.now())

    def register_made_seal(
        self,
        application: SealApplication,
        people: People,
        *,
        basis_document: str,
        licence_type_codes: Sequence[str | None] = (),
    ) -> Seal:
        """Lead a new seal all the legal way into use, and mandate the tenant's callers for types.

        For setting up a trial or taking over a register. Raises what the single steps raise.
        """
        _check_distinct(people)
        tenant, basis = application.authority_code, basis_document
        seal = self.apply(application, applicant=people.applicant, basis_document=basis)
        seal_id = seal.seal_id

        def step(approver: str) -> Step:
            return Step(applicant=people.applicant, approver=approver, basis_document=basis)

        self.approve(tenant, seal_id, step(people.approver), seal.application.digest)
        self.make(tenant, seal_id, step(people.maker))
        for action in (SealAction.FILE, SealAction.ISSUE, SealAction.ACTIVATE):
            self.move(tenant, seal_id, action, step(people.manager))
        for code in licence_type_codes:
            grant = MandateGrant(
                authority_code=tenant,
                seal_id=seal_id,
                caller_id=None,
                licence_type_code=code,
                valid_from=application.valid_from,
                valid_until=application.valid_until,
                applicant=people.applicant,
                approver=people.manager,
                basis_document=basis,
            )
            self.grant(grant)
        return self.show(tenant, seal_id)

    def _order(
        self, authority_code: str, seal_id: str, action: SealAction, step: Step
    ) -> MoveOrder:
        return MoveOrder(
            authority_code=authority_code,
            seal_id=seal_id,
            action=action,
            applicant=step.applicant,
            approver=step.approver,
            basis_document=step.basis_document,
            reason=step.reason,
            now=self._parts.clock.now(),
        )

    # Reading

    def show(self, authority_code: str, seal_id: str) -> Seal:
        """Return a seal of the tenant; raises ``SealNotFound``."""
        with self._database.reading() as connection:
            return lookup.find(connection, authority_code, seal_id)

    def list_seals(
        self,
        authority_code: str,
        *,
        state: SealState | None,
        search: str = "",
        after: str | None,
        limit: int,
    ) -> tuple[ListedSeal, ...]:
        """List the tenant's seals, newest first; ``search`` as in ``lookup.list_seals``."""
        with self._database.reading() as connection:
            return lookup.list_seals(
                connection, authority_code, state=state, search=search, after=after, limit=limit
            )

    def history(self, authority_code: str, seal_id: str) -> tuple[SealEvent, ...]:
        """Return every event of a seal of the tenant; raises ``SealNotFound``."""
        with self._database.reading() as connection:
            lookup.find(connection, authority_code, seal_id)
            return lookup.history(connection, authority_code, seal_id)

    def status(self, authority_code: str, seal_id: str, at: datetime | None = None) -> SealStatus:
        """Return the status of a seal of the tenant, now or at an instant.

        Raises ``SealNotFound``.
        """
        with self._database.reading() as connection:
            lookup.find(connection, authority_code, seal_id)
            return lookup.status_at(connection, seal_id, at or self._parts.clock.now())

    def public_status(
        self, seal_id: str, at: datetime | None, signer: StatementSigner
    ) -> tuple[Statement, bytes]:
        """Return what anyone may know of any seal, now or at an instant, and the signature over it.

        Raises ``SealNotFound``, or ``InvalidSealOrder`` for an instant that is still to come.
        """
        now = self._parts.clock.now()
        if at is not None and at > now:
            raise InvalidSealOrder("不能查询将来的状态", field="at")
        with self._database.reading() as connection:
            status = lookup.status_at(connection, seal_id, at or now)
        statement = make_statement(status, now)
        return statement, sign_statement(statement, signer)

    def mandates(self, authority_code: str, seal_id: str) -> tuple[Mandate, ...]:
        """Return every mandate of a seal of the tenant; raises ``SealNotFound``."""
        with self._database.reading() as connection:
            lookup.find(connection, authority_code, seal_id)
            return mandates.mandates_of(connection, authority_code, seal_id)


def make_seal_id(authority_code: str, randomness: bytes) -> str:
    """Return a fresh esID: the owner's credit code and sixteen random hexadecimal digits."""
    return f"{authority_code}{randomness.hex().upper()}"


def check_holder(seal: Seal, identity: SigningIdentity, algorithm: KeyAlgorithm) -> None:
    """Raise ``InvalidKey`` unless the certificate is the owner's and of the algorithm wanted."""
    certificate = parse_certificate(identity.certificate)
    if certificate.public_key.algorithm is not algorithm:
        raise InvalidKey("a key of another algorithm is due", key_name=identity.key_name)
    if certificate.organisation_code not in (None, seal.authority_code):
        raise InvalidKey("the certificate is another unit's", key_name=identity.key_name)


def _check_distinct(people: People) -> None:
    names = (people.applicant, people.approver, people.maker, people.manager)
    if len(set(names)) != len(names):
        raise InvalidSealOrder("申请、审批、制作、管理须为不同人员", field="people")

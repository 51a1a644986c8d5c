"""From domain values to the wire types of ``schemas``: explicit, field by field."""

import base64

from keys.certificates import parse_certificate
from seal_service.pictures.schemas import design_to_wire
from seal_service.plumbing.instants import instant
from seal_service.schemas import (
    SealAnswer,
    SealCertificateAnswer,
    SealEventAnswer,
    SealStatementAnswer,
    SealStatusAnswer,
)
from seal_service.seals.model import ListedSeal, Seal
from seal_service.seals.statements import Statement
from seal_service.seals.states import STATE_NAMES, SealEvent


def seal_to_wire(seal: Seal) -> SealAnswer:
    """Convert a seal; keys stay out, by name as well."""
    return listed_to_wire(seal.listed())


def listed_to_wire(seal: ListedSeal) -> SealAnswer:
    """Convert a seal of a list."""
    application = seal.application
    return SealAnswer(
        seal_id=seal.seal_id,
        kind=application.kind.value,
        name=seal.name,
        number=application.face.number,
        diameter_mm=application.face.diameter_mm,
        design=design_to_wire(application.face),
        valid_from=instant(application.valid_from),
        valid_until=instant(application.valid_until),
        state=seal.state.value,
        state_name=STATE_NAMES[seal.state],
        epoch=seal.epoch,
        applicant=seal.applicant,
        applied_at=instant(seal.applied_at),
        application_digest=application.digest.hex(),
        predecessor_seal_id=application.predecessor_seal_id,
        picture_sha256=seal.picture_sha256,
        certificates=[certificate_to_wire(certificate) for certificate in seal.certificates],
    )


def certificate_to_wire(certificate_der: bytes) -> SealCertificateAnswer:
    """Convert a certificate."""
    certificate = parse_certificate(certificate_der)
    return SealCertificateAnswer(
        algorithm=certificate.public_key.algorithm.value,
        serial=f"{certificate.serial:x}",
        subject=certificate.subject,
        not_after=instant(certificate.not_after),
        fingerprint=certificate.fingerprint,
    )


def status_to_wire(statement: Statement, signature: bytes) -> SealStatusAnswer:
    """Convert a signed status; the statement stays what was signed, member by member."""
    return SealStatusAnswer(
        statement=SealStatementAnswer.model_validate(statement),
        signature=base64.b64encode(signature).decode("ascii"),
    )


def event_to_wire(event: SealEvent) -> SealEventAnswer:
    """Convert an event."""
    return SealEventAnswer(
        happened_at=instant(event.happened_at),
        action=event.action.value,
        state_before=None if event.before is None else event.before.value,
        state_after=event.after.value,
        applicant=event.applicant,
        approver=event.approver,
        basis_document=event.basis_document,
        reason=event.reason,
        effective_at=None if event.effective_at is None else instant(event.effective_at),
    )

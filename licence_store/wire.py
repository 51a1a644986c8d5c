"""From domain values to the wire types of ``schemas``: explicit, field by field."""

import base64
from typing import Literal

from licence_store.desk import Released
from licence_store.model import Holder, IssuingAuthority, Licence, Revocation
from licence_store.presentation import LicenceUse, Presentation
from licence_store.schemas import (
    FileAnswer,
    HolderBody,
    IssuingAuthorityBody,
    LicenceAnswer,
    PresentationAnswer,
    RedemptionAnswer,
    ReleasedFile,
    RevocationAnswer,
    UseAnswer,
)
from licence_store.states import STATE_NAMES
from seal_service.plumbing.instants import instant


def authority_to_wire(authority: IssuingAuthority) -> IssuingAuthorityBody:
    """Convert an issuing authority."""
    return IssuingAuthorityBody(code=authority.code, name=authority.name)


def holder_to_wire(holder: Holder) -> HolderBody:
    """Convert a holder, in full: only the owner of the row and its chosen redeemer see it."""
    return HolderBody(name=holder.name, code=holder.code, code_type=holder.code_type.value)


def files_to_wire(licence: Licence) -> dict[Literal["ofd", "pdf"], FileAnswer]:
    """Convert the files of a licence."""
    return {
        file.format.value: FileAnswer(
            digest=file.digest,
            size=file.size,
            media_type=file.media_type,
            url=f"/v1/licences/{licence.identifier}/files/{file.format.value}",
            seal_id=file.seal_id,
            seal_use_id=file.seal_use_id,
        )
        for file in licence.files
    }


def revocation_to_wire(revocation: Revocation | None) -> RevocationAnswer | None:
    """Convert a revocation, if there is one."""
    if revocation is None:
        return None
    return RevocationAnswer(
        kind=revocation.kind.value,
        reason=revocation.reason,
        basis_document=revocation.basis_document,
        revoked_at=instant(revocation.revoked_at),
    )


def licence_to_wire(licence: Licence, qr_url: str) -> LicenceAnswer:
    """Convert a licence for its own tenant."""
    result = licence.approval_result
    return LicenceAnswer(
        identifier=licence.identifier,
        licence_number=licence.licence_number,
        licence_type_code=result.licence_type_code,
        licence_type_name=licence.licence_type_name,
        version=licence.version,
        state=licence.state.value,
        state_name=STATE_NAMES[licence.state],
        case_number=result.case_number,
        issuing_authority=authority_to_wire(result.issuing_authority),
        holder=holder_to_wire(result.holder),
        face_data=dict(result.face_data),
        metadata=dict(licence.metadata),
        issued_on=result.issued_on.isoformat(),
        valid_from=result.valid_from.isoformat(),
        valid_until=result.valid_until.isoformat() if result.valid_until else None,
        issued_at=instant(licence.issued_at or licence.reserved_at),
        template_version=licence.template_version,
        qr_url=qr_url,
        files=files_to_wire(licence),
        revocation=revocation_to_wire(licence.revocation),
    )


def presentation_to_wire(presentation: Presentation) -> PresentationAnswer:
    """Convert a one-time code."""
    return PresentationAnswer(
        code=presentation.code,
        identifier=presentation.identifier,
        purpose=presentation.purpose,
        expires_at=instant(presentation.expires_at),
    )


def use_to_wire(use: LicenceUse) -> UseAnswer:
    """Convert a row of the use log."""
    return UseAnswer(
        use_id=use.use_id,
        used_at=instant(use.used_at),
        user_authority_code=use.user_authority_code,
        caller_id=use.caller_id,
        service_item_code=use.service_item_code,
        case_number=use.case_number,
        purpose=use.purpose,
        version=use.version,
        released=list(use.released),
        result=use.result.value,
    )


def release_to_wire(released: Released) -> RedemptionAnswer:
    """Convert what a redemption releases."""
    licence = released.licence
    result = licence.approval_result
    return RedemptionAnswer(
        identifier=licence.identifier,
        licence_number=licence.licence_number,
        licence_type_code=result.licence_type_code,
        licence_type_name=licence.licence_type_name,
        purpose=released.purpose,
        issuing_authority=authority_to_wire(result.issuing_authority),
        holder=holder_to_wire(result.holder),
        face_data=dict(result.face_data),
        issued_on=result.issued_on.isoformat(),
        valid_from=result.valid_from.isoformat(),
        valid_until=result.valid_until.isoformat() if result.valid_until else None,
        files={
            file.format.value: ReleasedFile(
                media_type=file.media_type,
                digest=file.digest,
                content=base64.b64encode(content).decode("ascii"),
            )
            for file, content in released.files
        },
    )

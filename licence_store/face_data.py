"""Whether face data fits its template and says the same as the rest of the approval result (pure).

The fields themselves are checked by ``rendering.fields``. Here: the holder on the face is the
holder of the licence, the type is issued to such holders, and a type that always ends has its last
day; so that face, metadata and library agree (GB/T 36903, T-API-26).
"""

from licence_store.approval import FaultList, pointer_to
from licence_store.errors import FieldFault, InvalidFaceData
from licence_store.model import ApprovalResult
from licence_store.rendering import fields
from licence_store.rendering.manifest import FieldType, LicenceTemplate

HOLDER_NAME_FIELDS = frozenset({"name", "operator_name", "unit_name", "enterprise_name"})
"""Face fields that hold the holder's name, by the field lists of the licence types."""
HOLDER_CODE_TYPES = frozenset({FieldType.USCC, FieldType.USCC_OR_CITIZEN_ID})
NEEDS_END = frozenset({"five-years", "four-years", "three-years", "until"})
"""Validity rules under which a licence always ends."""


def check_face_data(template: LicenceTemplate, result: ApprovalResult) -> None:
    """Check the face of an approval result; raises ``InvalidFaceData`` with all faults."""
    faults = [*_field_faults(template, result), *_contradictions(template, result)]
    if faults:
        raise InvalidFaceData(tuple(faults))


def _field_faults(template: LicenceTemplate, result: ApprovalResult) -> tuple[FieldFault, ...]:
    try:
        fields.check_face_data(template, result.face_data)
    except InvalidFaceData as error:
        return error.errors
    return ()


def _contradictions(template: LicenceTemplate, result: ApprovalResult) -> list[FieldFault]:
    """Compare the face with the holder and the validity of the approval result."""
    found = FaultList()
    holder = result.holder
    for field in template.fields:
        value = result.face_data.get(field.name, "")
        if value and field.type in HOLDER_CODE_TYPES and value != holder.code:
            found.add(pointer_to("face_data", field.name), "与持证主体代码不一致")
        if value and field.name in HOLDER_NAME_FIELDS and value != holder.name:
            found.add(pointer_to("face_data", field.name), "与持证主体名称不一致")
    if holder.code_type.value not in template.holder_types:
        found.add("/holder/code_type", "该类证照不颁发给此类持证主体")
    if template.validity in NEEDS_END and result.valid_until is None:
        found.add("/valid_until", "该类证照必须有有效期截止日期")
    return found.faults

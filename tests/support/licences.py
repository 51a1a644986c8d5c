"""Approval results for tests: the defaults are valid, the keywords are flaws.

All names, bodies and numbers are invented; the check digits are right.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from threading import Lock

from keys.algorithms import sm3
from licence_store import library, lookup
from licence_store.codes import HolderCodeType, organisation_check, uscc_check
from licence_store.identifiers import assign_identifier
from licence_store.library import KeptLicence, Reservation
from licence_store.metadata import MetadataSource, build_metadata
from licence_store.model import (
    ApprovalResult,
    FileFormat,
    Holder,
    IssuingAuthority,
    Licence,
    LicenceFile,
    derive_index_keys,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
BUSINESS_LICENCE = "11100000MB0143028R001"
FOOD_PERMIT = "11100000MB0143028R002"
AUTHORITY = IssuingAuthority(code="11320102MB9K00021D", name="金陵市云栖区行政审批局")
OTHER_AUTHORITY = IssuingAuthority(code="11320100MB9K00013M", name="金陵市数据管理局")
HOLDER = Holder(
    name="金陵云栖茶点有限公司", code="91320102MA9K00028Q", code_type=HolderCodeType.USCC
)
LONG_SCOPE = "；".join(
    f"许可项目第{number}项：食品销售、餐饮服务、城市配送运输服务" for number in range(1, 27)
)


def make_uscc(number: int, prefix: str = "91320102") -> str:
    """Make an invented credit code with both check characters right."""
    body = f"MA9T{number:04d}"
    start = prefix + body + organisation_check(body)
    return start + uscc_check(start)


def business_face(holder: Holder = HOLDER) -> dict[str, str]:
    """Return valid face data of a business licence."""
    return {
        "uscc": holder.code,
        "name": holder.name,
        "entity_type": "有限责任公司（自然人投资或控股）",
        "legal_representative": "林一舟",
        "registered_capital": "壹佰万元整",
        "establishment_date": "2026-11-20",
        "domicile": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_scope": "餐饮服务；食品销售；日用百货销售。",
    }


def food_face(holder: Holder = HOLDER) -> dict[str, str]:
    """Return valid face data of a food business permit."""
    return {
        "operator_name": holder.name,
        "operator_code": holder.code,
        "legal_representative": "林一舟",
        "domicile": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_premises": "金陵市云栖区梧桐路 18 号 2 幢 101 室",
        "business_form": "餐饮服务经营者",
        "business_items": "热食类食品制售；冷食类食品制售；自制饮品制售",
        "licence_no": "JY23201020010244",
    }


def make_approval_result(
    *,
    case_number: str = "YQ-2026-000001",
    face_changes: Mapping[str, str] | None = None,
    **changes: object,
) -> ApprovalResult:
    """Make a business-licence result; further keywords replace fields of the value."""
    result = ApprovalResult(
        case_number=case_number,
        service_item_code="11320102MB9K00021D4320125001000",
        service_item_name="公司设立登记",
        licence_type_code=BUSINESS_LICENCE,
        issuing_authority=AUTHORITY,
        holder=HOLDER,
        face_data={**business_face(), **(face_changes or {})},
        issued_on=date(2026, 11, 24),
        valid_from=date(2026, 11, 24),
        valid_until=None,
        area_code="320102",
        licence_number=None,
    )
    return replace(result, **changes)  # type: ignore[arg-type]  # a builder's keywords are flaws


def make_food_result(**changes: object) -> ApprovalResult:
    """Make a food-permit result of five years; keywords replace fields of the value."""
    base = make_approval_result(
        case_number="YQ-2026-000002",
        service_item_code="11320102MB9K00021D4320131005000",
        service_item_name="食品经营许可",
        licence_type_code=FOOD_PERMIT,
        face_data=food_face(),
        valid_until=date(2031, 11, 23),
        licence_number="JY23201020010244",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def make_identifier(result: ApprovalResult, serial: int = 1) -> str:
    """Make the identifier a result could get."""
    return assign_identifier(
        licence_type_code=result.licence_type_code,
        authority_code=result.issuing_authority.code,
        serial=f"2026NJ{serial:08d}",
    )


def make_record(result: ApprovalResult, identifier: str) -> dict[str, str]:
    """Make the metadata record of a result."""
    return build_metadata(
        MetadataSource(
            approval_result=result,
            identifier=identifier,
            licence_number=result.licence_number or result.holder.code,
            licence_type_name="营业执照",
            define_authority_name="国家市场监督管理总局",
            created_at=NOW,
        )
    )


def make_files() -> tuple[LicenceFile, ...]:
    """Make rows of two files that exist nowhere."""
    return tuple(
        LicenceFile(
            format=form,
            digest=(form.value * 32)[:64].encode().hex()[:64],
            size=1000,
            seal_id="seal-1",
            seal_use_id=f"use-{form.value}",
        )
        for form in FileFormat
    )


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now

    def move(self, step: timedelta) -> None:
        """Let time pass."""
        self._now += step


class MemoryBlobs:
    """A blob store without a disk."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """Keep bytes under their digest."""
        digest = sm3(data).hex()
        self.kept[digest] = data
        return digest

    def get(self, digest: str) -> bytes:
        """Return kept bytes."""
        return self.kept[digest]

    def exists(self, digest: str) -> bool:
        """Tell whether bytes are kept."""
        return digest in self.kept

    def delete(self, digest: str) -> None:
        """Forget bytes."""
        self.kept.pop(digest, None)


def make_caller(
    caller_id: str = "approval", authority_code: str = AUTHORITY.code, scopes: str = ""
) -> Caller:
    """Make a caller of a tenant."""
    return Caller(
        caller_id=caller_id, authority_code=authority_code, scopes=frozenset(scopes.split())
    )


def make_randomness(seed: int) -> Callable[[int], bytes]:
    """Make a repeatable source of bytes."""
    source = Random(seed)  # noqa: S311 - repeatable on purpose
    lock = Lock()

    def take(length: int) -> bytes:
        with lock:
            return source.randbytes(length)

    return take


def put_in_force(database: Database, result: ApprovalResult, blobs: MemoryBlobs) -> Licence:
    """Put a licence into the library without rendering or sealing anything."""
    identifier = make_identifier(result)
    keys = derive_index_keys(b"index secret of tests", result.issuing_authority.code)
    wanted = Reservation(
        approval_result=result,
        identifier=identifier,
        qr_digest=sm3(keys.qr_token(identifier)),
        holder_digest=keys.holder_digest(result.holder),
        licence_number=result.licence_number or result.holder.code,
        licence_type_name="营业执照",
        template_version="1",
        now=NOW,
        lease_until=NOW + timedelta(seconds=60),
    )
    files = tuple(
        replace(file, digest=blobs.put(file.format.encode()), size=len(file.format))
        for file in make_files()
    )
    with database.transaction() as connection:
        reserved = library.reserve(connection, wanted)
        kept = KeptLicence(
            reserved=reserved,
            metadata=make_record(result, identifier),
            files=files,
            caller_id="approval",
            now=NOW,
        )
        library.keep(connection, kept)
        return lookup.find(connection, result.issuing_authority.code, identifier)

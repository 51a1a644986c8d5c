"""What a trial needs before its first licence: a seal for the authority, and a caller that issues.

For development only: one call plays all the persons that a real register keeps apart.
"""

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from eseal.main import Service
from keys.private_files import read_file, write_new_file
from licence_store.api import (
    SCOPE_ISSUE,
    SCOPE_PRESENT,
    SCOPE_READ,
    SCOPE_REDEEM,
    SCOPE_REVOKE,
)
from licence_store.model import IssuingAuthority
from seal_service import api as seal_api
from seal_service.plumbing.callers import (
    NewCaller,
    find_caller,
    register_caller,
    replace_secret,
)
from seal_service.sealings.api import SCOPE_USE
from seal_service.seals.bureau import People
from seal_service.seals.model import Seal, SealApplication, SealFace, SealKind
from seal_service.seals.states import SealState
from verifier.api import SCOPE_EVIDENCE, SCOPE_VERIFY
from verifier.comparison.api import SCOPE_COMPARE

SEAL_PURPOSE = "电子证照专用章"
SEAL_YEARS = 3
PEOPLE = People(
    applicant="张一（申请）", approver="李二（审批）", maker="王三（制作）", manager="赵四（管理）"
)
BASIS = "试用环境初始化"
ALL_SCOPES = frozenset(
    {
        SCOPE_ISSUE,
        SCOPE_READ,
        SCOPE_REVOKE,
        SCOPE_PRESENT,
        SCOPE_REDEEM,
        SCOPE_VERIFY,
        SCOPE_EVIDENCE,
        SCOPE_COMPARE,
        seal_api.SCOPE_READ,
        seal_api.SCOPE_APPLY,
        seal_api.SCOPE_APPROVE,
        seal_api.SCOPE_AUDIT,
        seal_api.SCOPE_MAKE,
        seal_api.SCOPE_MANAGE,
        SCOPE_USE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerAccess:
    """What a calling program needs: its name and its secret."""

    caller_id: str
    authority_code: str
    secret: bytes = field(repr=False)


def ensure_seal(service: Service, authority: IssuingAuthority) -> Seal:
    """Return the authority's active seal; make one, for every licence type, if it has none."""
    known = service.bureau.list_seals(authority.code, state=SealState.ACTIVE, after=None, limit=1)
    if known:
        return service.bureau.show(authority.code, known[0].seal_id)
    now = service.clock.now().replace(microsecond=0)
    application = SealApplication(
        authority_code=authority.code,
        kind=SealKind.LICENCE,
        face=SealFace(name=authority.name, line_below=SEAL_PURPOSE),
        valid_from=now,
        valid_until=now + timedelta(days=365 * SEAL_YEARS),
    )
    return service.bureau.register_made_seal(
        application, PEOPLE, basis_document=BASIS, licence_type_codes=[None]
    )


def ensure_caller(service: Service, authority_code: str, folder: Path) -> CallerAccess:
    """Return a caller of the authority that may do everything; its secret stays in ``folder``."""
    caller_id = f"demo-{authority_code[-6:].lower()}"
    path = folder / f"{caller_id}.json"
    with service.installation.database.transaction() as connection:
        known = find_caller(connection, caller_id)
        if known is not None and path.exists():
            return read_access(path)
        if known is not None:
            secret = replace_secret(
                connection, caller_id, box=service.box, randomness=secrets.token_bytes
            )
        else:
            secret = register_caller(
                connection,
                NewCaller(caller_id=caller_id, authority_code=authority_code, scopes=ALL_SCOPES),
                box=service.box,
                randomness=secrets.token_bytes,
                now=service.clock.now(),
            )
    access = CallerAccess(caller_id=caller_id, authority_code=authority_code, secret=secret)
    write_access(path, access)
    return access


def write_access(path: Path, access: CallerAccess) -> None:
    """Write a caller's access to a private file of its own."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    content = {
        "caller_id": access.caller_id,
        "authority_code": access.authority_code,
        "secret": access.secret.hex(),
    }
    write_new_file(path, json.dumps(content).encode())


def read_access(path: Path) -> CallerAccess:
    """Read what ``write_access`` wrote; the file must be private."""
    content = json.loads(read_file(path))
    return CallerAccess(
        caller_id=content["caller_id"],
        authority_code=content["authority_code"],
        secret=bytes.fromhex(content["secret"]),
    )

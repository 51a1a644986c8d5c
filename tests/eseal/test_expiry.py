"""The calendar of an installation: which seals of the register stand in it."""

from pathlib import Path

from sqlalchemy import insert

from eseal.expiry import collect_items
from eseal.installation import make_installation
from eseal.outside import build_outside
from eseal.settings import Settings
from keys.calendar import Expiring
from seal_service.plumbing.tables import callers
from seal_service.seals.states import SealAction
from tests.support.pki import NOW, FixedClock
from tests.support.register import TENANT, apply_for_seal, bring_into_use, make_application, move


def test_seals_that_can_seal_or_could_again_stand_in_the_calendar(tmp_path: Path) -> None:
    installation = make_installation(Settings(data_folder=tmp_path / "data"), NOW)
    database = installation.database
    with database.transaction() as connection:
        known = {"caller_id": "anyone", "authority_code": TENANT, "scopes": "", "created_at": NOW}
        connection.execute(insert(callers).values(**known, sealed_secret=b""))
    apply_for_seal(database, "APPLIED")
    _, suspended, revoked = (
        bring_into_use(database, apply_for_seal(database, seal_id))
        for seal_id in ("ACTIVE", "SUSPENDED", "REVOKED")
    )
    move(database, suspended, SealAction.SUSPEND)
    move(database, revoked, SealAction.REVOKE)
    outside = build_outside(installation, FixedClock())
    items = collect_items(installation.pki, outside, database)
    seals = [item for item in items if item.kind is Expiring.SEAL]
    period = make_application()
    database.close()
    assert [(one.name, one.begins_at, one.ends_at) for one in seals] == [
        (seal_id, period.valid_from, period.valid_until) for seal_id in ("ACTIVE", "SUSPENDED")
    ]

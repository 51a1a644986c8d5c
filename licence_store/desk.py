"""The presentation desk: gives out one-time codes and serves their redemption.

A redemption is written down and committed before its answer, a refusal as well as a release.
"""

from collections.abc import Callable
from dataclasses import dataclass

from licence_store import presentation
from licence_store.approval import FaultList
from licence_store.codes import HolderCodeType, TextRule, check_text
from licence_store.errors import InvalidRequest, LicenceStateRefused, PresentationRefused
from licence_store.files import read_file
from licence_store.lookup import find
from licence_store.model import Holder, Licence, LicenceFile, derive_index_keys
from licence_store.presentation import (
    CODE_BYTES,
    LicenceUse,
    Presentation,
    PresentationOrder,
    RedemptionOrder,
    UseResult,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.blobs import BlobStore
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database

_PURPOSE_RULE = TextRule(longest=200, shortest=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """Everything the desk works with."""

    database: Database
    blobs: BlobStore
    clock: Clock
    randomness: Callable[[int], bytes]
    index_secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationWish:
    """What a caller acting for the holder asks for."""

    identifier: str
    holder_code: str
    holder_code_type: HolderCodeType
    purpose: str
    service_item_code: str | None
    lifetime_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a redemption releases: the licence, for one purpose, with its files."""

    licence: Licence
    purpose: str
    files: tuple[tuple[LicenceFile, bytes], ...]


class PresentationDesk:
    """Makes, redeems and accounts for one-time codes."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts

    def present(self, caller: Caller, wish: PresentationWish) -> Presentation:
        """Make a one-time code; raises what ``presentation.present`` raises."""
        found = FaultList()
        with found.at("/purpose"):
            check_text(wish.purpose, _PURPOSE_RULE)
        if found.faults:
            raise InvalidRequest(tuple(found.faults))
        index_keys = derive_index_keys(self._parts.index_secret, caller.authority_code)
        holder = Holder(name="", code=wish.holder_code, code_type=wish.holder_code_type)
        order = PresentationOrder(
            authority_code=caller.authority_code,
            identifier=wish.identifier,
            holder_code=wish.holder_code,
            holder_code_type=wish.holder_code_type,
            holder_digest=index_keys.holder_digest(holder),
            purpose=wish.purpose,
            service_item_code=wish.service_item_code,
            lifetime_seconds=wish.lifetime_seconds,
            caller_id=caller.caller_id,
        )
        with self._parts.database.transaction() as connection:
            return presentation.present(
                connection,
                order,
                randomness=self._parts.randomness(CODE_BYTES),
                now=self._parts.clock.now(),
            )

    def redeem(
        self, caller: Caller, *, code: str, service_item_code: str, case_number: str
    ) -> Released:
        """Redeem a code once.

        Raises ``PresentationRefused`` alike for an unknown, used, late or misdirected code, and
        ``LicenceStateRefused`` when the licence lost its force since the code was made.
        """
        order = RedemptionOrder(
            code=code,
            user_authority_code=caller.authority_code,
            caller_id=caller.caller_id,
            service_item_code=service_item_code,
            case_number=case_number,
        )
        with self._parts.database.transaction() as connection:
            outcome = presentation.redeem(connection, order, now=self._parts.clock.now())
        if outcome.result is UseResult.NOT_IN_FORCE:
            raise LicenceStateRefused("出示后该证照已失去效力")
        if outcome.licence is None:
            raise PresentationRefused
        files = tuple((file, read_file(self._parts.blobs, file)) for file in outcome.licence.files)
        return Released(licence=outcome.licence, purpose=outcome.purpose, files=files)

    def uses(
        self, caller: Caller, identifier: str, *, before: int | None, limit: int
    ) -> tuple[LicenceUse, ...]:
        """List the uses of a licence of the caller's tenant; raises ``LicenceNotFound``."""
        with self._parts.database.transaction() as connection:
            find(connection, caller.authority_code, identifier)
            return presentation.list_uses(
                connection, caller.authority_code, identifier, before=before, limit=limit
            )

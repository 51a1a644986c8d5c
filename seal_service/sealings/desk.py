"""Seal a document for a caller, once per idempotency key, and keep what was answered.

1. The key was used before: with other content it is refused, else the same bytes are answered.
2. Rehearse in a bounded process, then seal (``Sealer.seal_document``): the use is open, nobody has
   seen the result.
3. Keep the bytes in the blob store.
4. In one transaction: write the row, commit the use. Only then the document is released.
5. Whatever fails, the use is closed as abandoned. Two requests under one key at the same time both
   seal; one is released, and both are answered with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keys.algorithms import sm3
from seal_service.errors import IdempotencyMismatch, SealingNotFound, SealUseClosed
from seal_service.plumbing.blobs import BlobStore
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.sealing import DocumentOrder, Sealer, Sealing
from seal_service.seals import kept
from seal_service.seals.kept import KeptSealing, RetryKey
from seal_service.seals.placing import DocumentLayout
from seal_service.seals.rehearsal import rehearse


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """Everything the desk works with."""

    database: Database
    blobs: BlobStore
    sealer: Sealer
    clock: Clock
    randomness: Callable[[int], bytes]
    rehearse: Callable[[bytes, DocumentLayout], None] = rehearse
    """Reads the document as sealing will; the service does it in a bounded process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A sealed document that its caller may have."""

    kept: KeptSealing
    document: bytes


class _KeyTaken(Exception):
    """Another request under the same key was released first."""


class SealingDesk:
    """Seals documents of callers. May be shared between threads."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts

    def seal(
        self, order: DocumentOrder, document: bytes, *, key: str, order_digest: bytes
    ) -> Released:
        """Return the sealed document; the same request again gets the same bytes.

        ``order_digest`` is over everything the caller asked for but the document. Raises
        ``IdempotencyMismatch``, or as ``Sealer.seal_document`` and ``commit_uses`` do.
        """
        caller = order.caller
        source_digest = sm3(document)
        retry = RetryKey(
            authority_code=caller.authority_code,
            caller_id=caller.caller_id,
            idempotency_key=key,
            content_digest=sm3(order_digest + source_digest),
        )
        known = self._answered(retry)  # 1
        if known is not None:
            return known
        self._parts.rehearse(document, order.layout)  # 2
        sealing = self._parts.sealer.seal_document(order, document)
        is_released = False
        try:
            found = self._keep(order, sealing, retry, source_digest)
            self._release(found)
            is_released = True
        except _KeyTaken:
            pass
        finally:
            if not is_released:  # 5
                self._parts.sealer.abandon_uses([sealing.use_id], caller.authority_code)
        if is_released:
            return Released(kept=found, document=sealing.document)
        known = self._answered(retry)
        if known is None:
            raise SealUseClosed
        return known

    def show(self, authority_code: str, sealing_id: str) -> KeptSealing:
        """Return what is known of a sealing; raises ``SealingNotFound``."""
        with self._parts.database.reading() as connection:
            found = kept.find(connection, authority_code, sealing_id)
        if found is None:
            raise SealingNotFound(sealing_id=sealing_id)
        return found

    def document(self, authority_code: str, sealing_id: str) -> Released:
        """Return a sealed document again; raises ``SealingNotFound``, ``StoredFileDamaged``."""
        found = self.show(authority_code, sealing_id)
        return Released(kept=found, document=self._parts.blobs.get(found.digest))

    def _answered(self, retry: RetryKey) -> Released | None:
        with self._parts.database.reading() as connection:
            found = kept.find_by_key(connection, retry)
        if found is None:
            return None
        if found.retry.content_digest != retry.content_digest:
            raise IdempotencyMismatch
        return Released(kept=found, document=self._parts.blobs.get(found.digest))

    def _keep(
        self, order: DocumentOrder, sealing: Sealing, retry: RetryKey, source_digest: bytes
    ) -> KeptSealing:
        """Do step 3."""
        return KeptSealing(
            sealing_id=f"sg-{self._parts.randomness(16).hex()}",
            retry=retry,
            seal_id=order.seal_id,
            use_id=sealing.use_id,
            case_number=order.case_number,
            document_kind=order.document_kind,
            document_name=order.subject,
            mode=order.layout.mode.value,
            format=sealing.format,
            source_digest=source_digest.hex(),
            digest=self._parts.blobs.put(sealing.document),
            size=len(sealing.document),
            sealed_at=self._parts.clock.now(),
        )

    def _release(self, found: KeptSealing) -> None:
        """Do step 4."""
        tenant = found.retry.authority_code
        with self._parts.database.transaction() as connection:
            if not kept.enter(connection, found):
                raise _KeyTaken
            self._parts.sealer.commit_uses(connection, [found.use_id], tenant)

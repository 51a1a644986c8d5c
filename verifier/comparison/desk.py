"""Find what a received file is to be compared with, and have it compared in bounded processes.

Who may see what:

1. A caller with the scope sees everything, of licences of its own authority.
2. On the public page a file is compared with the library only if it carries the very signature
   value of the library's file: then whoever made it held the original, and nothing is learned from
   us that was not in it. Even so the page gets words that a QR page would show, masked, and only
   the received picture (``presenting``; T-WEB-01, T-WEB-11).
3. A PDF that was changed after it was signed carries its own sealed state; both are the visitor's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from keys.errors import ServiceError
from licence_store import lookup as library
from licence_store.errors import FileDamaged, LicenceNotFound
from licence_store.files import read_file
from licence_store.model import FileFormat, Licence
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.plumbing.blobs import BlobStore
from seal_service.plumbing.bounded import BoundedPool, Bounds
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import StoredFileDamaged
from verifier.comparing import Comparison, PageDifference, Side
from verifier.comparison import jobs
from verifier.records import IDENTIFIER_ITEM
from verifier.verdict import Check, Result, SignatureVerdict, Verdict

PICTURE_BOUNDS = Bounds(cpu_seconds=2, wall_seconds=10.0)
"""Of drawing one page (T-OFD-71)."""
COMPARISON_BOUNDS = Bounds(cpu_seconds=3, wall_seconds=15.0)
"""Of drawing one page twice and comparing; after the first page over it no other is tried."""
NO_PICTURE = "no-picture"
PUBLIC_PAGES = 4
"""Pages compared for the public page."""
CALLER_PAGES = 20


def no_labels(licence_type_code: str) -> Mapping[str, str]:
    """Name no item of any face: the items keep their own names."""
    del licence_type_code
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonParts:
    """What comparing works with; no key among it."""

    database: Database
    blobs: BlobStore
    pool: BoundedPool
    fonts: Path | None = None
    """Folder of our own fonts, for documents that embed none."""
    face_labels: Callable[[str], Mapping[str, str]] = no_labels
    """Labels of the items on a face, by licence type code."""


class ComparisonDesk:
    """Compares for one installation. May be shared between threads."""

    def __init__(self, parts: ComparisonParts) -> None:
        self._parts = parts

    def picture(self, data: bytes, number: int) -> jobs.PagePicture:
        """Draw one page of a file; raises ``MalformedDocument`` or ``LimitExceeded``."""
        return self._parts.pool.run(
            jobs.picture_page, data, number, self._parts.fonts, bounds=PICTURE_BOUNDS
        )

    def compare(self, data: bytes, authority_code: str, identifier: str = "") -> Comparison:
        """Compare a file with the licence of this authority that it names, or with another one.

        A PDF that names none of this authority is compared with the state in which it was signed,
        if it was changed since.

        Raises ``LicenceNotFound``, and ``FileDamaged`` where the library's own file is not in
        order.
        """
        named = identifier or self._parts.pool.run(jobs.claims_of, data).get(IDENTIFIER_ITEM, "")
        try:
            with self._parts.database.reading() as connection:
                licence = library.find(connection, authority_code, named)
        except LicenceNotFound:
            own = None if identifier else self._with_sealed_revision(data, CALLER_PAGES)
            if own is None:
                raise
            return own
        ours = self._file(licence, data)
        return self._against(ours, data, licence, CALLER_PAGES)

    def compare_for_public(self, data: bytes, verdict: Verdict) -> Comparison | None:
        """Compare what an upload may be compared with; None where that is nothing.

        That a comparison cannot be made never stands in the way of the verdict.
        """
        if verdict.authentic:
            return None
        try:
            if any(map(_was_changed_later, verdict.signatures)):
                return self._with_sealed_revision(data, PUBLIC_PAGES)
            if verdict.licence is None:
                return None
            with self._parts.database.reading() as connection:
                licence = library.find_for_verification(connection, verdict.licence.identifier)
            ours = self._file(licence, data)
            if not self._parts.pool.run(jobs.share_a_seal, ours, data):
                return None
            return self._against(ours, data, licence, PUBLIC_PAGES)
        except ServiceError:
            return None

    def _with_sealed_revision(self, data: bytes, most: int) -> Comparison | None:
        end = None if jobs.is_ofd(data) else self._parts.pool.run(jobs.sealed_length, data)
        if end is None:
            return None
        return self._compared(Side.SEALED_REVISION, data[:end], data, {}, most)

    def _against(self, ours: bytes, data: bytes, licence: Licence, most: int) -> Comparison:
        labels = self._parts.face_labels(licence.approval_result.licence_type_code)
        return self._compared(Side.LIBRARY, ours, data, labels, most)

    def _compared(
        self, side: Side, ours: bytes, theirs: bytes, labels: Mapping[str, str], most: int
    ) -> Comparison:
        try:
            words = self._parts.pool.run(jobs.compare_words, ours, theirs, dict(labels))
        except MalformedDocument:
            return Comparison(side=side, is_complete=False)
        count = max(words.our_pages, words.their_pages)
        pages: list[PageDifference] = []
        compared = 0
        for number in range(1, min(count, most) + 1):
            try:
                found = self._page(ours, theirs, number)
            except LimitExceeded:
                pages.append(PageDifference(number=number, note=NO_PICTURE))
                break
            compared = number
            if found is not None:
                pages.append(found)
        return Comparison(
            side=side,
            words=words,
            pages=tuple(pages),
            compared_pages=compared,
            is_complete=compared == count,
        )

    def _page(self, ours: bytes, theirs: bytes, number: int) -> PageDifference | None:
        try:
            return self._parts.pool.run(
                jobs.compare_page,
                ours,
                theirs,
                number,
                self._parts.fonts,
                bounds=COMPARISON_BOUNDS,
            )
        except LimitExceeded:
            raise
        except MalformedDocument:
            return PageDifference(number=number, note=NO_PICTURE)

    def _file(self, licence: Licence, data: bytes) -> bytes:
        """Return the library's file of the same kind."""
        file = licence.file(FileFormat.OFD if jobs.is_ofd(data) else FileFormat.PDF)
        if file is None:
            raise LicenceNotFound
        try:
            return read_file(self._parts.blobs, file)
        except StoredFileDamaged as error:
            raise FileDamaged(digest=file.digest) from error


def _was_changed_later(signature: SignatureVerdict) -> bool:
    """Return whether what was signed still stands, with changes behind it."""
    results = {(one.check, one.result) for one in signature.findings}
    is_signed = (Check.SIGNATURE_VALUE, Result.PASSED) in results
    return is_signed and (Check.LATER_CHANGES, Result.FAILED) in results

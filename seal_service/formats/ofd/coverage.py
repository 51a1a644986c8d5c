"""What the signatures of a package protect, and what they leave open (GB/T 33190-2016, 18).

An entry that a viewer draws or reads and that no holding signature covers can be changed without
breaking any digest; an entry that nothing refers to can be smuggled in. Both are listed by path.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.model import OFDDocument, OFDSignature
from seal_service.formats.ofd.signatures import ReferenceResult, check_references


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is not protected; complete when both are empty."""

    uncovered: tuple[str, ...]
    """Entries that a viewer would draw or read; their kind is in ``OFDDocument.reachable``."""
    unreferenced: tuple[str, ...]
    """Entries that nothing refers to."""
    exempt: tuple[str, ...]
    """Entries that need no digest: the signatures' own files, and the list unless it is locked."""

    @property
    def is_complete(self) -> bool:
        """Return whether nothing is left open."""
        return not self.uncovered and not self.unreferenced


def coverage(
    container: OFDContainer,
    document: OFDDocument,
    *,
    signatures: Sequence[OFDSignature],
    holding: Sequence[OFDSignature],
) -> Coverage:
    """Compute what the signatures that hold leave open.

    ``holding`` are those of ``signatures`` whose value, seal and certificate the caller found good;
    of their references only those whose digest still fits count. The files of a signature
    (Signature.xml, its value, its seal copy) are bound by the signature itself: that the seal copy
    equals the seal inside the value is the caller's check.
    """
    covered = {
        reference.path
        for signature in holding
        for reference in check_references(container, signature)
        if reference.result is ReferenceResult.OK
    }
    # A record may name any entry as its own file; one that a viewer draws stays in question.
    own_paths = {path for signature in signatures for path in signature.own_paths}
    exempt = own_paths - covered - document.reachable.keys()
    if not any(signature.locks_list for signature in signatures):
        exempt |= {signature.list_path for signature in signatures} - covered
    open_paths = [path for path in container.entries if path not in covered | exempt]
    return Coverage(
        uncovered=tuple(path for path in open_paths if path in document.reachable),
        unreferenced=tuple(path for path in open_paths if path not in document.reachable),
        exempt=tuple(path for path in container.entries if path in exempt),
    )


def locking_signatures_passed_over(signatures: Sequence[OFDSignature]) -> tuple[OFDSignature, ...]:
    """Return the signatures that locked the list although another one was added after them.

    A signature that locks knows every earlier signature: it protects their files. One that it does
    not protect came later (T-OFD-60).
    """
    passed_over = []
    for locking in signatures:
        protected = {reference.path for reference in locking.references} | {locking.path}
        others = [other for other in signatures if other.list_path == locking.list_path]
        if locking.locks_list and any(other.path not in protected for other in others):
            passed_over.append(locking)
    return tuple(passed_over)

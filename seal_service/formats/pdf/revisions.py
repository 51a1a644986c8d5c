"""The revisions of a file: parts that were written one after another, each with its own state.

A revision is one cross-reference section, or the two that a linearised file begins with
(ISO 32000-1, annex F). Revisions must follow each other in the file and in the chain alike, and an
entry may only lead to what its own revision, or an earlier one, holds.
"""

from dataclasses import dataclass

from seal_service.errors import MalformedDocument
from seal_service.formats.pdf.objects import PLAIN, ObjectTable, Source
from seal_service.formats.pdf.xref import Section, table_of


@dataclass(frozen=True, slots=True)
class RevisionParts:
    """A revision with the sections of the state it leads to, newest first."""

    number: int
    start: int
    mark_end: int
    end: int
    sections: tuple[Section, ...]
    """All sections up to this revision."""
    own: tuple[Section, ...]
    """Those that this revision brought."""

    def table(self, source: Source) -> ObjectTable:
        """Return the state of the document after this revision."""
        return table_of(source, self.sections)


def group_revisions(sections: tuple[Section, ...]) -> tuple[RevisionParts, ...]:
    """Return the revisions, oldest first, from sections that are newest first.

    Raises ``MalformedDocument`` with reason ``xref-order`` or ``entry-beyond-revision``.
    """
    revisions: list[RevisionParts] = []
    first = _first_revision(sections)
    for count in range(first, len(sections) + 1):
        own = sections[-count:] if count == first else sections[-count : 1 - count]
        before = revisions[-1].end if revisions else 0
        end = max(own, key=lambda section: section.end)
        if own[0].start < before or (count > first and own[0].named_start != own[0].start):
            raise MalformedDocument("revisions do not follow each other", reason="xref-order")
        _check_entries(own, end.end)
        revisions.append(
            RevisionParts(
                number=len(revisions) + 1,
                start=before,
                mark_end=end.mark_end,
                end=end.end,
                sections=sections[-count:],
                own=own,
            )
        )
    return tuple(revisions)


def _first_revision(sections: tuple[Section, ...]) -> int:
    """Return how many sections the first revision has: two if it is linearised."""
    oldest = sections[-1]
    if len(sections) > 1:
        following = sections[-2]
        if following.start < oldest.start and oldest.named_start == following.start:
            return 2
    if oldest.named_start != oldest.start:
        raise MalformedDocument("the end names another section", reason="xref-order")
    return 1


def _check_entries(own: tuple[Section, ...], end: int) -> None:
    for section in own:
        for entry in section.entries.values():
            if entry.kind == PLAIN and entry.place >= end:
                raise MalformedDocument(
                    "an entry leads to what was written later", reason="entry-beyond-revision"
                )

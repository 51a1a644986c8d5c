"""What was found in a package: documents, pages, entries that a viewer would read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from keys.algorithms import DigestAlgorithm
from seal_service.formats.ofd.entries import Notice


class EntryKind(StrEnum):
    """What an entry is for."""

    ROOT = "root"
    DOCUMENT = "document"
    VERSION = "version"
    PAGE = "page"
    TEMPLATE = "template"
    RESOURCES = "resources"
    FONT = "font"
    MEDIA = "media"
    COLOUR_PROFILE = "colour-profile"
    ANNOTATIONS = "annotations"
    ATTACHMENTS = "attachments"
    ATTACHMENT = "attachment"
    CUSTOM_TAGS = "custom-tags"
    EXTENSIONS = "extensions"
    SIGNATURES = "signatures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """An entry that a viewer would read."""

    path: str
    kind: EntryKind
    referrer: str
    """The first file that refers to it; empty for ``OFD.xml``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDPage:
    """One page, in reading order."""

    page_id: str
    path: str
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    templates: tuple[tuple[str, str], ...] = ()
    """Path and ZOrder (``Background``, ``Foreground``) of each template page, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDAttachment:
    """A file carried along."""

    name: str
    path: str
    present: bool
    format: str = ""
    usage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDBody:
    """One document of the package; nearly every package has one."""

    doc_id: str
    title: str
    creator: str
    created_on: str
    """As written; free text in foreign files."""
    custom_datas: tuple[tuple[str, str], ...]
    root_path: str
    pages: tuple[OFDPage, ...]
    attachments: tuple[OFDAttachment, ...]
    signatures_path: str | None
    """Entry of the signature list; None if the document names none."""
    signatures_present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDDocument:
    """Everything a package shows, and what was odd about it.

    The properties speak of the first document, which in nearly every package is the only one.
    """

    bodies: tuple[OFDBody, ...]
    reachable: Mapping[str, Reachable]
    missing: tuple[Reachable, ...]
    """References to entries that do not exist."""
    external: tuple[Reachable, ...]
    """Fonts and pictures outside the package; never fetched (T-OFD-69)."""
    notices: tuple[Notice, ...]
    problems: tuple[Notice, ...]
    """Faults that change what is drawn or judged: ``several-documents``, ``duplicate-id``, ..."""

    @property
    def body(self) -> OFDBody:
        """Return the first document."""
        return self.bodies[0]

    @property
    def doc_id(self) -> str:
        """Return the identifier of the first document."""
        return self.body.doc_id

    @property
    def title(self) -> str:
        """Return the title of the first document."""
        return self.body.title

    @property
    def custom_datas(self) -> tuple[tuple[str, str], ...]:
        """Return the named values of the first document."""
        return self.body.custom_datas

    @property
    def pages(self) -> tuple[OFDPage, ...]:
        """Return the pages of the first document."""
        return self.body.pages

    @property
    def attachments(self) -> tuple[OFDAttachment, ...]:
        """Return the attachments of the first document."""
        return self.body.attachments

    @property
    def signatures_path(self) -> str | None:
        """Return where the first document keeps its signature list."""
        return self.body.signatures_path

    @property
    def lists_missing_signatures(self) -> bool:
        """Return whether a signature list is named but absent: not the same as unsigned."""
        return any(b.signatures_path and not b.signatures_present for b in self.bodies)


class SignatureKind(StrEnum):
    """What SignedValue.dat holds."""

    SEAL = "Seal"
    """A seal signature (SES)."""
    SIGN = "Sign"
    """A plain signature (GB/T 35275 SignedData, or a raw value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDProvider:
    """Which program made the signature, as it says itself."""

    name: str
    version: str = ""
    company: str = ""
    extend_data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDReference:
    """One protected entry."""

    file_ref: str
    """As written."""
    path: str
    """Entry name; it may be absent from the package."""
    value: bytes | None
    """The digest it should have; None if the text is no digest of the method named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampAnnotation:
    """Where the seal picture is shown, in millimetres from the top-left of the page."""

    stamp_id: str
    page_ref: str
    page_number: int | None
    """From 1; None if no page has that identifier."""
    boundary: tuple[float, float, float, float] | None
    clip: tuple[float, float, float, float] | None
    """The visible part, relative to the boundary."""
    problems: tuple[str, ...] = ()
    """``page-unknown``, ``boundary``, ``clip``, ``off-page``, ``hidden``, ``duplicate-stamp``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDSignature:
    """One signature as the package states it; nothing is judged here."""

    signature_id: str
    kind: SignatureKind
    list_path: str
    path: str
    """Entry of Signature.xml, without leading slash."""
    signature_xml: bytes
    """The original bytes: what the signed digest must fit. Empty if the entry is absent."""
    provider: OFDProvider = OFDProvider(name="")
    method: str = ""
    """SignatureMethod, as written."""
    signed_at_text: str = ""
    """SignatureDateTime, as written; never a proof of time."""
    check_method: str = ""
    """As written; absent means MD5."""
    digest: DigestAlgorithm | None = None
    digest_problem: str = ""
    """``weak-algorithm``, ``unsupported-algorithm`` or empty."""
    references: tuple[OFDReference, ...] = ()
    stamps: tuple[StampAnnotation, ...] = ()
    seal_path: str | None = None
    seal: bytes | None = None
    signed_value_path: str | None = None
    signed_value: bytes | None = None
    builds_on: str = ""
    """Identifier of the signature this one builds on (GM/T 0099), if it says so."""
    notices: tuple[Notice, ...] = ()
    problems: tuple[Notice, ...] = ()
    """``signature-missing``, ``signature-shape``, ``no-coverage``, ``signed-value-missing``, ..."""

    @property
    def locks_list(self) -> bool:
        """Return whether the signature list is protected, so that no signature may follow."""
        return any(reference.path == self.list_path for reference in self.references)

    @property
    def own_paths(self) -> frozenset[str]:
        """Return the entries that make up this signature."""
        paths = (self.path, self.signed_value_path, self.seal_path)
        return frozenset(path for path in paths if path)

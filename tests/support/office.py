"""A licence office whose renderer and sealer are in memory and can be told to fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection

from licence_store.model import ApprovalResult
from licence_store.office import (
    Issued,
    LicenceOffice,
    LicenceSealing,
    OfficeParts,
    SealedFile,
)
from licence_store.rendering.face import FaceInput, RenderedFace
from licence_store.rendering.manifest import LicenceTemplate, load_templates
from licence_store.settings import LicenceSettings
from seal_service.formats.ofd.container import make_package, pack
from seal_service.plumbing.database import Database
from tests.support.licences import (
    MemoryBlobs,
    MovingClock,
    make_caller,
    make_randomness,
)

SECRET = b"index secret of tests"
TEMPLATES = load_templates(Path(__file__).parents[2] / "templates")


class Crash(BaseException):
    """Stands in for kill -9: nothing may catch it."""


Step = Callable[[], None]


def _nothing() -> None:
    return None


@dataclass
class FakeRenderer:
    """Renders a few bytes that depend on the content."""

    templates: dict[str, LicenceTemplate] = field(default_factory=lambda: dict(TEMPLATES))
    before_render: Step = _nothing
    rendered: list[FaceInput] = field(default_factory=list)

    def render_face(self, template: LicenceTemplate, face: FaceInput) -> RenderedFace:
        self.before_render()
        self.rendered.append(face)
        text = f"{face.metadata['CertificateIdentifier']} {face.qr_link}".encode()
        return RenderedFace(
            pdf=b"%PDF " + text,
            ofd=make_package([pack("OFD.xml", text)]),
            page_size_mm=template.page_size_mm,
            seals=template.seals,
        )


@dataclass
class FakeSealer:
    """Counts the uses of its seal as open, committed or abandoned."""

    before_seal_pdf: Step = _nothing
    before_commit: Step = _nothing
    states: dict[str, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def find_seal(self, authority_code: str, licence_type_code: str) -> str:
        return f"seal-of-{authority_code}"

    def _seal(self, content: bytes) -> SealedFile:
        with self.lock:
            use_id = f"use-{len(self.states) + 1}"
            self.states[use_id] = "open"
        # A real signature differs at every call; so does this.
        return SealedFile(document=content + b" sealed " + use_id.encode(), use_id=use_id)

    def seal_ofd(self, order: LicenceSealing) -> SealedFile:
        return self._seal(b"".join(order.face.ofd_entries.values()))

    def seal_pdf(self, order: LicenceSealing) -> SealedFile:
        self.before_seal_pdf()
        return self._seal(order.face.pdf)

    def commit_uses(
        self, connection: Connection, use_ids: Sequence[str], authority_code: str
    ) -> None:
        self.before_commit()
        with self.lock:
            for use_id in use_ids:
                self.states[use_id] = "committed"

    def abandon_uses(self, use_ids: Sequence[str], authority_code: str) -> None:
        with self.lock:
            for use_id in use_ids:
                if self.states[use_id] == "open":
                    self.states[use_id] = "abandoned"


class OfficeScene:
    """An office and everything it works with, within reach of a test."""

    def __init__(self, database: Database, *, wait_seconds: float = 20) -> None:
        self.database = database
        self.clock = MovingClock()
        self.blobs = MemoryBlobs()
        self.renderer = FakeRenderer()
        self.sealer = FakeSealer()
        self.before_release: Step = _nothing
        self.released: list[tuple[bytes, bytes]] = []
        self.pauses: list[float] = []
        self.pause: Callable[[float], None] = self.pauses.append
        self.settings = LicenceSettings(wait_seconds=wait_seconds)
        self.office = LicenceOffice(
            OfficeParts(
                database=database,
                blobs=self.blobs,
                renderer=self.renderer,
                sealer=self.sealer,
                check_release=self._check_release,
                clock=self.clock,
                randomness=make_randomness(11),
                pause=lambda seconds: self.pause(seconds),
                index_secret=SECRET,
                settings=self.settings,
            )
        )

    def issue(self, result: ApprovalResult, key: str = "key-of-first-request") -> Issued:
        """Issue for the authority's usual caller."""
        return self.office.issue(make_caller(), result, key)

    def _check_release(self, ofd: bytes, pdf: bytes) -> None:
        self.before_release()
        self.released.append((ofd, pdf))

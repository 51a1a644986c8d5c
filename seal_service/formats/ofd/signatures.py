"""Read the signatures of a package (GB/T 33190-2016, chapter 18) and compare digests.

All forms seen in real files are read: provider as attributes or elements, digest method as name or
identifier, locations absolute or relative, elements in any order. What is odd leaves a notice, what
is broken a problem. Whether a signature value, a seal or a certificate is good is not judged here.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lxml import etree

from keys.algorithms import DIGEST_SIZE, DigestAlgorithm, digest, digest_from_oid
from keys.errors import UnsupportedAlgorithm, WeakAlgorithm
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import Notice, OFDContainer
from seal_service.formats.ofd.model import (
    OFDDocument,
    OFDPage,
    OFDProvider,
    OFDReference,
    OFDSignature,
    SignatureKind,
    StampAnnotation,
)
from seal_service.formats.ofd.names import Location, LocationRefused, NameTable, directory_of
from seal_service.formats.ofd.xml import (
    children,
    numbers_in,
    only,
    parse_xml,
    text_of,
    text_of_only,
)

DEFAULT_CHECK_METHOD = "MD5"
DIGEST_NAMES = {
    "SM3": DigestAlgorithm.SM3,
    "SHA256": DigestAlgorithm.SHA256,
    "SHA384": DigestAlgorithm.SHA384,
    "SHA512": DigestAlgorithm.SHA512,
}
WEAK_DIGEST_NAMES = frozenset({"MD5", "SHA1", "SHA224"})


class ReferenceResult(StrEnum):
    """What comparing one digest gave."""

    OK = "ok"
    CHANGED = "changed"
    MISSING = "missing"
    MALFORMED = "malformed"
    """The value is no digest of the method named."""
    WEAK = "weak-algorithm"
    UNSUPPORTED = "unsupported-algorithm"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReference:
    """One protected entry and whether it still is what it was."""

    path: str
    result: ReferenceResult


def read_signatures(
    container: OFDContainer,
    document: OFDDocument,
    *,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
) -> tuple[OFDSignature, ...]:
    """Read every signature of every document, in the order of the lists.

    Raises ``MalformedDocument`` for what makes two readings possible (``duplicate-element``,
    ``duplicate-reference``, ``location``, ``text-split``).
    """
    names = NameTable.of(container.entries, strict=strict)
    signatures: list[OFDSignature] = []
    for body in document.bodies:
        if not body.signatures_path or not body.signatures_present:
            continue
        path = body.signatures_path
        root = parse_xml(
            container.entries[path], path, root="Signatures", limits=limits, strict=strict
        ).root
        for record in children(root, "Signature"):
            if len(signatures) == limits.signatures:
                raise LimitExceeded("too many signatures", reason="limit", limit="signatures")
            reading = _Reading(container, names, limits, strict, path)
            signatures.append(reading.read(record, body.pages))
    _check_distinct(signatures)
    return tuple(signatures)


def check_references(
    container: OFDContainer, signature: OFDSignature
) -> tuple[CheckedReference, ...]:
    """Compare the digest of every protected entry, in the order of the list."""
    return tuple(
        CheckedReference(path=reference.path, result=_compare(container, signature, reference))
        for reference in signature.references
    )


def _compare(
    container: OFDContainer, signature: OFDSignature, reference: OFDReference
) -> ReferenceResult:
    if signature.digest is None:
        weak = signature.digest_problem == WeakAlgorithm.code
        return ReferenceResult.WEAK if weak else ReferenceResult.UNSUPPORTED
    if reference.path not in container.entries:
        return ReferenceResult.MISSING
    if reference.value is None:
        return ReferenceResult.MALFORMED
    if signature.digest is DigestAlgorithm.SM3:
        actual = container.digest_of(reference.path)
    else:
        actual = digest(signature.digest, container.entries[reference.path])
    return ReferenceResult.OK if actual == reference.value else ReferenceResult.CHANGED


def list_identifiers(container: OFDContainer, path: str, limits: Limits) -> Iterator[str]:
    """Yield every identifier a signature list names, MaxSignId included."""
    root = parse_xml(container.entries[path], path, root="Signatures", limits=limits).root
    for record in children(root, "Signature"):
        yield record.get("ID", "")
    for element in children(root, "MaxSignId"):
        yield text_of(element)


def _check_distinct(signatures: Sequence[OFDSignature]) -> None:
    paths = [signature.path for signature in signatures]
    if len(set(paths)) != len(paths):
        raise MalformedDocument("one signature, two records", reason="duplicate-signature")


def _digest_named(method: str) -> tuple[DigestAlgorithm | None, str]:
    """Return the digest a CheckMethod names, or why it cannot prove anything (T-OFD-56)."""
    name = method.upper().replace("-", "")
    if name in DIGEST_NAMES:
        return DIGEST_NAMES[name], ""
    if name in WEAK_DIGEST_NAMES:
        return None, WeakAlgorithm.code
    try:
        return digest_from_oid(method), ""
    except UnsupportedAlgorithm as error:
        return None, error.code


@dataclass(slots=True)
class _Reading:
    """Reading one signature."""

    container: OFDContainer
    names: NameTable
    limits: Limits
    strict: bool
    list_path: str
    notices: list[Notice] = field(default_factory=list)
    problems: list[Notice] = field(default_factory=list)

    def note(self, reason: str, detail: str = "") -> None:
        """Refuse a deviation in own packages, note it in foreign ones."""
        if self.strict:
            raise MalformedDocument(detail, reason=reason, subject=self.list_path)
        self.notices.append(Notice(reason=reason, detail=detail))

    def fault(self, reason: str, detail: str = "") -> None:
        """List what makes the signature fail."""
        self.problems.append(Notice(reason=reason, detail=detail))

    def resolve(self, location: str, base: str) -> Location:
        """Resolve a location, noting how."""
        found = self.names.resolve(location, base)
        if found.notice:
            self.note(found.notice, location.strip())
        return found

    def read(self, record: etree._Element, pages: Sequence[OFDPage]) -> OFDSignature:
        """Read the signature that a record of the list points to."""
        found = self.resolve(record.get("BaseLoc", ""), directory_of(self.list_path))
        signature = OFDSignature(
            signature_id=record.get("ID", ""),
            kind=self._kind(record),
            list_path=self.list_path,
            path=found.path,
            signature_xml=self.container.entries[found.path] if found.present else b"",
            builds_on=record.get("Relative", ""),
        )
        if found.present:
            signature = self._read_file(signature, pages)
        else:
            self.fault("signature-missing")
        return replace(signature, notices=tuple(self.notices), problems=tuple(self.problems))

    def _kind(self, record: etree._Element) -> SignatureKind:
        """Read the type; missing means a seal (T-OFD-66)."""
        written = record.get("Type")
        if written is None:
            self.note("type-missing")
            return SignatureKind.SEAL
        try:
            return SignatureKind(written)
        except ValueError:
            self.fault("type-unknown", written[:40])
            return SignatureKind.SEAL

    def _read_file(self, signature: OFDSignature, pages: Sequence[OFDPage]) -> OFDSignature:
        part = parse_xml(
            signature.signature_xml,
            signature.path,
            root="Signature",
            limits=self.limits,
            strict=self.strict,
        )
        self.notices += part.notices
        base = directory_of(signature.path)
        value_path, value = self._follow(part.root, "SignedValue", base, "signed-value-missing")
        signature = replace(signature, signed_value_path=value_path, signed_value=value)
        info = only(part.root, "SignedInfo")
        if info is None:
            self.fault("signature-shape", "no SignedInfo")
            return signature
        seal_element = only(info, "Seal")
        seal_path, seal = None, None
        if seal_element is not None:
            seal_path, seal = self._follow(seal_element, "BaseLoc", base, "seal-missing")
        references = only(info, "References")
        method = DEFAULT_CHECK_METHOD
        if references is not None:
            method = references.get("CheckMethod", DEFAULT_CHECK_METHOD).strip()
        algorithm, problem = _digest_named(method)
        return replace(
            signature,
            provider=self._provider(info),
            method=text_of_only(info, "SignatureMethod"),
            signed_at_text=text_of_only(info, "SignatureDateTime"),
            check_method=method,
            digest=algorithm,
            digest_problem=problem,
            references=self._references(references, signature.path, algorithm),
            stamps=self._stamps(info, pages),
            seal_path=seal_path,
            seal=seal,
        )

    def _follow(
        self, parent: etree._Element, name: str, base: str, reason: str
    ) -> tuple[str | None, bytes | None]:
        """Return path and bytes of the entry that a child element names."""
        location = text_of_only(parent, name)
        if not location:
            self.fault(reason)
            return None, None
        found = self.resolve(location, base)
        if not found.present:
            self.fault(reason, found.path)
            return found.path, None
        return found.path, self.container.entries[found.path]

    def _provider(self, info: etree._Element) -> OFDProvider:
        """Read the provider; one vendor writes its facts as elements."""
        element = only(info, "Provider")
        if element is None:
            self.note("provider-missing")
            return OFDProvider(name="")
        facts = {
            name: element.get(name) or text_of_only(element, name)
            for name in ("ProviderName", "Version", "Company")
        }
        if element.get("ProviderName") is None:
            self.note("provider-form")
        return OFDProvider(
            name=facts["ProviderName"],
            version=facts["Version"],
            company=facts["Company"],
            extend_data=text_of_only(element, "ExtendData"),
        )

    # --- references ----------------------------------------------------------------------------

    def _references(
        self,
        element: etree._Element | None,
        signature_path: str,
        algorithm: DigestAlgorithm | None,
    ) -> tuple[OFDReference, ...]:
        found: dict[str, OFDReference] = {}
        for item in children(element, "Reference") if element is not None else ():
            reference = self._reference(item, signature_path, algorithm)
            known = found.setdefault(reference.path, reference)
            if known.value != reference.value:
                raise MalformedDocument(
                    "two digests", reason="duplicate-reference", subject=reference.path
                )
            if known is not reference:
                self.note("duplicate-reference", reference.path)
        if not found:
            self.fault("no-coverage")
        return tuple(found.values())

    def _reference(
        self, item: etree._Element, signature_path: str, algorithm: DigestAlgorithm | None
    ) -> OFDReference:
        file_ref = item.get("FileRef", "")
        path = self.resolve(file_ref, directory_of(signature_path)).path
        if path == signature_path:
            raise LocationRefused("refers to itself", reason="location", subject=path)
        value = _digest_value(text_of_only(item, "CheckValue"))
        if value is None or (algorithm and len(value) != DIGEST_SIZE[algorithm]):
            self.fault("check-value", path)
            value = None
        return OFDReference(file_ref=file_ref, path=path, value=value)

    # --- stamps --------------------------------------------------------------------------------

    def _stamps(
        self, info: etree._Element, pages: Sequence[OFDPage]
    ) -> tuple[StampAnnotation, ...]:
        numbers = {page.page_id: number for number, page in enumerate(pages, 1)}
        stamps: list[StampAnnotation] = []
        for element in children(info, "StampAnnot"):
            stamp = StampAnnotation(
                stamp_id=element.get("ID", ""),
                page_ref=element.get("PageRef", ""),
                page_number=numbers.get(element.get("PageRef", "")),
                boundary=_box(element.get("Boundary", "")),
                clip=_box(element.get("Clip", "")),
            )
            problems = list(stamp_problems(stamp, pages))
            if element.get("Clip") and stamp.clip is None:
                problems.append("clip")
            if any(stamp.stamp_id == other.stamp_id for other in stamps):
                problems.append("duplicate-stamp")
            stamps.append(replace(stamp, problems=tuple(problems)))
        return tuple(stamps)


def _digest_value(text: str) -> bytes | None:
    """Decode strict base64; None for anything that a second reader may decode otherwise."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if value and base64.b64encode(value).decode("ascii") == text else None


def _box(text: str) -> tuple[float, float, float, float] | None:
    numbers = numbers_in(text, 4)
    if numbers is None or numbers[2] <= 0 or numbers[3] <= 0:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def stamp_problems(stamp: StampAnnotation, pages: Sequence[OFDPage]) -> Iterator[str]:
    """Say what keeps the seal picture from being seen where it is claimed to be (T-OFD-55)."""
    if stamp.page_number is None:
        yield "page-unknown"
    if stamp.boundary is None:
        yield "boundary"
        return
    left, top, width, height = stamp.boundary
    right, bottom = left + width, top + height
    if stamp.clip is not None:
        x, y, clip_width, clip_height = stamp.clip
        right = min(right, left + x + clip_width)
        bottom = min(bottom, top + y + clip_height)
        left, top = max(left, left + x), max(top, top + y)
        if right <= left or bottom <= top:
            yield "hidden"
            return
    if stamp.page_number is not None:
        page = pages[stamp.page_number - 1]
        if right <= 0 or bottom <= 0 or left >= page.width_mm or top >= page.height_mm:
            yield "off-page"

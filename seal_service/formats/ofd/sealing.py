"""Put a seal on a package: say what will be signed, then take the signature in.

Order of work (seal-and-ofd notes, section 8; GB/T 33190-2016, 18):

1. Open the package; refuse a locked one and one whose earlier signatures no longer fit.
2. First signature: give OFD.xml its Signatures element. Later ones touch no earlier entry but the
   signature list.
3. Write Seal.esl and the new record in the signature list.
4. Take the digest of every entry to be protected: all but the list (unless it is locked) and this
   signature's own two files. Write Signature.xml; its bytes are the signed object.
5. ``finish`` adds SignedValue.dat, made elsewhere over ``data_hash`` and ``property_info``.
6. ``check_integrity`` reads the result back before anybody else sees it.

The seal, its certificate and the signature value are opaque here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from lxml import etree

from keys.algorithms import sm3
from seal_service.errors import (
    InvalidPlacement,
    LimitExceeded,
    MalformedDocument,
    SelfCheckFailed,
)
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ofd.coverage import coverage, locking_signatures_passed_over
from seal_service.formats.ofd.document import ROOT_PATH
from seal_service.formats.ofd.entries import OFDContainer, StoredEntry, make_package
from seal_service.formats.ofd.model import (
    OFDDocument,
    OFDProvider,
    OFDSignature,
    SignatureKind,
    StampAnnotation,
)
from seal_service.formats.ofd.names import directory_of
from seal_service.formats.ofd.opening import OpenedOFD, open_package
from seal_service.formats.ofd.own_form import (
    DECLARATION,
    OWN_PROVIDER,
    identifier,
    identifiers_of,
    number_of,
    own_form_problems,
    packed_digests,
    packing_text,
    signature_list_xml,
    spell_list,
    spell_signature,
)
from seal_service.formats.ofd.reading import ReadPackage, read_package
from seal_service.formats.ofd.signatures import (
    ReferenceResult,
    check_references,
    list_identifiers,
    stamp_problems,
)
from seal_service.formats.ofd.xml import NAMESPACE, children, parse_xml
from seal_service.formats.ofd.zip_writing import PLAIN, append_entries, pack
from seal_service.formats.placement import Placement

StampPlacement = Placement
"""Where the seal picture goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedOFD:
    """A package that lacks only the signature value."""

    data_hash: bytes
    """SM3 of Signature.xml: ``dataHash`` of the seal signature."""
    property_info: str
    """Absolute path of Signature.xml: ``propertyInfo`` of the seal signature."""
    signature_xml: bytes
    signature_id: str
    signed_value_path: str
    own_form: bool
    """Whether the result will be in own form; pass it on to ``check_integrity``."""
    base: OFDContainer
    added: tuple[StoredEntry, ...]
    signature_list: StoredEntry


def prepare(
    package: bytes | OFDContainer | OpenedOFD,
    *,
    eseal_der: bytes,
    placements: Sequence[StampPlacement],
    signed_at: datetime,
    lock: bool = False,
    provider: OFDProvider = OWN_PROVIDER,
) -> PreparedOFD:
    """Lay out one more seal and return what has to be signed.

    With ``lock`` the signature list is protected too, and no signature can follow. Raises
    ``AlreadySealed`` (reason ``locked``), ``InvalidPlacement`` or ``MalformedDocument``.
    """
    opened = package if isinstance(package, OpenedOFD) else open_package(package)  # 1
    base, list_path = _with_list(opened)  # 2
    signature = _new_signature(opened, list_path, placements, provider)
    seal_entry = pack(signature.seal_path or "", eseal_der)  # 3
    list_entry = pack(list_path, _signature_list(opened, signature), level=PLAIN)
    protected = [entry for entry in base.stored_entries() if entry.path != list_path]  # 4
    protected += [seal_entry, list_entry] if lock else [seal_entry]
    if opened.own_form:
        packing = packing_text(packed_digests(protected))
        signature = replace(signature, provider=replace(provider, extend_data=packing))
    signature_xml = spell_signature(signature, protected, signed_at)
    return PreparedOFD(
        data_hash=sm3(signature_xml),
        property_info=f"/{signature.path}",
        signature_xml=signature_xml,
        signature_id=signature.signature_id,
        signed_value_path=signature.signed_value_path or "",
        own_form=opened.own_form,
        base=base,
        added=(seal_entry, pack(signature.path, signature_xml, level=PLAIN)),
        signature_list=list_entry,
    )


def finish(prepared: PreparedOFD, signed_value: bytes) -> bytes:
    """Return the sealed package; entries that were there before keep their bytes."""
    value = pack(prepared.signed_value_path, signed_value, level=PLAIN)
    # The list last: the next signature replaces it and leaves every byte before it in place.
    return append_entries(prepared.base, [*prepared.added, value, prepared.signature_list])


def check_integrity(package: bytes, *, own_form: bool = True) -> None:
    """Read a sealed package back; raise ``SelfCheckFailed`` unless everything is protected.

    ``own_form`` is what ``PreparedOFD`` says. Signature values, seals and certificates are checked
    by those who know them.
    """
    try:
        made = read_package(package, strict=own_form)
    except MalformedDocument as error:
        reason = str(error.params.get("reason", ""))
        raise SelfCheckFailed(error.detail, reason=reason or error.code) from error
    problem = next(_integrity_problems(made, own_form), "")
    if problem:
        raise SelfCheckFailed("the sealed package does not hold", reason=problem)


def _integrity_problems(made: ReadPackage, own_form: bool) -> Iterator[str]:
    container, document, signatures = made.container, made.document, made.signatures
    if not signatures:
        yield "unsigned"
    yield from (problem.reason for problem in document.problems)
    for signature in signatures:
        yield from (problem.reason for problem in signature.problems)
        for reference in check_references(container, signature):
            if reference.result is not ReferenceResult.OK:
                yield f"digest:{reference.path}"
    if locking_signatures_passed_over(signatures):
        yield "appended-after-lock"
    if not coverage(container, document, signatures=signatures, holding=signatures).is_complete:
        yield "uncovered"
    if own_form:
        yield from (problem.reason for problem in own_form_problems(container, signatures))


# --- 2. and 3. the list ------------------------------------------------------------------------


def _with_list(opened: OpenedOFD) -> tuple[OFDContainer, str]:
    """Return the package with a signature list named in OFD.xml, and where the list is."""
    container, body = opened.container, opened.document.body
    if body.signatures_path is not None:
        return container, body.signatures_path
    home = directory_of(body.root_path)
    plain = f"{home}/Signs" if home else "Signs"
    list_path = _free(container, chain([plain], _numbered(home, "Signs"))) + "/Signatures.xml"
    root = parse_xml(container.entries[ROOT_PATH], ROOT_PATH, root="OFD").root
    body_element = next(children(root, "DocBody"))
    for empty in list(children(body_element, "Signatures")):
        body_element.remove(empty)
    space = etree.QName(body_element).namespace or NAMESPACE
    etree.SubElement(body_element, f"{{{space}}}Signatures").text = f"/{list_path}"
    text = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    changed = pack(ROOT_PATH, DECLARATION.encode() + text)
    return make_package(
        changed if entry.path == ROOT_PATH else entry for entry in container.stored_entries()
    ), list_path


def _new_signature(
    opened: OpenedOFD,
    list_path: str,
    placements: Sequence[StampPlacement],
    provider: OFDProvider,
) -> OFDSignature:
    """Return the signature to be written, with fresh folder and identifiers."""
    folder = _signature_folder(opened, list_path)
    number = _next_number(opened, list_path)
    return OFDSignature(
        signature_id=identifier(number),
        kind=SignatureKind.SEAL,
        list_path=list_path,
        path=f"{folder}/Signature.xml",
        signature_xml=b"",
        provider=provider,
        stamps=_stamps(placements, opened.document, number + 1),
        seal_path=f"{folder}/Seal.esl",
        signed_value_path=f"{folder}/SignedValue.dat",
    )


def _signature_list(opened: OpenedOFD, added: OFDSignature) -> bytes:
    """Return the list with the new record; foreign lists keep their own records as they are."""
    path = added.list_path
    old = opened.container.entries.get(path)
    if old is None or old == signature_list_xml(opened.signatures):
        return signature_list_xml([*opened.signatures, added])
    root = parse_xml(old, path, root="Signatures").root
    for element in list(children(root, "MaxSignId")):
        root.remove(element)
    highest = max(map(number_of, identifiers_of([added])))
    record = parse_xml(
        spell_list([(added.signature_id, added.kind.value, f"/{added.path}")], highest=highest),
        path,
        root="Signatures",
    ).root
    root.insert(0, record[0])
    root.append(record[-1])
    return DECLARATION.encode() + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def _free(container: OFDContainer, candidates: Iterable[str]) -> str:
    """Return the first folder that no entry lies in, however a reader compares names."""
    taken = {path.casefold() for path in container.entries}
    for folder in candidates:
        folded = folder.casefold()
        if not any(path == folded or path.startswith(f"{folded}/") for path in taken):
            return folder
    raise LimitExceeded("no free folder", reason="limit", limit="package_members")


def _numbered(parent: str, stem: str) -> Iterator[str]:
    prefix = f"{parent}/" if parent else ""
    return (f"{prefix}{stem}_{number}" for number in range(DEFAULT_LIMITS.package_members + 1))


def _signature_folder(opened: OpenedOFD, list_path: str) -> str:
    parent = directory_of(list_path)
    if opened.signatures:
        parent = directory_of(directory_of(opened.signatures[-1].path))
    return _free(opened.container, _numbered(parent, "Sign"))


def _next_number(opened: OpenedOFD, list_path: str) -> int:
    """Return the number after every identifier in use: lists, stamps and MaxSignId share them."""
    used = identifiers_of(opened.signatures)
    if list_path in opened.container.entries:
        used += list_identifiers(opened.container, list_path, DEFAULT_LIMITS)
    return max(map(number_of, used), default=0) + 1


# --- 4. Signature.xml --------------------------------------------------------------------------


def _stamps(
    placements: Sequence[StampPlacement], document: OFDDocument, first_id: int
) -> tuple[StampAnnotation, ...]:
    """Turn placements into annotations; refuse any that would not be seen on its page."""
    if not placements:
        raise InvalidPlacement("a seal needs a place", reason="no-place")
    stamps: list[StampAnnotation] = []
    for number, placement in enumerate(placements, first_id):
        if not 1 <= placement.page_number <= len(document.pages):
            raise InvalidPlacement("no such page", reason="page-unknown")
        clip = placement.clip
        stamp = StampAnnotation(
            stamp_id=identifier(number),
            page_ref=document.pages[placement.page_number - 1].page_id,
            page_number=placement.page_number,
            boundary=_checked_box(
                (placement.x_mm, placement.y_mm, placement.width_mm, placement.height_mm)
            ),
            clip=None if clip is None else _checked_box(clip),
        )
        problem = next(iter(stamp_problems(stamp, document.pages)), "")
        if problem:
            raise InvalidPlacement("the seal would not be seen", reason=problem)
        stamps.append(stamp)
    return tuple(stamps)


def _checked_box(
    box: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    limit = DEFAULT_LIMITS.page_side_mm
    if not all(-limit <= number <= limit for number in box) or min(box[2:]) <= 0:
        raise InvalidPlacement("not a box on a page", reason="boundary")
    return box

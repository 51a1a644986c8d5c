"""The one form in which we write a sealed package, so that no byte of it can change unnoticed.

References protect contents, not how contents are packed: a deflate stream, a signature list in
continue mode or a ZIP header could be changed and every digest would still fit. Our signatures
therefore carry, in the provider's ExtendData (GM/T 0099; other readers skip it), the SM3 digest of
the protected entries as they are packed; the files that no digest covers are stored plain; and the
signature list has one spelling. A signature that carries this claims to be in own form.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from keys.algorithms import OID_SM2_WITH_SM3, OID_SM3
from seal_service.formats.ofd.entries import STORED, Notice, OFDContainer, StoredEntry
from seal_service.formats.ofd.kept import sm3
from seal_service.formats.ofd.model import OFDProvider, OFDSignature, StampAnnotation
from seal_service.formats.ofd.xml import NAMESPACE

OWN_PROVIDER = OFDProvider(name="eseal", version="1", company="eseal")
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
DIGITS = re.compile(r"[0-9]{1,9}")


def claims_own_form(signature: OFDSignature) -> bool:
    """Return whether a signature says it was made by us in own form; the claim itself is signed."""
    provider = signature.provider
    return provider.name == OWN_PROVIDER.name and bool(provider.extend_data)


def packed_digests(entries: Iterable[StoredEntry]) -> dict[str, bytes]:
    """Return, by path, a digest of how each entry is packed."""
    found: dict[str, bytes] = {}
    for entry in entries:
        facts = (entry.method, entry.crc, entry.size, len(entry.packed))
        head = b"".join(fact.to_bytes(8, "little") for fact in facts)
        found[entry.path] = sm3(head + entry.packed)
    return found


def packing_text(digests: Mapping[str, bytes]) -> str:
    """Return what ExtendData holds: one digest over paths and digests, in the order given."""
    pieces: list[bytes] = []
    for path, packed in digests.items():
        pieces += (len(path.encode()).to_bytes(4, "little"), path.encode(), packed)
    return base64.b64encode(sm3(b"".join(pieces))).decode("ascii")


def own_form_problems(
    container: OFDContainer, signatures: Sequence[OFDSignature]
) -> tuple[Notice, ...]:
    """Say where a package departs from own form; to be asked where every signature claims it.

    ``container`` must have been read strictly. Reasons: ``packing``, ``stored-plain``,
    ``signature-list``.
    """
    stored = {entry.path: entry for entry in container.stored_entries()}
    digests = packed_digests(stored.values())
    problems: list[Notice] = []
    for signature in signatures:
        paths = [reference.path for reference in signature.references]
        protected = {path: digests[path] for path in paths if path in digests}
        if packing_text(protected) != signature.provider.extend_data:
            problems.append(Notice(reason="packing", subject=signature.path))
        for path in (signature.path, signature.signed_value_path, signature.list_path):
            if path in stored and stored[path].method != STORED:
                problems.append(Notice(reason="stored-plain", subject=path))
    for path in {signature.list_path: None for signature in signatures}:
        listed = [signature for signature in signatures if signature.list_path == path]
        if container.entries[path] != signature_list_xml(listed):
            problems.append(Notice(reason="signature-list", subject=path))
    return tuple(problems)


def signature_list_xml(signatures: Sequence[OFDSignature]) -> bytes:
    """Return Signatures.xml as we write it for these signatures."""
    highest = max(map(number_of, identifiers_of(signatures)), default=0)
    return spell_list(
        [(s.signature_id, s.kind.value, f"/{s.path}") for s in signatures], highest=highest
    )


def spell_list(records: Iterable[tuple[str, str, str]], *, highest: int) -> bytes:
    """Return Signatures.xml; each record is identifier, type and location."""
    elements = "".join(
        f'<ofd:Signature ID="{identifier}" Type="{kind}" BaseLoc="{location}"/>'
        for identifier, kind, location in records
    )
    return (
        f'{DECLARATION}<ofd:Signatures xmlns:ofd="{NAMESPACE}">'
        f"<ofd:MaxSignId>{identifier(highest)}</ofd:MaxSignId>{elements}</ofd:Signatures>"
    ).encode()


def identifiers_of(signatures: Iterable[OFDSignature]) -> list[str]:
    """Return the identifiers of signatures and of their stamps, which share one space."""
    found: list[str] = []
    for signature in signatures:
        found.append(signature.signature_id)
        found += (stamp.stamp_id for stamp in signature.stamps)
    return found


def number_of(text: str) -> int:
    """Return the number in an identifier such as ``s006``, ``002`` or ``2``; 0 if it has none."""
    match = DIGITS.search(text)
    return int(match.group()) if match else 0


def identifier(number: int) -> str:
    """Return the identifier of a signature or stamp in the form the standard recommends."""
    return f"s{number:03d}"


def spell_signature(
    signature: OFDSignature, protected: Iterable[StoredEntry], signed_at: datetime
) -> bytes:
    """Return Signature.xml in schema order; its bytes are the signed object."""
    provider = signature.provider
    extension = f"<ofd:ExtendData>{provider.extend_data}</ofd:ExtendData>"
    references = "".join(
        f'<ofd:Reference FileRef="/{escape(entry.path)}"><ofd:CheckValue>'
        f"{base64.b64encode(entry.digest).decode('ascii')}</ofd:CheckValue></ofd:Reference>"
        for entry in protected
    )
    stamps = "".join(map(_spell_stamp, signature.stamps))
    return (
        f'{DECLARATION}<ofd:Signature xmlns:ofd="{NAMESPACE}"><ofd:SignedInfo>'
        f'<ofd:Provider ProviderName="{escape(provider.name)}" '
        f'Version="{escape(provider.version)}" Company="{escape(provider.company)}">'
        f"{extension if provider.extend_data else ''}</ofd:Provider>"
        f"<ofd:SignatureMethod>{OID_SM2_WITH_SM3}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>{signed_at.astimezone(UTC):%Y%m%d%H%M%SZ}</ofd:SignatureDateTime>"
        f'<ofd:References CheckMethod="{OID_SM3}">{references}</ofd:References>{stamps}'
        f"<ofd:Seal><ofd:BaseLoc>/{escape(signature.seal_path or '')}</ofd:BaseLoc></ofd:Seal>"
        "</ofd:SignedInfo>"
        f"<ofd:SignedValue>/{escape(signature.signed_value_path or '')}</ofd:SignedValue>"
        "</ofd:Signature>"
    ).encode()


def _spell_stamp(stamp: StampAnnotation) -> str:
    clip = f' Clip="{_spell_box(stamp.clip)}"' if stamp.clip else ""
    boundary = _spell_box(stamp.boundary or (0, 0, 0, 0))
    return (
        f'<ofd:StampAnnot ID="{stamp.stamp_id}" PageRef="{escape(stamp.page_ref)}" '
        f'Boundary="{boundary}"{clip}/>'
    )


def _spell_box(box: tuple[float, float, float, float]) -> str:
    return " ".join(map(_spell_number, box))


def _spell_number(number: float) -> str:
    """Return millimetres to a tenth of a micrometre, without exponent, ``-0`` or idle zeros."""
    text = f"{number:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text

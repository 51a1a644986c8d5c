"""Rules on the listing of a whole package (GM/T 0099-2020): ``OFDEntries.xml``, optional.

The listing names every file of the package and is signed as a GB/T 35275 message. It holds no
digests, so it protects nothing from change; it tells what was smuggled in and what is gone.
"""

from collections.abc import Iterator

from keys.errors import ServiceError
from seal_service.formats.cms import verify_gbt35275_signer
from seal_service.formats.ofd.container import OFDContainer
from seal_service.formats.ofd.names import NameTable
from seal_service.formats.ofd.xml import children, descendants, only, parse_xml, text_of_only
from verifier.rules.chain import ChainEvidence
from verifier.rules.findings import failed, passed, refusal, unknown
from verifier.rules.judged import JudgedValue, conclude
from verifier.rules.signed_data import JudgedMessage, SignedOriginal, judge_signed_data
from verifier.verdict import (
    Check,
    Finding,
    SignatureVerdict,
)

CLAUSE = "GM/T 0099-2020"
LISTING = "OFDEntries.xml"


def listing_paths(container: OFDContainer) -> frozenset[str]:
    """Return the entries that make up the listing; none where there is none or it is broken."""
    if LISTING not in container.entries:
        return frozenset()
    try:
        return frozenset({LISTING, _read(container)[0]})
    except ServiceError:
        return frozenset({LISTING})


def judge_listing(container: OFDContainer, evidence: ChainEvidence) -> SignatureVerdict | None:
    """Judge the listing of a package as one signature; None where there is none."""
    if LISTING not in container.entries:
        return None
    try:
        value_path, listed = _read(container)
    except ServiceError as error:
        broken = refusal(Check.STRUCTURE, error, LISTING, clause=CLAUSE)
        return _verdict((broken,))
    own = frozenset({LISTING, value_path})
    findings = list(_membership(container, listed, own))
    message = container.entries.get(value_path)
    if message is None:
        findings.append(failed(Check.STRUCTURE, "malformed", value_path, clause=CLAUSE))
        return _verdict(tuple(findings))
    original = SignedOriginal(
        verify=lambda signed_data: verify_gbt35275_signer(signed_data, container.entries[LISTING])
    )
    judged = judge_signed_data(message, original, evidence)
    findings += judged.findings
    return _verdict(tuple(findings), judged)


def _read(container: OFDContainer) -> tuple[str, frozenset[str]]:
    """Return where the signed value is, and every entry that is listed."""
    root = parse_xml(container.entries[LISTING], LISTING, root="DocEntries").root
    names = NameTable.of(container.entries, strict=False)
    files = only(root, "FileList")
    locations = [
        file.get("FileLoc") or text_of_only(file, "FileLoc")
        for file in (children(files, "File") if files is not None else descendants(root, "File"))
    ]
    listed = frozenset(names.resolve(location, "").path for location in locations)
    return names.resolve(text_of_only(root, "SignedValueLoc"), "").path, listed


def _membership(
    container: OFDContainer, listed: frozenset[str], own: frozenset[str]
) -> Iterator[Finding]:
    """Compare the listing with the package."""
    check = Check.COVERAGE
    smuggled = [path for path in container.entries if path not in listed | own]
    for path in smuggled:
        yield unknown(check, "unlisted", path, clause=CLAUSE)
    missing = sorted(listed - container.entries.keys())
    for path in missing:
        yield failed(Check.DOCUMENT_DIGEST, "digest-missing", path, clause=CLAUSE)
    if not smuggled and not missing:
        yield passed(check, "covered", clause=CLAUSE)


def _verdict(
    findings: tuple[Finding, ...], judged: JudgedMessage | None = None
) -> SignatureVerdict:
    judged = judged or JudgedMessage(findings=())
    value = JudgedValue(
        kind="ofd-sign",
        findings=findings,
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=None if judged.signer is None else judged.signer.certificate,
    )
    return conclude(value, f"/{LISTING}", findings)

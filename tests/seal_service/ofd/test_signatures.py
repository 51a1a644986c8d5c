import base64
import hashlib
import re

import pytest

from keys.algorithms import DigestAlgorithm
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDSignature, SignatureKind
from seal_service.formats.ofd.signatures import ReferenceResult, check_references, read_signatures
from tests.support.ofd import ESEAL, SIGNED_VALUE, altered, make_ofd, root_part, seal_ofd

SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"
SEAL = "Doc_0/Signs/Sign_0/Seal.esl"
LIST = "Doc_0/Signs/Signatures.xml"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
SEALED = seal_ofd()
XML = read_container(SEALED).entries[SIGNATURE].decode()
LIST_XML = read_container(SEALED).entries[LIST].decode()


def read(package: bytes, *, strict: bool = False) -> tuple[OFDSignature, ...]:
    container = read_container(package)
    return read_signatures(container, read_document(container), strict=strict)


def with_xml(old: str, new: str, *, count: int = 1) -> bytes:
    assert old in XML
    return altered(SEALED, {SIGNATURE: XML.replace(old, new, count).encode()})


def with_list(old: str, new: str) -> bytes:
    assert old in LIST_XML
    return altered(SEALED, {LIST: LIST_XML.replace(old, new).encode()})


def one(package: bytes) -> OFDSignature:
    (signature,) = read(package)
    return signature


def results(package: bytes) -> dict[str, ReferenceResult]:
    container = read_container(package)
    (signature,) = read_signatures(container, read_document(container))
    return {r.path: r.result for r in check_references(container, signature)}


def reason_of(package: bytes, *, strict: bool = False) -> object:
    with pytest.raises(MalformedDocument) as caught:
        read(package, strict=strict)
    return caught.value.params["reason"]


def test_a_signature_is_read_with_all_it_states() -> None:
    (signature,) = read(SEALED, strict=True)
    assert (signature.signature_id, signature.kind) == ("s001", SignatureKind.SEAL)
    assert (signature.path, signature.signature_xml) == (SIGNATURE, XML.encode())
    assert (signature.seal_path, signature.seal) == (SEAL, ESEAL)
    assert (signature.signed_value_path, signature.signed_value) == (VALUE, SIGNED_VALUE)
    assert signature.method == "1.2.156.10197.1.501"
    assert signature.signed_at_text == "20261124040000Z"
    assert signature.digest is DigestAlgorithm.SM3
    assert signature.stamps[0].boundary == (120.0, 200.0, 42.0, 42.0)
    assert (signature.notices, signature.problems) == ((), ())
    assert set(results(SEALED).values()) == {ReferenceResult.OK}


def test_an_unsigned_package_has_no_signatures_and_a_lost_list_is_not_unsigned() -> None:
    """T-OFD-50."""
    assert read(make_ofd()) == ()
    lost = make_ofd(
        replace={"OFD.xml": root_part({}, extra="<ofd:Signatures>Doc_0/S.xml</ofd:Signatures>")}
    )
    assert read(lost) == ()
    assert read_document(read_container(lost)).lists_missing_signatures


def test_one_bit_in_each_protected_entry_is_found() -> None:
    """T-OFD-40, 44, 45, 46, 47, 48: pages, documents, annotations, templates, fonts, pictures."""
    container = read_container(SEALED)
    (signature,) = read_signatures(container, read_document(container))
    paths = [reference.path for reference in signature.references]
    assert len(paths) == 15
    for path in paths:
        content = bytearray(container.entries[path])
        content[len(content) // 2] ^= 1
        changed = read_container(altered(SEALED, {path: bytes(content)}))
        found = {r.path: r.result for r in check_references(changed, signature)}
        assert [p for p in found if found[p] is ReferenceResult.CHANGED] == [path]


def test_a_removed_entry_is_missing() -> None:
    """T-OFD-47."""
    font = "Doc_0/Res/font_2.ttf"
    assert results(altered(SEALED, {font: None}))[font] is ReferenceResult.MISSING


@pytest.mark.parametrize("replacement", ["<ofd:References/>", ""])
def test_a_signature_that_protects_nothing_is_a_problem(replacement: str) -> None:
    """T-OFD-41."""
    references = re.search("<ofd:References.*</ofd:References>", XML)
    assert references
    signature = one(with_xml(references.group(), replacement))
    assert [p.reason for p in signature.problems] == ["no-coverage"]


@pytest.mark.parametrize("name", ["SignedInfo", "References", "SignedValue", "Seal", "Provider"])
def test_doubled_elements_are_refused(name: str) -> None:
    """T-OFD-24."""
    found = re.search(f"<ofd:{name}[ >].*</ofd:{name}>", XML)
    assert found
    assert reason_of(with_xml(found.group(), found.group() * 2)) == "duplicate-element"


def test_a_doubled_check_value_is_refused() -> None:
    """T-OFD-24."""
    found = re.search("<ofd:CheckValue>[^<]*</ofd:CheckValue>", XML)
    assert found
    assert reason_of(with_xml(found.group(), found.group() * 2)) == "duplicate-element"


def test_a_split_check_value_is_refused() -> None:
    """T-OFD-26."""
    found = re.search("<ofd:CheckValue>[^<]*", XML)
    assert found
    assert reason_of(with_xml(found.group(), found.group() + "<!-- -->")) == "text-split"


@pytest.mark.parametrize(
    "value", ["", "AAAA", "!!!!", "A" * 43, "_" * 43 + "=", "A" * 42 + "B=", "AAAA\nAAAA"]
)
def test_values_that_are_no_digest_are_a_problem(value: str) -> None:
    """T-OFD-27."""
    found = re.search("<ofd:CheckValue>[^<]*", XML)
    assert found
    package = with_xml(found.group(), f"<ofd:CheckValue>{value}")
    assert [p.reason for p in one(package).problems] == ["check-value"]
    assert results(package)["OFD.xml"] is ReferenceResult.MALFORMED


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("MD5", ReferenceResult.WEAK),
        ("SHA-1", ReferenceResult.WEAK),
        ("1.3.14.3.2.26", ReferenceResult.WEAK),
        ("1.2.840.113549.2.5", ReferenceResult.WEAK),
        ("1.2.156.10197.1.401.2", ReferenceResult.UNSUPPORTED),
        ("CRC32", ReferenceResult.UNSUPPORTED),
        ("", ReferenceResult.UNSUPPORTED),
        ("SHA512", ReferenceResult.MALFORMED),
        ("SHA256", ReferenceResult.CHANGED),
        ("SM3", ReferenceResult.OK),
        ("1.2.156.10197.1.401.1", ReferenceResult.OK),
    ],
)
def test_the_digest_method_is_on_the_list_or_proves_nothing(
    method: str, result: ReferenceResult
) -> None:
    """T-OFD-56."""
    package = with_xml('CheckMethod="1.2.156.10197.1.401"', f'CheckMethod="{method}"')
    assert set(results(package).values()) == {result}


def test_no_digest_method_means_md5_and_is_weak() -> None:
    """T-OFD-56."""
    package = with_xml(' CheckMethod="1.2.156.10197.1.401"', "")
    assert set(results(package).values()) == {ReferenceResult.WEAK}
    assert one(package).digest_problem == "weak-algorithm"


def test_sha256_references_are_checked_with_sha256() -> None:
    text = XML.replace('CheckMethod="1.2.156.10197.1.401"', 'CheckMethod="SHA256"')
    entries = read_container(SEALED).entries

    def digest(match: re.Match[str]) -> str:
        value = base64.b64encode(hashlib.sha256(entries[match[1]]).digest()).decode()
        return f'FileRef="/{match[1]}"><ofd:CheckValue>{value}<'

    text = re.sub(r'FileRef="/([^"]*)"><ofd:CheckValue>[^<]*<', digest, text)
    assert set(results(altered(SEALED, {SIGNATURE: text.encode()})).values()) == {
        ReferenceResult.OK
    }


def test_one_entry_with_two_digests_is_refused() -> None:
    """T-OFD-58."""
    found = re.search("<ofd:Reference FileRef.*?</ofd:Reference>", XML)
    assert found
    other = re.sub("CheckValue>[^<]{4}", "CheckValue>AAAA", found.group())
    assert reason_of(with_xml(found.group(), found.group() + other)) == "duplicate-reference"
    spelled = other.replace("/OFD.xml", "/./OFD.xml")
    assert reason_of(with_xml(found.group(), found.group() + spelled)) == "duplicate-reference"
    same = one(with_xml(found.group(), found.group() * 2))
    assert [n.reason for n in same.notices] == ["duplicate-reference"]


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1/x",
        "file:///etc/passwd",
        "\\\\host\\share",
        "//host/share",
        "../../../../x",
        f"/{SIGNATURE}",
        "Signature.xml",
    ],
)
def test_references_out_of_the_package_or_to_the_signature_itself_are_refused(
    reference: str,
) -> None:
    """T-OFD-59."""
    assert reason_of(with_xml('FileRef="/OFD.xml"', f'FileRef="{reference}"')) == "location"


@pytest.mark.parametrize(
    ("attributes", "problems"),
    [
        ('ID="s002" PageRef="999" Boundary="1 1 9 9"', ("page-unknown",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 0 9"', ("boundary",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 -9 9"', ("boundary",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 NaN 9"', ("boundary",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 1e308 9"', ("boundary",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 9"', ("boundary",)),
        ('ID="s002" PageRef="1000"', ("boundary",)),
        ('ID="s002" PageRef="1000" Boundary="210 1 9 9"', ("off-page",)),
        ('ID="s002" PageRef="1000" Boundary="-9 1 9 9"', ("off-page",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 9 9" Clip="9 0 3 3"', ("hidden",)),
        ('ID="s002" PageRef="1000" Boundary="1 1 9 9" Clip="0 0 0 9"', ("clip",)),
        ('ID="s002" PageRef="1000" Boundary="202 1 40 40" Clip="8 0 8 40"', ("off-page",)),
        ('ID="s002" PageRef="1000" Boundary="202 1 40 40" Clip="0 0 8 40"', ()),
    ],
)
def test_stamps_that_are_not_seen_where_they_claim_to_be_are_problems(
    attributes: str, problems: tuple[str, ...]
) -> None:
    """T-OFD-55."""
    found = re.search("<ofd:StampAnnot [^>]*>", XML)
    assert found
    signature = one(with_xml(found.group(), f"<ofd:StampAnnot {attributes}/>"))
    assert signature.stamps[0].problems == problems


def test_two_stamps_with_one_identifier_are_a_problem() -> None:
    """T-OFD-55."""
    found = re.search("<ofd:StampAnnot [^>]*>", XML)
    assert found
    signature = one(with_xml(found.group(), found.group() * 2))
    assert signature.stamps[1].problems == ("duplicate-stamp",)


def test_a_missing_type_is_a_seal_in_foreign_and_refused_in_own_packages() -> None:
    """T-OFD-66."""
    package = with_list(' Type="Seal"', "")
    signature = one(package)
    assert signature.kind is SignatureKind.SEAL
    assert [n.reason for n in signature.notices] == ["type-missing"]
    assert reason_of(package, strict=True) == "type-missing"
    assert one(with_list('"Seal"', '"Sign"')).kind is SignatureKind.SIGN
    assert [p.reason for p in one(with_list('"Seal"', '"None"')).problems] == ["type-unknown"]


def test_locations_relative_to_list_and_signature_are_read() -> None:
    package = with_list("/Doc_0/Signs/Sign_0", "Sign_0")
    text = XML.replace(f"/{VALUE}", "SignedValue.dat").replace(
        f"<ofd:BaseLoc>/{SEAL}", "<ofd:BaseLoc>Seal.esl"
    )
    signature = one(altered(package, {SIGNATURE: text.encode()}))
    assert (signature.signed_value_path, signature.seal_path) == (VALUE, SEAL)
    assert signature.notices == ()


def test_missing_parts_are_problems_and_not_crashes() -> None:
    def reasons(changes: dict[str, bytes | None]) -> list[str]:
        return [p.reason for p in one(altered(SEALED, changes)).problems]

    assert reasons({SIGNATURE: None}) == ["signature-missing"]
    assert reasons({VALUE: None}) == ["signed-value-missing"]
    assert reasons({SEAL: None}) == ["seal-missing"]
    start, end = XML.index("<ofd:SignedInfo>"), XML.index("</ofd:SignedInfo>") + 17
    assert reasons({SIGNATURE: (XML[:start] + XML[end:]).encode()}) == ["signature-shape"]


def test_the_same_signature_listed_twice_is_refused() -> None:
    record = re.search("<ofd:Signature [^>]*>", LIST_XML)
    assert record
    assert reason_of(with_list(record.group(), record.group() * 2)) == "duplicate-signature"


def test_the_number_of_signatures_is_bounded() -> None:
    container = read_container(seal_ofd(SEALED))
    document = read_document(container)
    assert len(read_signatures(container, document, limits=Limits(signatures=2))) == 2
    with pytest.raises(LimitExceeded):
        read_signatures(container, document, limits=Limits(signatures=1))


def test_element_order_does_not_matter_and_maximum_may_come_last() -> None:
    start, end = XML.index("<ofd:References"), XML.index("</ofd:References>") + 17
    moved = XML[:start] + XML[end:].replace("</ofd:Seal>", "</ofd:Seal>" + XML[start:end])
    assert len(one(altered(SEALED, {SIGNATURE: moved.encode()})).references) == 15
    maximum = "<ofd:MaxSignId>s002</ofd:MaxSignId>"
    late = LIST_XML.replace(maximum, "").replace("</ofd:Sig", maximum * 2 + "</ofd:Sig")
    assert one(altered(SEALED, {LIST: late.encode()})).signature_id == "s001"

"""Forged OFD packages as verdicts: what is drawn after sealing, and files that read two ways.

Where the form of ``Signature.xml`` itself is the attack, the forger holds the seal: digests and the
value fit what is written, so that only the form can give the file away.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from keys.algorithms import sm3
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.model import OFDProvider
from seal_service.formats.ofd.own_form import OWN_PROVIDER
from tests.support.ofd import document_part, make_ofd, make_png, page_part, part
from tests.support.sealed_ofd import (
    FOREIGN,
    SealedSpec,
    resigned,
    seal_document,
    seal_of,
    sign,
    with_entries,
)
from tests.verifier.verdicts import doubts, faults, judge, subjects
from verifier.verdict import Integrity, Outcome, Verdict

ROOT, DOCUMENT = "OFD.xml", "Doc_0/Document.xml"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
ANNOTATIONS = "Doc_0/Annots/Annotations.xml"
LIST, SIGNATURE = "Doc_0/Signs/Signatures.xml", "Doc_0/Signs/Sign_0/Signature.xml"
BOTH_FORMS = pytest.mark.parametrize("provider", [OWN_PROVIDER, FOREIGN], ids=["own", "foreign"])
Edit = Callable[[bytes], bytes]


def entries_of(document: bytes) -> dict[str, bytes]:
    return dict(read_container(document).entries)


def changed(provider: OFDProvider, changes: Mapping[str, Edit]) -> Verdict:
    """Seal, then edit entries as whoever holds the file can."""
    document = seal_document(SealedSpec(provider=provider))
    entries = entries_of(document)
    edited = {path: edit(entries[path]) for path, edit in changes.items()}
    assert all(edited[path] != entries[path] for path in changes)
    return judge(with_entries(document, edited))


def rewritten(edit: Edit, provider: OFDProvider = FOREIGN) -> Verdict:
    """Edit Signature.xml and sign again with the same seal."""
    spec = SealedSpec(provider=provider, edit_xml=edit)
    document = seal_document(replace(spec, edit_xml=bytes))
    assert edit(entries_of(document)[SIGNATURE]) != entries_of(document)[SIGNATURE]
    return judge(resigned(document, spec, {}))


def with_digest_of(old: bytes, new: bytes) -> Edit:
    """Put the digest of another content into Signature.xml."""
    before, after = (base64.b64encode(sm3(content)) for content in (old, new))
    return lambda xml: xml.replace(before, after)


def uncovered_then(paths: Mapping[str, bytes], provider: OFDProvider = FOREIGN) -> Verdict:
    """Leave entries out of the references, as some issuers do; then change or add them."""

    def leave_out(xml: bytes) -> bytes:
        for path in paths:
            spelt = f'<ofd:Reference FileRef="/{re.escape(path)}">.*?</ofd:Reference>'
            xml = re.sub(spelt.encode(), b"", xml)
        return xml

    spec = SealedSpec(provider=provider, edit_xml=leave_out)
    document = resigned(seal_document(replace(spec, edit_xml=bytes)), spec, {})
    return judge(with_entries(document, dict(paths)))


# What a viewer draws


SECOND_PAGE = {
    DOCUMENT: document_part([1000, 2000]),
    "Doc_0/Pages/Page_1/Content.xml": page_part(2000, ["伪造的第二页"]),
}


@BOTH_FORMS
def test_an_added_page_is_invalid_whether_the_page_list_is_covered_or_not(
    provider: OFDProvider,
) -> None:
    """T-OFD-44."""
    document = seal_document(SealedSpec(provider=provider))
    covered = judge(with_entries(document, SECOND_PAGE))
    assert DOCUMENT in subjects(covered, "digest-changed")
    assert covered.outcome is Outcome.INVALID
    left_out = uncovered_then(SECOND_PAGE, provider)
    assert left_out.outcome is Outcome.INVALID
    if provider is FOREIGN:
        assert set(SECOND_PAGE) <= set(left_out.coverage.uncovered)


ADDED = part(
    "PageAnnot",
    '<ofd:Annot ID="900" Type="Stamp"><ofd:Appearance Boundary="0 0 90 90"/></ofd:Annot>',
)


@BOTH_FORMS
def test_an_added_annotation_is_invalid_behind_a_new_pointer_and_behind_an_old_one(
    provider: OFDProvider,
) -> None:
    """T-OFD-45."""
    new_list = part(
        "Annotations",
        '<ofd:Page PageID="1000"><ofd:FileLoc>Page_0/New.xml</ofd:FileLoc></ofd:Page>',
    )
    new = {ANNOTATIONS: new_list, "Doc_0/Annots/Page_0/New.xml": ADDED}
    old = {"Doc_0/Annots/Page_0/Annotation.xml": ADDED}
    document = seal_document(SealedSpec(provider=provider))
    for changes in (new, old):
        assert judge(with_entries(document, changes)).outcome is Outcome.INVALID
        assert uncovered_then(changes, provider).outcome is Outcome.INVALID


@BOTH_FORMS
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("Doc_0/Tpls/Tpl_0/Content.xml", part("Page", "<ofd:Content/>")),
        ("Doc_0/Res/font_2.ttf", b"\x00\x01\x00\x00 another font"),
        ("Doc_0/Res/image_4.png", make_png(9, 9)),
        (
            PAGE,
            page_part(1000, ["盖在印章上的文字"]).replace(
                b'ID="1001"', b'ID="1001" Type="Foreground"'
            ),
        ),
    ],
    ids=["T-OFD-46", "T-OFD-47", "T-OFD-48", "T-OFD-64"],
)
def test_what_is_drawn_cannot_be_replaced_covered_or_not(
    path: str, content: bytes, provider: OFDProvider
) -> None:
    """T-OFD-46, T-OFD-47, T-OFD-48, T-OFD-64."""
    document = seal_document(SealedSpec(provider=provider))
    verdict = judge(with_entries(document, {path: content}))
    assert path in subjects(verdict, "digest-changed")
    assert verdict.outcome is Outcome.INVALID
    assert uncovered_then({path: content}, provider).outcome is Outcome.INVALID


def test_an_own_package_with_a_second_document_is_invalid() -> None:
    """T-OFD-49: the seal is good, and a reader may still draw the other document."""
    document = seal_document()
    root = entries_of(document)[ROOT]
    body = root[root.index(b"<ofd:DocBody>") : root.index(b"</ofd:OFD>")]
    plain = re.sub(rb"<ofd:Signatures>.*</ofd:Signatures>", b"", body)
    other = plain.replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml")
    for doubled in (
        root.replace(b"</ofd:OFD>", plain + b"</ofd:OFD>"),
        root.replace(b"<ofd:DocBody>", other + b"<ofd:DocBody>", 1),
    ):
        spec = SealedSpec(edit_xml=with_digest_of(root, doubled))
        second = {"Doc_1/Document.xml": entries_of(document)[DOCUMENT]}
        verdict = judge(resigned(document, spec, {ROOT: doubled, **second}))
        assert verdict.outcome is Outcome.INVALID
        assert "container" in {check for check, _ in faults(verdict)}


@BOTH_FORMS
def test_a_package_whose_seals_were_taken_off_is_unsigned(provider: OFDProvider) -> None:
    """T-OFD-50, T-OFD-63: the picture of the seal may stay, and is no seal."""
    document = seal_document(SealedSpec(provider=provider))
    entries = entries_of(document)
    bare = {path: content for path, content in entries.items() if "/Signs/" not in path}
    bare[ROOT] = re.sub(rb"<ofd:Signatures>.*</ofd:Signatures>", b"", bare[ROOT])
    verdict = judge(write_container(bare))
    assert (verdict.outcome, verdict.authentic) == (Outcome.UNSIGNED, False)


def test_a_list_of_seals_in_another_order_changes_no_foreign_verdict_and_breaks_ours() -> None:
    """T-OFD-51: nothing protects the list of a package that goes on; each seal is judged alone."""
    for provider, expected in ((FOREIGN, Outcome.VALID), (OWN_PROVIDER, Outcome.INVALID)):
        spec = SealedSpec(provider=provider)
        both = seal_document(replace(spec, package=seal_document(spec)))
        listed = entries_of(both)[LIST]
        first, second = re.findall(rb"<ofd:Signature ID[^>]*/>", listed)
        turned = listed.replace(first + second, second + first)
        assert turned != listed
        verdict = judge(with_entries(both, {LIST: turned}))
        assert verdict.outcome is expected
        assert len(verdict.signatures) == 2
        numbered = re.sub(rb"<ofd:MaxSignId>[^<]*", b"<ofd:MaxSignId>s999", listed)
        assert judge(with_entries(both, {LIST: numbered})).outcome is expected


# Signature.xml and SignedValue.dat


@BOTH_FORMS
@pytest.mark.parametrize(
    "edit",
    [
        lambda xml: xml.replace(b"20261124040000Z", b"20251124040000Z"),
        lambda xml: xml.replace(b'Boundary="120 200', b'Boundary="20 20'),
        lambda xml: xml.replace(b'PageRef="1000"', b'PageRef="2000"'),
        lambda xml: re.sub(rb'ProviderName="[^"]*"', b'ProviderName="somebody"', xml),
        lambda xml: re.sub(rb'<ofd:Reference FileRef="/Doc_0/Tags.*?</ofd:Reference>', b"", xml),
    ],
    ids=["date", "place", "page", "provider", "references"],
)
def test_an_edited_signature_file_no_longer_fits_the_signed_digest(
    edit: Edit, provider: OFDProvider
) -> None:
    """T-OFD-52, T-OFD-55: moved to another place or page after sealing."""
    verdict = changed(provider, {SIGNATURE: edit})
    assert ("document-digest", "data-hash-mismatch") in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


def twice(name: str) -> Edit:
    """Give an element of Signature.xml twice."""

    def edit(xml: bytes) -> bytes:
        found = re.search(f"(?s)<ofd:{name}[ >].*?</ofd:{name}>".encode(), xml)
        assert found
        return xml.replace(found.group(), found.group() * 2, 1)

    return edit


def first_check_value(value: bytes) -> Edit:
    return lambda xml: re.sub(rb"<ofd:CheckValue>[^<]*", b"<ofd:CheckValue>" + value, xml, count=1)


def first_reference(location: bytes) -> Edit:
    return lambda xml: xml.replace(b'FileRef="/OFD.xml"', b'FileRef="' + location + b'"')


def referenced_again(xml: bytes) -> bytes:
    """Reference an entry twice, with the digest of something else the second time."""
    found = re.search(rb'<ofd:Reference FileRef="/OFD.xml">.*?</ofd:Reference>', xml)
    assert found
    other = re.sub(rb"CheckValue>[^<]{4}", b"CheckValue>AAAA", found.group())
    return xml.replace(found.group(), found.group() + other)


FORMS: dict[str, Edit] = {
    **{
        f"T-OFD-24 {name}": twice(name)
        for name in ("SignedInfo", "References", "SignedValue", "Seal", "CheckValue", "Provider")
    },
    "T-OFD-25 wrong namespace": lambda xml: xml.replace(
        b"<ofd:SignedValue>", b'<ofd:SignedValue xmlns:ofd="urn:other">'
    ),
    "T-OFD-26 comment": lambda xml: xml.replace(
        b"<ofd:CheckValue>", b"<ofd:CheckValue><!-- -->", 1
    ),
    "T-OFD-26 instruction": lambda xml: xml.replace(
        b"/Doc_0/Signs/Sign_0/SignedValue.dat", b"/Doc_0/Signs/<?x?>Sign_0/SignedValue.dat"
    ),
    "T-OFD-27 empty": first_check_value(b""),
    "T-OFD-27 short": first_check_value(b"AAAA"),
    "T-OFD-27 no base64": first_check_value(b"!!!!"),
    "T-OFD-27 url alphabet": first_check_value(b"_" * 43 + b"="),
    "T-OFD-58 twice": referenced_again,
    "T-OFD-59 url": first_reference(b"http://127.0.0.1/OFD.xml"),
    "T-OFD-59 file": first_reference(b"file:///etc/passwd"),
    "T-OFD-59 share": first_reference(b"\\\\host\\share"),
    "T-OFD-59 itself": first_reference(b"/Doc_0/Signs/Sign_0/Signature.xml"),
    "T-OFD-29 climbs": first_reference(b"/../OFD.xml"),
    "T-OFD-55 no number": lambda xml: xml.replace(b'Boundary="120 200 42', b'Boundary="NaN 200 42'),
    "T-OFD-55 huge": lambda xml: xml.replace(b'Boundary="120 200 42', b'Boundary="120 1e308 42'),
    "T-OFD-55 negative": lambda xml: xml.replace(b"42 42", b"-42 42"),
}


@BOTH_FORMS
@pytest.mark.parametrize("name", FORMS)
def test_a_signature_file_of_a_wrong_form_is_invalid_though_it_is_signed(
    name: str, provider: OFDProvider
) -> None:
    """T-OFD-24 to T-OFD-29, T-OFD-55, T-OFD-58, T-OFD-59."""
    assert rewritten(FORMS[name], provider).outcome is Outcome.INVALID


def test_two_stamps_of_one_identifier_are_not_ours() -> None:
    """T-OFD-55."""

    def doubled(xml: bytes) -> bytes:
        (stamp,) = re.findall(rb"<ofd:StampAnnot[^>]*/>", xml)
        return xml.replace(stamp, stamp * 2)

    assert rewritten(doubled, OWN_PROVIDER).outcome is Outcome.INVALID
    assert rewritten(doubled).outcome is Outcome.INVALID


# Entries that read two ways

DEEP = b"<a>" * 5000 + b"</a>" * 5000
WIDE = b"".join(b'a%d="1" ' % number for number in range(5000))


@BOTH_FORMS
@pytest.mark.parametrize(
    ("path", "edit"),
    [
        (ROOT, lambda xml: xml.replace(b"Doc_0/Document.xml", b"Doc_0/<!-- -->Document.xml")),
        (ROOT, lambda xml: re.sub(rb"(<ofd:DocRoot>.*?</ofd:DocRoot>)", rb"\1\1", xml)),
        (ROOT, lambda xml: re.sub(rb"(<ofd:Signatures>.*?</ofd:Signatures>)", rb"\1\1", xml)),
        (DOCUMENT, lambda xml: xml.replace(b"Pages/Page_0", b"../../Pages/Page_0")),
        (DOCUMENT, lambda xml: xml.replace(b"Pages/Page_0", b"http://127.0.0.1/Page_0")),
        (DOCUMENT, lambda xml: b"\xff\xfe" + xml.decode().encode("utf-16-le")),
        (DOCUMENT, lambda xml: xml.replace(b"UTF-8", b"UTF-7", 1)),
        (PAGE, lambda xml: xml.replace(b"?>", b"?><!DOCTYPE a>", 1)),
        (
            PAGE,
            lambda xml: xml.replace(
                b"?>", b'?><!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>', 1
            ),
        ),
        (PAGE, lambda xml: xml.replace(b"</ofd:Content>", DEEP + b"</ofd:Content>")),
        (DOCUMENT, lambda xml: xml.replace(b"ID=", WIDE + b"ID=", 1)),
    ],
    ids=[
        "T-OFD-26", "T-OFD-24-root", "T-OFD-24-signatures", "T-OFD-29-climbs", "T-OFD-29-url",
        "T-OFD-23-utf16", "T-OFD-23-utf7", "T-OFD-20", "T-OFD-20-parameter", "T-OFD-22-depth",
        "T-OFD-22-attributes",
    ],
)  # fmt: skip
def test_an_entry_that_is_read_two_ways_is_invalid_though_it_is_sealed(
    path: str, edit: Edit, provider: OFDProvider
) -> None:
    """T-OFD-20, T-OFD-22 to T-OFD-24, T-OFD-26, T-OFD-29: its digest is put right."""
    document = seal_document(SealedSpec(provider=provider))
    old = entries_of(document)[path]
    new = edit(old)
    assert new != old
    spec = SealedSpec(provider=provider, edit_xml=with_digest_of(old, new))
    started = time.process_time()
    assert judge(resigned(document, spec, {path: new})).outcome is Outcome.INVALID
    assert time.process_time() - started < 2


def test_includes_and_style_sheets_in_a_sealed_page_are_not_fetched() -> None:
    """T-OFD-21: the socket guard of the test run would raise."""
    reaching = page_part(1000, ["一"]).replace(
        b"?>",
        b'?><?xml-stylesheet href="http://127.0.0.1/a.xsl"?>',
        1,
    )
    theirs = SealedSpec(provider=FOREIGN, package=make_ofd(replace={PAGE: reaching}))
    assert judge(seal_document(theirs)).outcome is Outcome.VALID


@BOTH_FORMS
def test_identifiers_given_twice_that_change_what_is_drawn_are_invalid(
    provider: OFDProvider,
) -> None:
    """T-OFD-28."""
    document = seal_document(SealedSpec(provider=provider))
    path = "Doc_0/DocumentRes.xml"
    old = entries_of(document)[path]
    new = old.replace(b'MultiMedia ID="4"', b'MultiMedia ID="2"')
    spec = SealedSpec(provider=provider, edit_xml=with_digest_of(old, new))
    assert judge(resigned(document, spec, {path: new})).outcome is Outcome.INVALID


def test_an_own_location_that_fits_only_in_another_case_is_invalid() -> None:
    """T-OFD-30: read in foreign files with a notice."""

    def verdict(provider: OFDProvider) -> Verdict:
        document = seal_document(SealedSpec(provider=provider))
        old = entries_of(document)[DOCUMENT]
        new = old.replace(b"Pages/Page_0", b"pages/page_0")
        spec = SealedSpec(provider=provider, edit_xml=with_digest_of(old, new))
        return judge(resigned(document, spec, {DOCUMENT: new}))

    assert verdict(OWN_PROVIDER).outcome is Outcome.INVALID
    assert verdict(FOREIGN).outcome is Outcome.VALID


# Bombs for whoever draws


def drawn(body: str) -> bytes:
    return part("Page", f'<ofd:Content><ofd:Layer ID="1">{body}</ofd:Layer></ofd:Content>')


BOMBS: dict[str, Mapping[str, bytes]] = {
    "page a million kilometres wide": {
        DOCUMENT: document_part([1000]).replace(b"0 0 210 297", b"0 0 1000000000 297")
    },
    "a million strokes": {
        PAGE: drawn(
            '<ofd:PathObject ID="3" Boundary="0 0 9 9"><ofd:AbbreviatedData>'
            f"{'L 1 1 ' * 1_000_000}</ofd:AbbreviatedData></ofd:PathObject>"
        )
    },
    "template of itself": {
        "Doc_0/Tpls/Tpl_0/Content.xml": part("Page", '<ofd:Template TemplateID="10"/>')
    },
}


@BOTH_FORMS
@pytest.mark.parametrize("name", BOMBS)
def test_a_sealed_bomb_is_refused_at_once(name: str, provider: OFDProvider) -> None:
    """T-OFD-71: whoever sealed it, within two seconds."""
    document = seal_document(SealedSpec(provider=provider))
    entries = entries_of(document)

    def edit(xml: bytes) -> bytes:
        for path, new in BOMBS[name].items():
            xml = with_digest_of(entries[path], new)(xml)
        return xml

    bomb = resigned(document, SealedSpec(provider=provider, edit_xml=edit), BOMBS[name])
    started = time.process_time()
    verdict = judge(bomb)
    assert time.process_time() - started < 2
    assert verdict.outcome is Outcome.INVALID
    assert ("container", "limit") in faults(verdict)


# Between two seals


def test_content_changed_between_two_seals_breaks_the_first_and_not_the_second() -> None:
    """T-OFD-61: the second is good over what it found."""
    spec = SealedSpec(provider=FOREIGN, seal_der=seal_of(SealedSpec()))
    path, place = "Doc_0/Attachs/licence.json", "Doc_0/Signs/Sign_1"
    entries = entries_of(seal_document(replace(spec, package=seal_document(spec))))
    content = b'{"changed": true}'
    xml = with_digest_of(entries[path], content)(entries[f"{place}/Signature.xml"])
    entries |= {path: content, f"{place}/Signature.xml": xml}
    entries[f"{place}/SignedValue.dat"] = sign(
        spec, spec.seal_der or b"", sm3(xml), f"/{place}/Signature.xml"
    )
    verdict = judge(write_container(entries))
    assert [one.integrity for one in verdict.signatures] == [Integrity.BROKEN, Integrity.HOLDS]
    assert [one.outcome for one in verdict.signatures] == [Outcome.INVALID, Outcome.VALID]
    assert subjects(verdict, "digest-changed") == ["Doc_0/Attachs/licence.json"]
    assert verdict.outcome is Outcome.INVALID
    assert doubts(verdict) == set()

from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.coverage import Coverage, coverage, locking_signatures_passed_over
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.signatures import read_signatures
from tests.support.ofd import altered, document_part, part, root_part, seal_ofd

LIST = "Doc_0/Signs/Signatures.xml"
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
SEALED = seal_ofd()


def covered(package: bytes, *, holding: bool = True) -> Coverage:
    container = read_container(package)
    document = read_document(container)
    signatures = read_signatures(container, document)
    return coverage(
        container, document, signatures=signatures, holding=signatures if holding else ()
    )


def without_reference(package: bytes, path: str) -> bytes:
    text = read_container(package).entries[SIGNATURE].decode()
    start = text.index(f'<ofd:Reference FileRef="/{path}">')
    end = text.index("</ofd:Reference>", start) + len("</ofd:Reference>")
    return altered(package, {SIGNATURE: (text[:start] + text[end:]).encode()})


def test_an_own_seal_covers_everything_but_the_list_and_its_own_files() -> None:
    result = covered(SEALED)
    assert result.is_complete
    assert set(result.exempt) == {SIGNATURE, LIST, "Doc_0/Signs/Sign_0/SignedValue.dat"}


def test_each_reachable_entry_left_out_of_the_list_is_uncovered() -> None:
    """T-OFD-42: root, document, page, template, resources, font, picture, annotation, tag, ..."""
    for path, entry in read_document(read_container(SEALED)).reachable.items():
        if path == LIST:
            continue
        result = covered(without_reference(SEALED, path))
        assert (result.uncovered, result.unreferenced) == ((path,), ()), entry


def test_an_added_entry_that_nothing_refers_to_is_unreferenced() -> None:
    """T-OFD-43."""
    result = covered(altered(SEALED, {"Doc_0/extra.bin": b"x"}))
    assert (result.uncovered, result.unreferenced) == ((), ("Doc_0/extra.bin",))


def test_a_page_added_through_the_document_is_uncovered_either_way() -> None:
    """T-OFD-44."""
    more = {
        "Doc_0/Document.xml": document_part([1000, 7000]),
        "Doc_0/Pages/Page_1/Content.xml": part("Page", ""),
    }
    expected = ("Doc_0/Document.xml", "Doc_0/Pages/Page_1/Content.xml")
    assert covered(altered(SEALED, more)).uncovered == expected
    unlisted = without_reference(SEALED, "Doc_0/Document.xml")
    assert covered(altered(unlisted, more)).uncovered == expected


def test_an_annotation_behind_an_existing_pointer_is_uncovered() -> None:
    """T-OFD-45."""
    path = "Doc_0/Annots/Page_0/Annotation.xml"
    stamp = part("PageAnnot", '<ofd:Annot ID="9000" Type="Stamp"/>')
    assert covered(altered(SEALED, {path: stamp})).uncovered == (path,)


def test_a_background_template_moved_to_the_front_is_found() -> None:
    """T-OFD-64."""
    page = read_container(SEALED).entries[PAGE].replace(b"Background", b"Foreground")
    assert covered(altered(SEALED, {PAGE: page})).uncovered == (PAGE,)


def test_signatures_that_do_not_hold_cover_nothing() -> None:
    result = covered(SEALED, holding=False)
    assert "OFD.xml" in result.uncovered
    assert PAGE in result.uncovered


def test_a_record_cannot_exempt_a_page_by_calling_it_its_own() -> None:
    """T-OFD-42: a made-up signature that names a page as its value leaves the page in question."""
    fake = (
        '<ofd:SignedInfo><ofd:Provider ProviderName="x"/></ofd:SignedInfo>'
        f"<ofd:SignedValue>/{PAGE}</ofd:SignedValue>"
    )
    entries = read_container(SEALED).entries
    listed = entries[LIST].replace(
        b"</ofd:Signatures>", b'<ofd:Signature ID="x" BaseLoc="/F.xml"/></ofd:Signatures>'
    )
    changes = {LIST: listed, "F.xml": part("Signature", fake), PAGE: part("Page", "")}
    container = read_container(altered(SEALED, changes))
    document = read_document(container)
    signatures = read_signatures(container, document)
    result = coverage(container, document, signatures=signatures, holding=signatures[:1])
    assert result.uncovered == (PAGE,)


def test_a_locked_list_is_covered_and_a_later_signature_is_told() -> None:
    """T-OFD-60."""
    locked = seal_ofd(lock=True)
    result = covered(locked)
    assert result.is_complete
    assert LIST not in result.exempt
    record = b'<ofd:Signature ID="x" BaseLoc="/F.xml"/></ofd:Signatures>'
    listed = read_container(locked).entries[LIST].replace(b"</ofd:Signatures>", record)
    appended = altered(locked, {LIST: listed, "F.xml": part("Signature", "")})
    assert covered(appended).uncovered == (LIST,)
    container = read_container(appended)
    signatures = read_signatures(container, read_document(container))
    assert [s.signature_id for s in locking_signatures_passed_over(signatures)] == ["s001"]


def test_content_changed_between_two_seals_breaks_the_first() -> None:
    """T-OFD-61."""
    twice = read_container(seal_ofd(SEALED))
    changed = altered(SEALED, {PAGE: part("Page", "")})
    entries = dict(read_container(changed).entries)
    later = {path: content for path, content in twice.entries.items() if "Sign_1" in path}
    merged = altered(changed, {**later, LIST: twice.entries[LIST]})
    container = read_container(merged)
    document = read_document(container)
    first, second = read_signatures(container, document)
    assert PAGE in entries
    result = coverage(container, document, signatures=(first, second), holding=(first,))
    assert PAGE in result.uncovered


def test_a_package_without_signatures_is_wholly_uncovered() -> None:
    """T-OFD-50, T-OFD-63: a picture of a seal in the content is content."""
    stripped = altered(
        SEALED,
        {
            "OFD.xml": root_part({}),
            **{p: None for p in read_container(SEALED).order if "Signs" in p},
        },
    )
    container = read_container(stripped)
    document = read_document(container)
    assert read_signatures(container, document) == ()
    result = coverage(container, document, signatures=(), holding=())
    assert set(result.uncovered) == set(container.entries)

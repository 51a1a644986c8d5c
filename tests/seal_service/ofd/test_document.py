from collections.abc import Mapping

import pytest

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import EntryKind, OFDDocument
from tests.support.ofd import (
    DOC_ID,
    document_part,
    make_ofd,
    ofd_entries,
    page_part,
    part,
    root_part,
)

PAGE = "Doc_0/Pages/Page_0/Content.xml"
DOCUMENT = "Doc_0/Document.xml"
RES = "Doc_0/DocumentRes.xml"


Changes = Mapping[str, bytes | None]


def read(
    changes: Changes | None = None, *, strict: bool = False, limits: Limits | None = None
) -> OFDDocument:
    changes = changes or {}
    drop = tuple(path for path, content in changes.items() if content is None)
    replace = {path: content for path, content in changes.items() if content is not None}
    container = read_container(make_ofd(replace=replace, drop=drop))
    return read_document(container, strict=strict, limits=limits or Limits())


def refusal(changes: Changes) -> tuple[object, object]:
    """Return the reasons for which own and foreign reading refuse."""
    reasons: list[object] = []
    for strict in (True, False):
        try:
            read(changes, strict=strict)
        except MalformedDocument as error:
            reasons.append(error.params["reason"])
        else:
            reasons.append(None)
    return reasons[0], reasons[1]


def test_every_entry_of_a_package_is_reached_with_its_kind() -> None:
    document = read(strict=True)
    kinds = {path: entry.kind for path, entry in document.reachable.items()}
    assert set(kinds) == set(ofd_entries())
    assert kinds["Doc_0/Res/font_2.ttf"] is EntryKind.FONT
    assert kinds["Doc_0/Res/image_4.png"] is EntryKind.MEDIA
    assert kinds["Doc_0/Tags/Tag.xml"] is EntryKind.CUSTOM_TAGS
    assert kinds["Doc_0/Annots/Page_0/Annotation.xml"] is EntryKind.ANNOTATIONS
    assert document.reachable["Doc_0/Res/image_4.png"].referrer == RES
    assert (document.notices, document.problems, document.missing) == ((), (), ())


def test_the_facts_of_the_document_are_read() -> None:
    document = read()
    assert (document.doc_id, document.title) == (DOC_ID, "测试证照")
    assert document.custom_datas == (("licence_number", "测试 1"),)
    assert document.signatures_path is None
    page = document.pages[0]
    assert (page.page_id, page.path) == ("1000", PAGE)
    assert (page.width_mm, page.height_mm) == (210.0, 297.0)
    assert page.templates == (("Doc_0/Tpls/Tpl_0/Content.xml", "Background"),)
    assert [(a.name, a.path) for a in document.attachments] == [
        ("licence", "Doc_0/Attachs/licence.json")
    ]


@pytest.mark.parametrize("path", ["OFD.xml", DOCUMENT, PAGE])
def test_without_root_document_or_page_there_is_nothing_to_read(path: str) -> None:
    assert refusal({path: None}) == ("entry-missing", "entry-missing")


@pytest.mark.parametrize(
    "path", ["Doc_0/Res/font_2.ttf", "Doc_0/PublicRes.xml", "Doc_0/Attachs/licence.json"]
)
def test_other_missing_entries_are_listed_in_foreign_and_refused_in_own_packages(
    path: str,
) -> None:
    assert refusal({path: None}) == ("entry-missing", None)
    assert [entry.path for entry in read({path: None}).missing] == [path]


def test_a_second_document_is_a_fault() -> None:
    """T-OFD-49."""
    body = root_part({}).split(b"<ofd:DocBody>")[1].split(b"</ofd:OFD>")[0].decode()
    doubled = root_part({}).replace(b"</ofd:OFD>", f"<ofd:DocBody>{body}</ofd:OFD>".encode())
    assert refusal({"OFD.xml": doubled}) == ("several-documents", None)
    assert [p.reason for p in read({"OFD.xml": doubled}).problems] == ["several-documents"]


def test_a_version_that_names_another_document_is_followed_and_is_a_fault() -> None:
    """T-OFD-49."""
    versions = '<ofd:Versions><ofd:Version ID="1" Index="1" BaseLoc="Doc_0/V.xml"/></ofd:Versions>'
    changes = {
        "OFD.xml": root_part({}, extra=versions),
        "Doc_0/V.xml": part("DocVersion", "<ofd:DocRoot>Document_1.xml</ofd:DocRoot>"),
        "Doc_0/Document_1.xml": document_part([1000]),
    }
    document = read(changes)
    assert document.reachable["Doc_0/Document_1.xml"].kind is EntryKind.DOCUMENT
    assert "several-documents" in [p.reason for p in document.problems]
    assert refusal(changes)[0] == "several-documents"


@pytest.mark.parametrize(
    "name", ["DocRoot", "DocInfo", "Signatures"], ids=lambda name: f"T-OFD-24-{name}"
)
def test_doubled_elements_are_refused(name: str) -> None:
    """T-OFD-24."""
    text = root_part({}, extra="<ofd:Signatures>Doc_0/S.xml</ofd:Signatures>").decode()
    start = text.index(f"<ofd:{name}>")
    end = text.index(f"</ofd:{name}>") + len(f"</ofd:{name}>")
    doubled = (text[:end] + text[start:end] + text[end:]).encode()
    assert refusal({"OFD.xml": doubled}) == ("duplicate-element", "duplicate-element")


def test_doubled_identifiers_are_a_fault_where_they_change_what_is_drawn() -> None:
    """T-OFD-28."""
    doubled = part(
        "Res",
        '<ofd:MultiMedias><ofd:MultiMedia ID="2" Type="Image">'
        "<ofd:MediaFile>image_4.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>",
        ' BaseLoc="Res"',
    )
    assert refusal({RES: doubled}) == ("duplicate-id", None)
    assert [p.reason for p in read({RES: doubled}).problems] == ["duplicate-id"]
    objects = page_part(1000, ["一", "二"]).replace(b'ID="1003"', b'ID="1002"')
    assert refusal({PAGE: objects}) == ("duplicate-id", None)
    document = read({PAGE: objects})
    assert ([n.reason for n in document.notices], document.problems) == (["duplicate-id"], ())


def test_identifiers_above_the_declared_maximum_are_refused_in_own_packages() -> None:
    """T-OFD-28."""
    low = document_part([1000]).replace(b"999999", b"1900")
    assert refusal({DOCUMENT: low}) == (None, None)
    lower = document_part([1000]).replace(b"999999", b"1899")
    assert refusal({DOCUMENT: lower}) == ("max-unit-id", None)


@pytest.mark.parametrize("where", ["http://127.0.0.1/a.png", "../../../a.png", "file:///a.png"])
def test_pictures_outside_the_package_are_listed_and_not_fetched(where: str) -> None:
    """T-OFD-69."""
    res = part(
        "Res",
        f'<ofd:MultiMedias><ofd:MultiMedia ID="4"><ofd:MediaFile>{where}</ofd:MediaFile>'
        "</ofd:MultiMedia></ofd:MultiMedias>",
        ' BaseLoc="Res"',
    )
    assert refusal({RES: res}) == ("location", None)
    assert [entry.path for entry in read({RES: res}).external] == [where]


def test_a_page_outside_the_package_is_refused() -> None:
    """T-OFD-29."""
    evil = document_part([1000]).replace(b"Pages/Page_0/Content.xml", b"http://127.0.0.1/p.xml")
    assert refusal({DOCUMENT: evil}) == ("location", "location")


def test_a_split_location_is_refused() -> None:
    """T-OFD-26."""
    split = root_part({}, root="Doc_0/<!-- -->Document.xml")
    assert refusal({"OFD.xml": split}) == ("text-split", "text-split")


@pytest.mark.parametrize("name", ["URI", "Sound", "Movie", "GotoA"])
def test_actions_are_refused_in_own_and_listed_in_foreign_packages(name: str) -> None:
    """T-OFD-68."""
    action = f'<ofd:Actions><ofd:Action Event="DO"><ofd:{name}/></ofd:Action></ofd:Actions>'
    changed = {DOCUMENT: document_part([1000], extra=action)}
    assert refusal(changed) == ("action", None)
    assert [(n.reason, n.detail) for n in read(changed).notices] == [("action", name)]


def test_permissions_are_listed() -> None:
    """T-OFD-72."""
    changed = {DOCUMENT: document_part([1000], extra="<ofd:Permissions/>")}
    assert [n.reason for n in read(changed).notices] == ["permissions"]


@pytest.mark.parametrize("box", ["0 0 0 297", "0 0 -1 5", "0 0 nan 5", "0 0 5", "x"])
def test_boxes_that_are_none_are_refused(box: str) -> None:
    """T-OFD-71."""
    text = document_part([1000]).replace(b"0 0 210 297", box.encode())
    assert refusal({DOCUMENT: text}) == ("page-box", "page-box")


def test_pages_without_any_box_are_read_as_a4_with_a_notice() -> None:
    text = document_part([1000]).replace(b"0 0 210 297", b"")
    document = read({DOCUMENT: text})
    assert document.pages[0].width_mm == 210.0
    assert "page-box-missing" in [n.reason for n in document.notices]


def test_page_size_count_and_strokes_are_bounded() -> None:
    """T-OFD-71."""
    huge = document_part([1000]).replace(b"0 0 210 297", b"0 0 1000000000 297")
    with pytest.raises(LimitExceeded):
        read({DOCUMENT: huge})
    two = document_part([1000, 1000])
    with pytest.raises(LimitExceeded):
        read({DOCUMENT: two, "Doc_0/Pages/Page_1/Content.xml": b""}, limits=Limits(ofd_pages=1))
    strokes = "S 0 0 " + "L 1 1 " * 600
    drawn = part(
        "Page",
        '<ofd:Content><ofd:Layer ID="1"><ofd:PathObject ID="3" Boundary="0 0 9 9">'
        f"<ofd:AbbreviatedData>{strokes}</ofd:AbbreviatedData></ofd:PathObject></ofd:Layer>"
        "</ofd:Content>",
    )
    read({PAGE: drawn}, limits=Limits(path_operators=601))
    with pytest.raises(LimitExceeded):
        read({PAGE: drawn}, limits=Limits(path_operators=600))


@pytest.mark.parametrize("uses", ["10", "20"])
def test_templates_in_a_circle_are_refused(uses: str) -> None:
    """T-OFD-71."""
    other = '<ofd:TemplatePage ID="20" BaseLoc="Tpls/Tpl_1/Content.xml"/>'
    changes = {
        DOCUMENT: document_part([1000], common=other),
        "Doc_0/Tpls/Tpl_0/Content.xml": part("Page", f'<ofd:Template TemplateID="{uses}"/>'),
        "Doc_0/Tpls/Tpl_1/Content.xml": part("Page", '<ofd:Template TemplateID="10"/>'),
    }
    with pytest.raises(LimitExceeded) as caught:
        read(changes)
    assert caught.value.params["limit"] == "template_depth"


@pytest.mark.parametrize(("depth", "good"), [(8, True), (9, False)])
def test_templates_nest_to_the_limit(depth: int, good: bool) -> None:
    """T-OFD-71: each uses the next one twice, which must not cost two to the power of the depth."""
    common, changes = "", {}
    for number in range(1, depth):
        common += f'<ofd:TemplatePage ID="{20 + number}" BaseLoc="T_{number}.xml"/>'
        deeper = f'<ofd:Template TemplateID="{21 + number}"/>' * 2
        changes[f"Doc_0/T_{number}.xml"] = part("Page", deeper if number < depth - 1 else "")
    changes[DOCUMENT] = document_part([1000], common=common)
    changes["Doc_0/Tpls/Tpl_0/Content.xml"] = part("Page", '<ofd:Template TemplateID="21"/>')
    if good:
        assert read(changes).pages
    else:
        with pytest.raises(LimitExceeded):
            read(changes)


def test_a_template_nobody_declared_is_refused_in_own_and_noted_in_foreign_packages() -> None:
    changed = {PAGE: page_part(1000, ["一"], template="77")}
    assert refusal(changed) == ("template-unknown", None)


def test_a_root_that_names_no_document_is_refused() -> None:
    empty = part("OFD", "", ' Version="1.0" DocType="OFD"')
    assert refusal({"OFD.xml": empty}) == ("document-missing", "document-missing")
    rootless = root_part({}).replace(b"Doc_0/Document.xml", b"")
    assert refusal({"OFD.xml": rootless}) == ("document-missing", "document-missing")


@pytest.mark.parametrize("identifier", ["x1", "9" * 5000, "²", "-1", ""])
def test_identifiers_that_are_no_numbers_are_refused_in_own_and_noted_in_foreign_packages(
    identifier: str,
) -> None:
    """T-OFD-28."""
    page = page_part(1000, ["一"]).replace(b'ID="1002"', f'ID="{identifier}"'.encode())
    assert refusal({PAGE: page}) == ("id-form", None)
    limit = document_part([1000]).replace(b"999999", identifier.encode())
    assert refusal({DOCUMENT: limit}) == ("max-unit-id", None)


def test_versions_page_resources_profiles_and_attachments_without_files_are_followed() -> None:
    versions = '<ofd:Versions><ofd:Version ID="1" BaseLoc="V.xml"/></ofd:Versions>'
    files = "<ofd:FileList><ofd:File ID='1'>/Doc_0/Document.xml</ofd:File></ofd:FileList>"
    own_res = part(
        "Res",
        '<ofd:ColorSpaces><ofd:ColorSpace ID="700" Profile="a.icc"/></ofd:ColorSpaces>',
        ' BaseLoc="/Doc_0/Res"',
    )
    page = page_part(1000, ["一"]).replace(
        b"<ofd:Content>", b"<ofd:PageRes>R.xml</ofd:PageRes><ofd:Content>"
    )
    document = read(
        {
            "OFD.xml": root_part({}, extra=versions),
            "V.xml": part("DocVersion", files),
            PAGE: page,
            "Doc_0/Pages/Page_0/R.xml": own_res,
            "Doc_0/Res/a.icc": b"profile",
            "Doc_0/Attachs/Attachments.xml": part(
                "Attachments", '<ofd:Attachment ID="A1" Name="x"/>'
            ),
        }
    )
    kinds = {path: entry.kind for path, entry in document.reachable.items()}
    assert kinds["V.xml"] is EntryKind.VERSION
    assert kinds["Doc_0/Res/a.icc"] is EntryKind.COLOUR_PROFILE
    assert kinds["Doc_0/Pages/Page_0/R.xml"] is EntryKind.RESOURCES
    assert document.problems == ()
    assert [notice.reason for notice in document.notices] == ["attachment-empty"]
    gone = root_part({}, extra=versions)
    assert [entry.path for entry in read({"OFD.xml": gone}).missing] == ["V.xml"]


def test_the_seal_list_may_be_named_by_an_empty_element() -> None:
    document = read({"OFD.xml": root_part({}, extra="<ofd:Signatures/>")})
    assert document.signatures_path is None
    assert not document.lists_missing_signatures

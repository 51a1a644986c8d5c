import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keys.errors import ServiceError
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.xml import (
    NAMESPACE,
    OLDER_NAMESPACE,
    XMLPart,
    _is_uniform,
    numbers_in,
    only,
    parse_xml,
    text_of,
    text_of_only,
)

OPEN = f'<ofd:A xmlns:ofd="{NAMESPACE}">'
CLOSE = "</ofd:A>"


def parse(text: str | bytes, *, strict: bool = False, limits: Limits | None = None) -> XMLPart:
    data = text.encode() if isinstance(text, str) else text
    return parse_xml(data, "a.xml", root="A", strict=strict, limits=limits or Limits())


def reason_of(text: str | bytes, *, strict: bool = False) -> object:
    with pytest.raises(MalformedDocument) as caught:
        parse(text, strict=strict)
    return caught.value.params["reason"]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE A>",
        '<!DOCTYPE A [<!ENTITY x "y">]>',
        '<!DOCTYPE A [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE A SYSTEM "http://127.0.0.1/a.dtd">',
        '<!DOCTYPE A [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]>',
        '<!DOCTYPE A [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_document_types_of_any_kind_are_refused(doctype: str, strict: bool) -> None:
    """T-OFD-20."""
    assert reason_of(f"{doctype}{OPEN}{CLOSE}", strict=strict) == "doctype"


def test_nothing_is_fetched_for_includes_stylesheets_and_schema_locations() -> None:
    """T-OFD-21: the socket guard of the test run would raise; own files bear none of it."""
    text = (
        '<?xml-stylesheet href="http://127.0.0.1/a.xsl"?>'
        f'<ofd:A xmlns:ofd="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://a http://127.0.0.1/a.xsd">'
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></ofd:A>'
    )
    part = parse(text)
    assert "".join(str(piece) for piece in part.root.itertext()) == ""
    assert [notice.reason for notice in part.notices] == ["foreign-element"]
    assert reason_of(text, strict=True) == "namespace"


def test_depth_is_bounded() -> None:
    """T-OFD-22."""

    def nested(levels: int) -> str:
        return f"{OPEN}{'<ofd:B>' * levels}{'</ofd:B>' * levels}{CLOSE}"

    parse(nested(63))
    for levels in (64, 300, 10_000):
        with pytest.raises(LimitExceeded):
            parse(nested(levels))


def test_attributes_texts_and_namespaces_are_bounded() -> None:
    """T-OFD-22."""

    def attributes(count: int) -> str:
        listed = " ".join(f'a{number}="1"' for number in range(count))
        return f'<ofd:A xmlns:ofd="{NAMESPACE}" {listed}/>'

    parse(attributes(64))
    limits = Limits(xml_text_characters=10, xml_bytes=200)
    parse(f"{OPEN}{'x' * 10}{CLOSE}", limits=limits)
    worse = [
        (attributes(65), Limits()),
        (f"{OPEN}{'x' * 11}{CLOSE}", limits),
        (f"{OPEN}{' ' * 200}{CLOSE}", limits),
        (OPEN + "".join(f'<b xmlns:n{n}="u"/>' for n in range(10_001)) + CLOSE, Limits()),
        (f"{OPEN}{'x' * (8 * 2**20 + 1)}{CLOSE}", Limits()),
    ]
    for text, bound in worse:
        with pytest.raises(LimitExceeded):
            parse(text, limits=bound)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        f'<?xml version="1.0" encoding="UTF-16"?>{OPEN}{CLOSE}'.encode("utf-16"),
        f"{OPEN}{CLOSE}".encode("utf-16-le"),
        f"{OPEN}{CLOSE}".encode("utf-32"),
        f'<?xml version="1.0" encoding="UTF-7"?>{OPEN}{CLOSE}'.encode(),
        f'<?xml version="1.0" encoding="ISO-8859-1"?>{OPEN}{CLOSE}'.encode(),
        f'\ufeff<?xml version="1.0" encoding="GBK"?>{OPEN}{CLOSE}'.encode(),
        f"{OPEN}\udcff{CLOSE}".encode("utf-8", "surrogateescape"),
        f'<?xml version="1.0" encoding="UTF-8"?>{OPEN}中{CLOSE}'.encode("gbk"),
    ],
    ids=["utf16", "utf16-bare", "utf32", "utf7", "latin1", "bom-gbk", "invalid", "gbk-as-utf8"],
)
def test_encoding_tricks_are_refused(data: bytes, strict: bool) -> None:
    """T-OFD-23."""
    assert reason_of(data, strict=strict) == "encoding"


def test_gbk_and_byte_order_marks_are_read_in_foreign_files_only() -> None:
    """T-OFD-23."""
    gbk = f'<?xml version="1.0" encoding="GBK"?>{OPEN}证照{CLOSE}'.encode("gbk")
    part = parse(gbk)
    assert text_of(part.root) == "证照"
    assert [notice.reason for notice in part.notices] == ["xml-encoding"]
    assert reason_of(gbk, strict=True) == "encoding"
    marked = f"\ufeff{OPEN}{CLOSE}".encode()
    assert [notice.reason for notice in parse(marked).notices] == ["byte-order-mark"]
    assert reason_of(marked, strict=True) == "encoding"


def test_an_element_that_must_be_single_may_not_occur_twice() -> None:
    """T-OFD-24."""
    root = parse(f"{OPEN}<ofd:B>1</ofd:B><ofd:B>2</ofd:B>{CLOSE}").root
    with pytest.raises(MalformedDocument) as caught:
        only(root, "B")
    assert caught.value.params["reason"] == "duplicate-element"
    assert only(root, "C") is None


def test_ofd_names_in_other_namespaces_are_refused() -> None:
    """T-OFD-25."""
    assert reason_of('<A xmlns="urn:x"/>') == "namespace"
    assert reason_of("<A/>") == "namespace"
    evil = f'{OPEN}<x:Signatures xmlns:x="urn:x"/>{CLOSE}'
    assert reason_of(evil) == "namespace"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'<ofd:A xmlns:ofd="{NAMESPACE}"><B xmlns="{OLDER_NAMESPACE}"/></ofd:A>', "older"),
        (f'<ofd:A xmlns:ofd="{OLDER_NAMESPACE}"/>', "older"),
        (f"{OPEN}<B/>{CLOSE}", "missing"),
    ],
)
def test_the_older_namespace_and_none_are_read_in_foreign_files_with_a_notice(
    text: str, reason: str
) -> None:
    """T-OFD-25."""
    assert [reason in notice.reason for notice in parse(text).notices] == [True]
    assert reason_of(text, strict=True) == "namespace"


@pytest.mark.parametrize(
    "value",
    [
        "/Doc_0/<!-- -->Document.xml",
        "/Doc_0/<?x y?>Document.xml",
        "/Doc_0/<ofd:C/>Document.xml",
        "<!-- -->/Doc_0/Document.xml",
    ],
)
def test_a_value_split_by_markup_is_refused(value: str) -> None:
    """T-OFD-26: never the first text node only."""
    root = parse(f"{OPEN}<ofd:B>{value}</ofd:B>{CLOSE}").root
    with pytest.raises(MalformedDocument) as caught:
        text_of_only(root, "B")
    assert caught.value.params["reason"] == "text-split"


def test_character_data_sections_are_whole_values_or_refused() -> None:
    """T-OFD-26."""
    whole = f"{OPEN}<ofd:B><![CDATA[a&b]]></ofd:B>{CLOSE}"
    assert text_of_only(parse(whole).root, "B") == "a&b"
    assert reason_of(whole, strict=True) == "text-split"
    for value in ("a<![CDATA[b]]>", "<![CDATA[a]]>b", "<![CDATA[a]]><![CDATA[b]]>"):
        assert reason_of(f"{OPEN}<ofd:B>{value}</ofd:B>{CLOSE}") == "text-split"


def test_comments_are_refused_in_own_files() -> None:
    text = f"{OPEN}<!-- c -->{CLOSE}"
    parse(text)
    assert reason_of(text, strict=True) == "text-split"


def test_a_root_of_another_name_and_broken_markup_are_refused() -> None:
    assert reason_of(f'<ofd:B xmlns:ofd="{NAMESPACE}"/>') == "xml"
    assert reason_of("") == "xml"
    assert reason_of(OPEN) == "xml"


@pytest.mark.parametrize("text", ["1 2", "1 2 3 4", "1 2 x", "1 2 nan", "1 2 inf", "1 2 1e308", ""])
def test_numbers_are_plain_decimals_of_the_right_count(text: str) -> None:
    assert numbers_in(text, 3) is None
    assert numbers_in(" 1 -2.5  .5 ", 3) == (1.0, -2.5, 0.5)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_markup_raises_only_our_errors(text: str) -> None:
    for data in (text, f"{OPEN}{text}{CLOSE}"):
        try:
            parse(data.encode("utf-8", "replace"))
        except ServiceError as error:
            assert isinstance(error, MalformedDocument)  # noqa: PT017 - both ways out are right


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("encoding", ["UTF-7", "HZ", "ISO-2022-KR", "UTF-8"])
def test_a_declaration_that_is_not_seen_is_refused(encoding: str, strict: bool) -> None:
    """T-OFD-21: else the parser reads another encoding than the one that was checked."""
    declaration = f'<?xml version="1.0"{" " * 300}encoding="{encoding}"?>'
    with pytest.raises(MalformedDocument) as refusal:
        parse(f'{declaration}<Page xmlns="{NAMESPACE}"/>', strict=strict)
    assert refusal.value.params["reason"] == "encoding"


@given(
    st.lists(
        st.sampled_from(
            [
                "<ofd:B/>", "<ofd:B>", "</ofd:B>", "<B/>", "<x:B xmlns:x='u'/>", "<!-- a -->",
                "<?a b?>", "<![CDATA[<ofd:B>]]>", "ofd:", "&lt;ofd:", 'xmlns:ofd="u"',
                "<ofd:B a='&lt;'/>",
            ]
        ),
        max_size=6,
    )
)  # fmt: skip
def test_what_the_bytes_show_is_what_the_tree_holds(parts: list[str]) -> None:
    """T-OFD-25, 26: the quick look never passes what the long one would remark."""
    data = f"{OPEN}{''.join(parts)}{CLOSE}".encode()
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return
    if _is_uniform(data):
        every = list(root.iter())
        assert all(isinstance(one.tag, str) for one in every)
        assert {etree.QName(one).namespace for one in every} == {NAMESPACE}

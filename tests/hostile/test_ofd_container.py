"""Hostile packages: every refusal of the raw ZIP reader, each made here in code."""

import contextlib
import struct
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import ServiceError
from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.container import read_container
from tests.support.ofd import make_ofd

LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
END = struct.Struct("<4sHHHHIIH")


@dataclass
class Raw:
    """One member with every field open to lies; ``local_*`` override the local header only."""

    name: bytes
    content: bytes = b"content"
    method: int = 0
    flags: int = 0
    version: int = 20
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    attributes: int = 0
    extra: bytes = b""
    comment: bytes = b""
    local: dict[str, object] = field(default_factory=dict)
    gap: bytes = b""
    descriptor: bytes = b""
    offset: int | None = None
    listed: bool = True


@dataclass
class Frame:
    """What stands around the members."""

    before: bytes = b""
    shifted: bool = False
    between: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    disk: int = 0
    total: int | None = None
    count: int | None = None


def local_record(member: Raw, packed: bytes, crc: int, size: int) -> bytes:
    values = {
        "version": member.version,
        "flags": member.flags,
        "method": member.method,
        "crc": crc,
        "packed_size": len(packed),
        "size": size,
        "name": member.name,
        "extra": b"",
    } | member.local
    name, extra = values["name"], values["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    header = LOCAL.pack(
        b"PK\x03\x04",
        values["version"],
        values["flags"],
        values["method"],
        0,
        0x21,
        values["crc"],
        values["packed_size"],
        values["size"],
        len(name),
        len(extra),
    )
    return header + name + extra + packed + member.descriptor + member.gap


def raw_zip(*members: Raw, frame: Frame | None = None) -> bytes:
    """Lay down members and a central directory exactly as told."""
    frame = frame or Frame()
    body, directory, listed = b"", b"", 0
    base = len(frame.before) if frame.shifted else 0
    for member in members:
        packed = member.packed
        if packed is None:
            packed = deflate(member.content) if member.method == 8 else member.content
        crc = zlib.crc32(member.content) if member.crc is None else member.crc
        size = len(member.content) if member.size is None else member.size
        offset = base + len(body) if member.offset is None else member.offset
        body += local_record(member, packed, crc, size)
        if member.listed:
            listed += 1
            directory += (
                CENTRAL.pack(
                    b"PK\x01\x02",
                    20,
                    member.version,
                    member.flags,
                    member.method,
                    0,
                    0x21,
                    crc,
                    len(packed),
                    size,
                    len(member.name),
                    len(member.extra),
                    len(member.comment),
                    0,
                    0,
                    member.attributes,
                    offset,
                )
                + member.name
                + member.extra
                + member.comment
            )
    body += frame.between
    end = END.pack(
        b"PK\x05\x06",
        frame.disk,
        frame.disk,
        listed if frame.count is None else frame.count,
        listed if frame.total is None else frame.total,
        len(directory),
        base + len(body),
        len(frame.comment),
    )
    return frame.before + body + directory + end + frame.comment + frame.after


def deflate(content: bytes) -> bytes:
    worker = zlib.compressobj(6, zlib.DEFLATED, -15)
    return worker.compress(content) + worker.flush()


def reason_of(data: bytes, *, strict: bool = False, limits: Limits | None = None) -> object:
    with pytest.raises(MalformedDocument) as caught:
        read_container(data, limits or Limits(), strict=strict)
    return caught.value.params["reason"]


GOOD = Raw(b"OFD.xml", b"<a/>")
OTHER = Raw(b"Doc_0/Document.xml", b"<b/>" * 50, method=8)


def test_the_builder_itself_makes_packages_that_are_read() -> None:
    data = raw_zip(GOOD, OTHER)
    for strict in (True, False):
        container = read_container(data, strict=strict)
        assert container.order == ("OFD.xml", "Doc_0/Document.xml")
        assert container.notices == ()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param((GOOD, Raw(b"OFD.xml", b"evil")), "duplicate-entry", id="T-OFD-01-same"),
        pytest.param((Raw(b"OFD.xml", b"evil"), GOOD), "duplicate-entry", id="T-OFD-01-reverse"),
        pytest.param((GOOD, Raw(b"ofd.XML")), "duplicate-entry", id="T-OFD-02-case"),
        pytest.param((GOOD, Raw(b"./OFD.xml")), "duplicate-entry", id="T-OFD-02-dot"),
        pytest.param((OTHER, Raw(b"Doc_0//Document.xml")), "duplicate-entry", id="T-OFD-02-slash"),
        pytest.param((GOOD, Raw(b"OFD%2Exml")), "duplicate-entry", id="T-OFD-02-percent"),
        pytest.param((GOOD, Raw(b"OFD.xml.")), "duplicate-entry", id="T-OFD-02-dot-end"),
        pytest.param((GOOD, Raw(b"OFD.xml ")), "duplicate-entry", id="T-OFD-02-blank-end"),
        pytest.param(
            (GOOD, Raw("ＯＦＤ.xml".encode(), flags=0x800)), "duplicate-entry", id="T-OFD-02-nfkc"
        ),
        pytest.param(
            (
                Raw("é.xml".encode(), flags=0x800),
                Raw("e\u0301.xml".encode(), flags=0x800),
            ),
            "duplicate-entry",
            id="T-OFD-02-nfc",
        ),
        pytest.param((GOOD, Raw(b"OFD.xml/a")), "duplicate-entry", id="T-OFD-02-file-is-folder"),
        pytest.param((GOOD, Raw(b"../evil.xml")), "entry-name", id="T-OFD-03-climb"),
        pytest.param((GOOD, Raw(b"a/../../evil.xml")), "entry-name", id="T-OFD-03-inner-climb"),
        pytest.param((GOOD, Raw(b"/etc/passwd")), "entry-name", id="T-OFD-03-absolute"),
        pytest.param((GOOD, Raw(b"C:evil.xml")), "entry-name", id="T-OFD-03-drive"),
        pytest.param((GOOD, Raw(b"a\\evil.xml")), "entry-name", id="T-OFD-03-backslash"),
        pytest.param((GOOD, Raw(b"evil.xml\x00.png")), "entry-name", id="T-OFD-03-nul"),
        pytest.param((GOOD, Raw(b"evil\n.xml")), "entry-name", id="T-OFD-03-control"),
        pytest.param((GOOD, Raw(b"")), "entry-name", id="T-OFD-03-empty"),
        pytest.param(
            (GOOD, Raw("a\u202elmx.b".encode(), flags=0x800)), "entry-name", id="T-OFD-03-bidi"
        ),
        pytest.param((GOOD, Raw(b"x", flags=1)), "encrypted", id="T-OFD-11-flag"),
        pytest.param((GOOD, Raw(b"x", flags=0x40)), "encrypted", id="T-OFD-11-strong"),
        pytest.param((GOOD, Raw(b"x", flags=0x2000)), "encrypted", id="T-OFD-11-directory"),
        pytest.param((GOOD, Raw(b"x", method=9)), "method", id="T-OFD-12-deflate64"),
        pytest.param((GOOD, Raw(b"x", method=12)), "method", id="T-OFD-12-bzip2"),
        pytest.param((GOOD, Raw(b"x", method=99)), "method", id="T-OFD-12-aes"),
        pytest.param(
            (GOOD, Raw(b"x", attributes=0o120777 << 16)), "entry-type", id="T-OFD-14-symlink"
        ),
        pytest.param(
            (GOOD, Raw(b"x", attributes=0o060600 << 16)), "entry-type", id="T-OFD-14-device"
        ),
        pytest.param((GOOD, Raw(b"x/", b"data")), "entry-type", id="T-OFD-14-folder-with-data"),
        pytest.param((GOOD, Raw(b"x", crc=1)), "zip-mismatch", id="T-OFD-15-crc"),
        pytest.param(
            (GOOD, Raw(b"x", b"abc" * 40, method=8, size=119)), "zip-mismatch", id="T-OFD-15-less"
        ),
        pytest.param(
            (GOOD, Raw(b"x", b"abc" * 40, method=8, size=121)), "zip-mismatch", id="T-OFD-15-more"
        ),
        pytest.param(
            (GOOD, Raw(b"x", packed=b"abcd", size=3)), "zip-mismatch", id="T-OFD-15-stored"
        ),
        pytest.param(
            (GOOD, Raw(b"x", b"abc", method=8, packed=deflate(b"abc") + b"more")),
            "zip-mismatch",
            id="T-OFD-17-trailing-data",
        ),
        pytest.param(
            (GOOD, Raw(b"x", b"abc", method=8, packed=b"\xff\xff\xff")),
            "zip-mismatch",
            id="T-OFD-15-broken-stream",
        ),
        pytest.param(
            (GOOD, Raw(b"x", b"abc" * 99, method=8, packed=deflate(b"abc" * 99)[:-3])),
            "zip-mismatch",
            id="T-OFD-74-cut-stream",
        ),
        pytest.param(
            (GOOD, Raw("中".encode("gbk"), flags=0x800)), "entry-name", id="T-OFD-16-gbk-as-utf8"
        ),
    ],
)
def test_a_package_two_readers_would_see_differently_is_refused(
    members: tuple[Raw, ...], reason: str, strict: bool
) -> None:
    assert reason_of(raw_zip(*members), strict=strict) == reason


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "lie",
    [
        {"name": b"OFD.xmk"},
        {"method": 8},
        {"packed_size": 5},
        {"size": 5},
        {"crc": 5},
        {"flags": 0x800},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_local_and_central_header_must_say_the_same(lie: dict[str, object], strict: bool) -> None:
    """T-OFD-04."""
    assert reason_of(raw_zip(Raw(b"OFD.xml", local=lie), OTHER), strict=strict) == "zip-mismatch"


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        raw_zip(GOOD, Raw(b"hidden.xml", listed=False), OTHER),
        raw_zip(Raw(b"hidden.xml", listed=False), GOOD),
        raw_zip(GOOD, Raw(b"hidden.xml", listed=False)),
        raw_zip(Raw(b"OFD.xml", gap=b"\x00\x00"), OTHER),
        raw_zip(GOOD, frame=Frame(between=b"junk")),
    ],
    ids=["middle", "first", "last", "bytes", "before-directory"],
)
def test_hidden_members_and_gaps_are_refused(data: bytes, strict: bool) -> None:
    """T-OFD-05."""
    assert reason_of(data, strict=strict) == "zip-gap"


@pytest.mark.parametrize("shifted", [True, False])
def test_bytes_before_the_first_member_are_refused_in_own_and_noted_in_foreign(
    shifted: bool,
) -> None:
    """T-OFD-06."""
    data = raw_zip(GOOD, OTHER, frame=Frame(before=b"#!/bin/sh\nexit\n", shifted=shifted))
    assert reason_of(data, strict=True) == "zip-extra"
    assert [notice.reason for notice in read_container(data).notices] == ["zip-extra"]


def test_bytes_after_the_end_record_are_refused_in_own_and_noted_in_foreign() -> None:
    """T-OFD-06."""
    data = raw_zip(GOOD, frame=Frame(after=b"\x00" * 40))
    assert reason_of(data, strict=True) == "zip-extra"
    assert [notice.reason for notice in read_container(data).notices] == ["zip-extra"]


@pytest.mark.parametrize("strict", [True, False])
def test_comments_on_the_end_record_are_refused(strict: bool) -> None:
    """T-OFD-07."""
    inner = raw_zip(Raw(b"OFD.xml", b"inner"))
    for comment in (b"hello", inner):
        data = raw_zip(GOOD, frame=Frame(comment=comment))
        assert reason_of(data, strict=strict) == "zip-comment"


@pytest.mark.parametrize("strict", [True, False])
def test_two_zips_in_one_file_are_refused(strict: bool) -> None:
    """T-OFD-08."""
    first, second = raw_zip(GOOD), raw_zip(Raw(b"OFD.xml", b"second"))
    assert reason_of(first + second, strict=strict) == "zip-extra"
    shifted = raw_zip(GOOD, frame=Frame(before=second, shifted=True))
    assert reason_of(shifted, strict=strict) == "zip-extra"


@pytest.mark.parametrize("strict", [True, False])
def test_overlapping_members_are_refused(strict: bool) -> None:
    """T-OFD-09."""
    twice = raw_zip(GOOD, Raw(b"OFD.xmk", b"<a/>", offset=0))
    assert reason_of(twice, strict=strict) in ("zip-overlap", "zip-mismatch")
    inside = Raw(b"outer.bin", local_record(Raw(b"in", b"x"), b"x", zlib.crc32(b"x"), 1))
    data = raw_zip(inside, Raw(b"in", b"x", offset=39))
    assert reason_of(data, strict=strict) in ("zip-overlap", "zip-mismatch")


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        raw_zip(GOOD, frame=Frame(disk=1)),
        raw_zip(GOOD, frame=Frame(total=2)),
        raw_zip(GOOD, frame=Frame(total=0xFFFF, count=0xFFFF)),
        raw_zip(Raw(b"OFD.xml", size=0xFFFFFFFF, method=8)),
    ],
    ids=["disk", "counts", "marker", "size"],
)
def test_zip64_and_several_disks_are_refused(data: bytes, strict: bool) -> None:
    """T-OFD-10."""
    assert reason_of(data, strict=strict) == "zip64"


def test_zip64_fields_and_locators_are_refused_in_foreign_packages() -> None:
    """T-OFD-10."""
    extra = struct.pack("<HHQ", 1, 8, 7)
    assert reason_of(raw_zip(Raw(b"OFD.xml", extra=extra))) == "zip64"
    data = raw_zip(GOOD)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    assert reason_of(data[:-22] + locator + data[-22:]) == "zip64"


def test_a_second_name_in_an_extra_field_is_refused() -> None:
    """T-OFD-16."""
    value = struct.pack("<BI", 1, zlib.crc32(b"OFD.xml")) + b"evil.xml"
    extra = struct.pack("<HH", 0x7075, len(value)) + value
    assert reason_of(raw_zip(Raw(b"OFD.xml", extra=extra))) == "entry-name"
    assert reason_of(raw_zip(Raw(b"OFD.xml", local={"extra": extra}))) == "entry-name"


def test_extra_fields_are_refused_in_own_and_noted_in_foreign() -> None:
    data = raw_zip(Raw(b"OFD.xml", extra=struct.pack("<HHI", 0x000A, 4, 0)))
    assert reason_of(data, strict=True) == "zip-extra-field"
    assert [notice.reason for notice in read_container(data).notices] == ["zip-extra-field"]
    assert reason_of(raw_zip(Raw(b"OFD.xml", extra=b"\x0a\x00\xff\x00"))) == "zip-mismatch"
    aes = struct.pack("<HHI", 0x9901, 4, 0)
    assert reason_of(raw_zip(Raw(b"OFD.xml", extra=aes))) == "encrypted"


@pytest.mark.parametrize("signature", [b"PK\x07\x08", b""])
def test_data_descriptors_are_read_in_foreign_packages_only(signature: bytes) -> None:
    """T-OFD-17."""
    content = b"<a/>" * 30
    packed = deflate(content)
    descriptor = struct.pack("<III", zlib.crc32(content), len(packed), len(content))
    zeros: dict[str, object] = {"crc": 0, "packed_size": 0, "size": 0}
    member = Raw(
        b"OFD.xml", content, method=8, flags=8, descriptor=signature + descriptor, local=zeros
    )
    data = raw_zip(member, OTHER)
    assert read_container(data).entries["OFD.xml"] == content
    assert reason_of(data, strict=True) == "zip-flags"
    member.descriptor = signature + struct.pack("<III", 1, len(packed), len(content))
    assert reason_of(raw_zip(member, OTHER)) == "zip-mismatch"
    stored = Raw(b"OFD.xml", content, flags=8, descriptor=signature + descriptor, local=zeros)
    assert reason_of(raw_zip(stored, OTHER)) == "data-descriptor"


def test_directories_are_refused_in_own_and_noted_in_foreign() -> None:
    """T-OFD-14."""
    data = raw_zip(Raw(b"Doc_0/", b"", attributes=0x10), GOOD, OTHER)
    assert reason_of(data, strict=True) == "entry-type"
    container = read_container(data)
    assert container.order == ("OFD.xml", "Doc_0/Document.xml")
    assert [notice.reason for notice in container.notices] == ["directory-entry"]


def test_gbk_names_are_read_in_foreign_packages_unless_another_reader_finds_another_entry() -> None:
    """T-OFD-73."""
    gbk = "附件.xml".encode("gbk")
    container = read_container(raw_zip(GOOD, Raw(gbk)))
    assert container.order == ("OFD.xml", "附件.xml")
    assert [notice.reason for notice in container.notices] == ["entry-name-encoding"]
    assert reason_of(raw_zip(GOOD, Raw(gbk)), strict=True) == "entry-name"
    as_cp437 = gbk.decode("cp437").encode()
    assert reason_of(raw_zip(GOOD, Raw(gbk), Raw(as_cp437, flags=0x800))) == "entry-name"


def test_truncated_packages_are_refused_at_every_length() -> None:
    """T-OFD-74."""
    data = raw_zip(GOOD, OTHER)
    for length in range(len(data)):
        assert reason_of(data[:length]) in ("zip-truncated", "not-zip", "zip-mismatch")


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (Limits(member_bytes=200), "member_bytes"),
        (Limits(unpacked_bytes=204), "unpacked_bytes"),
        (Limits(package_members=2), "package_members"),
        (Limits(member_name_bytes=18), "member_name_bytes"),
        (Limits(directory_depth=1), "directory_depth"),
    ],
)
def test_limits_are_inclusive(limit: Limits, name: str) -> None:
    """T-OFD-13: at the limit read, above it refused."""
    data = raw_zip(GOOD, OTHER)
    assert len(read_container(data, limit).entries) == 2
    worse = {
        "member_bytes": raw_zip(GOOD, Raw(b"x", b"a" * 201)),
        "unpacked_bytes": raw_zip(GOOD, Raw(b"x", b"a" * 201)),
        "package_members": raw_zip(GOOD, OTHER, Raw(b"x")),
        "member_name_bytes": raw_zip(GOOD, Raw(b"x" * 19)),
        "directory_depth": raw_zip(GOOD, Raw(b"a/b/c")),
    }[name]
    with pytest.raises(LimitExceeded) as caught:
        read_container(worse, limit)
    assert caught.value.params["limit"] == name


def test_dense_members_are_refused_before_they_are_inflated() -> None:
    """T-OFD-13: the declared size is enough to refuse; the stream is never touched."""
    limits = Limits(ratio_threshold_bytes=1000, compression_ratio=100)
    read_container(raw_zip(Raw(b"x", bytes(1000), method=8)), limits)
    with pytest.raises(LimitExceeded) as caught:
        read_container(raw_zip(Raw(b"x", method=8, packed=b"\xff" * 10, size=1001)), limits)
    assert caught.value.params["limit"] == "compression_ratio"
    with pytest.raises(LimitExceeded):
        read_container(raw_zip(Raw(b"bomb", bytes(3_000_000), method=8)))


def test_documents_over_the_upload_limit_are_refused() -> None:
    data = raw_zip(GOOD)
    read_container(data, Limits(document_bytes=len(data)))
    with pytest.raises(DocumentTooLarge):
        read_container(data, Limits(document_bytes=len(data) - 1))


def test_every_single_bit_of_the_framing_counts_in_own_packages() -> None:
    """T-OFD-04, 15: flipping any bit of an own package changes an entry or refuses the file.

    Stored entries only: two deflate streams may unpack to the same bytes; the packing digest in
    our signatures takes care of those.
    """
    data = raw_zip(GOOD, Raw(b"Doc_0/Document.xml", b"<b/>"))
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(ServiceError):
            read_container(bytes(flipped), strict=True)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_raise_only_our_errors(data: bytes) -> None:
    for head in (b"", b"PK\x03\x04"):
        for tail in (b"", END.pack(b"PK\x05\x06", 0, 0, 1, 1, len(data), 0, 0)):
            with pytest.raises(ServiceError):
                read_container(head + data + tail)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_changed_packages_raise_only_our_errors(data: st.DataObject) -> None:
    package = bytearray(make_ofd())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(package) - 1))
        package[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ServiceError):
        read_container(bytes(package))

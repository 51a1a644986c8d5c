"""Kept results are the results: the key is all of the bytes, and hostile streams are refused."""

import zlib

import pytest

from seal_service.formats.ofd import kept

CONTENT = bytes(range(256)) * 64
PACKED = kept.deflate(CONTENT, 9)


def test_what_was_kept_equals_what_is_worked_out() -> None:
    for _ in range(2):
        assert kept.crc32(CONTENT) == zlib.crc32(CONTENT)
        assert kept.inflate(PACKED, len(CONTENT)) == CONTENT
        assert zlib.decompress(kept.deflate(CONTENT, 1), -zlib.MAX_WBITS) == CONTENT


def test_one_changed_byte_is_another_content() -> None:
    changed = CONTENT[:-1] + b"\x00"
    assert kept.sm3(CONTENT) != kept.sm3(changed)
    assert kept.crc32(changed) == zlib.crc32(changed)


def test_another_level_is_another_stream() -> None:
    text = b"".join(b"%d %d" % (n, n * n) for n in range(2_000))
    assert kept.deflate(text, 1) != kept.deflate(text, 9)


def test_a_stream_longer_than_declared_is_refused_although_it_was_kept_whole() -> None:
    """T-OFD-13."""
    assert kept.inflate(PACKED, len(CONTENT)) == CONTENT
    with pytest.raises(ValueError, match="does not end"):
        kept.inflate(PACKED, 100)


@pytest.mark.parametrize("stream", [PACKED + b"x", PACKED[:-1], b"\xff" + PACKED])
def test_a_bad_stream_is_refused_every_time(stream: bytes) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"incorrect|invalid|does not end|after the stream"):
            kept.inflate(stream, len(CONTENT))


def test_results_of_large_contents_are_worked_out_each_time() -> None:
    calls: list[int] = []

    @kept.kept
    def count(data: bytes) -> int:
        calls.append(len(data))
        return len(data)

    for size in (kept.SMALLEST - 1, kept.SMALLEST, kept.LARGEST, kept.LARGEST + 1):
        assert [count(bytes(size)), count(bytes(size))] == [size, size]
    assert calls.count(kept.LARGEST) == calls.count(kept.SMALLEST) == 1
    assert calls.count(kept.LARGEST + 1) == calls.count(kept.SMALLEST - 1) == 2

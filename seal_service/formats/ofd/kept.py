"""Results kept by the bytes they come from: what licences share is worked out once.

Background, bold font and seal are the same to the byte in thousands of packages, and each package
is read several times: sealed, checked, verified. Only pure functions are kept, and the key is the
whole of the bytes, compared one by one: a kept result is the result. Number and size are bounded,
so that files of others cost nothing but the place of a kept one.
"""

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypeVar, cast

from keys import algorithms
from seal_service.formats.limits import KIB

P = ParamSpec("P")
T = TypeVar("T")

KEPT = 128
"""Results of each function; a licence has six entries of a size worth keeping."""
SMALLEST, LARGEST = 2 * KIB, 256 * KIB
"""Less is worked out faster than found; more is not a licence's."""


def kept(function: Callable[Concatenate[bytes, P], T]) -> Callable[Concatenate[bytes, P], T]:
    """Keep the results of a pure function of bytes and of a few other values."""
    remembered = cast(Callable[Concatenate[bytes, P], T], lru_cache(maxsize=KEPT)(function))

    def call(data: bytes, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if SMALLEST <= len(data) <= LARGEST:
            return remembered(data, *args, **kwargs)
        return function(data, *args, **kwargs)

    return call


@kept
def sm3(data: bytes) -> bytes:
    """Return the SM3 digest."""
    return algorithms.sm3(data)


@kept
def crc32(data: bytes) -> int:
    """Return the checksum that ZIP uses."""
    return zlib.crc32(data)


@kept
def deflate(data: bytes, level: int) -> bytes:
    """Return the raw deflate stream."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return deflater.compress(data) + deflater.flush()


def inflate(packed: bytes, size: int) -> bytes:
    """Inflate a raw stream to at most ``size`` + 1 bytes; raises ``ValueError`` for a bad one."""
    return _inflate_kept(packed, size) if size <= LARGEST else _inflate(packed, size)


def _inflate(packed: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError("stream does not end")
    if stream.unused_data:
        raise ValueError("bytes after the stream")
    return content


_inflate_kept = kept(_inflate)

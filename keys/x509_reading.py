"""Parts that revocation lists and OCSP responses share: algorithms, times, extensions. Pure.

RFC 5280, 4.1 and 4.2. Stricter than the reader of certificates: whoever publishes revocation data
does so anew every day, and a list that cannot be read leaves the status open, no more.
"""

from dataclasses import dataclass
from datetime import datetime

from keys import der
from keys.der import Node


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension as read."""

    value: bytes
    is_critical: bool


def read_extensions(listed: Node) -> dict[str, Extension]:
    """Read Extensions; each may stand once, an explicit ``critical FALSE`` is read over."""
    found: dict[str, Extension] = {}
    for node in der.read_sequence(listed, at_least=1):
        parts = der.read_sequence(node, at_least=2, at_most=3)
        oid = der.read_oid(parts[0])
        if oid in found:
            raise der.malformed("extension-repeated", node.start)
        is_critical = len(parts) == 3 and der.read_boolean(parts[1])
        found[oid] = Extension(der.read_octets(parts[-1]), is_critical)
    return found


def unknown_critical(extensions: dict[str, Extension], known: frozenset[str]) -> tuple[str, ...]:
    """List the critical extensions that are not ``known``, sorted."""
    return tuple(
        sorted(oid for oid, one in extensions.items() if one.is_critical and oid not in known)
    )


def read_algorithm(found: Node) -> tuple[str, bytes | None]:
    """Return identifier and DER of the parameters; NULL and absent are one to the caller."""
    parts = der.read_sequence(found, at_least=1, at_most=2)
    has_parameters = len(parts) == 2 and parts[1].raw != der.null()
    return der.read_oid(parts[0]), parts[1].raw if has_parameters else None


def read_instant(node: Node) -> datetime:
    """Read a time in the one form that RFC 5280, 4.1.2.5 allows: whole seconds, Z."""
    at, is_canonical = der.read_time(node)
    if not is_canonical:
        raise der.malformed("time", node.start)
    return at


def read_generalized(node: Node) -> datetime:
    """Read a GeneralizedTime, whole seconds, Z."""
    return read_instant(der.expect(node, der.GENERALIZED_TIME))

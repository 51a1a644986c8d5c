"""Licence identifiers (GB/T 36904) and the printed numbers that carry a check digit.

An identifier is ``1.2.156.3005.2.<type 21>.<issuer 18>.<serial>.<version 3>.<check 1>``; the check
character is ISO 7064 MOD 37,36 over type, issuer, serial and version, without root and dots.
Written strictly, read tolerantly: a deviation in length or alphabet is a notice, a wrong check
character never is. A changed licence keeps its serial and raises its version.
"""

import re
from dataclasses import dataclass

from licence_store.errors import InvalidCode, InvalidIdentifier

ROOT = "1.2.156.3005.2"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIRST_VERSION = "001"
LAST_VERSION = 999
SERIAL_LENGTH = 20
LONGEST_SERIAL = 32
LONGEST_IDENTIFIER = 128
"""Two national databases give the column 128 characters."""

_TYPE_CODE = re.compile(r"[0-9A-Z]{18}[0-9]{3}", re.ASCII)
_AUTHORITY_CODE = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_SERIAL = re.compile(r"[0-9A-Z]{1,32}", re.ASCII)
_VERSION = re.compile(r"[0-9]{3}", re.ASCII)
_TOLERATED = re.compile(r"[0-9A-Z_-]+", re.ASCII)
_FOOD_NUMBER = re.compile(r"JY([0-9]{13})([0-9])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceIdentifier:
    """The parts of an identifier, and what deviated from the standard when it was read."""

    licence_type_code: str
    authority_code: str
    serial: str
    version: str
    check: str
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the identifier as it is written."""
        parts = (self.licence_type_code, self.authority_code, self.serial, self.version)
        return ".".join((ROOT, *parts, self.check))


def check_character(body: str) -> str:
    """Return the ISO 7064 MOD 37,36 check character; only digits and capitals count."""
    product = 36
    for character in body:
        value = ALPHABET.find(character)
        if value < 0:
            continue
        total = (product + value) % 36 or 36
        product = (2 * total) % 37
    return ALPHABET[(37 - product) % 36]


def check_digit_mod_11_10(digits: str) -> str:
    """Return the ISO 7064 MOD 11,10 check digit of a string of digits."""
    product = 10
    for character in digits:
        total = (product + int(character)) % 10 or 10
        product = (2 * total) % 11
    return str((11 - product) % 10)


def make_serial(randomness: bytes) -> str:
    """Turn at least 16 random bytes into a serial of 20 digits and capitals."""
    number = int.from_bytes(randomness)
    characters = []
    for _ in range(SERIAL_LENGTH):
        number, value = divmod(number, 36)
        characters.append(ALPHABET[value])
    return "".join(characters)


def assign_identifier(
    *, licence_type_code: str, authority_code: str, serial: str, version: str = FIRST_VERSION
) -> str:
    """Write an identifier; raises ``InvalidIdentifier`` for a part outside the standard."""
    parts = (
        ("type", _TYPE_CODE, licence_type_code),
        ("issuer", _AUTHORITY_CODE, authority_code),
        ("serial", _SERIAL, serial),
        ("version", _VERSION, version),
    )
    for name, pattern, value in parts:
        if pattern.fullmatch(value) is None:
            raise InvalidIdentifier(f"the {name} part is malformed", part=name)
    if version == "000":
        raise InvalidIdentifier("versions start at 001", part="version")
    values = [value for _, _, value in parts]
    return ".".join((ROOT, *values, check_character("".join(values))))


def parse_identifier(text: str) -> LicenceIdentifier:
    """Read an identifier in any letter case.

    Raises ``InvalidIdentifier`` when it has other parts than the standard's, or when the check
    character is wrong. Lengths and characters that deviate become notices.
    """
    if len(text) > LONGEST_IDENTIFIER or not text.isascii():
        raise InvalidIdentifier("not an identifier", part="whole")
    upper = text.upper()
    parts = upper.removeprefix(ROOT + ".").split(".")
    if not upper.startswith(ROOT + ".") or len(parts) != 5:
        raise InvalidIdentifier("not root, type, issuer, serial, version and check", part="whole")
    type_code, authority_code, serial, version, check = parts
    body = "".join(parts[:4])
    if not all(_TOLERATED.fullmatch(part) for part in parts[:4]):
        raise InvalidIdentifier("a part is empty or has foreign characters", part="whole")
    if len(check) != 1 or check != check_character(body):
        raise InvalidIdentifier("the check character is wrong", part="check")
    return LicenceIdentifier(
        licence_type_code=type_code,
        authority_code=authority_code,
        serial=serial,
        version=version,
        check=check,
        notices=_deviations(type_code, authority_code, serial, version),
    )


def _deviations(type_code: str, authority_code: str, serial: str, version: str) -> tuple[str, ...]:
    """Name the parts that this service itself would not write."""
    rules = (
        ("type_length", len(type_code) == 21),
        ("issuer_length", len(authority_code) == 18),
        ("serial_length", len(serial) <= LONGEST_SERIAL),
        ("serial_charset", serial.isalnum()),
        ("version_form", _VERSION.fullmatch(version) is not None),
    )
    return tuple(name for name, holds in rules if not holds)


def next_version(identifier: str) -> str:
    """Return the identifier of the same licence in its next version: same serial, version + 1."""
    parsed = parse_identifier(identifier)
    if _VERSION.fullmatch(parsed.version) is None:
        raise InvalidIdentifier("the version is not three digits", part="version")
    number = int(parsed.version) + 1
    if number > LAST_VERSION:
        raise InvalidIdentifier("no version is left after 999", part="version")
    return assign_identifier(
        licence_type_code=parsed.licence_type_code,
        authority_code=parsed.authority_code,
        serial=parsed.serial,
        version=f"{number:03d}",
    )


def assign_food_permit_number(*, business_form: int, area_code: str, sequence: int) -> str:
    """Write ``JY`` + form(1) + area(6) + sequence(6) + check(1); form is 1, 2 or 3."""
    if business_form not in (1, 2, 3) or not 0 <= sequence <= 999_999:
        raise InvalidCode("business form 1-3 and sequence below 1 000 000", field="food_number")
    if re.fullmatch(r"[0-9]{6}", area_code, re.ASCII) is None:
        raise InvalidCode("the area code has six digits", field="food_number")
    digits = f"{business_form}{area_code}{sequence:06d}"
    return f"JY{digits}{check_digit_mod_11_10(digits)}"


def check_food_permit_number(text: str) -> None:
    """Check a food business permit number; raises ``InvalidCode``."""
    match = _FOOD_NUMBER.fullmatch(text)
    if match is None:
        raise InvalidCode("许可证编号应为 JY 加 14 位数字", field="food_number")
    if check_digit_mod_11_10(match[1]) != match[2]:
        raise InvalidCode("许可证编号的校验码不正确", field="food_number")

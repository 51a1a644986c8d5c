"""Code lists and validators, each with its source clause. All of them run in linear time.

Text in names: **the written rule** (T-API-28). Text must already be in Unicode normal form C, must
not begin or end with a space, and may hold letters, marks, numbers, punctuation and symbols, the
space and the ideographic space. A variation selector is allowed once, straight after a Han
character (IVS, UTS 37). Everything that can hide or reorder text is refused and named: control
and bidirectional characters, zero-width and other invisible characters, private use, unassigned
code points, surrogates. Nothing is changed silently, so the sealed text is what was approved.

Area codes (GB/T 2260): checked are the form and the province prefix, against a dated table. County
codes are not listed here: abolished ones stay valid on old licences.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from licence_store.errors import InvalidCode

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(f"[{USCC_ALPHABET}]{{18}}", re.ASCII)
_USCC_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_ID = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_AREA = re.compile(r"[0-9]{6}", re.ASCII)
_LICENCE_TYPE = re.compile(r"[0-9A-Z]{18}[0-9]{3}", re.ASCII)
_OTHER_HOLDER_CODE = re.compile(r"[0-9A-Za-z()（）\-]{1,64}")

PROVINCES = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区",
    "21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
    "31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省", "35": "福建省",
    "36": "江西省", "37": "山东省",
    "41": "河南省", "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区",
    "46": "海南省",
    "50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省", "54": "西藏自治区",
    "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区",
}  # fmt: skip
"""GB/T 2260-2007, province level, read 2026."""
NATIONAL_AREA = "100000"


class HolderCodeType(StrEnum):
    """Kinds of holder codes: GB/T 36903, appendix A."""

    USCC = "001"
    OTHER_ORGANISATION = "099"
    CITIZEN_ID = "111"
    OFFICER_ID = "114"
    POLICE_OFFICER_ID = "115"
    SOLDIER_ID = "118"
    POLICE_SOLDIER_ID = "119"
    CIVIL_STAFF_ID = "120"
    POLICE_CIVIL_STAFF_ID = "122"
    DIPLOMATIC_PASSPORT = "411"
    SERVICE_PASSPORT = "412"
    PUBLIC_AFFAIRS_PASSPORT = "413"
    PASSPORT = "414"
    TAIWAN_PERMIT = "511"
    HONG_KONG_MACAO_PERMIT = "516"
    OTHER_PERSON = "999"


HOLDER_CODE_TYPE_NAMES = {
    HolderCodeType.USCC: "统一社会信用代码",
    HolderCodeType.OTHER_ORGANISATION: "其他法人或其他组织",
    HolderCodeType.CITIZEN_ID: "公民身份号码",
    HolderCodeType.OFFICER_ID: "军官证",
    HolderCodeType.POLICE_OFFICER_ID: "武警警官证",
    HolderCodeType.SOLDIER_ID: "士兵证",
    HolderCodeType.POLICE_SOLDIER_ID: "武警士兵证",
    HolderCodeType.CIVIL_STAFF_ID: "文职人员证",
    HolderCodeType.POLICE_CIVIL_STAFF_ID: "武警文职人员证",
    HolderCodeType.DIPLOMATIC_PASSPORT: "外交护照",
    HolderCodeType.SERVICE_PASSPORT: "公务护照",
    HolderCodeType.PUBLIC_AFFAIRS_PASSPORT: "公务普通护照",
    HolderCodeType.PASSPORT: "普通护照",
    HolderCodeType.TAIWAN_PERMIT: "台湾居民来往大陆通行证",
    HolderCodeType.HONG_KONG_MACAO_PERMIT: "港澳居民来往内地通行证",
    HolderCodeType.OTHER_PERSON: "其他自然人证件",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """How long a text may be, and whether it may have several lines."""

    longest: int
    shortest: int = 1
    multiline: bool = False


NAME_RULE = TextRule(longest=200)

# Unicode 15 to 17 Han blocks that the interpreter's tables (14.0) do not know yet: extensions H,
# I and J. A character there that no font draws is refused later, by name.
_NEWER_HAN = ((0x31350, 0x323AF), (0x2EBF0, 0x2EE5D), (0x323B0, 0x33479))
_INVISIBLE = frozenset((0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))
_SPACES = frozenset((0x20, 0x3000))
_PLAIN = re.compile("[0-9A-Za-z一-龥，。；：、！（）《》〔〕·.,;:()-]+")
"""Nothing but these: allowed everywhere, in normal form C, and told without a look at each."""
_REFUSED_CATEGORIES = {
    "Cc": "控制字符",
    "Cf": "不可见的格式控制字符",
    "Cs": "代理码位",
    "Co": "专用区字符",
    "Cn": "未定义的码位",
    "Zl": "行分隔符",
    "Zp": "段分隔符",
}


def is_han(character: str) -> bool:
    """Tell whether a character is a unified or compatibility Han character."""
    point = ord(character)
    return (
        0x4E00 <= point <= 0x9FFF
        or 0x3400 <= point <= 0x4DBF
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x33479
        or point == 0x3007
    )


def _is_variation_selector(point: int) -> bool:
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF


def _refusal(text: str, position: int, multiline: bool) -> str | None:
    """Name what is wrong with one character of a text, or None."""
    point = ord(text[position])
    if _is_variation_selector(point):
        after_han = position > 0 and is_han(text[position - 1])
        return None if after_han else "异体选择符不在汉字之后"
    if point == 0x0A and multiline:
        return None
    if any(first <= point <= last for first, last in _NEWER_HAN):
        return None
    category = unicodedata.category(text[position])
    if category in _REFUSED_CATEGORIES:
        return _REFUSED_CATEGORIES[category]
    if point in _INVISIBLE:
        return "不可见字符"
    if category == "Zs" and point not in _SPACES:
        return "特殊空格"
    return None


def check_text(text: str, rule: TextRule = NAME_RULE) -> None:
    """Check a text against the written rule above; raises ``InvalidCode`` naming the character."""
    if len(text) < rule.shortest or not text.strip():
        raise InvalidCode("不能为空", reason="empty")
    if len(text) > rule.longest:
        raise InvalidCode(f"超过 {rule.longest} 个字符", reason="too-long", longest=rule.longest)
    if _PLAIN.fullmatch(text):
        return
    for position in range(len(text)):
        fault = _refusal(text, position, rule.multiline)
        if fault is not None:
            point = f"U+{ord(text[position]):04X}"
            raise InvalidCode(
                f"第 {position + 1} 个字符 {point} 不允许使用：{fault}",
                reason="character",
                character=point,
            )
    if text != text.strip():
        raise InvalidCode("首尾不能有空格", reason="spaces")
    if not unicodedata.is_normalized("NFC", text):
        raise InvalidCode("含有非规范形式（非 NFC）的字符，请改用规范字符", reason="normal-form")


def organisation_check(body: str) -> str:
    """Return the check character of an eight-character organisation code (GB 11714)."""
    total = sum(
        weight * int(character, 36)
        for weight, character in zip(_ORGANISATION_WEIGHTS, body, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def uscc_check(body: str) -> str:
    """Return the check character for the first 17 characters of a code (GB 32100-2015)."""
    total = sum(
        weight * USCC_ALPHABET.index(character)
        for weight, character in zip(_USCC_WEIGHTS, body, strict=True)
    )
    return USCC_ALPHABET[-total % 31]


def check_uscc(text: str) -> None:
    """Check a unified social credit code: GB 32100-2015, with its inner GB 11714 check.

    Raises ``InvalidCode``.
    """
    if _USCC.fullmatch(text) is None:
        raise InvalidCode("统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z）")
    if uscc_check(text[:17]) != text[17]:
        raise InvalidCode("统一社会信用代码的校验码不正确", reason="check", clause="GB 32100-2015")
    if organisation_check(text[8:16]) != text[16]:
        raise InvalidCode(
            "统一社会信用代码中的组织机构代码校验码不正确", reason="check", clause="GB 11714-1997"
        )


def check_citizen_id(text: str) -> None:
    """Check a citizen identification number (GB 11643-1999): area, birth date, check character.

    Raises ``InvalidCode``; the message never repeats the number.
    """
    if _CITIZEN_ID.fullmatch(text) is None:
        raise InvalidCode("公民身份号码应为 17 位数字加 1 位校验码（数字或大写 X）")
    if text[:2] not in PROVINCES and text[:2] != "83":
        raise InvalidCode("公民身份号码中的地址码不正确", reason="area")
    read_date(f"{text[6:10]}-{text[10:12]}-{text[12:14]}")
    total = sum(w * int(c) for w, c in zip(_CITIZEN_WEIGHTS, text[:17], strict=True))
    if _CITIZEN_CHECKS[total % 11] != text[17]:
        raise InvalidCode("公民身份号码的校验码不正确", reason="check", clause="GB 11643-1999")


def check_area_code(text: str) -> None:
    """Check an area code's form and province (GB/T 2260); raises ``InvalidCode``."""
    if _AREA.fullmatch(text) is None:
        raise InvalidCode("行政区划代码应为 6 位数字", reason="form", clause="GB/T 2260")
    if text == NATIONAL_AREA:
        return
    if text[:2] not in PROVINCES:
        raise InvalidCode("行政区划代码的省级部分不存在", reason="province", clause="GB/T 2260")
    if text[2:4] == "00" and text[4:] != "00":
        raise InvalidCode("行政区划代码缺少市级部分", reason="form", clause="GB/T 2260")


def check_licence_type_code(text: str) -> None:
    """Check a licence type code: a defining authority's code and three digits (GB/T 36902)."""
    if _LICENCE_TYPE.fullmatch(text) is None:
        raise InvalidCode("证照类型代码应为 18 位机构代码加 3 位顺序码", clause="GB/T 36902-2018")
    if _USCC.fullmatch(text[:18]) is None or uscc_check(text[:17]) != text[17]:
        raise InvalidCode("证照类型代码中的定义机构代码不正确", clause="GB/T 36902-2018")


def read_date(text: str) -> date:
    """Read ``YYYY-MM-DD``; raises ``InvalidCode`` for any other form and for 30 February."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise InvalidCode("日期格式应为 YYYY-MM-DD", reason="form")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise InvalidCode("日历上没有这一天", reason="calendar") from None


def check_holder_code(code: str, code_type: HolderCodeType) -> None:
    """Check a holder code by its type (GB/T 36903, appendix A); raises ``InvalidCode``."""
    if code_type is HolderCodeType.USCC:
        check_uscc(code)
    elif code_type is HolderCodeType.CITIZEN_ID:
        check_citizen_id(code)
    elif _OTHER_HOLDER_CODE.fullmatch(code) is None:
        raise InvalidCode("持证主体代码应为不超过 64 位的字母、数字或连字符", reason="form")


def mask_code(code: str, code_type: HolderCodeType) -> str:
    """Hide the middle of a person's code; codes of organisations are public and stay.

    Positions 11 to 14 of a citizen number become ``****`` (Beijing's rule for food licences).
    """
    if code_type in (HolderCodeType.USCC, HolderCodeType.OTHER_ORGANISATION):
        return code
    if code_type is HolderCodeType.CITIZEN_ID:
        return f"{code[:10]}****{code[14:]}"
    kept = max(1, len(code) // 4)
    return code[:kept] + "*" * max(1, len(code) - 2 * kept) + code[len(code) - kept :]

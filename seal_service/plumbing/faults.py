"""Faults a wire type finds in a request, in words for people; what was sent is never repeated."""

from collections.abc import Mapping, Sequence

from seal_service.plumbing.errors import RequestFault

MOST_FAULTS = 100
_LONGEST_POINTER = 200
_WORDS = {
    "missing": "缺少必填项",
    "extra_forbidden": "接口没有这个字段",
    "string_type": "应为文字",
    "string_too_short": "文字过短",
    "string_too_long": "文字过长",
    "string_pattern_mismatch": "格式不符",
    "string_unicode": "含有无效字符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数值",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "list_type": "应为数组",
    "too_long": "条目过多",
    "too_short": "条目过少",
    "literal_error": "不在允许的取值之内",
    "enum": "不在允许的取值之内",
    "greater_than": "数值过小",
    "greater_than_equal": "数值过小",
    "less_than": "数值过大",
    "less_than_equal": "数值过大",
}


def list_faults(found: Sequence[Mapping[str, object]]) -> tuple[RequestFault, ...]:
    """Turn what the validator found into faults, at most ``MOST_FAULTS``.

    A field of the body is named by its RFC 6901 pointer, a parameter by where it is and its name.
    """
    return tuple(_fault(one) for one in found[:MOST_FAULTS])


def _fault(found: Mapping[str, object]) -> RequestFault:
    place = found.get("loc")
    where, *steps = place if isinstance(place, tuple) else ("body",)
    words = _WORDS.get(str(found.get("type")), "不符合要求")
    code = str(found.get("type")).replace("_", "-")
    if where == "body":
        return RequestFault(pointer=_pointer(steps), detail=words, code=code)
    name = str(steps[0])[:_LONGEST_POINTER] if steps else ""
    return RequestFault(
        pointer="", detail=f"{_PLACES.get(where, '')}参数 {name}：{words}", code=code
    )


_PLACES = {"query": "查询", "header": "请求头", "path": "路径", "cookie": "Cookie "}


def _pointer(steps: Sequence[object]) -> str:
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return "".join(f"/{step}" for step in escaped)[:_LONGEST_POINTER]

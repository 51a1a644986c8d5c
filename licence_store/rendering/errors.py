"""Errors of rendering: what a caller can mend, and what is a fault of a template."""

from keys.errors import Kind, ServiceError


class FieldOverflow(ServiceError):
    """A text does not fit its place on the face, even at the smallest size allowed."""

    code = "field-overflow"
    kind = Kind.INVALID
    title = "照面信息过长，超出版面"
    title_en = "A text does not fit its place on the face"
    advice = "请按填写规则缩短该项内容，或改用附页。"


class TemplateNotFound(ServiceError):
    """There is no template for this licence type."""

    code = "template-not-found"
    kind = Kind.INVALID
    title = "没有该类型证照的模板"
    title_en = "No template for this licence type"
    advice = "请核对证照类型代码，或联系运维人员安装模板。"


class RenderingFault(ServiceError):
    """A template, font folder or engine does something that the writers do not know."""

    code = "rendering-fault"
    kind = Kind.INTERNAL
    title = "证照版面生成失败"
    title_en = "The face could not be rendered"
    advice = "请将请求编号告知运维人员，检查模板与字库。"


class FontsUnavailable(ServiceError):
    """The font folder is missing, incomplete, or differs from its manifest."""

    code = "fonts-unavailable"
    kind = Kind.UNAVAILABLE
    title = "证照字库不可用"
    title_en = "The licence fonts are not available"
    advice = "请运行 scripts/setup-fonts 重新准备字库。"

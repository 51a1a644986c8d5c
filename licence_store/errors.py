"""Errors of the licence library: each names what is wrong and who can mend it."""

from dataclasses import dataclass

from keys.errors import Kind, ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One fault in a request body: where (RFC 6901 JSON pointer) and what, in words for people."""

    pointer: str
    detail: str
    code: str = "invalid"


class InvalidIdentifier(ServiceError):
    """A string is not a GB/T 36904 identifier, or its check character is wrong."""

    code = "invalid-identifier"
    kind = Kind.INVALID
    title = "电子证照标识不正确"
    title_en = "The licence identifier is not correct"
    advice = "请核对电子证照标识，校验位不符通常是抄写错误。"


class InvalidCode(ServiceError):
    """One value breaks the rule of its kind: check digit, date, character set, length."""

    code = "invalid-code"
    kind = Kind.INVALID
    title = "代码或文字不符合规范"
    title_en = "A code or text breaks the rule of its kind"
    advice = "请按所列条款更正后重新提交。"


class FaultyRequest(ServiceError):
    """Base of refusals that list the faulty fields."""

    kind = Kind.INVALID
    advice = "请按 errors 中列出的字段逐项更正后重新提交。"

    def __init__(self, faults: tuple[FieldFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.errors = faults


class InvalidApprovalResult(FaultyRequest):
    """An approval result is incomplete or contradicts itself."""

    code = "invalid-approval-result"
    title = "审批结果中有不符合要求的内容"
    title_en = "The approval result has faults"


class InvalidRequest(FaultyRequest):
    """Another request has faulty fields."""

    code = "invalid-request"
    title = "请求内容不符合要求"
    title_en = "The request has faults"


class InvalidFaceData(FaultyRequest):
    """Face data does not fit the field schema of the licence type's template."""

    code = "invalid-face-data"
    title = "照面信息不符合模板要求"
    title_en = "The face data does not fit the template"


class InvalidMetadata(FaultyRequest):
    """A GB/T 36903 record is incomplete or contradicts itself."""

    code = "invalid-metadata"
    title = "证照元数据不完整或互相矛盾"
    title_en = "The licence metadata is incomplete or contradicts itself"


class LicenceTypeNotAllowed(ServiceError):
    """The tenant may not issue licences of this type (T-API-26)."""

    code = "licence-type-not-allowed"
    kind = Kind.INVALID
    title = "本机构不能颁发该类型的证照"
    title_en = "This authority may not issue licences of this type"
    advice = "请检查证照类型代码；如确有职权，请管理员登记该类型。"


class AuthorityMismatch(ServiceError):
    """The approval result names another issuing authority than the caller's."""

    code = "authority-mismatch"
    kind = Kind.FORBIDDEN
    title = "颁发机构与调用方所属机构不一致"
    title_en = "The issuing authority is not the caller's"
    advice = "请使用该颁发机构自己的接入凭据提交。"


class LicenceNotFound(ServiceError):
    """No such licence, or none that this caller may know of."""

    code = "licence-not-found"
    kind = Kind.NOT_FOUND
    title = "未找到该证照"
    title_en = "No such licence"
    advice = "请核对电子证照标识。"


class LicenceExists(ServiceError):
    """The case already has a licence of this type, with other content (T-API-13)."""

    code = "licence-exists"
    kind = Kind.CONFLICT
    title = "该办件已颁发同类证照，且内容不同"
    title_en = "This case already has such a licence, with other content"
    advice = "如需更改内容，请办理变更；如为重试，请提交与首次完全相同的内容。"


class LicenceBusy(ServiceError):
    """Another request is issuing this very licence and has not finished in time."""

    code = "licence-busy"
    kind = Kind.UNAVAILABLE
    title = "该证照正在签发中"
    title_en = "This licence is being issued by another request"
    advice = "请稍后用相同内容重试，不会重复颁发。"


class LeaseLost(ServiceError):
    """A request took too long and another one took over its reservation."""

    code = "lease-lost"
    kind = Kind.UNAVAILABLE
    title = "签发超时，已由另一请求接手"
    title_en = "Issuing took too long and another request took over"
    advice = "请稍后用相同内容重试，不会重复颁发。"


class LicenceStateRefused(ServiceError):
    """The licence is not in a state that allows this."""

    code = "licence-state"
    kind = Kind.CONFLICT
    title = "证照当前状态不允许此操作"
    title_en = "The state of the licence does not allow this"
    advice = "请先查询证照状态及其变更记录。"


class PresentationRefused(ServiceError):
    """A one-time code is unknown, used, or too old; which of them is not said (T-WEB-05)."""

    code = "presentation-refused"
    kind = Kind.NOT_FOUND
    title = "亮证码无效或已失效"
    title_en = "The presentation code is not valid"
    advice = "请持证人重新出示亮证码；每个亮证码只能使用一次。"


class HolderMismatch(ServiceError):
    """The named holder does not hold this licence."""

    code = "holder-mismatch"
    kind = Kind.FORBIDDEN
    title = "持证主体与证照不符"
    title_en = "The named holder does not hold this licence"
    advice = "请核对持证主体代码。"


class FileUnavailable(ServiceError):
    """A licence has no file of this format, or the stored file is not what was issued."""

    code = "licence-file-not-found"
    kind = Kind.NOT_FOUND
    title = "该证照没有此格式的文件"
    title_en = "The licence has no file of this format"
    advice = "可用的格式为 ofd 和 pdf。"


class FileDamaged(ServiceError):
    """A stored file does not have the digest of the row (T-STO-09)."""

    code = "licence-file-damaged"
    kind = Kind.INTERNAL
    title = "证照文件已损坏，停止提供"
    title_en = "The stored licence file is damaged"
    advice = "请联系运维人员，从备份恢复该文件。"

"""Errors of the plumbing: storage that must not be used, requests that cannot be read."""

from dataclasses import dataclass

from keys.errors import Kind, ServiceError


class StorageRefused(ServiceError):
    """The place given for data must not be used; ``reason`` says why. Raised at start-up."""

    code = "storage-refused"
    kind = Kind.UNAVAILABLE
    title = "数据存放位置不符合要求"
    title_en = "The place for data must not be used"
    advice = "请改用本机磁盘上、由运行服务的用户独占的目录或受支持的数据库。"


class StoredFileDamaged(ServiceError):
    """A stored file is missing or no longer has its digest, so it is not handed out (T-STO-09)."""

    code = "stored-file-damaged"
    kind = Kind.INTERNAL
    title = "存档文件缺失或已损坏"
    title_en = "A stored file is missing or damaged"
    advice = "文件未发出。请将请求编号告知运维人员，从备份恢复该文件。"


class MalformedRequest(ServiceError):
    """A request that cannot be read at all: JSON, encoding, query string; ``reason`` says where."""

    code = "malformed-request"
    kind = Kind.MALFORMED
    title = "请求无法读取"
    title_en = "The request cannot be read"
    advice = "请发送 UTF-8 编码、字段不重复的标准 JSON，查询参数不要重复。"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFault:
    """One faulty field: an RFC 6901 pointer into the body, or the name of a parameter."""

    pointer: str
    detail: str
    code: str = "invalid"


class InvalidFields(ServiceError):
    """Fields of a request have the wrong type, are unknown, missing, or out of bounds."""

    code = "invalid-fields"
    kind = Kind.INVALID
    title = "请求字段不符合接口约定"
    title_en = "Fields of the request do not fit the interface"
    advice = "请按 errors 中列出的字段逐项更正后重新提交。"

    def __init__(self, faults: tuple[RequestFault, ...]) -> None:
        super().__init__()
        self.errors = faults


class RequestTooLarge(ServiceError):
    """More bytes in a request than this route accepts."""

    code = "request-too-large"
    kind = Kind.TOO_LARGE
    title = "请求内容过大"
    title_en = "The request is too large"
    advice = "请减小请求内容后重新提交。"


class EncodingRefused(ServiceError):
    """A compressed body, or JSON in another character set than UTF-8."""

    code = "encoding-refused"
    kind = Kind.UNSUPPORTED_MEDIA
    title = "不支持的内容编码"
    title_en = "The encoding of the content is not supported"
    advice = "请不要压缩请求内容，JSON 请使用 UTF-8。"


class RouteNotFound(ServiceError):
    """No such address."""

    code = "not-found"
    kind = Kind.NOT_FOUND
    title = "地址不存在"
    title_en = "No such address"
    advice = "请核对请求地址。"


class MethodNotAllowed(ServiceError):
    """The address exists, but not with this method (T-API-33)."""

    code = "method-not-allowed"
    kind = Kind.NOT_ALLOWED
    title = "该地址不支持此请求方法"
    title_en = "The address does not know this method"
    advice = "请按接口文档使用请求方法。"


class SecretDamaged(ServiceError):
    """A stored secret does not open: altered, another owner's, or another key."""

    code = "secret-damaged"
    kind = Kind.INTERNAL
    title = "存储的密钥信息无法解开"
    title_en = "A stored secret does not open"
    advice = "请将请求编号告知运维人员：口令文件与数据库可能不属于同一套数据。"


class CallerExists(ServiceError):
    """A caller of this name is registered already."""

    code = "caller-exists"
    kind = Kind.CONFLICT
    title = "调用方编号已被使用"
    title_en = "The caller id is taken"
    advice = "请换一个调用方编号；停用的编号不再启用。"


class CallerNotFound(ServiceError):
    """No such caller; only an operator is ever told."""

    code = "caller-not-found"
    kind = Kind.NOT_FOUND
    title = "调用方不存在"
    title_en = "No such caller"
    advice = "请核对调用方编号。"


class InvalidCaller(ServiceError):
    """The name, tenant or scopes given for a caller are not well formed."""

    code = "invalid-caller"
    kind = Kind.INVALID
    title = "调用方信息不符合要求"
    title_en = "The caller's data is not well formed"
    advice = "编号用 1 至 64 个字母、数字、点、横线或下划线，权限形如 licences:read。"


class WorkersBusy(ServiceError):
    """No bounded process came free in time, so the document was not looked at."""

    code = "workers-busy"
    kind = Kind.UNAVAILABLE
    title = "核验任务较多"
    title_en = "Too many documents are being checked"
    advice = "文件尚未核验，请稍后重试。"


class WorkFailed(ServiceError):
    """A bounded process failed by a fault of our own."""

    code = "work-failed"
    kind = Kind.INTERNAL
    title = "核验进程发生故障"
    title_en = "A bounded process failed"

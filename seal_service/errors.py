"""Errors of formats, seals, sealing and the plumbing below them.

Every class carries its own fixed texts (ADR 0009). Codes are frozen for ever. Errors of keys and
certificates are in ``keys.errors``.
"""

from keys.errors import Kind, ServiceError

# Formats


class MalformedDocument(ServiceError):
    """A document, seal or signature is not what its format demands; ``reason`` says where."""

    code = "malformed-document"
    kind = Kind.INVALID
    title = "文件或签章数据的格式有误"
    title_en = "The document or seal data is malformed"
    advice = "请确认文件完整、未经转存或编辑，并向出具机构索取原件。"


class LimitExceeded(MalformedDocument):
    """Input that would cost more than a well-meant document ever does."""

    code = "limit-exceeded"
    title = "文件结构超出处理上限"
    title_en = "The document exceeds a processing limit"
    advice = "正常的证照文件不会如此复杂。请向出具机构索取原件，或拆分后再提交。"


class DocumentTooLarge(ServiceError):
    """More bytes than we accept."""

    code = "document-too-large"
    kind = Kind.TOO_LARGE
    title = "文件过大"
    title_en = "The document is too large"
    advice = "请压缩图片或拆分文件后再提交。"


class UnsupportedFormat(ServiceError):
    """Neither PDF nor OFD, or a version of a seal that we do not know."""

    code = "unsupported-format"
    kind = Kind.UNSUPPORTED_MEDIA
    title = "不支持的文件格式"
    title_en = "Unsupported document format"
    advice = "请提交 OFD 或 PDF 版式文件。"


class UnsafePicture(MalformedDocument):
    """A seal picture that must not be decoded or shown: wrong type, too large, active content."""

    code = "unsafe-picture"
    title = "印章图像不可用"
    title_en = "The seal picture cannot be used"
    advice = "请使用 PNG 格式、背景透明、不超过 400 万像素的印章图像。"


class ScanRefused(ServiceError):
    """An uploaded scan from which no seal can be made; ``reason`` says why."""

    code = "scan-refused"
    kind = Kind.INVALID
    title = "印模扫描件不符合要求"
    title_en = "The scan of the impression cannot be used"
    advice = "请在白纸上加盖清晰的红色印模，以 300 dpi 以上扫描、裁去空白后按实际尺寸上传。"


class SealPictureNotFound(ServiceError):
    """No uploaded seal picture with this digest, or not the caller's."""

    code = "seal-picture-not-found"
    kind = Kind.NOT_FOUND
    title = "印模图像不存在"
    title_en = "No such seal picture"
    advice = "请检查图像摘要是否正确，或重新上传印模。"


class GlyphMissing(ServiceError):
    """A font has no shape for a character; ``character`` names it."""

    code = "glyph-missing"
    kind = Kind.INVALID
    title = "字库缺字"
    title_en = "The font lacks a character"
    advice = "请核对该字；如确为人名、地名用字，请联系运维人员补充字库，不要用别的字代替。"


class SignerNotInSeal(ServiceError):
    """The certificate that signed is not among those the seal names."""

    code = "signer-not-in-seal"
    kind = Kind.INVALID
    title = "签章人证书不在印章授权的证书列表中"
    title_en = "The signer is not in the seal's certificate list"
    advice = "该印章不属于签章人。换发证书后须重新制章；否则请向印章所属单位核实。"


class SignedDataFault(ServiceError):
    """A CMS message breaks a rule that keeps its signature meaningful; ``reason`` says which."""

    code = "signed-data-fault"
    kind = Kind.INVALID
    title = "数字签名结构不符合规范"
    title_en = "The signed data breaks a rule of its format"
    advice = "签名结构可能被篡改或由不合规软件生成，请向出具机构索取原件。"


class SignedContentChanged(ServiceError):
    """The digest that was signed is not the digest of what is here."""

    code = "signed-content-changed"
    kind = Kind.INVALID
    title = "文件内容与签名时不一致"
    title_en = "The content is not what was signed"
    advice = "文件签名后被改动，请向出具机构索取原件。"


class InvalidPlacement(ServiceError):
    """A place for a seal that is not on the page, or where it would not be seen."""

    code = "invalid-placement"
    kind = Kind.INVALID
    title = "盖章位置无效"
    title_en = "The place for the seal is not valid"
    advice = "请检查页码、坐标（毫米，自页面左上角起）与印章尺寸。"


# Seals and sealing


class AlreadySealed(ServiceError):
    """The document is locked by an earlier signature."""

    code = "already-sealed"
    kind = Kind.CONFLICT
    title = "文件已签章并锁定"
    title_en = "The document is already sealed and locked"
    advice = "该文件不允许再次盖章；请使用未签章的文件。"


class SealNotFound(ServiceError):
    """No seal with this identifier, or not the caller's."""

    code = "seal-not-found"
    kind = Kind.NOT_FOUND
    title = "印章不存在"
    title_en = "No such seal"
    advice = "请检查印章标识是否正确，以及印章是否属于本单位。"


class SealSuspended(ServiceError):
    """The seal is suspended."""

    code = "seal-suspended"
    kind = Kind.CONFLICT
    title = "印章已停用"
    title_en = "The seal is suspended"
    advice = "请联系印章管理员恢复后再使用。"


class SealRevoked(ServiceError):
    """The seal was revoked or cancelled."""

    code = "seal-revoked"
    kind = Kind.CONFLICT
    title = "印章已撤销"
    title_en = "The seal is revoked"
    advice = "请使用现行有效的印章，或申请重新制章。"


class SealExpired(ServiceError):
    """The seal or its certificate is not valid at this time."""

    code = "seal-expired"
    kind = Kind.CONFLICT
    title = "印章不在有效期内"
    title_en = "The seal is not within its validity period"
    advice = "请检查印章及证书的有效期，或申请重新制章。"


class SealStateRefused(ServiceError):
    """The seal's state does not allow this."""

    code = "seal-state"
    kind = Kind.CONFLICT
    title = "印章当前状态不允许该操作"
    title_en = "The seal's state does not allow this"
    advice = "请查询印章状态与办理记录后再试。"


class DualControlRefused(ServiceError):
    """One person did what needs two, or approved something else; ``rule`` says which."""

    code = "dual-control"
    kind = Kind.FORBIDDEN
    title = "不符合双人复核要求"
    title_en = "Dual control refuses this"
    advice = "申请与审批须由不同人员办理，且审批内容须与申请完全一致。"


class SealRequestNotFound(ServiceError):
    """No request with this identifier about this seal."""

    code = "seal-request-not-found"
    kind = Kind.NOT_FOUND
    title = "申请不存在"
    title_en = "No such request"
    advice = "请检查申请编号，以及申请是否针对该印章。"


class SealRequestClosed(ServiceError):
    """A request was decided before; a decision counts once."""

    code = "seal-request-closed"
    kind = Kind.CONFLICT
    title = "申请已办结"
    title_en = "The request was already decided"
    advice = "每项申请只能办理一次；如仍需要，请重新提交申请。"


class InvalidSealOrder(ServiceError):
    """An application, mandate or order about a seal lacks something; ``field`` names it."""

    code = "invalid-seal-order"
    kind = Kind.INVALID
    title = "印章办理信息有误"
    title_en = "The order about the seal is not valid"
    advice = "请按提示的字段更正后重新提交。"


class SealingNotFound(ServiceError):
    """No sealed document with this identifier, or not the caller's."""

    code = "sealing-not-found"
    kind = Kind.NOT_FOUND
    title = "盖章记录不存在"
    title_en = "No such sealed document"
    advice = "请检查盖章记录标识是否正确，以及是否由本单位办理。"


class SealUseClosed(ServiceError):
    """A use of a seal was given up, or committed, before this commit."""

    code = "seal-use-closed"
    kind = Kind.CONFLICT
    title = "本次用章已关闭"
    title_en = "This use of the seal is closed"
    advice = "请重新提交，重试不会重复出具。"


class MandateMissing(ServiceError):
    """The caller has no permission to use this seal for this matter."""

    code = "mandate-missing"
    kind = Kind.FORBIDDEN
    title = "没有用章授权"
    title_en = "No mandate to use this seal"
    advice = "请由印章管理员为该证照类型或办件登记用章授权。"


class SelfCheckFailed(ServiceError):
    """What we produced did not pass our own check, so it was not released."""

    code = "self-check-failed"
    kind = Kind.INTERNAL
    title = "出具前自检未通过"
    title_en = "Our own check of the result failed"
    advice = "文件未发出，可安全重试；如持续出现，请将请求编号告知运维人员。"


# Callers and services


class CallerUnknown(ServiceError):
    """The request is not signed, or not by a caller we know."""

    code = "caller-unknown"
    kind = Kind.UNAUTHENTICATED
    title = "无法确认调用方身份"
    title_en = "The caller is not known"
    advice = "请检查调用方编号、请求签名与本机时间（误差不超过 5 分钟）。"


class ScopeMissing(ServiceError):
    """The caller is known but may not do this."""

    code = "scope-missing"
    kind = Kind.FORBIDDEN
    title = "没有执行该操作的权限"
    title_en = "The caller may not do this"
    advice = "请联系管理员为该调用方开通相应权限。"


class IdempotencyMismatch(ServiceError):
    """An idempotency key came back with another request body."""

    code = "idempotency-mismatch"
    kind = Kind.CONFLICT
    title = "幂等键已用于另一请求"
    title_en = "The idempotency key was used for another request"
    advice = "重试须与首次请求完全一致；新的请求请使用新的 Idempotency-Key。"


class RateLimited(ServiceError):
    """More requests than agreed."""

    code = "rate-limited"
    kind = Kind.LIMITED
    title = "请求过于频繁"
    title_en = "Too many requests"
    advice = "请按 Retry-After 给出的时间稍后重试。"


class ClockWentBack(ServiceError):
    """The clock is behind what was recorded: a seal would bear a time that cannot be true."""

    code = "clock-went-back"
    kind = Kind.UNAVAILABLE
    title = "系统时间早于已记录的用章时间"
    title_en = "The clock is behind what was recorded"
    advice = "未用章。请运维人员校准系统时间后重试。"


class TSAUnavailable(ServiceError):
    """No time stamp can be had now."""

    code = "tsa-unavailable"
    kind = Kind.UNAVAILABLE
    title = "时间戳服务不可用"
    title_en = "The timestamp authority is not available"
    advice = "请稍后重试，重试不会重复出具。"


class StorageUnavailable(ServiceError):
    """The database or the file store does not answer."""

    code = "storage-unavailable"
    kind = Kind.UNAVAILABLE
    title = "存储服务不可用"
    title_en = "Storage is not available"
    advice = "请稍后重试，重试不会重复出具。"


class LogUnavailable(ServiceError):
    """The seal-use log cannot take a leaf, so no seal may be used."""

    code = "log-unavailable"
    kind = Kind.UNAVAILABLE
    title = "用章日志不可用"
    title_en = "The seal-use log is not available"
    advice = "请稍后重试；用章日志恢复前不能盖章。"


class LogProofRefused(ServiceError):
    """A checkpoint or proof of the seal-use log does not hold; ``reason`` says where."""

    code = "log-proof-refused"
    kind = Kind.INVALID
    title = "用章日志证明不成立"
    title_en = "A proof of the seal-use log does not hold"
    advice = "请重新获取日志证明；如仍不成立，请立即联系出具机构与监管方。"

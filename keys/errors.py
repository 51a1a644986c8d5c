"""The root of every error this service raises, and the errors of keys and certificates.

An error means that a request could not be carried out. A verdict, even "forged", is not an error.
Modules raise; the edge (``seal_service.plumbing.problems``) turns it into an RFC 9457 problem.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """Who must act, and so which HTTP status the edge answers."""

    MALFORMED = "malformed"
    """The request cannot be read at all (400)."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    NOT_ALLOWED = "not-allowed"
    """The address exists, but not with this method (405)."""
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA = "unsupported-media"
    INVALID = "invalid"
    LIMITED = "limited"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class ServiceError(Exception):
    """Base of all our errors: a frozen code, who must act, fixed words for people, safe facts.

    ``params`` hold facts that may be shown to the caller and logged: never personal data, never
    document content, never a secret.
    """

    code: ClassVar[str] = "internal"
    """Kebab-case, stable for ever: other programs rely on it."""
    kind: ClassVar[Kind] = Kind.INTERNAL
    title: ClassVar[str] = "服务内部错误"
    """Chinese, fixed per code."""
    title_en: ClassVar[str] = "Internal error"
    advice: ClassVar[str] = "请稍后重试；如持续出现，请将请求编号告知运维人员。"
    """Chinese: what the reader should do next."""

    def __init__(self, detail: str = "", **params: str | int | float | bool) -> None:
        super().__init__(detail or self.title_en)
        self.detail = detail
        self.params = params


class SignatureMismatch(ServiceError):
    """A signature does not belong to these bytes and this public key."""

    code = "signature-mismatch"
    kind = Kind.INVALID
    title = "签名值与内容不符"
    title_en = "The signature does not match the content"
    advice = "文件或签名可能被改动，请向出具机构索取原件。"


class MalformedSignature(ServiceError):
    """A signature value is not in a form this algorithm allows."""

    code = "malformed-signature"
    kind = Kind.INVALID
    title = "签名值编码有误"
    title_en = "The signature value is not well formed"
    advice = "请向签章方索取按标准编码的文件。"


class InvalidKey(ServiceError):
    """A public or private key is outside what its algorithm allows."""

    code = "invalid-key"
    kind = Kind.INVALID
    title = "密钥不符合算法要求"
    title_en = "The key does not fit its algorithm"
    advice = "请检查密钥来源，重新生成或重新导入。"


class UnsupportedAlgorithm(ServiceError):
    """An algorithm is not on our closed list, or not allowed in this place."""

    code = "unsupported-algorithm"
    kind = Kind.INVALID
    title = "不支持的密码算法"
    title_en = "Unsupported algorithm"
    advice = "请使用 SM2/SM3 或 RSA（2048 位以上）/SHA-256。"


class WeakAlgorithm(UnsupportedAlgorithm):
    """An algorithm is known and too weak to prove anything (MD5, SHA-1, RSA below 2048 bits)."""

    code = "weak-algorithm"
    title = "密码算法强度不足"
    title_en = "The algorithm is too weak"


class MalformedCertificate(ServiceError):
    """Bytes that should be an X.509 certificate, CRL, OCSP response or time stamp are not one."""

    code = "malformed-certificate"
    kind = Kind.INVALID
    title = "证书或证书状态数据无法解析"
    title_en = "A certificate or its status data cannot be read"
    advice = "请重新导出证书（DER 或 PEM）后再试。"


class EngineUnavailable(ServiceError):
    """The SM2 engine (system libcrypto) is absent, too old, or fails its known-answer test."""

    code = "engine-unavailable"
    kind = Kind.UNAVAILABLE
    title = "国密算法引擎不可用"
    title_en = "The SM2 engine is not available"
    advice = (
        "请安装带 SM2 的 OpenSSL 3（Debian/Ubuntu 的 libssl3），或用 ESEAL_LIBCRYPTO 指定库文件。"
    )


class KeyStoreUnavailable(ServiceError):
    """The key store is locked, gone, or answers with an error."""

    code = "key-store-unavailable"
    kind = Kind.UNAVAILABLE
    title = "密钥库不可用"
    title_en = "The key store is not available"
    advice = "请稍后重试；运维人员请检查密钥库或密码设备。"


class KeyNotFound(ServiceError):
    """No key of that name in the key store."""

    code = "key-not-found"
    kind = Kind.NOT_FOUND
    title = "密钥不存在"
    title_en = "No such key"
    advice = "请检查密钥名称。"


class KeyStoreRefused(ServiceError):
    """The key store must not be opened: wrong pass-phrase, loose file mode, damaged file."""

    code = "key-store-refused"
    kind = Kind.UNAVAILABLE
    title = "密钥库拒绝打开"
    title_en = "The key store refuses to open"
    advice = "请检查口令、文件权限（0600）与文件完整性。"


class TimestampRefused(ServiceError):
    """A time-stamp token does not prove what it should."""

    code = "timestamp-refused"
    kind = Kind.INVALID
    title = "时间戳无效"
    title_en = "The time stamp is not good"
    advice = "请向签章方索取带有效时间戳的文件。"


class IssuingRefused(ServiceError):
    """Our authority does not issue this certificate or publish this revocation list."""

    code = "issuing-refused"
    kind = Kind.CONFLICT
    title = "证书机构拒绝签发"
    title_en = "The authority refuses to issue"
    advice = "请检查证书主体、有效期与系统时钟后重试。"


class StatusRolledBack(ServiceError):
    """Revocation data is older than what was accepted before (T-PKI-21)."""

    code = "status-rolled-back"
    kind = Kind.CONFLICT
    title = "证书状态数据早于已采用的版本"
    title_en = "The status data is older than what is in use"
    advice = "请导入证书机构最新发布的吊销列表。"


class TrustRefused(ServiceError):
    """The file of trusted roots is missing, empty, unreadable, or not the one configured."""

    code = "trust-refused"
    kind = Kind.UNAVAILABLE
    title = "信任根文件不可用"
    title_en = "The file of trusted roots cannot be used"
    advice = "请检查信任根文件及其摘要配置。"


class OutsideUnavailable(ServiceError):
    """An outside authority does not answer, or not as it must (T-STO-15)."""

    code = "outside-unavailable"
    kind = Kind.UNAVAILABLE
    title = "外部证书或时间戳服务不可用"
    title_en = "An outside authority does not answer"
    advice = "请稍后重试；运维人员请检查网络与对方服务，并运行 eseal doctor。"


class StatusUnknown(OutsideUnavailable):
    """A responder answered, and its answer leaves the status of the certificate open."""


class AddressRefused(ServiceError):
    """An address may not be asked: not on the list of the configuration, or inside (T-PKI-25)."""

    code = "address-refused"
    kind = Kind.UNAVAILABLE
    title = "外部地址不在允许范围内"
    title_en = "This address may not be asked"
    advice = "请检查 ESEAL_OUTSIDE_HOSTS 与 ESEAL_OUTSIDE_PRIVATE_HOSTS 的配置。"


class CertificateRefused(ServiceError):
    """A certificate from an outside authority is not the one that was asked for."""

    code = "certificate-refused"
    kind = Kind.INVALID
    title = "导入的证书不符合要求"
    title_en = "The certificate is not accepted"
    advice = "请核对证书与申请的密钥、机构代码、用途、有效期及签发机构是否一致。"

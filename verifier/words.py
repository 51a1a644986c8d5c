"""The words of checks and reasons: Chinese first, English second, one table for all.

A reason code is stable; its words are not. ``who`` says who can mend it, ``advice`` what to do.
The words of the whole answer are in ``verifier.answers``.
"""

from dataclasses import dataclass, replace

from verifier.verdict import Check, Finding, Result

CHECK_NAMES = {
    Check.CONTAINER: ("文件包结构", "File container"),
    Check.STRUCTURE: ("签章数据格式", "Format of the seal data"),
    Check.ALGORITHM: ("密码算法", "Algorithms"),
    Check.DOCUMENT_DIGEST: ("原文摘要", "Document digest"),
    Check.COVERAGE: ("保护范围", "What is protected"),
    Check.LATER_CHANGES: ("盖章后的改动", "Changes after sealing"),
    Check.SIGNATURE_VALUE: ("签名值", "Signature value"),
    Check.SIGNER_BOUND: ("签章人与印章的绑定", "Signer listed in the seal"),
    Check.SEAL_VALUE: ("印章本身的签名", "Seal made by its maker"),
    Check.SEAL_COPY: ("印章副本一致", "Copies of the seal agree"),
    Check.SEAL_MAKER_CHAIN: ("制章者证书", "Seal maker's certificate"),
    Check.SEAL_PERIOD: ("印章有效期", "Seal in its period"),
    Check.STAMP: ("印章位置", "Where the seal stands"),
    Check.TIMESTAMP: ("时间戳", "Time stamp"),
    Check.SIGNING_TIME: ("盖章时间", "Signing time"),
    Check.SIGNER_CHAIN: ("签章人证书", "Signer's certificate"),
    Check.REVOCATION: ("证书吊销情况", "Revocation"),
    Check.SEAL_STATE: ("印章状态", "State of the seal"),
    Check.LICENCE_RECORD: ("证照库记录", "Record in the library"),
    Check.CONTENT_MATCH: ("内容与记录一致", "Content equals the record"),
    Check.ISSUER_MATCH: ("颁发机构与印章一致", "Seal belongs to the issuer"),
    Check.LOG_INCLUSION: ("用章日志", "Seal-use log"),
    Check.LICENCE_STATE: ("证照状态", "State of the licence"),
    Check.VALIDITY_PERIOD: ("证照有效期", "Licence in its period"),
}

ISSUER, HOLDER, OPERATOR, NOBODY = "颁发机构", "持有文件的人", "核验方运维人员", ""
WHO_EN = {
    ISSUER: "the issuing body",
    HOLDER: "whoever holds the file",
    OPERATOR: "the operator of this verifier",
}


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """What a reason means, who can mend it, what to do."""

    zh: str
    en: str
    who: str = NOBODY
    advice: str = ""


_ASK_ISSUER = "请向出具机构索取原件，或扫描证照上的二维码核对。"
_RESEAL = "请出具机构重新盖章后再出具。"
_ADD_ROOT = "如信任该机构，请将其根证书加入信任列表后重新核验。"
_ADD_STATUS = "请提供该证书的吊销列表（CRL）或状态应答（OCSP）后重新核验。"

REASONS: dict[str, ReasonWords] = {
    "ok": ReasonWords("通过", "passed"),
    "malformed": ReasonWords(
        "数据格式错误，无法按标准解析", "not well formed", ISSUER, _ASK_ISSUER
    ),
    "unsupported-format": ReasonWords(
        "不是可识别的 OFD 或 PDF 文件", "neither OFD nor PDF", HOLDER, "请确认上传的是原始文件。"
    ),
    "deviation": ReasonWords("与标准写法不同，但不影响判断", "deviates from the standard form"),
    "container-extra": ReasonWords(
        "文件包前后有多余字节", "bytes before or after the package", ISSUER, _ASK_ISSUER
    ),
    "limit": ReasonWords("超出安全上限，未予处理", "over a safety limit", HOLDER, _ASK_ISSUER),
    "encrypted": ReasonWords("文件已加密，无法核验", "encrypted", ISSUER, _ASK_ISSUER),
    "signature-list-missing": ReasonWords(
        "文件声明有签章，但签章列表缺失或不可读", "signature list missing", ISSUER, _ASK_ISSUER
    ),
    "weak-algorithm": ReasonWords("使用了已不安全的算法", "weak algorithm", ISSUER, _RESEAL),
    "unsupported-algorithm": ReasonWords("使用了不支持的算法", "unsupported algorithm", ISSUER),
    "unsupported-signature": ReasonWords(
        "签名类型不受支持，不能判断", "unsupported kind of signature", OPERATOR
    ),
    "algorithm-mismatch": ReasonWords(
        "算法标识互相矛盾", "algorithms disagree", ISSUER, _ASK_ISSUER
    ),
    "digest-changed": ReasonWords(
        "受保护的内容在盖章后被改动", "protected content was changed", ISSUER, _ASK_ISSUER
    ),
    "digest-missing": ReasonWords(
        "受保护的部分缺失", "a protected part is missing", ISSUER, _ASK_ISSUER
    ),
    "data-hash-mismatch": ReasonWords(
        "签章不属于这份文件", "the seal belongs to other content", ISSUER, _ASK_ISSUER
    ),
    "property-info-mismatch": ReasonWords(
        "签章被移动到了别的位置", "the seal was moved from elsewhere", ISSUER, _ASK_ISSUER
    ),
    "digest-holds": ReasonWords("原文未被改动", "content unchanged"),
    "not-checked": ReasonWords("没有原文，未核对", "no original to compare"),
    "no-coverage": ReasonWords("签章没有保护任何内容", "protects nothing", ISSUER, _RESEAL),
    "uncovered": ReasonWords(
        "会显示的内容没有受签章保护", "displayed parts are not protected", ISSUER, _RESEAL
    ),
    "unreferenced": ReasonWords(
        "文件包里有未受保护的多余文件", "extra unprotected files", ISSUER, _ASK_ISSUER
    ),
    "unlisted": ReasonWords(
        "文件清单中没有这个文件", "not in the package's own listing", ISSUER, _ASK_ISSUER
    ),
    "covered": ReasonWords("全部内容受签章保护", "everything is protected"),
    "covered-by-another": ReasonWords(
        "其余内容由另一签章保护", "the rest is protected by another seal"
    ),
    "byte-range": ReasonWords(
        "签名覆盖范围被动过手脚", "byte range was tampered with", ISSUER, _ASK_ISSUER
    ),
    "appended-after-lock": ReasonWords(
        "文件锁定后又被追加签章", "something was added after the lock", ISSUER, _ASK_ISSUER
    ),
    "modified-after-signing": ReasonWords(
        "盖章后文件又有改动", "changed after sealing", ISSUER, _ASK_ISSUER
    ),
    "no-later-changes": ReasonWords("盖章后没有改动", "unchanged after sealing"),
    "allowed-later-changes": ReasonWords("盖章后只有允许的补充", "only allowed additions"),
    "signature-mismatch": ReasonWords(
        "签名值与内容不符", "signature does not match", ISSUER, _ASK_ISSUER
    ),
    "signature-holds": ReasonWords("签名值正确", "signature value holds"),
    "signer-not-in-seal": ReasonWords(
        "签章人不在印章的授权名单里", "signer is not listed in the seal", ISSUER, _RESEAL
    ),
    "signer-listed": ReasonWords("签章人在印章的授权名单里", "signer is listed in the seal"),
    "seal-signature-mismatch": ReasonWords(
        "印章不是由所称的制章者制作，或已被改动", "seal signature broken", ISSUER, _ASK_ISSUER
    ),
    "seal-signature-holds": ReasonWords("印章由其制章者签名", "seal is signed by its maker"),
    "seal-mismatch": ReasonWords(
        "文件内两份印章数据不一致", "two copies of the seal differ", ISSUER
    ),
    "seal-copies-agree": ReasonWords("印章数据一致", "seal copies agree"),
    "trusted": ReasonWords("可追溯到受信任的根证书", "leads to a trusted root"),
    "untrusted": ReasonWords(
        "未能追溯到受信任的根证书", "does not lead to a trusted root", OPERATOR, _ADD_ROOT
    ),
    "expired": ReasonWords("证书当时已过期", "certificate had expired", ISSUER, _RESEAL),
    "not-yet-valid": ReasonWords("证书当时尚未生效", "certificate not yet valid", ISSUER, _RESEAL),
    "expired-later": ReasonWords("证书后来到期，当时有效", "certificate ended later"),
    "key-usage": ReasonWords("证书用途不允许盖章", "certificate may not sign", ISSUER, _RESEAL),
    "chain": ReasonWords(
        "证书链不符合要求", "certificate chain is not acceptable", ISSUER, _RESEAL
    ),
    "chain-signature": ReasonWords(
        "证书链签名不正确", "broken certificate chain", ISSUER, _ASK_ISSUER
    ),
    "no-certificate": ReasonWords("没有可用的证书", "no usable certificate", ISSUER, _ASK_ISSUER),
    "container-damaged": ReasonWords(
        "文件包的目录与内容互相矛盾", "directory and content disagree", ISSUER, _ASK_ISSUER
    ),
    "duplicate-entry": ReasonWords(
        "文件包里有同名文件，不同软件可能看到不同内容",
        "two entries of one name; programs may see different content",
        ISSUER,
        _ASK_ISSUER,
    ),
    "duplicate-id": ReasonWords(
        "文件内有重复的编号，不同软件可能看到不同内容",
        "an id is used twice; programs may see different content",
        ISSUER,
        _ASK_ISSUER,
    ),
    "ambiguous-structure": ReasonWords(
        "文件结构有歧义，不同软件可能看到不同内容",
        "ambiguous structure; programs may see different content",
        ISSUER,
        _ASK_ISSUER,
    ),
    "active-content": ReasonWords(
        "含有脚本、动作或附件等活动内容，核验时未运行", "has active content, which was not run"
    ),
    "covers-revision": ReasonWords(
        "只保护盖章当时的版本，其后还有追加内容",
        "covers the revision it was made in, not what follows",
    ),
    "entry-name": ReasonWords(
        "文件包里有不允许的文件名或类型", "an entry's name or type is not allowed", ISSUER
    ),
    "entry-missing": ReasonWords("缺少一个被引用的文件", "a file that is referred to is missing"),
    "external-resource": ReasonWords(
        "引用了文件包以外的资源，其内容不受保护",
        "refers to something outside the package",
        ISSUER,
        _RESEAL,
    ),
    "location": ReasonWords("文件内部引用的路径有误", "a path inside is wrong", ISSUER),
    "several-documents": ReasonWords(
        "一个文件包里有多份文档，无法确定哪一份受保护",
        "several documents in one package",
        ISSUER,
        _RESEAL,
    ),
    "unsafe-xml": ReasonWords("含有不安全的 XML 声明", "unsafe XML declaration", ISSUER),
    "own-form": ReasonWords(
        "自称由本系统制作，但写法与本系统不符",
        "claims to be made here but is not written our way",
        HOLDER,
        _ASK_ISSUER,
    ),
    "unsupported-version": ReasonWords("签章数据的版本不受支持", "unsupported version", OPERATOR),
    "type-switched": ReasonWords(
        "印章被改标为普通签名，以逃避检查", "a seal passed off as a plain signature", ISSUER
    ),
    "digest-malformed": ReasonWords("摘要写法有误", "a digest is not well formed", ISSUER),
    "check-value": ReasonWords("摘要值有误", "a digest is wrong", ISSUER),
    "invalid-key": ReasonWords("公钥不符合算法要求", "the public key is not valid", ISSUER),
    "picture-unsafe": ReasonWords("印章图像不安全，未显示", "unsafe seal picture", ISSUER),
    "signing-certificate-missing": ReasonWords(
        "签名内容里没有写明签章证书", "the signed content does not name the certificate", ISSUER
    ),
    "stamp-absent": ReasonWords("页面上没有印章图像", "no stamp is drawn on a page"),
    "stamp-stretched": ReasonWords("印章图像大小或比例有变", "the stamp is stretched", ISSUER),
    "time-mismatch": ReasonWords(
        "两处记载的盖章时间不一致", "two signing times disagree", ISSUER, _ASK_ISSUER
    ),
    "time-before-seal": ReasonWords(
        "盖章时间早于印章制作时间", "signing time is before the seal was made", ISSUER
    ),
    "time-before-certificate": ReasonWords(
        "盖章时间早于证书生效时间", "signing time is before the certificate", ISSUER
    ),
    "seal-in-period": ReasonWords("盖章时印章在有效期内", "seal was in its period"),
    "seal-expired": ReasonWords("盖章时印章已过期", "seal had expired", ISSUER, _RESEAL),
    "seal-not-yet-valid": ReasonWords("盖章时印章尚未生效", "seal not yet valid", ISSUER, _RESEAL),
    "stamp-misplaced": ReasonWords("印章图像位置异常", "stamp is misplaced", ISSUER, _ASK_ISSUER),
    "stamp-placed": ReasonWords("印章图像位置正常", "stamp placement is sound"),
    "timestamp-holds": ReasonWords("签章时间由时间戳证明", "time is proven by a time stamp"),
    "timestamp-absent": ReasonWords(
        "没有时间戳，时间为签章方声明", "no time stamp; time is claimed"
    ),
    "timestamp-bad": ReasonWords("时间戳无效", "time stamp is not good", ISSUER, _RESEAL),
    "timestamp-untrusted": ReasonWords(
        "时间戳机构不在信任列表", "time-stamp authority is not trusted", OPERATOR, _ADD_ROOT
    ),
    "time-plausible": ReasonWords("盖章时间合理", "signing time is plausible"),
    "time-in-future": ReasonWords(
        "盖章时间晚于当前时间", "signing time lies in the future", ISSUER
    ),
    "time-after-timestamp": ReasonWords(
        "声明时间晚于时间戳", "claimed time is after the stamp", ISSUER
    ),
    "time-unknown": ReasonWords("没有可用的盖章时间", "no usable signing time", ISSUER, _RESEAL),
    "time-ambiguous": ReasonWords("盖章时间写法不明确", "signing time is ambiguous", ISSUER),
    "not-revoked": ReasonWords("证书未被吊销", "not revoked"),
    "revoked": ReasonWords("盖章前证书已被吊销", "revoked before signing", ISSUER, _RESEAL),
    "revoked-later": ReasonWords("证书在盖章之后才被吊销", "revoked after signing"),
    "revoked-no-proof-of-time": ReasonWords(
        "证书已被吊销，且没有时间戳证明盖章在前",
        "revoked; no proof that signing came first",
        ISSUER,
    ),
    "status-unknown": ReasonWords(
        "缺少证书吊销信息", "no revocation information", OPERATOR, _ADD_STATUS
    ),
    "unknown-critical": ReasonWords("含有无法识别的关键扩展", "unknown critical extension", ISSUER),
    "seal-active": ReasonWords("盖章时印章为启用状态", "seal was active"),
    "seal-stopped": ReasonWords("盖章时印章已停用", "seal was stopped", ISSUER, _ASK_ISSUER),
    "seal-substituted": ReasonWords(
        "印章编号相同但内容与登记不同", "same number, other seal", ISSUER, _ASK_ISSUER
    ),
    "record-matches": ReasonWords("与证照库中的文件逐字节一致", "equals the library's file"),
    "record-differs": ReasonWords(
        "声称是本库的证照，但与库中文件不一致", "claims to be ours but differs", HOLDER, _ASK_ISSUER
    ),
    "record-unknown": ReasonWords(
        "声称的证照标识在库中不存在", "no such licence in the library", HOLDER, _ASK_ISSUER
    ),
    "stripped": ReasonWords("签章已被去除", "the seals were removed", HOLDER, _ASK_ISSUER),
    "content-matches": ReasonWords("文件内容与记录一致", "content equals the record"),
    "content-mismatch": ReasonWords("文件内容与记录不一致", "content differs", HOLDER, _ASK_ISSUER),
    "issuer-matches": ReasonWords("印章属于颁发机构", "seal belongs to the issuer"),
    "issuer-mismatch": ReasonWords(
        "印章不属于颁发机构", "seal of another body", ISSUER, _ASK_ISSUER
    ),
    "record-damaged": ReasonWords(
        "证照库中的文件已损坏，暂不能确认", "the library's own file is damaged", OPERATOR
    ),
    "logged": ReasonWords("用章已登入日志", "use is in the log"),
    "not-logged": ReasonWords("用章日志中没有记录", "not in the log", OPERATOR),
    "in-force": ReasonWords("现行有效", "in force"),
    "suspended": ReasonWords("已暂扣", "suspended", ISSUER, "请联系颁发机构。"),
    "replaced": ReasonWords(
        "已被新版本取代", "replaced by a newer one", HOLDER, "请出示新版证照。"
    ),
    "cancelled": ReasonWords("已注销", "cancelled", ISSUER),
    "withdrawn": ReasonWords("已撤销", "withdrawn", ISSUER),
    "licence-revoked": ReasonWords("已吊销", "revoked", ISSUER),
    "voided": ReasonWords("已作废", "voided", ISSUER),
    "transferred": ReasonWords("已转出", "transferred", ISSUER),
    "not-issued": ReasonWords("尚未签发", "not issued", ISSUER),
    "in-period": ReasonWords("在有效期内", "within its period"),
    "licence-expired": ReasonWords(
        "已过有效期", "past its period", HOLDER, "请向颁发机构申请延续。"
    ),
    "licence-not-yet-valid": ReasonWords("尚未到生效日期", "before its period", HOLDER),
}

_PLAIN_ADVICE = {
    ISSUER: _ASK_ISSUER,
    HOLDER: "请核对手中的文件，或向出具机构索取原件。",
    OPERATOR: "请联系本核验网站的运维人员。",
}

MARKS = {Result.PASSED: "✓", Result.FAILED: "✕", Result.UNKNOWN: "？", Result.NOTICE: "！"}


def reason_words(finding: Finding) -> ReasonWords:
    """Return the words of a finding's reason; an unlisted reason shows its code.

    What failed or is open always says who can mend it and what to do.
    """
    words = REASONS.get(finding.reason, ReasonWords(finding.reason, finding.reason))
    if finding.result not in (Result.FAILED, Result.UNKNOWN):
        return words
    who = words.who or ISSUER
    return replace(words, who=who, advice=words.advice or _PLAIN_ADVICE[who])

"""What a check that did not pass means for whoever relies on the file: one table, plain words.

Each explanation answers three questions: what does it mean, who can mend it, what is to be done.
The short words of reasons are in ``verifier.words``.
"""

from dataclasses import dataclass

from verifier.verdict import Check, Finding, Result
from verifier.words import WHO_EN, reason_words


@dataclass(frozen=True, slots=True)
class Meaning:
    """What it means when a check fails."""

    zh: str
    en: str


MEANINGS = {
    Check.CONTAINER: Meaning(
        "文件包本身不合规，不同软件打开可能看到不同内容。",
        "The container is irregular; programs may show different content.",
    ),
    Check.STRUCTURE: Meaning(
        "签章数据不符合标准，无法确定当时签的是什么。",
        "The seal data breaks the standard, so what was sealed is uncertain.",
    ),
    Check.ALGORITHM: Meaning(
        "所用密码算法不安全、不受支持或互相矛盾，这个签章不能作为证明。",
        "The algorithms are weak, unsupported or contradictory; the seal proves nothing.",
    ),
    Check.DOCUMENT_DIGEST: Meaning(
        "现在看到的内容不是盖章时的内容。",
        "What you see is not what was sealed.",
    ),
    Check.COVERAGE: Meaning(
        "有内容不在签章保护之内，可以被任意替换而不留痕迹。",
        "Some content is outside the seal and can be replaced without trace.",
    ),
    Check.LATER_CHANGES: Meaning(
        "盖章之后又有人改过这份文件。",
        "Somebody changed the file after it was sealed.",
    ),
    Check.SIGNATURE_VALUE: Meaning(
        "签名值对不上：要么内容被改过，要么签名是伪造的。",
        "The signature does not fit: the content was changed or the signature is forged.",
    ),
    Check.SIGNER_BOUND: Meaning(
        "签章的人没有使用这枚印章的授权。",
        "Whoever signed was not authorised to use this seal.",
    ),
    Check.SEAL_VALUE: Meaning(
        "这枚印章不是由所称的制章者制作的。",
        "The seal was not made by the maker it names.",
    ),
    Check.SEAL_COPY: Meaning(
        "文件里两份印章数据互相矛盾，有一份被换过。",
        "Two copies of the seal contradict each other.",
    ),
    Check.SEAL_MAKER_CHAIN: Meaning(
        "制章者的证书不足以证明其身份或资格。",
        "The seal maker's certificate proves neither who it is nor that it may make seals.",
    ),
    Check.SEAL_PERIOD: Meaning(
        "盖章时印章不在有效期内，不应使用。",
        "The seal was used outside its period.",
    ),
    Check.STAMP: Meaning(
        "印章图像与签名所指的位置不符，可能被挪动或遮盖过。",
        "The picture of the seal is not where the signature says.",
    ),
    Check.TIMESTAMP: Meaning(
        "盖章时间没有可信的第三方证明。",
        "No trustworthy third party proves the signing time.",
    ),
    Check.SIGNING_TIME: Meaning(
        "盖章时间不可信，无法判断当时证书和印章是否有效。",
        "The signing time cannot be relied on.",
    ),
    Check.SIGNER_CHAIN: Meaning(
        "签章人的证书不足以证明其身份或资格。",
        "The signer's certificate proves neither who it is nor that it may seal.",
    ),
    Check.REVOCATION: Meaning(
        "签章所用证书已被吊销，之后的签章没有效力。",
        "The certificate was revoked; a seal made after that has no force.",
    ),
    Check.SEAL_STATE: Meaning(
        "印章登记机构的记录不支持这次用章。",
        "The register of seals does not support this use.",
    ),
    Check.LICENCE_RECORD: Meaning(
        "证照库里没有与这份文件相符的记录。",
        "The library has no record that fits this file.",
    ),
    Check.CONTENT_MATCH: Meaning(
        "文件里写的与证照库登记的不是一回事。",
        "The file says something else than the library.",
    ),
    Check.ISSUER_MATCH: Meaning(
        "盖章的机构不是证照的颁发机构。",
        "The body that sealed is not the one that issues.",
    ),
    Check.LOG_INCLUSION: Meaning(
        "这次用章没有留下公开记录，可能是私自盖章。",
        "This use of the seal left no public record.",
    ),
    Check.LICENCE_STATE: Meaning(
        "文件是真的，但证照已经没有效力。",
        "The file is genuine, but the licence has no force.",
    ),
    Check.VALIDITY_PERIOD: Meaning(
        "文件是真的，但不在证照的有效期内。",
        "The file is genuine, but outside the period of the licence.",
    ),
}
OPEN = Meaning(
    "依据不足，这一项还不能下结论；不等于文件有假。",
    "Not enough evidence: this is open and does not mean a forgery.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The three answers about one finding; empty where there is nothing to mend."""

    meaning_zh: str
    meaning_en: str
    who_zh: str
    who_en: str
    advice: str


def explain(finding: Finding) -> Explanation | None:
    """Explain what failed or is open; None for what passed and for remarks."""
    if finding.result not in (Result.FAILED, Result.UNKNOWN):
        return None
    words = reason_words(finding)
    meaning = MEANINGS[finding.check] if finding.result is Result.FAILED else OPEN
    return Explanation(
        meaning_zh=meaning.zh,
        meaning_en=meaning.en,
        who_zh=words.who,
        who_en=WHO_EN[words.who],
        advice=words.advice,
    )

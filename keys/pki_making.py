"""Make what the test PKI consists of: keys, certificates, first revocation lists, and their places.

Names wear 测试. What an interrupted attempt left is made again over the same keys.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.authority import Authority, CertificateOrder, Randomness, issue_root
from keys.certificates import parse_certificate
from keys.issued import keep_issued
from keys.keystore import KeyMaker
from keys.profiles import ISSUING_CA, LOG, SEAL_MAKER, TSA, Profile
from keys.public_files import write_certificate, write_file
from keys.x509_building import AuthorityAccess, Subject

DEFAULT_URL = "http://127.0.0.1:8765"
ROOT_CRL_VALIDITY = timedelta(days=90)
CRL_VALIDITY = timedelta(days=7)
SEAL_MAKER_KEY = "seal-maker"
LOG_KEY = "log"
_PLATFORM = "电子印章测试平台"
SUBJECTS = {
    "sm2-root": Subject(common_name="国密测试根证书", organisation=_PLATFORM),
    "sm2-issuing-ca": Subject(common_name="国密测试签发证书", organisation=_PLATFORM),
    "rsa-root": Subject(common_name="RSA测试根证书", organisation=_PLATFORM),
    "rsa-issuing-ca": Subject(common_name="RSA测试签发证书", organisation=_PLATFORM),
    "sm2-tsa": Subject(
        common_name="国密测试时间戳",
        organisation="测试时间戳服务单位",
        organisation_code="12320500MA00000RTC",
    ),
    "rsa-tsa": Subject(
        common_name="RSA测试时间戳",
        organisation="测试时间戳服务单位",
        organisation_code="12320500MA00000RTC",
    ),
    SEAL_MAKER_KEY: Subject(
        common_name="测试印章制作单位",
        organisation="测试印章制作单位",
        organisation_code="91320500MA00000TE3",
    ),
    LOG_KEY: Subject(common_name="用章日志（测试）", organisation=_PLATFORM),
}
VERIFIER_SUBJECT = Subject(common_name="核验服务（测试）", organisation=_PLATFORM)
OCSP_SUBJECT = Subject(common_name="证书状态响应服务（测试）", organisation=_PLATFORM)
LEAVES: tuple[tuple[str, KeyAlgorithm, Profile], ...] = (
    (SEAL_MAKER_KEY, KeyAlgorithm.SM2, SEAL_MAKER),
    (LOG_KEY, KeyAlgorithm.SM2, LOG),
    ("sm2-tsa", KeyAlgorithm.SM2, TSA),
    ("rsa-tsa", KeyAlgorithm.RSA, TSA),
)


@dataclass(frozen=True, slots=True)
class Making:
    """What all steps of making share."""

    now: datetime
    base_url: str
    randomness: Randomness

    def crl_url(self, name: str) -> str:
        """Return where the authority of this name publishes its list."""
        return f"{self.base_url.rstrip('/')}/pki/{name}.crl"


def make_branch(folder: Path, store: KeyMaker, algorithm: KeyAlgorithm, making: Making) -> None:
    """Make root, issuing authority, first lists and leaves of one algorithm."""
    root_name, issuing_name = f"{algorithm}-root", f"{algorithm}-issuing-ca"
    _make_key(store, root_name, algorithm)
    root_der = issue_root(
        store,
        root_name,
        SUBJECTS[root_name],
        now=making.now,
        crl_url=making.crl_url(root_name),
        randomness=making.randomness,
    )
    write_certificate(certificate_path(folder, root_name), root_der)
    root = _authority(store, root_name, root_der, making)
    issuing_der = _make_leaf(folder, store, root, (issuing_name, algorithm, ISSUING_CA), making)
    issuing = _authority(store, issuing_name, issuing_der, making)
    for name, authority in ((root_name, root), (issuing_name, issuing)):
        crl = authority.publish_crl(now=making.now, validity=crl_validity(name))
        write_file(crl_path(folder, name), crl)
    for leaf in LEAVES:
        if leaf[1] is algorithm:
            _make_leaf(folder, store, issuing, leaf, making)


def _make_leaf(
    folder: Path,
    store: KeyMaker,
    authority: Authority,
    leaf: tuple[str, KeyAlgorithm, Profile],
    making: Making,
) -> bytes:
    name, algorithm, profile = leaf
    _make_key(store, name, algorithm)
    order = CertificateOrder(
        profile=profile,
        subject=SUBJECTS[name],
        public_key=store.public_key(name),
        now=making.now,
    )
    issued = authority.issue_certificate(order)
    write_certificate(certificate_path(folder, name), issued)
    keep_issued(folder, issued)
    return issued


def _make_key(store: KeyMaker, name: str, algorithm: KeyAlgorithm) -> None:
    if not store.has(name):
        store.generate(name, algorithm)


def _authority(store: KeyMaker, name: str, certificate: bytes, making: Making) -> Authority:
    return Authority(
        signer=store,
        key_name=name,
        certificate=parse_certificate(certificate),
        crl_url=making.crl_url(name),
        access=authority_access(making.crl_url(name), name),
        randomness=making.randomness,
    )


def authority_access(crl_url: str, name: str) -> AuthorityAccess:
    """Return the addresses of an authority beside its list: its certificate, and its responder.

    A root has no responder: one would have to be certified by the root's own key (RFC 6960,
    4.2.2.2), which stays out of daily work.
    """
    folder_url = crl_url.rpartition("/")[0]
    return AuthorityAccess(
        ocsp_url="" if name.endswith("-root") else f"{folder_url}/ocsp",
        issuer_url=f"{folder_url}/{name}.cer",
    )


def ocsp_key_name(algorithm: KeyAlgorithm) -> str:
    """Return the name of the key that signs OCSP responses; made when first needed."""
    return f"{algorithm}-ocsp"


def verifier_key_name(algorithm: KeyAlgorithm) -> str:
    """Return the name of the key that signs verification receipts; made when first needed."""
    return f"{algorithm}-verifier"


def authority_names() -> tuple[str, ...]:
    """List the four authorities by the names of their keys."""
    return tuple(
        f"{algorithm}-{kind}" for algorithm in KeyAlgorithm for kind in ("root", "issuing-ca")
    )


def crl_validity(name: str) -> timedelta:
    """Return how long a list of this authority is good for."""
    return ROOT_CRL_VALIDITY if name.endswith("-root") else CRL_VALIDITY


def certificate_path(folder: Path, name: str) -> Path:
    """Return the place of the certificate over the key of this name."""
    return folder / "certificates" / f"{name}.pem"


def crl_path(folder: Path, name: str) -> Path:
    """Return the place of an authority's current list."""
    return folder / "crls" / f"{name}.crl"

"""What administrators have done to certificates and the keys under them, once two agreed."""

import re

from eseal.administration.certificates import (
    KINDS,
    REASONS,
    CertificateShelf,
    certificate_to_wire,
)
from eseal.administration.operations import (
    CertificateOperation,
    ImportCertificate,
    IssueHolder,
    RenewCertificate,
    RequestCertificate,
    RevokeCertificate,
)
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, parse_certificates
from keys.crl import RevokedEntry, parse_crl
from keys.errors import CertificateRefused, ServiceError
from keys.outside import ImportOrder
from keys.path import TrustStore
from keys.pki import SEAL_MAKER_KEY
from keys.x509_building import Subject
from seal_service.schemas import read_instant


class CertificateWork:
    """Checks and does operations on the certificates of an installation."""

    def __init__(self, shelf: CertificateShelf) -> None:
        self._shelf = shelf

    def check(self, operation: CertificateOperation) -> CertificateOperation:
        """Refuse what can be told without doing it; say which certificate a beginning means.

        Raises ``CertificateRefused``.
        """
        if isinstance(operation, RevokeCertificate):
            entry = self._revoked_entry(operation)
            return operation.model_copy(update={"serial": f"{entry.serial:x}"})
        if isinstance(operation, RequestCertificate | ImportCertificate):
            check_key_name(operation.kind, operation.code, operation.key_name)
        if isinstance(operation, ImportCertificate):
            try:
                parse_certificates(operation.chain.encode())
            except ServiceError as error:
                raise CertificateRefused("不是证书", reason="unreadable") from error
        return operation

    def do(self, operation: CertificateOperation) -> dict[str, object]:
        """Do an operation and return what came of it; raises as the PKI and the import do."""
        shelf = self._shelf
        match operation:
            case RevokeCertificate():
                return self._revoke(operation)
            case IssueHolder():
                return certificate_to_wire(shelf.of(self._issue(operation), "own"))
            case RenewCertificate():
                renewed = shelf.pki.renew(operation.key_name, now=shelf.now())
                return certificate_to_wire(shelf.of(renewed, "own"))
            case RequestCertificate():
                return {"key_name": operation.key_name, "request": self._request(operation)}
            case ImportCertificate():
                return self._import(operation)

    def _issue(self, operation: IssueHolder) -> Certificate:
        pki, now = self._shelf.pki, self._shelf.now()
        name, code, algorithm = operation.name, operation.code, KeyAlgorithm(operation.algorithm)
        if operation.new_key:
            return pki.rekey_seal_holder(name, code, algorithm, now=now)
        return pki.issue_seal_holder(name, code, algorithm, now=now, renew=operation.renew)

    def _revoke(self, operation: RevokeCertificate) -> dict[str, object]:
        shelf = self._shelf
        found, entry = shelf.find(operation.serial), self._revoked_entry(operation)
        # An entry that is there already is merged, so this may be repeated after a crash.
        crl = shelf.pki.revoke(found.certificate, entry, now=shelf.now())
        return {"serial": operation.serial, "state": "revoked", "crl_number": parse_crl(crl).number}

    def _revoked_entry(self, operation: RevokeCertificate) -> RevokedEntry:
        """Return the entry for the list; raises ``CertificateRefused``."""
        shelf = self._shelf
        found = shelf.find(operation.serial)
        if found.source != "own":
            raise CertificateRefused("由外部机构签发，须由其吊销", reason="issuer")
        if operation.cause not in REASONS:
            raise CertificateRefused("吊销原因不在列表中", reason="cause")
        since = operation.invalid_since
        moment = None if since is None else read_instant(since, "invalid_since")
        if moment is not None and moment > shelf.now():
            raise CertificateRefused("失效日期晚于当前时间", reason="invalid-since")
        return RevokedEntry(
            serial=found.certificate.serial,
            revoked_at=shelf.now(),
            reason=REASONS[operation.cause],
            invalidity_at=None if moment is None else moment.replace(microsecond=0),
        )

    def _request(self, operation: RequestCertificate) -> str:
        subject = Subject(
            common_name=operation.name,
            organisation=operation.name,
            organisation_code=operation.code,
        )
        return self._shelf.outside.certificates.request(
            operation.key_name,
            KeyAlgorithm(operation.algorithm),
            subject,
            KINDS[operation.kind][0],
        )

    def _import(self, operation: ImportCertificate) -> dict[str, object]:
        shelf = self._shelf
        order = ImportOrder(
            key_name=operation.key_name,
            usage=KINDS[operation.kind][1],
            trust=TrustStore.of(shelf.outside.roots),
            organisation_code=operation.code,
            now=shelf.now(),
        )
        found = shelf.outside.certificates.import_chain(operation.chain.encode(), order)
        source = f"imported for {found.key_name}"
        return certificate_to_wire(shelf.of(found.certificate, source))


def check_key_name(kind: str, code: str, key_name: str) -> None:
    """Refuse a key that is not for certificates of this kind; raises ``CertificateRefused``.

    Otherwise a root would sign a request, or a service find a key of another algorithm.
    """
    pattern = {
        "seal-holder": rf"holder-{code.lower()}-(?:sm2|rsa)(?:-[0-9]+)?",
        "seal-maker": SEAL_MAKER_KEY,
        "timestamp": "(?:sm2|rsa)-tsa",
    }[kind]
    if re.fullmatch(pattern, key_name) is None:
        raise CertificateRefused("该密钥不用于此类证书", reason="key-name")

"""Our installation with a certificate that another PKI issued, and that PKI."""

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from eseal.outside import Outside
from eseal.settings import Settings
from keys.algorithms import sm3
from keys.authority import Authority, CertificateOrder
from keys.certificates import Certificate, encode_pem
from keys.clock import Clock
from keys.issued import keep_issued
from keys.keystore import KeyStore
from keys.outside import ImportOrder
from keys.path import TrustStore, Usage
from keys.pki import load_pki, make_pki
from keys.profiles import SEAL_HOLDER
from keys.x509_building import AuthorityAccess, Subject
from tests.support.licences import MovingClock
from tests.support.outside import Outside as Server
from tests.support.pki import HOLDER_CODE, HOLDER_NAME, NOW, SM2, FixedClock, MadePKI, copy_pki

KEY = "outside-holder"
ANOTHER_PASSPHRASE = b"another pass-phrase"
LIST_PATH = "/pki/list.crl"


def settings_of(made: MadePKI, server: Server | None = None, **more: object) -> Settings:
    """Return settings by which this server may be asked."""
    hosts = "" if server is None else server.host
    values = {"outside_hosts": hosts, "outside_private_hosts": hosts, **more}
    return Settings(data_folder=made.folder).model_copy(update=values)


def outside_of(made: MadePKI, settings: Settings, clock: Clock | None = None) -> Outside:
    """Build what stands outside of an installation."""
    return Outside(settings, made.pki, made.store, clock or FixedClock())


@lru_cache(maxsize=1)
def _another_pki() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="eseal-test-other-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_pki(folder / "pki", KeyStore(folder / "keys", ANOTHER_PASSPHRASE), NOW)
    return folder


def another_pki(folder: Path) -> MadePKI:
    """Copy another PKI: the same names, keys and roots of its own."""
    shutil.copytree(_another_pki(), folder)
    store = KeyStore(folder / "keys", ANOTHER_PASSPHRASE)
    return MadePKI(folder=folder, store=store, pki=load_pki(folder / "pki", store))


class Imported:
    """One imported certificate; ``ocsp_url`` says where its status is asked for."""

    def __init__(self, folder: Path, server: Server, other: MadePKI, *, ocsp_url: str = "") -> None:
        self.other = other
        self.ours = copy_pki(folder / "ours")
        self.clock = MovingClock(NOW)
        roots = "".join(encode_pem(root.der) for root in other.pki.trust.roots).encode()
        path = folder / "roots.pem"
        path.write_bytes(roots)
        self.settings = settings_of(
            self.ours, server, outside_roots=path, outside_roots_digest=sm3(roots).hex()
        )
        self.outside = outside_of(self.ours, self.settings, self.clock)
        self.issuer = other.pki.certificate("sm2-issuing-ca")
        self.certificate = self.add(server.url(LIST_PATH), ocsp_url)

    def add(self, crl_url: str, ocsp_url: str = "", key_name: str = KEY) -> Certificate:
        """Have one more certificate issued and import it."""
        subject = Subject(
            common_name=HOLDER_NAME, organisation=HOLDER_NAME, organisation_code=HOLDER_CODE
        )
        self.outside.certificates.request(key_name, SM2, subject, SEAL_HOLDER)
        authority = Authority(
            signer=self.other.store,
            key_name="sm2-issuing-ca",
            certificate=self.issuer,
            crl_url=crl_url,
            access=AuthorityAccess(ocsp_url=ocsp_url),
        )
        key = self.ours.store.public_key(key_name)
        order = CertificateOrder(profile=SEAL_HOLDER, subject=subject, public_key=key, now=NOW)
        issued = authority.issue_certificate(order)
        keep_issued(self.other.folder / "pki", issued)
        import_order = ImportOrder(
            key_name=key_name,
            usage=Usage.SEAL_HOLDER,
            trust=TrustStore.of(self.outside.roots),
            organisation_code=HOLDER_CODE,
            now=NOW,
        )
        text = encode_pem(issued) + encode_pem(self.issuer.der)
        return self.outside.certificates.import_chain(text.encode(), import_order).certificate

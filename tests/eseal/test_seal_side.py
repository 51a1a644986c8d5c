"""Which key and certificate a new seal gets, as those of its holder change."""

from datetime import timedelta
from pathlib import Path

import pytest

from eseal.installation import Installation
from eseal.seal_side import build_bureau
from eseal.settings import Settings
from keys.algorithms import KeyAlgorithm
from keys.authority import Authority, CertificateOrder
from keys.certificates import encode_pem, parse_certificate
from keys.crl import RevocationReason, RevokedEntry
from keys.errors import IssuingRefused
from keys.outside import OUTSIDE_FOLDER, ImportOrder, OutsideCertificates
from keys.path import Usage
from keys.pki import holder_key_name
from keys.profiles import SEAL_HOLDER
from keys.x509_building import Subject
from seal_service.formats.ses import parse_seal
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.database import Database
from seal_service.seals.bureau import People
from seal_service.seals.model import MadeSeal
from tests.support.pki import NOW, SM2, FixedClock, MadePKI, copy_pki
from tests.support.register import TENANT, make_application
from tests.support.trust import AUTHORITY_NAME

LATER = NOW + timedelta(hours=1)
FIRST = holder_key_name(TENANT, SM2)
PEOPLE = People(applicant="applicant", approver="approver", maker="maker", manager="manager")

pytestmark = pytest.mark.skipif(
    not (Settings().fonts_folder / "fonts.json").is_file(),
    reason="no fonts: run scripts/setup-fonts",
)


class Scene:
    """An installation over a copy of the test PKI."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.made: MadePKI = copy_pki(folder)
        self.pki = self.made.pki
        installation = Installation(
            settings=settings_in(folder),
            store=self.made.store,
            pki=self.pki,
            database=database,
            blobs=FolderBlobs(folder / "files"),
        )
        self.bureau = build_bureau(installation, FixedClock(LATER))

    def seal(self) -> MadeSeal:
        """Have a seal made for the tenant."""
        seal = self.bureau.register_made_seal(
            make_application(),
            PEOPLE,
            basis_document="云栖政办〔2026〕12 号",
            licence_type_codes=[],
        )
        assert seal.made is not None
        return seal.made

    def lose(self, made: MadeSeal) -> None:
        """Revoke both certificates of a seal, as a compromise does."""
        for identity in (made.sm2, made.rsa):
            certificate = parse_certificate(identity.certificate)
            entry = RevokedEntry(
                serial=certificate.serial,
                revoked_at=LATER,
                reason=RevocationReason.KEY_COMPROMISE,
            )
            self.pki.revoke(certificate, entry, now=LATER)

    def rekey(self) -> None:
        for algorithm in KeyAlgorithm:
            self.pki.rekey_seal_holder(AUTHORITY_NAME, TENANT, algorithm, now=LATER)

    def import_for(self, key_name: str) -> bytes:
        """Have an outside authority certify a key; return its certificate."""
        subject = Subject(
            common_name=AUTHORITY_NAME, organisation=AUTHORITY_NAME, organisation_code=TENANT
        )
        folder = self.made.folder / "pki" / OUTSIDE_FOLDER
        outside = OutsideCertificates(folder, self.made.store)
        outside.request(key_name, SM2, subject, SEAL_HOLDER)
        issuer = self.pki.certificate("sm2-issuing-ca")
        authority = Authority(
            signer=self.made.store,
            key_name="sm2-issuing-ca",
            certificate=issuer,
            crl_url="http://outside.example/list.crl",
        )
        key = self.made.store.public_key(key_name)
        issued = authority.issue_certificate(
            CertificateOrder(profile=SEAL_HOLDER, subject=subject, public_key=key, now=NOW)
        )
        order = ImportOrder(
            key_name=key_name,
            usage=Usage.SEAL_HOLDER,
            trust=self.made.trust,
            organisation_code=TENANT,
            now=NOW,
        )
        text = encode_pem(issued) + encode_pem(issuer.der)
        return outside.import_chain(text.encode(), order).certificate.der


def settings_in(folder: Path) -> Settings:
    return Settings().model_copy(update={"data_folder": folder})


@pytest.fixture
def scene(tmp_path: Path, database: Database) -> Scene:
    return Scene(tmp_path, database)


def test_a_seal_made_after_a_loss_uses_the_new_key(scene: Scene) -> None:
    """T-KEY-07."""
    old = scene.seal()
    assert old.sm2.key_name == FIRST
    scene.lose(old)
    with pytest.raises(IssuingRefused):
        scene.seal()
    scene.rekey()
    new = scene.seal()
    assert (new.sm2.key_name, new.rsa.key_name) == (f"{FIRST}-2", f"{old.rsa.key_name}-2")
    assert parse_seal(new.eseal_der).certificates == (new.sm2.certificate,)
    for identity in (new.sm2, new.rsa):
        certificate = parse_certificate(identity.certificate)
        assert certificate.public_key == scene.made.store.public_key(identity.key_name)


def test_a_planned_new_key_is_for_new_seals_and_the_old_ones_keep_theirs(scene: Scene) -> None:
    old = scene.seal()
    scene.rekey()
    assert scene.seal().sm2.key_name == f"{FIRST}-2"
    key = scene.made.store.public_key(old.sm2.key_name)
    assert parse_certificate(old.sm2.certificate).public_key == key


def test_an_outside_certificate_goes_before_our_own_over_the_same_key(scene: Scene) -> None:
    scene.seal()
    imported = scene.import_for(FIRST)
    assert scene.seal().sm2.certificate == imported


def test_an_outside_certificate_over_a_new_key_is_used_once_it_is_there(scene: Scene) -> None:
    scene.seal()
    scene.made.store.generate(f"{FIRST}-2", SM2)
    assert scene.seal().sm2.key_name == FIRST
    imported = scene.import_for(f"{FIRST}-2")
    used = scene.seal().sm2
    assert (used.key_name, used.certificate) == (f"{FIRST}-2", imported)


def test_a_new_key_of_ours_goes_before_an_outside_certificate_over_the_old(scene: Scene) -> None:
    scene.import_for(FIRST)
    assert scene.seal().sm2.key_name == FIRST
    scene.rekey()
    used = scene.seal().sm2
    assert used.key_name == f"{FIRST}-2"
    assert used.certificate != scene.import_for(FIRST)

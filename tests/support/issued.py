"""A library that has issued one licence with really sealed files, and a verification of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from keys.algorithms import sm3
from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from licence_store import library, lookup
from licence_store.library import KeptLicence, Reservation, RevocationOrder
from licence_store.links import make_code
from licence_store.metadata import DATA_DIGEST
from licence_store.model import ApprovalResult, FileFormat, Licence, LicenceFile, derive_index_keys
from licence_store.states import RevocationKind
from seal_service.plumbing.database import Database
from tests.support.licences import (
    AUTHORITY,
    MemoryBlobs,
    make_approval_result,
    make_identifier,
    make_record,
)
from tests.support.ofd import make_ofd
from tests.support.register import SealScene
from tests.support.sealed_pdf import make_pdf
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST
from verifier.evidence import TrustMaterial, Verification, VerificationParts
from verifier.records import IDENTIFIER_ITEM

INDEX_KEYS = derive_index_keys(b"index secret of tests", AUTHORITY.code)
LATER = timedelta(minutes=30)


def trust_material() -> TrustMaterial:
    """Return the test PKI with its lists."""
    families = (SM2_TRUST, RSA_TRUST)
    return TrustMaterial(
        trust=TrustStore.of([family.root for family in families]),
        intermediates=tuple(family.authority for family in families),
        revocation=RevocationEvidence(
            crls=tuple(
                family.crl(of_root=of_root) for family in families for of_root in (False, True)
            )
        ),
    )


class IssuedScene:
    """One licence in force, its files, and whoever verifies them."""

    def __init__(self, database: Database, result: ApprovalResult | None = None) -> None:
        self.database = database
        self.seals = SealScene(database)
        self.blobs = MemoryBlobs()
        self.result = result or make_approval_result()
        self.identifier = make_identifier(self.result)
        self.metadata = make_record(self.result, self.identifier)
        self.ofd, self.pdf = b"", b""
        self.licence = self._issue()
        self.verification = Verification(
            VerificationParts(
                database=database,
                blobs=self.blobs,
                clock=self.seals.clock,
                material=trust_material,
            )
        )

    @property
    def code(self) -> str:
        """Return what stands behind ``/q/``."""
        return make_code(INDEX_KEYS.qr_token(self.identifier))

    def unsealed(self) -> tuple[bytes, bytes]:
        """Return both forms without seals."""
        keywords = [f"{name}={self.metadata[name]}" for name in (IDENTIFIER_ITEM, DATA_DIGEST)]
        return make_ofd(custom_datas=self.metadata), make_pdf(keywords)

    def _issue(self) -> Licence:
        ofd, pdf = self.unsealed()
        sealer, order = self.seals.sealer, self.seals.order()
        sealed_ofd, sealed_pdf = sealer.seal_ofd(order, ofd), sealer.seal_pdf(order, pdf)
        self.ofd, self.pdf = sealed_ofd.document, sealed_pdf.document
        files = tuple(
            LicenceFile(
                format=form,
                digest=self.blobs.put(sealing.document),
                size=len(sealing.document),
                seal_id=order.seal_id,
                seal_use_id=sealing.use_id,
            )
            for form, sealing in ((FileFormat.OFD, sealed_ofd), (FileFormat.PDF, sealed_pdf))
        )
        with self.database.transaction() as connection:
            reserved = library.reserve(connection, self._reservation())
            sealer.commit_uses(connection, [file.seal_use_id for file in files], AUTHORITY.code)
            library.keep(
                connection,
                KeptLicence(
                    reserved=reserved,
                    metadata=self.metadata,
                    files=files,
                    caller_id="approval",
                    now=NOW,
                ),
            )
            return lookup.find(connection, AUTHORITY.code, self.identifier)

    def _reservation(self) -> Reservation:
        return Reservation(
            approval_result=self.result,
            identifier=self.identifier,
            qr_digest=sm3(INDEX_KEYS.qr_token(self.identifier)),
            holder_digest=INDEX_KEYS.holder_digest(self.result.holder),
            licence_number=self.result.licence_number or self.result.holder.code,
            licence_type_name="营业执照",
            template_version="1",
            now=NOW,
            lease_until=NOW + timedelta(seconds=60),
        )

    def revoke(self, kind: RevocationKind = RevocationKind.REVOKED, at: datetime = NOW) -> None:
        """End the licence's force."""
        order = RevocationOrder(
            authority_code=AUTHORITY.code,
            identifier=self.identifier,
            kind=kind,
            reason="以虚假材料取得",
            basis_document="云栖市监罚〔2026〕7号",
            caller_id="approval",
            now=at,
        )
        with self.database.transaction() as connection:
            library.record_revocation(connection, order)

    def forget_trust(self) -> None:
        """Verify without any trust anchor from now on."""
        parts = VerificationParts(
            database=self.database,
            blobs=self.blobs,
            clock=self.seals.clock,
            material=lambda: replace(trust_material(), trust=TrustStore()),
        )
        self.verification = Verification(parts)

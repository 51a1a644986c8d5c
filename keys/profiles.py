"""What each kind of certificate must contain (RFC 5280, 4.2; GB/T 20518; RFC 3161, 2.3).

Chinese authorities issue two certificates per subject; only the signing one is ours to make, so
no profile here may encrypt.
"""

from dataclasses import dataclass
from datetime import timedelta

from keys.extensions import KEY_USAGE_NAMES, OID_OCSP_SIGNING, OID_TIME_STAMPING

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of certificate."""

    name: str
    key_usage: frozenset[str]
    """Names of keyUsage bits (RFC 5280, 4.2.1.3); always critical."""
    validity: timedelta
    path_length: int | None = None
    """Of an authority; None for everyone else, who gets CA:FALSE."""
    extended_key_usage: tuple[str, ...] = ()
    is_extended_usage_critical: bool = False
    has_no_revocation_check: bool = False
    """id-pkix-ocsp-nocheck: a responder does not answer for itself (RFC 6960, 4.2.2.2.1)."""

    @property
    def is_authority(self) -> bool:
        """Whether the certificate may issue others."""
        return self.path_length is not None

    @property
    def key_usage_bits(self) -> tuple[int, ...]:
        """The bit numbers of ``key_usage``."""
        return tuple(bit for bit, name in enumerate(KEY_USAGE_NAMES) if name in self.key_usage)


_ISSUES = frozenset({"key_cert_sign", "crl_sign"})
_SIGNS = frozenset({"digital_signature", "non_repudiation"})

ROOT = Profile(name="root", key_usage=_ISSUES, validity=20 * _YEAR, path_length=1)
ISSUING_CA = Profile(name="issuing-ca", key_usage=_ISSUES, validity=10 * _YEAR, path_length=0)
SEAL_MAKER = Profile(name="seal-maker", key_usage=_SIGNS, validity=5 * _YEAR)
SEAL_HOLDER = Profile(name="seal-holder", key_usage=_SIGNS, validity=3 * _YEAR)
TSA = Profile(
    name="timestamp",
    key_usage=_SIGNS,
    validity=5 * _YEAR,
    extended_key_usage=(OID_TIME_STAMPING,),
    is_extended_usage_critical=True,
)
OCSP = Profile(
    name="ocsp",
    key_usage=frozenset({"digital_signature"}),
    validity=_YEAR,
    extended_key_usage=(OID_OCSP_SIGNING,),
    has_no_revocation_check=True,
)
VERIFIER = Profile(name="verifier", key_usage=_SIGNS, validity=5 * _YEAR)
"""Signs verification receipts; no seal names its certificate, so it can seal nothing."""
LOG = Profile(name="log", key_usage=frozenset({"digital_signature"}), validity=5 * _YEAR)

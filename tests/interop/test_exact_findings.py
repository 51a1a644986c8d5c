"""Third-party files once more: every finding of every signature, in order, notices included.

What the files are and what an independent recomputation found of each is in the note that lies
beside them; ``test_verdicts`` says it in words. Nothing may be said that is not listed here.
"""

import pytest

from tests.interop.test_verdicts import SAMPLES, judge
from verifier.verdict import Finding

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="third-party samples are not present beside the repository"
)

SIGNED = [
    "signature-value passed signature-holds",
    "signer-bound-to-seal passed signer-listed",
    "seal-value passed seal-signature-holds",
]
OLD_MAKER = [
    "seal-maker-chain unknown untrusted",
    "seal-maker-chain notice expired-later",
    "seal-period passed seal-in-period",
]
TIME = ["timestamp notice timestamp-absent", "signing-time passed time-plausible"]
STAMPED = ["stamp-placement passed stamp-placed", *TIME]
UNKNOWN_SIGNER = [
    "signer-chain unknown untrusted",
    "revocation unknown status-unknown",
    "revocation unknown status-unknown",
]
READ = ["structure passed ok", "algorithm passed ok"]
TAX_READ = [
    "structure notice deviation",
    "structure passed ok",
    "structure notice deviation",
    "algorithm passed ok",
]
WHOLE = [
    "document-digest passed digest-holds",
    "coverage passed covered",
    "later-changes passed no-later-changes",
]
COPY = ["seal-copy passed seal-copies-agree"]

SIGNATURES: dict[str, list[list[str]]] = {
    "v4-tax-test-valid.ofd": [
        [*TAX_READ, *WHOLE, *SIGNED, *OLD_MAKER, *STAMPED, *UNKNOWN_SIGNER],
    ],
    "v4-tax-test-tampered.ofd": [
        [
            *TAX_READ,
            "document-digest failed digest-changed",
            "later-changes passed no-later-changes",
            *SIGNED,
            *OLD_MAKER,
            *STAMPED,
            *UNKNOWN_SIGNER,
        ],
    ],
    "v4-whole-protected-valid.ofd": [
        [*READ, *WHOLE, *SIGNED, *COPY, *OLD_MAKER, *STAMPED, *UNKNOWN_SIGNER],
    ],
    "v4-append-after-lock.ofd": [
        [
            *READ,
            "document-digest failed digest-changed",
            "later-changes failed appended-after-lock",
            *SIGNED,
            *COPY,
            *OLD_MAKER,
            *STAMPED,
            *UNKNOWN_SIGNER,
        ],
        [*READ, *WHOLE, *SIGNED, *COPY, *OLD_MAKER, *STAMPED, *UNKNOWN_SIGNER],
    ],
    "v1-nonconforming-vendor.ofd": [
        [
            "structure notice deviation",
            "structure notice deviation",
            "structure passed ok",
            "structure notice deviation",
            "structure unknown unknown-critical",
            "algorithm failed unsupported-algorithm",
            "algorithm passed ok",
            "document-digest unknown unsupported-algorithm",
            "document-digest failed data-hash-mismatch",
            "later-changes passed no-later-changes",
            "signature-value failed signature-mismatch",
            "signer-bound-to-seal failed signer-not-in-seal",
            "seal-value passed seal-signature-holds",
            *COPY,
            "seal-maker-chain unknown untrusted",
            "seal-maker-chain failed key-usage",
            "seal-maker-chain failed key-usage",
            "seal-period passed seal-in-period",
            *STAMPED,
            "signing-time notice deviation",
            "signer-chain unknown untrusted",
            "signer-chain failed key-usage",
            "signer-chain failed key-usage",
            "revocation unknown status-unknown",
            "revocation unknown status-unknown",
        ],
    ],
    "v5-signedvalue.dat": [
        [
            *READ,
            "document-digest unknown not-checked",
            *SIGNED,
            "seal-maker-chain unknown untrusted",
            "seal-maker-chain unknown expired",
            "seal-maker-chain notice expired-later",
            "seal-period passed seal-in-period",
            *TIME,
            "signer-chain unknown untrusted",
            "signer-chain unknown expired",
            "revocation unknown status-unknown",
            "revocation unknown status-unknown",
        ],
    ],
}
"""The test certificates of the v5 sample had ended before it was made; nobody vouches for them."""

DEVIATION = "container notice deviation"
DOCUMENTS: dict[str, list[str]] = {
    "v4-tax-test-valid.ofd": [DEVIATION] * 4 + ["coverage passed covered"],
    "v4-tax-test-tampered.ofd": [DEVIATION] * 2,
    "v4-whole-protected-valid.ofd": [DEVIATION, "coverage passed covered"],
    "v4-append-after-lock.ofd": [
        DEVIATION,
        "container notice entry-missing",
        "coverage passed covered",
    ],
    "v1-nonconforming-vendor.ofd": [DEVIATION] * 2,
    "v5-signedvalue.dat": [],
}


def said(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{one.check.value} {one.result.value} {one.reason}" for one in findings]


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_finding_is_the_expected_one(name: str) -> None:
    verdict = judge(name)
    assert [said(signature.findings) for signature in verdict.signatures] == SIGNATURES[name]
    assert said(verdict.findings) == DOCUMENTS[name]


def test_no_sample_is_left_out() -> None:
    samples = {path.name for path in SAMPLES.iterdir() if path.suffix in (".ofd", ".dat")}
    assert samples == set(SIGNATURES) == set(DOCUMENTS)

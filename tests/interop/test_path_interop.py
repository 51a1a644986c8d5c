"""Chains against OpenSSL 4 (in pyOpenSSL), which checks SM2 under the default ID."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from OpenSSL import crypto

from keys import der
from keys.path import TrustStore, Usage, check_path
from tests.support import chains
from tests.support.chains import (
    NOW,
    Chain,
    basic_constraints,
    extension,
    key_usage,
    make_chain,
    rsa_key,
    sm2_key,
)

PAST = der.time(NOW - timedelta(days=1))
FUTURE = der.time(NOW + timedelta(days=1))
CA = (basic_constraints(0), key_usage(5, 6))
LEAF = (basic_constraints(is_ca=False), key_usage(0, 1))
UNKNOWN = extension("1.2.3.4", b"\x05\x00", chains.CRITICAL)

CHANGES: dict[str, dict[str, dict[str, object]]] = {
    "good": {},
    "leaf expired": {"leaf": {"not_after": PAST}},
    "issuer expired": {"issuing": {"not_after": PAST}},
    "root expired": {"root": {"not_after": PAST}},
    "leaf not yet valid": {"leaf": {"not_before": FUTURE}},
    "issuer is no CA": {"issuing": {"extensions": (basic_constraints(is_ca=False), CA[1])}},
    "issuer may not sign": {"issuing": {"extensions": (CA[0], key_usage(6))}},
    "path length": {"root": {"extensions": (basic_constraints(0), key_usage(5, 6))}},
    "unknown critical in leaf": {"leaf": {"extensions": (*LEAF, UNKNOWN)}},
    "unknown critical in issuer": {"issuing": {"extensions": (*CA, UNKNOWN)}},
    "leaf changed": {"leaf": {"change": lambda tbs: tbs[:-1]}},
    "issuer changed": {"issuing": {"change": lambda tbs: tbs[:-1]}},
}


def openssl_trusts(chain: Chain) -> bool:
    store = crypto.X509Store()
    store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, chain.root.der))
    store.set_time(NOW)
    leaf, issuing = (
        crypto.load_certificate(crypto.FILETYPE_ASN1, one.der)
        for one in (chain.leaf, chain.issuing)
    )
    try:
        crypto.X509StoreContext(store, leaf, chain=[issuing]).verify_certificate()
    except crypto.X509StoreContextError:
        return False
    return True


def we_trust(chain: Chain) -> bool:
    return check_path(
        chain.leaf,
        usage=Usage.DOCUMENT_SIGNER,
        at=NOW,
        trust=TrustStore.of([chain.root]),
        intermediates=[chain.issuing],
    ).is_good


@pytest.mark.parametrize("make_key", [sm2_key, rsa_key])
@pytest.mark.parametrize("flaw", CHANGES)
def test_openssl_judges_chains_as_we_do(
    flaw: str, make_key: Callable[[str], chains.ChainKey]
) -> None:
    changes = CHANGES[flaw]
    chain = make_chain(
        make_key=make_key,
        root=changes.get("root"),
        issuing=changes.get("issuing"),
        leaf=changes.get("leaf"),
    )
    assert we_trust(chain) == (flaw == "good")
    assert openssl_trusts(chain) == we_trust(chain)

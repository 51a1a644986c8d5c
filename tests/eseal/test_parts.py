"""Parts of the service that are deployed alone, and the keys each of them has."""

from collections.abc import Iterator

import pytest

from eseal.installation import make_installation
from eseal.main import Part, Service, build_api, build_service
from eseal.settings import Settings
from eseal.trial import ensure_seal
from keys.errors import KeyNotFound
from keys.pki import SEAL_MAKER_KEY
from seal_service.plumbing.clock import SystemClock
from tests.support.licences import AUTHORITY


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = Settings(data_folder=tmp_path_factory.mktemp("parts") / "data")
    found = build_service(make_installation(settings, SystemClock().now()))
    yield found
    found.installation.database.close()


def paths(service: Service, *parts: Part) -> set[str]:
    return set(build_api(service, frozenset(parts)).openapi()["paths"])


def test_making_seals_is_deployed_apart_from_sealing(service: Service) -> None:
    making, sealing = paths(service, Part.SEAL_MAKING), paths(service, Part.SEALING)
    assert "/v1/seals/{seal_id}/making" in making
    assert not any(path.startswith(("/v1/sealings", "/v1/licences")) for path in making)
    assert "/v1/sealings" in sealing
    assert making.isdisjoint(sealing)


def test_the_maker_and_the_sealer_share_no_key(service: Service) -> None:
    seal = ensure_seal(service, AUTHORITY)
    assert seal.made is not None
    maker, sealer = service.bureau._parts.keys, service.sealer._parts.keys
    assert maker.sign_with(SEAL_MAKER_KEY, b"a seal")
    for identity in (seal.made.sm2, seal.made.rsa):
        assert sealer.sign_with(identity.key_name, b"a document")
        with pytest.raises(KeyNotFound):
            maker.sign_with(identity.key_name, b"a document")
    for name in (SEAL_MAKER_KEY, "sm2-root", "sm2-issuing-ca", "sm2-tsa", "log"):
        with pytest.raises(KeyNotFound):
            sealer.sign_with(name, b"not a document")
    assert set(maker.names()).isdisjoint(sealer.names())


def test_every_part_has_routes_of_its_own(service: Service) -> None:
    everything = paths(service, *Part)
    by_part = [paths(service, part) for part in Part]
    assert set().union(*by_part) == everything

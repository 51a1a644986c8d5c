"""A device with the seal keys goes away while licences are issued: 503, and no half licence."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from eseal.installation import make_installation
from eseal.main import Service, build_service
from eseal.settings import KeyStoreKind, Settings
from eseal.trial import ALL_SCOPES, ensure_seal
from keys.errors import KeyStoreUnavailable, Kind
from licence_store.lookup import ListFilter
from licence_store.model import IssuingAuthority
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import SystemClock
from tests.architecture.tree import PROJECT
from tests.journeys.soundness import check_sound
from tests.support.licences import HOLDER, business_face, make_approval_result, make_uscc
from tests.support.sdf_device import PASSPHRASE, TestDevice, device_in, reason_to_skip

FONTS = PROJECT / ".cache" / "fonts" / "fonts.json"
pytestmark = [
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip()),
    pytest.mark.skipif(not FONTS.is_file(), reason="no fonts: run scripts/setup-fonts"),
]
AUTHORITY = IssuingAuthority(code="11320102MB9K00021D", name="金陵市云栖区行政审批局")
CALLER = Caller(caller_id="tests", authority_code=AUTHORITY.code, scopes=ALL_SCOPES)
CASES = 8


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDevice]:
    with device_in(tmp_path_factory.mktemp("sdf")) as made:
        for index in (1, 2, 3):
            made.add(index)
        yield made


@pytest.fixture(scope="module")
def service(device: TestDevice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("installation")
    pin = folder / "pin"
    pin.write_bytes(PASSPHRASE)
    pin.chmod(0o600)
    settings = Settings(
        data_folder=folder / "data",
        key_store=KeyStoreKind.SDF,
        device_module=device.module,
        device_passphrase_file=pin,
        device_keys=f"seal-maker=1,holder-{AUTHORITY.code.lower()}-sm2=2,sm2-tsa=3",
    )
    service = build_service(make_installation(settings, SystemClock().now()))
    ensure_seal(service, AUTHORITY)
    yield service
    service.installation.database.close()


def issue(service: Service, number: int) -> str | None:
    """Issue one case; return the reason where it was refused."""
    holder = replace(HOLDER, code=make_uscc(number + 1))
    result = make_approval_result(
        case_number=f"YQ-2026-{number + 1:06}", holder=holder, face_data=business_face(holder)
    )
    try:
        service.office.issue(CALLER, result, f"key-of-case-{number:08}")
    except KeyStoreUnavailable as error:
        return str(error.params["reason"])
    return None


def test_a_device_lost_in_a_batch_leaves_whole_licences_and_open_cases(
    service: Service, device: TestDevice
) -> None:
    """T-KEY-05: what was promised is whole, what was not is retried to the end, nothing twice."""
    first_done = threading.Event()

    def work(number: int) -> str | None:
        told = issue(service, number)
        first_done.set()
        return told

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(work, number) for number in range(CASES)]
        first_done.wait(60)
        device.remove()
        told = [one.result() for one in running]
    assert KeyStoreUnavailable.kind is Kind.UNAVAILABLE, "503"
    assert "重试" in KeyStoreUnavailable.advice
    assert told[0] is None or told[1] is None
    assert "device-gone" in told
    assert set(told) <= {None, "device-gone"}
    in_force = service.office.list_licences(CALLER, ListFilter())
    assert len(in_force) == told.count(None)
    assert all(len(licence.files) == 2 for licence in in_force)
    assert not service.installation.store.health().is_ready
    check_sound(service)
    device.write()
    assert [issue(service, number) for number in range(CASES)] == [None] * CASES
    assert len(service.office.list_licences(CALLER, ListFilter())) == CASES
    kept = check_sound(service)
    assert kept.use_states()["committed"] == 2 * CASES
    assert service.installation.store.health().is_ready

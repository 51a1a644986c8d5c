"""``eseal seal-picture``: draw, clean, upload, sizes."""

import io
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from keys.errors import ServiceError
from seal_service.pictures.cli import PictureTools, add_commands
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.seals.preview import PictureDesk, SealPainter
from tests.golden.seal_faces import FONTS
from tests.support.impressions import scan
from tests.support.licences import MovingClock
from tests.support.register import TENANT
from tests.support.trust import NOW

pytestmark = pytest.mark.skipif(
    not FONTS.text.path.exists(), reason="no fonts: run scripts/setup-fonts"
)
Run = Callable[..., Result]


@pytest.fixture
def run(database: Database) -> Run:
    tools = PictureTools(
        desk=PictureDesk(SealPainter(database, FONTS), database, MovingClock(NOW)),
        operator=lambda: Caller(caller_id="cli", authority_code=TENANT, scopes=frozenset()),
        tell=lambda _value, facts: click.echo(facts),
        tell_rows=lambda _value, _head, rows: click.echo(rows),
    )
    root = click.Group("eseal")
    add_commands(root, lambda _ctx: tools)

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(root, ["seal-picture", *map(str, words)])

    return command


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (("--name", "金陵市云栖区数据局"), (661, 661)),
        (("--name", "金陵市云栖区数据局", "--shape", "oval"), (630, 472)),
        (("--name", "青溪公司", "--shape", "block", "--width", "40", "--height", "16"), (630, 252)),
        (("--name", "王芳", "--shape", "name", "--lettering", "intaglio"), (315, 315)),
    ],
)
def test_a_seal_is_drawn_into_a_file(
    run: Run, tmp_path: Path, words: tuple[str, ...], size: tuple[int, int]
) -> None:
    result = run("draw", *words, "-o", tmp_path / "seal.png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "seal.png") as image:
        assert image.size == pytest.approx(size, abs=1)
    assert run("draw", *words, "-o", tmp_path / "seal.svg").exit_code == 0
    assert (tmp_path / "seal.svg").read_text("utf-8").startswith("<svg")


def test_a_scan_is_cleaned_into_a_file_and_kept(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "scan.jpg", tmp_path / "seal.png"
    source.write_bytes(scan())
    assert run("clean", source, "--width", "42", "-o", target).exit_code == 0
    with Image.open(io.BytesIO(target.read_bytes())) as image:
        assert image.size == (661, 661)
    kept = run("upload", source, "--width", "42")
    assert kept.exit_code == 0, kept.output
    assert "400 dpi" in kept.output


def test_a_seal_that_cannot_be_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("draw", "--name", "王", "--shape", "name", "-o", tmp_path / "x.png")
    assert isinstance(result.exception, ServiceError)
    assert not (tmp_path / "x.png").exists()


def test_the_sizes_by_kind_of_body_are_told(run: Run) -> None:
    output = run("sizes").output
    assert "local-government" in output
    assert "45 mm" in output

"""``eseal seal``: the words of every way to place a seal, and files sealed with them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seal_service.errors import InvalidPlacement
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDSignature
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.sealing import Sealer
from seal_service.sealings.cli import build_command
from seal_service.seals import uses
from seal_service.seals.uses import UseState
from tests.support.ofd import make_ofd
from tests.support.pdf import PDFSpec, make_pdf
from tests.support.register import TENANT, SealScene, grant
from tests.support.trust import NOW, YEAR


@dataclass
class Tools:
    """What the command works with; keeps what was told."""

    sealer: Sealer
    database: Database
    operator: Caller
    told: object = None

    def tell(self, value: object, facts: list[tuple[str, str]]) -> None:
        assert [fact[0] for fact in facts] == ["file", "seal_use_id", "format"]
        self.told = value


class Shell:
    """Runs the command on files in a folder."""

    def __init__(self, scene: SealScene, folder: Path) -> None:
        self.scene, self.folder = scene, folder
        self.tools = Tools(scene.sealer, scene.database, scene.order().caller)

    def run(self, document: bytes, *words: str) -> Result:
        source = self.folder / "in"
        source.write_bytes(document)
        fixed = ["--seal", self.scene.seal.seal_id, "--case", "YQ-1", "--out", str(self.out)]
        command = build_command(lambda ctx: self.tools)
        return CliRunner().invoke(command, [str(source), *fixed, *words], catch_exceptions=False)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def seal(self, document: bytes, *words: str) -> bytes:
        result = self.run(document, *words)
        assert result.exit_code == 0, result.output
        return self.out.read_bytes()

    def seal_ofd(self, document: bytes, *words: str) -> OFDSignature:
        container = read_container(self.seal(document, *words))
        return read_signatures(container, read_document(container))[-1]


@pytest.fixture
def shell(database: Database, tmp_path: Path) -> Shell:
    scene = SealScene(database)
    grant(database, scene.seal, licence_type_code="document")
    return Shell(scene, tmp_path)


OFD = make_ofd(pages=3)


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        (("--at", "50", "60"), [1]),
        (("--at", "50", "60", "--from", "bottom-right", "--pages", "2-3"), [2, 3]),
        (("--keyword", "营业执照"), [1]),
        (("--keyword", "营业执照", "--hit", "1", "--from-end", "--offset", "-5", "5"), [3]),
        (("--keyword", "营业执照", "--hit", "all", "--pages", "1,last"), [1, 3]),
        (("--straddle",), [1, 2, 3]),
        (("--straddle", "--edge", "left", "--top", "50", "--straddle-pages", "2-3"), [2, 3]),
        (("--straddle", "--least-end", "16", "--at", "50", "60", "--pages", "last"), [3, 1, 2, 3]),
    ],
)
def test_every_way_of_placing_has_its_words(
    shell: Shell, words: tuple[str, ...], pages: list[int]
) -> None:
    signature = shell.seal_ofd(OFD, *words)
    assert [stamp.page_number for stamp in signature.stamps] == pages
    assert signature.locks_list


def test_the_use_is_committed_and_told(shell: Shell) -> None:
    shell.seal(OFD, "--at", "50", "60")
    with shell.scene.database.reading() as connection:
        (use,) = uses.list_uses(connection, TENANT, shell.scene.seal.seal_id, since=NOW - YEAR)
    assert use.state is UseState.COMMITTED
    assert shell.tools.told == {
        "file": str(shell.out),
        "seal_use_id": use.intent.use_id,
        "format": "ofd",
    }


def test_a_pdf_is_continued_in_the_field_that_was_reserved(shell: Shell) -> None:
    base = make_pdf(PDFSpec(pages=2))
    first = shell.seal(
        base, "--at", "50", "60", "--continue", "--reserve", "Second", "150", "60", "--straddle"
    )
    second = shell.seal(first, "--field", "Second", "--continue")
    made = check_integrity(second)
    assert (made.field_name, made.permission) == ("Second", None)
    assert check_integrity(shell.seal(base, "--at", "50", "60")).permission is Permission.NO_CHANGES


@pytest.mark.parametrize("words", [(), ("--pages", "1"), ("--keyword", "x", "--hit", "first")])
def test_words_that_say_no_place_are_misuse(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.run(OFD, *words).exit_code == 2
    assert not shell.out.exists()


def test_a_refusal_writes_no_file(shell: Shell) -> None:
    with pytest.raises(InvalidPlacement):
        shell.run(OFD, "--keyword", "没有")
    with pytest.raises(InvalidPlacement):
        shell.run(OFD, "--at", "nan", "60")
    assert not shell.out.exists()

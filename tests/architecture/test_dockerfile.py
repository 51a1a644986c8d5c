"""The image, read instead of built: pinned, unprivileged, nothing fetched by address."""

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch

from tests.architecture.tree import PACKAGES, PROJECT

KNOWN = {
    "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK",
    "ENTRYPOINT", "CMD", "ARG", "LABEL",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, its continued lines joined."""

    word: str
    rest: str

    def words(self) -> list[str]:
        """Return the arguments without options."""
        return [word for word in self.rest.split() if not word.startswith("--")]


def _stages() -> list[list[Instruction]]:
    text = (PROJECT / "Dockerfile").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    stages: list[list[Instruction]] = []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word=word, rest=rest.strip()))
    return stages


STAGES = _stages()
LAST = STAGES[-1]
EVERY = [instruction for stage in STAGES for instruction in stage]


def _one(word: str) -> Instruction:
    found = [instruction for instruction in LAST if instruction.word == word]
    assert len(found) == 1, word
    return found[0]


def test_only_known_instructions_are_used() -> None:
    assert {instruction.word for instruction in EVERY} <= KNOWN, "ADD fetches and unpacks unseen"


def test_every_base_image_has_a_tag_and_no_host() -> None:
    names = [instruction.words()[0] for instruction in EVERY if instruction.word == "FROM"]
    assert len(names) > 1
    for name in names:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+-[a-z]+-[a-z]+", name), name


def test_every_stage_has_the_same_base() -> None:
    """A virtual environment works only on the Python that made it."""
    assert len({stage[0].words()[0] for stage in STAGES}) == 1


def test_the_service_runs_without_privileges() -> None:
    user = _one("USER").rest
    assert re.fullmatch(r"\d+:\d+", user)
    assert not user.startswith("0:")
    after = LAST[LAST.index(_one("USER")) :]
    assert "RUN" not in {instruction.word for instruction in after}


def test_nothing_is_fetched_by_address() -> None:
    text = " ".join(i.rest for i in EVERY if i.word in ("RUN", "COPY", "ARG", "ENV"))
    assert re.findall(r"https?://|\bcurl\b|\bwget\b|\bgit clone\b", text) == []


def test_dependencies_are_installed_with_their_digests() -> None:
    installs = [i.rest for i in EVERY if i.word == "RUN" and "pip install" in i.rest]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_everything_copied_is_in_the_tree() -> None:
    for instruction in EVERY:
        if instruction.word == "COPY" and "--from=" not in instruction.rest:
            *sources, _target = instruction.words()
            assert sources
            assert [source for source in sources if not (PROJECT / source).exists()] == []


def test_every_package_and_the_templates_are_in_the_image() -> None:
    copied = {word for i in LAST if i.word == "COPY" for word in i.words()[:-1]}
    assert {*PACKAGES, "templates"} <= copied


def test_what_is_copied_is_not_ignored() -> None:
    kept = [
        line[1:].rstrip("/")
        for line in (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    for instruction in EVERY:
        if instruction.word == "COPY" and "--from=" not in instruction.rest:
            for source in instruction.words()[:-1]:
                assert any(fnmatch(source, f"{keep}*") for keep in kept), source


def test_the_image_says_how_it_is_and_how_it_starts() -> None:
    assert "CMD" in _one("HEALTHCHECK").rest
    assert json.loads(_one("ENTRYPOINT").rest) == ["python", "-m", "eseal"]
    assert json.loads(_one("CMD").rest) == ["serve"]
    assert _one("EXPOSE").rest == "8765"


def test_no_secret_is_baked_in() -> None:
    settings = " ".join(i.rest for i in EVERY if i.word in ("ENV", "ARG", "LABEL"))
    assert re.findall(r"PASS|SECRET|TOKEN|KEY", settings, re.IGNORECASE) == []

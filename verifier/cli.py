"""``eseal verify``: judge files against our library, or against anchors and evidence given.

With ``--trust`` (or without a data folder) nothing of ours is needed: no data folder, no server.
Exit status 0 only when every file is valid, 1 when one is not.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from seal_service.errors import DocumentTooLarge
from seal_service.plumbing.clock import Clock
from verifier.answers import authentic_words, headline_words, in_force_words
from verifier.explanations import Explanation, explain
from verifier.given_evidence import GivenEvidence, GivenFile, read_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.uploads import LARGEST_DOCUMENT
from verifier.verdict import (
    Finding,
    InstantSource,
    Outcome,
    Result,
    SignatureVerdict,
    TimeSource,
    Verdict,
)
from verifier.wire import instant, verdict_to_json
from verifier.words import CHECK_NAMES, reason_words

NOT_VALID = 1
TONES = {"good": "green", "bad": "red", "open": "yellow"}
MARKS = {
    Result.PASSED: ("✓", "green"),
    Result.FAILED: ("✕", "red"),
    Result.UNKNOWN: ("?", "yellow"),
    Result.NOTICE: ("!", "cyan"),
}
INSTANT_SOURCES = {
    InstantSource.CLOCK: "核验时的时钟 this verifier's clock",
    InstantSource.GIVEN: "由核验方指定 given",
}
TIME_SOURCES = {
    TimeSource.TIMESTAMP: "时间戳证明 proven by a time stamp",
    TimeSource.CLAIMED: "签章方声明 claimed by the signer",
    TimeSource.NONE: "没有盖章时间 no signing time",
}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTools:
    """What the command works with."""

    judge: Callable[[bytes], Verdict] | None
    """Judge with our own library, which is opened then; None where there is none."""
    clock: Clock
    console: Console
    is_json: bool


def add_commands(root: click.Group, opened: Callable[[click.Context], VerifyTools]) -> None:
    """Put ``verify`` under ``root``."""

    @root.command("verify")
    @click.argument("files", nargs=-1, required=True, type=_FILE)
    @click.option("--trust", multiple=True, type=_FILE, help="Trusted root, PEM or DER.")
    @click.option("--intermediate", multiple=True, type=_FILE, help="Issuing certificate.")
    @click.option("--crl", multiple=True, type=_FILE, help="Revocation list, PEM or DER.")
    @click.option("--ocsp", multiple=True, type=_FILE, help="OCSP response, PEM or DER.")
    @click.option("--policy", type=_FILE, help="Verification policy, TOML.")
    @click.option(
        "--at",
        type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
        help="Judge as of this instant, such as 2026-11-24T04:00:00Z; by default now.",
    )
    @click.option(
        "--explain",
        "is_explained",
        is_flag=True,
        help="Tell every check; of what did not pass: meaning, who can mend it, what to do.",
    )
    @click.pass_context
    def verify(
        ctx: click.Context, /, files: tuple[Path, ...], is_explained: bool, **words: object
    ) -> None:
        """Verify sealed OFD or PDF files: are they genuine (真伪), are they in force (效力)."""
        tools = opened(ctx)
        judge = _judge(tools, _given(words))
        verdicts = [judge(_read(path)) for path in files]
        if tools.is_json:
            wires = [verdict_to_json(verdict) for verdict in verdicts]
            found = wires[0] if len(wires) == 1 else wires
            click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        else:
            for path, verdict in zip(files, verdicts, strict=True):
                _tell(tools.console, path, verdict, is_explained=is_explained)
        if any(verdict.outcome is not Outcome.VALID for verdict in verdicts):
            ctx.exit(NOT_VALID)


def _given(words: dict[str, object]) -> GivenEvidence:
    """Read the files that the options name."""

    def files(name: str) -> tuple[GivenFile, ...]:
        found = words[name]
        return tuple(map(_file, found)) if isinstance(found, tuple) else ()

    policy, at = words["policy"], words["at"]
    return GivenEvidence(
        trust=files("trust"),
        intermediates=files("intermediate"),
        crls=files("crl"),
        ocsp_responses=files("ocsp"),
        policy=None if policy is None else _file(policy),
        at=at if isinstance(at, datetime) else None,
    )


def _file(path: object) -> GivenFile:
    named = Path(str(path))
    return GivenFile(name=str(named), data=_read(named))


def _judge(tools: VerifyTools, given: GivenEvidence) -> Callable[[bytes], Verdict]:
    """Choose: our library, unless evidence is given."""
    if tools.judge is not None and not given.is_any:
        return tools.judge
    evidence = read_evidence(given, now=tools.clock.now())
    return lambda data: judge_document(data, JudgeContext(evidence=evidence))


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"{path}", largest=LARGEST_DOCUMENT)
    return path.read_bytes()


# Words


def _tell(console: Console, path: Path, verdict: Verdict, *, is_explained: bool) -> None:
    head = headline_words(verdict)
    console.print(Text(str(path), style="bold"), soft_wrap=True)
    console.print(Text(f"  {head.zh}  {head.en}", style=f"bold {TONES[head.tone]}"))
    if head.because_zh:
        console.print(f"  {head.because_zh}  {head.because_en}", markup=False)
    for name, words in (
        ("真伪 genuine", authentic_words(verdict)),
        ("效力 in force", in_force_words(verdict)),
    ):
        console.print(f"  {name}: ", Text(f"{words.zh} {words.en}", style=TONES[words.tone]))
    console.print(
        f"  核验时刻 as of: {instant(verdict.judged_at)}"
        f" ({INSTANT_SOURCES[verdict.judged_at_source]}; policy {verdict.policy_name})",
        markup=False,
    )
    for signature in verdict.signatures:
        _tell_signature(console, signature)
    shown = verdict.all_findings() if is_explained else _against(verdict)
    for finding in shown:
        _tell_finding(console, finding, is_explained=is_explained)


def _tell_signature(console: Console, signature: SignatureVerdict) -> None:
    seal = "" if signature.seal is None else f"{signature.seal.name} ({signature.seal.id})"
    console.print(
        f"  {signature.kind} {seal or signature.signer}: integrity {signature.integrity.value},"
        f" {signature.trust.value}, signed {instant(signature.signed_at) or '?'}"
        f" ({TIME_SOURCES[signature.time_source]})",
        markup=False,
    )


def _against(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.all_findings() if f.result in (Result.FAILED, Result.UNKNOWN)]


def _tell_finding(console: Console, finding: Finding, *, is_explained: bool) -> None:
    mark, style = MARKS[finding.result]
    words = reason_words(finding)
    line = Text(f"  {mark} ", style=style)
    line.append(f"{CHECK_NAMES[finding.check][0]}：{words.zh}", style="")
    line.append(f"  {finding.check.value}: {finding.reason}", style="dim")
    if finding.subject:
        line.append(f"  {finding.subject}", style="dim")
    console.print(line)
    if not is_explained or finding.result is Result.PASSED:
        return
    explanation = explain(finding)
    if explanation is not None:
        _tell_explanation(console, explanation)
    if finding.clause:
        console.print(Text(f"    依据：{finding.clause}", style="dim"))


def _tell_explanation(console: Console, explanation: Explanation) -> None:
    """Say what it means, who can mend it, what to do."""
    for line in (
        f"含义：{explanation.meaning_zh}",
        f"谁能处理：{explanation.who_zh}  {explanation.who_en}",
        f"怎么办：{explanation.advice}",
    ):
        console.print(Text(f"    {line}"), soft_wrap=True)

"""``eseal verify``: judge files against our library, or against anchors and evidence given.

With ``--trust`` (or without a data folder) nothing of ours is needed: no data folder, no server.
Exit status 0 only when every file is valid, 1 when one is not.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.text import Text

from keys.crl import MAX_CRL_BYTES
from seal_service.errors import DocumentTooLarge
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.instants import instant
from verifier.answers import authentic_words, headline_words, in_force_words
from verifier.explanations import Explanation, explain
from verifier.given_evidence import GivenEvidence, GivenFile, read_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.desk import ReceiptDesk
from verifier.receipts.model import ReceiptForm, ReceiptUnavailable
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
from verifier.wire import verdict_to_json
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
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTools:
    """What the command works with."""

    judge: Callable[[bytes], Verdict] | None
    """Judge with our own library, which is opened then; None where there is none."""
    receipts: Callable[[], ReceiptDesk] | None
    """Open the desk that signs receipts; None where there is no key to sign with."""
    clock: Clock
    console: Console
    is_json: bool


def evidence_options(command: Command) -> Command:
    """Give a command the options that name evidence; ``given_evidence`` reads them."""
    options = (
        click.option("--trust", multiple=True, type=FILE, help="Trusted root, PEM or DER."),
        click.option("--intermediate", multiple=True, type=FILE, help="Issuing certificate."),
        click.option("--crl", multiple=True, type=FILE, help="Revocation list, PEM or DER."),
        click.option("--ocsp", multiple=True, type=FILE, help="OCSP response, PEM or DER."),
        click.option("--policy", type=FILE, help="Verification policy, TOML."),
        click.option(
            "--at",
            type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
            help="Judge as of this instant, such as 2026-11-24T04:00:00Z; by default now.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def add_commands(root: click.Group, opened: Callable[[click.Context], VerifyTools]) -> None:
    """Put ``verify`` under ``root``."""

    @root.command("verify")
    @click.argument("files", nargs=-1, required=True, type=FILE)
    @evidence_options
    @click.option(
        "--explain",
        "is_explained",
        is_flag=True,
        help="Tell every check; of what did not pass: meaning, who can mend it, what to do.",
    )
    @click.option(
        "--receipt",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write a receipt that the verifier signs: OUT.pdf or OUT.json; for one FILE.",
    )
    @click.pass_context
    def verify(
        ctx: click.Context,
        /,
        files: tuple[Path, ...],
        is_explained: bool,
        receipt: Path | None,
        **words: object,
    ) -> None:
        """Verify sealed OFD or PDF files: are they genuine (真伪), are they in force (效力)."""
        tools = opened(ctx)
        form = _receipt_form(receipt, files)
        judge = _judge(tools, given_evidence(words))
        if receipt is None or form is None:
            verdicts = [judge(read_document(path)) for path in files]
        else:
            verdicts = [_judge_with_receipt(tools, judge, (files[0], receipt, form))]
        if tools.is_json:
            _tell_json(verdicts)
        else:
            for path, verdict in zip(files, verdicts, strict=True):
                _tell(tools.console, path, verdict, is_explained=is_explained)
        if any(verdict.outcome is not Outcome.VALID for verdict in verdicts):
            ctx.exit(NOT_VALID)


def _judge_with_receipt(
    tools: VerifyTools, judge: Callable[[bytes], Verdict], order: tuple[Path, Path, ReceiptForm]
) -> Verdict:
    """Judge a file and write the receipt about exactly the bytes that were judged."""
    path, receipt, form = order
    if tools.receipts is None:
        raise ReceiptUnavailable
    document = read_document(path)
    verdict = judge(document)
    receipt.write_bytes(tools.receipts().issue(form, verdict, document))
    return verdict


def _receipt_form(receipt: Path | None, files: tuple[Path, ...]) -> ReceiptForm | None:
    """Tell the form of the receipt by its name; refuse another one before anything is judged."""
    if receipt is None:
        return None
    if len(files) != 1:
        raise click.UsageError("--receipt takes one FILE")
    suffix = receipt.suffix.lower().removeprefix(".")
    if suffix not in list(ReceiptForm):
        raise click.UsageError("--receipt takes OUT.pdf or OUT.json")
    return ReceiptForm(suffix)


def given_evidence(words: dict[str, object]) -> GivenEvidence:
    """Read the files that the options name."""

    def files(name: str) -> tuple[GivenFile, ...]:
        found = words[name]
        return tuple(map(_given_file, found)) if isinstance(found, tuple) else ()

    policy, at = words["policy"], words["at"]
    return GivenEvidence(
        trust=files("trust"),
        intermediates=files("intermediate"),
        crls=files("crl"),
        ocsp_responses=files("ocsp"),
        policy=None if policy is None else _given_file(policy),
        at=at if isinstance(at, datetime) else None,
    )


def _given_file(path: object) -> GivenFile:
    named = Path(str(path))
    if named.stat().st_size > MAX_CRL_BYTES:
        raise DocumentTooLarge(f"{named}", largest=MAX_CRL_BYTES)
    return GivenFile(name=str(named), data=named.read_bytes())


def _judge(tools: VerifyTools, given: GivenEvidence) -> Callable[[bytes], Verdict]:
    """Choose: our library, unless evidence is given."""
    if tools.judge is not None and not given.is_any:
        return tools.judge
    evidence = read_evidence(given, now=tools.clock.now())
    return lambda data: judge_document(data, JudgeContext(evidence=evidence))


def read_document(path: Path) -> bytes:
    """Return a file's bytes; raises ``DocumentTooLarge``."""
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"{path}", largest=LARGEST_DOCUMENT)
    return path.read_bytes()


# Words


def _tell_json(verdicts: list[Verdict]) -> None:
    """Print one object for one file, an array for several."""
    wires = [verdict_to_json(verdict) for verdict in verdicts]
    found = wires[0] if len(wires) == 1 else wires
    click.echo(json.dumps(found, ensure_ascii=False, indent=1))


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
        tell_signature(console, signature)
    shown = verdict.all_findings() if is_explained else _against(verdict)
    for finding in shown:
        tell_finding(console, finding, is_explained=is_explained)


def tell_signature(console: Console, signature: SignatureVerdict) -> None:
    """Print one line about a signature."""
    seal = "" if signature.seal is None else f"{signature.seal.name} ({signature.seal.id})"
    signed = "?" if signature.signed_at is None else instant(signature.signed_at)
    console.print(
        f"  {signature.kind} {seal or signature.signer}: integrity {signature.integrity.value},"
        f" {signature.trust.value}, signed {signed}"
        f" ({TIME_SOURCES[signature.time_source]})",
        markup=False,
    )


def _against(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.all_findings() if f.result in (Result.FAILED, Result.UNKNOWN)]


def tell_finding(console: Console, finding: Finding, *, is_explained: bool) -> None:
    """Print a finding; explained with meaning, who can mend it, what to do, and the clause."""
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

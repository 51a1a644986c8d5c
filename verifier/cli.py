"""``eseal verify``: judge files against our library, or against anchors and evidence given.

With ``--trust`` (or without a data folder) nothing of ours is needed: no data folder, no server.
Exit status 0 only when every file is valid, 1 when one is not.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from keys.certificates import Certificate, parse_certificates
from keys.crl import read_crl_file
from keys.errors import MalformedCertificate
from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from seal_service.errors import DocumentTooLarge
from seal_service.plumbing.clock import Clock
from verifier.answers import authentic_words, headline_words, in_force_words
from verifier.judge import JudgeContext, judge_document
from verifier.policy import DEFAULT_POLICY, Policy, parse_policy
from verifier.rules.chain import ChainEvidence
from verifier.uploads import LARGEST_DOCUMENT
from verifier.verdict import Finding, Outcome, Result, Verdict
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
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTools:
    """What the command works with."""

    judge: Callable[[bytes], Verdict] | None
    """Judge with our own library; None where there is none."""
    clock: Clock
    console: Console
    is_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvidence:
    """What the command line gives to judge against."""

    trust: tuple[Path, ...]
    intermediates: tuple[Path, ...]
    crls: tuple[Path, ...]
    ocsp_responses: tuple[Path, ...]
    policy: Path | None
    at: datetime | None

    @property
    def is_any(self) -> bool:
        """Tell whether anything was given."""
        lists = (self.trust, self.intermediates, self.crls, self.ocsp_responses)
        return any(lists) or self.policy is not None or self.at is not None


def add_commands(root: click.Group, opened: Callable[[click.Context], VerifyTools]) -> None:
    """Put ``verify`` under ``root``."""

    @root.command("verify")
    @click.argument("files", nargs=-1, required=True, type=_FILE)
    @click.option("--trust", multiple=True, type=_FILE, help="Trusted root, PEM or DER.")
    @click.option("--intermediate", multiple=True, type=_FILE, help="Issuing certificate.")
    @click.option("--crl", multiple=True, type=_FILE, help="Revocation list, PEM or DER.")
    @click.option("--ocsp", multiple=True, type=_FILE, help="OCSP response, DER.")
    @click.option("--policy", type=_FILE, help="Verification policy, TOML.")
    @click.option(
        "--at",
        type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
        help="Judge as of this instant in UTC; by default now.",
    )
    @click.option("--explain", is_flag=True, help="Tell every check, who mends it and how.")
    @click.pass_context
    def verify(
        ctx: click.Context, /, files: tuple[Path, ...], explain: bool, **words: object
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
                _tell(tools.console, path, verdict, explain=explain)
        if any(verdict.outcome is not Outcome.VALID for verdict in verdicts):
            ctx.exit(NOT_VALID)


def _given(words: dict[str, object]) -> GivenEvidence:
    def paths(name: str) -> tuple[Path, ...]:
        found = words[name]
        return tuple(Path(str(path)) for path in found) if isinstance(found, tuple) else ()

    policy, at = words["policy"], words["at"]
    return GivenEvidence(
        trust=paths("trust"),
        intermediates=paths("intermediate"),
        crls=paths("crl"),
        ocsp_responses=paths("ocsp"),
        policy=None if policy is None else Path(str(policy)),
        at=at.replace(tzinfo=UTC) if isinstance(at, datetime) else None,
    )


def _judge(tools: VerifyTools, given: GivenEvidence) -> Callable[[bytes], Verdict]:
    """Choose: our library, unless evidence is given."""
    if tools.judge is not None and not given.is_any:
        return tools.judge
    evidence = read_evidence(given, now=tools.clock.now())
    return lambda data: judge_document(data, JudgeContext(evidence=evidence))


def read_evidence(given: GivenEvidence, *, now: datetime) -> ChainEvidence:
    """Read the files that were given.

    Raises ``MalformedCertificate`` or ``PolicyRefused`` naming the file.
    """
    return ChainEvidence(
        trust=TrustStore.of(_certificates(given.trust)),
        intermediates=tuple(_certificates(given.intermediates)),
        revocation=RevocationEvidence(
            crls=tuple(read_crl_file(path.read_bytes()) for path in given.crls),
            ocsp_responses=tuple(path.read_bytes() for path in given.ocsp_responses),
        ),
        policy=_policy(given.policy),
        now=given.at or now,
    )


def _policy(path: Path | None) -> Policy:
    return DEFAULT_POLICY if path is None else parse_policy(path.read_text(encoding="utf-8"))


def _certificates(paths: Sequence[Path]) -> list[Certificate]:
    found: list[Certificate] = []
    for path in paths:
        try:
            found += parse_certificates(path.read_bytes())
        except MalformedCertificate as error:
            raise MalformedCertificate(f"{path}: {error.detail}", file=path.name) from error
    return found


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"{path}", largest=LARGEST_DOCUMENT)
    return path.read_bytes()


# Words


def _tell(console: Console, path: Path, verdict: Verdict, *, explain: bool) -> None:
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
    for signature in verdict.signatures:
        seal = "" if signature.seal is None else f"{signature.seal.name} ({signature.seal.id})"
        console.print(
            f"  {signature.kind} {seal or signature.signer}: integrity {signature.integrity.value},"
            f" {signature.trust.value}, signed {instant(signature.signed_at) or '?'}"
            f" ({signature.time_source.value})",
            markup=False,
        )
    shown = verdict.all_findings() if explain else _against(verdict)
    for finding in shown:
        _tell_finding(console, finding, explain=explain)


def _against(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.all_findings() if f.result in (Result.FAILED, Result.UNKNOWN)]


def _tell_finding(console: Console, finding: Finding, *, explain: bool) -> None:
    mark, style = MARKS[finding.result]
    words = reason_words(finding)
    line = Text(f"  {mark} ", style=style)
    line.append(f"{CHECK_NAMES[finding.check][0]}：{words.zh}", style="")
    line.append(f"  {finding.check.value}: {finding.reason}", style="dim")
    if finding.subject:
        line.append(f"  {finding.subject}", style="dim")
    console.print(line)
    if not explain or finding.result is Result.PASSED:
        return
    if words.who or words.advice:
        console.print(Text(f"    {words.who}：{words.advice}", style="dim"))
    if finding.clause:
        console.print(Text(f"    {finding.clause}", style="dim"))

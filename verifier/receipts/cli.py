"""``eseal check-receipt``: is a JSON receipt what a verifier signed, and of which document."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.text import Text

from verifier.answers import OUTCOME_WORDS
from verifier.cli import (
    FILE,
    NOT_VALID,
    TONES,
    VerifyTools,
    evidence_options,
    given_evidence,
    read_document,
    tell_finding,
    tell_signature,
)
from verifier.given_evidence import read_evidence
from verifier.receipts.json_form import CheckedReceipt, check_json_receipt
from verifier.receipts.model import ReceiptUnavailable
from verifier.verdict import Outcome, Result
from verifier.wire import signature_to_json


def add_commands(root: click.Group, opened: Callable[[click.Context], VerifyTools]) -> None:
    """Put ``check-receipt`` under ``root``."""

    @root.command("check-receipt")
    @click.argument("receipt", type=FILE)
    @click.option("--document", type=FILE, help="The document; it must be the one verified.")
    @evidence_options
    @click.pass_context
    def check_receipt(
        ctx: click.Context, /, receipt: Path, document: Path | None, **words: object
    ) -> None:
        """Check a JSON receipt: signature, signer, time. A PDF receipt is for ``verify``."""
        tools = opened(ctx)
        checked = _check(tools, receipt.read_bytes(), words)
        is_for = None if document is None else checked.is_for(read_document(document))
        if tools.is_json:
            click.echo(json.dumps(_to_json(tools, checked, is_for), ensure_ascii=False, indent=1))
        else:
            _tell(tools, checked, is_for)
        if checked.signature.outcome is not Outcome.VALID or is_for is False:
            ctx.exit(NOT_VALID)


def _check(tools: VerifyTools, data: bytes, words: dict[str, object]) -> CheckedReceipt:
    """Judge against evidence given, else against our own trust."""
    given = given_evidence(words)
    if given.is_any:
        return check_json_receipt(data, read_evidence(given, now=tools.clock.now()))
    if tools.receipts is None:
        raise ReceiptUnavailable("name the verifier's root with --trust", reason="no-trust")
    return tools.receipts().check(data)


def _to_json(tools: VerifyTools, checked: CheckedReceipt, is_for: bool | None) -> object:
    return {
        "signature": signature_to_json(checked.signature, tools.clock.now()),
        "is_for_document": is_for,
        "receipt": checked.statement,
    }


def _tell(tools: VerifyTools, checked: CheckedReceipt, is_for: bool | None) -> None:
    console = tools.console
    words = OUTCOME_WORDS[checked.signature.outcome]
    console.print(Text(f"回执签名{words.zh}  {words.en}", style=f"bold {TONES[words.tone]}"))
    tell_signature(console, checked.signature)
    for finding in checked.signature.findings:
        if finding.result in (Result.FAILED, Result.UNKNOWN):
            tell_finding(console, finding, is_explained=True)
    headline = checked.statement.get("headline")
    if isinstance(headline, dict):
        said = f"回执所载结论：{headline.get('zh')}  {headline.get('en')}"
        console.print(f"  {said}  {checked.statement.get('judged_at')}", markup=False)
    if is_for is not None:
        answer = "是 yes" if is_for else "否 no"
        console.print(Text(f"  是否为这份文件的回执 of this document: {answer}"))

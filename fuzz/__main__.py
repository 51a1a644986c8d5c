"""Fuzz one target: ``python -m fuzz ses -max_total_time=600``; further options are libFuzzer's.

Needs Atheris, which ``make fuzz`` fetches beside the environment; what it finds lands in
``.cache/fuzz-corpus/TARGET``, and an input that breaks a check in ``build/fuzz``.
"""

import hashlib
import importlib
import sys
from pathlib import Path

import atheris

READ = ["keys", "seal_service", "verifier"]


def main() -> None:
    """Lay out the corpus from the seeds and fuzz until the time is over."""
    name, options = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=READ):
        target = importlib.import_module(f"fuzz.{name}")
    corpus, found = Path(".cache/fuzz-corpus") / name, Path("build/fuzz")
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    arguments = [sys.argv[0], f"-artifact_prefix={found}/{name}-", *options, str(corpus)]
    atheris.Setup(arguments, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

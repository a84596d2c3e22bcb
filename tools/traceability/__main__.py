"""`python -m tools.traceability build|check`: from each statement of the seeds to what realises it.

`build` writes docs/traceability.md from what `make knowledge` built. `check` fails when that page
is stale, or when a statement or a reading stands nowhere.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.traceability.elements import Element, citations
from tools.traceability.page import elements_of, page
from tools.traceability.statements import Statement, readings, statements

ROOT = Path(__file__).parents[2]
PAGE = Path("docs") / "traceability.md"


def findings(found: Mapping[str, Sequence[Element]], wanted: Sequence[Statement]) -> list[str]:
    """Return a sentence for each statement or reading that no element realises."""
    return [
        f"{each.label} stands nowhere: {each.says}; to be realised as: {each.realised_as}"
        for each in wanted
        if not elements_of(each, found)
    ]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; return the exit status: 0 done, 1 something is missing or stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.traceability", description=__doc__)
    parser.add_argument("command", choices=["build", "check"])
    command = parser.parse_args(arguments).command
    found = citations(root)
    wanted = [*statements(), *readings()]
    text, path = page(found, statements(), readings()), root / PAGE
    if command == "build":
        path.write_text(text, encoding="utf-8")
    missing = findings(found, wanted)
    for sentence in missing:
        print(sentence, file=sys.stderr)
    stale = not path.is_file() or path.read_text(encoding="utf-8") != text
    if stale:
        print(f"{PAGE} is stale: run `make traceability`", file=sys.stderr)
    print(f"traceability: {len(wanted) - len(missing)} of {len(wanted)} realised")
    return 1 if stale or (missing and command == "check") else 0


if __name__ == "__main__":
    sys.exit(main())

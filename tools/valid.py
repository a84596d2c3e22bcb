"""`python -m tools.valid PATH…`: is all FHIR that we author what R4 says?

Prints a line a finding, warnings too; exit status 1 when there is one. That a resource has no
narrative is none: ours are read by programs.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ivfhir.validation.findings import NO_RESOURCE, validate_paths

PASSED = frozenset({"dom-6", NO_RESOURCE})
"""No narrative; and ELM, which lies beside the artefacts."""


def findings(paths: Sequence[Path]) -> Iterator[str]:
    """Yield what is wrong, as `file:line:column: sentence [rule]`."""
    for finding in validate_paths(paths):
        for found in finding.found:
            if found.issue.rule not in PASSED:
                place = ":".join(str(e) for e in (finding.file, found.line, found.column) if e)
                yield f"{place}: {found.issue.text} [{found.issue.rule}]"


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong; return the exit status."""
    wrong = list(findings([Path(each) for each in arguments or sys.argv[1:]]))
    print("\n".join([*wrong, f"valid FHIR R4: {len(wrong)} findings"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tools.valid PATH…`: is all FHIR that we author what R4 says?

Prints a line a finding, warnings too; exit status 1 when there is one, 2 when nothing is named.
That a resource has no narrative is none: ours are read by programs.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ivfhir.validation.findings import NO_RESOURCE, validate_paths

NO_NARRATIVE = "dom-6"
ELM = "cql"
"""The folder beside the artefacts whose JSON is ELM and no resource."""


def findings(paths: Sequence[Path]) -> Iterator[str]:
    """Yield what is wrong, as `file:line:column: sentence [rule]`."""
    for finding in validate_paths(paths):
        for found in finding.found:
            rule = found.issue.rule
            is_elm = rule == NO_RESOURCE and Path(finding.file).parent.name == ELM
            if rule != NO_NARRATIVE and not is_elm:
                place = ":".join(str(e) for e in (finding.file, found.line, found.column) if e)
                yield f"{place}: {found.issue.text} [{rule}]"


def main(arguments: Sequence[str]) -> int:
    """Print what is wrong; return the exit status."""
    if not arguments:
        print("Name the files or folders to be asked about.", file=sys.stderr)
        return 2
    wrong = list(findings([Path(each) for each in arguments]))
    print("\n".join([*wrong, f"valid FHIR R4: {len(wrong)} findings"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

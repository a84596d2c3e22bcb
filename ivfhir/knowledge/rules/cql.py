"""What the CQL of a protocol keeps to."""

import re
from collections.abc import Collection, Iterator

BANNED = {
    r"\b(Today|Now|TimeOfDay)\s*\(": "AsOf is the only clock (E-11)",
    r"\bAgeIn(Years|Months|Weeks|Days|Hours)\s*\(": "AsOf is the only clock (E-11)",
    r"@T?\d": "a date belongs into data or a parameter",
}
"""What must not stand in a protocol's CQL -> why."""

_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)


def text_findings(cql: str) -> Iterator[str]:
    """Yield each banned word that stands in CQL outside comments, strings and quoted names."""
    code = _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), cql)
    for pattern, reason in BANNED.items():
        for match in re.finditer(pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"line {line}: {match[0]} must not be used: {reason}"


def criterion_findings(
    listed: Collection[str], rows: Collection[str], criteria: str
) -> Iterator[str]:
    """Yield where the README and the protocol's list of criteria differ.

    Args:
        listed: ids as the README lists them: `C-AGE`.
        rows: names of the defines of the criteria that the CQL lists: `C_AGE`.
        criteria: name of the list: `LUNG_Criteria`.
    """
    names = {criterion.replace("-", "_") for criterion in listed}
    for name in sorted(names - set(rows)):
        yield f"criterion {name.replace('_', '-')} of the README is not listed in {criteria}"
    for name in rows:
        if name not in names:
            criterion = name.replace("_", "-")
            yield f"{criteria} lists {name}_Criterion, but the README lists no {criterion}"

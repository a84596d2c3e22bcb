"""What the CQL of a protocol keeps to."""

import re
from collections.abc import Collection, Iterator

BANNED = {
    r"\b(Today|Now|TimeOfDay)\s*\(": "AsOf is the only clock (E-11)",
    r"\bAgeIn(Years|Months|Weeks|Days|Hours)\s*\(": "AsOf is the only clock (E-11)",
    r"@T?\d": "a date belongs into data or a parameter",
}
"""What must not stand in a protocol's CQL -> why."""

PARTS = ("_Evidence", "_Missing", "_Notes")
"""The defines that stand beside each criterion's own."""

_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)


def text_findings(cql: str) -> Iterator[str]:
    """Yield each banned word that stands in CQL outside comments, strings and quoted names."""
    code = _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), cql)
    for pattern, reason in BANNED.items():
        for match in re.finditer(pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"line {line}: {match[0]} must not be used: {reason}"


def criterion_findings(criteria: Collection[str], defines: Collection[str]) -> Iterator[str]:
    """Yield criteria without their defines, and defines of criteria that nobody lists.

    Args:
        criteria: ids as the README lists them: `C-AGE`.
        defines: names that the library defines.
    """
    names = {criterion.replace("-", "_") for criterion in criteria}
    for name in sorted(names):
        for define in (name, *(name + part for part in PARTS)):
            if define not in defines:
                yield f"criterion {name.replace('_', '-')} has no define {define}"
    for define in defines:
        name = define.removesuffix(PARTS[0])
        if name != define and name not in names:
            yield f"{define} belongs to a criterion that the README does not list"

"""The page of the guide that leads from the statements to the elements."""

from collections.abc import Iterator, Mapping, Sequence

from tools.traceability.elements import Element
from tools.traceability.statements import Statement

_HEAD = """\
# Traceability

From each statement of the two source texts to the elements that realise it. Built by
`make traceability` from the artefacts; each cites the statement by its label. The statements are
paraphrased. S0 is a patient-education text on minimally invasive interventional tumour therapy, S3
one author's proposal for standardising endovascular intervention in lung cancer; both are without
citations.

An action, a goal, a rule, a reading or a text stands in the PlanDefinition, a criterion or a define
in the CQL library. *Named, without citing it* are elements that the specification names for the
statement and that do not cite it.
"""
_SEEDS = (
    ("S0", "S0: general interventional tumour therapy"),
    ("S3", "S3: lung cancer"),
)
_NONE = "**none**"


def elements_of(statement: Statement, found: Mapping[str, Sequence[Element]]) -> list[Element]:
    """Return the elements that realise a statement; a document only where words are asked for."""
    elements = found.get(statement.label, ())
    return [each for each in elements if each.kind != "document" or statement.in_words]


def page(
    found: Mapping[str, Sequence[Element]],
    statements: Sequence[Statement],
    readings: Sequence[Statement],
) -> str:
    """Return the page.

    Args:
        found: label -> the elements that cite it.
        statements: of the seeds.
        readings: of their ambiguous words.
    """
    lines = [_HEAD]
    for seed, title in _SEEDS:
        own = [each for each in statements if each.label.startswith(f"{seed}-")]
        lines += [f"## {title}\n", *_table(found, own, ("statement", "to be realised as")), ""]
    lines += ["## Readings of ambiguous words\n"]
    lines += [*_table(found, readings, ("words", "read as")), ""]
    return "\n".join(lines)


def _table(
    found: Mapping[str, Sequence[Element]], own: Sequence[Statement], columns: tuple[str, str]
) -> Iterator[str]:
    yield f"| id | {columns[0]} | {columns[1]} | realised by |"
    yield "|---|---|---|---|"
    for each in own:
        elements = elements_of(each, found)
        realised = "; ".join(_grouped(elements)) or _NONE
        ids = frozenset[str]().union(*(element.ids for element in elements))
        silent = [name for name in each.named if name not in ids] if elements else []
        if silent:
            realised += f". *Named, without citing it*: {_code(silent)}"
        yield f"| {each.label} | {_cell(each.says)} | {_cell(each.realised_as)} | {realised} |"


def _grouped(elements: Sequence[Element]) -> Iterator[str]:
    """Yield the elements a kind: `action `LUNG-A03`, `LUNG-A05``."""
    kinds = dict.fromkeys(each.kind for each in elements)
    for kind in kinds:
        names = dict.fromkeys(_shown(each) for each in elements if each.kind == kind)
        yield f"{kind} {_code(names)}"


def _shown(element: Element) -> str:
    """Return the name, with what it belongs to where the name does not say it."""
    if element.kind == "calculator" and element.also:
        return f"{', '.join(element.also)} in {element.name}"
    protocol = element.where.rpartition("/")[2]
    named = element.kind in ("reading", "text")
    return f"{element.name} of {protocol}" if named else element.name


def _code(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(f"`{each}`" for each in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

"""What a protocol must define, checked by name when it is built and when it is loaded.

`docs/protocols.md` tells the contract to authors. A finding is a sentence: what is missing or does
not fit, in which library, and what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import DefineKey, ElmLibrary, LibraryKey
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import expressions, walk_actions
from ivfhir.knowledge.criteria import KINDS, ROW, listed_defines, mode_of_row, row_expression

FACTS = "IOFacts"
"""The shared library that reads the record, and tells the patient's state."""

LISTS = "List<String>"
RESULTS = {
    "{id}_Status": "String",
    "{id}_Failed": LISTS,
    "{id}_Unknown": LISTS,
    "{id}_Cautions": LISTS,
    "{id}_NotAssessable": LISTS,
    "Parameter_Problems": LISTS,
    "Plan_Allowed": "Boolean",
}
"""What every protocol's own library defines, `{id}` being its name -> type."""

PARAMETERS = {"AsOf": "DateTime", "Start": "Date", "OverrideReason": "String"}
"""The parameters that every protocol declares -> type."""

DATED = {"_Date": "DateTime", "_Window": "Interval<DateTime>"}
"""What the names of an action's day and window end in -> type."""

UNTOLD = ("Any", "Null")
"""Types that ELM does not tell, as of the literal null."""

Elm = Mapping[str, Any]


@dataclass(frozen=True)
class Knowledge:
    """A protocol's libraries, as ELM and compiled.

    Attributes:
        elm: name and version of each library -> the `library` object of its ELM; its own first.
        compiled: the same libraries, compiled.
    """

    elm: Mapping[LibraryKey, Elm]
    compiled: Mapping[LibraryKey, ElmLibrary]

    @property
    def own(self) -> ElmLibrary:
        """The protocol's own library."""
        return self.compiled[next(iter(self.elm))]


def contract_problems(
    plan_definition: Resource,
    documents: Sequence[Mapping[str, Any]],
    compiled: Mapping[LibraryKey, ElmLibrary],
) -> list[str]:
    """Return what a protocol lacks or gets wrong; empty when it keeps the contract.

    Args:
        plan_definition: its PlanDefinition.
        documents: ELM JSON of its library and of all that it includes, its own first.
        compiled: the same, by `ivfhir.expressions.elm.load_libraries`. What cannot be compiled (a
            library or version that is missing, a name that nobody defines) is refused there.
    """
    elm: dict[LibraryKey, Elm] = {
        (each["library"]["identifier"]["id"], each["library"]["identifier"].get("version")): each[
            "library"
        ]
        for each in documents
    }
    knowledge = Knowledge(elm, compiled)
    return [
        *_includes(knowledge),
        *_parameters(knowledge.own),
        *_results(knowledge.own),
        *_criteria(knowledge),
        *_dates(plan_definition, knowledge),
    ]


def _includes(knowledge: Knowledge) -> Iterator[str]:
    if all(key[0] != FACTS for key in knowledge.elm):
        name = knowledge.own.name
        yield (
            f"{name}.cql does not include {FACTS}, which tells of the patient's death; add "
            f"`include {FACTS} version '…' called Facts`."
        )


def _parameters(library: ElmLibrary) -> Iterator[str]:
    for name, wanted in PARAMETERS.items():
        declared = library.parameters.get(name)
        if declared is None:
            yield f"{library.name}.cql declares no {name}; add `parameter {name} {wanted}`."
        elif declared.type_name != wanted:
            yield (
                f"{library.name}.cql declares {name} as {declared.type_name}; "
                f"write `parameter {name} {wanted}`."
            )


def _results(library: ElmLibrary) -> Iterator[str]:
    for pattern, wanted in RESULTS.items():
        yield from _typed(library, pattern.format(id=library.name), wanted)


def _typed(library: ElmLibrary, define: str, wanted: str) -> Iterator[str]:
    """Yield that a define is missing, or of another type where ELM tells its type."""
    found = library.type_of(define)
    if found is None:
        yield (
            f"{library.name}.cql does not define {define}; "
            f"add `define {define}: …` of type {wanted}."
        )
    elif found != wanted and not any(untold in found for untold in UNTOLD):
        yield f"{define} of {library.name}.cql is of type {found}; it must be {wanted}."


def _criteria(knowledge: Knowledge) -> Iterator[str]:
    own = next(iter(knowledge.elm.values()))
    try:
        listed = list(listed_defines(own))
    except KnowledgeError as error:
        yield error.message
        return
    seen: dict[str, DefineKey] = {}
    for key in listed:
        (library, name) = key
        if name in seen:
            yield (
                f"{knowledge.own.name}_Criteria lists {name}{ROW} twice, of {seen[name][0][0]} and "
                f"of {library[0]}; a criterion stands in the list once, under an id of its own."
            )
        seen[name] = key
        yield from _typed(knowledge.compiled[library], name, "Boolean")
        yield from _row(knowledge.elm[library], name)


def _row(elm: Elm, name: str) -> Iterator[str]:
    """Yield what the row of a criterion gets wrong: its id, its kind, whose truth it shows."""
    place = f"{name}{ROW} of {elm['identifier']['id']}.cql"
    operands = row_expression(elm, name).get("operand", [])
    mode = mode_of_row(elm, name)
    if mode:
        operands = operands[1:]
    about, truth = [*operands[:2], {}, {}][:2]
    texts = {
        each["name"]: each["value"].get("value")
        for each in about.get("element", [])
        if each["value"].get("type") == "Literal"
    }
    if "id" not in texts or "kind" not in texts:
        yield (
            f"{place} does not begin with its id and kind in text; write "
            f"`Conventions.Criterion(Tuple {{ id: '…', kind: '…', … }}, {name}, {{ facts }})`."
        )
        return
    wanted = texts["id"].replace("-", "_") + (f"_{mode}" if mode else "")
    if wanted != name:
        yield f"{place} has the id {texts['id']}; write '{name.replace('_', '-')}'."
    if texts["kind"] not in KINDS:
        yield f"{place} is of kind {texts['kind']}; it must be one of {', '.join(KINDS)}."
    if truth.get("type") != "ExpressionRef" or truth.get("name") != name or "libraryName" in truth:
        shown = truth.get("name", "something else")
        yield f"{place} shows the truth of {shown}; write {name} after its texts."


def _dates(plan_definition: Resource, knowledge: Knowledge) -> Iterator[str]:
    """Yield the days and windows of actions that are not defined, or are of another type."""
    wanted = dict.fromkeys(
        (library, name.removesuffix(ending))
        for action in walk_actions(plan_definition)
        for each in expressions(action)
        for name, library in [_named(each, knowledge)]
        for ending in DATED
        if name.endswith(ending)
    )
    for library, stem in wanted:
        for ending, type_ in DATED.items():
            yield from _typed(knowledge.compiled[library], f"{stem}{ending}", type_)


def _named(expression: Resource, knowledge: Knowledge) -> tuple[str, LibraryKey]:
    """Return the define that an expression names, and its library; the own one where none fits."""
    url, _, version = expression.get("reference", "").partition("|")
    name = url.rpartition("/")[2]
    found = (key for key in knowledge.elm if key[0] == name and version in ("", key[1] or ""))
    return expression.get("expression", ""), next(found, knowledge.own.key)

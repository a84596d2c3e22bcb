"""R4's own rules, asked of each element that they are said of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import FhirPath, Node, compile_fhirpath
from ivfhir.expressions.fhirpath.types import fhir_type
from ivfhir.fhir.r4 import definition_of, lineage_of
from ivfhir.fhir.r4.rules import Rule, rules_of
from ivfhir.fhir.types import Json
from ivfhir.validation.issue import Issue
from ivfhir.validation.mends import MENDS, SAID
from ivfhir.validation.structure import Slot, Visited

NOT_CONTAINED = frozenset({"dom-6"})
"""A contained resource needs no narrative: http://hl7.org/fhir/R4/references.html#contained"""
ASKED_ELSEWHERE = frozenset({"ref-1"})
"""Asked of references, where contained resources are known by their ids."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready to be asked of elements of one type.

    Attributes:
        rule: as R4 says it.
        holds: its expression.
        needs: names in JSON: where all of one group are absent it holds without being asked.
    """

    rule: Rule
    holds: FhirPath
    needs: tuple[frozenset[str], ...] = ()


def broken_rules(visited: Visited) -> list[Issue]:
    """Return an issue for each rule that does not hold.

    A rule that gives nothing is not broken: unknown is never no. One that cannot be evaluated is
    said as information.
    """
    rules: Sequence[CompiledRule] = rules_for(visited.slot)
    if visited.resource is not visited.root:
        rules = [each for each in rules if each.rule.key not in NOT_CONTAINED]
    value = visited.value
    if isinstance(value, dict):
        names = value.keys()
        rules = [each for each in rules if not any(map(names.isdisjoint, each.needs))]
    if not rules:
        return []
    node = Node(visited.value, fhir_type(visited.slot.type_name), visited.beside)
    return [issue for each in rules if (issue := _asked(each, node, visited)) is not None]


def _asked(compiled: CompiledRule, node: Node, visited: Visited) -> Issue | None:
    rule = compiled.rule
    by_hand = BY_HAND.get(rule.key)
    try:
        holds: bool | None
        if by_hand is not None:
            holds = by_hand(visited.value)
        else:
            holds = compiled.holds.is_true(visited.resource, context=node, root=visited.root)
    except FhirPathError as error:
        text = f"R4's rule {rule.key} could not be asked here: {error.message}"
        return _issue("information", "not-supported", text, rule.key, visited)
    if holds is not False:
        return None
    expression = visited.place.expression
    said = SAID.get(rule.key) or rule.human.rstrip(". ")
    mend = f" {MENDS[rule.key]}" if rule.key in MENDS else ""
    text = f"{expression} breaks R4's rule {rule.key}: {said}.{mend}"
    return _issue(rule.severity, "invariant", text, rule.key, visited)


def _contained_are_used(resource: Json) -> bool:
    """Return whether each contained resource is referred to, or refers to what contains it.

    dom-3 in FHIRPath looks at the whole resource once for each contained one.
    """
    inside = resource.get("contained") if isinstance(resource, dict) else None
    if not isinstance(inside, list):
        return True
    named = set(_fragments(resource))
    return all(
        f"#{each['id']}" in named or "#" in set(_fragments(each))
        for each in inside
        if isinstance(each, dict) and isinstance(each.get("id"), str)
    )


WORDS = frozenset({"display", "div", "text", "title", "description", "comment"})
"""Elements of these names are for people; what else begins with # may refer."""


def _fragments(value: Json) -> Iterator[str]:
    """Yield the texts inside a value that can refer to a contained resource."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str):
                if each[:1] == "#" and key not in WORDS:
                    yield each
            elif isinstance(each, dict | list):
                yield from _fragments(each)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, str):
                if each[:1] == "#":
                    yield each
            else:
                yield from _fragments(each)


BY_HAND: dict[str, Callable[[Json], bool]] = {"dom-3": _contained_are_used}
"""Rules whose FHIRPath takes time that grows with the square of the resource."""


def _issue(severity: str, code: str, text: str, rule: str, visited: Visited) -> Issue:
    place = visited.place
    return Issue(severity, code, place.expression, text, rule, place.pointer)


@cache
def rules_for(slot: Slot) -> tuple[CompiledRule, ...]:
    """Return the rules of an element: of its type with bases, and of itself in its owner.

    Rules that ask the same are one.
    """
    paths = list(lineage_of(slot.type_name))
    if slot.owner is not None and slot.element is not None:
        paths += [f"{each}.{slot.element.name}" for each in lineage_of(slot.owner)]
    found: dict[str, Rule] = {}
    said = (rule for path in dict.fromkeys(paths) for rule in rules_of(path))
    for rule in (each for each in said if each.key not in ASKED_ELSEWHERE):
        same = found.get(rule.expression)
        found[rule.expression] = (
            rule if same is None else replace(same, human=f"{same.human}. {rule.human}")
        )
    return tuple(_compiled(each, slot.type_name) for each in found.values())


def _compiled(rule: Rule, type_name: str) -> CompiledRule:
    holds = compile_fhirpath(rule.expression, context_type=type_name, several_as=True)
    definition = definition_of(type_name)
    elements = definition.elements if definition is not None else {}
    asked = (elements[name] for name in sorted(holds.true_without) if name in elements)
    keys = (tuple(each.json_names()) for each in asked)
    needs = (frozenset({*each, *(f"_{key}" for key in each)}) for each in keys)
    return CompiledRule(rule, holds, tuple(needs))

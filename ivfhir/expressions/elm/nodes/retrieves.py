"""Retrieves: the resources of a type, those with certain codes, those in a time."""

from collections.abc import Callable
from dataclasses import replace

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import Function, coerced, of_memory
from ivfhir.expressions.elm.code import (
    INDEX,
    OFFSET,
    TERMS,
    UNSET,
    Expression,
    Memory,
    Writer,
    of_slot,
)
from ivfhir.expressions.elm.nodes.properties import dynamic, steps
from ivfhir.expressions.elm.nodes.terminology import expanded_name, value_pairs
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.shapes import OBJECT, listed
from ivfhir.expressions.elm.type_tests import is_element_type
from ivfhir.expressions.index import ResourceIndex, Terminology
from ivfhir.expressions.operators import intervals
from ivfhir.expressions.operators.conversion import to_date_time
from ivfhir.expressions.values import Interval, Typed, ValueSet
from ivfhir.expressions.values.dates import parse_date_time
from ivfhir.expressions.values.value import Value


def compile_retrieve(scope: Scope, node: Node) -> Expression:
    """Compile a retrieve: the resources of a type, those with certain codes, those in a time."""
    type_ = t.named(node["dataType"])
    name = type_.removeprefix("FHIR.")
    scope.uses.add(name)
    if "codes" in node:
        found = coded_retrieve(node, name, scope.compile(node["codes"]))
    else:
        found = resources(lambda memory: memory[INDEX].of_type(name), name)
    if "dateRange" in node:
        return dated_retrieve(scope, node, found)
    return found


def resources(function: Function, name: str, *parts: Expression) -> Expression:
    """Return the resources of a type that a function of the session's memory gives."""
    found = of_memory(function, t.ListOf(f"FHIR.{name}"), *parts)
    return replace(found, shape=listed(OBJECT))


def coded_retrieve(node: Node, name: str, codes: Expression) -> Expression:
    """Return what gives the resources that carry one of the codes."""
    path = node.get("codeProperty", "code")
    value = codes.constant
    if isinstance(value, ValueSet):
        return value_set_retrieve(name, path, value)
    if value is not UNSET:
        known = frozenset(value_pairs(value))
        return resources(lambda memory: memory[INDEX].of_codes(name, path, known), name)

    def some(memory: Memory, given: Value) -> list[Value]:
        pairs = frozenset(value_pairs(given or []))
        index: ResourceIndex = memory[INDEX]
        return index.of_codes(name, path, pairs)

    return resources(some, name, codes)


def value_set_retrieve(name: str, path: str, value_set: ValueSet) -> Expression:
    """Return what gives the resources that carry a code of a value set."""
    canonical = value_set.id or ""

    def members(memory: Memory) -> list[Value]:
        terms: Terminology = memory[TERMS]
        index: ResourceIndex = memory[INDEX]
        found = index.of_value_set(name, path, canonical, terms)
        if found or canonical in terms.expansions:
            return found
        return index.of_value_set(name, path, expanded_name(terms, value_set), terms)

    return resources(members, name)


def dated_retrieve(scope: Scope, node: Node, found: Expression) -> Expression:
    """Return the resources whose date is in a range, or whose period overlaps it."""
    type_ = t.element_of(found.type)
    slot = scope.unnamed()
    path = node.get("dateProperty") or node.get("dateLowProperty", "")
    date = steps(of_slot(slot, type_), path)
    if is_element_type(date.type):
        date = coerced(date, t.ANY)
    wanted = scope.compile(node["dateRange"])

    def text(m: Writer) -> str:
        given = ", ".join([m.value(found), m.given(slot, date), m.value(wanted)])
        return f"{m.name(within)}(m, {given})"

    return Expression(found.type, text, shape=found.shape)


def within(
    memory: Memory, resources: list[Value], date: Callable[[Value], Value], wanted: Interval | None
) -> list[Value]:
    """Return the resources whose date, or period, overlaps an interval."""
    found = []
    for resource in resources:
        when = when_of(memory, date(resource))
        if wanted is not None and when is not None and intervals.overlaps(when, wanted) is True:
            found.append(resource)
    return found


def when_of(memory: Memory, value: Value) -> Interval | None:
    """Return a FHIR dateTime, instant or Period as an interval."""
    if not isinstance(value, Typed):
        return None
    if isinstance(value.raw, str):
        moment = to_date_time(parse_date_time(value.raw), memory[OFFSET])
        return None if moment is None else Interval(moment, moment)
    bounds = (dynamic(memory, value, part) for part in ("start", "end"))
    start, end = (dynamic(memory, bound, "value") for bound in bounds)
    return Interval(start, end, True, True, t.DATE_TIME)

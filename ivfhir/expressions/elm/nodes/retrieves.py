"""Retrieves: the resources of a type, those with certain codes, those in a time."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import of_memory
from ivfhir.expressions.elm.nodes.casts import is_element_type
from ivfhir.expressions.elm.nodes.properties import dynamic, of_slot, steps
from ivfhir.expressions.elm.nodes.terminology import expanded_name, value_pairs
from ivfhir.expressions.elm.scope import INDEX, TERMS, UNSET, Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.index import ResourceIndex, Terminology
from ivfhir.expressions.operators import intervals
from ivfhir.expressions.operators.conversion import to_date_time
from ivfhir.expressions.values import Interval, Typed, ValueSet
from ivfhir.expressions.values.dates import parse_date_time
from ivfhir.expressions.values.value import Value


def compile_retrieve(scope: Scope, node: Node) -> Compiled:
    """Compile a retrieve: the resources of a type, those with certain codes, those in a time."""
    type_ = t.named(node["dataType"])
    name = type_.removeprefix("FHIR.")
    scope.uses.add(name)
    if "codes" in node:
        found = coded_retrieve(scope, node, name, scope.compile(node["codes"]))
    else:
        found = of_memory(lambda memory: memory[INDEX].of_type(name), t.ListOf(type_))
    if "dateRange" in node:
        return Compiled(dated_retrieve(scope, node, type_, found.run), t.ListOf(type_))
    return found


def coded_retrieve(scope: Scope, node: Node, name: str, codes: Compiled) -> Compiled:
    """Return what gives the resources that carry one of the codes."""
    path = node.get("codeProperty", "code")
    type_ = t.ListOf(f"FHIR.{name}")
    value = codes.constant
    if isinstance(value, ValueSet):
        return value_set_retrieve(name, path, value)
    if value is not UNSET:
        known = frozenset(value_pairs(value))
        return of_memory(lambda memory: memory[INDEX].of_codes(name, path, known), type_)

    def some(memory: list[Value], given: Value) -> list[Value]:
        pairs = frozenset(value_pairs(given or []))
        index: ResourceIndex = memory[INDEX]
        return index.of_codes(name, path, pairs)

    return of_memory(some, type_, codes)


def value_set_retrieve(name: str, path: str, value_set: ValueSet) -> Compiled:
    """Return what gives the resources that carry a code of a value set."""
    canonical = value_set.id or ""

    def members(memory: list[Value]) -> list[Value]:
        terms: Terminology = memory[TERMS]
        index: ResourceIndex = memory[INDEX]
        found = index.of_value_set(name, path, canonical, terms)
        if found or canonical in terms.expansions:
            return found
        return index.of_value_set(name, path, expanded_name(terms, value_set), terms)

    return of_memory(members, t.ListOf(f"FHIR.{name}"))


def dated_retrieve(scope: Scope, node: Node, type_: str, source: Run) -> Run:
    """Return what gives the resources whose date is in a range, or whose period overlaps it."""
    with scope.inner():
        slot = scope.bind("$dated", type_)
        path = node.get("dateProperty") or node.get("dateLowProperty", "")
        date = steps(scope, node, of_slot(slot, type_), path)
    range_run, run = scope.compile(node["dateRange"]).run, date.run
    wrap = t.wrapper(date.type, t.ANY) if is_element_type(date.type) else None

    def retrieve(f: Frame) -> list[Value]:
        wanted = range_run(f)
        found = []
        for resource in source(f):
            f[slot] = resource
            value = run(f) if wrap is None else wrap(run(f))
            when = interval_of(value, f)
            if wanted is not None and when is not None and intervals.overlaps(when, wanted) is True:
                found.append(resource)
        return found

    return retrieve


def interval_of(value: Value, f: Frame) -> Interval | None:
    """Return a FHIR dateTime, instant or Period as an interval."""
    if not isinstance(value, Typed):
        return None
    if isinstance(value.raw, str):
        moment = to_date_time(parse_date_time(value.raw), f[0][1])
        return None if moment is None else Interval(moment, moment)
    start, end = (dynamic(dynamic(value, part, f), "value", f) for part in ("start", "end"))
    return Interval(start, end, True, True, t.DATE_TIME)


NODES = {"Retrieve": compile_retrieve}

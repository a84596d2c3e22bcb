"""Filtering and projection (https://hl7.org/fhirpath/N1/#filtering-and-projection)."""

from dataclasses import replace

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    Many,
    single,
    truth_of,
)
from ivfhir.expressions.fhirpath.equality import is_new, said
from ivfhir.expressions.fhirpath.functions.function import Function, inner_scope, items_of
from ivfhir.expressions.fhirpath.functions.looping import numbered
from ivfhir.expressions.fhirpath.nodes import Items, element_node
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import MAX_ITEMS, Run
from ivfhir.expressions.fhirpath.syntax import uses
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value


def where(call: Invocation) -> Compiled:
    """Return the items for which the criterion holds."""
    base = call.base
    scope = inner_scope(call)
    holds = truth_of(call.compile(call.arguments[0], scope), call.at)
    counted = uses(call.arguments[0], "$index")
    with_number = numbered(holds, call.arguments[0])

    def kept_of(items: Many) -> Many:
        def kept(run: Run, this: Value) -> Items:
            found = items(run, this)
            run.spend(len(found))
            if counted:
                return [
                    item
                    for number, item in enumerate(found)
                    if with_number(run, item, number) is True
                ]
            return [item for item in found if holds(run, item) is True]

        return kept

    if not scope.bare:
        return Compiled(nodes=kept_of(base.nodes), types=base.types, ordered=base.ordered)
    raws = kept_of(items_of(base, scope))
    return replace(_from_raws(raws, base), ordered=base.ordered)


def _from_raws(raws: Many, base: Compiled) -> Compiled:
    """Return objects of the type that the base has."""
    assert base.types is not None  # noqa: S101 - objects of one type
    only = base.types[0]
    return Compiled(
        nodes=lambda run, this: [element_node(raw, only) for raw in raws(run, this)],
        types=base.types,
        raws=raws,
        each=raws,
    )


def select(call: Invocation) -> Compiled:
    """Return what the projection gives for each item, in one collection."""
    scope = inner_scope(call)
    items = items_of(call.base, scope)
    inner = call.compile(call.arguments[0], scope)

    def over(function: Many) -> Many:
        project = numbered(function, call.arguments[0])

        def found(run: Run, this: Value) -> Items:
            given = items(run, this)
            run.spend(len(given))
            result: Items = []
            for number, item in enumerate(given):
                result += project(run, item, number)
                if len(result) > MAX_ITEMS:
                    raise PlacedError(f"more than {MAX_ITEMS} items; ask for less", call.at)
            return result

        return found

    return Compiled(
        nodes=over(inner.nodes),
        types=inner.types,
        values=None if inner.values is None else over(inner.values),
        raws=None if inner.raws is None else over(inner.raws),
        ordered=call.base.ordered and inner.ordered,
    )


def repeat(call: Invocation) -> Compiled:
    """Return what the projection gives for the items, for these, and so on; each once."""
    return _repeated(call, once=True)


def repeat_all(call: Invocation) -> Compiled:
    """Return the same with what comes several times."""
    return _repeated(call, once=False)


def _repeated(call: Invocation, *, once: bool) -> Compiled:
    scope = replace(call.scope, types=None, bare=False)
    nodes = call.base.nodes
    project = call.compile(call.arguments[0], scope).nodes

    def found(run: Run, this: Value) -> Items:
        result: Items = []
        seen: dict[Value, Items] = {}
        queue = list(nodes(run, this))
        while queue:
            run.spend(len(queue))
            fresh: Items = []
            for item in queue:
                for new in project(run, item):
                    if not once or is_new(new, seen):
                        fresh.append(new)
            result += fresh
            queue = fresh
        return result

    return Compiled(nodes=found, ordered=call.base.ordered)


def aggregate(call: Invocation) -> Compiled:
    """Return `$total` after the expression was asked of each item in turn."""
    scope = inner_scope(call)
    items = items_of(call.base, scope)
    step = numbered(call.compile(call.arguments[0], scope).nodes, call.arguments[0])
    start = call.argument(1).nodes if len(call.arguments) > 1 else None

    def found(run: Run, this: Value) -> Items:
        outer = run.total
        run.total = start(run, this) if start is not None else []
        try:
            given = items(run, this)
            run.spend(len(given))
            for number, item in enumerate(given):
                run.total = step(run, item, number)
            return run.total
        finally:
            run.total = outer

    return Compiled(nodes=found)


def iif(call: Invocation) -> Compiled:
    """Return the second argument where the first is true, else the third; the other is not run.

    Called on something, `$this` is that.
    """
    scope = replace(call.scope, types=call.base.types, bare=False)
    criterion = single(call.compile(call.arguments[0], scope), call.at)
    yes = call.compile(call.arguments[1], scope)
    no = call.compile(call.arguments[2], scope) if len(call.arguments) > 2 else None  # noqa: PLR2004
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        given = nodes(run, this)
        if len(given) > 1:
            raise PlacedError("iif() takes one item; use select(iif(…))", call.at)
        item = given[0] if given else None
        truth: Truth = criterion(run, item)
        if truth is not None and truth.__class__ is not bool:
            raise PlacedError(
                f"the criterion of iif() must be a Boolean, not a {said(truth)}", call.at
            )
        if truth:
            return yes.nodes(run, item)
        return [] if no is None else no.nodes(run, item)

    types = None
    if yes.types is not None and (no is None or no.types is not None):
        other = () if no is None or no.types is None else no.types
        types = tuple({repr(each): each for each in (*yes.types, *other)}.values())
    return Compiled(nodes=found, types=types)


FUNCTIONS = {
    "where": Function(where, 1, 1),
    "select": Function(select, 1, 1),
    "repeat": Function(repeat, 1, 1),
    "repeatAll": Function(repeat_all, 1, 1),
    "aggregate": Function(aggregate, 1, 2),
    "iif": Function(iif, 2, 3),
}

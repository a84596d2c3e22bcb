"""Whether there is something, and whether it holds (https://hl7.org/fhirpath/N1/#existence)."""

from collections.abc import Callable

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    Many,
    One,
    each_of,
    of_one,
    of_truth,
    truth_of,
    values,
)
from ivfhir.expressions.fhirpath.equality import comparable, contains, distinct, said
from ivfhir.expressions.fhirpath.functions.function import Function, inner_scope, items_of
from ivfhir.expressions.fhirpath.functions.looping import Numbered, numbered
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.syntax import uses
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value


def empty(call: Invocation) -> Compiled:
    """Return whether there is nothing."""
    raw = call.base.raw
    if raw is not None:
        return of_truth(lambda run, this: raw(run, this) is None)
    each = each_of(call.base)
    return of_truth(lambda run, this: not each(run, this))


def exists(call: Invocation) -> Compiled:
    """Return whether there is something, or something for which the criterion holds."""
    if not call.arguments:
        raw = call.base.raw
        if raw is not None:
            return of_truth(lambda run, this: raw(run, this) is not None)
        each = each_of(call.base)
        return of_truth(lambda run, this: bool(each(run, this)))
    scope = inner_scope(call)
    items = items_of(call.base, scope)
    plain = truth_of(call.compile(call.arguments[0], scope), call.at)
    if uses(call.arguments[0], "$index"):
        return of_truth(_exists_by_number(items, numbered(plain, call.arguments[0])))

    def truth(run: Run, this: Value) -> Truth:
        found = items(run, this)
        run.left -= len(found)
        if run.left < 0:
            run.spend(0)
        for item in found:  # noqa: SIM110 - any() would make a generator each time
            if plain(run, item) is True:
                return True
        return False

    return of_truth(truth)


def _exists_by_number(items: Many, holds: Numbered) -> One:
    def truth(run: Run, this: Value) -> Truth:
        found = items(run, this)
        run.spend(len(found))
        return any(holds(run, item, number) is True for number, item in enumerate(found))

    return truth


def all_(call: Invocation) -> Compiled:
    """Return whether the criterion holds for each item; true of nothing."""
    scope = inner_scope(call)
    items = items_of(call.base, scope)
    holds = numbered(truth_of(call.compile(call.arguments[0], scope), call.at), call.arguments[0])

    def truth(run: Run, this: Value) -> Truth:
        found = items(run, this)
        run.spend(len(found))
        return all(holds(run, item, number) is True for number, item in enumerate(found))

    return of_truth(truth)


def of_booleans(function: Callable[[Items], bool]) -> Function:
    """Return a function of items that must all be Booleans."""

    def build(call: Invocation) -> Compiled:
        many = values(call.base)

        def truth(run: Run, this: Value) -> Truth:
            found = many(run, this)
            for value in found:
                if value.__class__ is not bool:
                    raise PlacedError(f"{call.name}() takes Booleans, not a {said(value)}", call.at)
            return function(found)

        return of_truth(truth)

    return Function(build)


def of_sets(function: Callable[[Items, Items], bool]) -> Function:
    """Return a function of two collections."""

    def build(call: Invocation) -> Compiled:
        a, b = call.base.nodes, call.argument(0).nodes

        def truth(run: Run, this: Value) -> Truth:
            x = [comparable(each) for each in a(run, this)]
            y = [comparable(each) for each in b(run, this)]
            run.spend(len(x) * len(y))
            return function(x, y)

        return of_truth(truth)

    return Function(build, 1, 1)


def count(call: Invocation) -> Compiled:
    """Return how many items there are."""
    each = each_of(call.base)
    return of_one(lambda run, this: len(each(run, this)), SYSTEM["Integer"])


def is_distinct(call: Invocation) -> Compiled:
    """Return whether no two items are equal."""
    nodes = call.base.nodes

    def truth(run: Run, this: Value) -> Truth:
        found = nodes(run, this)
        return len(distinct(found)) == len(found)

    return of_truth(truth)


def not_(call: Invocation) -> Compiled:
    """Return the opposite of a truth."""
    truth = truth_of(call.base, call.at)

    def opposite(run: Run, this: Value) -> Truth:
        known = truth(run, this)
        return None if known is None else not known

    return of_truth(opposite)


def distinct_nodes(call: Invocation) -> Compiled:
    """Return each item once."""
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        items = nodes(run, this)
        run.spend(len(items))
        return distinct(items)

    return Compiled(nodes=found, types=call.base.types, ordered=call.base.ordered)


FUNCTIONS = {
    "empty": Function(empty),
    "exists": Function(exists, 0, 1),
    "all": Function(all_, 1, 1),
    "allTrue": of_booleans(all),
    "anyTrue": of_booleans(any),
    "allFalse": of_booleans(lambda found: not any(found)),
    "anyFalse": of_booleans(lambda found: not all(found)),
    "subsetOf": of_sets(lambda a, b: all(contains(b, each) for each in a)),
    "supersetOf": of_sets(lambda a, b: all(contains(a, each) for each in b)),
    "count": Function(count),
    "distinct": Function(distinct_nodes),
    "isDistinct": Function(is_distinct),
    "not": Function(not_),
}

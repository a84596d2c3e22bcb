"""Parts of a collection, and collections together.

https://hl7.org/fhirpath/N1/#subsetting, #combining
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cmp_to_key

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation, Many, single
from ivfhir.expressions.fhirpath.equality import (
    comparable,
    compare_values,
    contains,
    distinct,
)
from ivfhir.expressions.fhirpath.functions.function import (
    Function,
    check_ordered,
    integer,
    of_items,
)
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.operators import union
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import MAX_ITEMS, Run
from ivfhir.expressions.fhirpath.syntax import Sign, Tree
from ivfhir.expressions.values.value import Value


def index(base: Compiled, number: Compiled, at: int) -> Compiled:
    """Return the item at a place, the first is 0; nothing outside."""
    place = integer(single(number, at), "[ ]", at)

    def at_place(items: Many) -> Many:
        def found(run: Run, this: Value) -> Items:
            wanted = place(run, this)
            if wanted is None or wanted < 0:
                return []
            return items(run, this)[wanted : wanted + 1]

        return found

    return _parts(base, at_place)


def _parts(base: Compiled, part: Callable[[Many], Many]) -> Compiled:
    """Return a part of a collection, in each of the forms that it has."""
    return Compiled(
        nodes=part(base.nodes),
        types=base.types,
        raws=None if base.raws is None else part(base.raws),
        ordered=base.ordered,
    )


def ordered_items(start: int | None, stop: int | None) -> Function:
    """Return a function that takes a slice of the items."""
    part = slice(start, stop)
    plain = of_items(lambda run, items: items[part])

    def build(call: Invocation) -> Compiled:
        check_ordered(call)
        return plain.build(call)

    return Function(build)


def single_(call: Invocation) -> Compiled:
    """Return the only item; several are an error."""

    def only(run: Run, items: Items) -> Items:
        if len(items) > 1:
            raise PlacedError(
                f"single() met {len(items)} items; choose one, as with first()", call.at
            )
        return items

    return of_items(only).build(call)


def skip(call: Invocation) -> Compiled:
    """Return all but the first so many items."""
    return _counted(call, lambda items, number: items[max(number, 0) :])


def take(call: Invocation) -> Compiled:
    """Return the first so many items."""
    return _counted(call, lambda items, number: items[: max(number, 0)])


def _counted(call: Invocation, part: Callable[[Items, int], Items]) -> Compiled:
    check_ordered(call)
    number = integer(call.one(0), call.name, call.at)

    def cut(items: Many) -> Many:
        def found(run: Run, this: Value) -> Items:
            wanted = number(run, this)
            return [] if wanted is None else part(items(run, this), wanted)

        return found

    return _parts(call.base, cut)


def intersect(call: Invocation) -> Compiled:
    """Return the items that are in both collections, each once."""
    a, b = call.base.nodes, call.argument(0).nodes

    def found(run: Run, this: Value) -> Items:
        x, other = a(run, this), [comparable(each) for each in b(run, this)]
        run.spend(len(x) * len(other))
        return distinct([each for each in x if contains(other, comparable(each))])

    return Compiled(nodes=found, types=call.base.types, ordered=call.base.ordered)


def exclude(call: Invocation) -> Compiled:
    """Return the items that are not in the other collection."""
    a, b = call.base.nodes, call.argument(0).nodes

    def found(run: Run, this: Value) -> Items:
        x, other = a(run, this), [comparable(each) for each in b(run, this)]
        run.spend(len(x) * len(other))
        return [each for each in x if not contains(other, comparable(each))]

    return Compiled(nodes=found, types=call.base.types, ordered=call.base.ordered)


def union_(call: Invocation) -> Compiled:
    """Return the items of both collections, each once."""
    return union([call.base, call.argument(0)], call.at)


def combine(call: Invocation) -> Compiled:
    """Return the items of both collections, also what is in both."""
    a, b = call.base.nodes, call.argument(0).nodes

    def found(run: Run, this: Value) -> Items:
        items = [*a(run, this), *b(run, this)]
        run.spend(len(items))
        if len(items) > MAX_ITEMS:
            raise PlacedError(f"more than {MAX_ITEMS} items; ask for less", call.at)
        return items

    return Compiled(nodes=found, ordered=call.base.ordered)


def sort(call: Invocation) -> Compiled:
    """Return the items in order of themselves or of keys.

    `-key` or `key desc` turns a key's order round; what has no key comes first in either.
    """
    scope = replace(call.scope, types=call.base.types, bare=False)
    items = call.base.nodes
    keys = [(single(call.compile(tree, scope), call.at), sign) for tree, sign in _keys(call)]

    def found(run: Run, this: Value) -> Items:
        given = list(items(run, this))
        run.spend(len(given) * 20)
        rows = [([key(run, item) for key, _ in keys] or [comparable(item)], item) for item in given]
        signs = [sign for _, sign in keys] or [1]

        def compared(x: tuple[Items, Value], y: tuple[Items, Value]) -> int:
            for a, b, sign in zip(x[0], y[0], signs, strict=True):
                known = _in_order(a, b, sign, call.at)
                if known:
                    return known
            return 0

        return [item for _, item in sorted(rows, key=cmp_to_key(compared))]

    return Compiled(nodes=found, types=call.base.types)


def _keys(call: Invocation) -> list[tuple[Tree, int]]:
    return [
        (tree.operand, -1) if isinstance(tree, Sign) and tree.sign == "-" else (tree, 1)
        for tree in call.arguments
    ]


def _in_order(a: Value, b: Value, sign: int, at: int) -> int:
    if a is None or b is None:
        return int(a is not None) - int(b is not None)
    return (compare_values(a, b, at) or 0) * sign


FUNCTIONS = {
    "single": Function(single_),
    "first": ordered_items(None, 1),
    "last": ordered_items(-1, None),
    "tail": ordered_items(1, None),
    "skip": Function(skip, 1, 1),
    "take": Function(take, 1, 1),
    "intersect": Function(intersect, 1, 1),
    "exclude": Function(exclude, 1, 1),
    "union": Function(union_, 1, 1),
    "combine": Function(combine, 1, 1),
    "sort": Function(sort, 0, None),
}

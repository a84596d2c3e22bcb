"""What a function of FHIRPath is, and the common ways of making one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    Many,
    One,
    Scope,
    exact,
    of_one,
    of_truth,
    single,
)
from ivfhir.expressions.fhirpath.equality import is_number, said
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.values.value import Value

Build = Callable[[Invocation], Compiled]


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        build: compiles a call.
        least: how many arguments at least.
        most: how many at most; None for any number.
    """

    build: Build
    least: int = 0
    most: int | None = 0


def inner_scope(call: Invocation) -> Scope:
    """Return the scope of a criterion: `$this` is each item that the function is called on."""
    base = call.base
    bare = base.raws is not None and exact(base.types, careful=call.scope.careful) is not None
    return replace(call.scope, types=base.types, bare=bare)


def items_of(base: Compiled, scope: Scope) -> Many:
    """Return what gives the items that a criterion of that scope is asked of."""
    return base.raws if scope.bare and base.raws is not None else base.nodes


def of_items(function: Callable[[Run, Items], Items], *, ordered: bool = True) -> Function:
    """Return a function from all items to some of them."""

    def build(call: Invocation) -> Compiled:
        base = call.base
        nodes = base.nodes
        raws = base.raws
        return Compiled(
            nodes=lambda run, this: function(run, nodes(run, this)),
            raws=None if raws is None else lambda run, this: function(run, raws(run, this)),
            types=base.types,
            ordered=ordered and base.ordered,
        )

    return Function(build)


def check_ordered(call: Invocation) -> None:
    """Refuse, in strict mode, to ask for an order where there is none."""
    if call.scope.strict and not call.base.ordered:
        raise PlacedError(
            f"{call.name}() asks for an order, but children() and descendants() have none", call.at
        )


def integer(one: One, name: str, at: int) -> Callable[[Run, Value], int | None]:
    """Return an argument that must be an Integer."""

    def run_one(run: Run, this: Value) -> int | None:
        value = one(run, this)
        if value is not None and value.__class__ is not int:
            raise PlacedError(f"{name}() takes an Integer, not a {said(value)}", at)
        return value

    return run_one


Check = Callable[[Value], bool]
CHECKS: dict[str, tuple[Check, str]] = {
    "text": (lambda value: value.__class__ is str, "a String"),
    "integer": (lambda value: value.__class__ is int, "an Integer"),
    "number": (is_number, "a number"),
    "any": (lambda value: True, "a value"),
}


def simple(
    function: Callable[..., Value],
    of: str,
    *arguments: str,
    optional: int = 0,
    gives: str | None = None,
) -> Function:
    """Return a function of one value and of values; nothing of nothing.

    Args:
        function: from the value and its arguments to a value or None.
        of: what the value must be: text, integer, number, any.
        arguments: the same of each argument.
        optional: how many of the last arguments may be left out.
        gives: the System type of the result, where it has but one.
    """

    def build(call: Invocation) -> Compiled:
        one = checked(single(call.base, call.at), of, call.name, call.at)
        rest = [
            checked(call.one(number), arguments[number], call.name, call.at)
            for number in range(len(call.arguments))
        ]

        def run_one(run: Run, this: Value) -> Value:
            value = one(run, this)
            if value is None:
                return None
            given = [each(run, this) for each in rest]
            if None in given:
                return None
            try:
                run.made(value)  # a long text costs as much to read as to make
                return run.made(function(value, *given))
            except PlacedError as error:
                raise PlacedError(error.message, call.at) from None

        if gives == "Boolean":
            return of_truth(run_one)
        made = of_one(run_one, SYSTEM[gives] if gives else None)
        return replace(made, values=made.nodes, one=run_one)

    most = len(arguments)
    return Function(build, most - optional, most)


def checked(one: One, kind: str, name: str, at: int) -> One:
    """Return a value that must be of a kind."""
    if kind == "any":
        return one
    holds, words = CHECKS[kind]

    def run_one(run: Run, this: Value) -> Value:
        value = one(run, this)
        if value is not None and not holds(value):
            raise PlacedError(f"{name}() takes {words}, not a {said(value)}; convert it first", at)
        return value

    return run_one

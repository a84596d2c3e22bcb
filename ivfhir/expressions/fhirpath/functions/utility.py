"""Trace, clock and the choice of what is there (https://hl7.org/fhirpath/N1/#utility-functions)."""

from collections.abc import Callable
from dataclasses import replace

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation, Many, of_one
from ivfhir.expressions.fhirpath.functions.function import Function
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.values import Date, DateTime, Time
from ivfhir.expressions.values.dates import DAY
from ivfhir.expressions.values.value import Value


def trace(call: Invocation) -> Compiled:
    """Return the items, and tell them, or what a projection gives for them, under a name."""
    base = call.base
    name = call.one(0)
    project: Many | None = None
    if len(call.arguments) > 1:
        scope = replace(call.scope, types=base.types, bare=False)
        project = call.compile(call.arguments[1], scope).nodes

    def found(run: Run, this: Value) -> Items:
        items = base.nodes(run, this)
        told = items if project is None else [one for item in items for one in project(run, item)]
        run.services.trace(str(name(run, this)), told)
        return items

    return Compiled(nodes=found, types=base.types, ordered=base.ordered)


def clock(read: Callable[[DateTime], Value], gives: str) -> Function:
    """Return a function that reads the moment of the evaluation."""

    def build(call: Invocation) -> Compiled:
        def one(run: Run, this: Value) -> Value:
            if run.now is None:
                raise PlacedError(f"{call.name}() needs a moment, and none was given", call.at)
            return read(run.now)

        return of_one(one, SYSTEM[gives])

    return Function(build)


def coalesce(call: Invocation) -> Compiled:
    """Return the first argument that gives anything."""
    parts = [call.argument(number).nodes for number in range(len(call.arguments))]

    def found(run: Run, this: Value) -> Items:
        for part in parts:
            items = part(run, this)
            if items:
                return items
        return []

    return Compiled(nodes=found)


FUNCTIONS = {
    "trace": Function(trace, 1, 2),
    "now": clock(lambda now: now, "DateTime"),
    "today": clock(lambda now: Date(now.parts[:DAY]), "Date"),
    "timeOfDay": clock(lambda now: Time(now.parts[DAY:]), "Time"),
    "coalesce": Function(coalesce, 1, None),
}

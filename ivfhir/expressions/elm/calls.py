"""Expressions that are a function of their operands, as a closure and as Python text alike."""

from collections.abc import Callable

from ivfhir.expressions.elm.fusion import Fusion, applied
from ivfhir.expressions.elm.scope import UNSET, Compiled, Emit, Frame, Run
from ivfhir.expressions.elm.types import ElmType
from ivfhir.expressions.values.value import Value

Function = Callable[..., Value]


def strict(
    function: Function, type_: ElmType, *parts: Compiled, truth: Emit | None = None
) -> Compiled:
    """Return a function of values that is null when any of them is null."""
    run = strict_run(function, parts)
    return Compiled(run, type_, emit=applied(function, *parts), truth=truth)


def strict_run(function: Function, parts: tuple[Compiled, ...]) -> Run:
    """Return the closure of `strict`."""
    match parts:
        case (part,):
            return one(function, part.run)
        case (first, second) if second.constant not in (UNSET, None):
            return with_constant(function, first.run, second.constant)
        case (first, second):
            return two(function, first.run, second.run)
    runs = [part.run for part in parts]

    def run(f: Frame) -> Value:
        values = [part(f) for part in runs]
        return None if any(value is None for value in values) else function(*values)

    return run


def one(function: Function, part: Run) -> Run:
    """Return a function of one value, null for null."""

    def run(f: Frame) -> Value:
        value = part(f)
        return None if value is None else function(value)

    return run


def with_constant(function: Function, part: Run, constant: Value) -> Run:
    """Return a function of a value and a constant, null when the value is null."""

    def run(f: Frame) -> Value:
        value = part(f)
        return None if value is None else function(value, constant)

    return run


def two(function: Function, left: Run, right: Run) -> Run:
    """Return a function of two values, null when either is null."""

    def run(f: Frame) -> Value:
        a = left(f)
        if a is None:
            return None
        b = right(f)
        return None if b is None else function(a, b)

    return run


def lenient(function: Function, type_: ElmType, *parts: Compiled) -> Compiled:
    """Return a function of values that may be null."""
    runs = [part.run for part in parts]

    def emit(m: Fusion) -> str:
        return f"{m.name(function)}({', '.join(map(m.value, parts))})"

    return Compiled(lambda f: function(*[run(f) for run in runs]), type_, emit=emit)


def of_memory(function: Function, type_: ElmType, *parts: Compiled) -> Compiled:
    """Return a function of the session's memory and values that may be null."""
    runs = [part.run for part in parts]

    def emit(m: Fusion) -> str:
        return f"{m.name(function)}({', '.join([m.memory, *map(m.value, parts)])})"

    return Compiled(lambda f: function(f[0], *[run(f) for run in runs]), type_, emit=emit)

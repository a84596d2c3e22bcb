"""Dates, times and ages."""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import Function, of_all, of_memory, strict, strict_words
from ivfhir.expressions.elm.code import CLOCK, Expression, Memory, Writer, constant
from ivfhir.expressions.operators import dates
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Date, DateTime
from ivfhir.expressions.values.dates import HOUR, PRECISIONS, YEAR, Partial
from ivfhir.expressions.values.value import Value

Count = Callable[[Partial, Partial, str], Value]


def duration(a: Expression, b: Expression, precision: str) -> Expression:
    """Return `duration in P between`: whole periods."""
    return between(dates.duration_between, a, b, precision)


def difference(a: Expression, b: Expression, precision: str) -> Expression:
    """Return `difference in P between`: boundaries crossed."""
    return between(dates.difference_between, a, b, precision)


def between(count: Count, a: Expression, b: Expression, precision: str) -> Expression:
    """Return what counts periods or boundaries between two dates."""
    if precision == "Day" and a.type == b.type == t.DATE:
        return strict(dates.days_between, t.INTEGER, a, b)
    return strict(count, t.INTEGER, a, b, constant(precision, t.STRING))


def component(operand: Expression, precision: str) -> Expression:
    """Return `P from date`."""
    index = PRECISIONS[precision] - (HOUR if operand.type == t.TIME else YEAR)
    if index < 0:
        return strict(lambda _: None, t.INTEGER, operand)

    def words(m: Writer, v: list[str]) -> str:
        p = m.temporary()
        return f"({p}[{index}] if len({p} := {v[0]}.parts) > {index} else None)"

    return strict_words(words, t.INTEGER, operand)


def date_from(operand: Expression) -> Expression:
    """Return `date from`."""
    if operand.type == t.DATE_TIME:
        return strict_words(lambda _, v: f"{v[0]}.date()", t.DATE, operand, shape=of_all(operand))
    return strict(dates.date_from, t.DATE, operand)


def now() -> Expression:
    """Return `Now()`: the instant the evaluation was asked for."""
    return of_instant("Now", lambda moment: moment, t.DATE_TIME)


def today() -> Expression:
    """Return `Today()`."""
    return of_instant("Today", DateTime.date, t.DATE)


def time_of_day() -> Expression:
    """Return `TimeOfDay()`."""
    return of_instant("TimeOfDay", dates.time_from, t.TIME)


def of_instant(name: str, function: Function, type_: t.ElmType) -> Expression:
    """Return a function of the instant the evaluation was asked for."""

    def asked(memory: Memory) -> Value:
        moment = memory[CLOCK]
        if moment is None:
            raise CqlError(f"{name}: the evaluation has no instant (give AsOf)")
        return function(moment)

    return of_memory(asked, type_)


def age(birth: Expression, precision: str) -> Expression:
    """Return the age now."""
    return of_memory(age_now, t.INTEGER, birth, constant(precision, t.STRING))


def age_now(memory: Memory, birth: Value, precision: str) -> Value:
    """Return how long ago a birth was; None without an instant."""
    moment = memory[CLOCK]
    if birth is None or moment is None:
        return None
    at = moment.date() if isinstance(birth, Date) else moment
    return dates.duration_between(birth, at, precision)

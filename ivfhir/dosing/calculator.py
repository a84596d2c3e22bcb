"""A calculation by name: what it takes as `key=value`, and what it gives as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from ivfhir.dosing.keys import Given, Key, read_inputs
from ivfhir.fhir.types import Json

_DIGITS = Context(prec=12)
"""What is printed of a result: more digits than any input has, none of a division without end."""


@dataclass(frozen=True)
class Outcome:
    """What a calculation gives.

    Attributes:
        result: a number, a word, a list, or an object of these.
        unit: UCUM code of a number; for an object those of its members that have one.
        rounded: the dose as it is drawn up; None where the result is no dose.
        notes: what else to know.
    """

    result: Any
    unit: Json
    rounded: Decimal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calculator:
    """A calculation.

    Attributes:
        name: as `ivfhir calc` takes it.
        title: what it is.
        source: its id in the specification, and where the formula comes from.
        keys: its inputs.
        compute: makes the outcome of their values.
    """

    name: str
    title: str
    source: str
    keys: tuple[Key, ...]
    compute: Callable[[Given], Outcome]

    def run(self, pairs: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer as `{name, result, unit, rounded?, inputs, source, notes}`.

        Args:
            pairs: key -> text.

        Raises:
            ParameterError: an input is unknown, missing, without unit or implausible; it names the
                key.
        """
        given = read_inputs(self.name, self.keys, pairs)
        outcome = self.compute(given)
        answer: dict[str, Any] = {
            "name": self.name,
            "result": shown(outcome.result),
            "unit": outcome.unit,
        }
        if outcome.rounded is not None:
            answer["rounded"] = shown(outcome.rounded)
        answer["inputs"] = given.shown
        answer["source"] = self.source
        answer["notes"] = list(outcome.notes)
        return answer


def shown(value: Any) -> Any:  # noqa: ANN401 - what an outcome holds
    """Return a result as JSON: numbers to twelve digits at most, without zeros at their end."""
    if isinstance(value, Decimal):
        return Decimal(format(_DIGITS.normalize(_DIGITS.plus(value)), "f"))
    if isinstance(value, dict):
        return {name: shown(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [shown(member) for member in value]
    return value


def four_digits(number: Decimal) -> str:
    """Return a number to four digits, for a sentence."""
    return format(Context(prec=4).plus(number), "f")


def by_sex(found: Mapping[str, Decimal], unit: str, notes: Sequence[str] = ()) -> Outcome:
    """Return one number, or both where the sex does not say which formula is meant."""
    if len(found) == 1:
        return Outcome(next(iter(found.values())), unit, notes=tuple(notes))
    said = "The sex is neither male nor female: both formulas are given."
    return Outcome(dict(found), unit, notes=(said, *notes))

"""What is known of a patient for a dose: values with their days and references, or nothing.

A value may be an interval, as a fact of the record is: a test holds only where all of it agrees.
A value that is too old (E-06), implausible (E-08) or dated later than the evaluation counts as
missing, and the refusal says which of these it is.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import BOUNDS, check
from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules


@dataclass(frozen=True)
class Input:
    """One value.

    Attributes:
        value: a number, a yes or no, or a word; of an interval its lower end.
        high: the upper end of an interval; None where the value is exact.
        date: the day it was measured or stated; None where it has none.
        reference: the resource that holds it; None where it is none of the record.
    """

    value: Decimal | bool | str
    high: Decimal | None = None
    date: datetime.date | None = None
    reference: str | None = None


FEMALE_AGES = range(12, 56)
"""Ages at which a patient who is not male may be pregnant (X-PREG)."""


@dataclass(frozen=True)
class Used:
    """A value that a dose or a refusal rests on, as it is shown."""

    name: str
    value: Decimal | bool | str
    high: Decimal | None
    unit: str
    date: datetime.date | None
    reference: str | None

    @property
    def said(self) -> str:
        """The value with its unit, as people read it: `68 kg`, `5 to 6`, `yes`."""
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        value = str(self.value) if self.high is None else f"{self.value} to {self.high}"
        return value if self.unit in ("", "1") else f"{value} {self.unit}"


@dataclass(frozen=True)
class Lack:
    """Why an input cannot be used."""

    name: str
    sentence: str


class Inputs:
    """The inputs of one patient on one day.

    Args:
        given: name of an input of `dosing_rules` -> what is known; absent or None where nothing is.
        as_of: the day of the evaluation.
    """

    def __init__(self, given: Mapping[str, Input | None], *, as_of: datetime.date) -> None:
        """Keep what is known; a name that means nothing here is a mistake of the caller.

        Raises:
            ParameterError: a name is unknown.
        """
        self._known = dosing_rules().inputs
        unknown = sorted(set(given) - set(self._known))
        if unknown:
            names = ", ".join(self._known)
            raise ParameterError(f"There is no input {', '.join(unknown)}; there is {names}.")
        self.as_of = as_of
        self._given = {name: each for name, each in given.items() if each is not None}

    def find(self, name: str) -> Input | Lack:
        """Return an input that counts, or why there is none."""
        found, known = self._given.get(name), self._known[name]
        if found is None:
            return Lack(name, f"{known.words} is not known; obtain it.")
        if found.date is not None and found.date > self.as_of:
            return Lack(name, f"{known.words} is of {found.date}, after the evaluation.")
        if known.window_days is not None:
            if found.date is None:
                return Lack(name, f"{known.words} has no date; obtain it again.")
            age = (self.as_of - found.date).days
            if age > known.window_days:
                return Lack(
                    name,
                    f"{known.words} is {age} days old, more than {known.window_days}; obtain it "
                    "again.",
                )
        return _implausible(name, known.words, found) or found

    def exact(self, name: str) -> Decimal | Lack:
        """Return a number that is known exactly, or why there is none."""
        ends = self.ends(name)
        if isinstance(ends, Lack):
            return ends
        low, high = ends
        if low != high:
            return Lack(
                name, f"{self._known[name].words} is only known to lie between {low} and {high}."
            )
        return low

    def ends(self, name: str) -> tuple[Decimal, Decimal] | Lack:
        """Return the ends of a number, the same where it is exact, or why there is none."""
        found = self.find(name)
        if isinstance(found, Lack):
            return found
        if not isinstance(found.value, Decimal):
            return Lack(name, f"{self._known[name].words} is no number; obtain it.")
        return found.value, found.value if found.high is None else found.high

    def flag(self, name: str) -> bool | Lack:
        """Return a yes or no, or why there is none."""
        if name == "pregnant" and self._cannot_be_pregnant():
            return False
        found = self.find(name)
        if isinstance(found, Lack):
            return found
        if not isinstance(found.value, bool):
            return Lack(name, f"{self._known[name].words} is neither yes nor no; obtain it.")
        return found.value

    def word(self, name: str) -> str | Lack:
        """Return a word, or why there is none."""
        found = self.find(name)
        if isinstance(found, Lack):
            return found
        return str(found.value)

    def used(self, *names: str) -> tuple[Used, ...]:
        """Return the inputs of those names that are known, to be shown beside a result."""
        shown = [(name, self._given[name]) for name in names if name in self._given]
        return tuple(
            Used(name, each.value, each.high, unit_of(name), each.date, each.reference)
            for name, each in shown
        )

    def _cannot_be_pregnant(self) -> bool:
        """Whether sex or age rule a pregnancy out (X-PREG)."""
        if self.word("sex") == "male":
            return True
        ages = self.ends("age_years")
        if isinstance(ages, Lack):
            return False
        return ages[1] < FEMALE_AGES.start or ages[0] >= FEMALE_AGES.stop


def _implausible(name: str, words: str, found: Input) -> Lack | None:
    if name not in BOUNDS:
        return None
    try:
        for end in (found.value, found.high):
            if isinstance(end, Decimal):
                check(name, end)
    except ParameterError:
        return Lack(name, f"{words} is {found.value}, which cannot be meant.")
    return None


def unit_of(name: str) -> str:
    """Return the UCUM code of an input's unit; '' where it has none."""
    if name in BOUNDS:
        return BOUNDS[name].unit
    return "mg/m2" if name.endswith("_mg_m2") else ""

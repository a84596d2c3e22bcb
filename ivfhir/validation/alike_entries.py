"""Resources of Bundles that are right or wrong together: they differ in names and dates alone.

Plans of a protocol are alike but for their patients, their identifiers and their days. What is
asked of a resource depends on none of these words themselves: of a reference its form and the type
of what it names count, of dates their form and their order. So each of these is given a number, by
its first place or by its order, and what is the same then was asked before. A resource that
contains others is asked each time, and so is one whose rules follow references.
"""

import re
from collections.abc import Hashable
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from ivfhir.fhir.json import Written
from ivfhir.fhir.targets import Targets
from ivfhir.fhir.types import Resource
from ivfhir.validation.alike import INDEX, slots_in
from ivfhir.validation.issue import Place
from ivfhir.validation.primitive import primitive_problem
from ivfhir.validation.references import is_right_for_all
from ivfhir.validation.rules import rules_for
from ivfhir.validation.structure import resource_definition, resource_slot

_HOLDERS = frozenset({"Bundle", "Parameters"})
_FOLLOWING = "resolve("
_DIGIT = re.compile(r"\d")


class _Words(NamedTuple):
    """Where words stand that differ: in a line of JSON, or as Python writes the same.

    Attributes:
        reference: a Reference.
        identifier: an identifier with the address of its system.
        digest: that of a resource, in a tag; no code system has codes like it.
        date: a date, or a dateTime or instant of UTC.
    """

    reference: re.Pattern[str]
    identifier: re.Pattern[str]
    digest: re.Pattern[str]
    date: re.Pattern[str]

    @classmethod
    def between(cls, quote: str) -> "_Words":
        """Return them where texts stand between such quotes."""
        forms = (
            r"'reference': '([^'\\]*)'",
            r"('system': 'https?:[^'\\]*', 'value': )'([\w.:-]{1,256})'",
            r"('code': )'([0-9a-f]{64})'",
            r"'(\d{4}-\d\d-\d\d)(T[^'\\]*(?:Z|\+00:00))?'",
        )
        return cls(*(re.compile(form.replace("'", quote)) for form in forms))


_OF_PYTHON, _OF_JSON = map(_Words.between, "'\"")


def key_of_entry(raw: Resource, place: Place, targets: Targets) -> Hashable | None:
    """Return what resources share that are right or wrong together.

    Args:
        raw: a resource in a Bundle, parsed JSON.
        place: where it stands.
        targets: what references of the input name.

    Returns:
        None where the answer may depend on more than the resource.
    """
    definition = resource_definition(raw)
    if definition is None or "contained" in raw or not _is_alone(definition.name):
        return None
    text, words = (raw.line, _OF_JSON) if isinstance(raw, Written) else (repr(raw), _OF_PYTHON)
    references = dict.fromkeys(words.reference.findall(text))
    named = []
    for each in references:
        if not is_right_for_all(each, targets):
            return None
        named.append(targets.type_of(each, raw))
    numbers = {each: f"<{number}>" for number, each in enumerate(references)}
    text = words.reference.sub(lambda match: numbers[match[1]], text)
    text = _renamed(_renamed(text, words.identifier), words.digest)
    text = _with_ordered_dates(text, words.date)
    said = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return words, INDEX.sub("", place.expression), tuple(named), said


def _renamed(text: str, pattern: re.Pattern[str]) -> str:
    """Return a text with a number in place of each word, in the order of their first places.

    It stands in brackets, as no value of JSON does.
    """
    numbers: dict[str, int] = {}
    return pattern.sub(
        lambda match: f"{match[1]}<{numbers.setdefault(match[2], len(numbers))}>", text
    )


def _with_ordered_dates(text: str, dates: re.Pattern[str]) -> str:
    """Return a text with the rank of each date in its place, where their order is known by that.

    That is where all are of UTC and of one precision, but for those that are a day alone.
    """
    found = {match[0]: match.groups() for match in dates.finditer(text)}
    times = {time for _, time in found.values() if time}
    if len({_DIGIT.sub("0", time) for time in times}) > 1 or not all(map(_is_right, found)):
        return text
    days = {day: rank for rank, day in enumerate(sorted({day for day, _ in found.values()}))}
    ranks = {time: rank for rank, time in enumerate(sorted(times))}
    form = next((_DIGIT.sub("0", time) for time in times), "")
    ranked = {
        date: f"<{days[day]}T{ranks[time]} {form}>" if time else f"<{days[day]}>"
        for date, (day, time) in found.items()
    }
    return dates.sub(lambda match: ranked[match[0]], text)


def _is_right(quoted: str) -> bool:
    date = quoted[1:-1]
    return primitive_problem(date, "dateTime" if "T" in date else "date") is None


@cache
def _is_alone(type_name: str) -> bool:
    """Return whether nothing that is asked of a resource follows its references."""
    if type_name in _HOLDERS:
        return False
    every = slots_in(resource_slot(type_name))
    rules = (rule.rule.expression for each in every for rule in rules_for(each))
    return not any(_FOLLOWING in rule for rule in rules)

"""The table of regimens: what each would give, what speaks against it, and what was chosen."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.regimens import load_regimens
from ivfhir.prescribe import CONFIRMED, REGIMEN, is_of_regimen
from ivfhir.wording import dates, words
from smart_app.pages.sources import read_sources
from smart_app.visit.regimens import confirmed_in

TICK = "confirmed-"
"""What the name of a statement's box begins with: each has its own, a form says nothing twice."""

_LONGEST = 20
NOTHING: Mapping[str, str] = MappingProxyType({})
_NAME = re.compile(r"\b(?:dose_\w+|auc|pump_\w+)\b")


@dataclass(frozen=True)
class RegimenRow:
    """A regimen; `choose` tells what is to be chosen, `asks` what is to be confirmed.

    `refused` tells why the regimen that was chosen gives no dose; '' else.
    """

    id: str
    title: str
    purpose: str
    chosen: bool
    excluded: bool
    arterial: tuple[Mapping[str, str], ...]
    vein: tuple[Mapping[str, str], ...]
    intensity: tuple[Mapping[str, str], ...]
    against: tuple[str, ...]
    choose: str
    asks: tuple[str, ...]
    refused: str
    says: str
    strength: str


@dataclass(frozen=True)
class Box:
    """A box of the form: a dose to choose, or a statement to tick."""

    name: str
    label: str
    hint: str
    value: str
    error: str = ""


@dataclass(frozen=True)
class Numbers:
    """How the doses of one drug came about; `used`: what of, when, the page of its entry."""

    drug: str
    amounts: tuple[str, ...]
    steps: tuple[str, ...]
    used: tuple[tuple[str, str, str | None], ...]
    notes: tuple[str, ...]
    check: bool


@dataclass(frozen=True)
class RegimenTable:
    """View model of the section."""

    rows: tuple[RegimenRow, ...]
    doses: tuple[Box, ...]
    statements: tuple[Box, ...]
    numbers: tuple[Numbers, ...]
    notes: tuple[str, ...]
    reviewed: str
    chosen: str
    given: bool
    error: str


def regimen_table(
    offers: Sequence[Mapping[str, Any]],
    values: Mapping[str, str],
    link: Callable[[str], str],
    *,
    error: str = "",
    about: Mapping[str, str] = NOTHING,
) -> RegimenTable | None:
    """Return the table; None where no regimen serves the plan.

    Args:
        offers: what each regimen that serves the plan would give.
        values: the settings, as they were given.
        link: address of our page for a `Type/id`.
        error: why the regimen that was chosen gives no dose; '' where it gives one, or none is.
        about: what of it is about which dose: name of the box -> sentences.
    """
    if not offers:
        return None
    chosen = values.get(REGIMEN, "")
    of_chosen = next((each for each in offers if each["id"] == chosen), None)
    given = of_chosen is not None and not error
    labels = {each["name"]: each["label"] for offer in offers for each in offer["fields"]}
    reviews = {(each["reviewed"], each["reviewedBy"]) for each in offers}
    refused = without_names(error, labels)
    return RegimenTable(
        rows=tuple(_row(each, values, labels, refused=refused) for each in offers),
        doses=tuple(_dose_boxes(offers, values, about)),
        statements=tuple(_statement_boxes(offers, values)),
        numbers=tuple(_numbers(each, link) for each in of_chosen["numbers"])
        if given and of_chosen
        else (),
        notes=tuple(of_chosen["notes"]) if given and of_chosen else (),
        reviewed="; ".join(
            f"{dates.day(dates.parse_day(day))}, {who}" for day, who in sorted(reviews)
        ),
        chosen=chosen,
        given=given,
        error=refused,
    )


def regimen_values(form: Mapping[str, str]) -> dict[str, str]:
    """Return what a form chooses: the regimen, its doses, and what is confirmed; '' is left out."""
    values = {
        name: text.strip()
        for name, text in form.items()
        if (name == REGIMEN or is_of_regimen(name)) and name != CONFIRMED
    }
    ticked = [each for each in dosing_rules().statements if form.get(f"{TICK}{each}")]
    values[CONFIRMED] = ",".join(ticked)
    return {
        name: text[:_LONGEST] if name != CONFIRMED else text
        for name, text in values.items()
        if text
    }


def without_names(text: str, labels: Mapping[str, str] = NOTHING) -> str:
    """Return a sentence of the doses without names of the command line and ids of rules.

    Args:
        text: the sentence.
        labels: name of a box -> its label.
    """
    for rule in _course_rules():
        text = text.replace(f" ({rule})", "")
    return _NAME.sub(lambda found: f"“{labels.get(found[0], found[0])}”", text)


@cache
def _course_rules() -> frozenset[str]:
    """Return the rules that a hard stop names: those of the highest dose of a course."""
    drugs = (drug for regimen in load_regimens().values() for drug in regimen.drugs)
    return frozenset(drug.course_rule for drug in drugs if drug.course_rule)


def _to_choose(
    offer: Mapping[str, Any], values: Mapping[str, str], labels: Mapping[str, str]
) -> str:
    """Return what is left to choose, or what was chosen wrongly."""
    left = [each["label"] for each in offer["fields"] if not values.get(each["name"])]
    needed = [label for label in left if not offer["alternatives"]]
    if offer["choose"] and needed:
        return f"{words.join(needed)}, below."
    return without_names(offer["choose"], labels)


def _row(
    offer: Mapping[str, Any],
    values: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    refused: str,
) -> RegimenRow:
    chosen = values.get(REGIMEN, "")
    return RegimenRow(
        id=offer["id"],
        title=offer["title"],
        purpose=offer["purpose"],
        chosen=offer["id"] == chosen,
        excluded=offer["excluded"],
        arterial=tuple(offer["arterial"]),
        vein=tuple(offer["vein"]),
        intensity=tuple(offer["intensity"]),
        against=tuple(offer["against"]),
        choose=_to_choose(offer, values, labels),
        asks=tuple(offer["confirm"].values()),
        refused=refused if offer["id"] == chosen else "",
        says=offer["says"],
        strength=", ".join(_strengths(offer["sources"])).lower(),
    )


def _dose_boxes(
    offers: Iterable[Mapping[str, Any]], values: Mapping[str, str], about: Mapping[str, str]
) -> Iterable[Box]:
    """Yield one box a parameter; its hint names each regimen that takes it."""
    labels: dict[str, str] = {}
    hints: dict[str, list[str]] = {}
    for offer in offers:
        for each in offer["fields"]:
            labels.setdefault(each["name"], each["label"])
            hints.setdefault(each["name"], []).append(f"{offer['id']}: {each['hint']}")
    for name, label in labels.items():
        hint = "; ".join(hints[name])
        told = without_names(about.get(name, ""), labels)
        yield Box(name, label, hint, values.get(name, ""), told)


def _statement_boxes(
    offers: Iterable[Mapping[str, Any]], values: Mapping[str, str]
) -> Iterable[Box]:
    ticked = confirmed_in(values)
    asked: dict[str, list[str]] = {}
    for offer in offers:
        for each in offer["confirm"]:
            asked.setdefault(each, []).append(offer["id"])
    for name, said in dosing_rules().statements.items():
        if name in asked or name in ticked:
            hint = ", ".join(asked.get(name, ()))
            yield Box(f"{TICK}{name}", said, hint, "yes" if name in ticked else "")


def _called(name: str) -> str:
    known = dosing_rules().inputs.get(name)
    return known.words if known else name


def _strengths(sources: Iterable[str]) -> list[str]:
    """Return what the marks of doses and intervals say, each once."""
    found = (each.strength for source in sources for each in read_sources(source))
    return list(dict.fromkeys(each for each in found if each))


def _numbers(each: Mapping[str, Any], link: Callable[[str], str]) -> Numbers:
    return Numbers(
        drug=each["drug"],
        amounts=tuple(each["amounts"]),
        steps=tuple(each["steps"]),
        used=tuple(
            (
                f"{_called(one['name'])} {one['value']}",
                dates.day(dates.parse_day(one["date"])) if one["date"] else "",
                link(one["reference"]) if "/" in one["reference"] else None,
            )
            for one in each["used"]
        ),
        notes=tuple(each["notes"]),
        check=each["check"],
    )

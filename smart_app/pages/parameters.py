"""The protocol's parameters as fields of a form.

Names, labels, hints, defaults and bounds are those of the protocol's Questionnaire; the bounds are
enforced by the protocol's CQL alone, and what it says stands at the field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from ivfhir.knowledge.parameters import ProtocolChoice, ProtocolParameter
from ivfhir.wording.dates import day
from ivfhir.wording.sentences import decapitalise
from ivfhir.wording.statuses import STATUS

_NAMED = re.compile(r" \(([A-Za-z_]+)\)")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LEAD_DAYS = 7
ELIGIBLE = "eligible"
_SATURDAY = 5


@dataclass(frozen=True)
class Field:
    """One field of the form.

    Attributes:
        name: the parameter's name.
        label: its name in words.
        hint: what is allowed.
        value: what stands in it, as text.
        default: the protocol's default, as text.
        choices: the values to pick from; empty for a text field.
        fixed: the protocol allows no other value.
        main: it stands in sight; the others are folded.
        error: what is wrong with the value, '' when nothing is.
        labels: what a choice is called, where that is not itself.
    """

    name: str
    label: str
    hint: str
    value: str
    default: str
    choices: tuple[str, ...]
    fixed: bool
    main: bool
    error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The values to pick from, each with its words."""
        return tuple((choice, self.labels.get(choice, choice)) for choice in self.choices)


@dataclass(frozen=True)
class StartField:
    """The start date, in three boxes; `earliest`: the first day that is allowed, in words."""

    day: str
    month: str
    year: str
    earliest: str
    error: str = ""

    @property
    def iso(self) -> str | None:
        """The date as `YYYY-MM-DD`; None when the boxes hold no date."""
        try:
            return date(int(self.year), int(self.month), int(self.day)).isoformat()
        except (ValueError, OverflowError):
            return None


def read_fields(
    parameters: Sequence[ProtocolParameter],
    values: Mapping[str, str],
    errors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Field, ...]:
    """Return the fields of a protocol's parameters.

    Args:
        parameters: as its Questionnaire says them.
        values: what was given, by name; a parameter that is not in it stands at its default.
        errors: what is wrong, by name.
    """
    return tuple(
        Field(
            name=each.name,
            label=each.label,
            hint="fixed" if each.fixed else _hint(each),
            value=values.get(each.name, str(each.default)),
            default=str(each.default),
            choices=tuple(map(str, each.choices)),
            fixed=each.fixed,
            main=not each.folded,
            error=errors.get(each.name, ""),
        )
        for each in parameters
    )


def read_choices(
    choices: Sequence[ProtocolChoice],
    values: Mapping[str, str],
    errors: Mapping[str, str],
    statuses: Mapping[tuple[str, str], str],
) -> tuple[Field, ...]:
    """Return the fields of what is chosen by its words: a mode, a site, a base.

    What alone fits is chosen; else nothing is.

    Args:
        choices: as the protocol's Questionnaire says them.
        values: what was given, by name.
        errors: what is wrong, by name.
        statuses: name and value of each option -> its status for this patient.
    """
    fields = []
    for each in choices:
        fitting = [value for value in each.options if statuses.get((each.name, value)) == ELIGIBLE]
        fields.append(
            Field(
                name=each.name,
                label=each.label,
                hint=each.hint,
                value=values.get(each.name, fitting[0] if len(fitting) == 1 else ""),
                default="",
                choices=tuple(each.options),
                fixed=False,
                main=True,
                error=errors.get(each.name, ""),
                labels={
                    value: _with_status(text, statuses.get((each.name, value)))
                    for value, text in each.options.items()
                },
            )
        )
    return tuple(fields)


def _with_status(text: str, status: str | None) -> str:
    if status in (None, ELIGIBLE):
        return text
    return f"{text}: {decapitalise(STATUS[str(status)])}"


def _hint(parameter: ProtocolParameter) -> str:
    """Return `28 to 35. Other values are refused.`: what is allowed, and the protocol's remark."""
    allowed = f"{parameter.low} to {parameter.high}"
    return f"{allowed}. {parameter.hint}" if parameter.hint else allowed


def given_values(form: Mapping[str, str], fields: tuple[Field, ...]) -> dict[str, str]:
    """Return what a form gives beside the defaults; a box that was emptied gives ''."""
    return {
        field.name: form[field.name].strip()
        for field in fields
        if not field.fixed and form.get(field.name, field.default).strip() != field.default
    }


def not_numbers(values: Mapping[str, str], fields: tuple[Field, ...]) -> dict[str, str]:
    """Return a sentence for every value that is no whole number, by the parameter's name."""
    by_name = {field.name: field for field in fields if not field.labels}
    return {
        name: f"{by_name[name].label} must be a whole number; you gave {value[:20]}."
        if value
        else f"{by_name[name].label} is empty; the protocol's default is {by_name[name].default}."
        for name, value in values.items()
        if name in by_name and not re.fullmatch(r"-?\d{1,6}", value, re.ASCII)
    }


def errors_by_field(message: str) -> dict[str, str]:
    """Return the sentences of a refusal by the name of the parameter that each puts in brackets.

    `Days between segments (segment_interval_days) must be 28 to 35; you gave 21.` becomes
    `{"segment_interval_days": "Days between segments must be 28 to 35; you gave 21."}`. A sentence
    that names none stands under ''.
    """
    errors: dict[str, str] = {}
    for sentence in re.split(r"(?<=\.)\s+", message.strip()):
        named = _NAMED.search(sentence)
        name = named.group(1) if named else ""
        text = _ISO_DAY.sub(lambda found: day(found[0]), _NAMED.sub("", sentence, count=1))
        errors[name] = f"{errors[name]} {text}" if name in errors else text
    return errors


def read_start(form: Mapping[str, str], *, earliest: date, error: str = "") -> StartField:
    """Return the start date's three boxes as they were sent."""
    boxes = [form.get(f"start-{part}", "").strip() for part in ("day", "month", "year")]
    return StartField(boxes[0], boxes[1], boxes[2], day(earliest), error)


def start_field(start: date, *, earliest: date) -> StartField:
    """Return the three boxes of a date."""
    return StartField(str(start.day), str(start.month), str(start.year), day(earliest))


def proposed_start(as_of: date) -> date:
    """Return the first working day (Monday to Friday) at least seven days after `as_of`."""
    start = as_of + timedelta(days=_LEAD_DAYS)
    while start.weekday() >= _SATURDAY:
        start += timedelta(days=1)
    return start

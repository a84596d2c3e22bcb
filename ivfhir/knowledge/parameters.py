"""A protocol's parameters, as its Questionnaire says them: label, hint, default and bounds.

The Questionnaire is plain R4 (http://hl7.org/fhir/R4/questionnaire.html): an item of type integer a
parameter, `linkId` its name. The bounds are enforced by the protocol's CQL, not here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivfhir.errors import KnowledgeError
from ivfhir.fhir.types import Resource

LOWEST, HIGHEST = "_lowest", "_highest"
"""What follows a parameter's name in the names of the CQL parameters that are its bounds."""

_CORE = "http://hl7.org/fhir/StructureDefinition"


@dataclass(frozen=True)
class ProtocolParameter:
    """A whole number that the clinician chooses.

    Attributes:
        name: as `--param` takes it.
        label: its name in words.
        hint: what else to know of it; '' when nothing.
        default: the value that holds when none is given.
        low: the lowest value that is allowed.
        high: the highest; the same as `low` where the value is fixed.
        choices: the values to choose from; empty where each between low and high is allowed.
        unit: of the value, in words; '' where it has none.
        folded: whether a form shows it only on demand.
    """

    name: str
    label: str
    hint: str
    default: int
    low: int
    high: int
    choices: tuple[int, ...]
    unit: str
    folded: bool

    @property
    def fixed(self) -> bool:
        """Whether the default is the only value."""
        return self.low == self.high


@dataclass(frozen=True)
class ProtocolChoice:
    """One of several words that the clinician chooses: a mode, a site, a base. It has no default.

    Attributes:
        name: as `--param` takes it.
        label: its name in words.
        hint: what else to know of it; '' when nothing.
        options: the words to choose from -> what each is called.
    """

    name: str
    label: str
    hint: str
    options: Mapping[str, str]


def is_bound(name: str) -> bool:
    """Whether a CQL parameter is a bound of another: no clinician gives it."""
    return name.endswith((LOWEST, HIGHEST))


def read_choices(questionnaire: Resource) -> tuple[ProtocolChoice, ...]:
    """Return the choices of a Questionnaire, in its order."""
    return tuple(
        ProtocolChoice(
            name=item["linkId"],
            label=item["text"],
            hint=_hint(item),
            options={
                coding["code"]: coding.get("display", coding["code"])
                for coding in (each["valueCoding"] for each in item.get("answerOption", []))
            },
        )
        for item in questionnaire.get("item", [])
        if item["type"] == "choice"
    )


def _hint(item: Resource) -> str:
    return " ".join(each["text"] for each in item.get("item", []) if each["type"] == "display")


def read_parameters(questionnaire: Resource) -> tuple[ProtocolParameter, ...]:
    """Return the whole numbers of a Questionnaire, in its order; those of a group are folded.

    Raises:
        KnowledgeError: an item is neither a whole number, a choice, a group nor words, or a number
            has no default.
    """
    return tuple(_items(questionnaire.get("item", []), folded=False))


def _items(items: list[Resource], *, folded: bool) -> Iterator[ProtocolParameter]:
    for item in items:
        if item["type"] == "group":
            yield from _items(item.get("item", []), folded=True)
        elif item["type"] == "integer":
            yield _parameter(item, folded=folded)
        elif item["type"] not in ("choice", "display"):
            raise KnowledgeError(
                f"The parameter {item['linkId']} is of type {item['type']}; a parameter is a whole "
                "number: make it an item of type integer."
            )


def _parameter(item: Resource, *, folded: bool) -> ProtocolParameter:
    options = item.get("answerOption", [])
    choices = tuple(option["valueInteger"] for option in options)
    chosen = [option["valueInteger"] for option in options if option.get("initialSelected")]
    initial = [each["valueInteger"] for each in item.get("initial", [])]
    if not (chosen or initial):
        raise KnowledgeError(
            f"The parameter {item['linkId']} has no default; give it initial.valueInteger, or mark "
            "one of its options as initialSelected."
        )
    default = [*chosen, *initial][0]
    extensions = {each["url"]: each for each in item.get("extension", [])}
    lowest, highest = min(choices, default=default), max(choices, default=default)
    low = extensions.get(f"{_CORE}/minValue", {}).get("valueInteger", lowest)
    high = extensions.get(f"{_CORE}/maxValue", {}).get("valueInteger", highest)
    unit = extensions.get(f"{_CORE}/questionnaire-unit", {}).get("valueCoding", {})
    return ProtocolParameter(
        name=item["linkId"],
        label=item["text"],
        hint=_hint(item),
        default=default,
        low=low,
        high=high,
        choices=choices,
        unit=unit.get("display", ""),
        folded=folded,
    )

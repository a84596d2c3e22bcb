"""The words of the pages: values, units, answers and reasons; other surfaces share the rest."""

import re
from decimal import Decimal
from typing import Any

from ivfhir.wording.concepts import CONCEPTS, IN_RECORD, OBTAIN, concept, concept_inside
from ivfhir.wording.record_parts import RECORD_PARTS, record_part
from ivfhir.wording.sentences import capitalise, count, decapitalise, join
from ivfhir.wording.statuses import NO_PLAN, STATUS

__all__ = [
    "CANNOT_JUDGE",
    "CONCEPTS",
    "IN_RECORD",
    "NOT_READ",
    "NO_PLAN",
    "OBTAIN",
    "RECORD_PARTS",
    "STATUS",
    "STATUS_STYLE",
    "UNITS",
    "UNKNOWN_VERDICTS",
    "VERDICTS",
    "capitalise",
    "concept",
    "concept_inside",
    "conditions_met",
    "count",
    "decapitalise",
    "digits",
    "in_words",
    "interval",
    "join",
    "not_read",
    "pretty",
    "record_part",
    "types_in",
    "unit",
    "unread_reason",
    "value",
    "what_helps",
]

_SQUARE = re.compile(r"\bm2\b")
_KEY = re.compile("|".join(rf"\b{key}\b" for key in CONCEPTS if "-" in key))

UNITS = {
    "10*9/L": "\N{MULTIPLICATION SIGN}10⁹/L",
    "10*3/uL": "\N{MULTIPLICATION SIGN}10³/µL",
    "/uL": "/µL",
    "/nL": "/nL",
    "mg/dL": "mg/dL",
    "umol/L": "µmol/L",
    "kg/m2": "kg/m²",
    "m2": "m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "a": "years",
    "d": "days",
    "min": "min",
    "um": "µm",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "1": "",
    "{INR}": "",
    "{ratio}": "",
    "{score}": "",
}

_KEPT_PLACES, _TWO_PLACES = 3, Decimal("0.01")

VERDICTS = {
    ("inclusion", "met"): "fulfilled",
    ("inclusion", "not-met"): "not fulfilled",
    ("contraindication-absolute", "met"): "ruled out",
    ("contraindication-absolute", "not-met"): "present",
    ("caution", "met"): "does not apply",
    ("caution", "not-met"): "applies",
}
"""Kind and answer of a criterion -> what stands behind its title, whatever the title says."""

UNKNOWN_VERDICTS = {"caution": "not assessed"}
"""The same for an answer that is unknown; other kinds cannot be judged."""

CANNOT_JUDGE, NOT_READ = "cannot be judged", "could not be read"

_NAMES = "|".join(RECORD_PARTS)
_TYPE = re.compile(rf"\b({_NAMES})\b(?!/)( was not)?")
_TYPES = re.compile(rf"\b(?:an? |the )?((?:{_NAMES})(?:, (?:{_NAMES}))*)\b(?!/|\.\w)")
STATUS_STYLE = {
    "eligible": "eligible",
    "indeterminate": "ask",
    "ineligible": "stop",
    "not-applicable": "off",
}
"""The shape and colour of a status: symbol `s-…`, class `status--…`."""


def unit(code: str | None) -> str:
    """Return a UCUM code as it is read on a ward; '' for none."""
    if not code:
        return ""
    return UNITS.get(code, code)


def value(raw: Any, unit_code: str | None = None, comparator: str | None = None) -> str:  # noqa: ANN401 - a FHIR value of any type
    """Return a value with its comparator and unit; digits stay as they came."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, Decimal | int | float):
        number = f"{comparator or ''}{digits(raw)}"
        return f"{number} {unit(unit_code)}".strip()
    return str(raw).replace("-", " ") if str(raw).islower() else str(raw)


def digits(number: Decimal | int | float) -> str:
    """Return a number with its digits; a computed one, of more than three places, to two."""
    if isinstance(number, Decimal):
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -_KEPT_PLACES:
            number = number.quantize(_TWO_PLACES)
        return format(number, "f")
    return str(number)


def interval(low: Any, high: Any, unit_code: str | None) -> str:  # noqa: ANN401 - numbers as they came
    """Return `4.1 to 4.4 mg/dL` for a value that is only known to lie between two numbers."""
    if low is None:
        return f"up to {value(high, unit_code)}"
    if high is None:
        return f"{value(low, unit_code)} or more"
    if low == high:
        return value(low, unit_code)
    return f"{value(low)} to {value(high, unit_code)}"


def pretty(text: str) -> str:
    """Return a text of the knowledge with its units and concepts as they are read on a ward."""
    text = _SQUARE.sub("m²", text.replace("x10^9/L", UNITS["10*9/L"]))
    return _KEY.sub(lambda found: concept_inside(found.group()), text)


def not_read(failed: list[str], refused: list[str]) -> str:
    """Return that parts of the record could not be read, and which the EHR does not let be read."""
    said = []
    if failed:
        said.append(f"{join(failed)} {NOT_READ}")
    if refused:
        said.append(f"the EHR does not let the app read {join(refused)}")
    return join(said)


def what_helps(failed: list[str], refused: list[str]) -> str:
    """Return what to do about parts that could not be read, and about those that are refused."""
    said = []
    if failed:
        what = "the record" if not refused else join(failed)
        said.append(f"Read {what} again before anything is obtained or repeated.")
    if refused:
        it = "it" if len(refused) == 1 and refused[0].startswith("the ") else "them"
        said.append(
            f"Reading again does not help for {join(refused)}: open the app again from the EHR and "
            f"allow the app to read {it}, or ask your EHR administrator. Until then look {it} up "
            "in the EHR before anything is obtained or repeated."
        )
    return " ".join(said)


def unread_reason(note: str) -> str:
    """Return a note in which resource types are named as parts of the record.

    `Observation was not read: …` becomes `Results and measurements were not read: …`.
    """
    said = _TYPE.sub(_part_read, note)
    found = _TYPE.match(note)
    if found and not RECORD_PARTS[found[1]].startswith("the "):
        said = said.replace(" to its end", " to their end", 1)
    return capitalise(said) if _TYPE.match(note) else said


def in_words(sentence: str) -> str:
    """Return a sentence in which resource types, one or a list of them, are parts of the record.

    `…does not let the app create Goal, Task.` becomes `…create goals and tasks.`
    """
    said = _TYPES.sub(lambda found: join([record_part(t) for t in found[1].split(", ")]), sentence)
    return capitalise(said) if _TYPES.match(sentence) else said


def types_in(sentence: str) -> str:
    """Return the resource types that a sentence names, for who has to grant them."""
    return ", ".join(dict.fromkeys(_TYPES.findall(sentence)))


def conditions_met(met: int, of: int) -> str:
    """Return `12 of 13 conditions are met`."""
    return f"{met} of {of} conditions {'is' if met == 1 else 'are'} met"


def _part_read(found: re.Match[str]) -> str:
    part = RECORD_PARTS[found[1]]
    were = " was not" if part.startswith("the ") else " were not"
    return part + (were if found[2] else "")

"""`ivfhir calc`: one calculation of inputs that carry their units, or the list of all."""

import argparse
from collections.abc import Mapping
from typing import Any

from ivfhir.dosing.calculators import CALCULATORS
from ivfhir.dosing.keys import Key, read_words
from ivfhir.errors import UsageError
from ivfhir.fhir.json import dumps
from ivfhir.fhir.types import Json
from ivfhir.wording.words import unit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `[NAME] [key=value]… [--format json|text]`."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the calculation; without it all are listed"
    )
    parser.add_argument(
        "inputs",
        metavar="key=value",
        nargs="*",
        help="an input; its key carries the unit: height_cm=170",
    )
    parser.add_argument("--format", choices=("json", "text"), default="json")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer, or the list of calculations; return 0.

    Raises:
        UsageError: there is no calculation of that name, or an input is unknown, missing, without
            its unit or implausible: the sentence names its key.
    """
    if arguments.name is None:
        print(_list_text() if arguments.format == "text" else dumps(_list(), indent=2))
        return 0
    calculator = CALCULATORS.get(arguments.name)
    if calculator is None:
        raise UsageError(
            f"There is no calculation '{arguments.name}'. There is: {', '.join(CALCULATORS)}."
        )
    answer = calculator.run(read_words(arguments.inputs))
    print(_text(answer) if arguments.format == "text" else dumps(answer, indent=2))
    return 0


def _list() -> list[Json]:
    return [
        {
            "name": each.name,
            "title": each.title,
            "source": each.source,
            "inputs": [_described(key) for key in each.keys],
        }
        for each in CALCULATORS.values()
    ]


def _described(key: Key) -> Json:
    described: dict[str, Json] = {"key": key.name, "about": key.about, "required": key.required}
    if key.unit:
        described["unit"] = key.unit
    if key.words:
        described["words"] = list(key.words)
    others = [spelling for spelling in key.spellings() if spelling != key.name]
    return described | ({"or": others} if others else {})


def _list_text() -> str:
    width = max(map(len, CALCULATORS))
    return "\n".join(
        f"{each.name.ljust(width)}  {each.title}: "
        + " ".join(key.name if key.required else f"[{key.name}]" for key in each.keys)
        for each in CALCULATORS.values()
    )


def _text(answer: Mapping[str, Any]) -> str:
    """Return the answer as lines: results, the dose as drawn up, inputs, source, notes."""
    result, units = answer["result"], answer["unit"]
    if isinstance(result, dict):
        codes = units if isinstance(units, dict) else dict.fromkeys(result, units)
        lines = [f"{name}: {_said(value, codes.get(name))}" for name, value in result.items()]
    else:
        lines = [f"{answer['name']}: {_said(result, units)}"]
    if "rounded" in answer:
        lines.append(f"rounded: {_said(answer['rounded'], units)}")
    lines += [
        f"  {key} = {_said(given['value'], given.get('unit'))}"
        for key, given in answer["inputs"].items()
    ]
    return "\n".join([*lines, f"Source: {answer['source']}", *answer["notes"]])


def _said(value: Json, code: str | None) -> str:
    values = value if isinstance(value, list) else [value]
    return f"{', '.join(map(_word, values))} {unit(code)}".rstrip()


def _word(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "missing" if value is None else str(value)

"""Build the Questionnaire of a protocol's parameters, in plain R4.

A parameter is an item of type integer: `linkId` its name, `text` its label, extensions minValue and
maxValue its bounds or `answerOption` its choices, `initial` its default, `readOnly` where it is
fixed. Its hint is a display item below it. What is folded on the page stands in a group.
"""

from typing import Any

from tools.knowledge.authoring.parameters import Choice, Parameter
from tools.knowledge.authoring.protocol import Protocol
from tools.knowledge.layout import CANONICAL_BASE

Json = dict[str, Any]

FOLDED = "further"
_CORE = "http://hl7.org/fhir/StructureDefinition"
_UNITS = {
    "days": {"system": "http://unitsofmeasure.org", "code": "d", "display": "day"},
    "minutes": {"system": "http://unitsofmeasure.org", "code": "min", "display": "minute"},
    "micrometres": {"display": "micrometre"},
}


def parameter_questionnaire(protocol: Protocol) -> Json:
    """Return the Questionnaire."""
    sight = [_item(each) for each in protocol.parameters.values() if each.table.get("in_sight")]
    folded = [
        _item(each) for each in protocol.parameters.values() if not each.table.get("in_sight")
    ]
    words_to_choose = [_choice(each) for each in protocol.choices.values() if each.options]
    group = {"linkId": FOLDED, "text": "Further settings", "type": "group", "item": folded}
    name = f"{protocol.id}-parameters"
    words = protocol.words
    return {
        "resourceType": "Questionnaire",
        "id": name,
        "url": f"{CANONICAL_BASE}/Questionnaire/{name}",
        "version": protocol.version,
        "name": name.replace("-", "_"),
        "title": f"Parameters of {protocol.id}",
        "status": "draft",
        "experimental": True,
        "subjectType": ["Patient"],
        "date": str(words["date"]),
        "publisher": "ivfhir",
        "description": f"What a clinician may choose in a plan by {protocol.id}, with defaults and "
        "bounds. A value outside its bounds is refused, not clamped.",
        "lastReviewDate": str(words["date"]),
        "item": [*words_to_choose, *sight, *([group] if folded else [])],
    }


def _choice(choice: Choice) -> Json:
    """Return an item of type choice: one of its words, none of them by default."""
    options = choice.options.items()
    item: Json = {
        "linkId": choice.name,
        "text": choice.table["label"],
        "type": "choice",
        "answerOption": [
            {"valueCoding": {"code": code, "display": display}} for code, display in options
        ],
    }
    if "hint" in choice.table:
        hint = {"linkId": f"{choice.name}.hint", "text": choice.table["hint"], "type": "display"}
        item["item"] = [hint]
    return item


def _item(parameter: Parameter) -> Json:
    table = parameter.table
    extensions: list[Json] = []
    if not parameter.choices and not parameter.fixed:
        extensions = [
            {"url": f"{_CORE}/minValue", "valueInteger": parameter.low},
            {"url": f"{_CORE}/maxValue", "valueInteger": parameter.high},
        ]
    if parameter.unit:
        if parameter.unit not in _UNITS:
            table.refuse(
                f"'{parameter.unit}' is no unit that is known here: {', '.join(_UNITS)}", "unit"
            )
        unit = {"url": f"{_CORE}/questionnaire-unit", "valueCoding": _UNITS[parameter.unit]}
        extensions.append(unit)
    item: Json = {"linkId": parameter.name}
    if extensions:
        item["extension"] = extensions
    item |= {"text": table["label"], "type": "integer"}
    if parameter.fixed:
        item["readOnly"] = True
    item |= _values(parameter)
    if "hint" in table:
        hint = {"linkId": f"{parameter.name}.hint", "text": table["hint"], "type": "display"}
        item["item"] = [hint]
    return item


def _values(parameter: Parameter) -> Json:
    """Return the choices, or the default: R4 lets an item have one of them only (que-11)."""
    if not parameter.choices:
        return {"initial": [{"valueInteger": parameter.default}]}
    return {
        "answerOption": [
            {
                "valueInteger": each,
                **({"initialSelected": True} if each == parameter.default else {}),
            }
            for each in parameter.choices
        ]
    }

"""The regimens: PlanDefinitions of type order set, with every number that a dose needs.

A regimen's drugs are contained ActivityDefinitions; what R4 has no element for stands in the
extensions `regimen` and `regimen-drug` (plan_definitions/regimens/README.md names their parts).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ivfhir.errors import KnowledgeError, UnknownProtocolError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.dosing_rules import FILE, DosingRules, dosing_rules
from ivfhir.knowledge.package import read_json, regimens_folder
from ivfhir.knowledge.regimen import (
    ARTERIAL,
    INTRAVENOUS,
    Bounds,
    Choice,
    Regimen,
    RegimenDrug,
    Total,
)

PREFIX = "PlanDefinition-"
NO_REGIMENS: Mapping[str, Regimen] = MappingProxyType({})
_BASE = "https://ivfhir.example/fhir/StructureDefinition"
_ROUTES = {"58100008": ARTERIAL, "47625008": INTRAVENOUS}

Parts = Mapping[str, list[Any]]
"""Part of an extension -> its values, in order; a nested one is `Parts` again."""


def load_regimens(folder: Path | None = None) -> dict[str, Regimen]:
    """Return every regimen by id, in order.

    Args:
        folder: where they stand; by default beside the protocols, else ours.

    Raises:
        KnowledgeError: a file cannot be read as a regimen.
    """
    paths = sorted((folder or regimens_folder()).glob(f"{PREFIX}*.json"))
    return {path.stem.removeprefix(PREFIX): read_regimen(read_json(path)) for path in paths}


def load_regimen(
    regimen_id: str, folder: Path | None = None, *, beside: Mapping[str, Regimen] = NO_REGIMENS
) -> Regimen:
    """Return one regimen.

    Args:
        regimen_id: its id.
        folder: as for `load_regimens`.
        beside: others that there are, by id: a site's.

    Raises:
        UnknownProtocolError: there is none of that id.
        KnowledgeError: its file cannot be read as a regimen.
    """
    folder = folder or regimens_folder()
    names = [path.stem.removeprefix(PREFIX) for path in sorted(folder.glob(f"{PREFIX}*.json"))]
    if regimen_id in beside:
        return beside[regimen_id]
    if regimen_id not in names:
        raise UnknownProtocolError(
            f"There is no regimen '{regimen_id}'. There is: {', '.join([*names, *beside])}."
        )
    return read_regimen(read_json(folder / f"{PREFIX}{regimen_id}.json"))


def read_regimen(plan_definition: Resource, rules: DosingRules | None = None) -> Regimen:
    """Return the regimen that a PlanDefinition says.

    Args:
        plan_definition: of type order set.
        rules: what it may name; by default those in use.

    Raises:
        KnowledgeError: it lacks what a regimen needs, or names a rule, statement or input that is
            not there.
    """
    try:
        regimen = _regimen(plan_definition)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise KnowledgeError(
            f"PlanDefinition {plan_definition.get('id')} is no regimen: {error!r}; build it again "
            "(`make knowledge`)."
        ) from error
    problems = _problems(regimen, rules or dosing_rules())
    if problems:
        raise KnowledgeError(
            f"{regimen.id} names what {FILE} does not hold: {', '.join(problems)}; add it there, "
            "or mend the name."
        )
    return regimen


def _problems(regimen: Regimen, rules: DosingRules) -> list[str]:
    """Return what a regimen names and nobody says: a rule passed over would let a drug through."""
    drugs = regimen.drugs
    asked = [*regimen.confirm, *(each for drug in drugs for each in drug.confirm)]
    named = [rule for drug in drugs for rule in drug.exclusions]
    counted = [f"cumulative_{drug.counts_as}_mg_m2" for drug in drugs if drug.cumulative_highest]
    found = [f"statement {each}" for each in asked if each not in rules.statements]
    found += [f"rule {each}" for each in named if each not in rules.rules]
    found += [f"input {each}" for each in counted if each not in rules.inputs]
    return list(dict.fromkeys(found))


def _regimen(plan: Resource) -> Regimen:
    parts = _parts(plan, "regimen")
    actions = {each["definitionCanonical"]: each for each in plan.get("action", [])}
    return Regimen(
        id=plan["id"],
        version=plan["version"],
        title=plan["title"],
        purpose=_one(parts, "purpose", ""),
        proposal=parts["proposal"][0],
        reviewed=date.fromisoformat(plan["lastReviewDate"]),
        reviewed_by=plan["reviewer"][0]["name"],
        protocols=tuple(parts["protocol"]),
        modes=tuple(parts.get("mode", ())),
        sites=tuple(parts.get("site", ())),
        primaries=tuple(parts.get("primary", ())),
        confirm=tuple(parts.get("confirm", ())),
        interval_days=_ends(_one(parts, "interval")),
        reference_interval_days=_number(_one(parts, "reference-interval")),
        max_courses=_one(parts, "max-courses"),
        says=_one(parts, "says", ""),
        drugs=tuple(_drug(each, actions[f"#{each['id']}"]) for each in plan.get("contained", [])),
        choices=tuple(
            Choice(each["needs"][0], tuple(each["of"])) for each in parts.get("choice", ())
        ),
        totals=tuple(
            Total(each["called"][0], tuple(each["of"]), _bounds(each["bounds"][0]))
            for each in parts.get("total", ())
        ),
        marks=_marks(parts),
    )


def _drug(activity: Resource, action: Resource) -> RegimenDrug:
    parts = _parts(activity, "regimen-drug")
    dosage = activity["dosage"][0]
    unit, published = _published(dosage)
    cumulative = _number(_one(parts, "cumulative-highest"))
    lower = _number(_one(parts, "cumulative-highest-cardiotoxic"))
    bounds = _one(parts, "bounds")
    return RegimenDrug(
        id=activity["id"],
        drug=parts["drug"][0],
        title=activity["title"],
        concept=activity["productCodeableConcept"],
        route=_ROUTES[dosage["route"]["coding"][0]["code"]],
        days=tuple(each["valueInteger"] for each in action["extension"][0]["extension"]),
        unit=unit,
        published=published,
        variants=tuple(Decimal(each["value"]) for each in parts.get("variant", ())),
        bounds=None if bounds is None else _bounds(bounds),
        cap_mg=_number(_one(parts, "cap")),
        for_days=_one(parts, "for-days", 1),
        over=_one(parts, "over", ""),
        ideal_weight=_one(parts, "weight") == "ideal",
        pump=_one(parts, "pump", False),
        optional=_one(parts, "optional", False),
        neutrophils_at_least=_number(_one(parts, "neutrophils-at-least")),
        cell_cycle=_one(parts, "cell-cycle", ""),
        exclusions=tuple(parts.get("exclusion", ())),
        confirm=tuple(parts.get("confirm", ())),
        course_highest=_number(_one(parts, "course-highest")),
        course_rule=_one(parts, "course-rule", ""),
        cumulative_highest=None if cumulative is None or lower is None else (cumulative, lower),
        counts_as=_one(parts, "counts-as", ""),
        looks_like=_one(parts, "looks-like", ""),
        method=dosage.get("method", {}).get("text", ""),
        dosage=dosage["text"],
        says=_one(parts, "says", ""),
        marks=_marks(parts),
    )


def _published(dosage: Resource) -> tuple[str, tuple[Decimal, Decimal] | None]:
    """Return unit and ends of the published dose; '' and None where there is none."""
    for each in dosage.get("doseAndRate", []):
        if "doseRange" in each:
            return _unit(each["doseRange"]["low"]), _ends(each["doseRange"])
        dose = Decimal(each["doseQuantity"]["value"])
        return _unit(each["doseQuantity"]), (dose, dose)
    return "", None


def _unit(quantity: Resource) -> str:
    """Return what a quantity counts in: its UCUM code, in words where it has none."""
    return str(quantity.get("code", quantity["unit"]))


def _parts(resource: Resource, name: str) -> Parts:
    """Return the parts of the resource's extension of that name."""
    for each in resource["extension"]:
        if each["url"] == f"{_BASE}/{name}":
            return _nested(each)
    raise KeyError(name)


def _nested(extension: Resource) -> Parts:
    found: dict[str, list[Any]] = {}
    for part in extension["extension"]:
        value = _nested(part) if "extension" in part else _value(part)
        found.setdefault(part["url"], []).append(value)
    return found


def _value(part: Resource) -> Any:  # noqa: ANN401 - value[x]
    return next(value for name, value in part.items() if name.startswith("value"))


def _one(parts: Parts, name: str, default: Any = None) -> Any:  # noqa: ANN401 - value[x]
    values: Sequence[Any] = parts.get(name, ())
    return values[0] if values else default


def _number(quantity: Resource | None) -> Decimal | None:
    return None if quantity is None else Decimal(quantity["value"])


def _ends(found: Resource | None) -> tuple[Decimal, Decimal] | None:
    if found is None:
        return None
    return Decimal(found["low"]["value"]), Decimal(found["high"]["value"])


def _bounds(found: Resource) -> Bounds:
    return Bounds(_number(found.get("low")), Decimal(found["high"]["value"]))


def _marks(parts: Parts) -> dict[str, str]:
    return {each["of"][0]: each["says"][0] for each in parts.get("mark", ())}

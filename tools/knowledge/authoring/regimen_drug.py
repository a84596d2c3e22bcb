"""Build the drugs of a regimen: contained ActivityDefinitions, with what regimens share."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivfhir.knowledge.toml_keys import check_keys, known
from ivfhir.knowledge.toml_source import Table, read_table
from tools.knowledge.authoring.extensions import (
    EXTENSION,
    check_marks,
    marks,
    part,
    quantity,
    range_of,
    value,
)
from tools.knowledge.layout import Layout

Json = dict[str, Any]

COMMON = "common.toml"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"

UNITS = {
    "mg/m2": ("mg/m2", "mg/m2"),
    "mg/kg": ("mg/kg", "mg/kg"),
    "mg": ("mg", "mg a session"),
    "mg/kg/d": ("", "mg/kg/d"),
    "AUC": ("", "AUC"),
}
"""What a dose is counted in -> its UCUM code, and words; codes.csv has none of the last two."""

ROUTES = {
    "arterial": ("58100008", "Intra-arterial route (qualifier value)", "Intra-arterial"),
    "intravenous": ("47625008", "Intravenous route (qualifier value)", "Intravenous"),
}
DRUG = {
    "id": "text!",
    "route": "text!",
    "days": "numbers!",
    **dict.fromkeys(("drug", "called", "method", "unit", "over", "weight", "says"), "text"),
    "dose": "dose",
    "variants": "list of amounts",
    "bounds": "amounts",
    **dict.fromkeys(("highest", "cap_mg", "neutrophils_at_least"), "amount"),
    "for_days": "number",
    **dict.fromkeys(("pump", "optional"), "flag"),
    "exclusions": "texts",
    "marks": "table",
}
AGENT = {
    "name": "text!",
    **dict.fromkeys(("coded", "cell_cycle", "counts_as", "course_rule", "looks_like"), "text"),
    **dict.fromkeys(("exclusions", "confirm"), "texts"),
    "course_highest": "amount",
    "cumulative": "list of amounts",
    "marks": "table!",
}
NUMBERS = ("dose", "bounds", "cap_mg", "neutrophils_at_least", "course_highest", "cumulative")


@dataclass(frozen=True)
class Common:
    """What regimens share.

    Attributes:
        drugs: name -> its table.
        sources: mark such as R9 -> how it is cited.
        codes: concept -> its codings, RxNorm's ingredient first, then ATC.
    """

    drugs: Mapping[str, Table]
    sources: Mapping[str, str]
    codes: Mapping[str, list[Json]]


def read_common(layout: Layout) -> Common:
    """Return what regimens share.

    Raises:
        AuthoringError: a table of it cannot be used, with its line.
    """
    table = read_table(layout.regimens / COMMON, f"regimens/{COMMON}")
    check_keys(table, {"drug": "table!", "sources": "table!"}, "common.toml")
    drugs = table.named("drug")
    for name, each in drugs.items():
        check_keys(each, AGENT, f"drug {name}")
        check_marks(each, f"drug {name}", NUMBERS)
        if each.get("cell_cycle") not in (None, "specific", "non-specific"):
            each.refuse("cell_cycle must be specific or non-specific", "cell_cycle")
    return Common(drugs, table["sources"], _codes(layout.terminology / "codes.csv"))


def _codes(path: Path) -> dict[str, list[Json]]:
    """Return the codings of each drug: ingredients only, not one strength of it."""
    found: dict[str, list[Json]] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            notes = [note.strip() for note in row["notes"].split(";")]
            if row["system"] == ATC or (row["system"] == RXNORM and "ingredient" in notes):
                coding = {key: row[key] for key in ("system", "code", "display")}
                found.setdefault(row["concept"], []).append(coding)
    return found


def drug_activity(table: Table, common: Common) -> Json:
    """Return the ActivityDefinition of a drug, to be contained.

    Raises:
        AuthoringError: the drug cannot be built, with its line.
    """
    check_keys(table, DRUG, f"drug {table.get('id')}")
    name = table.get("drug", table["id"])
    if name not in common.drugs:
        table.refuse(f"common.toml has no drug '{name}'; {known(name, common.drugs)}", "id")
    if table["route"] not in ROUTES:
        table.refuse(f"'{table['route']}' is no route; {known(table['route'], ROUTES)}", "route")
    if ("dose" in table) != ("unit" in table):
        table.refuse("a dose and its unit go together", "dose" if "dose" in table else "unit")
    if "dose" in table and table["unit"] not in UNITS:
        table.refuse(f"'{table['unit']}' is no unit; {known(table['unit'], UNITS)}", "unit")
    check_marks(table, f"drug {table['id']}", NUMBERS)
    agent = common.drugs[name]
    return {
        "resourceType": "ActivityDefinition",
        "id": table["id"],
        "extension": [part(f"{EXTENSION}/regimen-drug", _parts_of_drug(table, name, agent))],
        "title": table.get("called", agent["name"]),
        "status": "draft",
        "experimental": True,
        "kind": "MedicationRequest",
        "intent": "proposal",
        "productCodeableConcept": _product(agent, common),
        "dosage": [_dosage(table)],
    }


def _product(agent: Table, common: Common) -> Json:
    if "coded" not in agent:
        return {"text": agent["name"]}
    codings = common.codes.get(agent["coded"], [])
    if not codings:
        agent.refuse(f"tools/terminology/codes.csv has no drug '{agent['coded']}'", "coded")
    return {"coding": codings, "text": agent["name"]}


def _dosage(table: Table) -> Json:
    code, display, words = ROUTES[table["route"]]
    coding = {"system": "http://snomed.info/sct", "code": code, "display": display}
    dosage: Json = {
        "text": f"{words}, {dose_words(table)}",
        "route": {"coding": [coding], "text": words},
    }
    if "method" in table:
        dosage["method"] = {"text": table["method"]}
    if "dose" not in table:
        return dosage
    ucum, unit = UNITS[table["unit"]]
    calculated = {
        "system": "http://terminology.hl7.org/CodeSystem/dose-rate-type",
        "code": "calculated",
        "display": "Calculated",
    }
    amount = (
        {"doseRange": range_of(table["dose"], ucum, unit)}
        if isinstance(table["dose"], list)
        else {"doseQuantity": quantity(table["dose"], ucum, unit)}
    )
    return {**dosage, "doseAndRate": [{"type": {"coding": [calculated]}, **amount}]}


def dose_words(table: Table) -> str:
    """Return the dose in words: `75 mg/m2`, `60 to 75 mg/m2`, `no dose`."""
    if "dose" not in table:
        return "no dose is published here"
    dose = table["dose"]
    numbers: str = f"{dose[0]} to {dose[1]}" if isinstance(dose, list) else str(dose)
    numbers += "".join(f" or {each}" for each in table.get("variants", []))
    words = UNITS[table["unit"]][1]
    said = f"AUC {numbers}" if words == "AUC" else f"{numbers} {words}"
    for_days = f" for {table['for_days']} days" if "for_days" in table else ""
    over = f" over {table['over']}" if "over" in table else ""
    cap = f", at most {table['cap_mg']} mg" if "cap_mg" in table else ""
    return f"{said}{for_days}{over}{cap}"


def _parts_of_drug(table: Table, name: str, agent: Table) -> list[Json]:
    parts = [value("drug", valueCode=name)]
    if "cell_cycle" in agent:
        parts.append(value("cell-cycle", valueCode=agent["cell_cycle"]))
    excluded_by = [*agent.get("exclusions", []), *table.get("exclusions", [])]
    parts += [value("exclusion", valueCode=each) for each in excluded_by]
    parts += [value("confirm", valueCode=each) for each in agent.get("confirm", [])]
    if "looks_like" in agent:
        parts.append(value("looks-like", valueString=agent["looks_like"]))
    per_area = UNITS["mg/m2"]
    if "course_highest" in agent:
        highest = quantity(agent["course_highest"], *per_area)
        parts.append(value("course-highest", valueQuantity=highest))
        if "course_rule" in agent:
            parts.append(value("course-rule", valueCode=agent["course_rule"]))
    if "cumulative" in agent:
        limit, lower = (quantity(each, *per_area) for each in agent["cumulative"])
        parts.append(value("counts-as", valueCode=agent.get("counts_as", name)))
        parts.append(value("cumulative-highest", valueQuantity=limit))
        parts.append(value("cumulative-highest-cardiotoxic", valueQuantity=lower))
    parts += _limits(table)
    if "says" in table:
        parts.append(value("says", valueString=table["says"]))
    return [*parts, *marks(table), *marks(agent)]


def _limits(table: Table) -> list[Json]:
    """Return bounds, cap and what else belongs to the dose; a side not stated is the published."""
    parts: list[Json] = []
    if "dose" in table:
        ucum, unit = UNITS[table["unit"]]
        published = table["dose"] if isinstance(table["dose"], list) else [table["dose"]] * 2
        if "highest" in table:
            bounds = {"high": quantity(table["highest"], ucum, unit)}
        else:
            bounds = range_of(table.get("bounds", published), ucum, unit)
        parts.append(value("bounds", valueRange=bounds))
        variants = [quantity(each, ucum, unit) for each in table.get("variants", [])]
        parts += [value("variant", valueQuantity=each) for each in variants]
    if "cap_mg" in table:
        parts.append(value("cap", valueQuantity=quantity(table["cap_mg"], "mg", "mg a session")))
    if "neutrophils_at_least" in table:
        least = quantity(table["neutrophils_at_least"], "10*9/L", "x10^9/L")
        parts.append(value("neutrophils-at-least", valueQuantity=least))
    if "for_days" in table:
        parts.append(value("for-days", valueInteger=table["for_days"]))
    if "over" in table:
        parts.append(value("over", valueString=table["over"]))
    if "weight" in table:
        parts.append(value("weight", valueCode=table["weight"]))
    parts += [value(each, valueBoolean=True) for each in ("pump", "optional") if table.get(each)]
    return parts

"""Build the PlanDefinition of a regimen, an order set whose drugs it contains, from its TOML.

A drug is a contained ActivityDefinition that an action names as `#cisplatin`, as in HL7's KDN5
example. What R4 has no element for (bounds, caps, where a number comes from) stands in two
extensions, `regimen` and `regimen-drug`; `ivfhir/knowledge/regimens.py` reads them.
"""

from collections.abc import Iterator
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
from tools.knowledge.authoring.regimen_drug import (
    COMMON,
    ROUTES,
    UNITS,
    Common,
    dose_words,
    drug_activity,
    read_common,
)
from tools.knowledge.layout import CANONICAL_BASE, Layout, to_bytes

Json = dict[str, Any]

DAYS_OF_CYCLE = "http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle"

PROPOSALS = ("dosed", "by-board", "referral")

REGIMEN = {
    **dict.fromkeys(("id", "version", "title", "for", "reviewed_by"), "text!"),
    "reviewed": "date!",
    "protocols": "texts!",
    **dict.fromkeys(("modes", "sites", "primaries", "confirm"), "texts"),
    **dict.fromkeys(("proposal", "says"), "text"),
    "interval_days": "amounts",
    **dict.fromkeys(("reference_interval_days", "max_courses"), "number"),
    "marks": "table!",
    **dict.fromkeys(("drug", "choice", "total"), "tables"),
}
CHOICE = {"needs": "text!", "of": "texts!"}
TOTAL = {"called": "text!", "of": "texts!", "bounds": "amounts!", "marks": "table!"}


def regimen_files(layout: Layout, folder: Path | None = None) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of each regimen's PlanDefinition, by name.

    Args:
        layout: where the drugs, sources and codes stand that regimens share.
        folder: where the regimens stand, such as a site's; ours by default.

    Raises:
        AuthoringError: a file cannot be built, with its line.
    """
    folder = folder or layout.regimens
    sources = sorted(set(folder.glob("*.toml")) - {folder / COMMON})
    if not sources:
        return
    common = read_common(layout)
    for path in sources:
        table = read_table(path, f"regimens/{path.name}")
        resource = _regimen(table, common)
        if resource["id"] != path.stem:
            table.refuse(f"its id is {resource['id']}, its file {path.name}; make them agree", "id")
        yield folder / f"PlanDefinition-{resource['id']}.json", to_bytes(resource)


def _regimen(table: Table, common: Common) -> Json:
    check_keys(table, REGIMEN, "a regimen")
    check_marks(table, "the regimen", ("interval_days", "reference_interval_days", "max_courses"))
    proposal = table.get("proposal", "dosed")
    if proposal not in PROPOSALS:
        table.refuse(f"'{proposal}' is no proposal; {known(proposal, PROPOSALS)}", "proposal")
    drugs = table.tables("drug")
    names = [each.get("id") for each in drugs]
    if len(set(names)) != len(names):
        table.refuse("a drug is there twice; give each its own id", "drug")
    regimen_id, day = table["id"], str(table["reviewed"])
    contained = [drug_activity(each, common) for each in drugs]
    citations = _citations(table, drugs, common)
    actions = [_action(regimen_id, each, drugs) for each in drugs]
    return {
        "resourceType": "PlanDefinition",
        "id": regimen_id,
        **({"contained": contained} if contained else {}),
        "extension": [part(f"{EXTENSION}/regimen", _parts_of_regimen(table, names, proposal))],
        "url": f"{CANONICAL_BASE}/PlanDefinition/{regimen_id}",
        "version": table["version"],
        "name": regimen_id.replace("-", "_"),
        "title": table["title"],
        "type": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/plan-definition-type",
                    "code": "order-set",
                    "display": "Order Set",
                }
            ]
        },
        "status": "draft",
        "experimental": True,
        "date": day,
        "publisher": "ivfhir",
        "description": _description(table),
        "lastReviewDate": day,
        "reviewer": [{"name": table["reviewed_by"]}],
        **({"relatedArtifact": citations} if citations else {}),
        **({"action": actions} if actions else {}),
    }


def _description(table: Table) -> str:
    said = f" {table['says']}" if "says" in table else ""
    purpose = table["for"]
    return (
        f"{purpose[0].upper()}{purpose[1:]}.{said} Draft, not for clinical use: a proposal for a "
        "clinician to accept, change or reject."
    )


def _parts_of_regimen(table: Table, names: list[str], proposal: str) -> list[Json]:
    parts = [value("purpose", valueString=table["for"]), value("proposal", valueCode=proposal)]
    if "says" in table:
        parts.append(value("says", valueString=table["says"]))
    for key, name in (
        ("protocols", "protocol"),
        ("modes", "mode"),
        ("sites", "site"),
        ("primaries", "primary"),
        ("confirm", "confirm"),
    ):
        parts += [value(name, valueCode=each) for each in table.get(key, [])]
    if "interval_days" in table:
        parts.append(value("interval", valueRange=range_of(table["interval_days"], "d", "days")))
    if "reference_interval_days" in table:
        days = quantity(table["reference_interval_days"], "d", "days")
        parts.append(value("reference-interval", valueQuantity=days))
    if "max_courses" in table:
        parts.append(value("max-courses", valueInteger=table["max_courses"]))
    parts += [_choice(each, names) for each in table.tables("choice")]
    parts += [_total(each, names) for each in table.tables("total")]
    return parts + marks(table)


def _choice(table: Table, names: list[str]) -> Json:
    check_keys(table, CHOICE, "a choice")
    if table["needs"] not in ("one", "some"):
        table.refuse("needs must be one (exactly one of them) or some (at least one)", "needs")
    _check_names(table, names)
    parts = [value("needs", valueCode=table["needs"])]
    return part("choice", parts + [value("of", valueCode=each) for each in table["of"]])


def _total(table: Table, names: list[str]) -> Json:
    check_keys(table, TOTAL, "a total")
    _check_names(table, names)
    check_marks(table, "the total", ("bounds",))
    parts = [value("called", valueString=table["called"])]
    parts += [value("of", valueCode=each) for each in table["of"]]
    parts.append(value("bounds", valueRange=range_of(table["bounds"], *UNITS["mg/m2"])))
    return part("total", parts + marks(table))


def _check_names(table: Table, names: list[str]) -> None:
    for name in table["of"]:
        if name not in names:
            table.refuse(f"the regimen has no drug '{name}'; {known(name, names)}", "of")


def _action(regimen_id: str, table: Table, drugs: list[Table]) -> Json:
    """Return the action of a drug; one by vein comes after those by artery have ended."""
    days = [{"url": "day", "valueInteger": each} for each in table["days"]]
    first = [each["id"] for each in drugs if each.get("route") == "arterial"]
    after = first if table["route"] == "intravenous" else []
    related = [{"actionId": f"{regimen_id}-{each}", "relationship": "after-end"} for each in after]
    return {
        "id": f"{regimen_id}-{table['id']}",
        "extension": [{"url": DAYS_OF_CYCLE, "extension": days}],
        "title": table.get("called", table["id"].replace("-", " ")).capitalize(),
        "description": f"{ROUTES[table['route']][2]}, {dose_words(table)}.",
        **({"relatedAction": related} if related else {}),
        "definitionCanonical": f"#{table['id']}",
    }


def _citations(table: Table, drugs: list[Table], common: Common) -> list[Json]:
    """Return the sources that the marks name, in the order of common.toml."""
    marks = " ".join(
        str(mark)
        for each in (table, *drugs, *table.tables("total"), *_agents(drugs, common))
        for mark in each.get("marks", {}).values()
    )
    return [
        {"type": "citation", "label": name, "citation": text}
        for name, text in common.sources.items()
        if f"[{name}]" in marks
    ]


def _agents(drugs: list[Table], common: Common) -> list[Table]:
    return [common.drugs[each.get("drug", each["id"])] for each in drugs]

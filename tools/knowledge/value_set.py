"""Build a ValueSet, with its expansion, for every set of tools/terminology/value-sets.csv."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.knowledge.layout import CANONICAL_BASE, RELEASE_DATE, VERSION, Layout, to_bytes

Row = dict[str, str]

# R4 gives a ValueSet no lastReviewDate of its own.
LAST_REVIEW_DATE = "http://hl7.org/fhir/StructureDefinition/resource-lastReviewDate"

# What each code system's owner asks to be said; see the README of plan_definitions/shared.
LICENCES = {
    "http://snomed.info/sct": "SNOMED CT: © SNOMED International; outside its member territories "
    "an affiliate licence is needed.",
    "http://loinc.org": "LOINC: © Regenstrief Institute, Inc. and the LOINC Committee; free under "
    "the licence at https://loinc.org/license.",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM (April 2026): kept by the US CDC/NCHS, on the "
    "basis of WHO's ICD-10.",
    "http://www.cms.gov/Medicare/Coding/ICD10": "ICD-10-PCS: kept by the US CMS; in the public "
    "domain.",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm: US National Library of Medicine; its "
    "normalised names are free of charge.",
    "http://www.whocc.no/atc": "ATC: WHO Collaborating Centre for Drug Statistics Methodology; not "
    "to be altered or sold.",
}


def value_set_files(layout: Layout) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of each ValueSet file, in the order of value-sets.csv.

    Raises:
        ValueError: a set has no title, a title has no set, or a code stands twice in a set.
    """
    sets = _grouped(_read(layout.terminology / "value-sets.csv"), "value_set")
    titles = {
        r["value_set"]: r["title"] for r in _read(layout.terminology / "value-set-titles.csv")
    }
    if odd := sorted(set(sets) ^ set(titles)):
        raise ValueError(f"value-sets.csv and value-set-titles.csv differ in: {', '.join(odd)}")
    for name, rows in sets.items():
        yield (
            layout.shared / f"ValueSet-{name}.json",
            to_bytes(build_value_set(name, titles[name], rows)),
        )


def build_value_set(name: str, title: str, rows: list[Row]) -> dict[str, Any]:
    """Return the ValueSet of these rows (`system`, `code`, `display`), with its expansion."""
    systems = _grouped(rows, "system")
    members = [{key: row[key] for key in ("system", "code", "display")} for row in rows]
    if len({(row["system"], row["code"]) for row in rows}) != len(rows):
        raise ValueError(f"value set {name}: a code stands twice")
    if odd := sorted(set(systems) - set(LICENCES)):
        raise ValueError(f"value set {name}: say the licence of {', '.join(odd)}")
    return {
        "resourceType": "ValueSet",
        "id": name,
        "extension": [{"url": LAST_REVIEW_DATE, "valueDate": RELEASE_DATE}],
        "url": f"{CANONICAL_BASE}/ValueSet/{name}",
        "version": VERSION,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "title": title,
        "status": "draft",
        "experimental": True,
        "date": RELEASE_DATE,
        "publisher": "ivfhir",
        "description": f"{title}: every code that a protocol counts, listed one by one.",
        "copyright": " ".join(LICENCES[system] for system in systems),
        "compose": {
            "include": [
                {
                    "system": system,
                    "concept": [{"code": row["code"], "display": row["display"]} for row in own],
                }
                for system, own in systems.items()
            ]
        },
        "expansion": {
            "timestamp": f"{RELEASE_DATE}T00:00:00Z",
            "total": len(members),
            "contains": members,
        },
    }


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _grouped(rows: list[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups

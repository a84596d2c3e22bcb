"""Build a protocol's resources and the CQL of its days from protocol.toml and plan.toml.

A regimen is a file of its own, and one resource: `regimen` builds it from its TOML.

The journey of a protocol: `toml_source` reads the files with their lines, `schema` checks keys,
`protocol` makes the rows into actions (`occurrences`, `relations`); `plan_definition`,
`activity_definition`, `questionnaire` and `plan_library` write one thing each.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from tools.knowledge.authoring.activity_definition import activity_definition
from tools.knowledge.authoring.plan_definition import plan_definition
from tools.knowledge.authoring.plan_library import plan_library
from tools.knowledge.authoring.protocol import Protocol, read_protocol
from tools.knowledge.authoring.questionnaire import parameter_questionnaire
from tools.knowledge.authoring.regimen import regimen_files
from tools.knowledge.authoring.thresholds import threshold_files
from tools.knowledge.layout import Layout, to_bytes

__all__ = ["BUILT", "authored_files", "authored_folders"]

BUILT = ("PlanDefinition-*.json", "ActivityDefinition-*.json", "Questionnaire-*.json")
"""Files of an authored folder that its sources give, beside the CQL."""


def authored_folders(layout: Layout) -> list[Path]:
    """Return the folders of protocols that are written as rows, by name, and that of regimens."""
    return [*_protocols(layout), *([layout.regimens] if layout.regimens.is_dir() else [])]


def _protocols(layout: Layout) -> list[Path]:
    return sorted(path.parent for path in layout.knowledge.glob("*/protocol.toml"))


def authored_files(layout: Layout) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of each resource and each CQL file that rows give.

    Raises:
        AuthoringError: a row that cannot be built, with file and line.
    """
    folders = _protocols(layout)
    codes = _codes(layout) if folders else {}
    for folder in folders:
        protocol = read_protocol(folder, layout, codes)
        yield from _files(folder, protocol)
    yield from regimen_files(layout)
    yield from threshold_files(layout)


def _files(folder: Path, protocol: Protocol) -> Iterator[tuple[Path, bytes]]:
    resources = [plan_definition(protocol)]
    activities = protocol.words.named("activity")
    resources += [activity_definition(protocol, name, each) for name, each in activities.items()]
    if protocol.parameters or protocol.choices:
        resources.append(parameter_questionnaire(protocol))
    cql = plan_library(protocol)
    _refuse_unused(protocol)
    for resource in resources:
        yield folder / f"{resource['resourceType']}-{resource['id']}.json", to_bytes(resource)
    yield folder / "cql" / f"{protocol.id}Plan.cql", cql.encode()


def _refuse_unused(protocol: Protocol) -> None:
    """Refuse what was written and stands nowhere: mostly a name that was misspelt elsewhere."""
    rows = protocol.plan.tables("action")
    tables = [*rows, *protocol.plan.tables("part")]
    tables += list(protocol.rounds.tables.values()) if protocol.rounds else []
    named = {
        key: {n for t in tables for n in t.get(key, ())}
        for key in ("gates", "answers", "says", "stops")
    }
    used = {
        "activity": {protocol.activity_of(row)[0] for row in rows},
        "texts": protocol.texts.used,
        "gates": named["gates"] | named["answers"],
        "stops": named["stops"] | named["says"],
        "exits": named["says"],
    }
    for kind, names in used.items():
        table = protocol.words.table(kind)
        for name in table.data:
            if name not in names:
                table.refuse(f"nothing uses '{name}' of {kind}; use it, or remove it", name)


def _codes(layout: Layout) -> dict[str, list[tuple[str, str]]]:
    """Return display -> (system, code) of the codes that were seen in a public source."""
    codes: dict[str, list[tuple[str, str]]] = {}
    with (layout.terminology / "codes.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            codes.setdefault(row["display"], []).append((row["system"], row["code"]))
    return codes

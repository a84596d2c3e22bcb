"""`ivfhir protocols`: id, version, status, strength of evidence and title of each protocol."""

import argparse

from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import load_protocols

_HEADS = ("ID", "VERSION", "STATUS", "EVIDENCE", "TITLE")


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare no options: `ivfhir protocols` has none."""


def run(_: argparse.Namespace) -> int:
    """Print a line a protocol: id, version, status, strength of evidence, title; return 0."""
    rows = [
        (
            protocol.id,
            protocol.version,
            str(protocol.plan_definition["status"]),
            evidence_of(protocol.plan_definition),
            protocol.title,
        )
        for protocol in load_protocols().values()
    ]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    for row in (_HEADS, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    return 0


def evidence_of(plan_definition: Resource) -> str:
    """Return the strength of a protocol's evidence in words, such as `very low`."""
    for artifact in plan_definition.get("relatedArtifact", []):
        if artifact.get("label") == "evidence":
            words: str = artifact["display"].removeprefix("Evidence: ").partition(".")[0]
            return words
    return "not stated"

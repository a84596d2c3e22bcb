"""`ivfhir protocols`: id, version, status, strength of evidence and title of each protocol."""

import argparse

from ivfhir.knowledge.justification import evidence_of
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_protocols

_HEADS = ("ID", "VERSION", "STATUS", "EVIDENCE", "TITLE")


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare no options: `ivfhir protocols` has none."""


def run(_: argparse.Namespace) -> int:
    """Print a line a protocol: id, version, status, strength of evidence, title; return 0."""
    rows = [_row(protocol) for protocol in load_protocols().values()]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    for row in (_HEADS, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    return 0


def _row(protocol: ClinicalProtocol | BrokenProtocol) -> tuple[str, str, str, str, str]:
    if isinstance(protocol, BrokenProtocol):
        said = f"{protocol.title}: {protocol.error.message}"
        return protocol.id, protocol.version or "?", "broken", "?", said
    strength = evidence_of(protocol.plan_definition).strength or "not graded"
    status = str(protocol.plan_definition["status"])
    return protocol.id, protocol.version, status, strength, protocol.title

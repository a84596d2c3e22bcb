"""`ivfhir protocols`: what there is, a line a protocol; `new ID` writes one to begin with."""

import argparse
from pathlib import Path

from ivfhir.cli.arguments import Parser, add_overlay
from ivfhir.cli.clock import today
from ivfhir.cli.new_protocol import new_protocol
from ivfhir.knowledge.justification import evidence_of
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_protocols
from ivfhir.knowledge.overlay import Overlay, load_overlay
from ivfhir.knowledge.registry import Registry

_HEADS = ("ID", "VERSION", "STATUS", "EVIDENCE", "TITLE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `new ID --folder DIR`; without it the protocols are listed."""
    add_overlay(parser)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", parser_class=Parser)
    about = "write the folder of a new protocol, from a template"
    new = commands.add_parser("new", help=about, description=f"{about.capitalize()}.")
    new.add_argument("id", metavar="ID", help="capital letters and digits, such as KIDNEY")
    new.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        default=Path("plan_definitions"),
        help="the folder of protocols that gets it; plan_definitions by default",
    )


def run(arguments: argparse.Namespace) -> int:
    """List the protocols, or write a new one; return 0.

    Raises:
        UsageError: the new protocol cannot be written.
    """
    if arguments.command == "new":
        target = new_protocol(arguments.id, arguments.folder, date=today().isoformat())
        print(
            f"{target} is written. Change its texts, rows and criteria; then, in a source tree of "
            "ivfhir with Java and Maven, `make knowledge` builds it and `make check` proves it."
        )
        return 0
    return _list(load_overlay(arguments.overlay))


def _list(overlay: Overlay | None) -> int:
    """Print a line a protocol: id, version, status, strength of evidence, title."""
    rows = [_row(protocol) for protocol in load_protocols(Registry(overlay)).values()]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    for row in (_HEADS, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    if overlay is not None:
        print(f"\n{overlay.in_use}")
    return 0


def _row(protocol: ClinicalProtocol | BrokenProtocol) -> tuple[str, str, str, str, str]:
    if isinstance(protocol, BrokenProtocol):
        said = f"{protocol.title}: {protocol.error.message}"
        return protocol.id, protocol.version or "?", "broken", "?", said
    strength = evidence_of(protocol.plan_definition).strength or "not graded"
    status = str(protocol.plan_definition["status"])
    return protocol.id, protocol.version, status, strength, protocol.title

"""`ivfhir validate`: resources beside R4's own definitions."""

import argparse
from pathlib import Path

from ivfhir.errors import InputError
from ivfhir.validation.findings import validate_paths
from ivfhir.validation.formats import as_json, as_junit, as_sarif, as_text

FORMATS = {"text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif}
ERRORS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `PATH… [--format text|json|junit|sarif]`."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="a resource, a Bundle, NDJSON, or a folder"
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; return 0 without an error, else 6.

    Raises:
        InputError: nothing could be read.
    """
    findings = list(validate_paths([Path(each) for each in arguments.paths]))
    if findings and not any(each.is_read for each in findings):
        first = findings[0].found[0].issue.text
        others = len(findings) - 1
        more = f" Nor could {others} others be read." if others else ""
        raise InputError(f"{first}{more}")
    print(FORMATS[arguments.format](findings))
    return ERRORS if any(each.count("error") for each in findings) else 0

"""`ivfhir validate`: resources beside R4's own definitions, and beside profiles."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ivfhir.errors import InputError, UsageError
from ivfhir.fhir.types import Json
from ivfhir.packages import Packages, open_package
from ivfhir.validation.findings import validate_paths
from ivfhir.validation.formats import as_json, as_junit, as_sarif, as_text
from ivfhir.validation.issue import Issue
from ivfhir.validation.profile.library import Profiles
from ivfhir.validation.validate import validate_resource

FORMATS = {"text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif}
ERRORS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `PATH… [--profile CANONICAL]… [--package DIR|TGZ]… [--format …]`."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="a resource, a Bundle, NDJSON, or a folder"
    )
    parser.add_argument(
        "--profile",
        metavar="CANONICAL",
        action="append",
        default=[],
        help="check for this profile, too, claimed or not; several times for several",
    )
    parser.add_argument(
        "--package",
        metavar="DIR|TGZ",
        action="append",
        default=[],
        help="a FHIR package with profiles, value sets, extensions; several times for several",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; return 0 without an error, else 6.

    Raises:
        InputError: nothing could be read, or a package or profile cannot be used.
        UsageError: no package has a profile that was asked for.
    """
    profiles = Profiles(Packages([open_package(Path(each)) for each in arguments.package]))
    require(profiles, arguments.profile)

    def check(raw: Json) -> list[Issue]:
        return validate_resource(raw, profiles, arguments.profile)

    findings = list(validate_paths([Path(each) for each in arguments.paths], check))
    if findings and not any(each.is_read for each in findings):
        first = findings[0].found[0].issue.text
        others = len(findings) - 1
        more = f" Nor could {others} others be read." if others else ""
        raise InputError(f"{first}{more}")
    print(FORMATS[arguments.format](findings))
    return ERRORS if any(each.count("error") for each in findings) else 0


def require(profiles: Profiles, asked: Sequence[str]) -> None:
    """See that each profile that was asked for is known.

    Raises:
        InputError: its definition cannot be used.
        UsageError: no package has it.
    """
    for canonical in asked:
        if profiles.get(canonical) is not None:
            continue
        versions = profiles.versions(canonical)
        if versions:
            what = f"is there in version {', '.join(versions)} only; name that, or none."
        elif profiles.packages.packages:
            labels = ", ".join(each.label for each in profiles.packages.packages)
            what = f"is in none of {labels}; check its spelling, or give its package by --package."
        else:
            what = "needs its package: give the folder or .tgz by --package."
        raise UsageError(f"The profile {canonical[:200]} {what}")

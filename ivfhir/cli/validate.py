"""`ivfhir validate`: resources beside R4, profiles, and what a server says."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from ivfhir.errors import InputError, ServerError, UsageError
from ivfhir.packages import Packages, open_package
from ivfhir.servers.base_address import BaseAddress
from ivfhir.validation.address import base_of, is_address, read_address
from ivfhir.validation.findings import Finding, validate_paths
from ivfhir.validation.formats import as_json, as_junit, as_sarif, as_text
from ivfhir.validation.profile.library import Profiles
from ivfhir.validation.validate import validate_resource

FORMATS = {"text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif}
ERRORS, SERVER = 6, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare paths or addresses, packages and profiles, a server, a format."""
    parser.add_argument(
        "paths",
        metavar="PATH|URL",
        nargs="+",
        help="a resource, a Bundle, NDJSON, or a folder; or an address …/Type/ID",
    )
    parser.add_argument(
        "--server",
        metavar="URL",
        help="a FHIR server, whose $validate is asked about each resource, too: all of it is sent "
        "there",
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
    """Print what was found; return 0 without an error, else 6; 5 where the server failed.

    Raises:
        UsageError: an address that cannot be meant, or a profile that no package has.
        InputError: nothing could be read, or a package or profile cannot be used.
        ServerError: nothing could be read, and a server is why.
    """
    token = os.environ.get("IVFHIR_TOKEN", "").strip() or None
    _check_addresses(arguments, token)
    profiles = Profiles(Packages([open_package(Path(each)) for each in arguments.package]))
    require(profiles, arguments.profile)
    check = partial(validate_resource, profiles=profiles, asked=arguments.profile)
    paths = [each if is_address(each) else Path(each) for each in arguments.paths]
    with ExitStack() as stack:
        other = None
        if arguments.server is not None:
            from ivfhir.validation.server import ServerValidator  # noqa: PLC0415 - costs 0.1 s, files need it not

            other = stack.enter_context(ServerValidator(arguments.server, token=token))
        fetch = partial(read_address, token=token)
        is_long = other is not None or any(isinstance(e, Path) and e.is_dir() for e in paths)
        watched = stack.enter_context(_progress(is_long=is_long))
        found = validate_paths(paths, check, other=other, fetch=fetch)
        findings = [watched(each) for each in found]
    if findings and not any(each.is_read for each in findings):
        raise _nothing(findings)
    print(FORMATS[arguments.format](findings))
    shortfall = None if other is None else other.shortfall()
    if shortfall is not None:
        print(f"ivfhir: {shortfall}", file=sys.stderr)
    if any(each.count("error") for each in findings):
        return ERRORS
    return SERVER if shortfall is not None else 0


@contextmanager
def _progress(*, is_long: bool) -> Iterator[Callable[[Finding], Finding]]:
    """Show how many resources of a long run are done, on a terminal that has rich."""
    if not is_long or not sys.stderr.isatty():
        yield lambda finding: finding
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.progress import Progress, SpinnerColumn  # noqa: PLC0415
    except ModuleNotFoundError:
        yield lambda finding: finding
        return
    columns = (SpinnerColumn(), "{task.completed:.0f} resources")
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def watch(finding: Finding) -> Finding:
            progress.advance(task)
            return finding

        yield watch


def _check_addresses(arguments: argparse.Namespace, token: str | None) -> None:
    """Refuse addresses that cannot be meant, and one token for several servers.

    Raises:
        UsageError: there are such.
    """
    bases = [base_of(each) for each in arguments.paths if is_address(each)]
    bases += [] if arguments.server is None else [arguments.server]
    servers = {BaseAddress(each).url for each in bases}
    if token is not None and len(servers) > 1:
        raise UsageError(
            "IVFHIR_TOKEN is for one server, and several addresses are given; ask one at a time."
        )


def _nothing(findings: list[Finding]) -> InputError | ServerError:
    """Return the error of a run in which nothing could be read: that of a server, else the first.

    A file that was left out counts where there is nothing else.
    """
    failed = [each for each in findings if each.failure is not None]
    of_server = [each for each in failed if isinstance(each.failure, ServerError)]
    first = [*of_server, *failed, *findings][0].found[0].issue.text
    others = len(findings) - 1
    more = f" Nor could {others} other{'' if others == 1 else 's'} be read." if others else ""
    return (ServerError if of_server else InputError)(f"{first}{more}")


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

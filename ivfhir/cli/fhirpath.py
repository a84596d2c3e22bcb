"""`ivfhir fhirpath`: what an expression gives for a resource, as a JSON array."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ivfhir.cli.clock import as_of
from ivfhir.errors import InputError, UsageError
from ivfhir.expressions.fhirpath import Items, Services, compile_fhirpath, to_json
from ivfhir.fhir.expansions import Members, members_of
from ivfhir.fhir.json import dumps, loads
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.knowledge.package import knowledge_root, read_json
from ivfhir.servers.folder import read_text
from ivfhir.validation import conforms

GIVE = "give a file with one FHIR R4 resource as JSON; it may be a Bundle."
MAX_BYTES = 64 * 2**20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `EXPR FILE [--strict] [--var NAME=JSON]…`."""
    parser.add_argument("expression", metavar="EXPR", help="the FHIRPath expression")
    parser.add_argument("file", metavar="FILE", help="one FHIR R4 resource as JSON")
    parser.add_argument(
        "--strict", action="store_true", help="refuse elements and types that R4 does not have"
    )
    parser.add_argument(
        "--var",
        metavar="NAME=JSON",
        action="append",
        default=[],
        help="a variable, asked for as %%NAME",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the items as a JSON array; return 0.

    Raises:
        FhirPathError: the expression cannot be read, or asks for what the resource cannot give.
        UsageError: a variable is not NAME=JSON.
        InputError: the file cannot be read, or holds no FHIR resource.
    """
    variables = dict(_variable(each) for each in arguments.var)
    resource = read_resource(Path(arguments.file))
    expression = compile_fhirpath(
        arguments.expression,
        context_type=resource["resourceType"] if arguments.strict else None,
        strict=arguments.strict,
        variables=variables,
    )
    items = expression.evaluate(
        resource,
        variables=variables,
        now=as_of(argparse.Namespace(as_of=None)),
        services=Services(
            value_set=lambda url: _members(url, resource),
            conforms=lambda element, url: conforms(element.value, url),
            trace=_trace,
        ),
    )
    print(dumps([to_json(item) for item in items], indent=2))
    return 0


def read_resource(path: Path) -> Resource:
    """Return the resource of a file.

    Raises:
        InputError: it cannot be read, is too large, is not JSON, or no FHIR resource.
    """
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} is larger than {MAX_BYTES // 2**20} MB; give less of it.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; {GIVE}")
    document = loads(read_text(path, path.name, GIVE), place=path.name)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        raise InputError(f"{path.name} is JSON but no FHIR resource (no resourceType); {GIVE}")
    return document


def _variable(text: str) -> tuple[str, Json]:
    name, sign, value = text.partition("=")
    if not sign or not _NAME.fullmatch(name):
        raise UsageError(
            f"--var takes NAME=JSON, such as limit=3 or name='\"x\"', not '{text[:40]}'."
        )
    try:
        read = loads(value, place=f"--var {name}")
    except InputError as error:
        raise UsageError(
            f"{error.message} A text needs its quotes: --var {name}='\"x\"'."
        ) from None
    if _is_nested(read):
        raise UsageError(f"--var {name} has an array in an array, which no collection can be.")
    return name, read


def _is_nested(value: Json) -> bool:
    """Return whether an array stands right in an array, at any depth."""
    rows = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        return False
    direct = isinstance(value, list) and any(isinstance(each, list) for each in value)
    return direct or any(map(_is_nested, rows))


def _members(url: str, resource: Resource) -> Members | None:
    """Return the codes of a value set of the input or of our own knowledge, None for others."""
    canonical, _, version = url.partition("|")
    for value_set in (*_inside(resource), *_ours(canonical)):
        named = value_set.get("resourceType") == "ValueSet" and value_set.get("url") == canonical
        if named and version in ("", value_set.get("version")):
            return members_of(value_set)
    return None


def _inside(resource: Resource) -> Iterator[Resource]:
    """Yield what a resource contains, and what a Bundle holds."""
    contained = resource.get("contained")
    entries = resource.get("entry") if resource["resourceType"] == BUNDLE else None
    found = list(contained) if isinstance(contained, list) else []
    for entry in entries if isinstance(entries, list) else []:
        found.append(entry.get("resource") if isinstance(entry, dict) else None)
    yield from (each for each in found if isinstance(each, dict))


def _ours(canonical: str) -> Iterator[Resource]:
    """Yield our value sets of that id."""
    name = canonical.rpartition("/")[2]
    if _ID.fullmatch(name):
        yield from map(read_json, sorted(knowledge_root().glob(f"*/ValueSet-{name}.json")))


def _trace(name: str, items: Items) -> None:
    print(f"trace {name}: {dumps([to_json(item) for item in items])}", file=sys.stderr)

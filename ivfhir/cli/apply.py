"""`ivfhir apply`: the draft plan of a protocol for a patient."""

import argparse

from ivfhir.cli.answers import answer_patients
from ivfhir.cli.arguments import add_overlay, add_patient
from ivfhir.cli.clock import as_of
from ivfhir.errors import ParameterError
from ivfhir.fhir.contained import collection_bundle
from ivfhir.fhir.json import dumps
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import load_protocol
from ivfhir.knowledge.overlay import load_overlay
from ivfhir.override import OVERRIDE_KINDS
from ivfhir.parameters import as_options, parse_day, typed_parameters
from ivfhir.plan import draft_plan
from ivfhir.plan_text import to_text
from ivfhir.prescribe import split_prescription
from ivfhir.read import PatientRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir apply`."""
    parser.add_argument(
        "definition", metavar="DEFINITION", help="id, canonical url|version, file or folder"
    )
    add_patient(parser)
    add_overlay(parser)
    parser.add_argument("--start", metavar="DATE", required=True, help="day 0 of the plan")
    parser.add_argument(
        "--param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter of the protocol; may be repeated",
    )
    parser.add_argument(
        "--override-reason",
        metavar="TEXT",
        help="why a plan is wanted although the protocol's status is not eligible, in at least 20 "
        "characters",
    )
    parser.add_argument(
        "--override-kind",
        choices=tuple(OVERRIDE_KINDS),
        help="what kind of reason that is",
    )
    parser.add_argument("--format", choices=("careplan", "bundle", "text"), default="careplan")


def run(arguments: argparse.Namespace) -> int:
    """Print the CarePlan, the resources it is made of, or its text; return the exit code.

    Raises:
        NoPlanError: the protocol's status allows no plan.
        IvfhirError: usage, input, knowledge or server; nothing is printed then.
    """
    at = as_of(arguments)
    start = parse_day(arguments.start)
    protocol = load_protocol(arguments.definition, load_overlay(arguments.overlay))
    own, prescription = split_prescription(protocol, _pairs(arguments.param))
    parameters = typed_parameters(protocol, own)

    def answer(record: PatientRecord) -> str:
        try:
            care_plan = draft_plan(
                protocol,
                record,
                as_of=at,
                start=start,
                parameters=parameters,
                override_reason=arguments.override_reason,
                override_kind=arguments.override_kind,
                prescription=prescription,
            )
        except ParameterError as error:
            raise ParameterError(as_options(error.message)) from error
        return _text(care_plan, arguments.format, indent=None if arguments.all else 2)

    return answer_patients(arguments, protocol.resource_types, answer)


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ParameterError(f"'{word}' is no parameter; write --param name=value.")
        if name in pairs:
            raise ParameterError(f"The parameter {name} is given twice; give it once.")
        pairs[name] = value
    return pairs


def _text(care_plan: Resource, wanted: str, *, indent: int | None) -> str:
    if wanted == "text":
        return to_text(care_plan).rstrip("\n")
    if wanted == "bundle":
        # A collection, not a transaction: nothing is written before a clinician confirms (E.1).
        return dumps(collection_bundle(care_plan), indent=indent)
    return dumps(care_plan, indent=indent)

"""`ivfhir evaluate`: every criterion of the protocols, answered with its grounds."""

import argparse

from ivfhir.cli.answers import answer_patients
from ivfhir.cli.arguments import add_patient
from ivfhir.cli.clock import as_of
from ivfhir.cli.text import decision_text
from ivfhir.evaluate import evaluate
from ivfhir.fhir.json import dumps
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol, load_protocols
from ivfhir.read import PatientRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir evaluate`."""
    add_patient(parser)
    parser.add_argument(
        "--protocol",
        metavar="ID",
        action="append",
        help="id, canonical url|version, file or folder; may be repeated; all by default",
    )
    parser.add_argument("--format", choices=("json", "text"), default="json")


def run(arguments: argparse.Namespace) -> int:
    """Print the decisions as JSON or text; return the exit code.

    Raises:
        IvfhirError: usage, input, knowledge or server; nothing is printed then.
    """
    at = as_of(arguments)
    protocols = _protocols(arguments.protocol)
    types = frozenset().union(*(protocol.resource_types for protocol in protocols))

    def answer(record: PatientRecord) -> str:
        decision = evaluate(record, protocols, as_of=at)
        if arguments.format == "text":
            return decision_text(decision, protocols)
        return dumps(decision.to_json(), indent=None if arguments.all else 2)

    return answer_patients(arguments, types, answer)


def _protocols(references: list[str] | None) -> list[ClinicalProtocol]:
    if references is None:
        return list(load_protocols().values())
    return [load_protocol(reference) for reference in dict.fromkeys(references)]

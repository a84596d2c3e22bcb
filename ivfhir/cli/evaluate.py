"""`ivfhir evaluate`: every criterion of the protocols, answered with its grounds."""

import argparse

from ivfhir.cli.answers import answer_patients
from ivfhir.cli.arguments import add_overlay, add_patient
from ivfhir.cli.clock import as_of
from ivfhir.cli.text import decision_text
from ivfhir.evaluate import evaluate
from ivfhir.fhir.json import dumps
from ivfhir.fhir.outcome import exit_code
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_asked, load_protocols
from ivfhir.knowledge.overlay import load_overlay
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import RouteRule, load_route
from ivfhir.read import PatientRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir evaluate`."""
    add_patient(parser)
    add_overlay(parser)
    parser.add_argument(
        "--protocol",
        metavar="ID",
        action="append",
        help="id, canonical url|version, file or folder; may be repeated; all by default",
    )
    parser.add_argument("--format", choices=("json", "text"), default="json")


def run(arguments: argparse.Namespace) -> int:
    """Print the decisions as JSON or text; return the exit code.

    A protocol that is broken, or fails on the patient, says so in its place. The code is that of
    its failure only where no protocol was answered.

    Raises:
        IvfhirError: usage, input, knowledge or server; nothing is printed then.
    """
    at = as_of(arguments)
    registry = Registry(load_overlay(arguments.overlay))
    protocols = _protocols(arguments.protocol, registry)
    route = load_route(registry)
    loaded = [each for each in protocols if isinstance(each, ClinicalProtocol)]
    judged: list[ClinicalProtocol | RouteRule] = [*loaded]
    if isinstance(route, RouteRule):
        judged.append(route)
    types = frozenset[str]().union(*(each.resource_types for each in judged))
    unanswered: list[int] = []

    def answer(record: PatientRecord) -> str:
        decision = evaluate(record, protocols, as_of=at, route=route)
        if not decision.answered:
            unanswered.append(exit_code(decision.failures[0].error))
        if arguments.format == "text":
            return decision_text(decision, protocols)
        return dumps(decision.to_json(), indent=None if arguments.all else 2)

    code = answer_patients(arguments, types, answer)
    return code or next(iter(unanswered), 0)


def _protocols(
    references: list[str] | None, registry: Registry
) -> list[ClinicalProtocol | BrokenProtocol]:
    if references is None:
        return list(load_protocols(registry).values())
    return load_asked(references, registry)

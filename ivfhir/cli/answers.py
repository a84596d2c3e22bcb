"""One answer a patient, written whole or not at all; one who fails does not stop the others."""

import argparse
import sys
from collections.abc import Callable, Collection
from dataclasses import replace

from ivfhir.cli.source import Source, open_source
from ivfhir.errors import EvaluationError, InputError, IvfhirError, NoPlanError
from ivfhir.fhir.json import dumps
from ivfhir.fhir.outcome import exit_code, operation_outcome
from ivfhir.fhir.types import PATIENT
from ivfhir.read import PatientRecord, read_record

Answer = Callable[[PatientRecord], str]
"""Returns the text of one patient's answer, without a line end."""

_OF_ONE_PATIENT = (EvaluationError, InputError, NoPlanError)


def answer_patients(
    arguments: argparse.Namespace, resource_types: Collection[str], answer: Answer
) -> int:
    """Print the answer for the patient, or for every one with `--all`; return the exit code.

    With `--all`, a patient who fails gets a line with an OperationOutcome, and the exit code is the
    first failure's.

    Args:
        arguments: with `patient`, `id` and `all`.
        resource_types: what to read.
        answer: makes the text of one patient's answer.

    Raises:
        IvfhirError: the input cannot be read, or, without `--all`, the answer fails.
    """
    source = open_source(arguments)
    if not arguments.all:
        record = _read(source, source.patient_ids[0], resource_types)
        text = answer(record)
        _warn([*record.unread.values(), *record.notes])
        print(text)
        return 0
    failures: list[IvfhirError] = []
    for patient_id in source.patient_ids:
        try:
            print(answer(_read(source, patient_id, resource_types)))
        except _OF_ONE_PATIENT as error:
            failures.append(error)
            patient = {"reference": f"{PATIENT}/{patient_id}"}
            print(dumps({"patient": patient, "outcome": operation_outcome(error)}))
    if not failures:
        _warn([*source.notes])
        return 0
    count = f"{len(failures)} of {len(source.patient_ids)}"
    _warn([*source.notes, f"{count} patients have no answer; their lines say why."])
    return exit_code(failures[0])


def _read(source: Source, patient_id: str, resource_types: Collection[str]) -> PatientRecord:
    record = read_record(source.repository, patient_id, resource_types)
    return replace(record, notes=(*source.notes, *record.notes))


def _warn(sentences: list[str]) -> None:
    if sentences:
        print(f"ivfhir: {' '.join(sentences)}", file=sys.stderr)

"""One answer a patient, written whole or not at all; one who fails does not stop the others."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
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

    With `--all`, a patient who fails gets a line with an OperationOutcome (as text: the sentence),
    and the exit code is the first failure's.

    Args:
        arguments: with `patient`, `id`, `all` and `format`.
        resource_types: what to read.
        answer: makes the text of one patient's answer.

    Raises:
        IvfhirError: the input cannot be read, or, without `--all`, the answer fails.
    """
    source = open_source(arguments)
    if not arguments.all:
        record = _read(source, source.patient_ids[0], resource_types)
        text = answer(record)
        _warn([*_unread(record.unread), *record.notes])
        print(text)
        return 0
    end = "\n\n" if arguments.format == "text" else "\n"
    failures: list[IvfhirError] = []
    for patient_id in source.patient_ids:
        try:
            text = answer(_read(source, patient_id, resource_types))
        except _OF_ONE_PATIENT as error:
            failures.append(error)
            text = _failure(f"{PATIENT}/{patient_id}", error, arguments.format)
        print(text, end=end)
    _warn([*source.notes, *_failed(len(failures), len(source.patient_ids))])
    return exit_code(failures[0]) if failures else 0


def _read(source: Source, patient_id: str, resource_types: Collection[str]) -> PatientRecord:
    record = read_record(source.repository, patient_id, resource_types)
    return replace(record, notes=(*source.notes, *record.notes))


def _failure(reference: str, error: IvfhirError, wanted: str) -> str:
    if wanted == "text":
        return f"{reference}: {error.message}"
    return dumps({"patient": {"reference": reference}, "outcome": operation_outcome(error)})


def _failed(failures: int, patients: int) -> list[str]:
    if not failures:
        return []
    return [f"{failures} of {patients} patients have no answer; their lines say why."]


def _unread(unread: Mapping[str, str]) -> list[str]:
    """Return the first reason in full, and the other types by name: they mostly share it."""
    if not unread:
        return []
    first, *others = unread
    also = f" Nor could {', '.join(others)}." if others else ""
    return [f"{unread[first]}{also} What rests on that is answered as unknown."]


def _warn(sentences: list[str]) -> None:
    if sentences:
        print(f"ivfhir: {' '.join(sentences)}", file=sys.stderr)

"""A plan for a server that takes nothing of it: files for people to carry, never overwritten blind.

The data are the plan as a Bundle in the server's words; `ivfhir sync` reads them as any other
input. The PDF is beside them.
"""

import os
import re
import uuid
from dataclasses import replace
from pathlib import Path

from ivfhir.errors import InputError, UsageError
from ivfhir.fhir.types import Resource
from ivfhir.pdf import why_no_pdf
from ivfhir.shape import check_shape
from ivfhir.sync.decision import DOWNLOADED, PARKED, REFUSED, UNCHANGED, Decision, Place
from ivfhir.sync.door import Door
from ivfhir.sync.ladder import Rung, lost_on
from ivfhir.sync.mapping import map_references
from ivfhir.sync.parcel import whole_plan
from ivfhir.sync.plans import SyncPlan
from ivfhir.writing.document import draw, plan_bundle

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_NAMESPACE = uuid.UUID("3b0a4f0e-9a55-5d0f-a3a5-7a1d5f6b2c42")


def decide_download(plan: SyncPlan, at: Place, door: Door, patient: str) -> Decision:
    """Return whether a plan is to be written as files, and where.

    Args:
        plan: the plan.
        at: the server, with the folder for such plans.
        door: how it is asked.
        patient: the patient there.

    Raises:
        ServerError: the server could not be asked.
    """
    if at.folder is None:
        return Decision(
            REFUSED,
            reason="The server lets nobody create a CarePlan, nor a document; with --download DIR "
            "the plan is written there as files.",
        )
    mapped = map_references(door, plan, patient, address=at.address)
    whole = whole_plan(mapped)
    try:
        check_shape(whole)
    except InputError as error:
        return Decision(REFUSED, reason=error.message)
    file = at.folder / _file_name(at.name) / f"{_file_name(plan.plan_id)}.json"
    base = Decision(UNCHANGED, patient=patient, door=door, whole=whole, file=file)
    try:
        there = file.read_bytes() if file.exists() else None
    except OSError as error:
        why = _unwritable(at.folder, error).message
        return Decision(PARKED, reason=why, patient=patient, door=door)
    if there == plan_bundle(whole, plan.plan_id) + b"\n":
        return base
    lines = [{"text": each} for each in lost_on(Rung.DOWNLOAD, plan.types)]
    lines += [{"reference": key, "text": why} for key, why in mapped.losses.items()]
    paper = why_no_pdf()
    said = (
        f"{file}; without a PDF: {paper}" if paper else f"{file}, {file.with_suffix('.pdf').name}"
    )
    lines.append({"text": f"Files: {said}"})
    return replace(base, result=DOWNLOADED, differences=tuple(lines))


def save(plan_id: str, decision: Decision, patient: Resource | None) -> None:
    """Write the files of a decision; the data come last, so that they tell that both are there.

    Args:
        plan_id: the plan's identifier.
        decision: from `decide_download`.
        patient: the Patient on the server; None where it cannot be read.

    Raises:
        UsageError: the folder cannot be written to.
    """
    file, whole = decision.file, decision.whole
    if file is None or whole is None:
        raise ValueError("the decision is not to write files")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not why_no_pdf():
            _write(file.with_suffix(".pdf"), draw(whole, patient))
        _write(file, plan_bundle(whole, plan_id) + b"\n")
    except OSError as error:
        raise _unwritable(file.parent, error) from None


def _write(file: Path, data: bytes) -> None:
    """Put a file in its place in one step, readable by its owner alone."""
    new = file.with_name(f".{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(data)
    new.replace(file)


def _file_name(text: str) -> str:
    """Return a name for a file: the text itself where that is safe, else one made from it."""
    if _PLAIN.fullmatch(text):
        return text
    words = re.sub(r"[^A-Za-z0-9]+", "-", text.partition("://")[2] or text).strip("-")[:40]
    return f"{words or 'plan'}-{str(uuid.uuid5(_NAMESPACE, text))[:8]}"


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"{folder} cannot be used for downloads ({error.strerror}); choose another.")

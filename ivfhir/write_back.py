"""Write back: an accepted plan reaches the server once, and what is stored is compared.

A conditional create alone is not enough: servers are known to race on it, and an answer may be
lost after the commit. So the plan is looked for before it is sent and again after every unclear
answer; copies that a careless server stored all the same are withdrawn. Two callers must not send
one plan at the same time: the caller holds a claim on it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
)
from ivfhir.fhir.references import key_of, reference_of
from ivfhir.fhir.types import BUNDLE, OPERATION_OUTCOME, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import created_entries, value_of
from ivfhir.writing.earlier import Ended, read_ended
from ivfhir.writing.outgoing import as_read, check_outgoing, warning_lines
from ivfhir.writing.read_back import Compared, as_carried, compare, find_parts, read_parts
from ivfhir.writing.withdraw import withdraw_copies

LOOKS_S = (0.0, 0.5, 1.5)
"""Pauses before each look after an unclear answer: a slow commit may still come."""

_REFUSALS = (UnauthorisedError, ForbiddenError, RejectedError, ThrottledError)


@dataclass(frozen=True)
class WriteReceipt:
    """What the server holds now.

    Attributes:
        entries: every resource of the plan, compared with what was sent, in the transaction's
            order.
        already_there: the server held the plan before anything was sent.
        withdrawn: references of copies that were marked as entered in error.
        left_over: references of copies that could not be.
        copies_unknown: whether the server stored copies could not be looked for.
        ended: what became of the resources that the plan was to end, read afterwards.
        warnings: what of others' content is not valid FHIR R4 and was sent as it is.
    """

    entries: tuple[Compared, ...]
    already_there: bool
    withdrawn: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    copies_unknown: bool = False
    ended: tuple[Ended, ...] = ()
    warnings: tuple[str, ...] = ()


def write_back(
    repository: Repository, bundle: Resource, *, pause: Callable[[float], None] = time.sleep
) -> WriteReceipt:
    """Write the plan unless the server has it, read it back, and return the receipt.

    Args:
        repository: the server.
        bundle: the transaction from `to_transaction`.
        pause: waits for so many seconds.

    Raises:
        InvalidWriteError: something of ours in it is not valid FHIR R4; nothing was sent.
        ServerError: the plan is not on the server as far as can be seen: it refused, failed, or
            did not answer and has nothing; `may_be_done` where nobody could look, and
            not `looked` where nobody could before. Calling again with the same bundle is safe.
    """
    try:
        found = find_written(repository, bundle)
    except ServerError as error:
        error.looked = False
        raise
    if found is not None:
        return found
    warnings = warning_lines(check_outgoing(bundle, as_read(bundle)))
    places = send(repository, bundle, pause=pause)
    receipt = _receipt_of(repository, bundle, places, already_there=False)
    return replace(receipt, warnings=tuple(warnings))


def find_written(repository: Repository, bundle: Resource) -> WriteReceipt | None:
    """Return the receipt of a plan that is on the server in full; None when it is not."""
    places = _find_all(repository, bundle)
    return None if places is None else _receipt_of(repository, bundle, places, already_there=True)


def _receipt_of(
    repository: Repository, bundle: Resource, places: Mapping[str, str], *, already_there: bool
) -> WriteReceipt:
    """Do as `receipt_of`; after a failure the plan may be there: it was seen, or sent."""
    try:
        return receipt_of(repository, bundle, places, already_there=already_there)
    except ServerError as error:
        error.may_be_done = True
        raise


def _find_all(repository: Repository, bundle: Resource) -> dict[str, str] | None:
    """Return where every part is stored that can be looked for; None when one is missing."""
    if value_of(created_entries(bundle)[0]["resource"]) is None:
        raise ValueError("the transaction's plan carries no identifier")
    parts = find_parts(repository, bundle)
    places = {value: reference_of(copies[0]) for value, copies in parts.items() if copies}
    return places if len(places) == len(parts) else None


def send(
    repository: Repository, bundle: Resource, *, pause: Callable[[float], None] = time.sleep
) -> dict[str, str]:
    """Send a plan that was just looked for, and return where its parts are, by identifier value.

    Raises:
        ServerError: as of `write_back`.
    """
    try:
        return _send_once(repository, bundle, pause)
    except TokenRenewedError as error:
        if error.may_be_done:
            raise
        return _send_once(repository, bundle, pause)


def _send_once(
    repository: Repository, bundle: Resource, pause: Callable[[float], None]
) -> dict[str, str]:
    """Send a plan, look for it where the answer is unclear, and return where its parts are.

    Raises:
        ServerError: as of `write_back`.
    """
    try:
        return created_places(bundle, repository.transact(bundle))
    except ServerError as error:
        # A gateway may refuse the token for the answer of what the server behind it did.
        if isinstance(error, _REFUSALS) and not isinstance(error, TokenRenewedError):
            raise
        places, seen = _look_again(repository, bundle, pause)
        if places is None:
            error.may_be_done = not seen
            raise error from None
        return places


def _look_again(
    repository: Repository, bundle: Resource, pause: Callable[[float], None]
) -> tuple[dict[str, str] | None, bool]:
    """Look for the plan after an unclear answer: it may be stored, or still on its way.

    Returns:
        Where its parts are, None when it is not seen; whether the last look was answered.
    """
    seen = False
    for pause_s in LOOKS_S:
        pause(pause_s)
        try:
            places = _find_all(repository, bundle)
        except UnauthorisedError as error:
            error.may_be_done = True
            raise
        except ServerError:
            seen = False
            continue
        seen = True
        if places is not None:
            return places, True
    return None, seen


def created_places(bundle: Resource, response: Resource) -> dict[str, str]:
    """Return where each created entry went, by identifier value.

    Raises:
        BadAnswerError: the answer is no transaction-response that says so for every entry, in the
            order of the request.
    """
    answers = response.get("entry", [])
    sound = isinstance(answers, list) and all(map(_is_answer, answers))
    if response.get("resourceType") != BUNDLE or not sound or len(answers) != len(bundle["entry"]):
        outcome = response if response.get("resourceType") == OPERATION_OUTCOME else None
        raise BadAnswerError(
            "The server answered the transaction with something else; look whether the plan is "
            "there.",
            outcome=outcome,
        )
    places = {}
    changed = {each["request"]["url"] for each in bundle["entry"]}
    for entry, answer in zip(bundle["entry"], answers, strict=True):
        if not str(answer["response"].get("status", "")).startswith("2"):
            outcome = answer["response"].get("outcome")
            raise BadAnswerError(
                "The server reports an entry of the transaction as not done; look whether the "
                "plan is there.",
                outcome=outcome if isinstance(outcome, dict) else None,
            )
        if entry["request"]["method"] == "POST":
            value = value_of(entry["resource"])
            places[str(value)] = _place(entry["resource"]["resourceType"], answer)
    if not changed.isdisjoint(places.values()):
        raise BadAnswerError(
            "The server answered the transaction in another order; look whether the plan is there."
        )
    return places


def _is_answer(answer: object) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("response"), dict)


def _place(resource_type: str, answer: Mapping[str, Resource]) -> str:
    """Return `Type/id` of an answer, from its location or the resource in it."""
    location = str(answer["response"].get("location", ""))
    steps = location.split("/_history/", maxsplit=1)[0].rstrip("/").split("/")
    if len(steps) > 1 and steps[-2] == resource_type:
        return f"{resource_type}/{steps[-1]}"
    stored = answer.get("resource")
    if isinstance(stored, dict):
        found = key_of(stored) if stored.get("resourceType") == resource_type else None
        if found is not None:
            return str(found)
    raise BadAnswerError(
        "The server does not say where it put an entry; look whether the plan is there."
    )


def receipt_of(
    repository: Repository,
    bundle: Resource,
    places: Mapping[str, str],
    *,
    already_there: bool,
    strict: bool = False,
) -> WriteReceipt:
    """Settle copies of a plan that was sent or found, read every part of it and compare it.

    Args:
        repository: the server.
        bundle: the transaction.
        places: where the parts of the plan are, by identifier value.
        already_there: the server held the plan before anything was sent.
        strict: raise what fails for the moment, since another look may tell; else the receipt says
            what could not be looked for or read.
    """
    unknown = False
    try:
        kept, withdrawn, left_over = withdraw_copies(repository, bundle, places, strict=strict)
    except ServerError as error:
        if strict or isinstance(error, UnauthorisedError):
            raise
        kept, withdrawn, left_over, unknown = dict(places), (), (), True
    kept, stored = as_carried(kept, read_parts(repository, kept, strict=strict, may_refuse=True))
    return WriteReceipt(
        compare(bundle, kept, stored),
        already_there,
        withdrawn,
        left_over,
        copies_unknown=unknown,
        ended=read_ended(repository, bundle, strict=strict),
    )

"""In words: what ends with an earlier plan when it is replaced, what stays, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.types import GOAL, REQUEST_GROUP
from ivfhir.wording import dates, words
from smart_app.visit.documents import CHOSEN, GAVE_WAY, NOT_ALLOWED

_NO_ORDERS = (GOAL, REQUEST_GROUP)


@dataclass(frozen=True)
class Left:
    """Parts of an earlier plan that stay for one reason."""

    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Replacement:
    """What happens, or happened, to the earlier plans; `doubtful`: not seen to be as it should.

    `title` stands above it, `help` says what to do about what is doubtful.
    """

    sentences: tuple[str, ...]
    left: tuple[Left, ...]
    doubtful: tuple[str, ...] = ()
    title: str = "The earlier plan"
    help: str = ""


def part_name(part: Mapping[str, Any]) -> str:
    """Return `Safety check, segment 1 (ServiceRequest/12)`."""
    title = part["title"] or ("Order group" if part["reference"].startswith(REQUEST_GROUP) else "")
    return f"{title} ({part['reference']})" if title else str(part["reference"])


def before_replacing(earlier: Sequence[Mapping[str, Any]]) -> Replacement:
    """Return what would happen to the active plans of a draft's body if they were replaced."""
    parts = _parts(earlier)
    ending = [part for part in parts if not part["stays"]]
    return Replacement(_sentences(earlier, parts, ending, "will be"), _left(parts))


def after_replacing(
    earlier: Sequence[Mapping[str, Any]], ended: Sequence[Mapping[str, str]]
) -> Replacement:
    """Return what happened to the plans that were replaced.

    Args:
        earlier: the plans as they were accepted to be replaced, with their parts.
        ended: what was read afterwards of everything that was to end.
    """
    parts = _parts(earlier)
    seen = {each["reference"] for each in ended if each["status"] == each["wanted"]}
    gone = [part for part in parts if part["reference"] in seen]
    plans = [plan for plan in earlier if plan["reference"] in seen]
    names = {part["reference"]: part_name(part) for part in parts}
    doubtful = tuple(
        f"{names.get(each['reference'], each['reference'])}: "
        + (
            f"it was to become {each['wanted']}, and reads {each['status']}"
            if each["status"]
            else "it could not be read back"
        )
        for each in ended
        if each["reference"] not in seen
    )
    sentences = _sentences(plans, parts, gone, "was" if len(plans) == 1 else "were")
    return Replacement(sentences if plans else (), _left(parts), doubtful)


def document_title(document: Mapping[str, str]) -> str:
    """Return `Lung plan, 3 Mar 2025`."""
    made = dates.day(document["date"]) if document["date"] else ""
    return ", ".join(each for each in (document["title"], made) if each)


def document_name(document: Mapping[str, str], *, own: bool = False) -> str:
    """Return `Lung plan, 3 Mar 2025 (DocumentReference/12)`."""
    tried = "from an earlier try to write this plan: " if own else ""
    return f"{tried}{document_title(document)} ({document['reference']})"


def after_documents(
    documents: Mapping[str, Any], ended: Sequence[Mapping[str, str]], *, draft_id: str
) -> Replacement | None:
    """Return what happened to the documents of earlier plans; None where there were none.

    Args:
        documents: what the receipt keeps of what was to become of them.
        ended: what was read afterwards of those that were to end.
        draft_id: the plan's identifier; an earlier document of it is of this plan.
    """
    told = {each["reference"]: each for each in ended}
    sentences, doubtful, spared = [], [], []
    for each in documents["ended"]:
        name = document_name(each, own=each["plan"] == draft_id)
        found = told.get(each["reference"])
        if found is None:  # It is the one that was written.
            continue
        if found["status"] and found["status"] == found["wanted"]:
            sentences.append(f"Ended, since this document takes its place: {name}.")
        elif found.get("why") == GAVE_WAY:
            spared.append(name)
        else:
            doubtful.append(f"{name}: {_why_not_ended(found)}")
    if documents["unread"]:
        sentences.append(
            "Whether another document of a plan of this protocol is in the record could not be "
            "looked up. If there was one, it was left as it was."
        )
    reason = _KEPT.get(documents["why"], "")
    names = tuple(document_name(each) for each in documents["kept"])
    left = (Left(reason, names), Left(GAVE_WAY, tuple(spared)))
    if not (sentences or doubtful or names or spared):
        return None
    return Replacement(
        tuple(sentences),
        tuple(each for each in left if each.names),
        tuple(doubtful),
        title="Documents of earlier plans",
        help="The new document says that it takes their place. Look in the EHR, and mark there as "
        "superseded what is still current."
        if doubtful
        else "",
    )


_KEPT = {
    CHOSEN: "you chose to keep it current beside this one",
    NOT_ALLOWED: "the EHR does not let the app change documents; it stayed current beside this one",
}


def _why_not_ended(found: Mapping[str, str]) -> str:
    if not found["status"]:
        return "it could not be read, so whether it ended is not known"
    return found["why"] or f"it was to become {found['wanted']}, and reads {found['status']}"


def _parts(earlier: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [part for plan in earlier for part in plan.get("parts", ())]


def _sentences(
    plans: Sequence[Mapping[str, Any]],
    parts: Sequence[Mapping[str, Any]],
    ending: Sequence[Mapping[str, Any]],
    verb: str,
) -> tuple[str, ...]:
    """Return sentences such as `The earlier plan and 37 of its 40 orders will be revoked`."""
    one = len(plans) == 1
    subject = "The earlier plan" if one else f"The {len(plans)} earlier plans"
    its, it = ("its", "it") if one else ("their", "them")
    orders, goals = _orders(parts), _goals(parts)
    if orders:
        some = f"{len(_orders(ending))} of {its} {words.count(len(orders), 'order')}"
        joint = "were" if verb == "was" else verb
        first = f"{subject} and {some} {joint} revoked{_cancelled(ending)}."
        if not _orders(ending):
            first = f"{subject} {verb} revoked; none of {its} {words.count(len(orders), 'order')}."
    elif inside := sum(plan.get("inside", 0) for plan in plans):
        first = f"{subject} {verb} revoked, with the {words.count(inside, 'order')} inside {it}."
    else:
        first = f"{subject} {verb} revoked; no orders of {it} were found."
    sentences = [first]
    if goals:
        closed = len(_goals(ending))
        past = "was" if closed == 1 else "were"
        sentences.append(
            f"{closed} of {its} {words.count(len(goals), 'goal')} "
            f"{verb if verb == 'will be' else past} cancelled."
        )
    return tuple(sentences)


def _cancelled(ending: Sequence[Mapping[str, Any]]) -> str:
    """Say that a medicine or task ends as `cancelled`: FHIR has no `revoked` for them."""
    count = sum(part["reference"].startswith(("MedicationRequest/", "Task/")) for part in ending)
    return f" ({count} of them, medicines or tasks, as cancelled)" if count else ""


def _orders(parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [part for part in parts if part["reference"].partition("/")[0] not in _NO_ORDERS]


def _goals(parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [part for part in parts if part["reference"].startswith(f"{GOAL}/")]


def _left(parts: Sequence[Mapping[str, Any]]) -> tuple[Left, ...]:
    by_reason: dict[str, list[str]] = {}
    for part in parts:
        if part["stays"]:
            by_reason.setdefault(part["stays"], []).append(part_name(part))
    return tuple(Left(reason, tuple(names)) for reason, names in by_reason.items())

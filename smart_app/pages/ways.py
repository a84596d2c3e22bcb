"""How a plan leaves the app, in words: before anything is accepted, and on the receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.references import Key
from ivfhir.fhir.types import DOCUMENT_REFERENCE
from smart_app.pages.standing import Standing, standing_in
from smart_app.smart.launch import Launch
from smart_app.visit.way import ALONE, DOCUMENT, FILES, SINGLES, Way

_TITLES = {
    SINGLES: "A plan goes into this EHR one entry after the other",
    ALONE: "A plan goes into this EHR as one care plan, without separate orders",
    DOCUMENT: "A plan goes into this EHR as a document only",
    FILES: "A plan cannot be written to this EHR",
}
_LOST = {
    SINGLES: "For a moment others may see a part of the plan. If the EHR refuses an entry, those "
    "written before it are marked as entered in error, where the EHR lets the app do so, and you "
    "are told which are left.",
    ALONE: "Orders and goals are inside the care plan: no work list shows them, and none can be "
    "marked as begun or done by itself. No signature entry is written; who accepted the plan "
    "stands in it.",
    DOCUMENT: "The plan goes in as one document: a PDF to read, with the plan's data attached. "
    "There will be no care plan in the record, and no work list shows its steps.",
    FILES: "Accepting writes nothing. Afterwards you can download the plan, as a PDF and as data, "
    "and bring it into the record yourself.",
}
_NO_PAPER = (
    "No PDF can be made here: what draws it is not installed. Whoever runs the app can install "
    "WeasyPrint and Pango."
)


@dataclass(frozen=True)
class WayNote:
    """What a page says of a plan that does not go in as entries, all together.

    Attributes:
        kind: `singles`, `alone`, `document` or `files`.
        title: how it goes.
        why: why, a sentence each.
        lost: what that means.
    """

    kind: str
    title: str
    why: tuple[str, ...]
    lost: str


def way_note(way: Way | None) -> WayNote | None:
    """Return what a page says before the clinician starts; None where entries go in together."""
    if way is None or way.kind not in _LOST:
        return None
    lost = _LOST[way.kind]
    if way.kind == FILES and not way.has_pdf:
        lost = f"{lost.replace(', as a PDF and as data,', ' as data')} {_NO_PAPER}"
    return WayNote(way.kind, _TITLES[way.kind], way.why, lost)


def how_written(kept: Mapping[str, Any], server: str) -> str:
    """Return how a written plan went to the EHR of that name, from its receipt."""
    again = "Accepting again, or sending again, does not write twice."
    if kept.get("way") == DOCUMENT:
        return f"The plan went to {server} as one document. {again}"
    if kept.get("way") == ALONE:
        return f"The plan went to {server} as one care plan, its orders and goals inside. {again}"
    if kept.get("way") == SINGLES:
        return f"The entries went to {server} one by one. {again}"
    return f"All entries went to {server} as one transaction. {again}"


def document_standing(launch: Launch, kept: Mapping[str, Any]) -> Standing | None:
    """Return how the document of a receipt stands now; None where the plan is no document.

    Raises:
        UnauthorisedError: the launch's access ended.
    """
    found = next(
        (each for each in kept.get("entries", ()) if each["type"] == DOCUMENT_REFERENCE), None
    )
    if found is None:
        return None
    key = Key(DOCUMENT_REFERENCE, str(found["reference"]).rpartition("/")[2])
    standing = standing_in(launch, key)
    return Standing("active") if standing.status == "current" else standing

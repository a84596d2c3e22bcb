"""A CarePlan as a document that people read: HTML for paper, the same for the same plan.

It says what the plan says and nothing more: who it is for, by what protocol, whether anybody
signed it, and each step with its days in words, its dose and its conditions.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import escape
from itertools import groupby

from ivfhir.activity.due import Due, due_of
from ivfhir.fhir.people import patient_identifier, patient_name
from ivfhir.fhir.texts import sound_name, sound_text
from ivfhir.fhir.types import GOAL, PROVENANCE, REQUEST_GROUP, Resource
from ivfhir.knowledge.actions import walk_actions
from ivfhir.wording import dates

_SEX = {"male": "male", "female": "female", "other": "other"}
_STANDING = {
    "draft": "Proposal. Not signed: no clinician has accepted this plan.",
    "on-hold": "This plan is on hold.",
    "revoked": "This plan was revoked. It is not to be followed.",
    "completed": "This plan is completed.",
    "entered-in-error": "This plan was entered in error. It is not to be followed.",
}
_UNKNOWN = "It is not known whether anybody signed this plan."
_NOT_ORDERS = "The steps are proposals, not orders: each has to be ordered in the record system."
_ALL_ORDERS = "The steps are orders: the record system says where each stands."
_SOME_ORDERS = "Some steps are orders already, others are proposals: see the record system."
_ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
OUR_DEFINITIONS = "https://ivfhir.example/fhir/PlanDefinition/"
"""How the canonicals of our protocols begin."""

_DOSE_NOT_SHOWN = "Dose not shown, see the data."
_REQUESTS = frozenset(
    {
        "CommunicationRequest",
        "DeviceRequest",
        "MedicationRequest",
        "NutritionOrder",
        "ServiceRequest",
        "Task",
        "VisionPrescription",
    }
)
_CODE_ELEMENTS = ("code", "medicationCodeableConcept")

_STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm;
  @bottom-left { content: string(foot); font-size: 8pt; width: 80% }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font-size: 8pt } }
html { font-family: "Noto Sans", "DejaVu Sans", sans-serif; font-size: 9.5pt; line-height: 1.4 }
h1 { font-size: 15pt; line-height: 1.25; margin: 0 0 2mm }
h2 { font-size: 11.5pt; margin: 6mm 0 1.5mm; break-after: avoid }
p, ul { margin: 0 0 1.5mm } ul { padding-left: 4.5mm }
.foot { string-set: foot content(); height: 0; overflow: hidden; margin: 0 }
.standing { border: 1pt solid #000; padding: 2mm 3mm; font-weight: bold; margin: 3mm 0 }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
th, td { text-align: left; vertical-align: top; padding: 1.2mm 2mm 1.2mm 0;
  overflow-wrap: anywhere }
.steps td, .steps th { border-top: .4pt solid #999 } tr { break-inside: avoid }
.who th { width: 34mm } .when { width: 46mm } .small { font-size: 8.5pt }
"""


def to_html(care_plan: Resource, *, patient: Resource | None) -> str:
    """Return the plan as an HTML document.

    Args:
        care_plan: with all that belongs to it contained; of ours or of anybody.
        patient: the Patient as the record has it; None where it could not be read.
    """
    contained = {str(each.get("id", "")): each for each in care_plan.get("contained", ())}
    title = _line(care_plan.get("title")) or "Care plan"
    who = _who(patient)
    foot = f"{who[0][1]}, {who[-1][0].lower()} {who[-1][1]}. {title}"
    body = [
        f'<p class="foot">{escape(foot)}</p>',
        f"<h1>{escape(title)}</h1>",
        _table("who", who),
        f'<p class="standing">{escape(standing_sentence(care_plan))}</p>',
        _table("who", _what(care_plan)),
        _paragraphs([*_texts([care_plan.get("description")]), *_notes(care_plan)]),
        *_section("Goals", _goals(contained.values())),
        *_steps(care_plan, contained),
        *_section("What has to hold", _conditions(contained.values())),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>"
    )


def standing_sentence(care_plan: Resource) -> str:
    """Return whether anybody signed the plan, and what that means for its steps."""
    status = str(care_plan.get("status", ""))
    author = _line(care_plan.get("author", {}).get("display"))
    signed: Resource = next(
        (each for each in care_plan.get("contained", ()) if each["resourceType"] == PROVENANCE), {}
    )
    said = _STANDING.get(status, "" if status == "active" else _UNKNOWN)
    if status in ("active", "on-hold"):
        accepted = _accepted(author, care_plan, signed) or _unsigned(author)
        return " ".join(each for each in (accepted, said, _orders_sentence(care_plan)) if each)
    return said


def _accepted(author: str, care_plan: Resource, signed: Resource) -> str:
    """Return who accepted the plan and when; '' where the plan does not say who.

    R4's author is who is responsible, a device or the patient too; in our own plans it is who
    accepted it, in those of others only where a signature names the same.
    """
    own = care_plan.get("author", {})
    agents = [each.get("who", {}) for each in signed.get("agent", ())]
    same = any(_is_same(who, own) for who in agents)
    is_ours = any(
        str(each).startswith(OUR_DEFINITIONS) for each in care_plan.get("instantiatesCanonical", ())
    )
    if not author or not (same or is_ours):
        return ""
    try:
        when = dates.moment(datetime.fromisoformat(str(signed.get("recorded", ""))))
    except ValueError:
        return f"Accepted by {author}."
    return f"Accepted by {author} on {when}."


def _is_same(who: Resource, author: Resource) -> bool:
    """Tell whether two References name the same; a name alone counts where one has no more."""
    name = "reference" if who.get("reference") and author.get("reference") else "display"
    return bool(who.get(name)) and who[name] == author.get(name)


def _unsigned(author: str) -> str:
    return f"{_UNKNOWN} It names {author} as its author." if author else _UNKNOWN


def _orders_sentence(care_plan: Resource) -> str:
    """Return whether the steps are orders, as their requests say."""
    requests = [
        each for each in care_plan.get("contained", ()) if each["resourceType"] in _REQUESTS
    ]
    ordered = [
        each
        for each in requests
        if each.get("intent") in _ORDERED and each.get("status") not in ("draft", None)
    ]
    if not ordered:
        return _NOT_ORDERS
    return _ALL_ORDERS if len(ordered) == len(requests) else _SOME_ORDERS


def _who(patient: Resource | None) -> list[tuple[str, str]]:
    if patient is None:
        return [("Patient", "Name not known here"), ("Identifier", "not known here")]
    name, value = patient_identifier(patient)
    born = dates.day(patient.get("birthDate")) or "not recorded"
    sex = _SEX.get(str(patient.get("gender", "")), "not recorded")
    return [("Patient", patient_name(patient)), ("Born", born), ("Sex", sex), (name, _line(value))]


def _what(care_plan: Resource) -> Iterator[tuple[str, str]]:
    named = [*care_plan.get("instantiatesCanonical", ()), *care_plan.get("instantiatesUri", ())]
    if named:
        yield "Protocol", "; ".join(_protocol(str(each)) for each in named)
    if care_plan.get("created"):
        yield "Made on", dates.day(str(care_plan["created"]))
    period = care_plan.get("period", {})
    days = _days(Due(None, period.get("start"), period.get("end")))
    if days:
        yield "From, to", days


def _protocol(canonical: str) -> str:
    """Return `LUNG, version 0.2.0 (https://…/PlanDefinition/LUNG)`."""
    url, _, version = canonical.partition("|")
    name = url.rstrip("/").rpartition("/")[2]
    return f"{name}{f', version {version}' if version else ''} ({url})"


def _goals(contained: Iterable[Resource]) -> list[str]:
    goals = [each for each in contained if each["resourceType"] == GOAL]
    return _texts(each.get("description", {}).get("text") for each in goals)


def _steps(care_plan: Resource, contained: Mapping[str, Resource]) -> Iterator[str]:
    """Yield a table of the steps, by day; what has no day comes last."""
    rows: list[tuple[str, str, str, str]] = []
    shown: set[str] = set()
    for group in (each for each in contained.values() if each["resourceType"] == REQUEST_GROUP):
        for action in walk_actions(group):
            key = str(action.get("resource", {}).get("reference", "")).removeprefix("#")
            if "resource" in action:
                shown.add(key)
                rows.append(_step(contained.get(key, {}), action))
    orders = [
        each
        for key, each in contained.items()
        if key not in shown and each["resourceType"] in _REQUESTS
    ]
    rows += [_step(each, {}) for each in orders]
    details = (each["detail"] for each in care_plan.get("activity", ()) if "detail" in each)
    rows += [_detail(each) for each in details]
    if not rows:
        yield "<h2>Steps</h2><p>The plan names none.</p>"
        return
    rows.sort(key=lambda row: row[0] or "9999")
    yield '<h2>Steps</h2><table class="steps"><thead><tr><th class="when">When</th>'
    yield "<th>What</th></tr></thead><tbody>"
    for when, same in groupby(rows, key=lambda row: row[1]):
        first = when or "No day is planned"
        for _, _, title, text in same:
            yield f'<tr><td class="when">{escape(first)}</td>'
            yield f"<td><strong>{escape(title)}</strong>{text}</td></tr>"
    yield "</tbody></table>"


def _step(request: Resource, action: Resource) -> tuple[str, str, str, str]:
    """Return the day that a step is sorted by, its days in words, its title, and what it says."""
    due = due_of(request, action)
    title = _line(action.get("title")) or _concept(request) or str(request.get("resourceType", ""))
    said = [
        *_standing_of(request),
        action.get("description"),
        *_doses(request),
        *(each.get("contentString") for each in request.get("payload", ())),
        request.get("description"),
        *(each.get("text") for each in request.get("note", ())),
    ]
    lines = [each for each in _texts(said) if each != title]
    only = [
        _line(each.get("expression", {}).get("description")).partition(". ")[0].rstrip(".")
        for each in action.get("condition", ())
        if each.get("kind") == "start"
    ]
    lines += [f"Only if: {'; '.join(each for each in only if each)}."] if any(only) else []
    return due.last or "", _days(due), _whether(request, title), _paragraphs(lines)


def _whether(step: Resource, title: str) -> str:
    """Return a step's title; of what is not to be done, it says so."""
    return f"Do not: {title}" if step.get("doNotPerform") is True else title


def _standing_of(request: Resource) -> Iterator[str]:
    """Yield a request's status where it is not that of a step to come."""
    status = _line(request.get("status"))
    if request and status not in ("draft", "active"):
        yield f"Status: {status or 'not recorded'}."


def _doses(request: Resource) -> Iterator[str]:
    """Yield each dose in its own words, or that it has none."""
    for each in request.get("dosageInstruction", ()):
        yield next(iter(_texts([each.get("text")])), _DOSE_NOT_SHOWN)


def _detail(detail: Resource) -> tuple[str, str, str, str]:
    period = detail.get("scheduledPeriod", {})
    timing = detail.get("scheduledTiming", {})
    due = due_of({"occurrenceTiming": timing, "executionPeriod": period})
    written = _line(detail.get("scheduledString"))
    title = _concept(detail) or "Step"
    said = [
        detail.get("description"),
        written,
        _DOSE_NOT_SHOWN if {"quantity", "dailyAmount"} & detail.keys() else "",
        f"Status: {detail.get('status', 'not recorded')}.",
    ]
    return due.last or "", _days(due), _whether(detail, title), _paragraphs(_texts(said))


def _concept(resource: Resource) -> str:
    for name in _CODE_ELEMENTS:
        concept = resource.get(name, {})
        codes = (each.get("display") for each in concept.get("coding", ()))
        found = next(iter(_texts([concept.get("text"), *codes])), "")
        if found:
            return found
    return ""


def _days(due: Due) -> str:
    """Return `Mon 10 Mar 2025 (possible 10 to 12 Mar 2025)`, as far as it is known."""
    day, low, high = (dates.parse_day(each) for each in (due.day, due.earliest, due.latest))
    if low is not None and high is not None:
        window = dates.days(low, high)
    else:
        window = f"from {dates.day(low)}" if low else f"until {dates.day(high)}" if high else ""
    if day is None:
        return window or dates.day(due.day)
    planned = dates.weekday_day(day)
    return planned if not window or low == high == day else f"{planned} (possible {window})"


def _conditions(contained: Iterable[Resource]) -> list[str]:
    """Return each condition of the steps once: what for, and its words."""
    groups = [each for each in contained if each["resourceType"] == REQUEST_GROUP]
    said = {"start": "To begin", "stop": "To stop", "applicability": "To apply"}
    return list(
        dict.fromkeys(
            f"{said.get(str(each.get('kind')), 'Condition')}: {words}"
            for group in groups
            for action in walk_actions(group)
            for each in action.get("condition", ())
            if (words := _line(each.get("expression", {}).get("description")))
        )
    )


def _notes(resource: Resource) -> list[str]:
    return _texts(each.get("text") for each in resource.get("note", ()))


def _texts(values: Iterable[object]) -> list[str]:
    """Return what is text, each once."""
    found = (sound_text(each).strip() for each in values if isinstance(each, str))
    return list(dict.fromkeys(each for each in found if each))


def _line(text: object) -> str:
    return sound_name(text, longest=2000) if isinstance(text, str) else ""


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{escape(each)}</li>" for each in lines)
        yield f"<h2>{title}</h2><ul>{items}</ul>"


def _table(name: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{escape(head)}</th><td>{escape(said)}</td></tr>" for head, said in rows)
    return f'<table class="{name}">{"".join(cells)}</table>'


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f'<p class="small">{escape(each)}</p>' for each in lines)

"""What became different between a draft and the record as it is now."""

from collections.abc import Mapping
from typing import Any

from ivfhir.wording import dates, words
from smart_app.pages.facts import FactWriter
from smart_app.pages.findings import Finding, read_findings
from smart_app.pages.notes import entry_words
from smart_app.pages.regimens import without_names
from smart_app.pages.replacing import part_name
from smart_app.visit.accepting import Change
from smart_app.visit.draft import Basis

_NO_DOSE = "no dose"


def find_changes(before: Basis, now: Basis, writer: FactWriter) -> list[Change]:
    """Return the differences between what a draft rests on and what it would rest on now.

    Args:
        before: what it rests on.
        now: the same of the present reading.
        writer: turns evidence into facts.
    """
    return [
        *_day(before, now),
        *_death(before, now),
        *_facts(before.decision, now.decision, writer),
        *_answers(before.decision, now.decision, writer),
        *_versions(before, now, writer),
        *_earlier(before, now),
        *_documents(before, now),
        *_doses(before, now),
    ]


def _doses(before: Basis, now: Basis) -> list[Change]:
    """Return that the regimen cannot be given any more, and the doses that are others now."""
    held, holds = before.doses, now.doses
    changes = []
    if now.refused:
        changes.append(Change("Regimen", "can be given", without_names(now.refused)))
    return changes + [
        Change(f"Dose of {drug}", held.get(drug, _NO_DOSE), holds.get(drug, _NO_DOSE))
        for drug in dict.fromkeys([*held, *holds])
        if held.get(drug) != holds.get(drug)
    ]


def _day(before: Basis, now: Basis) -> list[Change]:
    days = [dates.parse_day(each.as_of) for each in (before, now)]
    if days[0] == days[1]:
        return []
    return [Change("Day of the answers", dates.day(days[0]), dates.day(days[1]))]


def _death(before: Basis, now: Basis) -> list[Change]:
    said = [
        "recorded as died" if each.subject.get("deceased") else "alive" for each in (before, now)
    ]
    return [] if said[0] == said[1] else [Change("Patient", said[0], said[1])]


def _facts(before: Mapping[str, Any], now: Mapping[str, Any], writer: FactWriter) -> list[Change]:
    held, holds = _by_concept(before, writer), _by_concept(now, writer)
    return [
        Change(
            words.concept(key),
            "; ".join(held.get(key) or [_absent(key, before, now)]),
            "; ".join(holds.get(key) or [_absent(key, now, before)]),
        )
        for key in dict.fromkeys([*held, *holds])
        if held.get(key) != holds.get(key)
    ]


def _absent(key: str, entry: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return why a fact of the other answers is not among these: it is not there, or not read."""
    asked = {
        criterion["id"]
        for criterion in other["criteria"]
        if any(evidence.get("concept") == key for evidence in criterion.get("evidence", ()))
    }
    unread = {criterion["id"] for criterion in entry["criteria"] if criterion.get("unread")}
    return words.NOT_READ if asked & unread else "not in the record"


def _by_concept(entry: Mapping[str, Any], writer: FactWriter) -> dict[str, list[str]]:
    """Return value and date of every fact, by concept; ages change by themselves."""
    found: dict[str, list[str]] = {}
    for criterion in entry["criteria"]:
        for evidence in criterion.get("evidence", ()):
            fact = writer.fact(
                {name: value for name, value in evidence.items() if name != "ageDays"}
            )
            text = ", ".join(part for part in (fact.value, fact.when) if part)
            texts = found.setdefault(fact.key, [])
            if text not in texts:
                texts.append(text)
    return found


def _answers(before: Mapping[str, Any], now: Mapping[str, Any], writer: FactWriter) -> list[Change]:
    held = {finding.id: finding for finding in read_findings(before, writer)}
    changes = [
        Change(finding.title, _verdict(held.get(finding.id)), _verdict(finding))
        for finding in read_findings(now, writer)
        if _verdict(held.get(finding.id)) != _verdict(finding)
    ]
    if before["status"] != now["status"]:
        changes.append(
            Change("Answer", words.STATUS[before["status"]], words.STATUS[now["status"]])
        )
    if before["version"] != now["version"]:
        changes.append(
            Change("Rules", f"{before['id']} {before['version']}", f"{now['id']} {now['version']}")
        )
    return changes


def _verdict(finding: Finding | None) -> str:
    if finding is None:
        return "not asked"
    return ", ".join(part for part in (finding.verdict, finding.lacks_words) if part)


def _versions(before: Basis, now: Basis, writer: FactWriter) -> list[Change]:
    changes = []
    for reference, version in now.versions.items():
        held = before.versions.get(reference)
        if held is not None and held != version:
            entry = entry_words(writer.resources.get(reference), reference.partition("/")[0])
            changes.append(Change(words.capitalise(entry), f"version {held}", f"version {version}"))
    return changes


def _earlier(before: Basis, now: Basis) -> list[Change]:
    said = [_plan_words(each) for each in (before, now)]
    only_told = before.plans_unread and not (now.plans_unread or now.earlier)
    plans = (
        [] if only_told or said[0] == said[1] else [Change("Active plans of this protocol", *said)]
    )
    return [*plans, *_parts(before, now)]


def _plan_words(basis: Basis) -> str:
    if basis.plans_unread:
        return "could not be looked for"
    named = (f"{plan['reference']} version {plan['version']}" for plan in basis.earlier)
    return ", ".join(named) or "none"


def _documents(before: Basis, now: Basis) -> list[Change]:
    said = [_document_words(each) for each in (before, now)]
    if said[0] == said[1]:
        return []
    return [Change("Current documents of plans of this protocol", *said)]


def _document_words(basis: Basis) -> str:
    if basis.documents is None:
        return "could not be looked for"
    named = (f"{each['reference']} version {each['version']}" for each in basis.documents)
    return ", ".join(named) or "none"


def _parts(before: Basis, now: Basis) -> list[Change]:
    """Return what became different in what the active plans refer to."""
    held, holds = _by_reference(before), _by_reference(now)
    return [
        Change(f"Earlier plan: {name}", held.get(name, "not there"), holds.get(name, "not there"))
        for name in dict.fromkeys([*held, *holds])
        if held.get(name) != holds.get(name)
    ]


def _by_reference(basis: Basis) -> dict[str, str]:
    return {
        part_name(part): ", ".join(
            text
            for text in (
                part["status"] or "could not be read",
                f"version {part['version']}" if part["version"] else "",
                f"stays: {part['stays']}" if part["stays"] else "ends with its plan if replaced",
            )
            if text
        )
        for plan in basis.earlier
        for part in plan.get("parts", ())
    }

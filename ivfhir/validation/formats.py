"""Findings as text for people, and as JSON, JUnit and SARIF for machines."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from ivfhir.fhir.json import dumps
from ivfhir.validation.address import is_address
from ivfhir.validation.findings import NO_RESOURCE, UNREADABLE, Finding, Found
from ivfhir.validation.side_by_side import IVFHIR, SERVER

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What neither XML may hold nor a terminal should get; line feeds, too, in what is one line."""
_NUMBER = re.compile(r"\[\d+\]")
BEFORE, WIDTH = 40, 110
"""Of a long line of source so many characters are shown: before the place, and in all."""
LEVELS = {"error": "error", "warning": "warning", "information": "note"}
"""SARIF's words for severities."""
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(findings: Sequence[Finding]) -> str:
    """Return each issue with its place and the line of source under it, and the sum of all.

    What is wrong in the same way at several places of a resource is one message, at the first.
    """
    lines = [line for each in findings for line in _texts(each)]
    errors, warnings = (sum(e.count(s) for e in findings) for s in ("error", "warning"))
    resources = sum(each.is_read for each in findings)
    counts = (
        _count(resources, "resource"),
        _count(errors, "error"),
        _count(warnings, "warning"),
    )
    return "\n".join([*lines, ", ".join(counts), *_sides(findings)])


def _sides(findings: Sequence[Finding]) -> list[str]:
    """Return a line that counts who says what, where a server was asked."""
    answers = [each.found for each in findings if each.answered]
    asked = sum(each.answered is not None for each in findings)
    if not asked:
        return []
    said = [who_says(found) for answer in answers for found in answer]
    counts = ", ".join(f"{said.count(who)} {who}" for who in (BOTH, IVFHIR, SERVER))
    return [f"side by side in {len(answers)} of {asked}: {counts}"]


BOTH = "both"


def who_says(found: Found) -> str:
    """Return whose an issue is: BOTH, IVFHIR or SERVER."""
    return found.by if found.also is None else BOTH


def _texts(finding: Finding) -> list[str]:
    alike: dict[tuple[str, ...], list[Found]] = {}
    for found in finding.found:
        said = _NUMBER.sub("[]", found.issue.text)
        alike.setdefault((found.issue.rule, said, who_says(found)), []).append(found)
    return [line for group in alike.values() for line in _text(finding, group[0], len(group) - 1)]


def _text(finding: Finding, found: Found, others: int = 0) -> list[str]:
    place = ":".join(str(e) for e in (finding.file, found.line, found.column) if e is not None)
    more = f" (and at {_count(others, 'more place')})" if others else ""
    who = "" if not finding.answered else f" ({_WHO[who_says(found)]})"
    said = f"{place}: {found.issue.severity}{who}: {found.issue.text} [{found.issue.rule}]{more}"
    lines = [_seen(said)]
    if found.source and found.column is not None:
        start = max(0, found.column - 1 - BEFORE)
        lead = "…" if start else ""
        shown = _seen(found.source[start : start + WIDTH].replace("\t", " "))
        more = "…" if len(found.source) > start + WIDTH else ""
        lines += [
            f"    {lead}{shown}{more}",
            " " * (4 + len(lead) + found.column - 1 - start) + "^",
        ]
    if found.also is not None:
        also = found.also
        lines.append(_seen(f"    the server: {also.severity}: {also.text} [{also.rule}]"))
    return lines


_WHO = {BOTH: "both", IVFHIR: "only ivfhir", SERVER: "only the server"}


def _seen(text: str) -> str:
    return _UNSEEN.sub("\ufffd", text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def as_json(findings: Sequence[Finding]) -> str:
    """Return a list of findings, in the order of the files, also the clean ones."""
    return dumps([each.as_json() for each in findings], indent=2)


def as_junit(findings: Sequence[Finding]) -> str:
    """Return a test case a resource, with a failure where it has errors."""
    failed = sum(each.count("error") > 0 for each in findings)
    suite = ElementTree.Element(
        "testsuite", name="ivfhir validate", tests=str(len(findings)), failures=str(failed)
    )
    for finding in findings:
        place = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        name = _seen(finding.resource or (NO_RESOURCE if finding.failure is None else UNREADABLE))
        case = ElementTree.SubElement(suite, "testcase", classname=_seen(place), name=name)
        errors = [each for each in finding.found if each.issue.severity == "error"]
        if errors:
            failure = ElementTree.SubElement(case, "failure", message=_seen(errors[0].issue.text))
            failure.text = "\n".join("\n".join(_text(finding, each)) for each in errors)
        others = [each for each in finding.found if each.issue.severity != "error"]
        if others:
            out = ElementTree.SubElement(case, "system-out")
            out.text = "\n".join("\n".join(_text(finding, each)) for each in others)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def as_sarif(findings: Sequence[Finding]) -> str:
    """Return SARIF 2.1.0: a result an issue (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""
    rules = {found.issue.rule: None for each in findings for found in each.found}
    driver = {"name": "ivfhir", "rules": [{"id": rule} for rule in rules]}
    results = [_result(each, found) for each in findings for found in each.found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding, found: Found) -> dict[str, Any]:
    name = finding.file
    uri = name if is_address(name) else quote(Path(name).as_posix())
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if found.line is not None:
        physical["region"] = {"startLine": found.line, "startColumn": found.column}
    location: dict[str, Any] = {"physicalLocation": physical}
    if found.issue.expression:
        location["logicalLocations"] = [{"fullyQualifiedName": found.issue.expression}]
    result = {
        "ruleId": found.issue.rule,
        "level": LEVELS[found.issue.severity],
        "message": {"text": found.issue.text},
        "locations": [location],
    }
    if finding.answered:
        said = {} if found.also is None else {"server": found.also.text}
        result["properties"] = {"by": who_says(found)} | said
    return result

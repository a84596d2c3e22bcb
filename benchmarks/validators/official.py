"""HL7's official cases for validators: which of them ask for R4 alone, and what they expect.

The manifest is `validator/manifest.json` of org.hl7.fhir.testcases. Each case that is left out has
the first of these reasons; no case is named.
"""

import csv
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.json import loads
from ivfhir.validation import Issue, validate_resource
from tools import maven

CASES = Path(__file__).parents[2] / "tests" / "official"
REASONS = Path(__file__).with_name("official.csv")
OTHERS = Path(__file__).with_name("others.csv")
FOLDER = "org/hl7/fhir/testcases/validator"
R4 = frozenset({"4.0", "4.0.1"})
SAID = frozenset(
    {
        "brianpos",
        "comment",
        "crumb-trail",
        "description",
        "documentation",
        "dotnet-brianpos",
        "explanation",
        "fhir-validator-cli-options",
        "file",
        "firely-sdk-current",
        "firely-sdk-wip",
        "java",
        "module",
        "name",
        "no-tx",
        "profile",
        "supporting5",
        "tags",
        "use-test",
        "version",
    }
)
"""Keys of a case that ask for nothing but R4. What `profile` asks has an outcome of its own;
`no-tx` is a case without a terminology server, and `supporting5` is of another version."""
OTHER_WORK = {
    "dsig": "asks whether signatures are genuine, by certificates",
    "tx-advanced": "asks for value sets with parameters, which R4 does not have",
}
"""Modules of the manifest that ask for something else than R4's rules."""
BY_SERVER = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-server"
"""The extension of an issue that a terminology server said."""
FOREIGN = ("http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/")
"""Code systems of others: what an error says of their codes, a terminology server knows."""
OF_CODES = ("Wrong Display Name", "Wrong whitespace in Display Name", "is not valid in the system")
UNKNOWN_EXTENSION = "could not be found so is not allowed here"
"""The suite is run in a mode that refuses every extension of a package that was not loaded; HL7's
command and HAPI take them, as R4 asks of who reads a resource, and so do we."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case that asks for R4 alone.

    Attributes:
        name: as the manifest names it, or its file.
        module: as the manifest says.
        text: the resource.
        expected: what HL7's validator says that it is wrong.
    """

    name: str
    module: str
    text: str
    expected: tuple[str, ...]


def read_cases(jar: zipfile.ZipFile) -> tuple[list[Case], dict[str, int]]:
    """Return the cases that ask for R4 alone, and how many others there are for each reason."""
    cases, others = list[Case](), dict[str, int]()
    manifest = json.loads(jar.read(f"{FOLDER}/manifest.json"))
    for each in manifest["test-cases"]:
        expected = _expected(jar, each)
        reason = _reason(each) or _needs_server(expected)
        if reason is not None:
            others[reason] = others.get(reason, 0) + 1
            continue
        text = jar.read(f"{FOLDER}/{each['file']}").decode("utf-8")
        said = tuple(e["details"]["text"] for e in expected if not _is_policy(e))
        cases.append(Case(each["name"], each.get("module", ""), text, said))
    return cases, others


def _reason(case: dict[str, Any]) -> str | None:
    if case.get("version") not in R4:
        return "is of another version of FHIR"
    if not case["file"].endswith(".json"):
        return "is no JSON"
    if case.get("use-test") is False:
        return "is switched off"
    if case.get("module") in OTHER_WORK:
        return OTHER_WORK[case["module"]]
    more = sorted(set(case) - SAID)
    return f"asks for more than R4: {', '.join(more)}" if more else None


def _expected(jar: zipfile.ZipFile, case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the errors that HL7's Java validator has."""
    said = case.get("java")
    if isinstance(said, str):
        outcome = json.loads(jar.read(f"{FOLDER}/outcomes/{said}"))
    else:
        outcome = (said or {}).get("outcome", {})
    issues = outcome.get("issue", [])
    return [each for each in issues if each["severity"] in ("error", "fatal")]


def _needs_server(expected: list[dict[str, Any]]) -> str | None:
    """Return a reason where every error is about codes that a terminology server knows."""
    asked = [each for each in expected if not _is_policy(each)]
    if asked and all(_is_of_server(each) for each in asked):
        return "needs a terminology server"
    return None


def _is_of_server(issue: dict[str, Any]) -> bool:
    if any(each["url"] == BY_SERVER for each in issue.get("extension", [])):
        return True
    text = issue["details"]["text"]
    return any(each in text for each in OF_CODES) and any(each in text for each in FOREIGN)


def _is_policy(issue: dict[str, Any]) -> bool:
    return UNKNOWN_EXTENSION in issue["details"]["text"]


def ours(case: Case) -> list[Issue]:
    """Return the errors that we have."""
    try:
        raw = loads(case.text, place=case.name)
    except InputError as error:
        return [Issue("error", "structure", "", error.message, "unreadable", ())]
    return [each for each in validate_resource(raw) if each.severity == "error"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far HL7's validator and we agree.

    Attributes:
        cases: that ask for R4 alone.
        apart: names of those where one of the two has an error and the other none.
        others: how many cases are left out, by reason.
    """

    cases: int
    apart: tuple[str, ...]
    others: dict[str, int]

    @property
    def share(self) -> float:
        """The part of the cases on which both agree."""
        return round(1 - len(self.apart) / self.cases, 4)


def agreement(jar: zipfile.ZipFile) -> Agreement:
    """Return how far we agree."""
    cases, others = read_cases(jar)
    apart = [each.name for each in cases if bool(ours(each)) != bool(each.expected)]
    return Agreement(len(cases), tuple(apart), others)


def explained(found: Agreement) -> dict[str, str]:
    """Return the reason of each disagreement, empty where the table has none."""
    known = reasons()
    return {each: known.get(each, "") for each in found.apart}


def reasons() -> dict[str, str]:
    """Return the reasons of the table, by case."""
    with REASONS.open(encoding="utf-8", newline="") as rows:
        return {row["case"]: row["reason"] for row in csv.DictReader(rows)}


def others_text(others: dict[str, int]) -> str:
    """Return the table of what is left out: a line a reason."""
    lines = [f'"{reason}",{count}' for reason, count in sorted(others.items())]
    return "\n".join(["reason,cases", *lines]) + "\n"


def write_others(others: dict[str, int]) -> None:
    """Write that table."""
    OTHERS.write_text(others_text(others), encoding="utf-8")


@contextmanager
def fetched_cases() -> Iterator[zipfile.ZipFile]:
    """Open the jar of the cases, fetched with Maven where it is not here.

    Raises:
        tools.maven.JavaMissingError: no Java or no Maven.
    """
    folder = Path(maven.build(CASES).partition("/*")[0])
    with zipfile.ZipFile(next((folder / "lib").glob("fhir-test-cases-*.jar"))) as jar:
        yield jar

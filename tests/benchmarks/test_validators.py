"""Our validator beside HL7's cases, faults made on purpose, and HAPI's: short runs with bounds."""

import json
import zipfile
from io import BytesIO

import pytest

from benchmarks.validators import faults, judge, mutants, official
from benchmarks.validators.__main__ import BOUNDS, chance_figures, missed_bounds, small_examples
from benchmarks.validators.changes import CHANGES
from benchmarks.validators.faults import KINDS
from benchmarks.validators.tree import elements_of
from ivfhir.validation import Issue
from tests.official.cases import official_cases  # noqa: F401 - a fixture
from tests.servers.needs import need
from tools import maven
from tools.r4 import source

PROFILES = "needs profiles"
PATIENT = {"resourceType": "Patient", "active": True, "name": [{"family": "x"}]}


@pytest.fixture(scope="module")
def bases():
    need(source.missing_npm())
    return small_examples()


def test_each_fault_is_told_at_its_place(bases):
    made = list(mutants.faulty(bases, 500, seed=7))
    wrong = mutants.missed(made)
    assert {each.kind for each in made} == set(KINDS)
    assert len(KINDS) >= 20
    assert f"of {len(KINDS)} kinds" in (faults.__doc__ or "")
    assert len(wrong) <= len(made) * (1 - BOUNDS["faults"]), [(e.kind, e.name) for e in wrong]


def test_what_mutants_are_made_of_has_no_error(bases):
    assert len(bases) > 500
    assert [name for name, each in bases if mutants.errors_of(each)] == []


def test_a_seed_gives_the_same_mutants_again(bases):
    few = bases[:40]
    for make in (mutants.faulty, mutants.by_chance):
        assert list(make(few, 30, seed=3)) == list(make(few, 30, seed=3))
        assert list(make(few, 30, seed=3)) != list(make(few, 30, seed=4))
    changed = list(mutants.by_chance(few, 60, seed=3))
    assert {each.kind for each in changed} == set(CHANGES)
    assert all(each.resource != dict(few)[each.name] for each in changed)


def issue(*pointer):
    return Issue("error", "value", "Patient", "is wrong.", "type-date", pointer)


@pytest.mark.parametrize(
    ("pointer", "told"),
    [
        (("name", 0, "family"), True),
        (("name", 0), True),
        (("name", 0, "family", "x"), True),
        (("name",), False),
        (("birthDate",), False),
        ((), False),
    ],
)
def test_an_error_counts_only_at_the_fault_or_at_what_holds_it(pointer, told):
    mutant = mutants.Mutant("unquoted", "x", PATIENT, ("name", 0, "family"))
    assert mutants.is_told(mutant, [issue(*pointer)]) is told
    assert mutants.is_told(mutant, []) is False


def test_a_fault_of_the_whole_resource_is_told_at_no_element_of_it():
    mutant = mutants.Mutant("missing_element", "x", PATIENT, ())
    assert mutants.is_told(mutant, [issue()]) is True
    assert mutants.is_told(mutant, [issue("birthDate")]) is False


def test_elements_know_their_types_and_ways():
    found = {each.pointer: each.slot.type_name for each in elements_of(PATIENT)}
    assert found == {
        ("active",): "boolean",
        ("name", 0): "HumanName",
        ("name", 0, "family"): "string",
    }


def test_with_hl7s_cases_we_agree_and_each_disagreement_has_its_reason(official_cases):  # noqa: F811
    found = official.agreement(official_cases)
    assert found.cases > 150
    assert found.share >= BOUNDS["official"]
    assert all(official.explained(found).values()), official.explained(found)
    left = {name for name, reason in official.reasons().items() if reason != PROFILES}
    assert left <= set(found.apart)
    assert official.others_text(found.others) == official.OTHERS.read_text(encoding="utf-8")


def case(**words):
    return {"name": "c", "file": "c.json", "version": "4.0", "java": "o.json"} | words


def outcome(*errors):
    issues = [{"severity": "error", "details": {"text": each}} for each in errors]
    return {"resourceType": "OperationOutcome", "issue": issues}


@pytest.mark.parametrize(
    ("words", "errors", "reason"),
    [
        ({}, ["x"], None),
        ({"profile": {"source": "p.json"}}, [], None),
        ({"use-test": True}, [], None),
        ({"use-test": False}, [], "is switched off"),
        ({"version": "5.0"}, [], "is of another version of FHIR"),
        ({"file": "c.xml"}, [], "is no JSON"),
        ({"module": "dsig"}, [], "asks whether signatures are genuine, by certificates"),
        ({"packages": ["p"], "ips": "au"}, [], "asks for more than R4: ips, packages"),
        ({}, ["Wrong Display Name 'x' for http://loinc.org#1"], "needs a terminology server"),
        ({}, ["Wrong Display Name 'x' for http://loinc.org#1", "other"], None),
        ({}, ["The extension x could not be found so is not allowed here"], None),
    ],
)
def test_a_case_is_left_out_by_rule_alone(words, errors, reason):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as jar:
        manifest = {"test-cases": [case(**words)]}
        jar.writestr(f"{official.FOLDER}/manifest.json", json.dumps(manifest))
        jar.writestr(f"{official.FOLDER}/outcomes/o.json", json.dumps(outcome(*errors)))
        jar.writestr(f"{official.FOLDER}/c.json", json.dumps(PATIENT))
    with zipfile.ZipFile(packed) as jar:
        cases, others = official.read_cases(jar)
        found = official.agreement(jar) if cases else None
    assert others == ({reason: 1} if reason else {})
    if found is not None:
        policy = any("not allowed here" in each for each in errors)
        assert found.apart == (("c",) if errors and not policy else ())


def test_a_missed_bound_is_told():
    told = {
        "official": {"agreement": 0.94, "disagreements": {"x": ""}},
        "examples": {"r4": {"falseErrors": ["a.json: type-date"]}},
        "faults": {"caught": 1.0},
        "chance": {"agreement": 1.0},
        "speed": {"medianMs": 0.3},
        "coldS": 1.2,
    }
    assert missed_bounds(told) == [
        "official is 0.94, at least 0.95",
        "coldS is 1.2, at most 1.0",
        "a false error in a.json: type-date",
        "x has no reason in official.csv",
    ]


@pytest.mark.server
def test_hapi_judges_alike(bases, monkeypatch):
    need(maven.missing_java())
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", " ".join(maven.QUICK_START))  # Nobody reads its rate.
    with judge.started() as hapi:
        assert hapi.judge(PATIENT).errors == ()
        (error,) = hapi.judge({**PATIENT, "birthDate": "1960-13"}).errors
        assert error.startswith("Patient.birthDate")
        told = chance_figures(hapi, bases[:12], 48, seed=5)
    assert told["agreement"] >= 0.85
    assert set(told["byKind"]) == set(CHANGES)

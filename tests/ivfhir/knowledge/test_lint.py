"""The rules of authoring, on our own protocols and on broken copies of them."""

import json
import shutil
from functools import cache

import pytest

from ivfhir.expressions.elm.program import Program
from ivfhir.knowledge import lint as lint_module
from ivfhir.knowledge.lint import lint, main
from ivfhir.knowledge.package import REGIMENS, SHARED, knowledge_root, read_json
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.rules.cql import criterion_findings, text_findings

PLAN = "lung/PlanDefinition-LUNG.json"


@cache
def compiled_lung() -> Program:
    registry = Registry()
    package = registry.package(knowledge_root() / "lung")
    registry.library(package, read_json(knowledge_root() / PLAN)["library"][0])
    return registry.program


class CompiledOnce(Registry):
    """A registry that has LUNG's libraries; a library that a test changes is refused as another."""

    def __init__(self):
        super().__init__()
        self.program = compiled_lung()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of LUNG and what all protocols share, which a test may break."""
    monkeypatch.setattr(lint_module, "Registry", CompiledOnce)
    root = tmp_path / "plan_definitions"
    for name in ("lung", REGIMENS, SHARED):
        shutil.copytree(
            knowledge_root() / name, root / name, ignore=shutil.ignore_patterns("cases")
        )
    for cases in knowledge_root().glob("*/cases"):
        if (root / cases.parent.name).is_dir():
            (root / cases.parent.name / "cases").symlink_to(cases)
    return root


def change(root, name, **changes):
    """Set elements of a file's resource; None removes one."""
    path = root / name
    resource = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in resource.items() if v is not None}))


def leaf(root):
    """Return the PlanDefinition and its first leaf action, to be changed and written back."""
    resource = json.loads((root / PLAN).read_text())
    return resource, resource["action"][0]["action"][0]["action"][0]


def test_a_regimen_that_cannot_be_read_is_told(package):
    change(package, "regimens/PlanDefinition-RG-LM7.json", reviewer=None)
    [finding] = lint(package)
    assert finding.startswith("regimens/PlanDefinition-RG-LM7.json: PlanDefinition RG-LM7 is no")


def test_our_protocols_keep_the_rules():
    assert lint() == []


def test_exit_status_tells(package, capsys):
    assert main([str(package)]) == 0
    change(package, PLAN, publisher=None)
    assert main([str(package)]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{PLAN}: publisher is missing",
        "protocols: 1 findings",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "finding"),
    [
        (PLAN, {"status": "active"}, "status must be draft"),
        (PLAN, {"experimental": None}, "experimental true"),
        (PLAN, {"date": None}, "date is missing"),
        (PLAN, {"approvalDate": "2026-01-01"}, "approvalDate must be absent"),
        (PLAN, {"lastReviewDate": None}, "no review date"),
        (PLAN, {"version": "0.3.0"}, "no row for version 0.3.0"),
        ("shared/ValueSet-inr.json", {"expansion": None}, "its expansion is missing"),
        ("shared/ValueSet-inr.json", {"extension": None}, "no review date"),
        ("shared/ValueSet-inr.json", {"id": "other"}, "must be named ValueSet-other.json"),
        ("shared/ValueSet-inr.json", {"url": "https://x.example/a"}, "url must end in"),
        ("lung/Library-LUNG.json", {"content": []}, "content must be"),
        ("lung/ActivityDefinition-LUNG-A03.json", {"intent": "order"}, "intent must be proposal"),
        ("lung/ActivityDefinition-LUNG-A03.json", {"version": "9"}, "the package holds 9"),
        (
            "lung/ActivityDefinition-LUNG-A05.json",
            {"dosage": [{"doseAndRate": []}]},
            "a dose stands in it",
        ),
        ("lung/ActivityDefinition-LUNG-A05.json", {"doNotPerform": False}, "never set"),
    ],
)
def test_broken_artefact_is_found(package, name, changes, finding):
    change(package, name, **changes)
    assert any(finding in each for each in lint(package)), lint(package)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"documentation": []}, "quality and strength of evidence"),
        ({"title": ""}, "title is missing"),
        ({"relatedAction": [{"actionId": "LUNG-A99"}]}, "relates to LUNG-A99"),
        ({"goalId": ["LUNG-O9"]}, "serves the goal LUNG-O9"),
        ({"id": "LUNG#A14"}, "letters, digits"),
        ({"dynamicValue": []}, "no action uses LUNG_A14_Window"),
        (
            {"definitionCanonical": "https://ivfhir.example/fhir/ActivityDefinition/B|0.1.0"},
            "ActivityDefinition/B|0.1.0 is not in the package",
        ),
    ],
)
def test_broken_action_is_found(package, changes, finding):
    plan, action = leaf(package)
    action |= changes
    (package / PLAN).write_text(json.dumps(plan))
    assert any(finding in each for each in lint(package)), lint(package)


def test_define_that_does_not_exist_is_found(package):
    plan, action = leaf(package)
    action["dynamicValue"][0]["expression"]["expression"] = "LUNG_A99_Date"
    (package / PLAN).write_text(json.dumps(plan))
    assert any("names LUNG_A99_Date" in each for each in lint(package))


def test_readme_that_leaves_out_a_criterion_or_names_no_case_is_found(package):
    readme = package / "lung" / "README.md"
    text = readme.read_text().replace("| `C-AGE` |", "| Age |").replace("in-ecog-2", "in-ecog-9")
    text = text.replace("`embolic_min_um`", "particle size")
    readme.write_text(text.replace("LUNG-O5", "the last goal"))
    findings = lint(package)
    assert f"{PLAN}: LUNG_Criteria lists C_AGE_Criterion, but the README lists no C-AGE" in findings
    assert "lung/README.md: the case in-ecog-9 does not exist" in findings
    assert "lung/README.md: LUNG-O5 is not mentioned" in findings
    assert "lung/README.md: the parameter embolic_min_um is not mentioned" in findings


def test_missing_parts_of_a_protocol_are_found(package):
    (package / "lung" / "README.md").unlink()
    assert lint(package) == ["lung/README.md: it is missing"]
    (package / "lung" / "cql" / "LUNG.json").unlink()
    assert any("make knowledge" in each for each in lint(package))
    (package / PLAN).unlink()
    assert "lung: 0 PlanDefinitions; a protocol has one" in lint(package)


@pytest.mark.parametrize(
    "cql",
    [
        "define A: Today()",
        "define A: Now( )",
        "define A: TimeOfDay()",
        "define A: AgeInYears() >= 18",
        "define A: @2025-03-03",
        "define A: @T12",
    ],
)
def test_clock_and_dates_are_banned_in_cql(cql):
    [finding] = text_findings(f"library A\n{cql}\n")
    assert finding.startswith("line 2: ")


def test_words_in_comments_strings_and_names_are_not_code():
    cql = "// Today()\n/* Now()\n@2025 */ define \"Now()\": 'it\\'s @2025' & AgeInYearsAt(AsOf)"
    assert list(text_findings(cql)) == []


def test_the_readme_and_the_list_of_criteria_name_the_same():
    assert list(criterion_findings(["C-AGE", "X-A"], ["X_B", "X_A"], "LUNG_Criteria")) == [
        "criterion C-AGE of the README is not listed in LUNG_Criteria",
        "LUNG_Criteria lists X_B_Criterion, but the README lists no X-B",
    ]

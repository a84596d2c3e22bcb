"""Each statement of the seeds leads to the elements that cite it."""

import json

import pytest

from tools.traceability import __main__ as tool
from tools.traceability.elements import citations, cited
from tools.traceability.page import elements_of, page
from tools.traceability.statements import Statement, readings, statements

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "KIDNEY",
    "relatedArtifact": [
        {"type": "justification", "label": "evidence", "display": "One series only (S3-05)."},
        {"type": "documentation", "label": "KIDNEY-R01", "display": "A record sets it. (S3-14)"},
        {"type": "documentation", "label": "I-03", "display": "Read as the same session."},
        {"type": "citation", "label": "S0", "citation": "S0, a text (000_70.txt)."},
    ],
    "goal": [{"id": "KIDNEY-O1", "documentation": [{"type": "citation", "label": "S0-09"}]}],
    "action": [
        {
            "id": "KIDNEY-session.2",
            "documentation": [{"type": "citation", "label": "S3-19, R11"}],
            "action": [
                {
                    "id": "KIDNEY-A03.2",
                    "definitionCanonical": "https://ivfhir.example/fhir/ActivityDefinition/KIDNEY-A03|0.2.0",
                    "documentation": [
                        {"type": "citation", "label": "S0-08"},
                        {"type": "documentation", "label": "KIDNEY-T1", "display": "(S3-12)"},
                    ],
                    "condition": [
                        {"expression": {"expression": "KIDNEY_G01", "description": "(S3-07)"}}
                    ],
                }
            ],
        }
    ],
}
ACTIVITY = {
    "resourceType": "ActivityDefinition",
    "id": "KIDNEY-A14",
    "relatedArtifact": [{"type": "citation", "label": "S0-01 to S0-03"}],
}
CODES = {
    "resourceType": "CodeSystem",
    "id": "io",
    "concept": [{"code": "io-artery", "definition": "A feeding artery (S3-06)."}],
}
FORM = {
    "resourceType": "Questionnaire",
    "id": "KIDNEY-parameters",
    "item": [{"linkId": "interval", "text": "Days between rounds (S0-19)"}],
}
MODULE = '"""CALC-12: what the seeds claim (S0-15, S0-16)."""\n# S0-31 in a remark\n'


def literal(text):
    return {"type": "Literal", "value": text}


def define(name, expression):
    return {"name": name, "expression": expression}


def criterion(name, source):
    about = [("id", name), ("source", source)]
    elements = [{"name": key, "value": literal(text)} for key, text in about]
    return {"type": "FunctionRef", "operand": [{"type": "Tuple", "element": elements}]}


ELM = {
    "library": {
        "identifier": {"id": "KIDNEY"},
        "statements": {
            "def": [
                define("X_BLEED_Criterion", criterion("X-BLEED", "seed: S0-29")),
                define("KIDNEY_Note", literal("the reading I-11 stands beside it")),
                define("ROUTE_Text", literal("limited disease (S0-24)")),
            ]
        },
    }
}


@pytest.fixture
def built(tmp_path):
    """A repository with one invented protocol."""
    write(tmp_path / "plan_definitions/kidney/PlanDefinition-KIDNEY.json", PLAN)
    write(tmp_path / "plan_definitions/kidney/ActivityDefinition-KIDNEY-A14.json", ACTIVITY)
    write(tmp_path / "plan_definitions/kidney/Questionnaire-KIDNEY-parameters.json", FORM)
    write(tmp_path / "plan_definitions/kidney/cql/KIDNEY.json", ELM)
    write(tmp_path / "plan_definitions/shared/CodeSystem-io.json", CODES)
    write(tmp_path / "ivfhir/dosing/utilisation.py", MODULE)
    write(tmp_path / "docs/decisions.md", "Both words are one unit (S3-23).")
    write(tmp_path / "docs/traceability.md", "S0-32 stood here.")
    return tmp_path


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("seed: S0-29; lit-conf: SIR 2019 [R1]", ["S0-29"]),
        ("S0-01 to S0-03", ["S0-01", "S0-02", "S0-03"]),
        ("(S3-09, S3-15)", ["S3-09", "S3-15"]),
        ("S0-09 to S3-11", ["S0-09", "S3-11"]),
        ("read by I-03", ["I-03"]),
        ("X-I-03a, LUNG-I01, R11, S0, 1S0-01", []),
    ],
)
def test_a_label_is_cited_alone_or_in_a_range(text, labels):
    assert list(cited(text)) == labels


@pytest.mark.parametrize(
    ("label", "kind", "name"),
    [
        ("S3-05", "text", "evidence"),
        ("S3-14", "rule", "KIDNEY-R01"),
        ("I-03", "reading", "I-03"),
        ("S0-09", "goal", "KIDNEY-O1"),
        ("S3-19", "part of the plan", "KIDNEY-session"),
        ("S0-08", "action", "KIDNEY-A03"),
        ("S3-12", "exit or stop", "KIDNEY-T1"),
        ("S3-07", "condition", "KIDNEY-G01"),
        ("S0-02", "action", "KIDNEY-A14"),
        ("S3-06", "code", "io-artery"),
        ("S0-19", "parameter", "interval"),
        ("S0-29", "criterion", "X-BLEED"),
        ("I-11", "define", "KIDNEY_Note"),
        ("S0-15", "calculator", "ivfhir/dosing/utilisation.py"),
        ("S3-23", "document", "docs/decisions.md"),
    ],
)
def test_each_kind_of_element_is_found_by_what_it_cites(built, label, kind, name):
    [element] = citations(built)[label]
    assert (element.kind, element.name) == (kind, name)


def test_neither_a_remark_nor_the_page_itself_realises_a_statement(built):
    assert "S0-31" not in citations(built)
    assert "S0-32" not in citations(built)


def test_a_document_realises_only_what_is_to_be_said_in_words(built):
    found = citations(built)
    assert elements_of(Statement("S3-23", "two items", "read as the same unit"), found)
    assert not elements_of(Statement("S3-23", "two items", "rule KIDNEY-R02"), found)


def test_a_calculator_and_the_route_go_by_their_number_in_the_specification(built):
    found = citations(built)
    assert "CALC-12" in found["S0-15"][0].ids
    assert "ROUTE" in found["S0-24"][0].ids


@pytest.mark.parametrize(
    ("realised_as", "named"),
    [
        ("activities LUNG-A04, A09", ["LUNG-A04", "LUNG-A09"]),
        ("CALC-14/15 explanatory text", ["CALC-14", "CALC-15"]),
        ("rule ROUTE", ["ROUTE"]),
        ("X-BLEED", ["X-BLEED"]),
        ("schedule (I-01, I-02)", []),
        ("education", []),
    ],
)
def test_the_elements_that_the_specification_names_are_read(realised_as, named):
    assert Statement("S0-01", "", realised_as).named == named


def test_the_page_says_what_is_realised_by_nothing_and_what_does_not_cite(built):
    own = [
        Statement("S0-15", "a sixth", "CALC-12"),
        Statement("S0-24", "limited | wide", "rule ROUTE, X-DISSEM"),
        Statement("S3-01", "surgery", "C-SURG"),
    ]
    text = page(citations(built), own, [Statement("I-03", "at the end", "same session")])
    assert (
        "| S0-15 | a sixth | CALC-12 | calculator `CALC-12 in ivfhir/dosing/utilisation.py` |"
        in text
    )
    assert "limited \\| wide" in text
    assert "define `ROUTE_Text`. *Named, without citing it*: `X-DISSEM` |" in text
    assert "| S3-01 | surgery | C-SURG | **none** |" in text
    assert "| I-03 | at the end | same session | reading `I-03 of KIDNEY` |" in text


def test_check_fails_on_a_statement_that_stands_nowhere_and_on_a_stale_page(built, capsys):
    assert tool.main(["check"], built) == 1
    told = capsys.readouterr()
    assert "S0-31 stands nowhere" in told.err
    assert "is stale" in told.err
    assert tool.main(["build"], built) == 0
    assert "is stale" not in capsys.readouterr().err
    assert tool.main(["check"], built) == 1
    labels = ", ".join(each.label for each in [*statements(), *readings()])
    write(built / "plan_definitions/kidney/ActivityDefinition-all.json", {**ACTIVITY, "x": labels})
    tool.main(["build"], built)
    assert tool.main(["check"], built) == 0
    assert capsys.readouterr().out.endswith("66 of 66 realised\n")


def test_every_statement_and_reading_of_the_specification_is_there_once():
    labels = [each.label for each in [*statements(), *readings()]]
    assert labels == [
        *(f"S0-{n:02}" for n in range(1, 33)),
        *(f"S3-{n:02}" for n in range(1, 24)),
        *(f"I-{n:02}" for n in range(1, 12)),
    ]
    assert all(each.says and each.realised_as for each in [*statements(), *readings()])

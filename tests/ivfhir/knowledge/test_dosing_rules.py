"""The rules of section C as data: what is wrong in the file is refused, never passed over."""

import copy
import json
import tomllib
from decimal import Decimal

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.dosing_rules import FILE, dosing_rules, rules_of, windows_of
from ivfhir.knowledge.lint import window_findings
from ivfhir.knowledge.package import ROOT_VARIABLE, read_json, regimens_folder, shared_folder
from ivfhir.knowledge.regimens import read_regimen

TEXT = (shared_folder() / FILE).read_text(encoding="utf-8")
TABLE = tomllib.loads(TEXT, parse_float=Decimal)


def changed(path, value):
    """Return the file with a value at a path; without it where the value is None."""
    table = copy.deepcopy(TABLE)
    *parents, last = path
    part = table
    for each in parents:
        part = part[each]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return table


CIS = ("rule", "AG-CIS", 0)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("rules",), {}, "the file: rules means nothing"),
        (("rule",), None, "rule: it is needed"),
        (("input", "weight_kg"), None, "input weight_kg: a number of this name"),
        (("input", "sex", "kind"), "flag", "input sex: a word of this name"),
        (("input", "ecog", "kind"), "scale", "input ecog: kind is"),
        (("input", "ecog", "window_days"), 0, "input ecog: window_days"),
        (("input", "ecog", "window_days"), True, "input ecog: window_days"),
        (("input", "ecog", "called"), " ", "input ecog: called"),
        (("statement", "cumulative-dose"), None, "cumulative-dose is needed"),
        (("statement", "hearing"), None, "rule AG-CIS: a condition needs a fact, or a statement"),
        (("rule", "AG-MMC"), [], "rule AG-MMC: it needs conditions"),
        ((*CIS, "mark"), None, "rule AG-CIS: each condition needs a mark"),
        ((*CIS, "fact"), "clearence", "there is no input clearence"),
        ((*CIS, "below"), None, "one of below"),
        ((*CIS, "above"), 3, "one of below"),
        ((*CIS, "below"), "60", "'60' is no number"),
        ((*CIS, "below"), Decimal("NaN"), "is no number"),
        ((*CIS, "limit"), 60, "limit means nothing"),
        (("rule", "AG-FLUORO", 0, "below"), 1, "one of below"),
        (("rule", "AG-FUDR", 2, "unless"), None, "has unless and called"),
        (("reduction", "AG-DOX", "share"), 1, "share lies between 0 and 1"),
        (("reduction", "AG-DOX", "from"), 4, "from is at most to"),
        (("reduction", "AG-DOX", "mark"), None, "it needs"),
        (("reduction", "AG-XX"), TABLE["reduction"]["AG-DOX"], "it belongs to a rule"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place(path, value, told):
    with pytest.raises(KnowledgeError, match=f"{FILE}, .*") as refused:
        rules_of(changed(path, value))
    assert told in refused.value.message


def test_each_condition_says_where_it_comes_from():
    marks = {each.mark.split(" [")[0] for rule in dosing_rules().rules.values() for each in rule}
    assert marks == {"lit-conf", "lit-GK", "design"}


@pytest.mark.parametrize("name", ["exclusion", "confirm"])
def test_a_regimen_that_names_what_is_not_there_is_refused(name):
    plan = read_json(regimens_folder() / "PlanDefinition-RG-LU1.json")
    parts = plan["contained"][0]["extension"][0]["extension"]
    parts.append({"url": name, "valueCode": "AG-XX"})
    with pytest.raises(KnowledgeError, match=r"RG-LU1 names what dosing.*AG-XX"):
        read_regimen(plan)


def test_a_cap_of_the_course_is_no_rule_that_excludes():
    assert "AG-CIS-MAX" not in dosing_rules().rules
    plan = read_json(regimens_folder() / "PlanDefinition-RG-LU1.json")
    assert read_regimen(plan).drugs[0].course_rule == "AG-CIS-MAX"


def test_windows_agree_with_those_of_the_facts_and_a_difference_is_told():
    assert list(window_findings(shared_folder(), dosing_rules())) == []
    library = read_json(shared_folder() / "cql" / "IOFacts.json")["library"]
    assert windows_of(library)["Weight"] == 30
    other = rules_of(changed(("input", "weight_kg", "window_days"), 31))
    [told] = window_findings(shared_folder(), other)
    assert told == "input weight_kg: IOFacts lets Weight count for 30 days; say the same"
    any_age = rules_of(changed(("input", "height_cm", "window_days"), 30))
    assert "Height count for any number of days" in next(window_findings(shared_folder(), any_age))
    unknown = rules_of(changed(("input", "height_cm", "fact"), "Hight"))
    assert list(window_findings(shared_folder(), unknown)) == [
        "input height_cm: IOFacts has no define Hight"
    ]


def test_another_folder_has_ours_until_it_has_its_own(tmp_path, monkeypatch):
    ours = dosing_rules()
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    (tmp_path / "shared").mkdir()
    assert dosing_rules() == ours
    (tmp_path / "shared" / FILE).write_text(TEXT.replace("below = 60", "below = 50"))
    assert dosing_rules().rules["AG-CIS"][0].limit == 50
    assert ours.rules["AG-CIS"][0].limit == 60


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(KnowledgeError, match="cannot be read"):
        dosing_rules(tmp_path)
    (tmp_path / FILE).write_text("[rule")
    with pytest.raises(KnowledgeError, match="cannot be read"):
        dosing_rules(tmp_path)


def test_nothing_of_the_file_is_lost():
    rules = dosing_rules()
    assert {name: len(each) for name, each in rules.rules.items()} == {
        name: len(each) for name, each in TABLE["rule"].items()
    }
    assert json.dumps(dict(rules.statements)) == json.dumps(TABLE["statement"])

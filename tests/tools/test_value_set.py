import json

import pytest

from tools.knowledge.layout import Layout
from tools.knowledge.value_set import LICENCES, build_value_set, value_set_files


def test_set_is_composed_by_system_and_expanded_in_the_order_of_the_table(tmp_path):
    (tmp_path / "value-sets.csv").write_text(
        "value_set,system,code,display\nx-y,http://loinc.org,1,One\n"
        "x-y,http://snomed.info/sct,2,Two\nx-y,http://loinc.org,3,Three\n"
    )
    (tmp_path / "value-set-titles.csv").write_text("value_set,title\nx-y,Both\n")
    layout = Layout(knowledge=tmp_path, terminology=tmp_path)
    [(path, content)] = value_set_files(layout)
    value_set = json.loads(content)
    assert path == layout.shared / "ValueSet-x-y.json"
    assert (value_set["id"], value_set["name"], value_set["title"]) == ("x-y", "XY", "Both")
    assert value_set["url"] == "https://ivfhir.example/fhir/ValueSet/x-y"
    assert [len(each["concept"]) for each in value_set["compose"]["include"]] == [2, 1]
    assert value_set["expansion"]["total"] == 3
    assert [each["code"] for each in value_set["expansion"]["contains"]] == ["1", "2", "3"]
    assert value_set["copyright"] == " ".join(
        [LICENCES["http://loinc.org"], LICENCES["http://snomed.info/sct"]]
    )


def test_repeated_code_is_refused():
    row = {"system": "http://loinc.org", "code": "1", "display": "One"}
    with pytest.raises(ValueError, match="value set x: a code stands twice"):
        build_value_set("x", "X", [row, row])


def test_set_without_title_is_refused(tmp_path):
    (tmp_path / "value-sets.csv").write_text(
        "value_set,system,code,display\nx,http://loinc.org,1,A\n"
    )
    (tmp_path / "value-set-titles.csv").write_text("value_set,title\n")
    with pytest.raises(ValueError, match="differ in: x"):
        list(value_set_files(Layout(knowledge=tmp_path, terminology=tmp_path)))


def test_system_whose_licence_is_not_said_is_refused():
    row = {"system": "http://example.org/new", "code": "1", "display": "One"}
    with pytest.raises(ValueError, match="value set x: say the licence of"):
        build_value_set("x", "X", [row])

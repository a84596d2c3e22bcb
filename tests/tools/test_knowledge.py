"""The build as a whole; the parts that translate need Java."""

import shutil

import pytest

from tools.knowledge import lock, translate
from tools.knowledge.__main__ import main
from tools.knowledge.layout import Layout
from tools.knowledge.stale import stale_files


@pytest.fixture
def built(layout: Layout, java) -> Layout:
    assert main(["build"], layout) == 0
    return layout


@pytest.mark.server
def test_build_writes_elm_libraries_and_value_sets(built):
    written = {p.relative_to(built.knowledge).as_posix() for p in built.knowledge.rglob("*.json")}
    assert written == {
        "lung/Library-Protocol.json",
        "lung/cql/Protocol.json",
        "shared/Library-FHIRHelpers.json",
        "shared/Library-Facts.json",
        "shared/ValueSet-dx.json",
        "shared/cql/FHIRHelpers-4.0.1.json",
        "shared/cql/Facts.json",
    }
    assert main(["check"], built) == 0


@pytest.mark.server
def test_second_build_writes_the_same_bytes(built):
    before = {path: path.read_bytes() for path in built.knowledge.rglob("*") if path.is_file()}
    assert main(["build"], built) == 0
    after = {path: path.read_bytes() for path in built.knowledge.rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.server
def test_error_in_cql_names_file_line_and_column(layout, java):
    cql = layout.shared / "cql" / "Facts.cql"
    cql.write_text(cql.read_text() + "define Wrong: 1 + 'a'\n")
    with pytest.raises(translate.TranslationError, match=r"Facts\.cql:12:15: error: Could not"):
        translate.translate(layout)


@pytest.mark.server
def test_error_in_cql_leaves_every_file_as_it_was(built):
    before = {path: path.read_bytes() for path in built.knowledge.rglob("*.json")}
    cql = built.shared / "cql" / "Facts.cql"
    cql.write_text(cql.read_text() + "define Wrong: 1 + 'a'\n")
    assert main(["build"], built) == 1
    assert {path: path.read_bytes() for path in built.knowledge.rglob("*.json")} == before


@pytest.mark.server
def test_retranslation_sees_an_elm_that_was_edited_and_locked_again(built):
    elm = built.shared / "cql" / "Facts.json"
    elm.write_bytes(elm.read_bytes().replace(b'"Born"', b'"Bred"'))
    lock.write_lock(built)
    assert translate.changed_by_translation(built) == [elm]


def with_locked_elm(layout: Layout, elm: bytes) -> Layout:
    """The state after a build, without Java: any ELM does, as nothing here reads its logic."""
    shutil.rmtree(layout.knowledge / "lung")
    (layout.shared / "cql" / "Facts.json").write_bytes(elm)
    lock.write_lock(layout)
    return layout


def test_changed_cql_makes_its_elm_stale_without_java(layout, elm):
    with_locked_elm(layout, elm)
    assert lock.unlocked_files(layout) == []
    cql = layout.shared / "cql" / "Facts.cql"
    cql.write_text(cql.read_text() + "// later\n")
    assert lock.unlocked_files(layout) == [cql]


def test_removed_and_added_files_are_seen_by_the_lock(layout, elm):
    with_locked_elm(layout, elm)
    (layout.shared / "cql" / "Facts.cql").rename(layout.shared / "cql" / "Other.cql")
    assert {path.name for path in lock.unlocked_files(layout)} == {
        "Facts.cql",
        "Facts.json",
        "Other.cql",
        "Other.json",
    }


def test_file_that_its_sources_do_not_give_is_named(layout, elm):
    with_locked_elm(layout, elm)
    (layout.shared / "ValueSet-old.json").write_text("{}")
    problems = list(stale_files(layout, retranslate=False))
    assert [line.rpartition("/")[2] for line in problems] == [
        "Library-Facts.json: its sources give something else; run make knowledge",
        "ValueSet-dx.json: its sources give something else; run make knowledge",
        "ValueSet-old.json: no source gives it; remove it",
    ]


def test_a_file_built_from_rows_that_was_edited_or_that_no_row_gives_is_stale(tmp_path):
    ours = Layout()
    layout = Layout(knowledge=tmp_path / "plan_definitions")
    shutil.copytree(ours.knowledge, layout.knowledge, ignore=shutil.ignore_patterns("cases"))
    lung = layout.knowledge / "lung"
    assert list(stale_files(layout, retranslate=False)) == []
    edited = ("PlanDefinition-LUNG.json", "ActivityDefinition-LUNG-A07.json", "cql/LUNGPlan.cql")
    for name in (*edited, "Questionnaire-LUNG-parameters.json"):
        path = lung / name
        path.write_text(path.read_text().replace("segment", "course"))
    (lung / "ActivityDefinition-LUNG-A99.json").write_text("{}")
    found = "\n".join(stale_files(layout, retranslate=False))
    for name in (*edited, "Questionnaire-LUNG-parameters.json"):
        assert f"{lung / name}: its sources give something else" in found
    assert "ActivityDefinition-LUNG-A99.json: no source gives it" in found


def test_a_row_that_was_changed_without_a_build_is_seen(tmp_path):
    ours = Layout()
    layout = Layout(knowledge=tmp_path / "plan_definitions")
    shutil.copytree(ours.knowledge, layout.knowledge, ignore=shutil.ignore_patterns("cases"))
    plan = layout.knowledge / "lung" / "plan.toml"
    plan.write_text(plan.read_text().replace("days = [-14, -7, -3]", "days = [-14, -8, -3]"))
    [finding] = stale_files(layout, retranslate=False)
    assert "LUNGPlan.cql: its sources give something else" in finding

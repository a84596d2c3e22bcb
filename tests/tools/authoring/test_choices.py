"""What a plan leaves to choose, and what follows from it: rounds, kept actions, several ways."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ivfhir.knowledge.actions import walk_actions
from ivfhir.knowledge.toml_source import AuthoringError
from tools.knowledge.authoring import authored_files
from tools.knowledge.layout import Layout

OURS = Layout()
LIVER = OURS.knowledge / "liver"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A copy of LIVER's sources that a test may change."""
    copy = Layout(knowledge=tmp_path / "plan_definitions")
    (copy.knowledge / "liver" / "cql").mkdir(parents=True)
    copy.shared.mkdir()
    for name in ("protocol.toml", "plan.toml", "cql/LIVER.cql"):
        shutil.copyfile(LIVER / name, copy.knowledge / "liver" / name)
    shutil.copyfile(
        OURS.shared / "CodeSystem-io-plan.json", copy.shared / "CodeSystem-io-plan.json"
    )
    return copy


def change(layout: Layout, name: str, old: str, new: str) -> None:
    path = layout.knowledge / "liver" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def built(layout: Layout) -> dict[str, str]:
    return {path.name: content.decode() for path, content in authored_files(layout)}


def actions(layout: Layout) -> dict[str, dict[str, Any]]:
    plan = json.loads(built(layout)["PlanDefinition-LIVER.json"])
    return {action["id"]: action for action in walk_actions(plan)}


def refusal(layout: Layout) -> str:
    with pytest.raises(AuthoringError) as caught:
        list(authored_files(layout))
    return str(caught.value)


def test_count_and_interval_follow_from_the_choice(layout: Layout) -> None:
    cql = built(layout)["LIVERPlan.cql"]
    assert "parameter mode String\n" in cql
    assert (
        "define Sessions: case mode when 'TACE' then tace_max_planned "
        "when 'HAIC' then haic_max else null as Integer end" in cql
    )
    assert "define Session_2: Sessions >= 2" in cql
    assert "Session_1:" not in cql  # every plan has one


def test_an_action_of_a_mode_is_kept_only_there(layout: Layout) -> None:
    cql = built(layout)["LIVERPlan.cql"]
    assert "define LIVER_A04_1_Kept: mode = 'TACE'" in cql
    [condition] = [
        each for each in actions(layout)["LIVER-A04.1"]["condition"] if each["kind"] != "start"
    ]
    assert condition["kind"] == "applicability"
    assert condition["expression"]["expression"] == "LIVER_A04_1_Kept"
    assert condition["expression"]["description"] == "In mode TACE only."


def test_an_action_planned_in_several_ways_is_one_action() -> None:
    """The check of the port is on day 0 where the first infusion is (spec-readings)."""
    files = built(OURS)
    first, later = "first_infusion_offset_days = 0", "first_infusion_offset_days > 0"
    cql = files["PORTPlan.cql"]
    assert f"define PORT_A02_Kept: ({later}) or ({first})\n" in cql
    assert (
        f"define PORT_A02_Date: Conventions.DayOf(case when {later} then Start + 1 days "
        f"when {first} then Start else null as Date end)" in cql
    )
    assert files["PlanDefinition-PORT.json"].count('"id": "PORT-A02"') == 1


def test_each_mode_states_its_own_distance_to_the_session(layout: Layout) -> None:
    """TACE and the last infusion: 28 days (B.2); HAIC between: 7 before one that is 21 later."""
    found = {
        name: each["relatedAction"]
        for name, each in actions(layout).items()
        if name.startswith("LIVER-A06.")
    }
    assert {
        name: [(each["actionId"], each["offsetRange"]["low"]["value"]) for each in related]
        for name, related in found.items()
    } == {
        **{f"LIVER-A06.{n}": [(f"LIVER-A03.{n}", 28)] for n in range(1, 7)},
        **{f"LIVER-A06.{n}.haic": [(f"LIVER-A03.{n}", 14)] for n in (2, 4)},
    }


def test_images_between_infusions_are_asked_for_as_after_the_last(layout: Layout) -> None:
    every = actions(layout)
    same = ("title", "description", "textEquivalent", "code", "documentation", "goalId")
    for name in ("LIVER-A06.2", "LIVER-A06.4"):
        between = every[f"{name}.haic"]
        for each in (*same, "requiredBehavior", "definitionCanonical"):
            assert between[each] == every[name][each], each


def test_a_choice_is_an_item_with_options_and_without_default(layout: Layout) -> None:
    form = json.loads(built(layout)["Questionnaire-LIVER-parameters.json"])
    item = form["item"][0]
    assert (item["linkId"], item["type"]) == ("mode", "choice")
    codes = [option["valueCoding"]["code"] for option in item["answerOption"]]
    assert codes == ["TACE", "HAIC"]
    assert "initial" not in item


def test_rounds_may_begin_some_days_after_the_start(layout: Layout) -> None:
    change(layout, "plan.toml", 'word = "session"', 'word = "session"\nfirst = "haic_max"')
    cql = built(layout)["LIVERPlan.cql"]
    assert "Start + DaysOf(haic_max + (k - 1) * " in cql


def test_a_repeat_may_be_so_many_days_of_a_parameter_later(layout: Layout) -> None:
    change(
        layout,
        "plan.toml",
        "days = [[1, 1, 7], [1, 7, 7]]",
        'times = 3\nevery = "haic_interval_days"\ndays = [1, 1, 7]',
    )
    change(layout, "plan.toml", "after session {session}, day {day}", "after session {session}")
    cql = built(layout)["LIVERPlan.cql"]
    assert (
        "define LIVER_A05_1_3_Date: "
        "Conventions.DayOf(Day0_1 + DaysOf(2 * haic_interval_days) + 1 days)" in cql
    )


MISTAKES = [
    ("plan.toml", 'by = "mode"', 'by = "site"', "no choice is called 'site'"),
    ("plan.toml", 'HAIC = "haic_max" }', 'HIAC = "haic_max" }', "count must name a parameter for"),
    ("plan.toml", 'HAIC = "haic_max" }', 'HAIC = "haic_most" }', "did you mean 'haic_max'"),
    ("plan.toml", 'only_if_says = "In mode TACE only."', "", "needs both 'only_if' and"),
    ("plan.toml", "Sessions = {session}", "Sessions = {seesion}", "a place in only_if is unknown"),
    ("plan.toml", 'id = "A04"', 'id = "A03"', "LIVER-A03.1 is there twice"),
    ("protocol.toml", "options = { TACE = ", "options = { TACE = 4, HIAC = ", "needs its words"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES)
def test_a_mistake_is_refused_by_file_and_line(
    layout: Layout, name: str, old: str, new: str, said: str
) -> None:
    change(layout, name, old, new)
    message = refusal(layout)
    assert message.startswith(f"liver/{name}:")
    assert said in message

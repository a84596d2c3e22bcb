"""The grade of the evidence: the protocol's, but where a row or a part has its own."""

import json
import shutil
from pathlib import Path

from tools.knowledge.authoring import authored_files
from tools.knowledge.layout import Layout

OURS = Layout()
LUNG = OURS.knowledge / "lung"
SOURCES = ("protocol.toml", "plan.toml", "cql/LUNG.cql")
BOARD = "CodeSystem-io-plan.json"


def grades(layout: Layout) -> dict[str, list[str]]:
    """Return id of each action -> quality and strength of its evidence."""
    [plan] = [
        json.loads(content)
        for path, content in authored_files(layout)
        if path.name == "PlanDefinition-LUNG.json"
    ]
    found: dict[str, list[str]] = {}
    pending = list(plan["action"])
    while pending:
        action = pending.pop()
        pending += action.get("action", [])
        extensions = action["documentation"][0]["document"]["extension"]
        found[action["id"]] = [
            each["valueCodeableConcept"]["coding"][0]["code"] for each in extensions
        ]
    return found


def test_a_part_and_an_action_may_have_a_grade_of_their_own(tmp_path: Path):
    layout = Layout(knowledge=tmp_path)
    (tmp_path / "lung" / "cql").mkdir(parents=True)
    layout.shared.mkdir()
    for name in SOURCES:
        shutil.copyfile(LUNG / name, tmp_path / "lung" / name)
    shutil.copyfile(OURS.shared / BOARD, layout.shared / BOARD)
    assert set(map(tuple, grades(layout).values())) == {("very-low", "weak")}
    path = layout.knowledge / "lung" / "plan.toml"
    own = 'quality = "low"\nrecommendation = "strong"\n'
    text = path.read_text()
    text = text.replace('id = "after"\n', f'id = "after"\n{own}', 1)
    path.write_text(text.replace('id = "A10"\n', f'id = "A10"\n{own}', 1))
    found = grades(layout)
    assert {name for name, grade in found.items() if grade == ["low", "strong"]} == {
        "LUNG-after",
        "LUNG-A10",
    }

"""The list of protocols that are not computable yet."""

import pytest

from ivfhir.knowledge import planned
from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.planned import planned_protocols


def test_a_protocol_is_planned_or_here_never_both():
    assert not {name for name, _ in planned_protocols()} & set(load_protocols())


def test_a_known_protocol_is_left_out(tmp_path, monkeypatch):
    rows = [f'[[protocol]]\nid = "{name}"\ntitle = "{name} of old"\n' for name in "ABC"]
    (tmp_path / "planned.toml").write_text("".join(rows))
    monkeypatch.setattr(planned, "knowledge_root", lambda: tmp_path)
    assert planned_protocols({"B", "LUNG"}) == [("A", "A of old"), ("C", "C of old")]


@pytest.mark.parametrize("text", [None, "# All are here.\n"])
def test_where_all_are_here_none_is_planned(text, tmp_path, monkeypatch):
    if text is not None:
        (tmp_path / "planned.toml").write_text(text)
    monkeypatch.setattr(planned, "knowledge_root", lambda: tmp_path)
    assert planned_protocols() == []

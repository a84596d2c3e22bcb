"""The list of protocols that are not computable yet."""

from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.package import ROOT_VARIABLE
from ivfhir.knowledge.planned import planned_protocols


def test_a_protocol_is_planned_or_here_never_both():
    assert not {name for name, _ in planned_protocols()} & set(load_protocols())


def planned(monkeypatch, folder, *rows: str) -> None:
    listed = (f'[[protocol]]\nid = "{each}"\ntitle = "Title of {each}"\n' for each in rows)
    (folder / "planned.toml").write_text("# Planned.\n" + "".join(listed), encoding="utf-8")
    monkeypatch.setenv(ROOT_VARIABLE, str(folder))


def test_a_known_protocol_is_left_out(monkeypatch, tmp_path):
    planned(monkeypatch, tmp_path, "ONE", "TWO", "THREE")
    assert planned_protocols({"TWO", "LUNG"}) == [
        ("ONE", "Title of ONE"),
        ("THREE", "Title of THREE"),
    ]


def test_nothing_is_planned_once_every_protocol_is_here(monkeypatch, tmp_path):
    planned(monkeypatch, tmp_path)
    assert planned_protocols() == []

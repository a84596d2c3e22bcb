"""A file or a folder is read as the command line promises."""

import json
from pathlib import Path
from typing import Any

import pytest

from ivfhir.errors import IncompleteError, InputError, RejectedError
from ivfhir.servers.folder import FolderRepository

PATIENT = {"resourceType": "Patient", "id": "p"}
OTHER = {"resourceType": "Patient", "id": "q"}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
OBSERVATION = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}}


def _bundle(*resources: dict[str, Any], **more: object) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def _write(path: Path, text: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def _ids(repository: FolderRepository, resource_type: str = "Condition") -> list[str]:
    found = repository.search(resource_type, {"patient": "p"})
    return [resource["id"] for resource in found]


def test_a_file_may_hold_one_patient(tmp_path: Path) -> None:
    repository = FolderRepository(_write(tmp_path / "p.json", PATIENT))
    assert repository.patient_ids == ("p",)
    assert repository.read("Patient", "p") == PATIENT
    assert _ids(repository) == []


def test_a_file_may_hold_a_bundle_written_over_many_lines(tmp_path: Path) -> None:
    text = "\ufeff" + json.dumps(_bundle(PATIENT, CONDITION), indent=1).replace("\n", "\r\n")
    assert _ids(FolderRepository(_write(tmp_path / "p.json", text))) == ["c"]


@pytest.mark.parametrize("name", ["export.ndjson", "export.json"])
def test_a_file_may_hold_a_resource_a_line(tmp_path: Path, name: str) -> None:
    lines = [json.dumps(PATIENT), "", json.dumps(CONDITION), '{"exportId": "x"}', ""]
    repository = FolderRepository(_write(tmp_path / name, "\r\n".join(lines)))
    assert _ids(repository) == ["c"]
    assert repository.notes == (f"Left out, because they have no resourceType: 1 in {name}.",)


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    named = {**PATIENT, "name": [{"text": "A\u2028B"}]}
    lines = [json.dumps(named, ensure_ascii=False), json.dumps(CONDITION)]
    assert _ids(FolderRepository(_write(tmp_path / "x.ndjson", "\n".join(lines)))) == ["c"]


def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    _write(tmp_path / "a" / "Patient.ndjson", json.dumps(PATIENT))
    _write(tmp_path / "b" / "Condition-c.json", CONDITION)
    _write(tmp_path / "b" / "Condition-c-again.json", CONDITION)
    _write(tmp_path / "empty.ndjson", "")
    _write(tmp_path / "log.ndjson", '{"exportId": "x"}\n{"exportId": "y"}\n')
    _write(tmp_path / "settings.json", "[1, 2]")
    _write(tmp_path / "notes.txt", "not read")
    repository = FolderRepository(tmp_path)
    assert _ids(repository) == ["c"]
    assert repository.notes == (
        "Left out, because they have no resourceType: 2 in log.ndjson.",
        "Left out, because they have no resourceType: 1 in settings.json.",
    )


def test_several_patients_are_listed_in_the_order_of_the_input(tmp_path: Path) -> None:
    repository = FolderRepository(_write(tmp_path / "x.json", _bundle(OTHER, PATIENT, CONDITION)))
    assert repository.patient_ids == ("q", "p")
    assert repository.search("Condition", {"patient": "q"}) == []


def test_a_search_that_goes_on_elsewhere_is_not_answered(tmp_path: Path) -> None:
    page = _bundle(
        OBSERVATION,
        type="searchset",
        link=[
            {"relation": "self", "url": "http://x/Observation?patient=p"},
            {"relation": "next", "url": "http://x/2"},
        ],
    )
    repository = FolderRepository(_write(tmp_path / "x.json", _bundle(PATIENT, page, CONDITION)))
    assert _ids(repository) == ["c"]
    with pytest.raises(IncompleteError, match="next page is not in the input"):
        repository.search("Observation", {"patient": "p"})


UNNAMED = [
    {},
    {"subject": {"display": "Maria Keller"}},
    {"subject": {"reference": "#her"}, "contained": [{"resourceType": "Patient", "id": "her"}]},
    {"subject": {"_reference": {"extension": []}}},
]


@pytest.mark.parametrize("about", UNNAMED)
def test_data_that_name_nobody_leave_their_type_unread(tmp_path: Path, about: Any) -> None:
    nobodys = {"resourceType": "Condition", "id": "n", **about}
    bundle = _bundle(PATIENT, CONDITION, OBSERVATION, nobodys)
    repository = FolderRepository(_write(tmp_path / "p.json", bundle))
    with pytest.raises(IncompleteError, match="1 that name no patient"):
        repository.search("Condition", {"patient": "p"})
    assert _ids(repository, "Observation") == ["o"]
    assert any("name no patient of the input: Condition 1" in note for note in repository.notes)


@pytest.mark.parametrize("about", UNNAMED)
def test_beside_a_second_patient_data_that_name_nobody_are_a_note(
    tmp_path: Path, about: Any
) -> None:
    nobodys = {"resourceType": "Condition", "id": "n", **about}
    bundle = _bundle(PATIENT, OTHER, CONDITION, nobodys)
    repository = FolderRepository(_write(tmp_path / "p.json", bundle))
    assert _ids(repository) == ["c"]
    assert any("name no patient of the input: Condition 1" in note for note in repository.notes)


@pytest.mark.parametrize(
    "about",
    [
        {"reference": "Patient/somebody-else"},
        {"identifier": {"system": "urn:mrn", "value": "9"}},
        {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
    ],
)
def test_data_of_somebody_else_leave_nothing_unread(tmp_path: Path, about: Any) -> None:
    others = {"resourceType": "Condition", "id": "n", "subject": about}
    repository = FolderRepository(_write(tmp_path / "p.json", _bundle(PATIENT, CONDITION, others)))
    assert _ids(repository) == ["c"]


def test_a_folder_is_only_read(tmp_path: Path) -> None:
    repository = FolderRepository(_write(tmp_path / "p.json", PATIENT))
    for call in (
        lambda: repository.transact(_bundle()),
        lambda: repository.operation("Library/$evaluate", {}),
        repository.capabilities,
        lambda: repository.search("Condition", {}),
    ):
        with pytest.raises(RejectedError):
            call()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.json", b"", "x.json is empty"),
        ("x.json", b"\xff\xfe{\x00}\x00", "not UTF-8"),
        ("x.json", b'{"resourceType": "Pat', "cut off"),
        ("x.json", b"<html></html>", "XML or HTML"),
        ("x.json", b'{"id": "p"}', "no resourceType"),
        ("x.json", b'[{"resourceType": "Patient", "id": "p"}]', "no resourceType"),
        ("x.json", b'{"resourceType": 1}', "no resourceType"),
        ("x.json", b'{"resourceType": "Condition", "id": "c"}', "holds Condition, but no Patient"),
        ("x.json", b'{"resourceType": "Bundle", "type": "searchset"}', "is empty, but no Patient"),
        ("x.json", b"[" * 100_000, "nested"),
        ("x.ndjson", b"", "is empty"),
        ("x.ndjson", b'{"resourceType": "Patient", "id": "p"}\n{"resourceT', "x.ndjson, line 2"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        FolderRepository(tmp_path / name)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_a_bad_file_fails_its_whole_folder(tmp_path: Path) -> None:
    _write(tmp_path / "p.json", PATIENT)
    _write(tmp_path / "c.json", '{"resourceType": "Cond')
    with pytest.raises(InputError, match=r"c\.json is not JSON"):
        FolderRepository(tmp_path)


def test_a_folder_without_files_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.json"):
        FolderRepository(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        FolderRepository(tmp_path / "absent.json")

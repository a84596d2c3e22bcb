"""What a plan refers to on the server: what is there, else words that are valid."""

import pytest

from tests.ivfhir.sync.scene import MRN, named, patient, put, run, stored, write


def written_by(author, **changes):
    """Return a plan without parts that names its author."""
    return named("one", contained=None, goal=None, activity=None, author=author, **changes)


@pytest.mark.parametrize(
    ("author", "kept"),
    [
        ("HERE/Practitioner/dr", True),
        ("HERE/Practitioner/another", False),
        ("https://other.example/fhir/Practitioner/dr", False),
    ],
)
@pytest.mark.parametrize("patient_id", ["p", "q"])
def test_an_absolute_reference_to_this_server_is_kept_where_it_has_that(
    sekmet, tmp_path, author, kept, patient_id
):
    patient(sekmet, patient_id)
    put(sekmet, {"resourceType": "Practitioner", "id": "dr"})
    author = author.replace("HERE", sekmet)
    subject = {"reference": "Patient/p", "identifier": MRN}
    write(tmp_path, "plan", written_by({"reference": author}, subject=subject))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "created"
    assert [each["reference"] for each in row["differences"]] == ([] if kept else [author])
    (plan,) = stored(sekmet, "CarePlan")
    assert plan["author"].get("reference") == ("Practitioner/dr" if kept else None)


def test_an_absolute_reference_to_what_this_server_has_of_another_patient_becomes_words(
    sekmet, tmp_path
):
    patient(sekmet)
    put(sekmet, {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/q"}})
    write(tmp_path, "plan", written_by(None, addresses=[{"reference": f"{sekmet}/Condition/c"}]))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert [each["text"] for each in row["differences"]] == [
        "The server has none of this patient; kept as words."
    ]

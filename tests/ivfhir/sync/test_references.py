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


NPI = "https://registry.example/npi"


@pytest.mark.parametrize(
    ("author", "identifiers", "words"),
    [
        ("Practitioner/x", [("npi", "1")], {"display": "Practitioner/x"}),
        ("Practitioner/x", [("npi", "1"), (NPI, "2")], {"identifier": (NPI, "2")}),
        ("Practitioner/x", [(NPI, "2"), ("npi", "1")], {"identifier": (NPI, "2")}),
        ("Practitioner?identifier=npi|1", [], {"display": "Practitioner?identifier=npi|1"}),
        (f"Practitioner?identifier={NPI}|1", [], {"identifier": (NPI, "1")}),
        (f"Practitioner?identifier={NPI}|", [], {"type": "Practitioner"}),
        (f"Practitioner?identifier={NPI}| ", [], {"type": "Practitioner"}),
        (" ", [], {"display": "not on this server"}),
        ("", [], {"display": "not on this server"}),
        ("urn:oid:1.2.3", [], {"display": "not on this server"}),
        ("Practitioner/x y", [], {"display": "Practitioner/x y"}),
    ],
)
def test_the_words_of_what_the_server_does_not_have_are_valid(
    sekmet, tmp_path, author, identifiers, words
):
    patient(sekmet)
    write(tmp_path, "plan", written_by({"reference": author}))
    if identifiers:
        own = [{"system": system, "value": value} for system, value in identifiers]
        write(tmp_path, "author", {"resourceType": "Practitioner", "id": "x", "identifier": own})
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "created", row
    (plan,) = stored(sekmet, "CarePlan")
    said = dict(plan["author"])
    if "identifier" in said:
        said["identifier"] = (said["identifier"]["system"], said["identifier"]["value"])
    assert words.items() <= said.items()
    assert ("identifier" in said) is ("identifier" in words)

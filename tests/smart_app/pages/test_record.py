"""A resource as a page."""

from decimal import Decimal

from smart_app.pages.record import MOST_CHARACTERS, MOST_ROWS, record_page

RESOURCE = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"versionId": "2", "lastUpdated": "2025-03-01T00:00:00Z"},
    "subject": {"reference": "Patient/p"},
    "code": {"text": "Platelets"},
    "valueQuantity": {"value": Decimal("220.0")},
    "note": [{"text": "a"}, {"text": "b"}],
    "extension": [{"valueBoolean": True}],
}


def test_a_resource_is_a_table_with_links_and_its_json():
    page = record_page(RESOURCE, lambda reference: f"/record/{reference}")
    rows = {row.path: row for row in page.rows}
    assert page.title == "Platelets"
    assert (page.version, page.updated) == ("2", "1 Mar 2025")
    assert next(iter(rows)) == "code.text"
    assert rows["valueQuantity.value"].value == "220.0"
    assert rows["subject.reference"].href == "/record/Patient/p"
    assert rows["note 2.text"].value == "b"
    assert rows["extension.valueBoolean"].value == "true"
    assert '"value": 220.0' in page.json
    assert not page.cut
    assert page.summary == (("What", "Platelets"), ("Value", "220.0"), ("Note", "a; b"))


def test_an_entry_without_words_is_called_by_what_it_is_not_by_its_type():
    page = record_page({"resourceType": "Condition", "id": "c", "code": {}}, str)
    assert page.title == "An entry of the problem list"
    assert page.reference == "Condition/c"


def test_a_resource_too_large_for_a_page_is_cut_and_the_page_says_so():
    many = {f"n{number}": number for number in range(100_000)}
    page = record_page({**RESOURCE, **many}, str)
    assert (len(page.rows), page.json, page.cut) == (MOST_ROWS, "", True)
    long = record_page({**RESOURCE, "code": {"text": "a" * 1_000_000}}, str)
    assert (len(long.title), long.json, long.cut) == (200, "", True)
    assert long.rows[0].value == "a" * MOST_CHARACTERS + "…"

"""Resource types as a clinician knows them."""

from ivfhir.wording.record_parts import RECORD_PARTS, entry_kind, record_part


def test_a_type_is_a_part_of_the_record_and_one_of_it_an_entry():
    assert record_part("Condition") == "the problem list"
    assert entry_kind("Condition") == "an entry of the problem list"


def test_no_entry_is_called_by_the_name_of_its_type():
    assert entry_kind("Basic") == "an entry of the record"
    assert all(entry_kind(name) != "an entry of the record" for name in RECORD_PARTS)

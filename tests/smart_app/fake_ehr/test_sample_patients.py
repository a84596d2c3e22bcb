"""The sample patients, and the moving of their dates."""

from datetime import date
from typing import Any

from smart_app.fake_ehr.sample_patients import FOLDER, SUMMARIES, sample_bundles


def resources(today: date) -> dict[str, Any]:
    return {
        f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}": entry["resource"]
        for bundle in sample_bundles(today)
        for entry in bundle["entry"]
    }


def test_every_file_is_a_sample_and_stands_in_the_table() -> None:
    names = {path.name for path in FOLDER.glob("*.json")}
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in table for name in names)
    assert len(list(sample_bundles(date(2025, 3, 3)))) == len(names)
    assert all(f"Patient/{name}" in resources(date(2025, 3, 3)) for name in SUMMARIES)


def test_dates_move_by_whole_days_and_a_birth_date_stays() -> None:
    found = resources(date(2026, 3, 13))
    assert found["Patient/halloran"]["birthDate"] == "1962-05-14"
    platelets = found["Observation/halloran-platelets"]
    assert platelets["effectiveDateTime"] == "2026-03-10T08:42:00+00:00"
    assert found["Observation/halloran-ecog"]["effectiveDateTime"] == "2026-03-08"
    assert found["Patient/ferris"]["deceasedDateTime"] == "2026-03-11"


def test_published_files_keep_their_dates() -> None:
    before, after = resources(date(2025, 3, 3)), resources(date(2026, 3, 3))
    kept = "Patient/a8cd3462-ed0c-48a4-81cc-45249aa946ca"
    assert before[kept] == after[kept]


def test_every_digit_of_a_value_is_kept() -> None:
    value = resources(date(2025, 3, 3))["Observation/halloran-inr"]["valueQuantity"]["value"]
    assert str(value) == "1.0"

"""What a dry run foretells of plans of one patient is what the run then says."""

import pytest

from tests.ivfhir.sync.scene import named, patient, results, write

LATER = "2025-04-03T10:00:00+01:00"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"status": "completed"}, ["updated", "created"]),
        ({"status": "revoked"}, ["updated", "created"]),
        ({"status": "on-hold"}, ["updated", "refused"]),
        ({"title": "Another"}, ["updated", "refused"]),
        ({}, ["unchanged", "refused"]),
    ],
)
def test_a_plan_that_ends_by_its_update_is_no_rival_of_a_newer_one(sekmet, tmp_path, change, told):
    patient(sekmet)
    in_force = {"status": "active", "intent": "plan"}
    write(tmp_path, "older", named("older", **in_force))
    assert results(tmp_path, sekmet) == ["created"]
    write(tmp_path, "older", named("older", **in_force | change))
    write(tmp_path, "newer", named("newer", created=LATER))
    assert results(tmp_path, sekmet, "--dry-run") == told
    assert results(tmp_path, sekmet) == told

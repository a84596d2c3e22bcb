"""Whether a stored resource is as this app wrote it."""

from copy import deepcopy
from decimal import Decimal

import pytest

from ivfhir.writing.content import CONTENT_SYSTEM, content_tag, is_as_written

ORDER = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/p"},
    "basedOn": [{"reference": "urn:uuid:8f1c"}],
    "quantityQuantity": {"value": Decimal("1.50")},
    "note": [{"text": "as planned"}],
}


def stored(**changes):
    """Return the order as a server keeps it, with changes."""
    return {
        **deepcopy(ORDER),
        "id": "7",
        "meta": {"versionId": "4", "tag": [{"code": "house"}, content_tag(ORDER)]},
        **changes,
    }


def test_what_a_server_adds_by_itself_is_no_change():
    assert is_as_written(
        stored(
            text={"status": "generated", "div": "<div>An order</div>"},
            basedOn=[{"reference": "https://ehr.example/fhir/CarePlan/9"}],
            subject={"reference": "https://ehr.example/fhir/Patient/p"},
            quantityQuantity={"value": Decimal("1.5")},
        )
    )


@pytest.mark.parametrize(
    "change",
    [
        {"status": "active"},
        {"note": [{"text": "as planned, but later"}]},
        {"note": []},
        {"subject": {"reference": "Patient/q"}},
        {"quantityQuantity": {"value": Decimal("1.51")}},
        {"priority": "urgent"},
        {"identifier": [{"value": "placer order 12"}]},
    ],
)
def test_any_other_content_is_a_change(change):
    assert not is_as_written(stored(**change))


def test_without_the_tag_nobody_can_tell_so_it_is_not():
    assert not is_as_written(stored(meta={"tag": [{"system": CONTENT_SYSTEM, "code": "0"}]}))
    assert not is_as_written({**ORDER, "id": "7"})


def test_true_is_not_one():
    flagged = {**ORDER, "doNotPerform": True}
    tagged = {**ORDER, "doNotPerform": 1, "meta": {"tag": [content_tag(flagged)]}}
    assert not is_as_written(tagged)

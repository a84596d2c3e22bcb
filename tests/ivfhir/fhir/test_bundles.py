"""Bundles of every type are taken apart, and a part of a search is never taken for the whole."""

from typing import Any

import pytest

from ivfhir.errors import InputError
from ivfhir.fhir.bundles import BundleReader, Gap


def _bundle(kind: str, *entries: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def _entry(resource_type: str, resource_id: str, **more: object) -> dict[str, Any]:
    return {"resource": {"resourceType": resource_type, "id": resource_id}, **more}


def _read(*bundles: dict[str, Any]) -> tuple[list[str], tuple[Gap, ...]]:
    reader = BundleReader()
    ids = [
        entry.resource["id"]
        for number, bundle in enumerate(bundles, 1)
        for entry in reader.entries(bundle, place=f"page {number}")
    ]
    return ids, reader.missing()


def _links(**links: str) -> list[dict[str, str]]:
    return [{"relation": relation, "url": url} for relation, url in links.items()]


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "document", "message"])
def test_bundles_of_any_type_yield_their_resources(kind: str) -> None:
    ids, missing = _read(_bundle(kind, _entry("Patient", "p"), _entry("Condition", "c")))
    assert ids == ["p", "c"]
    assert missing == ()


def test_bundles_inside_a_bundle_are_opened() -> None:
    inner = _bundle("searchset", _entry("Condition", "c"))
    ids, _ = _read(_bundle("batch-response", {"resource": inner}, _entry("Patient", "p")))
    assert ids == ["c", "p"]


def test_a_history_yields_the_newest_version_and_nothing_deleted() -> None:
    """http://hl7.org/fhir/R4/http.html#history: sorted with oldest versions last."""
    new = _entry("Condition", "c")
    old = {"resource": {"resourceType": "Condition", "id": "c", "note": []}}
    gone = {"request": {"method": "DELETE", "url": "Condition/d"}}
    reader = BundleReader()
    bundle = _bundle("history", new, old, gone, _entry("Condition", "d"))
    assert [entry.resource for entry in reader.entries(bundle, place="x")] == [new["resource"]]


def test_a_history_in_another_order_goes_by_last_updated() -> None:
    def version(at: str) -> dict[str, Any]:
        return {"resource": {"resourceType": "Condition", "id": "c", "meta": {"lastUpdated": at}}}

    older, newer = version("2025-02-01T23:30:00-05:00"), version("2025-02-02T06:00:00Z")
    reader = BundleReader()
    found = list(reader.entries(_bundle("history", older, newer), place="x"))
    assert [entry.resource for entry in found] == [newer["resource"]]


def test_a_page_whose_next_page_is_absent_leaves_its_type_unread() -> None:
    page = _bundle(
        "searchset",
        _entry("Observation", "o"),
        link=_links(self="http://x/Observation?patient=p", next="http://x/Observation?page=2"),
    )
    assert _read(page)[1] == (
        Gap(
            "Observation",
            "The search in page 1 is not whole: its next page is not in the input; "
            "export every page.",
        ),
    )


def test_pages_that_follow_one_another_are_whole() -> None:
    first = _bundle(
        "searchset", link=_links(self="http://x/Observation?patient=p", next="http://x/2")
    )
    second = _bundle("searchset", link=_links(self="http://x/2", previous="http://x/1"))
    assert _read(first, second)[1] == ()


def test_a_last_page_alone_is_not_the_whole() -> None:
    last = _bundle("searchset", link=_links(self="http://x/2", previous="http://x/1"))
    assert [gap.resource_type for gap in _read(last)[1]] == [None]


def test_everything_may_bring_any_type_on_its_next_page() -> None:
    page = _bundle(
        "searchset", link=_links(self="http://x/Patient/p/$everything", next="http://x/2")
    )
    assert [gap.resource_type for gap in _read(page)[1]] == [None]


def test_fewer_matches_than_the_total_are_not_the_whole() -> None:
    page = _bundle(
        "searchset",
        _entry("Condition", "c"),
        total=3,
        link=_links(self="http://x/Condition?patient=p"),
    )
    assert _read(page)[1] == (
        Gap(
            "Condition",
            "The search in page 1 is not whole: 2 of its matches are not in the input; "
            "export every page.",
        ),
    )


def test_an_error_inside_a_search_leaves_it_unread() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    page = _bundle(
        "searchset",
        {"resource": outcome, "search": {"mode": "outcome"}},
        link=_links(self="http://x/Condition?patient=p"),
    )
    ids, missing = _read(page)
    assert (ids, [gap.resource_type for gap in missing]) == ([], ["Condition"])


def test_a_warning_inside_a_search_is_no_gap() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}
    assert _read(_bundle("searchset", {"resource": outcome})) == ([], ())


def test_a_failed_request_of_a_batch_may_have_brought_any_type() -> None:
    failed = {"response": {"status": "403 Forbidden"}}
    ids, missing = _read(_bundle("batch-response", _entry("Patient", "p"), failed))
    assert (ids, [gap.resource_type for gap in missing]) == (["p"], [None])


@pytest.mark.parametrize("entry", [{}, "x", [1], [None]])
def test_an_entry_that_is_no_list_of_objects_is_refused(entry: object) -> None:
    with pytest.raises(InputError, match="not a list of objects"):
        _read({"resourceType": "Bundle", "type": "collection", "entry": entry})


@pytest.mark.parametrize("resource", ["x", {"id": "c"}, {"resourceType": 1}])
def test_an_entry_without_a_resource_type_is_refused(resource: object) -> None:
    with pytest.raises(InputError, match="resourceType is missing"):
        _read(_bundle("collection", {"resource": resource}))

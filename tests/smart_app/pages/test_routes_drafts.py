"""Drafts that were left, and discarding one."""

import re
from dataclasses import replace

import pytest

from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.conftest import csrf_token


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples("halloran", "duarte") as base:
        yield base


def store_of(app):
    return app.extensions["ivfhir"].store


def in_state(app, clinician, draft_id, state):
    """Put a draft into a state, as an acceptance does."""
    store = store_of(app)
    draft = store.load_draft(clinician.launched.launch_id, draft_id)
    assert store.claim_draft(draft, hold_s=600)
    if state != "sending":
        store.release_draft(draft, state=state)


def discard(clinician, draft_id):
    """Confirm that a draft is to be discarded, as the page asks it."""
    page = clinician.open(f"discard/{draft_id}")
    (version,) = re.findall(r'name="version" value="(\d+)"', page.text)
    fields = {"version": version}
    return clinician.send(f"discard/{draft_id}", fields, token=csrf_token(page))


def test_a_draft_is_discarded_for_all_windows(clinician):
    draft_id, other = clinician.make_draft(), clinician.make_draft()
    match = clinician.open("match").text
    assert clinician.launched.url(f"discard/{draft_id}") in match
    page = clinician.open(f"discard/{draft_id}").text
    assert "Discard this draft?" in page
    assert "Lung: 4 segments every 28 days" in page
    answer = discard(clinician, draft_id)
    assert answer.status_code == 303
    match = clinician.open(answer.headers["Location"]).text
    assert draft_id not in match
    assert other in match
    for window in (f"review/{draft_id}", f"plan/LUNG?draft={draft_id}", f"discard/{draft_id}"):
        page = clinician.open(window)
        assert page.status_code == 410
        assert "There is no such draft" in page.text
    page = clinician.open(f"review/{other}")
    fields = {"confirm": "yes", "version": "1"}
    answer = clinician.send(f"review/{draft_id}", fields, token=csrf_token(page))
    assert answer.status_code == 410


def test_looking_discards_nothing_and_the_form_needs_its_token(clinician):
    draft_id = clinician.make_draft()
    clinician.open(f"discard/{draft_id}")
    assert clinician.send(f"discard/{draft_id}", {"version": "1"}, token="0").status_code == 403
    assert clinician.open(f"review/{draft_id}").status_code == 200


@pytest.mark.parametrize("state", ["sending", "accepted", "written"])
def test_what_was_accepted_cannot_be_discarded(clinician, app, state):
    draft_id = clinician.make_draft()
    page = clinician.open(f"discard/{draft_id}")
    in_state(app, clinician, draft_id, state)
    fields = {"version": "1"}
    answer = clinician.send(f"discard/{draft_id}", fields, token=csrf_token(page))
    assert answer.headers["Location"].endswith(f"/receipt/{draft_id}")
    assert store_of(app).load_draft(clinician.launched.launch_id, draft_id).state == state
    asked = clinician.client.get(clinician.launched.url(f"discard/{draft_id}"))
    assert asked.headers["Location"].endswith(f"/receipt/{draft_id}")


def test_a_draft_that_changed_since_is_not_discarded(clinician, app):
    draft_id = clinician.make_draft()
    page = clinician.open(f"discard/{draft_id}")
    store = store_of(app)
    draft = store.load_draft(clinician.launched.launch_id, draft_id)
    store.update_draft(draft, body=draft.body)
    fields = {"version": "1"}
    answer = clinician.send(f"discard/{draft_id}", fields, token=csrf_token(page))
    assert answer.status_code == 409
    assert "it was not discarded" in answer.text
    assert store.load_draft(clinician.launched.launch_id, draft_id).state == "draft"


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        ("draft", "Drafts you left"),
        ("accepted", "Accepted, not known to be in the EHR yet"),
        ("sending", "Drafts you left"),  # Nothing is kept as accepted yet.
        ("written", None),
    ],
)
def test_only_drafts_are_called_drafts(clinician, app, state, heading):
    draft_id = clinician.make_draft()
    if state != "draft":
        in_state(app, clinician, draft_id, state)
    match = clinician.open("match").text
    headings = ("Drafts you left", "Accepted, not known to be in the EHR yet")
    assert [each for each in headings if each in match] == ([heading] if heading else [])
    assert (draft_id in match) is (heading is not None)


def test_a_draft_is_none_of_another_protocol(clinician, app):
    """Its override, too, was given for its own protocol alone."""
    draft_id = clinician.make_draft()
    services = app.extensions["ivfhir"]
    other = replace(services.protocols["LUNG"], id="OTHER")
    services.__dict__["protocols"] = {**services.protocols, "OTHER": other}
    held = services.store.load_draft(clinician.launched.launch_id, draft_id)
    assert clinician.open(f"plan/LUNG?draft={draft_id}").status_code == 200
    assert clinician.open(f"plan/OTHER?draft={draft_id}").status_code == 404
    token = csrf_token(clinician.open(f"plan/LUNG?draft={draft_id}"))
    form = {"version": "1", "next": "review"}
    answer = clinician.send(f"plan/OTHER?draft={draft_id}", form, token=token)
    assert answer.status_code == 404
    assert services.store.load_draft(clinician.launched.launch_id, draft_id) == held

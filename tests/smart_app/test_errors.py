"""Every error as a page in words, or as an OperationOutcome."""

import io
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivfhir import errors
from smart_app.logs import make_logger
from smart_app.smart.session import needs_launch
from tests.smart_app.conftest import Launched

SECRET = "Halloran-Bearer-eyJ"
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": "Element <b> is wrong"}],
}


@pytest.fixture
def log(app: Flask) -> io.StringIO:
    """What the app logs."""
    stream = io.StringIO()
    app.extensions["ivfhir"].log = make_logger("debug", stream)
    return stream


@pytest.fixture
def failing(app: Flask) -> dict[str, Exception]:
    """A page that raises what stands in this dict under its name."""
    raised: dict[str, Exception] = {}

    @app.route("/l/<launch>/fail/<name>", methods=["GET", "POST"], endpoint="fail")
    @needs_launch
    def fail(launch: object, name: str) -> str:
        raise raised[name]

    return raised


@pytest.mark.parametrize(
    ("error", "status", "title", "mender"),
    [
        (errors.UnauthorisedError("x", status=401), 401, "Your session ended", "You"),
        (errors.ForbiddenError("x", status=403), 403, "does not allow this", "administrator"),
        (errors.VersionConflictError("x", status=412), 409, "changed meanwhile", "You"),
        (errors.ThrottledError("x"), 429, "The EHR is busy", "You"),
        (errors.ServerError("x", status=500), 502, "could not do this", "administrator"),
        (errors.UnreachableError("x"), 504, "did not answer", "administrator"),
        (errors.BadAnswerError("x"), 502, "could not be understood", "administrator"),
        (errors.NoPlanError("x"), 422, "could not be done", "Whoever runs this app"),
        (errors.DraftGoneError("x", mender="You"), 410, "could not be opened", "You"),
    ],
)
def test_each_error_has_its_page(
    *,
    failing: dict[str, Exception],
    launched: Launched,
    error: Exception,
    status: int,
    title: str,
    mender: str,
) -> None:
    failing["it"] = error
    page = launched.client.get(launched.url("fail/it"))
    assert page.status_code == status
    assert title in page.text
    assert mender in page.text


def test_a_server_s_own_words_are_shown_and_escaped(
    failing: dict[str, Exception], launched: Launched
) -> None:
    failing["it"] = errors.RejectedError("It was refused.", status=422, outcome=OUTCOME)
    page = launched.client.get(launched.url("fail/it"))
    assert "Element &lt;b&gt; is wrong" in page.text


def test_json_is_answered_with_an_operation_outcome(
    failing: dict[str, Exception], launched: Launched
) -> None:
    failing["it"] = errors.RejectedError("It was refused.", status=422, outcome=OUTCOME)
    answer = launched.client.get(
        launched.url("fail/it"), headers={"Accept": "application/fhir+json"}
    )
    assert answer.mimetype == "application/fhir+json"
    issues = json.loads(answer.text)["issue"]
    assert [issue["diagnostics"] for issue in issues] == ["It was refused.", "Element <b> is wrong"]


def test_an_unknown_error_tells_nothing_of_itself(
    failing: dict[str, Exception], launched: Launched, log: io.StringIO
) -> None:
    failing["it"] = KeyError(SECRET)
    page = launched.client.get(launched.url("fail/it"))
    assert page.status_code == 500
    assert "Something in the app is broken" in page.text
    assert SECRET not in page.text
    assert SECRET not in log.getvalue()
    line = json.loads(log.getvalue().splitlines()[-1])
    assert line["error"] == "KeyError"
    assert line["reference"] in page.text


def test_the_log_holds_no_token_name_or_identifier(
    failing: dict[str, Exception], launched: Launched, log: io.StringIO, app: Flask
) -> None:
    failing["it"] = errors.RejectedError(SECRET, outcome={"issue": [{"diagnostics": SECRET}]})
    launched.client.get(launched.url("fail/it?name=Halloran"))
    app.extensions["ivfhir"].log.info("x", patient=SECRET, token=SECRET, resource_type="Patient")
    assert SECRET not in log.getvalue()
    assert "Halloran" not in log.getvalue()
    assert launched.launch_id not in log.getvalue()
    assert '"resource_type": "Patient"' in log.getvalue()


def test_a_page_that_does_not_exist_is_said_in_words(client: FlaskClient) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "There is no such page" in page.text


def test_a_post_that_lost_its_session_leads_back_to_the_page_of_its_form(
    failing: dict[str, Exception], launched: Launched, app: Flask
) -> None:
    failing["it"] = errors.UnauthorisedError("x", status=401)
    page = launched.client.get(launched.url("fail/it"))
    assert launched.url("again") in page.text
    back = launched.client.get(launched.url("again"))
    assert back.headers["Location"] == launched.url("fail/it")


def test_health_tells_that_app_and_database_answer(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.json is not None
    assert answer.json["status"] == "ok"


def test_a_database_that_is_gone_is_told_as_json(app: Flask, client: FlaskClient) -> None:
    def broken() -> None:
        raise OSError

    app.extensions["ivfhir"].store.ping = broken
    answer = client.get("/health")
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["resourceType"] == "OperationOutcome"

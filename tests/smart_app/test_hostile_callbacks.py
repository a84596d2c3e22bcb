"""Ways back from the EHR that no honest EHR and browser take: none becomes a launch."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from smart_app.app import create_app
from smart_app.config import Ehr, Settings
from tests.smart_app.conftest import APP_URL, new_client
from tests.smart_app.hostile_tokens import ForgingEhr, forgeries, honest
from tests.smart_app.strict_ehr import StrictEhr, running

SCRIPT = "<script>alert(1)</script>"
FORGERIES = forgeries()


class Ward:
    """An app that knows two EHRs, of which the first may forge."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ehr = ForgingEhr(redirect_uri=f"{APP_URL}/callback")
        self.other = StrictEhr(redirect_uri=f"{APP_URL}/callback")
        self.ehr.more_discovery = {"authorization_response_iss_parameter_supported": True}
        for each in (self.ehr, self.other):
            stack.enter_context(running(each))
        settings = Settings(
            public_url=APP_URL,
            ehrs=tuple(
                Ehr(iss=each.iss, client_id=each.client_id, name="Strict")
                for each in (self.ehr, self.other)
            ),
            database_url=f"sqlite:///{folder / 'app.sqlite3'}",
            key_file=str(folder / "key"),
            address_per_minute=0,
            ehr_per_minute=0,
            log_level="error",
        )
        self.app = create_app(settings)
        stack.callback(self.app.extensions["ivfhir"].store.close)
        self.ehr.forge = lambda _ehr, _header, _claims: ""

    def browser(self) -> FlaskClient:
        return new_client(self.app)

    def way_back(self, client: FlaskClient, ehr: StrictEhr | None = None) -> dict[str, str]:
        """Begin a sign-in and return the query of the way back, with the issuer (RFC 9207)."""
        ehr = ehr or self.ehr
        begun = client.get(f"/launch?{ehr.launch_query()}")
        back = requests.get(begun.headers["Location"], allow_redirects=False, timeout=5)
        query = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
        return query | ({"iss": ehr.iss} if ehr is self.ehr else {})


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with ExitStack() as stack:
        yield Ward(tmp_path_factory.mktemp("ward"), stack)


def assert_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/callback?{query}")
    where = answer.headers.get("Location", "")
    assert answer.status_code == 303
    assert where.startswith("/problem?p="), (query, where)
    assert not any(
        each.key.startswith("__Host-ivfhir-") and not each.key.startswith("__Host-ivfhir-in-")
        for each in client._cookies.values()
    )
    page = client.get(where)
    assert page.status_code in (400, 502, 504), (query, page.text)
    assert SCRIPT not in page.text
    assert "Traceback" not in page.text


def variants(good: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return queries that are not the EHR's answer to this browser's sign-in."""
    state, code, issuer = good["state"], good["code"], good["iss"]
    made = [
        {**good, "state": text}
        for text in (
            *("", "x", state + "x", state[:-1], state.upper(), state.swapcase(), f" {state}"),
            *(
                f"{state}\x00",
                f"{state}\r\nX: y",
                state[::-1],
                "' OR 1=1 --",
                SCRIPT,
                "../../",
                "%s",
            ),
            *(
                "null",
                "undefined",
                "0",
                "[]",
                "é" * 40,
                "a" * 3000,
                other["state"],
                f"{state},{state}",
            ),
        )
    ]
    made += [
        {**good, "iss": text}
        for text in (
            *("", "https://evil.example", issuer + "/", issuer.upper(), f"{issuer} ", other["iss"]),
            *(issuer[:-1], f"{issuer}#", f"{issuer}?x", issuer.replace("http:", "https:"), SCRIPT),
            *(
                f"{issuer}\x00",
                f"x{issuer}",
                "javascript:alert(1)",
                "//evil.example",
                f"{issuer}/..",
            ),
        )
    ]
    made += [
        {"state": state, "iss": issuer, "error": text, "error_description": SCRIPT}
        for text in (
            *("access_denied", "server_error", "invalid_scope", SCRIPT, "x" * 900, "\r\nX: y", "é"),
            *("login_required", "temporarily_unavailable", "{{7*7}}", "a b", "ACCESS_DENIED", "0"),
        )
    ]
    made += [
        {**good, "error": "access_denied"},
        {**good, "error": "x", "error_uri": "javascript:x"},
    ]
    made += [
        {**good, "code": text}
        for text in (
            *("", "x", code + "x", code[:-1], code.swapcase(), "\x00", f"{code}\r\n", SCRIPT),
            *(f"{code}&x=y", "é", "a" * 2000, f"{code} {code}"),
        )
    ]
    made += [{"code": code}, {"state": state}, {"code": code, "state": state}, {}, {"iss": issuer}]
    made += [{**good, "code": other["code"]}]
    queries = [urlencode(each) for each in made]
    return [
        *queries,
        f"state=x&{urlencode(good)}",
        f"iss=https://evil.example&{urlencode(good)}",
        f"code=x&{urlencode(good)}",
        urlencode(good).replace("state=", "State="),
        urlencode(good).replace("state=", "state[]="),
        urlencode(good).replace("&", ";"),
    ]


def test_no_hostile_way_back_opens_anything(ward: Ward) -> None:
    client, thief = ward.browser(), ward.browser()
    sample = variants(ward.way_back(client), ward.way_back(thief) | {"iss": ward.other.iss})
    assert len(sample) + len(FORGERIES) >= 150
    for number in range(len(sample)):
        client, thief = ward.browser(), ward.browser()
        other = ward.way_back(thief) | {"iss": ward.other.iss}
        assert_refused(client, variants(ward.way_back(client), other)[number])


def test_another_browser_s_way_back_opens_nothing(ward: Ward) -> None:
    client, thief = ward.browser(), ward.browser()
    query = urlencode(ward.way_back(client))
    ward.way_back(thief)
    assert_refused(thief, query)


def test_a_way_back_of_one_ehr_is_none_of_another(ward: Ward) -> None:
    """Mix-up: https://www.rfc-editor.org/rfc/rfc9207#section-4 ."""
    client = ward.browser()
    mine, theirs = ward.way_back(client), ward.way_back(client, ward.other)
    for query in (
        mine | {"iss": ward.other.iss},
        theirs | {"iss": ward.ehr.iss},
        mine | {"state": theirs["state"]},
    ):
        assert_refused(client, urlencode(query))


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forged_proof_of_who_somebody_is_opens_anything(ward: Ward, name: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc8725 ."""
    ward.ehr.forge = FORGERIES[name]
    client = ward.browser()
    assert_refused(client, urlencode(ward.way_back(client)))


def test_the_honest_token_opens_the_launch(ward: Ward) -> None:
    """So that the others are refused for what is wrong with them."""
    ward.ehr.forge = honest
    client = ward.browser()
    answer = client.get(f"/callback?{urlencode(ward.way_back(client))}")
    assert answer.headers["Location"].startswith("/l/")

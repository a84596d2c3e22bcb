"""What a hospital's security tester tries, against the app on two workers and PostgreSQL."""

import re
import socket
import statistics
import time
from collections.abc import Iterator, Mapping

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from tests.servers.postgres_server import PostgresServer
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.over_http import TIMEOUT_S, HttpClinician, csrf_token
from tests.smart_app.test_killed_in_a_write import Ward, running_ward

EVIL = "evil.example"
NOBODY = "0" * 32
HOSTILE_NAME = "Dr\r\nSet-Cookie: a=b\u202eECNAV\x07" + "x" * 5_000

pytestmark = pytest.mark.server

ADDRESSES = (
    *("/l/%00/match", "/l/%00/again", "/l/%00/sign/%00", "/l/%ff/match", "/l/../match"),
    *("/l//match", "/l/..%2f/match", "/l/%2e%2e/match", "//l/x/match", "///launch", "/launch/"),
    *("/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd"),
    *("/static/..%5capp.py", "/static/%00", "/health//live", "/%2f%2fevil.example/x", "//evil/x"),
    *("/problem?p=%00", "/problem?p=%ff", "/problem?p=aXZrMQ==", "/jwks.json/..", "/.git/config"),
    *("/callback?state=%00", "/callback?code=%00&state=%ff", "/launch?iss=%00&launch=%00"),
    *("/l/{foreign}/match", "/l/{foreign}/plan/LUNG", "/l/{foreign}/review/{draft}"),
    *("/l/{own}%00/match", "/l/{own}//match", "/l/{own}/match/", "/l/{own}/..;/match"),
)
PAGES = (
    *("match//", "/match", "why/%00", "why/..%2fLUNG", "plan/%00", "plan/LUNG?draft=%00"),
    *("plan/LUNG?draft=%ff", "plan/LUNG?draft={foreign_draft}", "plan/LUNG?draft=%ed%a0%80"),
    *("review/%00", "receipt/%00", "discard/%00", "sign/%00", "review/..%2f..", "review/%0d%0aX:y"),
    *("review/{foreign_draft}", "receipt/{foreign_draft}", "discard/{foreign_draft}"),
    *("sign/{foreign_draft}", "review/{draft}%00", "receipt/{draft}%20", "written/%00"),
    *("written/..", "written/%2e%2e%2fmetadata", "written/sato-plan", "written/_history"),
    *("record/Patient/..", "record/Patient/%2e%2e", "record/Patient/..%2f..%2fmetadata"),
    *("record/../metadata", "record/Patient/halloran%3f_format=xml", "record/Patient/halloran%23"),
    *("record/Patient/halloran%00", "record/Patient/%0d%0aX:y", "record/Patient/halloran;x"),
    *("record/Patient/_history", "record/Patient/$everything", "record/metadata/x"),
    *("record/Patient%2fhalloran/_history", "record/Binary/1", "record/Patient/sato"),
    *("record/AuditEvent/1", "record/Observation/sato-platelets", "record/patient/halloran"),
    *("record//evil.example/x", "record/http:%2f%2fevil.example/x", "record/Patient/%ff%fe"),
)
SPOOFED = (
    {},
    {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "http", "X-Forwarded-Port": "1"},
    {"X-Forwarded-Prefix": "/evil.example", "X-Script-Name": "/evil.example"},
    {"Script-Name": "/evil.example", "Path-Info": "/health", "Forwarded": f"host={EVIL}"},
)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Ward]:
    """The app on two workers and PostgreSQL, without limits of a minute."""
    with pytest.MonkeyPatch.context() as patch, run_sekmet() as fhir:
        patch.setenv("IVFHIR_ADDRESS_PER_MINUTE", "0")
        patch.setenv("IVFHIR_EHR_PER_MINUTE", "0")
        folder = tmp_path_factory.mktemp("ward")
        with running_ward(
            folder, fhir, database_url=postgres.new_database(), colleague_name=HOSTILE_NAME
        ) as running:
            yield running


@pytest.fixture
def clinician(ward: Ward) -> HttpClinician:
    """A clinician with a launch for the eligible patient."""
    clinician = HttpClinician(ward.ehr_url)
    clinician.launch()
    return clinician


def ask(ward: Ward, head: str, headers: Mapping[str, str] | None = None) -> str:
    """Send a request as it stands, and return the whole answer.

    Args:
        ward: the ward.
        head: method and target, as they go over the wire.
        headers: what else to send; Host is the app's unless it is among them.
    """
    port = int(ward.app_url.rpartition(":")[2])
    sent = {"Host": f"127.0.0.1:{port}", "Connection": "close"} | dict(headers or {})
    lines = [f"{head} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall("\r\n".join(lines).encode("latin1"))
        while part := connection.recv(65_536):
            answer += part
    return answer.decode("utf-8", "replace")


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


def cookies_of(clinician: HttpClinician) -> str:
    return "; ".join(f"{each.name}={each.value}" for each in clinician.browser.cookies)


def id_of(clinician: HttpClinician) -> str:
    return clinician.launch_url.rpartition("/")[2]


def test_no_address_breaks_the_app_leaves_it_or_shows_another_record(
    ward: Ward, clinician: HttpClinician
) -> None:
    other = HttpClinician(ward.ehr_url)
    other.launch("sato")
    names = {"own": id_of(clinician), "foreign": id_of(other)}
    names |= {"foreign_draft": other.make_draft(), "draft": clinician.make_draft()}
    paths = [*ADDRESSES, *(f"/l/{{own}}/{page}" for page in PAGES)]
    tried = 0
    for path in paths:
        for spoofed in SPOOFED:
            headers = {"Host": EVIL, "Cookie": cookies_of(clinician), **spoofed}
            answer = ask(ward, f"GET {path.format(**names)}", headers)
            head, _, body = answer.partition("\r\n\r\n")
            assert status_of(answer) in (302, 303, 400, 401, 403, 404, 410), (path, head)
            for address in re.findall(r"(?mi)^Location: (.*?)\r?$", head):
                assert re.fullmatch(r"/(l|problem)[/?].*", address), (path, address)
                assert not address.startswith("//"), (path, address)
            assert EVIL not in body, path
            assert "SATO" not in body, path
            assert "no-store" in head, path
            tried += 1
    assert tried >= 250


def test_what_a_client_claims_of_itself_changes_no_page(
    ward: Ward, clinician: HttpClinician
) -> None:
    path = f"GET /l/{id_of(clinician)}/match"
    plain = ask(ward, path, {"Cookie": cookies_of(clinician)})
    shown = plain.partition("<main")[2]
    assert "Eligible" in shown
    claims = [*SPOOFED, {"Host": EVIL}, {"X-HTTP-Method-Override": "POST"}]
    claims += [{"X-Original-URL": "/health"}, {"X-Rewrite-URL": "/health"}, {"Accept": "text/x"}]
    for claimed in claims:
        answer = ask(ward, path, {"Cookie": cookies_of(clinician), **claimed})
        assert EVIL not in answer
        assert answer.partition("<main")[2] == shown


FROM_ELSEWHERE = (
    {"Origin": f"https://{EVIL}"},
    {"Origin": "{app}.evil.example"},
    {"Origin": "{app}:1"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{app}"},
)


def forged_forms(token: str, foreign: str) -> Iterator[tuple[dict[str, str], object]]:
    """Give headers and bodies of forms that no page of the launch sends."""
    good = {"_csrf": token, "version": "1", "confirm": "yes", "earlier": "keep"}
    for headers in FROM_ELSEWHERE:
        yield headers, good
    for wrong in ("", "x", token[:-1], token + "x", token.upper() + "!", "\x00", "ü", foreign):
        yield {"Referer": f"https://{EVIL}/"}, good | {"_csrf": wrong}
    yield {}, {name: value for name, value in good.items() if name != "_csrf"}
    yield {}, [("_csrf", "x"), *good.items()]
    yield {}, [*good.items(), ("_csrf", token)]
    for name in ("version", "confirm", "earlier", "next"):
        yield {}, [(name, "replace"), *good.items(), (name, "replace")]
    yield {"Content-Type": "text/plain"}, "&".join(f"{k}={v}" for k, v in good.items())
    yield {"Content-Type": "application/json"}, str(good).replace("'", '"')
    yield {"Content-Type": "multipart/form-data"}, "x"


def shown_of(clinician: HttpClinician, draft_id: str) -> str:
    """Return what the review shows of a draft: its dates, its settings, its version."""
    return clinician.open(f"review/{draft_id}").text.partition("<main")[2]


def test_no_form_that_our_page_did_not_send_changes_anything(
    ward: Ward, clinician: HttpClinician
) -> None:
    other = HttpClinician(ward.ehr_url)
    foreign = csrf_token(other.launch("sato").text)
    draft_id = clinician.make_draft()
    token, cookies = csrf_token(clinician.page.text), clinician.browser.cookies.get_dict()
    before = shown_of(clinician, draft_id)
    tried = 0
    pages = (f"review/{draft_id}", f"receipt/{draft_id}", f"discard/{draft_id}", "plan/LUNG")
    for page in (*pages, f"plan/LUNG?draft={draft_id}", f"sign-out?_csrf={token}"):
        for headers, body in forged_forms(token, foreign):
            answer = requests.post(
                f"{clinician.launch_url}/{page}",
                data=body,
                headers={name: value.format(app=ward.app_url) for name, value in headers.items()},
                cookies=cookies,
                allow_redirects=False,
                timeout=TIMEOUT_S,
            )
            assert answer.status_code == 403, (page, headers, body, answer.status_code)
            assert "Nothing was done" in answer.text
            tried += 1
    assert tried >= 150
    assert 'name="version" value="1"' in before
    assert shown_of(clinician, draft_id) == before
    assert clinician.open("match").text.count("/review/") == 1


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "FOO", "PROPFIND"]
)
def test_other_verbs_do_nothing(ward: Ward, clinician: HttpClinician, method: str) -> None:
    for page in ("match", "plan/LUNG", "sign-out", "again", "review/x"):
        answer = ask(
            ward, f"{method} /l/{id_of(clinician)}/{page}", {"Cookie": cookies_of(clinician)}
        )
        assert status_of(answer) == 405, page
        assert "HALLORAN" not in answer


def test_a_planted_cookie_is_worth_nothing_after_the_sign_in(ward: Ward) -> None:
    """Session fixation: the victim goes on with what an attacker began."""
    attacker, victim = requests.Session(), requests.Session()
    url = f"{ward.ehr_url}/open/halloran"
    for _ in range(2):
        url = attacker.get(url, allow_redirects=False, timeout=TIMEOUT_S).headers["Location"]
    planted = {each.name: each.value or "" for each in attacker.cookies if "ivfhir" in each.name}
    assert len(planted) == 2
    for session in (attacker, victim):
        session.cookies.update(
            {f"__Host-ivfhir-{NOBODY}": "planted", f"ivfhir-{NOBODY}": "planted"}
        )
    victim.cookies.update(planted)
    page = victim.get(url, timeout=TIMEOUT_S)
    assert "HALLORAN" in page.text
    launch_id = page.url.split("/l/")[1].split("/")[0]
    given = {each.value for each in victim.cookies if each.name.endswith(launch_id)}
    assert given
    assert not given & set(planted.values())
    for value in planted.values():
        for name in (f"__Host-ivfhir-{launch_id}", f"ivfhir-{launch_id}"):
            attacker.cookies.set(name, value)
        stolen = attacker.get(page.url, timeout=TIMEOUT_S)
        assert stolen.status_code == 401
        assert "HALLORAN" not in stolen.text


def test_a_launch_of_others_looks_like_one_that_never_was(
    ward: Ward, clinician: HttpClinician
) -> None:
    took: dict[str, list[float]] = {id_of(clinician): [], NOBODY: []}
    shown: dict[str, str] = {}
    for _ in range(60):
        for launch_id, times in took.items():
            began = time.perf_counter()
            cookie = {"Cookie": f"__Host-ivfhir-{launch_id}=0.x; ivfhir-{launch_id}=0.x"}
            answer = ask(ward, f"GET /l/{launch_id}/match", cookie)
            times.append(time.perf_counter() - began)
            assert status_of(answer) == 401
            shown[launch_id] = re.sub(r"\b[0-9a-f]{8}\b", "", answer.partition("<main")[2])
    assert len(set(shown.values())) == 1
    own, nobodys = (statistics.median(times) for times in took.values())
    assert abs(own - nobodys) < 0.005


def test_what_is_too_large_is_refused_at_once(ward: Ward, clinician: HttpClinician) -> None:
    token, cookies = csrf_token(clinician.page.text), clinician.browser.cookies.get_dict()
    many = "&".join(f"a{number}=1" for number in range(60_000))
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % number
        for number in range(5_000)
    )
    encoded = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (f"_csrf={token}&override-reason={'a' * 600_000}", encoded),
        (f"_csrf={token}&{many}", encoded),
        (parts + b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}),
    ):
        began = time.monotonic()
        url = f"{clinician.launch_url}/plan/LUNG"
        answer = requests.post(url, data=body, headers=headers, cookies=cookies, timeout=TIMEOUT_S)
        assert answer.status_code == 413
        assert time.monotonic() - began < 2
    long = "a" * 9_000
    assert status_of(ask(ward, "GET /health", {"X": long})) == 431
    assert status_of(ask(ward, f"GET /health?{long}")) == 414
    assert status_of(ask(ward, "GET /health", {f"X{n}": "a" for n in range(200)})) == 431


def test_no_request_writes_a_line_of_its_own_into_the_log(ward: Ward) -> None:
    log = ward.folder / "app.log"
    before = log.stat().st_size
    forged = '{"level": "error", "event": "forged"}'
    for head, headers in (
        (f"GET /x\n{forged}", {}),
        (f"GET /x%0a{forged.replace(' ', '')}", {}),
        ("GET /callback?state=x%0d%0aforged&code=secret-code", {"User-Agent": f"a\r\n {forged}"}),
        (f"GET /launch?iss=https://{EVIL}/%0a{forged.replace(' ', '')}", {"Referer": forged}),
        (f"POST /l/{NOBODY}/sign-out", {"Content-Length": "x\n" + forged}),
        ("GET /\x1b[31mforged", {}),
    ):
        ask(ward, head, headers)
    written = log.read_text(encoding="utf-8")[before:]
    for line in written.splitlines():
        assert line.startswith(("{", "[20")), line
        assert not line.startswith(forged), line
    assert "\x1b" not in written
    assert "secret-code" not in written


def test_names_that_an_ehr_sends_bring_no_line_no_order_and_no_length_of_their_own(
    ward: Ward,
) -> None:
    clinician = HttpClinician(ward.ehr_url)
    clinician.page = clinician.browser.get(
        f"{ward.ehr_url}/open/halloran?user=okafor", timeout=TIMEOUT_S
    )
    draft_id = clinician.make_draft()
    form = clinician.confirmation()
    written = clinician.browser.post(clinician.page.url, data=form, timeout=TIMEOUT_S)
    assert "Written: 48 of 48" in written.text
    repository = HttpRepository(ward.fhir_url, session=requests.Session())
    plans = repository.search("CarePlan", {"patient": "halloran"})
    [plan] = [each for each in plans if draft_id in str(each["identifier"])]
    name = plan["author"]["display"]
    assert name.startswith("Dr Set-Cookie: a=bECNAVx")
    assert len(name) == 300
    assert "\u202e" not in written.text
    assert "x" * 301 not in written.text


def test_a_reason_holds_no_characters_that_fhir_or_the_eye_cannot_take(ward: Ward) -> None:
    clinician = HttpClinician(ward.ehr_url)
    clinician.launch("duarte")
    page = clinician.open("plan/LUNG")
    reason = "The board \x00\x01asks\ufffe for\u202e it,\u2066\r\nand\tthe patient agrees."
    form = {"_csrf": csrf_token(page.text), "override-kind": "tumour-board", "next": "review"}
    url = f"{clinician.launch_url}/plan/LUNG"
    clinician.page = clinician.browser.post(
        url, data=form | {"override-reason": reason}, timeout=TIMEOUT_S
    )
    draft_id = clinician.page.url.rpartition("/")[2]
    clinician.browser.post(clinician.page.url, data=clinician.confirmation(), timeout=TIMEOUT_S)
    repository = HttpRepository(ward.fhir_url, session=requests.Session())
    plans = repository.search("CarePlan", {"patient": "duarte"})
    [plan] = [each for each in plans if draft_id in str(each["identifier"])]
    texts = " ".join(note["text"] for note in plan["note"])
    assert "The board asks for it,\r\nand\tthe patient agrees." in texts.replace(
        "\n", "\r\n"
    ).replace("\r\r\n", "\r\n")

"""`ivfhir validate`: exit 0, 6 or 4, and what is printed."""

import json
import re
import shlex
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from tests.servers.raw_server import http_answer, raw_server

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/validate.md").read_text(encoding="utf-8")
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}


NAMED = "http://x.example/named"
PROFILE = {
    "resourceType": "StructureDefinition",
    "url": NAMED,
    "version": "1.0",
    "title": "Named",
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}


@pytest.fixture
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    (folder / "named.json").write_text(json.dumps(PROFILE))
    return str(folder)


@pytest.fixture
def files(tmp_path):
    for name, resource in (("good", PATIENT), ("bad", {**PATIENT, "gender": "f"})):
        (tmp_path / f"{name}.json").write_text(json.dumps(resource))
    (tmp_path / "other.json").write_text("no json")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [(["good"], 0), (["bad"], 6), (["good", "other"], 6), (["good", "bad"], 6)],
)
def test_the_exit_code_tells_whether_there_is_an_error(files, capsys, names, code):
    assert main(["validate", *(str(files / f"{name}.json") for name in names)]) == code
    assert capsys.readouterr().err == ""


def test_where_nothing_can_be_read_it_is_exit_4(files, capsys):
    assert main(["validate", str(files / "other.json"), str(files / "none.json")]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "is not JSON" in err
    assert "Nor could 1 other be read." in err
    names = ("other", "none", "nothing")
    assert main(["validate", *(str(files / f"{each}.json") for each in names)]) == 4
    assert "Nor could 2 others be read." in capsys.readouterr().err


def test_what_was_left_out_is_no_resource(files, capsys):
    (files / "other.json").write_text('{"transactionTime": "2020"}')
    (files / "bad.json").unlink()
    assert main(["validate", str(files)]) == 0
    assert "\n1 resource, 0 errors" in capsys.readouterr().out
    (files / "good.json").unlink()
    assert main(["validate", str(files)]) == 4
    assert "was left out" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_each_format_names_file_and_rule(files, capsys, form):
    assert main(["validate", str(files), "--format", form]) == 6
    out = capsys.readouterr().out
    assert "bad.json" in out
    assert "administrative-gender" in out


def test_a_profile_is_asked_for(files, package, capsys):
    good = str(files / "good.json")
    assert main(["validate", good, "--package", package]) == 0
    assert main(["validate", good, "--package", package, "--profile", NAMED]) == 6
    out = capsys.readouterr().out
    assert "Patient has no name; Named 1.0 asks for it, so add it. [profile-cardinality]" in out


def test_a_profile_for_another_type_is_said(files, package, capsys):
    group = {"resourceType": "Group", "type": "person", "actual": True}
    (files / "group.json").write_text(json.dumps(group))
    given = ["--package", package, "--profile", NAMED, "--format", "json"]
    assert main(["validate", str(files / "group.json"), *given]) == 6
    told = json.loads(capsys.readouterr().out)[0]["issues"]
    assert [each["rule"] for each in told if each["severity"] == "error"] == ["profile-type"]
    bundle = {"resourceType": "Bundle", "type": "collection"}
    bundle["entry"] = [
        {"resource": each, "fullUrl": f"urn:uuid:{n}f6c2bd6-6d2e-4d6e-9d6e-0f6c2bd6e0a{n}"}
        for n, each in enumerate((group, PATIENT))
    ]
    (files / "bundle.json").write_text(json.dumps(bundle))
    assert main(["validate", str(files / "bundle.json"), *given]) == 6
    told = json.loads(capsys.readouterr().out)[0]["issues"]
    assert [each["expression"] for each in told if each["severity"] == "error"] == [
        "Bundle.entry[1].resource"
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--profile", NAMED], "give the folder or .tgz by --package"),
        (["--profile", NAMED + "x", "--package"], "is in none of package"),
        (["--profile", NAMED + "|2", "--package"], "is there in version 1.0 only"),
    ],
)
def test_a_profile_that_nobody_has_is_an_error_of_the_command(files, package, capsys, given, said):
    paths = [str(files / "good.json")]
    assert main(["validate", *paths, *given, *([package] if given[-1] == "--package" else [])]) == 2
    assert said in capsys.readouterr().err


def test_a_package_that_is_none_is_exit_4(files, capsys):
    assert main(["validate", str(files / "good.json"), "--package", str(files / "none.tgz")]) == 4
    assert "is not there; give the folder or .tgz" in capsys.readouterr().err


CLEAN = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}'
FHIR = "Content-Type: application/fhir+json"


def saying(body, **how):
    """A server that answers each request with one body."""
    return raw_server(lambda sock, _: sock.sendall(http_answer(body, FHIR, **how)))


def test_a_server_is_asked_beside_us(files, capsys):
    (files / "other.json").unlink()
    with saying(CLEAN) as base:
        assert main(["validate", str(files), "--server", base]) == 6
    out, err = capsys.readouterr()
    assert "error (only ivfhir): Patient.gender is 'f'" in out
    assert out.endswith("side by side in 2 of 2: 0 both, 3 ivfhir, 0 server\n")
    assert err == ""


@pytest.mark.parametrize(("names", "code"), [(["good"], 5), (["good", "bad"], 6)])
def test_a_server_that_fails_is_a_sentence_and_exit_5_where_we_found_nothing(
    files, capsys, names, code
):
    paths = [str(files / f"{name}.json") for name in names]
    with saying(b"<html>", status="500 No") as base:
        assert main(["validate", *paths, "--server", base]) == code
    out, err = capsys.readouterr()
    assert f"{len(names)} resource" in out
    assert "(only ivfhir)" not in out
    assert err.count("\n") == 1
    assert "the server failed (500)" in err
    assert f"{len(names)} of {len(names)}" in err


def test_a_fault_that_the_server_alone_finds_is_one(files, capsys):
    wrong = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}'
    with saying(wrong) as base:
        command = ["validate", str(files / "good.json"), "--server", base, "--format", "json"]
        assert main(command) == 6
    [told] = json.loads(capsys.readouterr().out)
    assert told["answered"] is True
    assert [each["by"] for each in told["issues"]] == ["ivfhir", "server"]


def test_a_resource_is_read_from_its_address(capsys):
    with saying(b'{"resourceType": "Patient",\n "id": "p", "gender": "f"}') as base:
        assert main(["validate", f"{base}/Patient/p"]) == 6
        assert f"{base}/Patient/p:2:13: error: Patient.gender" in capsys.readouterr().out
    with saying(b"", status="404 No") as base:
        assert main(["validate", f"{base}/Patient/p"]) == 5
        assert "(404)" in capsys.readouterr().err


def test_where_a_server_is_among_the_reasons_it_is_exit_5_in_whatever_order(files, capsys):
    for turn in (1, -1):
        with saying(b"", status="404 No") as base:
            paths = [str(files / "none.json"), f"{base}/Patient/p"]
            assert main(["validate", *paths[::turn]]) == 5
            err = capsys.readouterr().err
        assert "(404)" in err
        assert "Nor could 1 other be read." in err


def test_addresses_that_cannot_be_meant_are_exit_2(files, capsys, monkeypatch):
    good = str(files / "good.json")
    assert main(["validate", good, "--server", "ftp://h/fhir"]) == 2
    assert main(["validate", "https://h/fhir"]) == 2
    monkeypatch.setenv("IVFHIR_TOKEN", "t")
    assert main(["validate", "https://h/fhir/Patient/p", "--server", "https://other/fhir"]) == 2
    assert "IVFHIR_TOKEN is for one server" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_each_format_says_who_says_what(files, hapi, capsys, form):
    (files / "other.json").unlink()
    (files / "bad.json").write_text('{"resourceType": "Patient",\n "gendr": "f", "link": []}')
    assert main(["validate", str(files), "--server", hapi, "--format", form]) == 6
    out, err = capsys.readouterr()
    assert err == ""
    assert "is gender meant?" in out
    assert "Unrecognized property" in out
    assert "both" in out or '"also": {' in out


def test_progress_is_for_a_terminal_alone(files, capsys, monkeypatch):
    main(["validate", str(files)])
    plain = capsys.readouterr()
    assert plain.err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    main(["validate", str(files)])
    shown = capsys.readouterr()
    assert shown.out == plain.out
    assert "resources" in shown.err


def test_the_guide_shows_what_comes_out(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    given = re.search(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    shown = re.search(r"^    \$ ivfhir (.+)\n((?:    .*\n)+)", GUIDE, re.MULTILINE)
    assert given is not None
    assert shown is not None
    (tmp_path / "patient.json").write_text(given[1])
    assert main(shlex.split(shown[1])) == 6
    assert capsys.readouterr().out == re.sub("^    ", "", shown[2], flags=re.MULTILINE)

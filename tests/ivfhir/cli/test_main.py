"""Results on standard output, one sentence on standard error, the promised exit codes."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from ivfhir.cli import main as cli
from ivfhir.cli.arguments import COMMANDS
from ivfhir.cli.main import main
from ivfhir.knowledge.load import load_protocols

DATA = Path(__file__).parents[2] / "data"
LUNG_PATIENT = str(DATA / "mcode-nsclc")


def _fails(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ivfhir: ")
    assert err.count("\n") == 1
    return code, err


def test_help_names_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert command in text


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_subcommand_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert command in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("ivfhir ")


@pytest.mark.parametrize(
    ("words", "objects"),
    [
        (["protocols"], cli.GARBAGE_AFTER[0]),
        # What lasts for months makes garbage without end: it is looked for as Python does.
        (["serve"], 700),
        (["worker"], 700),
        (["fake-ehr", "--fhir", "http://127.0.0.1:9"], 700),
    ],
)
def test_garbage_is_looked_for_seldom_only_where_a_command_soon_ends(
    monkeypatch: pytest.MonkeyPatch, words: list[str], objects: int
) -> None:
    kept = gc.get_threshold()
    monkeypatch.setattr(f"{COMMANDS[words[0]][0]}.run", lambda _: gc.get_threshold()[0])
    try:
        gc.set_threshold(700, 10, 10)
        assert main(words) == objects
    finally:
        gc.set_threshold(*kept)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "COMMAND"),
        (["nonsense"], "nonsense"),
        (["evaluate"], "--patient"),
        (["evaluate", "--patient", LUNG_PATIENT, "--format", "xml"], "xml"),
        (
            ["evaluate", "--patient", LUNG_PATIENT, "--protocol", "NONE"],
            ", ".join(load_protocols()),
        ),
        (["evaluate", "--patient", LUNG_PATIENT, "--as-of", "yesterday"], "evaluation date"),
        (["evaluate", "--patient", LUNG_PATIENT, "--id", "x", "--all"], "not allowed"),
        (["evaluate", "--patient", LUNG_PATIENT, "--id", "x"], "no Patient with the id"),
        (["evaluate", "--patient", ""], "empty"),
        (["evaluate", "--patient", "https://ehr.example/fhir/Condition/1"], "/Patient/ID"),
        (["evaluate", "--patient", "https://u:secret@ehr.example/Patient/1"], "password"),
        (["evaluate", "--patient", "https://ehr.example/Patient/1", "--all"], "leave out"),
        (["evaluate", "--patient", str(DATA / "bulk-export")], "--id ID"),
        (["apply", "LUNG", "--patient", LUNG_PATIENT], "--start"),
        (["apply", "LUNG", "--patient", LUNG_PATIENT, "--start", "soon"], "calendar"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = _fails(capsys, *argv)
    assert code == 2
    assert words in err
    assert "secret" not in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ('{"resourceType": "Patient"', "is not JSON"),
        ("<Patient/>", "XML"),
        ('{"resourceType": "Condition", "id": "c"}', "no Patient"),
        ('{"id": "p"}', "no resourceType"),
        ('{"resourceType": "Patient"}', "no id"),
        ('{"resourceType": "Patient", "id": "p", "birthDate": 1962}', "Patient.birthDate"),
        ('{"a":' * 100_000, "nested"),
    ],
)
def test_bad_input_is_one_sentence_and_code_4(
    content: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "patient.json"
    path.write_text(content)
    code, err = _fails(capsys, "evaluate", "--patient", str(path))
    assert code == 4
    assert words in err


def test_a_file_that_is_not_there_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    code, err = _fails(capsys, "evaluate", "--patient", "absent.json")
    assert (code, "does not exist" in err) == (4, True)


def test_a_server_that_is_down_is_code_5(capsys: pytest.CaptureFixture[str]) -> None:
    code, err = _fails(capsys, "evaluate", "--patient", "http://127.0.0.1:9/fhir/Patient/p")
    assert (code, "cannot be reached" in err) == (5, True)


def test_an_unknown_time_zone_is_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IVFHIR_TIME_ZONE", "Mars/Olympus")
    code, err = _fails(capsys, "evaluate", "--patient", LUNG_PATIENT)
    assert (code, "IVFHIR_TIME_ZONE" in err) == (2, True)


def test_a_fault_of_ours_is_a_sentence_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("details\nof the fault")

    monkeypatch.setattr(cli, "build_parser", fail)
    code, err = _fails(capsys, "protocols")
    assert (code, "RuntimeError" in err, "details" in err) == (1, True, False)


@pytest.mark.parametrize("command", ["serve", "fake-ehr"])
def test_the_app_is_an_extra_that_is_asked_for_by_name(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "smart_app"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flask", None)
    code, err = _fails(capsys, command)
    assert (code, "pip install 'ivfhir[app]'" in err) == (2, True)


def test_protocols_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    [lung] = [row for row in rows if row.startswith("LUNG ")]
    assert head.split() == ["ID", "VERSION", "STATUS", "EVIDENCE", "TITLE"]
    assert lung.split("  ")[0] == "LUNG"
    assert "very low" in lung


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m ivfhir.cli.main evaluate --patient {LUNG_PATIENT} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - a pipe is the point
    assert (done.stdout, done.stderr, done.returncode) == ("{\n", "", 0)


_COUNTED = """
import sys
calls = 0
def note(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")
sys.setprofile(note)
try:
    from ivfhir.cli.main import main
    main(sys.argv[1:])
except SystemExit:
    pass
sys.setprofile(None)
files = [getattr(each, "__file__", None) or "" for each in sys.modules.values()]
print(calls, len(files), sum("site-packages" in each for each in files), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("argv", "most_modules", "most_calls"),
    [(["--help"], 120, 45_000), (["evaluate", "--patient", LUNG_PATIENT], 330, 4_200_000)],
)
def test_help_and_one_patient_do_little(
    argv: list[str], most_modules: int, most_calls: int
) -> None:
    """91 and 263 modules, 32,000 and 3.3 million calls; nothing of anybody else is loaded."""

    def counted(code: str) -> list[int]:
        command = [sys.executable, "-c", code, *argv]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [int(each) for each in done.stderr.split()]

    calls, modules, others = counted(_COUNTED)
    there = counted(_COUNTED.replace("main(sys.argv[1:])", "sys.exit()"))[2]
    assert modules <= most_modules
    assert calls <= most_calls
    assert others == there, "what an editable install loads by itself, and no more"

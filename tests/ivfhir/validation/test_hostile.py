"""Hostile input: a sentence, in a process that may have 512 MB and little time.

Time is that of the processor: the machine that runs the tests may be busy.
"""

import json
import os
import subprocess
import sys

import pytest

from ivfhir.validation import validate_resource
from ivfhir.validation.findings import MAX_BYTES

MEMORY_MB = 512
SECONDS = 20
PATIENT = '{"resourceType":"Patient",'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
MANY = 100_000
LONG = 2**20
UCUM = "http://unitsofmeasure.org"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY_MB} * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS},) * 2)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Bounds what the process may take of memory, and of the processor's time, and goes on as it."""


def limited(*arguments):
    """Return what a Python process with those limits says."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments], capture_output=True, text=True, check=False
    )


def run(file):
    """Return exit code, output and errors of `ivfhir validate FILE`."""
    told = limited("-m", "ivfhir.cli.main", "validate", str(file))
    return told.returncode, told.stdout, told.stderr


def test_the_limits_do_end_a_process_that_takes_more():
    assert "MemoryError" in limited("-c", f"bytearray({MEMORY_MB} * 2**20)").stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * MANY, "nested more than 128 levels deep"),
        (
            PATIENT + '"extension":' + '[{"extension":' * 1000 + "[]" + "}]" * 1000 + "}",
            "nested more than 128 levels deep",
        ),
        (b'{"resourceType":"Patient","name":[{"family":"\xe9"}]}', "is not UTF-8 (byte 45)"),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8"),
        (PATIENT + '"multipleBirthInteger":1e999999999}', "number that is too long or too large"),
        (PATIENT + '"multipleBirthInteger":' + "9" * LONG + "}", "too long or too large"),
        (PATIENT + '"multipleBirthInteger":0.' + "9" * LONG + "}", "too long or too large"),
        (PATIENT + ",".join(['"id":"x"'] * MANY) + "}", "names the element 'id' twice"),
        (
            PATIENT + ",".join(f'"k{i}":1' for i in range(MANY)) + ',"k99999":1}',
            "names the element 'k99999' twice",
        ),
        (PATIENT + '"id":"\\ud800"}', "half of a surrogate pair"),
        (" " * (MAX_BYTES + 1), "is larger than 64 MB"),
        ("", "is empty"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value)[:20],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, text, said):
    file = tmp_path / "bad.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = run(file)
    assert (code, out) == (4, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert len(err) < 400 + len(str(file))


def measured(number):
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/p"},
        "note": [{"text": "x" * 3000}],
        "valueQuantity": {"value": 1.5, "unit": "g/dL", "system": UCUM, "code": "g/dL"},
    }


def bundle(*resources):
    base = "http://x.example/fhir"
    entries = [
        {"fullUrl": f"{base}/{each['resourceType']}/{each['id']}", "resource": each}
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def coded(number):
    coding = {"system": ACTS, "code": f"no-such-{number}"}
    return measured(number) | {"note": [{"text": "x"}], "category": [{"coding": [coding]}]}


def contained(count):
    inside = [{"resourceType": "Patient", "id": f"p{i}"} for i in range(count)]
    entries = [{"item": {"reference": f"#p{i}"}} for i in range(count)]
    made = {"resourceType": "List", "status": "current", "mode": "working"}
    return made | {"contained": inside, "entry": entries}


def long_texts():
    text = "x" * (LONG + 1)
    return {
        "resourceType": "Patient",
        "name": [{"family": text}],
        "gender": "f" * LONG,
        "birthDate": "2020-" * 200_000,
        "identifier": [{"system": f"urn:uuid:{text}"}, {"system": "urn:oid:" + "1." * 500_000}],
        "managingOrganization": {"reference": "A/" * 500_000},
        "photo": [{"contentType": "a/a;" + "a=b;" * 250_000, "data": "A" * LONG}],
    }


def long_units():
    quantity = {"value": 1, "system": UCUM, "code": "m." * 500_000}
    made = measured(1) | {"valueQuantity": quantity}
    return made | {"method": {"coding": [{"system": UCUM, "code": "(" * 500_000}]}}


def narrative(inside):
    return {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": f"{DIV}{inside}</div>"},
    }


@pytest.mark.parametrize(
    ("resource_", "said"),
    [
        (long_texts(), "Patient.name[0].family is longer than 1048576 characters"),
        (long_units(), "is longer than 1000 characters"),
        (narrative("<p>a</p>" * 130_000), "0 errors"),
        (narrative("<b>" * MANY + "</b>" * MANY), "breaks R4's rule"),
        ({"resourceType": "Patient"} | {f"k{i}": 1 for i in range(MANY)}, "no element 'k0'"),
        (contained(20_000), "0 errors"),
        (bundle(*(coded(i) for i in range(10_000))), "More than 1000 issues"),
    ],
    ids=["texts", "units", "narrative", "markup", "unknown", "contained", "codes"],
)
def test_what_can_be_read_is_judged_within_the_bounds(tmp_path, resource_, said):
    file = tmp_path / "large.json"
    file.write_text(json.dumps(resource_))
    code, out, err = run(file)
    assert code in (0, 6), err
    assert said in out
    assert len(out) < 600_000


def test_a_bundle_of_64_mb_is_judged_within_the_bounds(tmp_path):
    file = tmp_path / "bundle.json"
    one = len(json.dumps(bundle(measured(1))))
    count = MAX_BYTES // one
    file.write_text(json.dumps(bundle(*(measured(i) for i in range(count)))))
    assert 60 * 2**20 < os.path.getsize(file) <= MAX_BYTES
    code, out, err = run(file)
    assert (code, err) == (0, "")
    assert "1 resource, 0 errors" in out


def named_otherwise(number):
    """Return a resource that names what R4 does not have wherever a text may name something."""
    made = measured(number) | {"meta": {"tag": [{"system": f"http://x.example/{number}"}]}}
    made |= {"extension": [{"url": f"http://x.example/e{number}", "valueString": "x"}]}
    made |= {"contained": [{"resourceType": f"Thing{number}", "id": "a"}]}
    return made | {"subject": {"reference": f"Thing{number}/x", "type": f"Thing{number}"}}


def kept():
    """Return how much each function of ivfhir keeps of what it was asked."""
    modules = [each for name, each in sys.modules.items() if name.startswith("ivfhir")]
    named = {(each.__name__, n): f for each in modules for n, f in vars(each).items()}
    return {key: f.cache_info().currsize for key, f in named.items() if hasattr(f, "cache_info")}


def test_what_resources_name_is_not_kept():
    """A process that lasts would grow with each, and hold what is of a patient."""
    validate_resource(named_otherwise(0))
    before = kept()
    for number in range(1, 20):
        validate_resource(named_otherwise(number))
    assert kept() == before

"""A site's overlay: what narrows applies, what widens needs its sign-off, a mistake is refused."""

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from ivfhir.errors import KnowledgeError, ParameterError, UsageError
from ivfhir.expressions.index import ResourceIndex
from ivfhir.fhir.outcome import exit_code
from ivfhir.knowledge.load import load_protocol, load_protocols
from ivfhir.knowledge.overlay import Overlay, load_overlay
from ivfhir.knowledge.package import read_json, regimens_folder, shared_folder
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.thresholds import read_thresholds
from tools.knowledge.authoring.regimen import regimen_files
from tools.knowledge.layout import Layout

EXAMPLE = Path(__file__).parents[2] / "data" / "overlay"
HEAD = """name = "Site"
version = "1"
url = "https://site.example/overlay"
by = "the board"
date = 2026-11-28
"""
PLATELETS = """
[[threshold]]
criterion = "X-BLEED"
fact = "platelets"
value = 75
unit = "10*9/L"
reason = "policy"
"""
SIGNED = """
[[sign_off]]
of = "X-BLEED.platelets"
value = "40"
name = "Dr. A"
role = "head"
date = 2026-11-20
what = "platelets from 40"
"""
INTERVAL = """
[[parameter]]
protocol = "LUNG"
name = "segment_interval_days"
lowest = 21
reason = "the international interval"
"""
INTERVAL_SIGNED = SIGNED.replace("X-BLEED.platelets", "LUNG.segment_interval_days").replace(
    '"40"', '"21 to 35"'
)


def written(folder: Path, text: str) -> Overlay | None:
    (folder / "overlay.toml").write_text(HEAD + text, encoding="utf-8")
    return load_overlay(folder)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(KnowledgeError) as caught:
        written(folder, text)
    assert exit_code(caught.value) == 4
    return caught.value.message


def test_the_example_is_read_whole() -> None:
    overlay = load_overlay(EXAMPLE)
    assert overlay is not None
    assert overlay.to_json() == {"name": "Example Hospital", "version": "1.2.0"}
    assert {name: number for name, (_, number) in overlay.numbers.items()} == {
        "X-BLEED.platelets": Decimal(75),
        "X-RENAL.egfr": Decimal(25),
    }
    interval = overlay.parameters["LIVER", "tace_interval_days"]
    assert (interval.low, interval.default, interval.high) == (42, 56, 84)
    assert list(overlay.regimens) == ["RG-EX1"]
    assert [(each.of, each.name) for each in overlay.sign_offs] == [
        ("X-RENAL.egfr", "Dr. Erika Example")
    ]
    assert "signed by Dr. Erika Example" in overlay.applied


def test_the_regimen_of_the_example_is_what_its_toml_gives() -> None:
    built = dict(regimen_files(Layout(), EXAMPLE / "regimens"))
    assert [path.read_bytes() for path in built] == list(built.values())
    assert len(built) == 1


@pytest.mark.parametrize("folder", [None, ""])
def test_no_folder_is_no_overlay(folder: str | None) -> None:
    assert load_overlay(folder) is None


def test_a_folder_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no overlay\.toml"):
        load_overlay(tmp_path)


def test_what_narrows_needs_no_sign_off(tmp_path: Path) -> None:
    overlay = written(tmp_path, PLATELETS)
    assert overlay is not None
    assert overlay.sign_offs == ()


def test_what_widens_is_refused_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    said = refused(tmp_path, PLATELETS.replace("75", "40"))
    assert "overlay.toml:7: X-BLEED.platelets widens: the specification says 50" in said
    assert 'of = "X-BLEED.platelets" and value = "40"' in said


def test_what_widens_applies_with_its_sign_off(tmp_path: Path) -> None:
    overlay = written(tmp_path, PLATELETS.replace("75", "40") + SIGNED)
    assert overlay is not None
    assert [each.name for each in overlay.sign_offs] == ["Dr. A"]


def test_a_sign_off_is_for_one_value(tmp_path: Path) -> None:
    assert "the one there is for 40" in refused(tmp_path, PLATELETS.replace("75", "30") + SIGNED)


def test_a_sign_off_of_another_row_signs_nothing(tmp_path: Path) -> None:
    other = SIGNED.replace("X-BLEED.platelets", "X-BLEED.inr")
    assert "X-BLEED.platelets widens" in refused(tmp_path, PLATELETS.replace("75", "40") + other)


def test_a_sign_off_that_nothing_needs_is_refused(tmp_path: Path) -> None:
    assert "nothing of the overlay needs" in refused(tmp_path, PLATELETS + SIGNED)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (PLATELETS.replace("X-BLEED", "X-BLED"), "did you mean 'X-BLEED.platelets'?"),
        (PLATELETS.replace("10*9/L", "/uL"), 'with unit = "10*9/L"'),
        (PLATELETS.replace('unit = "10*9/L"\n', ""), 'with unit = "10*9/L"'),
        (PLATELETS.replace("value", "valeu"), "did you mean 'value'?"),
        (PLATELETS.replace("75", '"many"'), "value of a threshold must be a number above 0"),
        (PLATELETS.replace("75", "0"), "must be a number above 0"),
        (PLATELETS.replace("75", "nan"), "must be a number above 0"),
        (PLATELETS.replace("75", "75000"), "is it of another unit?"),
        (PLATELETS.replace("75", "50"), "is 50 in the specification too"),
        (PLATELETS + PLATELETS, "is there twice"),
        (PLATELETS + "x = \n", "it is not TOML"),
        (PLATELETS.replace("[[threshold]]", "[[treshold]]"), "did you mean 'threshold'?"),
        (PLATELETS.replace('reason = "policy"', ""), "has no 'reason'"),
        (
            '\n[[threshold]]\ncriterion = "C-AGE"\nfact = "age"\nvalue = 18.5\nunit = "a"\n'
            'reason = "r"\n',
            "C-AGE.age is a whole number",
        ),
        (
            '\n[[threshold]]\ncriterion = "X-RENAL"\nfact = "egfr"\nvalue = 45\n'
            'unit = "mL/min/{1.73_m2}"\nreason = "r"\n',
            "X-RENAL.egfr (45) must stay below K-RENAL.egfr (45)",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_and_line(tmp_path: Path, row: str, said: str) -> None:
    message = refused(tmp_path, row)
    assert said in message
    assert "overlay.toml:" in message


def test_a_bound_narrows_and_widens_as_a_threshold_does(tmp_path: Path) -> None:
    assert "LUNG.segment_interval_days widens" in refused(tmp_path, INTERVAL)
    overlay = written(tmp_path, INTERVAL + INTERVAL_SIGNED)
    assert overlay is not None
    assert overlay.parameters["LUNG", "segment_interval_days"].low == 21


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"LUNG"', '"LUNGE"'), "there is no protocol 'LUNGE'"),
        (("segment_interval_days", "segment_interval"), "did you mean 'segment_interval_days'?"),
        (("lowest = 21", "lowest = 35\nhighest = 28"), "give lowest, highest and default"),
        (("lowest = 21", "default = 36"), "the default 36"),
        (("lowest = 21", ""), "is so in the specification too"),
    ],
)
def test_a_wrong_bound_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert said in refused(tmp_path, INTERVAL.replace(*change))


def test_a_count_widens_in_no_way(tmp_path: Path) -> None:
    row = INTERVAL.replace("LUNG", "LIVER").replace("segment_interval_days", "tace_max_planned")
    assert "the plan has steps for 1 to 6" in refused(
        tmp_path, row.replace("lowest = 21", "highest = 7")
    )


def test_the_digest_tells_another_text_of_the_same_version(tmp_path: Path) -> None:
    digests = [
        written(tmp_path, PLATELETS.replace("75", number)).digest for number in ("75", "75", "80")
    ]
    assert digests[0] == digests[1] != digests[2]
    assert load_overlay(EXAMPLE).digest not in digests


def test_a_stranger_in_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "regimen").mkdir()
    assert "did you mean 'regimens'?" in refused(tmp_path, PLATELETS)


@pytest.fixture
def regimen(tmp_path: Path) -> Path:
    """Return a copy of the example's regimen, in an overlay that changes nothing else."""
    shutil.copytree(EXAMPLE / "regimens", tmp_path / "regimens")
    return tmp_path / "regimens" / "PlanDefinition-RG-EX1.json"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_site_adds_a_regimen(regimen: Path, tmp_path: Path) -> None:
    overlay = written(tmp_path, "")
    assert overlay is not None
    assert overlay.regimens["RG-EX1"].serves("LIVER", mode="TACE")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"value": 50,', '"value": 90,', "its highest dose is above 75 mg/m2"),
        ('"value": 100,', '"value": 200,', "its cap is above 150 mg"),
        ('"AG-DOX"', '"AG-CARBO"', "it lacks the exclusion AG-DOX"),
        (
            '"url": "drug",\n              "valueCode": "doxorubicin"',
            '"url": "drug",\n              "valueCode": "novodrug"',
            "gives novodrug this way",
        ),
        ('"value": 550,', '"value": 900,', "its dose over a life may go above 550 mg/m2"),
    ],
)
def test_a_regimen_beyond_ours_needs_a_sign_off(
    regimen: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    changed(regimen, old, new)
    message = refused(tmp_path, "")
    assert said in message
    assert "regimens/PlanDefinition-RG-EX1.json:1: RG-EX1.doxorubicin widens" in message
    signed = SIGNED.replace("X-BLEED.platelets", "RG-EX1.doxorubicin").replace('"40"', '"1.0.0"')
    overlay = written(tmp_path, signed)
    assert overlay is not None
    assert overlay.sign_offs[0].of == "RG-EX1.doxorubicin"


def folfox(tmp_path: Path) -> Path:
    """Return RG-LI3 as a site's own regimen, RG-EX2."""
    folder = tmp_path / "regimens"
    folder.mkdir()
    source = regimens_folder() / "PlanDefinition-RG-LI3.json"
    path = folder / "PlanDefinition-RG-EX2.json"
    path.write_text(source.read_text("utf-8").replace("RG-LI3", "RG-EX2"), "utf-8")
    return path


def test_a_bolus_in_the_dose_of_an_infusion_needs_a_sign_off(tmp_path: Path) -> None:
    path = folfox(tmp_path)
    assert written(tmp_path, "") is not None
    text = path.read_text("utf-8").replace('"text": "bolus"', '"text": "held"')
    text = text.replace('"text": "infusion"', '"text": "bolus"')
    path.write_text(text.replace('"text": "held"', '"text": "infusion"'), "utf-8")
    message = refused(tmp_path, "")
    assert "RG-EX2.fluorouracil-bolus widens: it runs otherwise than over 24 hours" in message
    signed = SIGNED.replace("X-BLEED.platelets", "RG-EX2.fluorouracil-bolus")
    message = refused(tmp_path, signed.replace('"40"', '"0.1.0"'))
    assert "RG-EX2.fluorouracil-infusion widens: its highest dose is above 400 mg/m2" in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # As it was built before bolus and infusion had an element.
        (r',\s*"method": \{\s*"text": "\w+"\s*\}', ""),
        (r',\s*"method": \{\s*"text": "bolus"\s*\}', ""),
        (r'"text": "bolus"', '"text": "infusion"'),
    ],
)
def test_parts_of_one_drug_that_nothing_tells_apart_are_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    path = folfox(tmp_path)
    text, count = re.subn(old, new, path.read_text("utf-8"))
    assert count
    path.write_text(text, "utf-8")
    message = refused(tmp_path, "")
    assert (
        "regimens/PlanDefinition-RG-EX2.json:1: fluorouracil-bolus and fluorouracil-infusion are "
        'fluorouracil by the same route: give each its own method, such as method = "bolus" and '
        'method = "infusion", in RG-EX2.toml, and build it again'
    ) in message


def test_a_regimen_of_ours_is_not_replaced(regimen: Path, tmp_path: Path) -> None:
    changed(regimen, '"id": "RG-EX1"', '"id": "RG-LI1"')
    regimen.rename(regimen.with_name("PlanDefinition-RG-LI1.json"))
    (regimen.parent / "RG-EX1.toml").unlink()
    assert "RG-LI1 is a regimen of the specification" in refused(tmp_path, "")


def test_a_regimen_that_is_not_built_is_refused(regimen: Path, tmp_path: Path) -> None:
    regimen.unlink()
    assert "regimens/RG-EX1.toml is no built regimen" in refused(tmp_path, "")


def test_a_regimen_of_an_unknown_protocol_is_refused(regimen: Path, tmp_path: Path) -> None:
    changed(regimen, '"valueCode": "LIVER"', '"valueCode": "LIVRE"')
    assert "there is no protocol LIVRE" in refused(tmp_path, "")


def test_an_overlay_is_not_laid_over_other_knowledge() -> None:
    overlay = load_overlay(EXAMPLE)
    assert overlay is not None
    document = read_json(shared_folder() / "cql" / "IOThresholds.json")
    overlay.check_fits([document])
    [platelets] = [
        each
        for each in document["library"]["parameters"]["def"]
        if each["name"] == "X_BLEED_platelets"
    ]
    platelets["default"]["value"] = "60.0"
    with pytest.raises(KnowledgeError, match=r"IOThresholds says 60\.0 for X-BLEED\.platelets"):
        overlay.check_fits([document])


def test_no_session_gives_a_threshold_another_value() -> None:
    library = load_protocol("STENT").library
    with pytest.raises(ParameterError, match="X_BLEED_platelets is fixed"):
        library.session(
            ResourceIndex({"resourceType": "Patient", "id": "p"}, ()),
            parameters={"X_BLEED_platelets": Decimal(10)},
        )


def test_each_threshold_is_said_by_the_rows_that_it_names() -> None:
    """Else a page would print the specification's number where another was used."""
    protocols = load_protocols(Registry())
    said: dict[str, tuple[str, str]] = {}
    for protocol in protocols.values():
        for document in protocol.library.program.libraries.values():  # type: ignore[union-attr]
            for define in document.get("statements", {}).get("def", []):
                name = define["name"].removesuffix("_Criterion")
                texts = ("", "") if name == define["name"] else _texts(define["expression"])
                if texts[1]:  # LMET's row of X-RESIST takes its words from the shared one.
                    said[name.replace("_", "-")] = texts
    for threshold in read_thresholds(shared_folder()).values():
        assert threshold.rules
        for words in threshold.rules:
            for row, (old, new) in words.items():
                assert old in said[row][1]
                assert "{}" in new
        for row, (old, new) in threshold.titles.items():
            assert old in said[row][0]
            assert "{}" in new


def _texts(expression: dict[str, object]) -> tuple[str, str]:
    about = next(
        each
        for each in expression["operand"]  # type: ignore[attr-defined]
        if each["type"] == "Tuple"
    )
    texts = {each["name"]: each["value"].get("value", "") for each in about["element"]}
    return texts["title"], texts["rule"]

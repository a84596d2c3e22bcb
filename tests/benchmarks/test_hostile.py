"""Hostile answers of an EHR against the app in its own processes; the long form is a command."""

from pathlib import Path

import pytest

from benchmarks.hostile.cases import KINDS, cases
from benchmarks.hostile.page_check import scripts_in
from benchmarks.hostile.record import SCRIPTS
from benchmarks.hostile.run import attack

ELSEWHERE = "http://127.0.0.1:1"


@pytest.mark.server
def test_hostile_answers_run_nothing_leak_nothing_and_take_nothing_down(tmp_path: Path) -> None:
    """No token off the base, no script, no 500, each worker below 512 MB, each page below 5 s.

    Where the machine is at work beside it, so much longer as a page of an honest record takes.
    """
    seen = attack(tmp_path, seed=20, count=64)
    assert seen.faults == []
    assert set(seen.kinds) == set(KINDS)
    assert seen.statuses[200] > 100


def test_the_same_seed_gives_the_same_answers() -> None:
    first, again, other = (
        [(case.name, case.on, case.reply("Condition?page=1", "http://127.0.0.1/fhir"))]
        for seed in (1, 1, 2)
        for case in cases(seed, 1, elsewhere=ELSEWHERE)
    )
    assert first == again != other
    assert len(list(cases(1, 500, elsewhere=ELSEWHERE))) == 500


@pytest.mark.parametrize(
    "script", [each for each in SCRIPTS if "<" in each and "data:text" not in each]
)
def test_a_page_with_a_script_unescaped_would_be_found(script: str) -> None:
    assert scripts_in(f"<p title='x'>{script}</p>") or scripts_in(f'<p title="{script}">')


def test_a_page_with_escaped_scripts_is_sound() -> None:
    page = '<p title="&lt;script&gt;">&lt;xcanary&gt; javascript:xcanary()</p><a href="/l/x">y</a>'
    assert scripts_in(page) == []
    assert scripts_in('<a href=" javascript:x()">y</a>') != []
    assert scripts_in("<p onclick=x()>y</p>") != []

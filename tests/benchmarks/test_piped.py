"""A program is asked, answers, and ends with the block."""

import sys

from benchmarks.piped import piped

ECHO = "import sys\nfor line in sys.stdin: print(line.strip() * 2, flush=True)\n"
LAST = "import sys\nsys.stdin.read()\nopen(sys.argv[1], 'w').write('ended')\n"


def test_it_answers_what_it_is_asked():
    with piped([sys.executable, "-c", ECHO]) as (asked, said):
        for text in ("a", "b"):
            print(text, file=asked, flush=True)
            assert said.readline() == f"{text * 2}\n"


def test_it_has_ended_when_the_block_has(tmp_path):
    file = tmp_path / "last"
    with piped([sys.executable, "-c", LAST, str(file)], silent=True):
        assert not file.exists()
    assert file.read_text() == "ended"

"""Long forms that may be stopped at any time: what they counted lies in a file, and goes on there.

A round draws its chance from the seed and its own number, so that it comes out alike whenever it is
run, and one that went wrong can be run again.
"""

import json
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any


def carry_on(tally: Any, state: Path | None) -> None:
    """Fill a tally, a dataclass, with what a file of an earlier start holds."""
    with suppress(FileNotFoundError):
        held = json.loads(state.read_text()) if state is not None else {}
        for name, value in held.items():
            is_counter = isinstance(getattr(tally, name), Counter)
            setattr(tally, name, Counter(value) if is_counter else value)


def keep(tally: Any, state: Path | None) -> None:
    """Write a tally to its file, in one step."""
    if state is not None:
        new = state.with_name(f"{state.name}.new")
        new.write_text(json.dumps(vars(tally), indent=2))
        new.replace(state)


def chance_of(seed: int, number: int) -> random.Random:
    """Return the chance of one round of a series."""
    return random.Random(f"{seed} {number}")

"""`ivfhir`: runs the subcommand, and turns every error into one sentence and an exit code."""

import gc
import io
import os
import sys
from collections.abc import Sequence

from ivfhir.cli.arguments import build_parser
from ivfhir.errors import IvfhirError
from ivfhir.fhir.outcome import exit_code

GARBAGE_AFTER = (50_000, 20, 20)
"""How many objects are made before garbage is looked for: what a command loads stays until it ends,
and at Python's own 700 looking through it takes a fifth of the time of loading the protocols.
Commands that last make garbage as long as they run, and keep Python's own."""

UNEXPECTED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: arguments without the program's name; those of the process by default.

    Returns:
        0 answered, 2 usage, 3 no plan, 4 input or knowledge, 5 server; 1 a fault of ours.
    """
    own = gc.get_threshold()
    gc.set_threshold(*GARBAGE_AFTER)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # FHIR JSON is UTF-8, whatever the terminal is.
    try:
        arguments = build_parser().parse_args(argv)
        if arguments.lasting:
            gc.set_threshold(*own)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except IvfhirError as error:
        _say(error.message)
        return exit_code(error)
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, no traceback
        _say(f"Unexpected {type(error).__name__}: a fault of ivfhir; please report what you ran.")
        return UNEXPECTED
    return code


def _say(sentence: str) -> None:
    print(f"ivfhir: {' '.join(sentence.split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

"""What a log line holds, and what it never holds."""

import io
import json
import logging

from smart_app.logs import make_logger


def test_a_line_keeps_the_named_fields_and_drops_the_rest() -> None:
    stream = io.StringIO()
    make_logger("info", stream).info("write_back", entries=48, already_there=False, token="secret")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["entries"], line["already_there"]) == ("write_back", 48, False)
    assert "secret" not in stream.getvalue()


def test_the_http_library_logs_no_address_even_at_debug() -> None:
    make_logger("debug", io.StringIO())
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)

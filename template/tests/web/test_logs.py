import json
import logging

import pytest

from app.web.logs import JsonFormatter, TextFormatter, current_fields

HOSTILE = ["a\n2026 INFO b", "a\r\nb", "a\rb", "\x1b[2J", "a\u2028b", "a\x85b", "\u202ea", "\ud800"]


def record_of(message: str, *arguments: object, **attributes: object) -> logging.LogRecord:
    record = logging.LogRecord("app", logging.INFO, "", 0, message, arguments, None)
    vars(record).update(created=0.25, **attributes)
    return record


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_one_line_of_json(text: str) -> None:
    line = JsonFormatter().format(record_of("%s", text, order=text))
    assert line.isascii()
    assert line.isprintable()
    assert (json.loads(line)["message"], json.loads(line)["order"]) == (text, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_one_line_that_may_go_on_indented(text: str) -> None:
    line = TextFormatter().format(record_of("It is %s", text, order=text))
    first, *others = line.split("\n")
    assert first.startswith("1970-01-01T00:00:00.250Z INFO    app It is ")
    assert all(other.startswith("    ") for other in others)
    assert line.replace("\n", "").isprintable()


def test_arguments_extra_and_fields_of_the_request_are_members() -> None:
    token = current_fields.set({"request_id": "one"})
    arguments = {"status": 200, "place": "a b"}
    record = record_of("%(status)d in %(place)s", arguments, order=7, level="x")
    line = JsonFormatter().format(record)
    text = TextFormatter().format(record)
    current_fields.reset(token)
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "app",
        "message": "200 in a b",
        "status": 200,
        "place": "a b",
        "order": 7,
        "request_id": "one",
    }
    assert text.endswith(" 200 in a b order=7 level=x request_id=one")


def test_traceback_is_on_its_line() -> None:
    error = ValueError("first\nsecond")
    record = record_of("It failed.", exc_info=(ValueError, error, None))
    assert json.loads(JsonFormatter().format(record))["trace"].endswith("ValueError: first\nsecond")
    text = TextFormatter().format(record)
    assert "\n    ValueError: first\n    second" in text

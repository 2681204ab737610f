"""Logs: their form, their ids, and what must never be in them."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog
from structlog.testing import capture_logs

from relay.log import bound, configure_logging, get_logger, redact_query


@pytest.fixture
def stream():
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("gunicorn.error", "gunicorn.access", "urllib3", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def lines(stream):
    configure_logging("info", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_json_object_with_slug_time_level_and_fields(lines):
    get_logger("relay.store").warning("delivery_repeated", shop="acme", delivery=7)
    (record,) = lines()
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "delivery_repeated",
        "level": "warning",
        "logger": "relay.store",
        "shop": "acme",
        "delivery": 7,
    }


def test_ids_bound_once_are_in_every_record_of_the_block(lines):
    with bound(shop="acme", delivery=7):
        get_logger("a").info("one")
        logging.getLogger("another.library").info("two %s", "words")
    get_logger("a").info("three")
    assert [(record["event"], record.get("delivery")) for record in lines()] == [
        ("one", 7),
        ("two words", 7),
        ("three", None),
    ]


def test_records_below_the_level_are_left_out(lines):
    get_logger("a").debug("quiet")
    logging.getLogger("urllib3.connectionpool").info("GET /?token=secret")
    assert lines() == []


def test_a_line_that_the_level_leaves_out_is_not_even_begun(lines):
    begun = []

    def factory(name):
        begun.append(name)
        return logging.getLogger(name)

    structlog.configure(logger_factory=factory)
    get_logger("quiet").debug("quiet", shop="acme")
    get_logger("loud").info("told", shop="acme")
    assert begun == ["loud"]
    assert [record["event"] for record in lines()] == ["told"]


LEVELS = ["debug", "info", "warning", "error", "critical"]


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_has_its_name_and_is_left_out_below_it(stream, level):
    configure_logging(level, stream)
    for each in LEVELS:
        getattr(get_logger("a"), each)("said")
    told = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    assert told == LEVELS[LEVELS.index(level) :]


def test_a_test_that_captures_logs_sees_all_lines_whatever_the_level(lines):
    with capture_logs() as captured:
        get_logger("a").debug("quiet", shop="acme")
        get_logger("a").info("told")
    assert [(each["event"], each["log_level"]) for each in captured] == [("quiet", "debug"), ("told", "info")]
    assert captured[0]["shop"] == "acme"
    assert lines() == []


def test_people_and_secrets_are_masked_wherever_they_stand(lines, stream):
    get_logger("a").error(
        "command_dead",
        message="no contact anna.kowalska@example.com, +48 600 100 200",
        nested={"api_key": "hush-1", "inner": ["bert@example.com"]},
        authorization="hush-2",
        feed_token="hush-3",
        contact_email="carl@example.com",
        secrets=["hush-4"],
        object=ValueError("dora@example.com"),
    )
    try:
        raise RuntimeError("emil@example.com is unknown")
    except RuntimeError:
        get_logger("a").exception("worker_failed")
    logging.getLogger("library").warning("calling %s", "https://x.example/feed?token=hush-5&a=1")
    assert len(lines()) == 3
    for private in ("kowalska", "600", "hush", "bert", "carl", "dora", "emil"):
        assert private not in stream.getvalue()
    assert "a=1" in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


def test_ids_that_look_like_phone_numbers_stay_readable(lines):
    get_logger("a").info("translated", resource_id="6712345678901", contact_id="12345678", topic="orders/create")
    assert lines()[0]["resource_id"] == "6712345678901"
    assert lines()[0]["contact_id"] == "12345678"


def test_a_line_of_the_access_log_becomes_fields_without_caller_and_tokens(lines, stream):
    atoms = {
        "h": "203.0.113.9",
        "m": "GET",
        "U": "/feeds/main.xml",
        "q": "token=hush&page=2",
        "r": "GET /feeds/main.xml?token=hush HTTP/1.1",
        "s": "200",
        "M": 12,
        "a": "agent",
    }
    logging.getLogger("gunicorn.access").info("%(h)s %(r)s %(s)s", atoms)
    (record,) = lines()
    assert record["event"] == "request"
    assert (record["method"], record["status"], record["duration_ms"]) == ("GET", 200, 12)
    assert record["path"] == "/feeds/main.xml?token=***&page=2"
    assert "203.0.113.9" not in stream.getvalue()


def test_the_servers_notices_stay_readable_and_its_errors_are_masked(lines):
    log = logging.getLogger("gunicorn.error")
    log.info("Listening at: http://127.0.0.1:8000 (123456)")
    log.error("Error handling request /?email=anna@example.com")
    notice, error = lines()
    assert notice["event"] == "Listening at: http://127.0.0.1:8000 (123456)"
    assert "anna" not in error["event"]


def test_on_a_terminal_records_are_columns(stream, monkeypatch):
    monkeypatch.setattr(stream, "isatty", lambda: True)
    configure_logging("info", stream)
    get_logger("a").info("delivery_recorded", shop="acme")
    assert "delivery_recorded" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_configuring_twice_does_not_double_the_lines(lines, stream):
    configure_logging("info", stream)
    get_logger("a").info("once")
    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("query", "redacted"),
    [
        ("token=abc", "token=***"),
        ("a=1&feed_token=abc&b=2", "a=1&feed_token=***&b=2"),
        ("/feeds/x.xml?TOKEN=abc", "/feeds/x.xml?TOKEN=***"),
        ("hmac=abc&consumer_key=d", "hmac=***&consumer_key=***"),
        ("page=2", "page=2"),
    ],
)
def test_tokens_in_query_strings_are_redacted(query, redacted):
    assert redact_query(query) == redacted

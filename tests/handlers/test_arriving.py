"""What has come in on a connection: a webhook, what may become one, or anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.arriving import MOST_BYTES, Arrived, arrived

BODY = b'{"id": 1001}'


def webhook(body: bytes = BODY, *lines: bytes, length: bytes = b"Content-Length: %d", head: bytes = b"") -> bytes:
    """Write a delivery as a shop sends it; ``lines`` are further ones of its head."""
    named = [length % len(body)] if length else []
    first = head or b"POST /webhooks/acme HTTP/1.1"
    return b"\r\n".join([first, b"Host: relay.example", *named, *lines, b"", body])


def filled(size: int) -> bytes:
    """Give a webhook of exactly so many bytes."""
    length = b"Content-Length: %05d"  # as long whatever the number
    return webhook(b"x" * (size - len(webhook(b"", length=length))), length=length)


def test_whole_webhook_is_one() -> None:
    assert arrived(webhook()) is Arrived.WEBHOOK


def test_webhook_without_a_body_is_whole_with_its_head() -> None:
    assert arrived(webhook(b"")) is Arrived.WEBHOOK


def test_part_of_the_head_may_become_one() -> None:
    head, _, _ = webhook().partition(b"\r\n\r\n")
    for part in (head[:20], head, head + b"\r\n", head + b"\r\n\r"):
        assert arrived(part) is Arrived.PART


def test_part_of_the_body_may_become_one() -> None:
    assert arrived(webhook()[: -len(BODY)]) is Arrived.PART
    assert arrived(webhook()[:-1]) is Arrived.PART


@pytest.mark.parametrize("length", range(len(b"POST /webhooks/") + 1))
def test_the_first_letters_of_one_may_become_one(length: int) -> None:
    assert arrived(b"POST /webhooks/"[:length]) is Arrived.PART


@pytest.mark.parametrize("start", [b"G", b"PU", b"POST  /", b"POST /webhooks\r", b"post /webhooks/", b"\r\nPOST"])
def test_other_first_letters_are_something_else_at_once(start: bytes) -> None:
    assert arrived(start) is Arrived.OTHER


@pytest.mark.parametrize(
    "line",
    [
        b"GET /webhooks/acme HTTP/1.1",
        b"PUT /webhooks/acme HTTP/1.1",
        b"POST /contacts HTTP/1.1",
        b"POST /webhooks HTTP/1.1",
        b"POST http://relay.example/webhooks/acme HTTP/1.1",
    ],
)
def test_other_methods_and_paths_are_something_else(line: bytes) -> None:
    assert arrived(webhook(head=line)) is Arrived.OTHER


def test_webhook_as_large_as_may_be_is_awaited_and_taken() -> None:
    whole = filled(MOST_BYTES)
    assert len(whole) == MOST_BYTES
    assert arrived(whole[:200]) is Arrived.PART
    assert arrived(whole) is Arrived.WEBHOOK


def test_larger_one_is_something_else_as_soon_as_its_head_is_there() -> None:
    large = filled(MOST_BYTES + 1)
    head = large.index(b"\r\n\r\n")
    assert arrived(large[:head]) is Arrived.PART
    assert arrived(large[: head + 4]) is Arrived.OTHER
    assert arrived(large) is Arrived.OTHER


def test_head_without_end_is_something_else_once_it_is_too_long() -> None:
    head = webhook(head=b"POST /webhooks/acme?" + b"x" * MOST_BYTES)
    assert arrived(head[:MOST_BYTES]) is Arrived.PART
    assert arrived(head[: MOST_BYTES + 1]) is Arrived.OTHER


@pytest.mark.parametrize("length", [b"", b"Content-Length:", b"Content-Length: -1", b"Content-Length: 0x5", b"X: %d"])
def test_body_whose_length_is_not_told_is_something_else(length: bytes) -> None:
    told = length % len(BODY) if b"%d" in length else length
    request = webhook(BODY, told) if told else webhook(BODY)
    request = request.replace(b"Content-Length: %d\r\n" % len(BODY), b"")
    assert arrived(request) is Arrived.OTHER


def test_chunked_body_is_something_else() -> None:
    request = webhook(b"5\r\n12345\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", length=b"")
    assert arrived(request) is Arrived.OTHER


def test_length_that_stands_in_the_body_is_none() -> None:
    body = b"\r\nContent-Length: 22\r\n"
    assert len(body) == 22
    assert arrived(webhook(body, length=b"")) is Arrived.OTHER


@pytest.mark.parametrize("line", [b"Expect: 100-continue", b"expect:100-continue", b"EXPECT: 100-Continue"])
def test_caller_who_waits_to_be_asked_for_the_body_is_something_else(line: bytes) -> None:
    assert arrived(webhook(BODY, line)) is Arrived.OTHER
    assert arrived(webhook(BODY, line)[: -len(BODY)]) is Arrived.OTHER


def test_second_request_behind_the_first_makes_both_something_else() -> None:
    assert arrived(webhook() + webhook()) is Arrived.OTHER
    assert arrived(webhook() + b"P") is Arrived.OTHER


@pytest.mark.parametrize(
    "length", [b"content-length: %d", b"CONTENT-LENGTH:%d", b"Content-length: \t %d \t", b"cOnTeNt-LeNgTh: 0%d"]
)
def test_case_and_blanks_of_the_length_do_not_matter(length: bytes) -> None:
    assert arrived(webhook(length=length)) is Arrived.WEBHOOK
    assert arrived(webhook(length=length)[:-1]) is Arrived.PART


@given(
    body=st.binary(max_size=200),
    lines=st.lists(st.from_regex(rb"\AX-[A-Z]{1,9}: [ -~]{0,30}\Z"), max_size=4),
    data=st.data(),
)
def test_webhook_cut_anywhere_is_part_of_one_until_it_is_whole(
    body: bytes, lines: list[bytes], data: st.DataObject
) -> None:
    whole = webhook(body, *lines)
    assert arrived(whole) is Arrived.WEBHOOK
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert arrived(whole[:cut]) is Arrived.PART

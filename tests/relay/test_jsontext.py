from __future__ import annotations

from decimal import Decimal

import pytest

from relay import jsontext


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\U0001f600", "ż", "\x00", '"\\'])
def test_any_text_that_json_can_spell_is_written_so_that_it_can_be_stored(text):
    for written in (jsontext.dumps([text, {text: 1}]), jsontext.pretty([text, {text: 1}])):
        assert jsontext.loads(written.encode()) == [text, {text: 1}]


def test_whole_emojis_are_written_as_they_are():
    assert jsontext.dumps("\U0001f600 ż") == '"\U0001f600 ż"'


def test_half_an_emoji_is_written_as_an_escape():
    assert jsontext.dumps(jsontext.loads(b'"\\uD83D!"')) == '"\\ud83d!"'


def test_numbers_keep_their_digits():
    assert jsontext.dumps(jsontext.loads("[1.10,0.30000000000000004,12345678901234567890]")) == (
        "[1.10,0.30000000000000004,12345678901234567890]"
    )
    assert jsontext.loads("1.10") == Decimal("1.10")

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


VALUE: dict[str, Any] = {
    "b": [1, Decimal("1.10"), Decimal("1E+5"), True, None, ("a", "b")],
    "a": {"ż": "\u2028 \x7f \ud83d \U0001f600", "A": "</script>"},
}


def test_a_digest_never_changes_since_stored_ones_decide_what_is_sent_again() -> None:
    assert jsontext.digest(VALUE) == "9e398655a8eb39eb0d3b56678f05d5e64fca519a324fd589b3adb81d2ee4a465"
    assert jsontext.digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_digest_is_that_of_equal_values_whatever_the_order_of_their_keys() -> None:
    turned = {"a": dict(reversed(VALUE["a"].items())), "b": [*VALUE["b"][:-1], ["a", "b"]]}
    assert list(turned["a"]) != list(VALUE["a"])
    assert jsontext.digest(turned) == jsontext.digest(VALUE)
    assert len({jsontext.digest([one]) for one in ("1", 1, Decimal("1.0"))}) == 3


@pytest.mark.parametrize("write", [jsontext.dumps, jsontext.pretty, jsontext.digest])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_json_is_not_written(write: Callable[[Any], str], number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write([number])


@pytest.mark.parametrize("write", [jsontext.dumps, jsontext.pretty, jsontext.digest])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_nor_is_it_beside_nulls_however_deep(write: Callable[[Any], str], number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write({"a": None, "b": [1, {"c": (Decimal("1.5"), number)}]})


@pytest.mark.parametrize("write", [jsontext.dumps, jsontext.pretty, jsontext.digest])
@pytest.mark.parametrize("number", [Decimal(each) for each in ("NaN", "sNaN", "Infinity", "-Infinity")])
def test_nor_is_a_decimal_that_is_no_number(write: Callable[[Any], str], number: Decimal) -> None:
    with pytest.raises(ValueError, match="JSON|non-finite"):
        write([number])


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1.5e-99999999999999999999", "9" * 5000])
def test_a_number_that_cannot_be_kept_is_no_json(number: str) -> None:
    with pytest.raises(ValueError, match=r"larger or smaller|digits"):
        jsontext.loads(f"[{number}]")


TEXTS = st.text(st.characters(exclude_categories=()))  # halves of pairs too
NUMBERS = st.integers(-(10**40), 10**40) | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
PIECES = [
    *'{}[],:"0-.eE+ ',
    *('"a"', '"a":', "\\", "u", "ud83d", "ude00", "00", "d8", "b", "\x00", "\x7f", "\n", "é", "😀", "\ufeff"),
    *("1", "9" * 30, "null", "true", "nul", "NaN", "Infinity"),
]


@given(VALUES)
def test_what_is_written_fast_is_what_simplejson_writes(value: Any) -> None:
    assert jsontext.dumps(value) == jsontext._encodable(jsontext._COMPACT.encode(value))
    assert jsontext.digest(value) == hashlib.sha256(jsontext._SORTED.encode(value).encode()).hexdigest()


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=8))
def test_what_is_read_fast_is_what_simplejson_reads(text: str) -> None:
    assert _read(jsontext.loads, text) == _read(jsontext._DECODER.decode, text)
    assert _read(jsontext.loads, text.encode()) == _read(jsontext._DECODER.decode, text)


def _read(loads: Callable[[Any], Any], text: str | bytes) -> str:
    try:
        return repr(loads(text))  # since 1 == True == Decimal("1.0")
    except ValueError as error:
        return f"{type(error).__name__}: {error}"

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay.translation.lists import join_lists

SEPARATORS = {"products": ",", "detail1": ",", "detail3": "/"}
LIMITS = {"products": 20, "detail1": 30, "detail3": 10}


def test_lists_are_joined_by_their_separators() -> None:
    values = {"value": Decimal("9.90"), "products": ["1", "2"], "detail1": ["Shirt", "Hat"], "detail3": [Decimal(2), 1]}
    joined, warnings = join_lists(values, SEPARATORS, LIMITS)
    assert joined == {"value": Decimal("9.90"), "products": "1,2", "detail1": "Shirt,Hat", "detail3": "2/1"}
    assert warnings == ()


def test_a_list_without_a_separator_of_its_own_gets_commas() -> None:
    assert join_lists({"detail9": ["a", "b"]}, {}, {})[0] == {"detail9": "a,b"}


def test_all_lists_are_cut_at_the_same_item_and_the_reason_is_told() -> None:
    values = {"products": ["1", "2", "3"], "detail1": ["a" * 12, "b" * 12, "c" * 12], "detail3": ["1", "1", "1"]}
    joined, warnings = join_lists(values, SEPARATORS, LIMITS)
    assert joined == {"products": "1,2", "detail1": f"{'a' * 12},{'b' * 12}", "detail3": "1/1"}
    assert warnings == ("1 of 3 list items were left out: detail1 takes 30 characters.",)


def test_a_text_that_just_fits_is_whole() -> None:
    joined, warnings = join_lists({"products": ["1" * 10, "2" * 9]}, SEPARATORS, LIMITS)
    assert len(joined["products"]) == LIMITS["products"]
    assert warnings == ()


def test_lists_of_another_length_are_not_in_step() -> None:
    values = {"products": ["1", "2", "3"], "detail1": ["a" * 20, "b" * 20]}
    joined, warnings = join_lists(values, SEPARATORS, LIMITS)
    assert joined == {"products": "1,2,3", "detail1": "a" * 20}
    assert len(warnings) == 1


def test_separators_inside_an_item_become_blanks() -> None:
    values = {"detail1": ["Shirt, blue", "A,B"], "detail3": ["1/2", "3"]}
    assert join_lists(values, SEPARATORS, LIMITS)[0] == {"detail1": "Shirt blue,A B", "detail3": "1 2/3"}


def test_empty_items_keep_their_place_and_empty_lists_are_left_out() -> None:
    values = {"products": ["1", "2", "3"], "detail1": [None, "Hat", ""], "detail3": [None, "", None]}
    assert join_lists(values, SEPARATORS, LIMITS)[0] == {"products": "1,2,3", "detail1": ",Hat,"}


def test_a_single_long_text_is_cut() -> None:
    joined, warnings = join_lists({"products": ["1"], "detail1": ["x" * 31]}, SEPARATORS, LIMITS)
    assert joined == {"products": "1", "detail1": "x" * 30}
    assert warnings == ("detail1: 1 list items were cut to 30 characters.",)


def test_a_long_id_leaves_with_its_line() -> None:
    joined, warnings = join_lists({"products": ["1", "2" * 21, "3"], "detail1": ["a", "b", "c"]}, SEPARATORS, LIMITS)
    assert joined == {"products": "1,3", "detail1": "a,c"}
    assert warnings == ("1 of 3 list items were left out: products takes 20 characters.",)


def test_an_event_whose_only_id_is_too_long_has_no_lists() -> None:
    joined, warnings = join_lists({"products": ["2" * 21], "detail1": ["b"]}, SEPARATORS, LIMITS)
    assert joined == {}
    assert len(warnings) == 1


ITEMS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.lists(st.tuples(ITEMS, ITEMS, ITEMS), min_size=1, max_size=30))
def test_lists_stay_in_step_and_within_limits_whatever_the_items(rows: list[tuple[str, str, str]]) -> None:
    values: dict[str, Any] = dict(
        zip(("products", "detail1", "detail3"), map(list, zip(*rows, strict=True)), strict=True)
    )
    joined, _ = join_lists(values, SEPARATORS, LIMITS)
    assert all(len(text) <= LIMITS[field] for field, text in joined.items())
    assert len({text.count(SEPARATORS[field]) for field, text in joined.items()}) <= 1

from __future__ import annotations

import pytest

from relay.chunks import in_chunks


@pytest.mark.parametrize(
    ("values", "chunks"),
    [([], []), ([1], [[1]]), ([1, 2], [[1, 2]]), ([1, 2, 3, 4, 5], [[1, 2], [3, 4], [5]])],
)
def test_values_come_in_their_order_in_lists_of_at_most_so_many(values, chunks):
    assert list(in_chunks(values, 2)) == chunks
    assert list(in_chunks(iter(values), 2)) == chunks

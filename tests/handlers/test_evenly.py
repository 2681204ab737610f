"""How forked processes share connections evenly."""

from __future__ import annotations

import multiprocessing

from handlers.evenly import FAR_MORE, MARGIN, Shares


def test_each_process_has_a_place_of_its_own_and_gives_it_back() -> None:
    shares = Shares(3)
    first, second, third = (shares.join() for _ in range(3))
    assert len({first, second, third}) == 3
    shares.leave(second)
    assert shares.join() == second


def test_one_process_too_many_has_no_place_and_takes_what_comes() -> None:
    shares = Shares(1)
    shares.may_take(shares.join(), 0)
    late = shares.join()
    assert late is None
    assert shares.may_take(late, 1000)
    shares.leave(late)
    assert shares.join() is None


def test_alone_a_process_takes_all_there_are() -> None:
    shares = Shares(4)
    place = shares.join()
    assert all(shares.may_take(place, number) for number in (0, MARGIN, 1000, 0))


def test_who_has_more_leaves_connections_to_those_who_have_fewer() -> None:
    shares = Shares(4)
    one, other = shares.join(), shares.join()
    assert shares.may_take(other, 5)
    assert shares.may_take(one, 5 + MARGIN)
    assert not shares.may_take(one, 5 + MARGIN + 1)
    assert shares.may_take(other, 6)
    assert shares.may_take(one, 5 + MARGIN + 1)


def test_who_has_far_more_lets_some_go_and_alone_nobody_has() -> None:
    shares = Shares(4)
    one = shares.join()
    shares.may_take(one, 500)
    assert not shares.has_far_more(one, 500)
    other = shares.join()
    assert not shares.has_far_more(one, 500), "the other one takes none yet"
    shares.may_take(other, 3)
    assert shares.has_far_more(one, 3 + FAR_MORE + 1)
    assert not shares.has_far_more(one, 3 + FAR_MORE)
    assert not shares.has_far_more(None, 500)


def test_process_that_has_left_counts_for_nothing() -> None:
    shares = Shares(4)
    one, other = shares.join(), shares.join()
    shares.may_take(other, 0)
    assert not shares.may_take(one, 100)
    shares.leave(other)
    assert shares.may_take(one, 100)


def test_process_that_takes_none_yet_or_no_longer_counts_for_nothing() -> None:
    shares = Shares(4)
    one, other = shares.join(), shares.join()
    assert shares.may_take(one, 100)
    assert shares.may_take(other, 0)
    assert not shares.may_take(one, 100)
    shares.stand_back(other)
    assert shares.may_take(one, 100)
    assert shares.join() not in (one, other)  # the place is still its own


def test_more_connections_than_a_number_holds_are_many_all_the_same() -> None:
    shares = Shares(2)
    one, other = shares.join(), shares.join()
    shares.may_take(one, 1_000_000)
    assert shares.may_take(other, 0)
    assert shares.join() is None  # it has not become a free place


def test_numbers_are_seen_across_a_fork() -> None:
    shares = Shares(2)
    ours, theirs = shares.join(), shares.join()
    shares.may_take(theirs, 0)
    assert not shares.may_take(ours, 100)
    child = multiprocessing.get_context("fork").Process(target=shares.may_take, args=(theirs, 100))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert shares.may_take(ours, 100)

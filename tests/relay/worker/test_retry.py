"""What follows when a call has failed, as tables."""

from __future__ import annotations

import pytest

from relay import errors
from relay.commands import CommandKind, Verdict
from relay.errors import (
    AnswerLost,
    CatalogRefused,
    CommandRefused,
    CredentialsRefused,
    DispatchError,
    SettingsRefused,
    TemporaryFailure,
    Throttled,
    UnclearRefusal,
    Unreachable,
)
from relay.worker.retry import (
    JITTER,
    LONGEST_PAUSE_S,
    LONGEST_WAIT_S,
    REFUSED_PAUSE_S,
    TRANSLATION_TRIES,
    Blame,
    Decision,
    Schedule,
    adds_event,
    blame,
    is_doubtful,
    pause_s,
    translation_wait_s,
)
from tests.support.outgoing import command

LEASE_S = 60.0
DAY_S = 24 * 3600
DEAD = Decision(Verdict.DEAD)
RELEASED = Decision(Verdict.RELEASED)
UNCERTAIN = Decision(Verdict.UNCERTAIN)


def schedule(max_attempts=30, chance=0.0):
    return Schedule(max_attempts, LEASE_S, lambda: chance)


def upsert(attempts=0, **changes):
    return command(CommandKind.CONTACT_UPSERT, {}, attempts=attempts, **changes)


def event(attempts=0, **changes):
    return command(CommandKind.EVENT_PUT, {"contactEvent": {}}, attempts=attempts, **changes)


def product(attempts=0):
    return command(CommandKind.PRODUCT_UPSERT, {}, attempts=attempts)


def retry(wait_s, answer_lost=False):
    return Decision(Verdict.RETRY, wait_s, answer_lost)


@pytest.mark.parametrize(
    ("error", "tried", "decision"),
    [
        # Nothing was said about the command: it waits for its lane, however often that takes.
        (Unreachable(), upsert(), RELEASED),
        (Unreachable(), upsert(29), RELEASED),
        (Throttled(retry_after_s=9), event(29), RELEASED),
        (CredentialsRefused(), upsert(29), RELEASED),
        (SettingsRefused(), product(29), RELEASED),
        # SALESmanago's word on the command itself.
        (CommandRefused("no"), upsert(), DEAD),
        (CatalogRefused("no"), product(), DEAD),
        # Tried again, ever later, up to the setting.
        (TemporaryFailure(), upsert(0), retry(2)),
        (TemporaryFailure(), upsert(1), retry(4)),
        (TemporaryFailure(), upsert(11), retry(4096)),
        (TemporaryFailure(), upsert(12), retry(LONGEST_WAIT_S)),
        (TemporaryFailure(), upsert(28), retry(LONGEST_WAIT_S)),
        (TemporaryFailure(), upsert(29), DEAD),
        # Retry-After makes it later, never sooner, and is not followed beyond an hour.
        (TemporaryFailure(retry_after_s=90), upsert(0), retry(90)),
        (TemporaryFailure(retry_after_s=90), upsert(9), retry(1024)),
        (TemporaryFailure(retry_after_s=10**9), upsert(0), retry(3600)),
        # Words nobody has met: three attempts, not within seconds.
        (UnclearRefusal("?", status=200), upsert(0), retry(32)),
        (UnclearRefusal("?", status=200), upsert(1), retry(64)),
        (UnclearRefusal("?", status=200), upsert(2), DEAD),
        # No answer. What may be repeated is.
        (AnswerLost(), upsert(0), retry(2, answer_lost=True)),
        (AnswerLost(), event(0, event_id="e-1"), retry(2, answer_lost=True)),
        (AnswerLost(), upsert(29), DEAD),
        # An event that may have been added is looked for, when SALESmanago must be done with the call.
        (AnswerLost(), event(0), retry(LEASE_S, answer_lost=True)),
        (AnswerLost(), event(9), retry(1024, answer_lost=True)),
        (AnswerLost(), event(29), retry(LONGEST_WAIT_S, answer_lost=True)),
        # The look itself failed: still nobody knows.
        (TemporaryFailure(), event(1, answer_lost=True), retry(4, answer_lost=True)),
        (AnswerLost(), event(1, answer_lost=True), retry(4, answer_lost=True)),
        (TemporaryFailure(), event(29, answer_lost=True), UNCERTAIN),
        (AnswerLost(), event(30, answer_lost=True), UNCERTAIN),
        (CommandRefused("no"), event(1, answer_lost=True), UNCERTAIN),
        (Unreachable(), event(1, answer_lost=True), RELEASED),
        # A fault of ours: as if the answer was lost.
        (KeyError("x"), upsert(0), retry(2, answer_lost=True)),
        (KeyError("x"), event(0), retry(LEASE_S, answer_lost=True)),
    ],
)
def test_failure_decides_what_becomes_of_the_command(error, tried, decision):
    assert schedule().after(error, tried) == decision


@pytest.mark.parametrize("error", [CatalogRefused("no"), UnclearRefusal("?"), TemporaryFailure(), AnswerLost()])
@pytest.mark.parametrize("attempts", [0, 1, 29])
def test_no_product_is_given_up_for_what_may_be_anothers_fault(error, attempts):
    assert schedule().after(error, product(attempts), shared=True).verdict is Verdict.RETRY


def test_products_are_tried_together_in_small_company_and_alone_whatever_the_setting():
    assert [schedule(1).after(TemporaryFailure(), product(attempts)).verdict for attempts in range(3)] == [
        Verdict.RETRY,
        Verdict.RETRY,
        Verdict.DEAD,
    ]
    assert schedule(1).after(TemporaryFailure(), upsert(0)) == DEAD


def test_default_of_attempts_outlasts_a_day():
    waits = [schedule(chance=1.0).after(TemporaryFailure(), upsert(attempts)).wait_s for attempts in range(29)]
    assert sum(waits) > DAY_S
    assert waits == sorted(waits)
    assert max(waits) <= LONGEST_WAIT_S


@pytest.mark.parametrize("attempts", [5, 20, 999])
def test_chance_takes_off_a_share_of_a_wait_and_no_more(attempts):
    longest, shortest, middle = (
        schedule(1000, chance).after(TemporaryFailure(), upsert(attempts - 1)).wait_s for chance in (0.0, 1.0, 0.5)
    )
    assert shortest == pytest.approx(longest * (1 - JITTER))
    assert shortest < middle < longest


def test_attempts_that_ended_with_the_worker_count_too():
    assert [schedule(3).is_spent(upsert(attempts)) for attempts in (0, 2, 3)] == [False, False, True]


@pytest.mark.parametrize(
    ("tried", "adds", "doubtful"),
    [
        (event(), True, False),
        (event(answer_lost=True), True, True),
        (event(answer_lost=True, event_id="e-1"), False, False),
        (upsert(answer_lost=True), False, False),
        (command(CommandKind.EVENT_DELETE, {}, answer_lost=True), False, False),
    ],
)
def test_only_adding_an_event_may_not_be_repeated(tried, adds, doubtful):
    assert (adds_event(tried), is_doubtful(tried)) == (adds, doubtful)


@pytest.mark.parametrize(
    ("error", "strikes", "seconds"),
    [
        (CredentialsRefused(), 1, REFUSED_PAUSE_S),
        (SettingsRefused(), 9, REFUSED_PAUSE_S),
        (Throttled(), 1, 5),
        (Throttled(), 2, 10),
        (Throttled(retry_after_s=7), 5, 7),
        (Throttled(retry_after_s=0), 1, 1),
        (Throttled(retry_after_s=10**6), 1, 3600),
        (Unreachable(), 1, 5),
        (Unreachable(), 4, 40),
        (Unreachable(), 5000, LONGEST_PAUSE_S),
        # What may be the command's own fault has to happen to several.
        (TemporaryFailure(), 1, None),
        (TemporaryFailure(), 2, None),
        (TemporaryFailure(), 3, 5),
        (TemporaryFailure(), 4, 10),
        (TemporaryFailure(retry_after_s=30), 1, 30),
        (AnswerLost(), 2, None),
        (AnswerLost(), 3, 5),
        (AnswerLost(), 100, LONGEST_PAUSE_S),
        # An answer about the command, or no word of SALESmanago at all.
        (UnclearRefusal("?", status=200), 100, None),
        (CommandRefused("no", status=200), 100, None),
        (KeyError("x"), 100, None),
    ],
)
def test_failure_decides_how_long_its_lane_pauses(error, strikes, seconds):
    assert pause_s(error, strikes) == seconds


def every_dispatch_error():
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DispatchError)]


@pytest.mark.parametrize("kind", every_dispatch_error())
def test_every_error_of_a_call_is_somebodys(kind):
    expected = {
        DispatchError: Blame.EITHER,
        TemporaryFailure: Blame.EITHER,
        AnswerLost: Blame.EITHER,
        Throttled: Blame.LANE,
        Unreachable: Blame.LANE,
        CredentialsRefused: Blame.LANE,
        SettingsRefused: Blame.LANE,
        UnclearRefusal: Blame.NOBODY,
        CommandRefused: Blame.NOBODY,
        CatalogRefused: Blame.NOBODY,
    }
    assert blame(kind("words", status=200)) is expected[kind]


def test_refusal_without_a_call_tells_nothing_about_the_lane():
    assert blame(CommandRefused("nobody to send it to")) is Blame.OURS


def test_broken_translation_is_tried_again_ever_later_and_not_for_ever():
    waits = [translation_wait_s(tries) for tries in range(1, TRANSLATION_TRIES + 1)]
    assert waits[-1] is None
    assert None not in waits[:-1]
    assert waits[:-1] == sorted(waits[:-1])

from __future__ import annotations

from relay.commands import Lane
from relay.news import EVERYTHING
from tests.support.stored import after


def test_list_shows_every_lane_that_a_group_uses(cli):
    assert cli.rows("groups", "list") == [
        ["main", "contacts", "open", "-", "-", "-"],
        ["main", "catalog", "open", "-", "-", "-"],
        ["second", "contacts", "open", "-", "-", "-"],
    ]


def test_list_tells_why_a_lane_is_paused_and_until_when(cli, clock):
    cli.store.lanes.pause("main", Lane.CONTACTS, None, "Not authenticated", clock.now())
    cli.store.lanes.pause("main", Lane.CATALOG, after(600), "Bad key", clock.now())
    lines = cli.lines("groups", "list")
    assert "paused  2026-11-24T12:00:00Z  it is resumed         Not authenticated" in lines[1]
    assert "paused  2026-11-24T12:00:00Z  2026-11-24T12:10:00Z  Bad key" in lines[2]
    first = cli.json("groups", "list")[0]
    assert (first["state"], first["until"], first["reason"]) == ("paused", None, "Not authenticated")


def test_paused_lane_of_a_group_that_is_configured_no_more_is_listed_and_resumed(cli, clock):
    cli.store.lanes.pause("gone", Lane.CONTACTS, None, "Not authenticated", clock.now())
    assert ["gone", "contacts", "paused"] in [row[:3] for row in cli.rows("groups", "list")]
    assert cli.lines("groups", "resume", "gone") == ["Group gone goes on: contacts."]


def test_resume_ends_all_pauses_of_a_group_and_wakes_a_worker(cli, clock):
    for lane in Lane:
        cli.store.lanes.pause("main", lane, None, "Not authenticated", clock.now())
    assert cli.lines("groups", "resume", "main") == ["Group main goes on: catalog, contacts."]
    assert cli.store.lanes.paused(clock.now()) == []
    assert (cli.joint.woken, cli.joint.told) == (1, EVERYTHING)


def test_resume_can_be_for_one_lane(cli, clock):
    for lane in Lane:
        cli.store.lanes.pause("main", lane, None, "Not authenticated", clock.now())
    assert cli.json("groups", "resume", "main", "--lane", "catalog") == {"group": "main", "resumed": ["catalog"]}
    assert [view.lane for view in cli.store.lanes.paused(clock.now())] == [Lane.CONTACTS]


def test_resume_of_an_open_group_says_that_nothing_was_paused(cli):
    assert cli.lines("groups", "resume", "main") == ["Nothing of group main was paused."]


def test_misspelt_group_is_told_with_the_nearest_one(cli):
    assert cli.error("groups", "resume", "mian") == 'There is no group mian; did you mean "main"?'
    assert cli.error("groups", "resume", "xyz") == "There is no group xyz; there are: main, second"

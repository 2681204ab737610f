"""The page of topics says what the platforms' tables say."""

from __future__ import annotations

import pytest

from handlers import discover_platforms
from tests.support.topics import PAGE, READ_AS, page, records_of

PLATFORMS = discover_platforms()
TOPICS = [(name, topic) for name, platform in PLATFORMS.items() for topic in (*platform.topics, *platform.ignored)]


def test_page_is_up_to_date() -> None:
    renew = "docs/topics.md is out of date; renew it with: python -m tests.support.topics > docs/topics.md"
    assert PAGE.read_text(encoding="utf-8") == page(), renew


@pytest.mark.parametrize(("platform", "topic"), TOPICS)
def test_every_topic_has_one_row(platform: str, topic: str) -> None:
    chapter = page().partition(f"\n## {platform}\n")[2].partition("\n## ")[0]
    assert chapter.count(f"\n| `{topic}` | ") == 1


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_topic_is_read_as_something_the_page_has_words_for(name: str) -> None:
    for topic in PLATFORMS[name].topics.values():
        assert records_of(topic)
        assert records_of(topic) <= READ_AS.keys()


@pytest.mark.parametrize("name", PLATFORMS)
def test_no_topic_is_left_for_later(name: str) -> None:
    assert [topic for topic, reason in PLATFORMS[name].ignored.items() if " yet" in reason] == []

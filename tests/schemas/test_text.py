from decimal import Decimal

import pytest

from schemas.text import country, exact_number, html_to_text, join_text, language


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("a < b &amp; c", "a < b & c"),
        ("<p>Fine &amp; quiet.<br>Size: 20&nbsp;cm</p>", "Fine & quiet. Size: 20 cm"),
        ("<ul><li>one<li>two</ul>T<b>hr</b>ee", "one two Three"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<style>p{}</style><p>seen</p><script>alert(1)</script><!-- not -->", "seen"),
        ("Tom &amp;amp; Jerry", "Tom &amp; Jerry"),
        ("&quot;8&deg;&quot;\n  two", '"8°" two'),
        ("<p></p>", ""),
        ("", ""),
        ("<p>never closed", "never closed"),
    ],
)
def test_markup_reads_as_a_person_would_read_it(markup, text):
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    ("candidates", "read_as"),
    [
        (("se", "Sweden"), "SE"),
        ((None, "DE"), "DE"),
        ((None, "Germany"), "Germany"),
        (("Germany", "DE"), "DE"),
        ((None, ""), None),
    ],
)
def test_a_country_code_comes_before_a_name(candidates, read_as):
    assert country(*candidates) == read_as


@pytest.mark.parametrize(
    ("locale", "code"),
    [("de-DE", "de"), ("pt_BR", "pt"), ("EN", "en"), ("zh-Hant-TW", "zh"), ("fil", None), ("", None), (None, None)],
)
def test_a_locale_gives_its_two_letter_language(locale, code):
    assert language(locale) == code


def test_only_parts_that_say_something_are_joined():
    assert join_text("Main St. 1", None, "", "rear") == "Main St. 1 rear"
    assert join_text(None, "") is None


def test_a_number_is_exact_or_refused():
    assert exact_number("0.10") + exact_number("0.20") == Decimal("0.30")
    with pytest.raises(ValueError, match="Not a number"):
        exact_number(0.1)

"""Conversions of single values that every platform's schema needs: texts, numbers, times, markup, countries, names."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from selectolax.lexbor import LexborHTMLParser

# PostgreSQL refuses NUL in a text and UTF-8 has no form for half a surrogate pair, but JSON can spell both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST_EXPONENT = 20
_NUMBERS = (str, int, Decimal)
# Elements that a browser shows apart from their neighbours; without a blank "<li>one<li>two" would read "onetwo".
_BLOCKS = (
    "address,article,aside,blockquote,br,caption,dd,div,dl,dt,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,header,"
    "hr,li,main,nav,ol,option,p,pre,section,table,td,th,tr,ul"
)
_INVISIBLE = ["script", "style", "noscript", "template", "iframe", "svg"]
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?![A-Za-z])")


def plain_text(value: object) -> str | None:
    """Give text or a number as stripped text that any store takes; None for anything else and for nothing."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
    else:
        return None
    return (text if text.isprintable() else _UNSTORABLE.sub("", text)).strip() or None


def exact_number(value: object) -> Decimal:
    """Give a number, or text that is one, as Decimal.

    Raises: ValueError when it is none or absurdly large. A float is refused: JSON is to be read without them.
    """
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ValueError("Not a number.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("Not a number.") from None
    # "1e999999" is a valid Decimal, but writing it out in full would take a megabyte.
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("Not a number of ordinary size.")
    return number


def utc_time(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Read an ISO 8601 time as aware UTC, in ``zone`` when it has no offset; None for ``""`` and ``0000-00-00...``.

    Raises: ValueError when it is none.
    """
    stripped = text.strip()
    if not stripped or stripped.startswith("0000-00-00"):
        return None
    moment = datetime.fromisoformat(stripped)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("The time lies outside the calendar.") from error


def html_to_text(markup: str) -> str:
    """Give HTML as plain text on one line: entities decoded, block elements apart, scripts and styles left out."""
    if "<" not in markup:
        return " ".join(html.unescape(markup).split())
    tree = LexborHTMLParser(markup)
    tree.strip_tags(_INVISIBLE)
    for node in tree.css(_BLOCKS):
        node.insert_before(" ")
        node.insert_after(" ")
    return " ".join(tree.body.text().split()) if tree.body else ""


def country(*candidates: str | None) -> str | None:
    """Give the first two-letter code among ``candidates`` in upper case, else the first text, else None."""
    given = [text for text in candidates if text]
    codes = (text.upper() for text in given if _COUNTRY.fullmatch(text))
    return next(codes, given[0] if given else None)


def language(locale: str | None) -> str | None:
    """Give the ISO 639-1 code of a locale ("de-DE", "pt_BR") in lower case; None for a language without one."""
    found = _LANGUAGE.match(locale or "")
    return found.group(1).lower() if found else None


def join_text(*parts: str | None) -> str | None:
    """Join the parts that say something with one blank; None when none does."""
    return " ".join(part for part in parts if part) or None


def given(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Give the texts that say something."""
    return tuple(text for text in texts if text)

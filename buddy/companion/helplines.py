"""Whom to call: emergency numbers and helplines of many countries, from a data file.

Each entry of ``helplines.json`` names the page that its numbers were compared with, and when. Numbers change: look at
that page before you rely on one, and tell us what is wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from buddy.errors import UserMistake, quote

FILE = Path(__file__).with_name("helplines.json")
INTERNATIONAL = ""


@dataclass(frozen=True)
class Line:
    """A helpline.

    Attributes:
        name: of the service.
        phone: its number as one dials it in the country; may be empty.
        text: a number or word for text messages; may be empty.
        web: its page.
        hours: when somebody answers; empty if that is not known.
        categories: of crisis that it is for.
        source: the page that the number was compared with.
        checked: when, as an ISO date.
    """

    name: str
    phone: str
    text: str
    web: str
    hours: str
    categories: tuple[str, ...]
    source: str
    checked: str


@dataclass(frozen=True)
class Country:
    """A country's numbers.

    Attributes:
        code: two letters (ISO 3166-1); empty for the international directory.
        name: in English.
        emergency: the numbers for an emergency, the most general first.
        lines: its helplines.
        source: the page that the emergency numbers were compared with.
        checked: when, as an ISO date.
    """

    code: str
    name: str
    emergency: tuple[str, ...]
    lines: tuple[Line, ...]
    source: str
    checked: str


def find_country(code: str) -> Country:
    """Give a country's numbers.

    Args:
        code: two letters in any case, "UK" for "GB", too; empty for the international directory.

    Raises:
        UserMistake: there are no numbers of such a country.

    Example:
        >>> find_country("us").emergency, find_country("UK").name
        (('911',), 'United Kingdom')
    """
    wanted = {"UK": "GB"}.get(code.strip().upper(), code.strip().upper())
    if wanted not in _countries():
        raise UserMistake(f"There are no helplines for {quote(code)}; known are {', '.join(country_codes())}.")
    return _countries()[wanted]


def country_codes() -> tuple[str, ...]:
    """Name the countries that there are helplines for."""
    return tuple(sorted(code for code in _countries() if code))


def country_from_locale(environment: Mapping[str, str]) -> str:
    """Guess the country from the language settings; empty if they tell none that we know.

    Example:
        >>> country_from_locale({"LANG": "en_GB.UTF-8"}), country_from_locale({"LANG": "C"})
        ('GB', '')
    """
    setting = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    code = setting.partition(".")[0].partition("_")[2].upper()
    return code if code in _countries() else INTERNATIONAL


@cache
def _countries() -> dict[str, Country]:
    entries = json.loads(FILE.read_text("utf-8"))["countries"]
    return {
        entry["code"]: Country(
            entry["code"],
            entry["name"],
            tuple(entry["emergency"]),
            tuple(Line(**{**line, "categories": tuple(line["categories"])}) for line in entry["lines"]),
            entry["source"],
            entry["checked"],
        )
        for entry in entries
    }

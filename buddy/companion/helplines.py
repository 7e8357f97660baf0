"""Whom to call: emergency numbers and helplines of many countries, from a data file.

Each entry of ``helplines.json`` names the published page that its numbers were compared with, and when; nobody dialled
them. Numbers change: look at the page of the service before you rely on one, and tell us what is wrong. A number that
no page confirmed is left out, because a wrong one can cost a life.
"""

import json
import re
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
        text: the number for text messages, or "WORD to number"; may be empty.
        web: its page; may be empty if there is a number.
        hours: when somebody answers, or where that is told; empty only without a number, because a number without
            hours would read as one that is answered now.
        categories: of crisis that it is for: "self-harm", "violence", "medical".
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
        code: two letters (ISO 3166-1); empty for the international directories.
        name: in English.
        emergency: the numbers for an emergency, the most general first, or else the ambulance.
        lines: its helplines, the first one for thoughts of suicide.
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
        code: two letters in any case, "UK" for "GB", too; empty for the international directories.

    Raises:
        UserMistake: there are no numbers of such a country.

    Example:
        >>> find_country("us").emergency, find_country("UK").name
        (('911',), 'United Kingdom')
    """
    typed = code.strip().upper()
    wanted = {"UK": "GB"}.get(typed, typed)
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

    Source:
        POSIX.1-2017, section 8.2: LC_ALL wins over LC_MESSAGES, and that over LANG; one that is empty counts as unset.
    """
    setting = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    code = re.split("[.@]", setting)[0].partition("_")[2].upper()
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

"""Helplines: the form of each entry, and which country a person gets."""

import json
import locale
import re
from dataclasses import FrozenInstanceError
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.companion.helplines import FILE, Country, country_codes, country_from_locale, find_country
from buddy.errors import UserMistake

COUNTRIES = [find_country(code) for code in ("", *country_codes())]
# The standard library's table of locales: a list of countries that does not come from us.
REAL_CODES = {code for name in locale.locale_alias.values() for code in re.findall(r"^[a-z]+_([A-Z]{2})\b", name)}
# Where 112 is the emergency number by law, in telephone and mobile networks (Directive (EU) 2018/1972, article 109).
EUROPEAN_UNION = set(re.findall("..", "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK"))

EMERGENCY = re.compile(r"\d{2,5}( \([a-z ]+\))?")
PHONE = re.compile(r"\*?\d+([ -]\d+)*")
TEXT = re.compile(r"([A-Z]+ to )?\d+( \d+)*")

every_country = pytest.mark.parametrize(
    "country", COUNTRIES, ids=[country.code or "international" for country in COUNTRIES]
)


def is_page(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "") and " " not in address


def is_past_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and date.fromisoformat(text) <= date.today()


class TestFile:
    def test_tells_how_the_numbers_were_checked(self):
        note = json.loads(FILE.read_text("utf-8"))["note"].lower()
        assert "compared with published pages" in note
        assert "not dialled" in note

    def test_is_in_the_package(self):
        root = Path(__file__).parents[2]
        listed = re.search(
            r"package-data\]\s+buddy = \[(.*?)\]", (root / "pyproject.toml").read_text("utf-8"), re.DOTALL
        )
        assert listed is not None
        name = FILE.relative_to(root / "buddy").as_posix()
        assert any(fnmatch(name, pattern) for pattern in re.findall('"(.*?)"', listed[1]))

    def test_has_each_country_once(self):
        entries = json.loads(FILE.read_text("utf-8"))["countries"]
        assert len({entry["code"] for entry in entries}) == len({entry["name"] for entry in entries}) == len(entries)

    def test_has_many_real_countries(self):
        assert len(country_codes()) >= 30
        assert set(country_codes()) <= REAL_CODES - {"UK"}
        assert list(country_codes()) == sorted(country_codes())


@every_country
class TestEachCountry:
    def test_has_an_emergency_number(self, country: Country):
        assert country.emergency
        assert len(set(country.emergency)) == len(country.emergency)
        for number in country.emergency:
            assert EMERGENCY.fullmatch(number), number

    def test_has_112_in_the_european_union(self, country: Country):
        assert "112" in country.emergency or country.code not in EUROPEAN_UNION

    def test_begins_with_a_line_for_thoughts_of_suicide(self, country: Country):
        assert "self-harm" in country.lines[0].categories

    def test_gives_no_line_twice(self, country: Country):
        names = [line.name for line in country.lines]
        ways = [re.sub(r"\W", "", line.phone or line.text) or line.web for line in country.lines]
        assert len(set(names)) == len(names)
        assert len(set(ways)) == len(ways)

    def test_names_its_source(self, country: Country):
        assert country.name
        assert is_page(country.source)
        assert is_past_date(country.checked)


@every_country
class TestEachLine:
    def test_has_numbers_that_can_be_dialled(self, country: Country):
        for line in country.lines:
            assert not line.phone or PHONE.fullmatch(line.phone), line
            assert len(re.sub(r"\D", "", line.phone)) <= 15, "longer than any telephone number (ITU-T E.164)"
            assert not line.text or TEXT.fullmatch(line.text), line

    def test_can_be_reached(self, country: Country):
        for line in country.lines:
            assert line.name.strip() == line.name != "", line
            assert line.phone or line.text or line.web, line
            assert not line.web or is_page(line.web), line

    def test_tells_hours_if_and_only_if_there_is_a_number(self, country: Country):
        for line in country.lines:
            assert bool(line.hours) == bool(line.phone or line.text), line

    def test_is_for_crises_that_we_know(self, country: Country):
        for line in country.lines:
            assert line.categories, line
            assert set(line.categories) <= {"self-harm", "violence", "medical"}, line
            assert len(set(line.categories)) == len(line.categories), line

    def test_names_its_source(self, country: Country):
        for line in country.lines:
            assert is_page(line.source), line
            assert is_past_date(line.checked), line


@pytest.mark.parametrize(
    ("code", "emergency", "phone"),
    [
        ("AU", "000", "13 11 14"),
        ("BR", "192", "188"),
        ("CA", "911", "988"),
        ("DE", "112", "0800 111 0 111"),
        ("FR", "112", "3114"),
        ("GB", "999", "116 123"),
        ("IN", "112", "14416"),
        ("JP", "119", "0120-279-338"),
        ("NZ", "111", "1737"),
        ("US", "911", "988"),
    ],
)
def test_numbers_that_everybody_there_knows(code: str, emergency: str, phone: str):
    country = find_country(code)
    assert country.emergency[0].split()[0] == emergency
    assert country.lines[0].phone == phone


class TestFindCountry:
    @given(st.sampled_from(country_codes()), st.booleans(), st.booleans())
    def test_reads_any_case(self, code: str, first_small: bool, second_small: bool):
        typed = (code[0].lower() if first_small else code[0]) + (code[1].lower() if second_small else code[1])
        assert find_country(f" {typed} ").code == code

    def test_knows_the_united_kingdom_by_both_names(self):
        assert find_country(" uk ") is find_country("GB")
        assert "UK" not in country_codes()

    def test_gives_directories_of_all_countries_without_a_code(self):
        international = find_country("")
        assert international.code == ""
        assert international.emergency[0].startswith("112 (from a mobile phone")
        assert {urlsplit(line.web).hostname for line in international.lines} == {
            "findahelpline.com",
            "www.befrienders.org",
        }

    def test_refuses_an_unknown_code_and_names_the_known_ones(self):
        with pytest.raises(UserMistake, match="no helplines for 'XX'") as mistake:
            find_country("XX")
        assert set(country_codes()) <= set(re.findall(r"\b[A-Z]{2}\b", str(mistake.value)))

    def test_gives_what_cannot_be_changed(self):
        with pytest.raises(FrozenInstanceError):
            find_country("US").lines[0].phone = "911"  # type: ignore[misc]


class TestCountryFromLocale:
    @given(
        st.sampled_from(country_codes()),
        st.sampled_from(["en", "de", "kok"]),
        st.sampled_from(["", ".UTF-8", ".ISO8859-15", "@euro", ".UTF-8@latin"]),
        st.sampled_from(["LC_ALL", "LC_MESSAGES", "LANG"]),
    )
    def test_reads_the_country(self, code: str, language: str, rest: str, name: str):
        assert country_from_locale({name: f"{language}_{code}{rest}"}) == code

    def test_asks_the_settings_in_the_order_of_the_standard(self):
        settings = {"LC_ALL": "de_AT.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8", "LANG": "en_US.UTF-8"}
        assert country_from_locale(settings) == "AT"
        assert country_from_locale({**settings, "LC_ALL": ""}) == "FR"
        assert country_from_locale({"LANG": settings["LANG"], "LC_TIME": "de_DE.UTF-8"}) == "US"

    @pytest.mark.parametrize(
        "setting", ["", "C", "C.UTF-8", "POSIX", "en", "eo.UTF-8", "en_XX.UTF-8", "sr_Latn", "es_419"]
    )
    def test_is_empty_where_none_is_known(self, setting: str):
        assert country_from_locale({"LANG": setting}) == ""

    @given(st.dictionaries(st.sampled_from(["LC_ALL", "LC_MESSAGES", "LANG", "TZ"]), st.text()))
    def test_is_always_a_country_that_can_be_found(self, environment: dict[str, str]):
        code = country_from_locale(environment)
        assert find_country(code).code == code

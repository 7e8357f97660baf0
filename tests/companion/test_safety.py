"""What raises the alarm, what only sounds like it, and what is said then."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.companion.crisis_phrases import RULES
from buddy.companion.helplines import country_codes, find_country
from buddy.companion.normal_text import normalise
from buddy.companion.safety import CATEGORIES, Guard, Level, assess, assess_turns
from buddy.companion.safety_evaluation import evaluate_safety, read_messages
from buddy.errors import UserMistake

MESSAGES = read_messages(Path(__file__).with_name("safety_messages.jsonl"))
CRISIS = "I want to kill myself"


class TestRules:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_find_their_example_and_not_its_look_alike(self, rule):
        assert assess(rule.hit).level >= (Level.ALARM if rule.weight == "alarm" else Level.CONCERN)
        assert assess(rule.miss).rule != rule.name

    def test_have_names_of_their_own(self):
        assert len({rule.name for rule in RULES}) == len(RULES)


class TestGuard:
    def test_reaches_the_bars_on_our_messages(self):
        report = evaluate_safety(MESSAGES)
        assert report.n >= 400
        assert report.n / 2 <= report.n - report.crisis
        assert report.recall >= 0.97, report.missed
        assert report.precision >= 0.93, report.false_alarms

    @pytest.mark.parametrize(
        "text", ["I WANT TO KILL MYSELF", "i  want to k i l l myself", "I want to k1ll myself", "i want 2 kms", CRISIS]
    )
    def test_is_not_fooled_by_spelling(self, text):
        assert assess(text.replace("2", "to")).level == Level.ALARM

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, len(CRISIS)), max_size=5))
    def test_does_not_see_invisible_letters(self, places):
        text = CRISIS
        for place in places:
            text = f"{text[:place]}\u200b{text[place:]}"
        assert assess(text).level == Level.ALARM

    @pytest.mark.parametrize("around", ["We had pizza. {} Then I watched TV.", "hi!!! {}", "lovely day\n{}\nbye"])
    def test_hears_a_sentence_among_others(self, around):
        assert assess(around.format(CRISIS + ".")).level == Level.ALARM

    @pytest.mark.parametrize(
        "text", ["I'm not going to kill myself", "I would never hurt myself", "When I was 15 I tried to kill myself"]
    )
    def test_is_concerned_and_not_alarmed_by_what_is_denied_or_long_past(self, text):
        assert assess(text).level == Level.CONCERN

    @settings(max_examples=300, deadline=None)
    @given(st.text())
    def test_has_an_answer_to_anything(self, text):
        found = assess(text)
        assert (found.category is None) == (found.level == Level.NONE)

    def test_is_quick(self):
        began = time.perf_counter()
        for message in MESSAGES:
            assess(message.text)
        assert (time.perf_counter() - began) / len(MESSAGES) < 0.02
        began = time.perf_counter()
        assess("I want to go and kill some time because he will not let me " * 20_000)
        assert time.perf_counter() - began < 2

    def test_hears_a_no_after_an_alarm_and_stays_careful(self):
        assert assess_turns([CRISIS, "no"]).level == Level.ALARM
        assert assess_turns([CRISIS, "yes, my sister is here"]).level == Level.CONCERN
        assert assess_turns([CRISIS, "ok", "ok", "nice weather"]).level == Level.CONCERN
        assert assess_turns([CRISIS, "ok", "ok", "ok", "nice weather"]).level == Level.NONE
        assert assess_turns(["How are you?", "no"]).level == Level.NONE

    def test_can_be_made_stricter_or_narrower(self):
        assert Guard(alarm_at=Level.CONCERN).check(["I feel so hopeless"]).level == Level.ALARM
        assert Guard(categories=frozenset({"medical"})).check([CRISIS]).level == Level.NONE
        with pytest.raises(UserMistake):
            Guard("XX")


class TestWords:
    @pytest.mark.parametrize("code", ["", *country_codes()])
    def test_of_every_country_have_its_numbers_first(self, code):
        for category, text in zip(CATEGORIES, (CRISIS, "My husband hit me again", "He is not breathing"), strict=True):
            guard = Guard(code)
            found = guard.check([text])
            assert (found.level, found.category) == (Level.ALARM, category)
            said = guard.alarm_text(found)
            assert find_country(code).emergency[0] in said.splitlines()[1]
            assert "small computer program" in said
            if category == "self-harm":
                line = find_country(code).lines[0]
                assert (line.phone or line.web) in said

    def test_about_somebody_else_are_others(self):
        guard = Guard("US")
        found = guard.check(["My sister says she will kill herself tonight"])
        assert "Are they safe right now?" in guard.alarm_text(found)


def test_normal_text_keeps_foreign_words_foreign():
    assert normalise("Я убью") == ""
    assert normalise("It's my mom's 2nd CAT :)") == "it is my mum is 2nd cat"

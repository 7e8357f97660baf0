"""What is said about a mood: each sentence here was counted by hand."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.companion.affect import AFFECTS
from buddy.companion.conversation import Kind, Turn
from buddy.companion.mood import course
from buddy.companion.mood_summary import NOTHING, capital, count, nothing_lately, summary

UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
SUNDAY = date(2025, 11, 9)
LATER = {5: "afraid", 6: "angry", 7: "guilty", 8: "jealous"}
MORNING, AFTERNOON, EVENING, NIGHT = 9, 14, 20, 23


def say(day: int, hour: int = MORNING, kind: Kind = "talk", /, minute: int = 0, **emotions: float) -> Turn:
    """Say something in November 2025, of which the third was a Monday; the emotions not named share the rest."""
    at = datetime(2025, 11, day, hour, minute, tzinfo=UTC)
    others = [label for label in AFFECTS if label not in emotions]
    rest = (1 - sum(emotions.values())) / len(others)
    return Turn("speaker", "something private", at, {**dict.fromkeys(others, rest), **emotions}, kind)


def named(day: int, hour: int, label: str) -> Turn:
    return replace(say(day, hour), emotions={label: 0.8, "prepared": 0.2})


def told(*turns: Turn, today: date = SUNDAY, zone: timezone | ZoneInfo = UTC) -> list[str]:
    return summary(course(turns), today, zone).split("\n")


class TestNothing:
    def test_is_said(self):
        assert told() == [NOTHING]

    def test_a_crisis_alone_is_told_and_has_no_mood(self):
        assert told(say(9, 9, "crisis", sad=0.9)) == [
            f"{NOTHING} One message was about a crisis; it is marked and not counted."
        ]

    def test_of_the_last_days_names_the_day_of_the_latest_message(self):
        points = course([say(3, sad=0.9), say(4, sad=0.9), say(5, 9, "crisis")])
        assert nothing_lately(points, 3, SUNDAY, UTC) == (
            "No message in the last 3 days that a mood could be told from; the latest is of Tuesday 4 November."
        )
        assert nothing_lately(points, 1, date(2026, 1, 9), UTC) == (
            "No message today that a mood could be told from; the latest is of Tuesday 4 November 2025."
        )

    def test_names_the_day_of_the_user(self):
        late = course([say(4, NIGHT, sad=0.9)])
        assert nothing_lately(late, 3, SUNDAY, BERLIN).endswith("the latest is of Wednesday 5 November.")

    def test_of_the_last_days_is_nothing_at_all_where_no_message_has_a_mood(self):
        assert nothing_lately(course([say(3, 9, "crisis")]), 3, SUNDAY, UTC) == nothing_lately([], 3, SUNDAY) == NOTHING


class TestOneMessage:
    def test_with_how_sure_it_is(self):
        assert told(say(9, hopeful=0.62)) == ["Hopeful today, 62% sure.", "Told from one message."]

    def test_that_is_hard_to_read_gets_its_best_guesses(self):
        assert told(say(8, sad=0.21, lonely=0.18)) == [
            "Hard to tell yesterday: most likely sad (21%) or lonely (18%).",
            "Told from one message.",
        ]

    @pytest.mark.parametrize(
        ("today", "when"),
        [
            (date(2025, 11, 3), "today"),
            (date(2025, 11, 4), "yesterday"),
            (date(2025, 11, 5), "on Monday 3 November"),
            (date(2026, 11, 3), "on Monday 3 November 2025"),
        ],
    )
    def test_with_its_day_as_seen_from_today(self, today, when):
        assert told(say(3, sad=0.5), today=today)[0] == f"Sad {when}, 50% sure."


class TestOneDay:
    def test_with_a_main_emotion(self):
        assert told(say(9, hopeful=0.5), say(9, hopeful=0.6)) == ["Mostly hopeful today.", "Told from two messages."]

    def test_that_changed_with_its_parts(self):
        turns = (say(9, MORNING, hopeful=0.6), say(9, AFTERNOON, hopeful=0.7), say(9, EVENING, anxious=0.7))
        assert told(*turns)[0] == "Mixed today: hopeful in the morning and in the afternoon, anxious in the evening."

    def test_with_an_exception_that_is_too_small_to_make_it_mixed(self):
        turns = [say(9, MORNING, minute=minute, hopeful=0.8) for minute in range(3)]
        assert told(*turns, say(9, NIGHT, anxious=0.7))[0] == "Mostly hopeful today, anxious at night."

    def test_mixed_within_one_sitting(self):
        turns = (say(9, joyful=0.7), say(9, minute=5, sad=0.7))
        assert told(*turns)[0] == "Mixed today: between joyful and sad."

    def test_of_one_side_without_a_leading_emotion(self):
        turns = (say(9, sad=0.25, lonely=0.3, devastated=0.25), say(9, sad=0.3, lonely=0.2, devastated=0.3))
        assert told(*turns)[0] == "Mostly unpleasant feelings today: most likely devastated (28%) or sad (28%)."

    def test_that_began_otherwise_than_it_ended(self):
        turns = [say(9, minute=minute, sad=0.6) for minute in range(3)]
        turns += [say(9, minute=minute, lonely=0.8) for minute in range(3, 6)]
        assert told(*turns)[0] == "Mostly lonely today. It began sad and ended lonely."

    def test_three_messages_are_no_development(self):
        assert "began" not in told(say(9, sad=0.9), say(9, minute=1, sad=0.9), say(9, minute=2, lonely=0.9))[0]


class TestAWeek:
    def test_as_in_the_plan(self):
        """Hopeful on four mornings; anxious on two evenings of these days, which stay hopeful on the whole."""
        turns = [say(day, MORNING, minute=minute, hopeful=0.7) for day in (3, 4, 6, 7) for minute in range(3)]
        turns += [say(4, EVENING, anxious=0.6), say(7, EVENING, anxious=0.6)]
        assert told(*turns) == [
            "Mostly hopeful this week, anxious on two evenings.",
            "Told from 14 messages on four days.",
        ]

    def test_of_many_emotions_of_one_side(self):
        turns = (say(3, sad=0.8), say(4, lonely=0.7), say(5, sad=0.7), say(6, hopeful=0.7))
        assert told(*turns)[0] == (
            "Mostly unpleasant feelings this week: sad on two days, lonely on one day, hopeful on one day."
        )

    def test_of_either_side_is_mixed(self):
        turns = (say(3, sad=0.8), say(4, joyful=0.7), say(5, joyful=0.7), say(6, sad=0.7))
        assert told(*turns)[0] == "Mixed this week: sad on two days, joyful on two days."

    def test_names_days_first_and_then_parts_of_days(self):
        turns = [say(3, proud=0.8), say(4, joyful=0.8), *(say(5, MORNING, minute=n, grateful=0.8) for n in range(3))]
        assert told(*turns, say(5, EVENING, anxious=0.9))[0] == (
            "Mostly pleasant feelings this week: "
            "proud on one day, joyful on one day, grateful on one day, anxious on one evening."
        )

    def test_names_three_days_and_three_parts_at_most_the_most_frequent_first(self):
        turns = [say(day, sad=0.8) for day in (3, 4)] + [
            say(day, minute=0, **{label: 0.8}) for day, label in LATER.items()
        ]
        turns += [say(9, hour, minute=n, lonely=0.9) for hour in (6, 7, 8) for n in range(9)]
        turns += [named(9, hour, label) for hour, label in ((12, "joyful"), (18, "proud"), (23, "hopeful"))]
        assert told(*turns)[0] == (
            "Mostly unpleasant feelings this week: sad on two days, afraid on one day, angry on one day, "
            "joyful on one afternoon, proud on one evening, hopeful on one night."
        )

    def test_a_night_goes_on_after_midnight(self):
        """From 22 o'clock to 5 it is one night, though two dates."""
        turns = [say(day, hour, minute=n, joyful=0.9) for day in (3, 4, 5) for hour in (9, 14) for n in range(2)]
        turns += [say(4, 23, anxious=0.9), say(5, 1, anxious=0.9)]
        assert told(*turns)[0] == "Mostly joyful this week, anxious on one night."

    @pytest.mark.parametrize(
        ("days", "today", "when"),
        [
            ((3, 5), date(2025, 11, 9), "this week"),
            ((3, 5), date(2025, 11, 10), "last week"),
            ((3, 5), date(2025, 11, 17), "in the week of 3 November"),
            ((3, 4), date(2025, 11, 4), "since yesterday"),
            ((8, 11), date(2025, 11, 12), "in the last seven days"),
            ((8, 11), date(2025, 11, 20), "from Saturday 8 November to Tuesday 11 November"),
        ],
    )
    def test_is_named_as_seen_from_today(self, days, today, when):
        assert told(*(say(day, sad=0.8) for day in days), today=today)[0] == f"Mostly sad {when}."


class TestTimeZones:
    def test_an_evening_here_is_an_afternoon_there(self):
        """19:00 UTC is 20:00 in Berlin, and 14:00 in New York."""
        turns = [say(4, 14, minute=n, hopeful=0.8) for n in range(3)] + [say(4, 19, anxious=0.9)]
        assert told(*turns, zone=BERLIN)[0] == "Mostly hopeful on Tuesday 4 November, anxious in the evening."
        assert told(*turns, zone=NEW_YORK)[0] == "Mostly hopeful on Tuesday 4 November, anxious in the afternoon."

    def test_one_evening_here_is_two_days_there(self):
        """22:30 and 23:30 UTC are on one day in London's winter, and on two in Berlin."""
        turns = (say(4, 22, minute=30, sad=0.8), say(4, 23, minute=30, sad=0.8))
        assert told(*turns)[1] == "Told from two messages."
        assert told(*turns, zone=BERLIN)[1] == "Told from two messages on two days."

    def test_an_evening_stays_one_when_the_clock_changes(self):
        """20:30 UTC is 22:30 in Berlin's summer, a night, and 21:30 in its winter, an evening."""
        summer = Turn("speaker", "", datetime(2025, 10, 25, 20, 30, tzinfo=UTC), {"sad": 1.0})
        winter = Turn("speaker", "", datetime(2025, 10, 26, 20, 30, tzinfo=UTC), {"sad": 1.0})
        joyful = [
            Turn("speaker", "", datetime(2025, 10, day, 9, minute, tzinfo=UTC), {"joyful": 1.0})
            for day in (24, 25, 26)
            for minute in range(3)
        ]
        assert told(*joyful, summer, winter, today=date(2025, 10, 26), zone=BERLIN)[0] == (
            "Mostly joyful this week, sad on one evening and one night."
        )


class TestSeveralWeeks:
    def test_have_a_line_each_and_tell_of_a_change(self):
        turns = [say(day, anxious=0.7) for day in (3, 4, 5)] + [say(day, hopeful=0.7) for day in (10, 11, 12)]
        assert told(*turns, say(13, anxious=0.7), today=date(2025, 11, 14)) == [
            "Mixed from Monday 3 November to Thursday 13 November: anxious on four days, hopeful on three days.",
            "Mostly anxious last week.",
            "Mostly hopeful this week, anxious on one morning. More pleasant than the week before.",
            "Told from seven messages on seven days.",
        ]

    def test_without_a_change_tell_of_none(self):
        turns = [say(day, sad=0.7) for day in (3, 4, 5, 10, 11, 12)]
        assert told(*turns, today=date(2025, 11, 12))[1:3] == ["Mostly sad last week.", "Mostly sad this week."]

    def test_with_few_messages_are_not_compared(self):
        lines = told(
            say(3, sad=0.9), say(4, sad=0.9), say(12, joyful=0.9), say(13, joyful=0.9), today=date(2025, 11, 14)
        )
        assert "than the week before" not in "".join(lines)

    def test_with_a_week_between_are_not_compared(self):
        turns = [say(day, sad=0.9) for day in (3, 4, 5)] + [say(day, joyful=0.9) for day in (17, 18, 19)]
        assert "than the week before" not in "".join(told(*turns, today=date(2025, 11, 19)))

    def test_of_long_ago_are_in_the_first_line_only(self):
        begins = datetime(2025, 1, 6, 9, tzinfo=UTC)
        turns = [Turn("speaker", "", begins + timedelta(days=7 * week), {"sad": 1.0}) for week in range(10)]
        lines = told(*turns, today=date(2025, 3, 10))
        assert lines[0] == "Mostly sad from Monday 6 January to Monday 10 March."
        assert lines[1:-1] == [
            "Sad in the week of 17 February, 100% sure.",
            "Sad in the week of 24 February, 100% sure.",
            "Sad last week, 100% sure.",
            "Sad this week, 100% sure.",
        ]


class TestHonesty:
    def test_many_doubtful_messages_are_called_so(self):
        turns = [say(9, minute=minute, sad=0.28, lonely=0.27) for minute in range(3)]
        assert (
            told(*turns)[1] == "Told from three messages. More than half of them could as well express something else."
        )

    def test_few_are_not(self):
        assert told(say(9, sad=0.9), say(9, sad=0.9), say(9, sad=0.2))[1] == "Told from three messages."

    def test_crises_are_counted_apart(self):
        turns = (say(9, sad=0.9), say(9, 10, "crisis"), say(9, 11, "crisis"))
        assert told(*turns)[1] == (
            "Told from one message. Two messages were about a crisis; they are marked and not counted."
        )

    def test_nothing_of_what_was_said_is_repeated(self):
        assert "private" not in "".join(told(say(9, sad=0.9), say(9, 10, "crisis")))


class TestOwnLabels:
    """Of labels whose valence nobody knows, single emotions are told, and no sides."""

    def own(self, day: int, **emotions: float) -> Turn:
        return Turn("speaker", "", datetime(2025, 11, day, 9, tzinfo=UTC), emotions)

    def test_have_a_main_one(self):
        turns = [self.own(day, bored=0.8, cheerful=0.2) for day in (3, 4, 5)]
        assert (
            told(*turns, self.own(6, bored=0.1, cheerful=0.9))[0] == "Mostly bored this week, cheerful on one morning."
        )

    def test_are_mixed_without_one(self):
        turns = (self.own(3, bored=0.8, cheerful=0.2), self.own(4, bored=0.1, cheerful=0.9))
        assert told(*turns)[0] == "Mixed this week: bored on one day, cheerful on one day."

    def test_are_mixed_within_a_day(self):
        turns = (self.own(9, bored=0.8, cheerful=0.2), self.own(9, bored=0.1, cheerful=0.9))
        assert told(*turns)[0] == "Mixed today: between bored and cheerful."

    def test_may_be_called_as_what_is_no_emotion(self):
        turns = [self.own(day, mixed=0.9, unclear=0.1) for day in (3, 4, 5)]
        assert told(*turns, self.own(6, unclear=0.9, mixed=0.1))[0] == "Mostly mixed this week, unclear on one morning."


def some_turn(minutes: int, label: str, share: float, kind: Kind) -> Turn:
    scores = {**dict.fromkeys(AFFECTS, (1 - share) / 31), label: share}
    return Turn("speaker", "", datetime(2025, 11, 3, tzinfo=UTC) + timedelta(minutes=minutes), scores, kind)


some_turns = st.builds(
    some_turn,
    st.integers(0, 60 * 24 * 25),
    st.sampled_from(sorted(AFFECTS)),
    st.floats(0.05, 1),
    st.sampled_from(["talk", "talk", "crisis"]),
)


@given(st.lists(some_turns, max_size=12))
def test_every_course_has_a_summary_of_sentences(turns):
    said = summary(course(turns), date(2025, 11, 28), BERLIN)
    assert said == summary(course(turns), date(2025, 11, 28), BERLIN)
    for line in said.split("\n"):
        assert re.fullmatch(r"[A-Z].*\.", line)
        assert "  " not in line
        assert ".." not in line
    talk = sum(turn.kind == "talk" for turn in turns)
    assert (NOTHING in said) == (talk == 0)
    if talk:
        assert f"Told from {count(talk, 'message')}" in said


@given(st.lists(some_turns, min_size=2, max_size=12))
def test_emotions_that_are_named_are_likely_somewhere(turns):
    said = summary(course(turns), date(2025, 11, 28), BERLIN)
    named = {label for label in AFFECTS if re.search(rf"\b{label} (?:on|in|at|this|last|from|today|since)\b", said)}
    certain = {next(iter(point.emotions)) for point in course(turns) if point.emotions}
    assert named <= certain


def test_numbers_in_words():
    assert [count(0, "day"), count(1, "day"), count(12, "day"), count(13, "day")] == [
        "no days",
        "one day",
        "twelve days",
        "13 days",
    ]


def test_a_capital_leaves_the_rest():
    assert [capital("sad about Tom"), capital("")] == ["Sad about Tom", ""]

"""The course of a mood: what counts, in which order, and on whose days."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.companion.affect import AFFECTS
from buddy.companion.conversation import Kind, Turn
from buddy.companion.mood import MoodPoint, course, latest_days, mean_affect, mean_emotions, stretches

UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
AUCKLAND = ZoneInfo("Pacific/Auckland")
NEW_YORK = ZoneInfo("America/New_York")

MONDAY = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)


def say(at: datetime, kind: Kind = "talk", **emotions: float) -> Turn:
    return Turn("speaker", "something private", at, emotions, kind)


def point(at: datetime, **emotions: float) -> MoodPoint:
    return course([say(at, "talk", **emotions)])[0]


class TestCourse:
    def test_is_one_point_for_each_message_that_talks_of_something(self):
        turns = [
            say(MONDAY, sad=1.0),
            Turn("listener", "Oh no!", MONDAY, {}, "talk"),
            say(MONDAY, "feeling", joyful=1.0),
            say(MONDAY, "unreadable"),
            say(MONDAY, "talk"),
            say(MONDAY, joyful=1.0),
        ]
        assert [dict(found.emotions) for found in course(turns)] == [{"sad": 1.0}, {"joyful": 1.0}]

    def test_marks_a_crisis_and_takes_no_emotion_from_it(self):
        [found] = course([say(MONDAY, "crisis", sad=1.0)])
        assert (found.crisis, found.emotions, found.affect) == (True, {}, None)

    def test_is_in_the_order_of_time_over_several_conversations(self):
        turns = [say(MONDAY + timedelta(hours=hours), sad=1.0) for hours in (3, 1, 2)]
        assert [found.said_at.hour for found in course(turns)] == [10, 11, 12]

    def test_has_the_likeliest_emotion_first(self):
        assert list(point(MONDAY, lonely=0.1, sad=0.5, angry=0.4).emotions) == ["sad", "angry", "lonely"]

    def test_has_a_place_by_hand(self):
        found = point(MONDAY, joyful=0.5, sad=0.5)
        assert found.affect == pytest.approx(((8.21 + 2.10) / 2 / 4 - 1.25, (5.53 + 3.49) / 2 / 4 - 1.25))

    def test_of_own_labels_has_a_place_if_it_is_handed_in(self):
        turns = [say(MONDAY, bored=0.75, cheerful=0.25)]
        assert course(turns)[0].affect is None
        [found] = course(turns, {"bored": (-0.4, -0.8), "cheerful": (0.8, 0.4)})
        assert found.affect == pytest.approx((-0.1, -0.5))

    def test_holds_no_words_of_the_speaker(self):
        assert "private" not in repr(course([say(MONDAY, sad=1.0), say(MONDAY, "crisis")]))


class TestMeans:
    def test_by_hand(self):
        points = [point(MONDAY, sad=0.5, joyful=0.5), point(MONDAY, sad=0.1, joyful=0.9)]
        assert mean_emotions(points) == pytest.approx({"joyful": 0.7, "sad": 0.3})

    def test_leave_out_a_crisis(self):
        points = course([say(MONDAY, sad=1.0), say(MONDAY, "crisis")])
        assert mean_emotions(points) == {"sad": 1.0}
        assert mean_affect(points) == pytest.approx(AFFECTS["sad"])

    def test_of_nothing_are_nothing(self):
        assert mean_emotions([]) == {}
        assert mean_affect([]) is None

    def test_have_no_place_if_one_has_none(self):
        assert mean_affect([point(MONDAY, sad=1.0), point(MONDAY, bored=1.0)]) is None

    @given(st.lists(st.dictionaries(st.sampled_from(sorted(AFFECTS)), st.floats(0.01, 1), min_size=1), min_size=1))
    def test_of_places_is_the_place_of_the_mean(self, rows):
        normal = [{label: share / sum(row.values()) for label, share in row.items()} for row in rows]
        points = [point(MONDAY, **row) for row in normal]
        together = mean_emotions(points)
        assert sum(together.values()) == pytest.approx(1)
        assert mean_affect(points) == pytest.approx(point(MONDAY, **together).affect)


class TestDays:
    def test_are_all_from_the_first_to_the_last_also_empty_ones(self):
        days = stretches([point(MONDAY, sad=1.0), point(MONDAY + timedelta(days=3), sad=1.0)], "day", UTC)
        assert [(day.name, day.spoken, day.messages) for day in days] == [
            ("Mon 3 Nov", "Monday 3 November", 1),
            ("Tue 4 Nov", "Tuesday 4 November", 0),
            ("Wed 5 Nov", "Wednesday 5 November", 0),
            ("Thu 6 Nov", "Thursday 6 November", 1),
        ]
        assert days[1].emotions == {}
        assert days[1].affect is None

    @pytest.mark.parametrize(
        ("zone", "names"),
        [
            (UTC, ["Mon 3 Nov", "Tue 4 Nov"]),
            (BERLIN, ["Tue 4 Nov"]),
            (AUCKLAND, ["Tue 4 Nov"]),
            (NEW_YORK, ["Mon 3 Nov"]),
        ],
    )
    def test_are_those_of_the_user(self, zone, names):
        late = [datetime(2025, 11, 3, 23, 30, tzinfo=UTC), datetime(2025, 11, 4, 0, 30, tzinfo=UTC)]
        assert [day.name for day in stretches([point(at, sad=1.0) for at in late], "day", zone)] == names

    def test_with_a_change_of_the_clock_are_neither_lost_nor_doubled(self):
        """In Berlin 26 October 2025 had 25 hours: 22:30 UTC is 00:30 that day, and a day later it is 23:30."""
        begins = datetime(2025, 10, 25, 22, 30, tzinfo=UTC)
        points = [point(begins + timedelta(hours=hours), sad=1.0) for hours in range(25)]
        days = stretches(points, "day", BERLIN)
        assert [(day.name, day.messages) for day in days] == [("Sun 26 Oct", 25)]

    def test_of_a_short_day_too(self):
        """30 March 2025 had 23 hours in Berlin: from 23:00 UTC to 22:00 UTC."""
        times = [datetime(2025, 3, 29, 22, 59, tzinfo=UTC), datetime(2025, 3, 29, 23, 0, tzinfo=UTC)]
        times += [datetime(2025, 3, 30, 21, 59, tzinfo=UTC), datetime(2025, 3, 30, 22, 0, tzinfo=UTC)]
        days = stretches([point(at, sad=1.0) for at in times], "day", BERLIN)
        assert [(day.name, day.messages) for day in days] == [("Sat 29 Mar", 1), ("Sun 30 Mar", 2), ("Mon 31 Mar", 1)]

    def test_name_the_year_where_there_are_two(self):
        days = stretches(
            [point(datetime(2025, 12, 31, tzinfo=UTC), sad=1.0), point(datetime(2026, 1, 1, tzinfo=UTC), sad=1.0)],
            "day",
            UTC,
        )
        assert [day.name for day in days] == ["Wed 31 Dec 2025", "Thu 1 Jan 2026"]

    def test_count_a_crisis_by_itself(self):
        [day] = stretches(course([say(MONDAY, sad=1.0), say(MONDAY, "crisis"), say(MONDAY, sad=1.0)]), "day", UTC)
        assert (day.messages, day.crises) == (2, 1)

    @given(st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=30), st.sampled_from(["message", "day", "week"]))
    def test_lose_no_message_whatever_they_are_divided_into(self, minutes, per):
        points = course([say(MONDAY + timedelta(minutes=offset), sad=1.0) for offset in minutes])
        found = stretches(points, per, AUCKLAND)
        assert [inside.said_at for part in found for inside in part.points] == [one.said_at for one in points]


class TestPer:
    def test_is_a_message_on_a_single_day(self):
        found = stretches([point(MONDAY, sad=1.0), point(MONDAY + timedelta(minutes=5), sad=1.0)], timezone=UTC)
        assert [(one.per, one.name, one.spoken) for one in found] == [
            ("message", "09:00", "Monday 3 November, 09:00"),
            ("message", "09:05", "Monday 3 November, 09:05"),
        ]

    @pytest.mark.parametrize(("days", "per"), [(1, "day"), (30, "day"), (31, "week")])
    def test_is_a_day_for_a_month_and_then_a_week(self, days, per):
        found = stretches([point(MONDAY, sad=1.0), point(MONDAY + timedelta(days=days), sad=1.0)], timezone=UTC)
        assert {one.per for one in found} == {per}

    def test_a_week_begins_on_monday(self):
        sunday, wednesday = MONDAY - timedelta(days=1), MONDAY + timedelta(days=9)
        weeks = stretches([point(sunday, sad=1.0), point(wednesday, sad=1.0)], "week", UTC)
        assert [(week.name, week.spoken, week.messages) for week in weeks] == [
            ("Mon 27 Oct", "the week of Monday 27 October", 1),
            ("Mon 3 Nov", "the week of Monday 3 November", 0),
            ("Mon 10 Nov", "the week of Monday 10 November", 1),
        ]

    def test_of_nothing_is_nothing(self):
        assert stretches([]) == []


def test_latest_days_count_today():
    points = [point(MONDAY + timedelta(days=days), sad=1.0) for days in range(5)]
    kept = latest_days(points, 2, (MONDAY + timedelta(days=4)).date(), UTC)
    assert [one.said_at.day for one in kept] == [6, 7]


def test_latest_days_are_those_of_the_user():
    late = [point(datetime(2025, 11, 3, 23, 30, tzinfo=UTC), sad=1.0)]
    today = datetime(2025, 11, 4).date()
    assert latest_days(late, 1, today, UTC) == []
    assert latest_days(late, 1, today, BERLIN) == late

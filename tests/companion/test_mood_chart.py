"""The chart of a mood in a terminal: a golden week in three forms, and what holds for every chart."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from buddy.companion.affect import AFFECTS
from buddy.companion.conversation import Kind, Turn
from buddy.companion.mood import MoodPoint, course
from buddy.companion.mood_chart import MOST_ROWS, chart
from buddy.companion.mood_summary import NOTHING

UTC = timezone.utc
MONDAY = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)


def say(day: int, hour: int = 9, kind: Kind = "talk", /, **emotions: float) -> Turn:
    return Turn("speaker", "something private", datetime(2025, 11, day, hour, tzinfo=UTC), emotions, kind)


WEEK = course(
    [
        say(3, joyful=1.0),
        say(4, joyful=0.5, sad=0.5),
        say(5, 9, content=0.8, sad=0.2),
        say(5, 20, anxious=1.0),
        say(8, 9, devastated=0.95, lonely=0.05),
        say(8, 10, "crisis"),
        say(9, sentimental=1.0),
    ]
)

GOLDEN = """\
                   unpleasant │ pleasant
Mon 3 Nov                     │███████████████      joyful
Tue 4 Nov                     │░                    joyful, sad
Wed 5 Nov                  ███│░░                   anxious, content
Thu 6 Nov  (nothing for two days)
Sat 8 Nov       ██████████████│                     * devastated
Sun 9 Nov                     │░░░░░░               sentimental
░ calm  ▒ between  █ excited
* a message about a crisis"""

PLAIN = """\
Monday 3 November: pleasant and excited; joyful 100 percent; one message.
Tuesday 4 November: neither pleasant nor unpleasant, calm; joyful 50 percent, sad 50 percent; one message.
Wednesday 5 November: neither pleasant nor unpleasant; anxious 50 percent, content 40 percent; two messages.
Thursday 6 November to Friday 7 November: no message.
Saturday 8 November: unpleasant and tense; devastated 95 percent; one message and one message about a crisis.
Sunday 9 November: pleasant and calm; sentimental 100 percent; one message."""


class TestGolden:
    """Half a bar has (80 - 11 - 28 - 3) / 2 = 19 cells. Joyful, of valence 0.8025, fills 15 of them."""

    def test_week(self):
        assert chart(WEEK, 80, timezone=UTC) == GOLDEN

    def test_week_in_ascii(self):
        assert chart(WEEK, 80, blocks=False, timezone=UTC) == GOLDEN.translate(str.maketrans("│░▒█", "|-=#"))

    def test_week_for_a_screen_reader(self):
        assert chart(WEEK, 80, plain=True, timezone=UTC) == PLAIN

    def test_bars_by_hand(self):
        """Anxious has valence -0.3, and 0.8 content with 0.2 sad 0.195: of two messages, 2.85 and 1.85 of 19 cells."""
        [line] = [line for line in GOLDEN.splitlines() if line.startswith("Wed")]
        left, _, right = line.partition("│")
        assert (left.count("█"), right.count("░")) == (3, 2)


def test_of_one_day_is_a_row_for_each_message():
    points = course([say(3, 9, joyful=1.0), say(3, 14, sad=1.0)])
    assert [line.split()[0] for line in chart(points, timezone=UTC).splitlines()[1:3]] == ["09:00", "14:00"]


def test_of_a_conversation_too():
    points = course([say(3, 23, joyful=1.0), say(4, 0, sad=1.0)])
    rows = chart(points, per="message", timezone=UTC).splitlines()[1:3]
    assert [" ".join(line.split()[:3]) for line in rows] == ["3 Nov 23:00", "4 Nov 00:00"]


def test_of_nothing_says_so():
    assert chart([]) == chart([], plain=True) == NOTHING


def test_has_the_latest_rows_and_says_how_many_are_left_out():
    points = course([say(3, 9, joyful=1.0)] * (MOST_ROWS + 3))
    lines = chart(points, plain=True, timezone=UTC).splitlines()
    assert lines[0] == "(3 earlier messages are not shown.)"
    assert len(lines) == MOST_ROWS + 1


def test_says_of_a_single_row_that_it_is_left_out():
    points = course([say(3, 9, joyful=1.0)] * (MOST_ROWS + 1))
    assert chart(points, timezone=UTC).startswith("(1 earlier message is not shown.)\n")


def weeks_with_a_message(*numbers: int) -> list[MoodPoint]:
    return course([Turn("speaker", "", MONDAY + timedelta(weeks=week), {"joyful": 1.0}) for week in numbers])


class TestManyWeeks:
    def test_without_a_message_take_one_row(self):
        assert chart(weeks_with_a_message(0, 97), plain=True, timezone=UTC).splitlines() == [
            "The week of Monday 3 November 2025: pleasant and excited; joyful 100 percent; one message.",
            "The week of Monday 10 November 2025 to the week of Monday 6 September 2027: no message.",
            "The week of Monday 13 September 2027: pleasant and excited; joyful 100 percent; one message.",
        ]
        first, gap, last = chart(weeks_with_a_message(0, 97), timezone=UTC).splitlines()[1:4]
        assert first.startswith("Mon 3 Nov 2025 ")
        assert gap == "Mon 10 Nov 2025  (nothing for 96 weeks)"
        assert last.startswith("Mon 13 Sep 2027 ")

    def test_do_not_begin_with_a_gap(self):
        points = weeks_with_a_message(0, *range(10, 10 + MOST_ROWS - 1))
        lines = chart(points, plain=True, timezone=UTC).splitlines()
        assert lines[0] == "(10 earlier weeks are not shown.)"
        assert lines[1].startswith("The week of Monday 12 January 2026: pleasant")
        assert len(lines) == MOST_ROWS
        assert "not shown" not in chart(points[:-1], plain=True, timezone=UTC)


def test_of_own_labels_has_names_and_no_bars():
    points = course([say(3, bored=0.7, cheerful=0.3), say(4, bored=0.95, cheerful=0.05), say(5, 9, "crisis")])
    assert chart(points, timezone=UTC).splitlines() == [
        "Mon 3 Nov  bored, cheerful",
        "Tue 4 Nov  bored",
        "Wed 5 Nov  *",
        "* a message about a crisis",
    ]
    assert chart(points[:1], plain=True, timezone=UTC) == (
        "Monday 3 November, 09:00: bored 70 percent, cheerful 30 percent."
    )


def test_of_crises_alone():
    points = course([say(3, 9, "crisis"), say(3, 10, "crisis")])
    assert chart(points, plain=True, per="day", timezone=UTC) == "Monday 3 November: two messages about a crisis."


def test_repeats_nothing_of_what_was_said():
    assert "private" not in chart(WEEK, timezone=UTC) + chart(WEEK, plain=True, timezone=UTC)


def test_marks_a_crisis_before_the_names_so_that_it_is_never_cut_off():
    lines = chart(WEEK, 40, timezone=UTC).splitlines()
    assert "* devastated" in next(line for line in lines if line.startswith("Sat"))


some_points = st.lists(
    st.tuples(
        st.integers(0, 60 * 24 * 90),
        st.dictionaries(
            st.sampled_from(
                [*sorted(AFFECTS), "悲しみと怒りとその他の長い名前の感情のことば", "sehr verärgert und müde zugleich"]
            ),
            st.floats(0.01, 1),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from(["talk", "talk", "talk", "crisis"]),
    ),
    max_size=15,
)


def as_course(rows: list[tuple[int, dict[str, float], Kind]]) -> list[MoodPoint]:
    return course([Turn("speaker", "", MONDAY + timedelta(minutes=at), scores, kind) for at, scores, kind in rows])


@given(some_points, st.integers(40, 200), st.booleans(), st.sampled_from([None, "message", "day", "week"]))
def test_no_line_is_wider_than_the_terminal(rows, width, blocks, per):
    drawn = chart(as_course(rows), width, blocks=blocks, per=per, timezone=UTC)
    assert max(map(cell_len, drawn.splitlines())) <= max(width, cell_len(NOTHING) if not rows else 0)
    assert all(line == line.rstrip() for line in drawn.splitlines())


@given(some_points)
def test_ascii_is_ascii_and_plain_has_no_drawing(rows):
    known = [row for row in rows if set(row[1]) <= set(AFFECTS)]
    assert chart(as_course(known), blocks=False, timezone=UTC).isascii()
    plain = chart(as_course(known), plain=True, timezone=UTC)
    assert plain.isascii()
    assert not set(plain) & set("*|#=-█│")


@pytest.mark.parametrize("width", [0, 20, 39])
def test_a_very_narrow_terminal_gets_the_narrowest_chart(width):
    assert chart(WEEK, width, timezone=UTC) == chart(WEEK, 40, timezone=UTC)

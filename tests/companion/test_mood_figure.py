"""The figure of a mood: what is drawn where, that gaps stay gaps, and that names do not meet."""

from datetime import datetime, timedelta, timezone
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from buddy.companion.affect import AFFECTS
from buddy.companion.conversation import Kind, Turn
from buddy.companion.mood import MoodPoint, Per, course, stretches
from buddy.companion.mood_figure import SIZE, draw, draw_mood
from buddy.errors import UserMistake
from buddy.evaluation.figures import DARK, LIGHT

UTC = timezone.utc
MONDAY = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)


def say(day: int, hour: int = 9, kind: Kind = "talk", /, **emotions: float) -> Turn:
    return Turn("speaker", "something private", datetime(2025, 11, day, hour, tzinfo=UTC), emotions, kind)


WEEK = course([say(3, joyful=1.0), say(4, content=1.0), say(6, sad=1.0), say(6, 10, "crisis"), say(7, angry=1.0)])


def figure_of(points: list[MoodPoint], per: Per | None = None) -> Figure:
    return draw_mood(stretches(points, per, UTC))


def long_line(figure: Figure, panel: int) -> Line2D:
    """The line over all days: the one with the most places."""
    return max(figure.axes[panel].lines, key=lambda line: len(line.get_xdata()))  # type: ignore[arg-type]


def names(figure: Figure) -> list[Annotation]:
    return [child for child in figure.axes[0].get_children() if isinstance(child, Annotation)]


def test_valence_above_and_arousal_below_with_a_gap_for_an_empty_day():
    figure = figure_of(WEEK)
    for panel in (0, 1):
        expected = [AFFECTS["joyful"][panel], AFFECTS["content"][panel], np.nan]
        expected += [AFFECTS["sad"][panel], AFFECTS["angry"][panel]]
        np.testing.assert_allclose(np.asarray(long_line(figure, panel).get_ydata()), expected)
    assert long_line(figure, 0).get_linestyle() != long_line(figure, 1).get_linestyle()  # not told by colour alone


def test_sides_are_named_in_plain_words():
    upper, lower = figure_of(WEEK).axes
    assert [text.get_text() for text in upper.get_yticklabels()] == ["unpleasant", "pleasant"]
    assert [text.get_text() for text in lower.get_yticklabels()] == ["calm", "excited"]
    assert [text.get_text() for text in lower.get_xticklabels()] == [
        "Mon 3 Nov",
        "Tue 4 Nov",
        "Wed 5 Nov",
        "Thu 6 Nov",
        "Fri 7 Nov",
    ]


def test_emotions_are_named_at_their_points():
    assert {(text.get_text(), text.xy[0]) for text in names(figure_of(WEEK))} == {
        ("joyful", 0),
        ("content", 1),
        ("sad", 3),
        ("angry", 4),
    }


def test_both_ends_are_named_of_a_day_that_was_pleasant_and_unpleasant():
    points = course([say(3, joyful=1.0), say(3, 20, anxious=1.0), say(4, content=1.0)])
    named = {text.get_text(): text.xy for text in names(figure_of(points))}
    assert named["joyful"] == pytest.approx((0, AFFECTS["joyful"][0]))
    assert named["anxious"] == pytest.approx((0, AFFECTS["anxious"][0]))


def test_a_crisis_is_a_small_mark_at_the_edge():
    figure = figure_of(WEEK)
    upper = figure.axes[0]
    [mark] = [line for line in upper.lines if line.get_marker() == "D"]
    assert list(np.asarray(mark.get_xdata())) == [3]
    assert list(np.asarray(mark.get_ydata())) == [upper.get_ylim()[0]]
    assert upper.get_title(loc="right") == "◇ a message about a crisis"
    without = figure_of([point for point in WEEK if not point.crisis])
    assert without.axes[0].get_title(loc="right") == ""


@pytest.mark.parametrize(
    ("points", "per", "title"),
    [
        (WEEK, None, "Mood, Monday 3 November to Friday 7 November"),
        (WEEK[:1], None, "Mood, Monday 3 November"),
        (WEEK[:2], "message", "Mood, Monday 3 November to Tuesday 4 November"),
        (WEEK, "week", "Mood by weeks, Monday 3 November"),
    ],
)
def test_the_title_says_when(points, per, title):
    assert figure_of(points, per).axes[0].get_title(loc="left") == title


def test_own_labels_are_drawn_alone():
    points = course([say(3, bored=0.7, cheerful=0.3), say(5, bored=0.2, cheerful=0.8)])
    [axes] = figure_of(points).axes
    drawn = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
    np.testing.assert_allclose(drawn["bored"], [70, np.nan, 20])
    np.testing.assert_allclose(drawn["cheerful"], [30, np.nan, 80])


def test_a_month_has_few_ticks():
    points = course([Turn("speaker", "", MONDAY + timedelta(days=day), {"sad": 1.0}) for day in range(31)])
    assert len(figure_of(points).axes[1].get_xticks()) <= 8


def test_ticks_do_not_meet_even_with_years_and_hours():
    points = course([Turn("speaker", "", MONDAY + timedelta(days=3 * day), {"sad": 1.0}) for day in range(60)])
    for per in ("message", "day", "week"):
        figure = figure_of(points, per)
        found = [text.get_window_extent() for text in figure.axes[1].get_xticklabels()]
        assert len(found) > 2
        assert not any(one.overlaps(other) for one, other in combinations(found, 2))


def test_ranges_are_drawn_for_days_and_not_for_weeks():
    points = course([say(3, joyful=1.0), say(3, 20, anxious=1.0), say(4, content=1.0), say(12, sad=1.0)])
    upright = {
        per: [
            line
            for line in figure_of(points, per).axes[0].lines
            if len(set(np.asarray(line.get_xdata()).tolist())) == 1
        ]
        for per in ("day", "week")
    }
    first = np.asarray(upright["day"][0].get_ydata())
    np.testing.assert_allclose(first, [AFFECTS["anxious"][0], AFFECTS["joyful"][0]])
    assert upright["week"] == []


def boxes(figure: Figure) -> list[Bbox]:
    return [text.get_window_extent() for text in names(figure)]


some_courses = st.lists(
    st.tuples(
        st.integers(0, 60 * 24 * 40),
        st.sampled_from(sorted(AFFECTS)),
        st.sampled_from(sorted(AFFECTS)),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=15)
@given(some_courses, st.sampled_from(["message", "day", "week"]))
def test_names_never_meet_each_other_and_stay_inside(rows, per):
    points = course(
        [
            Turn("speaker", "", MONDAY + timedelta(minutes=at), {"content": 0.0, first: share, second: 1 - share})
            for at, first, second, share in rows
        ]
    )
    figure = figure_of(points, per)
    found = boxes(figure)
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))
    around = figure.axes[0].get_window_extent()
    assert all(around.x0 <= box.x0 and box.x1 <= around.x1 for box in found)
    assert found or len(points) > 1


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_file_is_of_its_kind_and_the_same_again(tmp_path, ending, begins):
    first, second = tmp_path / f"first.{ending}", tmp_path / f"second.{ending.upper()}"
    for path in (first, second):
        draw(WEEK, path, timezone=UTC)
    assert first.read_bytes().startswith(begins)
    if ending == "png":
        assert first.read_bytes() == second.read_bytes()


def test_a_page_shows_it_twice_as_wide_as_high(tmp_path):
    from PIL import Image

    draw(WEEK, tmp_path / "mood.png", timezone=UTC)
    with Image.open(tmp_path / "mood.png") as image:
        assert image.size == (SIZE[0] * 200, SIZE[1] * 200)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_each_theme_has_its_paper_and_ink(theme):
    figure = draw_mood(stretches(WEEK, timezone=UTC), theme)
    from matplotlib.colors import to_hex

    assert to_hex(figure.get_facecolor()) == theme.paper
    assert {text.get_color() for text in names(figure)} == {theme.ink}


def test_labels_in_any_script_and_with_dollars_are_drawn(tmp_path, recwarn):
    own = {"$sad$ and $tired$": (-0.5, 0.0), "悲しみ": (0.5, 0.0)}
    turns = [say(3, **{"$sad$ and $tired$": 0.9, "悲しみ": 0.1}), say(4, **{"悲しみ": 0.9, "$sad$ and $tired$": 0.1})]
    for ending in ("png", "svg"):
        draw(course(turns), tmp_path / f"alone.{ending}", timezone=UTC)
        draw(course(turns, own), tmp_path / f"placed.{ending}", timezone=UTC)
    assert [str(warning.message) for warning in recwarn] == []


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(UserMistake, match=r"must end in \.png, \.svg or \.pdf"):
        draw(WEEK, tmp_path / "mood.bmp", timezone=UTC)


def test_nothing_is_not_drawn(tmp_path):
    with pytest.raises(UserMistake, match="no message yet"):
        draw([point for point in WEEK if point.crisis], tmp_path / "mood.png", timezone=UTC)
    assert list(tmp_path.iterdir()) == []

import re

from buddy.text.render import render_example
from buddy.text.show import GIVEN, LEARNED, show_in_notebook, show_in_terminal


def test_terminal_shows_learned_tokens_underlined_in_another_colour(codec):
    (tokens,) = codec.encode([render_example("It rained", "sad")])
    shown = show_in_terminal(tokens, codec).split("|\x1b")
    assert len(shown) == len(tokens)
    assert show_in_terminal(tokens, codec).endswith(
        "\x1b[34m<EMOTION_TYPE>\x1b[0m|\x1b[4;33m sad\x1b[0m|\x1b[4;33m<|endoftext|>\x1b[0m"
    )
    assert re.sub(r"\x1b\[[\d;]*m|\|(?=\x1b)", "", show_in_terminal(tokens, codec)) == (
        " It rained<EMOTION_TYPE> sad<|endoftext|>"
    )


def test_notebook_gives_every_token_a_span_with_its_weight(codec):
    (tokens,) = codec.encode([render_example("It rained", "sad", text_weight=0.2)])
    spans = re.findall(
        r'<span style="color:(#\w+);.*?" title="weight (\S+)">(.*?)</span>', show_in_notebook(tokens, codec)
    )
    assert len(spans) == len(tokens)
    assert spans[0][:2] == (LEARNED, "0.2")
    assert spans[-3:] == [
        (GIVEN, "0", "&lt;EMOTION_TYPE&gt;"),
        (LEARNED, "1", "&nbsp;sad"),
        (LEARNED, "1", "&lt;|endoftext|&gt;"),
    ]


def test_notebook_escapes_what_a_person_wrote(codec):
    (tokens,) = codec.encode([render_example("<script>alert('&')</script>", "sad")])
    shown = show_in_notebook(tokens, codec)
    assert "&lt;" in shown
    assert set(re.findall(r"<(/?\w+)", shown)) == {"span", "/span"}

"""Show a rendered text the way the model meets it: every token, the learned ones in another colour.

Blue tokens are only read, orange ones are learned. Both are colour-blind safe, and learned tokens are also
underlined, so that the difference survives without colour.
"""

import html

from buddy.text.tokenizer import Codec, Tokens

GIVEN, LEARNED = "#0072B2", "#D55E00"


def show_in_terminal(tokens: Tokens, codec: Codec) -> str:
    r"""Give the tokens as one line with ANSI colours, separated by ``|``.

    Example:
        >>> from buddy.text.render import render_example
        >>> from buddy.text.tokenizer import make_codec, train_tokenizer
        >>> codec = make_codec(train_tokenizer(["I am sad"], ["sad"], 300))
        >>> line = show_in_terminal(codec.encode([render_example("", "sad")])[0], codec)
        >>> "\x1b[4;33m sad\x1b[0m" in line
        True
    """
    return "|".join(
        f"\x1b[4;33m{text}\x1b[0m" if weight else f"\x1b[34m{text}\x1b[0m" for text, weight in _spelled(tokens, codec)
    )


def show_in_notebook(tokens: Tokens, codec: Codec) -> str:
    """Give the tokens as HTML for a notebook (wrap it in ``IPython.display.HTML``); the text is escaped."""
    return "".join(
        f'<span style="color:{LEARNED if weight else GIVEN};margin-right:2px;'
        f'border-bottom:{2 if weight else 0}px solid" title="weight {weight:g}">'
        f"{html.escape(text).replace(' ', '&nbsp;')}</span>"
        for text, weight in _spelled(tokens, codec)
    )


def _spelled(tokens: Tokens, codec: Codec) -> list[tuple[str, float]]:
    return [(codec.decode([int(i)]), float(w)) for i, w in zip(tokens.ids, tokens.weights, strict=True)]

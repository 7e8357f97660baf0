"""What counts as a word when perplexities are compared.

A model is asked how surprised it is at a reply, and the surprise is divided by the number of words. The systems
published on EmpatheticDialogues count words with NLTK's ``word_tokenize``, which follows the Penn Treebank. The
same definition in one pattern:

- letters and digits in a row are a word, also over a hyphen, slash or full stop between two of them ("well-known",
  "and/or", "u.s"), over an apostrophe ("o'clock") and over a comma or colon before a digit ("1,000", "7:30");
- the short forms n't, 's, 'm, 'd, 're, 've, 'll are words of their own: "don't" is do + n't, "he'd've" three words;
- cannot, gonna, gotta, wanna, lemme and gimme are two words each, as if written apart;
- full stops in a row ("...") are one word, and so are hyphens in a row ("--");
- every other character that is no white space is a word of its own: each of "?!", each quotation mark, each emoji.

A curly apostrophe counts as a straight one. A mark belongs to the letter before it, as in accents that are written
apart and in the vowels of many scripts (Hindi, Tamil), so a word goes on over it.
"""

import re
import unicodedata
from itertools import pairwise

OF_EMOJI = ("\N{VARIATION SELECTOR-15}", "\N{VARIATION SELECTOR-16}")
"""They say whether a character is shown as text or as a picture, and are no part of a word."""

WORD = re.compile(
    r"""
      n't\b
    | '(?:s|m|d|re|ve|ll)\b
    | \b (?: can(?=not\b) | gon(?=na\b) | got(?=ta\b) | wan(?=na\b) | lem(?=me\b) | gim(?=me\b) )
    | \w (?: (?!n't\b) (?: \w | [-/.](?=\w) | '(?=\w)(?!(?:s|m|d|re|ve|ll)\b) | [,:](?=\d) ) )*
    | \.+ | -+
    | \S
    """,
    re.IGNORECASE | re.VERBOSE,
)


def split_words(text: str) -> list[str]:
    """Cut a text into words, punctuation marks and the parts of short forms among them.

    Args:
        text: any text, in its own case.

    Returns:
        Its words in their order; joined together they are the text, in Unicode's composed form (NFC) and with straight
        apostrophes, without its white space.

    Source:
        The rules of the Penn Treebank as NLTK's ``word_tokenize`` applies them; ``docs/evaluation.md`` says how
        often the two differ.

    Example:
        >>> split_words("I don't know, she can't be well-known... It's 7:30!")
        ['I', 'do', "n't", 'know', ',', 'she', 'ca', "n't", 'be', 'well-known', '...', 'It', "'s", '7:30', '!']
    """
    text = unicodedata.normalize("NFC", text.replace("’", "'"))
    return [text[word.start() : word.end()] for word in WORD.finditer(_without_marks(text))]


def _without_marks(text: str) -> str:
    """Put an underscore, which patterns take for a letter, for each mark that belongs to the letter before it."""
    if text.isascii():
        return text
    characters = list(text)
    for place, (before, mark) in enumerate(pairwise(text), start=1):
        in_a_word = before.isalnum() or characters[place - 1] == "_"
        if in_a_word and unicodedata.category(mark) in ("Mn", "Mc") and mark not in OF_EMOJI:
            characters[place] = "_"
    return "".join(characters)

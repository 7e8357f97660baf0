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

A curly apostrophe counts as a straight one.
"""

import re

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
        Its words in their order; joined together they are the text without its white space.

    Source:
        The rules of the Penn Treebank as NLTK's ``word_tokenize`` applies them; ``docs/evaluation.md`` says how
        often the two differ.

    Example:
        >>> split_words("I don't know, she can't be well-known... It's 7:30!")
        ['I', 'do', "n't", 'know', ',', 'she', 'ca', "n't", 'be', 'well-known', '...', 'It', "'s", '7:30', '!']
    """
    return WORD.findall(text.replace("’", "'"))

"""Messages as people write them, brought into one form: small letters, whole words, one space between them.

Typing tricks and slips must not hide what is said: "K1LL  MY SELF", "s u i c i d e" and "don’t wanna b here" become "kill
myself", "suicide" and "do not want to be here". What ends a sentence becomes a dot of its own.
"""

import re
import unicodedata

LATIN = str.maketrans("авеёиікмнорсѕтухѵԁɡαβεικνορτυχı", "abeeiikmhopcstyxvdgabeiknoptuxi")
"""Letters of other scripts that look like ours."""

DIGITS = str.maketrans("013457@$!|", "oieastasil")
IN_A_WORD = re.compile(r"(?<![\w@$!|])[a-z]+(?:[013457@$!|]+[a-z]+)+(?![\w@$!|])|(?<![\w@$!|])[@$][a-z]{2,}(?!\w)")
MIXED_WORD = re.compile(r"(?<!\w)\w*[a-z]\w*")  # once for each word, also for one of 10,000 digits
SPELLED_OUT = re.compile(r"(?<!\w)(?:\w[ .*_-]{1,2}){2,}\w(?!\w)")
THREE_ALIKE = re.compile(r"([a-z])\1{2,}")
LAUGHTER = re.compile(r"[😂🤣😆😹💀☠]|\bx+d+\b|\b(?:a*(?:ha|he){2,}h?|lo+l(?:ol)*|lma+o+|lmfao+|rofl)\b")
SENTENCE_END = re.compile(r"[.!?…\n;]+")
LONGEST_WORD = 60
"""Of what is longer the rest is no word of anything."""
WORDS = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|\.")

SHORT_FORMS = {
    **dict.fromkeys(("im", "i'm", "iam", "ima", "imma"), "i am"),
    **dict.fromkeys(("ive", "i've"), "i have"),
    **dict.fromkeys(("i'd", "id"), "i would"),
    "i'll": "i will",
    **dict.fromkeys(("dont", "don't", "dnt", "donot", "dun"), "do not"),
    **dict.fromkeys(("cant", "can't", "cannot", "cnt"), "can not"),
    **dict.fromkeys(("wont", "won't"), "will not"),
    "shan't": "shall not",
    **dict.fromkeys(("gonna", "gunna", "gon", "finna", "goin"), "going to"),
    **dict.fromkeys(("wanna", "wana", "wnna", "wanan", "wantto"), "want to"),
    "gotta": "have to",
    **dict.fromkeys(("tryna", "tryin"), "trying to"),
    "hafta": "have to",
    **dict.fromkeys(("aint", "ain't"), "is not"),
    **{f"{word}nt": f"{word} not" for word in "is are was were does did could would should have has had".split()},
    **dict.fromkeys(("dosent", "doesent"), "does not"),
    **dict.fromkeys(("let's", "lets"), "let us"),
    **dict.fromkeys(("u", "ya", "yu"), "you"),
    **dict.fromkeys(("ur", "youre", "you're"), "you are"),
    "r": "are",
    "b": "be",
    "n": "and",
    **dict.fromkeys(("w", "wit", "wiv"), "with"),
    **dict.fromkeys(("abt", "abot", "abut"), "about"),
    "y": "why",
    **dict.fromkeys(("hes", "he's"), "he is"),
    **dict.fromkeys(("shes", "she's"), "she is"),
    **dict.fromkeys(("theyre", "they're"), "they are"),
    "thats": "that is",
    "theres": "there is",
    "ppl": "people",
    **dict.fromkeys(("tmrw", "tmr", "tomoz", "tomorow", "tommorow", "2moro"), "tomorrow"),
    **dict.fromkeys(("tonite", "2nite", "2night", "tn"), "tonight"),
    **dict.fromkeys(("anymor", "nomore"), "anymore"),
    **dict.fromkeys(("kil", "kll", "kiil", "killl"), "kill"),
    **dict.fromkeys(("killin", "kiling"), "killing"),
    **dict.fromkeys(("myslef", "mysef", "mself", "myselfe", "meself", "myelf", "myslf"), "myself"),
    **dict.fromkeys(("himslef", "hisself"), "himself"),
    "herslef": "herself",
    "themself": "themselves",
    **dict.fromkeys(
        (
            "suiside",
            "sucide",
            "suicde",
            "suicid",
            "suiccide",
            "sucicide",
            "suicidee",
            "sewerslide",
            "suecide",
            "suside",
            "soucide",
            "suicie",
        ),
        "suicide",
    ),
    **dict.fromkeys(
        ("sucidal", "suicidle", "suacidal", "suicdal", "suisidal", "suicidial", "sewerslidal", "suicidel"), "suicidal"
    ),
    **dict.fromkeys(("kms", "kmslf"), "kill myself"),
    **dict.fromkeys(("unalive", "unaliving"), "kill"),
    "unalived": "killed",
    "ctb": "catch the bus",
    **dict.fromkeys(("dieing", "dyeing", "dyin"), "dying"),
    "ded": "dead",
    "od": "overdose",
    **dict.fromkeys(("oded", "odd", "od'd", "od'ed"), "overdosed"),
    **dict.fromkeys(("oding", "od'ing"), "overdosing"),
    **dict.fromkeys(("overdosd", "overdossed"), "overdosed"),
    "slef": "self",
    **dict.fromkeys(("breath", "breth", "brethe", "breathe", "braethe"), "breathe"),
    **dict.fromkeys(("breething", "breating", "brething"), "breathing"),
    **dict.fromkeys(("uncouncious", "unconcious", "unconsious", "unconsciouse"), "unconscious"),
    **dict.fromkeys(("ambulence", "ambulanse"), "ambulance"),
    "bleedin": "bleeding",
    "hurtin": "hurting",
    "strangeled": "strangled",
    **dict.fromkeys(
        (
            "mom",
            "mommy",
            "mam",
            "mama",
            "momma",
            "mummy",
            "mother",
            "stepmum",
            "stepmom",
            "stepmother",
            "mums",
            "nan",
            "gran",
            "granny",
            "grandma",
            "grandmother",
        ),
        "mum",
    ),
    **dict.fromkeys(
        ("dad", "daddy", "papa", "stepdad", "stepfather", "stepdads", "dads", "grandad", "grandpa", "grandfather"),
        "father",
    ),
    **dict.fromkeys(("bf", "boyf", "boyfreind", "bfs"), "boyfriend"),
    **dict.fromkeys(("gf", "girlf"), "girlfriend"),
    **dict.fromkeys(("hubby", "husbend"), "husband"),
    **dict.fromkeys(("freind", "frend", "bestie", "bff"), "friend"),
    "em": "them",
}
FILLERS = frozenset(
    "just really honestly fucking fuckin freaking freakin so very actually literally kinda truly seriously genuinely lowkey "
    "highkey even also too pretty quite maybe perhaps probably simply basically bloody damn goddamn omg pls please ugh tbh "
    "ngl well oh hey hi sometimes often always constantly totally completely absolutely definitely already currently "
    "suddenly finally fr af idk secretly desperately badly sincerely obviously apparently sorta somehow".split()
)
"""Words that change nothing; without them few patterns do. "Badly" bleeding is told by other words."""

TOGETHER = (
    (re.compile(r"\bmy self\b"), "myself"),
    (re.compile(r"\b(?:any more|no more)\b"), "anymore"),
    (re.compile(r"\bstep (dad|father|mum|mom|mother|brother|sister)\b"), r"\1"),
    (re.compile(r"\bself-? ?harm"), "selfharm"),
    (re.compile(r"\b(?:kind|sort) of "), ""),
    (re.compile(r"\ba (?:bit|lot) of a "), "a "),
)


def normalise(text: str) -> str:
    """Bring a message into the form that the rules of the crisis guard are written for.

    Args:
        text: of any kind.

    Returns:
        Words of small letters and digits with one space between them; a dot stands for the end of a sentence, and "lol"
        for any laughter.

    Example:
        >>> normalise("I don’t WANNA liiive any more... K1LL my self 😂")
        'i do not want to live anymore . kill myself lol'
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Cf"))
    plain = MIXED_WORD.sub(lambda found: found[0].translate(LATIN), plain)
    plain = plain.replace("’", "'").replace("`", "'").replace("´", "'")
    plain = LAUGHTER.sub(" lol ", plain)
    plain = IN_A_WORD.sub(lambda found: found[0].translate(DIGITS), plain)
    plain = SPELLED_OUT.sub(lambda found: re.sub(r"[ .*_-]", "", found[0]), plain)
    plain = THREE_ALIKE.sub(r"\1", plain)
    for pattern, whole in TOGETHER:
        plain = pattern.sub(whole, plain)
    words = [word[:LONGEST_WORD] for word in WORDS.findall(SENTENCE_END.sub(" . ", plain))]
    return " ".join(spelled for word in words if (spelled := _spell(word)) and spelled not in FILLERS)


def _spell(word: str) -> str:
    """Spell a short or wrong form out."""
    if word in SHORT_FORMS:
        return SHORT_FORMS[word]
    if word.endswith("n't"):
        return f"{word[:-3]} not"
    for ending, whole in (("'s", " is"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'d", " would")):
        if word.endswith(ending):
            return _spell(word.removesuffix(ending)) + whole
    return word.replace("'", "")

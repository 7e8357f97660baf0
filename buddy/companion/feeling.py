"""Questions after one's own feeling, and what buddy answers: the classifier's word, and how sure it is.

A message asks for its writer's feeling if one of its clauses has one of the forms in ``FORMS``. Words that change nothing
("so", "really", "please") are left out before, and short forms are spelled out ("whats", "im"), so that few forms do.

"Why am I sad?" asks for a reason, "how do you feel?" for somebody else's feeling, "am I wrong to be angry?" for a
judgement, and "I don't know what I feel" for nothing: to them the model replies as to anything else.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

SURE = 0.3
"""Below this probability buddy says that it is not sure."""

RUNNERS_UP = 2

NOTHING_TOLD = "You haven't told me anything yet that I could tell it from. What has your day been like?"

ADJECTIVES = (
    "afraid angry annoyed anticipating anxious apprehensive ashamed bitter bored broken-hearted calm caring cheerful "
    "confident content depressed desperate despairing devastated disappointed disgusted down ecstatic embarrassed "
    "emotional envious excited faithful fearful frightened frustrated furious glad grateful grieving guilty happy "
    "heartbroken homesick hopeful hopeless hurt impressed irritated jealous joyful livid lonely mad melancholic "
    "melancholy miserable moody nervous nostalgic okay optimistic overwhelmed panicking panicky pessimistic pleased "
    "prepared proud relaxed relieved resentful sad scared sentimental serene shocked stressed surprised terrified "
    "thankful thrilled touched trusting unhappy upset worried"
).split()
NOUNS = (
    "anger anticipation anxiety apprehension bitterness boredom confidence contentment depression despair "
    "disappointment disgust embarrassment envy excitement fear frustration fury gratitude grief guilt happiness hope "
    "jealousy joy loneliness love melancholy nostalgia panic pride rage relief sadness shame sorrow stress surprise "
    "terror trust worry"
).split()

SHORT_FORMS = {
    **dict.fromkeys(("whats", "what's", "wats"), "what is"),
    **dict.fromkeys(("hows", "how's"), "how is"),
    **dict.fromkeys(("im", "i'm", "iam"), "i am"),
    **dict.fromkeys(("wat", "wot", "wht"), "what"),
    **dict.fromkeys(("u", "ya"), "you"),
    **dict.fromkeys(("ur", "yr"), "your"),
    **dict.fromkeys(("feelin", "feelin'", "fealing", "feling", "feelling", "feelng"), "feeling"),
    **dict.fromkeys(
        ("emtion", "emoton", "emotin", "emotoin", "emoshun", "emotional state", "state of mind"), "emotion"
    ),
}
NO_MATTER = (
    "a absolutely actually again already also and anyway as at basically be being bit buddy but by come currently deep "
    "even exactly hello hey hi hm hmm honestly inside just kind kinda likely little lol loud maybe me moment mostly "
    "most much now of off ok okay or out overall perhaps please plz pls possibly present presently probably quite "
    "really right rn seriously so somehow sort still that the then there to today truly try trying um very well yeah yes"
).split()
"""Words without which a question asks for the same; "feel better" or "feel about" is another one, so those stay."""

MOOD = r"(?:emotions?|feelings?|moods?|state|vibes?|emotional|sentiment)"
FEEL = (
    r"(?:feel|feeling|felt|experience|experiencing|go(?:ing)? through|show|showing|express|expressing|convey(?:ing)?)"
)
SAD = rf"(?:{'|'.join(ADJECTIVES)})"
SADNESS = rf"(?:{'|'.join(NOUNS)})"
NOTICE = (
    r"(?:think|believe|reckon|guess|see|hear|sense|detect|notice|read|recogni[sz]e|pick up|perceive|say|call|name|find|get|"
    r"describe|label|rate|tell|judge|class|classify|identify|spot|feel|put|assign|assume|interpret)"
)
I_FEEL = rf"(?:i (?:am |might |must |could |may |have been )*{FEEL})"
THIS = r"(?:this|it|these|here)"
ASK = r"(?:(?:can|could|would|will|do|did|are) you(?: able)?)"
SAY = (
    r"(?:tell|say|guess|name|identify|detect|read|describe|label|classify|analy[sz]e|recogni[sz]e|work|figure|find|spot|"
    r"sense|put|give|determine|assess|check|predict|have guess|take guess|pinpoint|judge|show|interpret)"
)
END = r"$"
FORMS = {
    "What emotion am I feeling?": rf"(?:what|which) (?:\w+ )?{MOOD}(?: \w+)? (?:am i|do i|did i|have i|might i|is|was|are|were|comes?|fits?|describes?|suits?|matches|would|i)\b",
    "What mood do you hear?": rf"(?:what|which) (?:\w+ )?{MOOD} {ASK} {NOTICE}",
    "Which of your emotions?": rf"(?:what|which)(?: one)? (?:\w+ )?your (?:\w+ )?{MOOD}",
    "What am I feeling?": rf"what (?:am|do|did|might|could|must|would) i {FEEL}{END}",
    "What do you think I feel?": rf"(?:what|how) {ASK} {NOTICE} (?:{I_FEEL}|i am|my (?:\w+ )?{MOOD}|(?:this|{THIS}) {MOOD}|i (?:sound|seem))",
    "What is my mood?": rf"(?:what|how) (?:is|was|are|were|would) (?:you say )?(?:my|this) (?:\w+ )?{MOOD}",
    "What is this emotion called?": rf"what (?:is|was) (?:{THIS} )?(?:name|word) (?:for )?(?:this|my|what|how)\b.*\b(?:{MOOD}|{FEEL})",
    "How do I feel?": rf"how (?:am|do|did|might|must) i {FEEL}{END}",
    "How do I sound?": rf"how (?:am|do|did) i (?:sound|seem|across|coming across|coming|appear)(?: you| emotionally)*{END}",
    "Am I sad?": rf"(?:am|was) i (?:{FEEL} )?(?:more )?{SAD}(?! enough| about nothing)",
    "Do I sound angry?": rf"(?:do|did) i (?:feel|sound|seem|look|appear|across)(?: you)?(?: like i am| like)? (?:more )?(?:{SAD}|{SADNESS})",
    "Would you say I'm jealous?": rf"{ASK} {NOTICE} (?:if |whether )?i (?:am|feel|sound|seem|might)(?: {FEEL})? (?:more )?{SAD}",
    "Does it sound like I'm hurt?": rf"(?:does|do|did) {THIS} (?:sound|seem|look|come across)(?: you)? (?:like|if) i (?:am|feel) {SAD}",
    "Is this jealousy?": rf"(?:is|was|could|might|would) {THIS} (?:what i feel |more |called )?{SADNESS}(?: {I_FEEL}| you| {SADNESS}| rather than {SADNESS})*{END}",
    "Is it sadness that I feel?": rf"(?:is|was|could) (?:{THIS} )?(?:{SADNESS} )+(?:what )?{I_FEEL}",
    "Guess my mood.": rf"(?:{ASK} )?{SAY} (?:\w+ )?(?:my (?:\w+ )?{MOOD}|(?:name |word )(?:for |on )?(?:my|this|what)(?: {MOOD}| {I_FEEL}))(?! (?:when|yesterday))",
    "Tell me how I feel.": rf"(?:{ASK} )?{SAY} (?:what|how|which) (?:{MOOD} )?(?:you {NOTICE} )?(?:{I_FEEL}|i am {FEEL}|i sound|i seem)(?! felt| about| better| like)",
    "Tell me which emotion this is.": rf"(?:{ASK} )?{SAY} (?:what|which) (?:\w+ )?{MOOD} ",
    "Tell me whether I am sad.": rf"(?:{ASK} )?{SAY} (?:if|whether) i (?:am|feel|sound|seem) {SAD}",
    "Any idea what I'm feeling?": rf"(?:any idea|i wonder|i am wondering|{ASK} (?:know|see|hear)) (?:what|which) (?:{MOOD} )?{I_FEEL}",
    "I want to know what I feel.": rf"i (?:want|would like|like|need|would love|am curious)(?: you)?(?: know| {SAY})* (?:what|which|how) (?:{MOOD} )?(?:you {NOTICE} )?{I_FEEL}{END}",
}
CLAUSE = re.compile(r"[^.!?;,:…\n–—]+[.!?;,:…\n–—\"”'’)]*")
WORDS = re.compile(r"[a-z]+(?:['-][a-z]+)?")


def asks_about_feeling(text: str) -> bool:
    """Tell whether a message asks what its writer feels.

    Args:
        text: a message, in English.

    Example:
        >>> asks_about_feeling("I lost my job. What am I feeling?"), asks_about_feeling("How do you feel?")
        (True, False)
    """
    return any(map(_asks, CLAUSE.findall(text)))


def without_question(text: str) -> str:
    """Give what else a message says.

    Example:
        >>> without_question("I lost my job. What am I feeling?")
        'I lost my job.'
    """
    return "".join(clause for clause in CLAUSE.findall(text) if not _asks(clause)).strip()


def feeling_answer(question: str, probabilities: Mapping[str, float]) -> str:
    """Say in a sentence what somebody feels, how sure that is, and what it could be otherwise.

    Args:
        question: what was asked; labels that it names ("am I sad?") are taken up.
        probabilities: of every label, the likeliest first.

    Example:
        >>> feeling_answer("How do I feel?", {"sad": 0.53, "devastated": 0.41, "lonely": 0.06})
        'You sound sad to me; I am 53% sure. It could also be devastated (41%) or lonely (6%).'
        >>> feeling_answer("Am I angry?", {"sad": 0.2, "lonely": 0.15, "guilty": 0.11, "angry": 0.1})
        'I am not sure. My best guess is sad (20%), but it could also be lonely (15%), guilty (11%) or angry (10%).'
    """
    first, *others = probabilities
    asked = [label for label in probabilities if f" {label.lower()} " in f" {' '.join(_words(question))} "]
    also = [label for label in others if label in (*others[:RUNNERS_UP], *asked)]
    rest = f"it could also be {_listed(f'{label} ({probabilities[label]:.0%})' for label in also)}." if also else ""
    if probabilities[first] < SURE:
        guess = f"I am not sure. My best guess is {first} ({probabilities[first]:.0%})"
        return f"{guess}, but {rest}" if rest else f"{guess}."
    yes = "Yes. " if asked == [first] else ""
    return f"{yes}You sound {first} to me; I am {probabilities[first]:.0%} sure. {rest.capitalize()}".rstrip()


def _asks(clause: str) -> bool:
    return _question().match(" ".join(word for word in _words(clause) if word not in NO_MATTER)) is not None


@cache
def _question() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in FORMS.values()))


def _words(text: str) -> list[str]:
    found = WORDS.findall(text.lower().replace("’", "'"))
    return " ".join(SHORT_FORMS.get(word, word) for word in found).split()


def _listed(items: Iterable[str]) -> str:
    *former, last = items
    return f"{', '.join(former)} or {last}" if former else last

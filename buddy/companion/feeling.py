"""Questions after one's own feeling, and what buddy answers: the classifier's word, and how sure it is.

A message asks for its writer's feeling if one of its clauses has one of the forms in ``FORMS`` and none of the words in
``ANOTHER_QUESTION``. Words that change nothing ("so", "really", "please") are left out before, short forms are spelled out
("whats", "im") and slips of the finger mended ("waht"), so that few forms do.

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
    "afraid agitated alarmed amazed ambivalent amused angry annoyed anticipating anxious apathetic apprehensive ashamed "
    "awkward bitter blue bored brave broken broken-hearted burnt-out calm caring cheerful cold confident confused "
    "conflicted content cranky crushed curious defeated dejected delighted depressed desperate despairing detached "
    "devastated disappointed discouraged disgusted distressed disturbed down drained ecstatic edgy elated embarrassed "
    "emotional empty enraged envious euphoric exasperated excited exhausted faithful fearful fed-up flustered "
    "frightened frustrated furious gloomy glad grateful grieving grumpy guilty happy heartbroken helpless homesick "
    "hopeful hopeless horrified hostile humiliated hurt impatient impressed indifferent infatuated insecure inspired "
    "insulted intimidated irritable irritated jealous jittery jolly joyful joyous livid lonely lonesome lost loved "
    "low mad melancholic melancholy miserable moody moved nervous nostalgic numb offended okay optimistic overjoyed "
    "overwhelmed panicked panicking panicky peaceful pessimistic petty pleased prepared proud rattled regretful "
    "rejected relaxed relieved remorseful resentful restless sad satisfied scared sensitive sentimental serene shaken "
    "shocked shy smug sorrowful spiteful stressed stunned sulky sullen surprised suspicious tearful tense terrified "
    "thankful thrilled tired touched touchy trusting uncomfortable uneasy unhappy unsettled upset vengeful vulnerable "
    "wistful worried worthless"
).split()
NOUNS = (
    "affection anger anticipation anxiety apathy apprehension awe bitterness boredom calm confidence contempt contentment "
    "defeat delight depression desire despair disappointment disgust dread elation embarrassment envy euphoria excitement "
    "exhaustion fear frustration fury gratitude grief guilt happiness hatred homesickness hope hopelessness humiliation "
    "hurt impatience insecurity irritation jealousy joy loneliness longing love melancholy misery nerves nostalgia pain "
    "panic pity pride rage regret relief remorse resentment sadness satisfaction shame shock sorrow stress surprise "
    "tension terror tiredness trust unease worry yearning"
).split()

SHORT_FORMS = {
    **dict.fromkeys(("whats", "what's", "wats"), "what is"),
    **dict.fromkeys(("hows", "how's"), "how is"),
    **dict.fromkeys(("im", "i'm", "iam"), "i am"),
    **dict.fromkeys(("i've", "ive"), "i have"),
    **dict.fromkeys(("wat", "wot", "wht", "wut", "wuts"), "what"),
    "i'd": "i would",
    **dict.fromkeys(("u", "ya"), "you"),
    **dict.fromkeys(("ur", "yr"), "your"),
    "r": "are",
    "b": "be",
    **dict.fromkeys(("don't", "dont"), "do not"),
    **dict.fromkeys(("doesn't", "doesnt"), "does not"),
    **dict.fromkeys(("that's", "thats"), "that is"),
    **dict.fromkeys(("let's", "lets"), "let us"),
    "name's": "name is",
    **dict.fromkeys(("fealing", "emoshun", "emoshuns"), "feeling"),
}
SPELLED = "what which feeling feelings emotion emotions emotional express expressing describe guess right".split()
"""Words that a question is known by, and that are found in a slip of the finger, too."""
WORDS_OF_THEIR_OWN = {"motion", "motions", "wheat", "fleeing", "guest", "bright", "night", "eight"}

NO_MATTER = (
    "a absolutely actually again already also an and anyway as at atm basically be being bit bot bro buddy but by come currently "
    "deep doc doctor dude even exactly hello hey hi hm hmm honestly inside just kind kinda kindly likely little lol loud lowkey maybe "
    "moment mostly most much now of off ok okay or out overall perhaps pal please plz pls possibly present presently "
    "probably quite really rn seriously so somehow sort still the then there to today truly try trying um very well "
    "yeah yes yo"
).split()
"""Words without which a question asks for the same; "feel better" or "feel about" is another one, so those stay."""

MOOD = (
    r"(?:emotions?|feelings?|feels|moods?|vibes?|emotional|emotionally|sentiments?|state of mind|mental state|"
    r"state(?= i am| am i)|frame of mind)"
)
FEEL = (
    r"(?:feel|feeling|felt|experience|experiencing|go(?:ing)? through|show|showing|express|expressing|expressed|"
    r"convey(?:ing)?|having|in)"
)
SAD = rf"(?:{'|'.join(ADJECTIVES)}|in (?:bad|good|foul|great) mood|in love)"
SADNESS = rf"(?:{'|'.join(NOUNS)})"
ME = r"(?:i|me|my|mine|myself)"
THIS = r"(?:this|that|it|these|here|what i (?:\w+ )?(?:said|wrote|typed|told)|my (?:\w+ )?(?:words|message|text|story))"
I_FEEL = rf"(?:i (?:am |have been |might be |might |must be |must |could be |could |may be |may |seem )*{FEEL})"
ASK = r"(?:(?:can|could|would|will|do|did|are) you(?: able)?)"
NOTICE = (
    r"(?:think|believe|reckon|guess|see|hear|sense|detect|notice|read|recogni[sz]e|pick up|perceive|say|call|name|find|"
    r"get|describe|label|rate|tell|judge|class|classify|identify|spot|feel|put|assign|assume|interpret|suggest|mean)"
)
SAY = (
    r"(?:tell|telling|told|say|guess|name|identify|detect|diagnose|read|describe|label|classify|analy[sz]e|recogni[sz]e|work|"
    r"figure|find|spot|sense|put|give|determine|assess|check|predict|have|take|pinpoint|judge|show|interpret|pick|choose|"
    r"sum up|summari[sz]e|rate|call|state|evaluate)"
)
TO_YOU = r"(?:^|\b(?:you|me|us|to|mind|now|can|could|would|will|able|please|go|ahead) )"
"""Where a request to buddy begins: what others say or tell is none."""
SOME = r"(?:\w+ ){0,4}?"
END = r"(?: (?:lol|say|think|you|you think|you say|take guess|guess|emotionally|right|here|from this|that|in|can you \w+))*$"
FORMS = {
    "What emotion am I feeling?": rf"^(?:what|which) (?:is )?{SOME}{MOOD}(?: \w+)? (?:\w+ ){{0,3}}?(?:{ME}|{THIS})\b",
    "What feeling does that give?": rf"^(?:what|which) (?:\w+ )?{MOOD} (?:{ASK} {NOTICE}|are you (?:picking up|hearing|sensing|getting|detecting|seeing|reading)|(?:does|did) {THIS}|comes?|fits?|suits?|matches)",
    "Which of your emotions?": rf"^(?:what|which)(?: one)? (?:\w+ )?your (?:\w+ )?{MOOD}",
    "What am I feeling?": rf"^what (?:am|do|did|might|could|must|would) i {FEEL}{END}",
    "What I am feeling, can you tell?": rf"^what i (?:am )?{FEEL}$",
    "What's going on with me emotionally?": rf"^(?:what|how) {SOME}(?:i|me) {SOME}emotionally",
    "What is this I'm feeling?": rf"^what is {THIS} {I_FEEL}",
    "Is what I feel guilt?": rf"^(?:is|was|could) what {I_FEEL} (?:{SAD}|{SADNESS})",
    "What do you think I feel?": rf"^(?:what|how) (?:{ASK}|(?:does|would|do) {THIS}) {NOTICE} (?:{I_FEEL}|i am$|{THIS} {MOOD}|i (?:sound|seem)|(?:my )?{MOOD}|state i am)",
    "What is my mood?": rf"^(?:what|how) {SOME}(?:my|this) (?:\w+ )?{MOOD}",
    "Emotions are your thing, so what is mine?": r"^(?:what|which|how) (?:is|are|about) mine$",
    "What is this emotion called?": rf"^what (?:is|was) (?:{THIS} )?(?:name|word) (?:for )?(?:this|my|what|how)\b.*\b(?:{MOOD}|{FEEL})",
    "How do I feel?": rf"^how (?:am|do|did|might|must) i (?:{FEEL}|doing emotionally){END}",
    "How do I sound?": r"^how (?:am|do|did) i (?:sound|seem|across|coming across|coming|appear)(?: you| emotionally| here)*$",
    "Am I sad?": rf"^(?:am|was) i (?:{FEEL} )?(?:more |too )?{SAD}(?! enough| about nothing)",
    "Do I sound angry?": rf"^(?:do|did) i (?:feel|sound|seem|look|appear|across)(?: you)?(?: like i am| like)? (?:more )?(?:{SAD}|{SADNESS})",
    "Would you say I'm jealous?": rf"^{ASK} {NOTICE} (?:that )?(?:if |whether )?(?:i (?:am|feel|sound|seem|might)(?: {FEEL})?|me|my (?:\w+ )?{MOOD}) (?:more )?{SAD}",
    "Is it fair to say I'm frustrated?": rf"^(?:is|was|could|would|does|do|did|might) (?:{THIS}|{SOME}say) (?:that |sound |seem |look |come across |like |if |you )*i (?:am|feel|sound|seem) (?:{FEEL} )?{SAD}",
    "Would lonely be the right word?": rf"^(?:is|was|would|could) (?:{SAD}|{SADNESS}) {SOME}(?:word|name|label|term)\b",
    "Is this jealousy?": rf"^(?:is|was|could|might|would) {THIS} (?:what i feel |more |called )?{SADNESS}(?: {I_FEEL}| you| {SADNESS}| rather than {SADNESS})*$",
    "Is it sadness that I feel?": rf"^(?:is|was|could) (?:{THIS} )?(?:{SADNESS} )+(?:what |that )?{I_FEEL}",
    "Guess my mood.": rf"{TO_YOU}{SAY} {SOME}(?:(?:my|this|any) (?:\w+ )?{MOOD}|{MOOD} {SOME}(?:{ME}|this|here)\b|(?:name|word) (?:for |on )?(?:my|this|what)(?: {MOOD}| {I_FEEL}))(?! (?:when|yesterday))",
    "Tell me how I feel.": rf"{TO_YOU}{SAY} {SOME}(?:what|how|which) (?:{MOOD} )?(?:you {NOTICE} )?(?:{I_FEEL}|i am {FEEL}|i sound|i seem)(?! felt| about (?!all this|this|it)| better| like)",
    "Tell me which emotion this is.": rf"{TO_YOU}{SAY} (?:me )?(?:what|which) (?:\w+ )?{MOOD} ",
    "Tell me whether I am sad.": rf"{TO_YOU}{SAY} (?:me )?(?:if|whether) i (?:am|feel|sound|seem) {SAD}",
    "Any idea what I'm feeling?": rf"^(?:any idea|i wonder|i am wondering|{ASK} (?:know|see|hear)) (?:what|which) (?:{MOOD} )?{I_FEEL}",
    "I want to know what I feel.": rf"^i (?:want|would like|like|need|would love|am curious)(?: you)?(?: know| {SAY})* (?:(?:what|which|how) (?:{MOOD} )?(?:you {NOTICE} )?{I_FEEL}{END}|(?:what|which) (?:\w+ )?{MOOD} you {NOTICE})",
    "I can't name what I feel. Can you name it?": rf"^{ASK} (?:name|label|identify) (?:it|this|that)(?: for me)?$",
    "I don't know what I feel. Do you?": r"^do you(?: know)?$",
    "You see my feeling? Which one is it?": rf"^(?:which one (?:it is|is it)|{ASK} (?:tell|say)(?: me)?)$",
}
NEEDS_FEELING = (
    "Emotions are your thing, so what is mine?",
    "I can't name what I feel. Can you name it?",
    "I don't know what I feel. Do you?",
    "You see my feeling? Which one is it?",
)
"""These ask for a feeling only if the message has spoken of one before."""

DO_YOU = re.compile(r"^do you(?: know)?$")
IN_DOUBT = re.compile(
    r"\b(?:not|never|hardly) (?:\w+ ){0,2}(?:know|sure|certain|tell|name|say|understand)\b|\bno (?:idea|clue)\b|\bunsure\b"
)
"""What stands before a "do you?" that asks for one's own feeling; after "I feel lonely" it asks for buddy's."""

ANOTHER_QUESTION = (
    r"\b(?:why|how come|should|supposed|wrong|normal|allowed|right to|because|stop|control|handle|deal|manage|change|fix|hide|"
    r"cure|improve|lift|cope|share|others?|people|he|she|they|him|them|his|their|we|us (?!see)|everybody|everyone|someone|"
    r"anyone|anybody|used|when|you (?:feel|feeling|have|felt)|about my|with my|of mine|for my|better|do not want|never ask|"
    r"makes?|made|cause[sd]?|difference|song|film|movie|music|joke|match(?:es)? my|fits? my|lift my|basic|(?:is|are|was|how|about) your|brother|sister|mum|mom|mother|dad|father|friend|boss|boyfriend|girlfriend|wife|husband|son|"
    r"daughter|kid|child|cat|dog|teacher|neighbou?r|colleague|partner|ex|writer|author|poet|poem|novel|book|character|singer|painting)\b"
)
"""Words of questions that ask for something else: a reason, advice, somebody else's feeling, a judgement, a song."""
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
    return any(_asks(clause, text) for clause in CLAUSE.findall(text))


def without_question(text: str) -> str:
    """Give what else a message says.

    Example:
        >>> without_question("I lost my job. What am I feeling?")
        'I lost my job.'
    """
    return "".join(clause for clause in CLAUSE.findall(text) if not _asks(clause, text)).strip()


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
    return f"{yes}You sound {first} to me; I am {probabilities[first]:.0%} sure. {rest[:1].upper()}{rest[1:]}".rstrip()


def _asks(clause: str, message: str) -> bool:
    asked = " ".join(word for word in _words(clause) if word not in NO_MATTER)
    if re.search(ANOTHER_QUESTION, asked) or (asked.startswith("was i ") and clause.rstrip().endswith("!")):
        return False  # "Boy, was I surprised!" is none
    if _question().search(asked):
        return True
    if clause == message or not any(re.search(FORMS[form], asked) for form in NEEDS_FEELING):
        return False
    said = " ".join(_words(message))
    if DO_YOU.search(asked) and not IN_DOUBT.search(said):
        return False
    return re.search(rf"\b(?:{MOOD}|feel|inside me)\b", said) is not None


@cache
def _question() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for name, form in FORMS.items() if name not in NEEDS_FEELING))


def _words(text: str) -> list[str]:
    found = WORDS.findall(text.lower().replace("’", "'"))
    return " ".join(SHORT_FORMS.get(word) or _as_meant(word) for word in found).split()


def _as_meant(word: str) -> str:
    """Undo a slip of the finger in a word that a question is known by: two letters changed over, one missing, one more.

    Example:
        >>> _as_meant("waht"), _as_meant("emoton"), _as_meant("feeding")
        ('what', 'emotion', 'feeding')
    """
    if len(word) < 4 or word in WORDS_OF_THEIR_OWN:
        return word
    return next((known for known in SPELLED if _is_slip(word, known)), word)


def _is_slip(typed: str, meant: str) -> bool:
    longer, shorter = (typed, meant) if len(typed) > len(meant) else (meant, typed)
    if len(longer) == len(shorter) + 1:
        return any(longer[:place] + longer[place + 1 :] == shorter for place in range(1, len(longer)))
    changed_over = (meant[:n] + meant[n + 1] + meant[n] + meant[n + 2 :] for n in range(len(meant) - 1))
    return len(longer) == len(shorter) and typed in changed_over


def _listed(items: Iterable[str]) -> str:
    *former, last = items
    return f"{', '.join(former)} or {last}" if former else last

"""Have the ten conversations of docs/talks.json with the model that comes with buddy: docs/ten-talks.md.

python docs/talks.py

What the person says was written before, without knowing the replies. Nothing is left out and nothing drawn twice: the
seed is 1, whatever comes. What stands under "Read" is written by hand, in `READ`, after reading them.
"""

import json
from pathlib import Path

from buddy.companion.buddy import Buddy
from buddy.companion.safety import Guard
from buddy.companion.talk import Talk

HERE = Path(__file__).parent
SEED = 1

READ: dict[str, str] = {
    "joy": (
        "The first two replies follow; then it takes her mother's tears for grief, and somebody who dances in her "
        "socks is *embarrassed* four times: the emotion is read from the whole conversation where that is surer, and "
        "its own mistaken replies are part of that."
    ),
    "grief": (
        "It says that it is sorry, and a message later \"That's really awesome. I'm happy she is doing better now\": "
        'it forgets within two turns that she has died. "People say time heals" is a false alarm. The one dark line '
        "after it is answered with nonsense about a dress; at least the number of a helpline stands below."
    ),
    "anger": (
        '"That is so nice of him!" to a theft of work: it misses what was done. "This is the second time he has done '
        'it" and "Everybody tells me to calm down. I hate that.", which say nothing alone, are taken for danger: two '
        "false alarms. Asked whether it is anger or hurt it "
        "says that it is not sure, and guesses *annoyed*, *embarrassed* or *angry*."
    ),
    "boredom": (
        "It takes boredom for loneliness, for which it has a word. Then it stays with a telephone company, and nothing "
        "of what it says would pass the time."
    ),
    "good news": (
        'It is glad about the lump ("That is so good!"), and shows nothing of it in the emotion. "So hard I couldn\'t '
        'breathe" gets a helpline below its reply: a rule takes it for an emergency, the second reader does not. A '
        "sudden journey to the sea is taken for a farewell, as it might be elsewhere: here the alarm spoils a joy. In "
        "the end it talks of cake."
    ),
    "insult": (
        "It does not strike back, and it does not understand: it takes the insults for news about a class. "
        "When the girlfriend has left, it asks about the dog."
    ),
    "nonsense": (
        'Nonsense is answered with good cheer ("That is a lot of money!"), and it says that it is not sure of a mood. '
        "Letters it does not know it calls unreadable."
    ),
    "other language": (
        "It notices other letters and not other languages in the same letters: to French and German it says "
        "something in English that has nothing to do with them."
    ),
    "very long message": (
        'The guard takes none of the four long messages for danger, but "I think I\'ll stay": a false alarm. The model '
        "reads them nearly whole, and forgets the first as soon as the next message comes; its answers have little to "
        "do with them."
    ),
    "silence": ("Short answers get short answers, in good English and without sense. It does not notice a silence."),
}


def main() -> None:
    page = [INTRODUCTION]
    buddy = Buddy(seed=SEED, guard=Guard("US"))
    for number, talk in enumerate(json.loads((HERE / "talks.json").read_text("utf-8")), start=1):
        page += [f"## {number}. {talk['kind'].capitalize()}", transcript(buddy, talk["says"])]
        if talk["kind"] in READ:
            page.append(f"**Read.** {READ[talk['kind']]}")
    (HERE / "ten-talks.md").write_text("\n\n".join(page) + "\n", "utf-8")


INTRODUCTION = """# Ten conversations

What it is like to talk with buddy, without choosing: ten conversations of ten messages, one for each kind of day. The
messages were written before, without knowing the replies; `python docs/talks.py` had these conversations with the model
that comes with buddy (seed 1), and wrote all of them down. In brackets stands what it took the person to feel. Under
each stands how it reads to us."""


def transcript(buddy: Buddy, messages: list[str]) -> str:
    """Have a conversation; a person's line begins with ">"."""
    talk, lines = Talk(buddy), []
    for message in messages:
        answer = talk.say(message)
        reply = "".join(answer.pieces).replace("\n\n", "\n").replace("\n", "\n  ")
        felt = (
            f"   [{answer.emotion.label} {answer.emotion.probability:.0%}]"
            if answer.emotion and answer.kind == "talk"
            else ""
        )
        lines += [f"> {message}{felt}", f"  {reply}"]
    return "```text\n" + "\n".join(lines) + "\n```"


if __name__ == "__main__":
    main()

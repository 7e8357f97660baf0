"""What buddy says in a crisis: fixed words, with the numbers of the country.

They follow what suicide prevention services advise in substance: take it seriously, say so without judging, ask
directly about safety, give numbers and people to turn to, stay, and promise nothing that a program cannot keep.
"""

from buddy.companion.crisis_phrases import Category
from buddy.companion.helplines import Country, Line

LINES_GIVEN = 3

OPENING: dict[Category, str] = {
    "self-harm": "Thank you for telling me. What you write sounds very painful, and I take it seriously.",
    "violence": "What you write sounds dangerous, and I take it seriously. Nobody deserves to be hurt.",
    "medical": "This sounds like a medical emergency. Please get help now, before you read on.",
}
ABOUT_OTHER = "Thank you for telling me. I take it seriously that somebody's life may be in danger."
WHAT_I_AM = "I am a small computer program. I cannot see how you are, call anyone or judge your situation the way a trained person can."
ASKING: dict[Category, str] = {
    "self-harm": "Are you safe right now? Is there somebody near you whom you could ask to stay with you?",
    "violence": "Are you safe right now, and is everybody around you? If you can, go to a place with other people.",
    "medical": "Is help on its way? Stay with the person, or where you can be found, and do what the dispatcher tells you.",
}
ASKING_ABOUT_OTHER = (
    "Are they safe right now? If you can, stay with them, ask them openly, and do not leave them alone."
)
STAYING = "You can go on writing to me; I am listening."
TOO_MUCH = "(If it gets too much, people are there for you: "
IN_DANGER = "In danger: "


def alarm_words(country: Country, category: Category, about_other: bool = False) -> str:
    """Give the reply to an alarm.

    Args:
        country: whose numbers are given.
        category: of the crisis.
        about_other: whether somebody else's life is in danger.

    Returns:
        Short lines of plain text; the emergency number stands in the second one.
    """
    opening = ABOUT_OTHER if about_other else OPENING[category]
    emergency = f"In immediate danger, call {' or '.join(country.emergency)} now."
    lines = [f"- {_line(line)}" for line in lines_for(country, category)]
    help_words = ["You can talk to people who are there for this:", *lines] if lines else []
    return "\n".join(
        [opening, emergency, *help_words, WHAT_I_AM, ASKING_ABOUT_OTHER if about_other else ASKING[category], STAYING]
    )


def resource_words(country: Country, category: Category) -> str:
    """Give a line or two for below a reply."""
    named = "; ".join(_line(line) for line in lines_for(country, category)[:2])
    emergency = f"{IN_DANGER}{' or '.join(country.emergency)}."
    return f"{TOO_MUCH}{named}. {emergency})" if named else f"({emergency})"


def are_alarm_words(reply: str) -> bool:
    """Tell whether a reply is one to an alarm, in whatever country it was given."""
    return reply.endswith(STAYING) and WHAT_I_AM in reply


def without_resource_words(reply: str) -> str:
    """Give a reply without the lines below it, of whatever country they are."""
    above, _, below = reply.rpartition("\n\n")
    return above if below.startswith((TOO_MUCH, f"({IN_DANGER}")) else reply


def lines_for(country: Country, category: Category) -> list[Line]:
    """Give the lines of a country that fit, those for this crisis first."""
    fitting = [line for line in country.lines if category in line.categories]
    others = [line for line in country.lines if line not in fitting and category != "medical"]
    return (fitting + others)[:LINES_GIVEN]


def _line(line: Line) -> str:
    ways = [line.phone, f"text {line.text}" if line.text else "", line.web if not line.phone else ""]
    hours = f" ({line.hours})" if line.hours else ""
    return f"{line.name}: {', '.join(filter(None, ways))}{hours}"

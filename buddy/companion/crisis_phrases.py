r"""The crisis guard's rules, as data: what people say in a crisis, and what only sounds like it.

A rule is a pattern over a normalised message (see ``normal_text``): small words with one space between them, fillers
left out, a dot between sentences. ``~`` stands for up to three words of the same sentence, ``{NAME}`` for one of
``PARTS``. Every rule has an example that it must find and one that it must not; a test checks both. To add what people
say, extend the rule of its kind, or write a new one with its two examples.
"""

from dataclasses import dataclass
from typing import Literal

Category = Literal["self-harm", "violence", "medical"]
Weight = Literal["alarm", "concern"]
Person = Literal["self", "other"]


@dataclass(frozen=True)
class Rule:
    """One way of saying something.

    Attributes:
        name: what it is about.
        category: which crisis.
        weight: how serious it is.
        phrases: patterns over a normalised message, with ``~`` and ``{PARTS}``; one of them is enough.
        hit: a message that it finds.
        miss: a message that sounds alike and is harmless.
        about: whose life it is about; of others one also speaks in stories, films and memories.
        deniable: whether a "not" among the words that are found denies them ("I would never hurt myself"); it does not
            where the words hold one of their own ("I do not want to live").
    """

    name: str
    category: Category
    weight: Weight
    phrases: tuple[str, ...]
    hit: str
    miss: str
    about: Person = "self"
    deniable: bool = False


PARTS = {
    "RELATIVE": (
        r"(?:husband|wife|boyfriend|girlfriend|partner|ex|fiance|fiancee|father|mum|brother|sister|son|"
        r"daughter|uncle|aunt|cousin|child|kid|kids|children|baby|toddler|nephew|niece|roommate|flatmate|"
        r"housemate|friend|neighbour|neighbor|colleague|coworker|boss|teacher|coach|carer|caregiver|nurse|"
        r"priest|pastor|landlord|client|patient|parents|family|inlaws|law|man|guy|woman|girl|boy|lady|"
        r"gentleman|student|manager|stepson|stepdaughter|twin|grandson|granddaughter)"
    ),
    "THEY": (r"(?:he|she|they|someone|somebody|{RELATIVE}|people|men|guys)"),
    "THEM": (r"(?:him|her|them|someone|somebody|everyone|everybody|people|{RELATIVE})"),
    "PILLS": (
        r"(?:pills?|tablets?|meds|medicine|medication|medications|capsules?|painkillers?|antidepressants?|"
        r"sleeping|paracetamol|tylenol|ibuprofen|aspirin|advil|xanax|valium|insulin|sleepers|opioids|oxy|"
        r"heroin|drugs)"
    ),
    "WANT": (
        r"(?:want(?:ed|s|ing)?(?: to)?|wish(?:ing)?|hop(?:e|ing)(?: to| i| that i)?|need to|"
        r"would like(?: to)?|would love to|long(?:ing)? (?:to|for)|pray(?:ing)?(?: to| i| that i| for)?|"
        r"ready (?:to|for)|going to|plan(?:ning)? (?:to|on)|intend to|trying to|tried to|decided to|"
        r"about to|prepared to|deserve to|ought to|should|might as well|may as well|would rather|prefer to|"
        r"feel like|feeling like|(?:think|thinking|thought|thoughts|dreaming|fantasi[sz]ing|dream|"
        r"fantasi[sz]e|obsessing) (?:of|about)|consider(?:ing)?|contemplating|tempted to|will|would|could|"
        r"might|must|have to|urges? to|planned (?:to|on)|better (?:to|if i)|supposed to|scared i will|"
        r"afraid i will|dying to)"
    ),
    "DIE": (
        r"(?:die|dead|death|dying|be dead|be gone(?: forever)?|not (?:exist|be alive|live)|cease to exist|"
        r"stop existing|(?:never|not) wake up|end it(?: all)?(?! with)|end everything|end things(?! with)|"
        r"end (?:my|this)(?: own)?(?: \w+)? life|end my (?:pain|suffering|misery|existence)|"
        r"take my(?: own)? life|taking my(?: own)? life|ending (?:it(?: all)?|my life|everything)(?! with)|"
        r"sleep forever|suicide|commit suicide|committing suicide|{HURT_MYSELF}|disappear forever|"
        r"catch the bus|be (?:with|in) (?:the )?(?:angels|heaven)|bleed out|not be here anymore|"
        r"stop (?:living|being alive))"
    ),
    "HURT_MYSELF": (
        r"(?:(?:kill|hang|shoot|drown|stab|strangle|suffocate|poison|electrocute|cut|hurt|harm|burn|gas|"
        r"starve|slit|off|injure|punish|killing|hanging|shooting|drowning|stabbing|cutting|hurting|harming|"
        r"burning|offing) myself)"
    ),
    "DIE_OF": (
        r"(?! (?:of|from|with) (?:laughter|laughing|embarrassment|boredom|curiosity|hunger|thirst|shame|"
        r"happiness|excitement|cuteness|jealousy|heat|anticipation|cringe|joy|old age|cold|fright|suspense)|"
        r" laughing| lol| inside lol| on (?:this|that|the) hill| hard\b| (?:my|the) (?:hair|shirt|dress)|"
        r" happy| rich| a (?:happy|hero|legend|millionaire)| trying| (?:for|to) (?:a|some|see|try|have|know|"
        r"go|eat|get|meet|hear|visit|tell|read|watch|play)\b)"
    ),
    "NO_LIVE": (
        r"(?:live|be alive|exist|living|existing|being alive|wake up|see (?:tomorrow|another day|"
        r"the morning)|be here (?:anymore|any longer|at all|on earth)|be on (?:this|the) (?:earth|planet)|"
        r"be around anymore|(?:go|going|carry|carrying) on(?: living| anymore| like this| any longer|"
        r" (?=\.)|$)|keep (?:going|living|fighting)|keep (?:doing|on doing) (?:this|life)|"
        r"continue (?:living|my life|this life|existing)|do life anymore|breathing anymore|keep breathing|"
        r"survive (?:this|tonight))"
    ),
    "VEHICLE": (r"(?:train|bus|car|truck|lorry|tram|tube|subway|traffic|van|metro)"),
    "HEIGHT": (r"(?:bridge|building|roof|balcony|window|cliff|ledge|overpass|tower|rooftop|multistorey|pier)"),
    "DANGEROUS": (
        r"(?:bleach|antifreeze|poison|detergent|drain cleaner|battery|batteries|toilet cleaner|pesticide|"
        r"white spirit|turpentine|rat poison|weedkiller|weed killer|disinfectant|magnet|magnets|"
        r"hand sanitizer|lamp oil|dishwasher tablet|laundry pod|tide pod|cleaning fluid|oven cleaner|acid|"
        r"mushrooms?|berries)"
    ),
}

RULES = (
    # --- self-harm: the wish to die ---
    Rule(
        "wants to die",
        "self-harm",
        "alarm",
        hit="I just want to die",
        miss="I wanted to die of laughter",
        deniable=True,
        phrases=(
            (
                r"\bi (?:am |have been |keep |have |do |was |would |will )*(?:~)?\b{WANT} (?:to |i could |i would |"
                r"i was |i were |i |be |about |of |that i |being )*{DIE}{DIE_OF}"
            ),
        ),
    ),
    Rule(
        "wish to die, in short",
        "self-harm",
        "alarm",
        hit="want to die rn",
        miss="Ready to die for a pizza",
        phrases=(
            (
                r"(?:^|\. |\band |\bbut )(?:want to|wish i (?:was|were)|wanted to|ready to|going to|thinking of|"
                r"thinking about) (?:die|be dead|dead|kill myself|end it all|ending it all|end my life|"
                r"ending my life|not exist|suicide)\b{DIE_OF}"
            ),
        ),
    ),
    Rule(
        "kills himself or herself",
        "self-harm",
        "alarm",
        hit="I'm gonna kill myself tonight",
        miss="I'm killing myself working on this essay",
        deniable=True,
        phrases=(
            (
                r"\b(?:kill|hang|shoot|drown|stab|strangle|suffocate|poison|electrocute|off|gas|killing|hanging|"
                r"shooting|offing) myself\b(?! (?:laughing|with laughter|trying|working|studying|over|at work|"
                r"at the gym|for (?:not )?\w+ing|for that|for this|to (?:finish|meet|get)|out there|in the foot|lol|"
                r"in this|a (?:coffee|drink)|with (?:work|exercise|this))|, )"
            ),
        ),
    ),
    Rule(
        "suicidal",
        "self-harm",
        "alarm",
        hit="I have been feeling suicidal again",
        miss="The suicide squad film was bad",
        deniable=True,
        phrases=(
            (
                r"\b(?:i (?:am|feel|get|have been|was feeling|keep feeling)(?: \w+){0,2}|feeling|me|makes me|"
                r"making me) suicidal\b(?! squad)"
            ),
            (
                r"\bi (?:have|am having|had|get|keep having|am getting) ~(?:suicidal|suicide) (?:thoughts?|ideation|"
                r"urges?|ideas|plan|feelings)"
            ),
            r"\b(?:my|these|the) (?:suicidal|suicide) (?:thoughts|urges|ideation|plan|feelings)\b",
            r"\bthoughts of (?:suicide|ending|killing myself|dying|death)\b",
            r"\b(?:thinking|think) (?:\w+ )?(?:of|about) suicide\b",
            r"\b(?:contemplat|consider|plann|attempt)\w* suicide\b",
            r"\bsuicide (?:is|seems|feels like|looks like) (?:the|my|an)\b",
        ),
    ),
    Rule(
        "no wish to live",
        "self-harm",
        "alarm",
        hit="I don't want to live anymore",
        miss="I don't want to live in the city",
        phrases=(
            (
                r"\b(?:i|me|to) (?:do |can |am |would |will |could |have )?(?:no longer |not |never |nothing |no |"
                r"without )(?:~)?(?:want|wish|care|deserve|desire|have|see|feel|find|point|reason|will|strength|"
                r"energy|able|like|think i can|believe i can|stand)?(?: to| any| a| the| reason| point| in| of| for|"
                r" me| will| strength| energy| like| left| being able| myself)* {NO_LIVE}"
            ),
        ),
    ),
    Rule(
        "tired of life",
        "self-harm",
        "alarm",
        hit="I'm so tired of being alive",
        miss="I'm tired of living with roommates",
        phrases=(
            (
                r"\b(?:tired|sick|done|exhausted|fed up|finished|bored|over) (?:of|with|from|by)? ?(?:living|"
                r"being alive|life|existing|this life|my life|breathing|being here|waking up)\b(?! (?:in|with|out|"
                r"at|on|alone|here|off|under|next|sciences?|insurance|early|together))"
            ),
            (
                r"\b(?:hate|hating) (?:being alive|waking up|living|that i (?:woke|wake) up|"
                r"that i am (?:still )?alive)\b(?! (?:in|with|early|at|on|here|alone))"
            ),
        ),
    ),
    Rule(
        "life without worth",
        "self-harm",
        "alarm",
        hit="There's nothing left to live for",
        miss="Is the gym membership not worth it?",
        phrases=(
            (
                r"\b(?:life|living|it|being alive) (?:is |has |was |would be |seems |feels )?(?:not|never|no longer|"
                r"hardly|barely) (?:worth (?:living|it (?:anymore|to live))|worth it(?= \.| anymore|$))"
            ),
            (
                r"\b(?:nothing|no reason|no point|not much|anything)(?: left| more| here)* (?:to live for|"
                r"to (?:keep )?(?:live|living|exist|stay alive|be alive)|in (?:living|being alive|existing|"
                r"staying alive|going on)|keeping me (?:alive|here))"
            ),
            r"\bno will to live\b",
            (
                r"\b(?:what is|see) the point (?:of|in) (?:living|being alive|going on|life|existing|staying alive|"
                r"carrying on|it all|waking up)\b"
            ),
            (
                r"\bwhy (?:am i (?:still )?(?:alive|living)|(?:should|do) i (?:keep (?:living|going)|stay alive|"
                r"live|bother (?:living|existing|staying)))\b"
            ),
            r"\breasons? (?:not to (?:die|kill myself)|to (?:stay alive|live|not die))\b",
        ),
    ),
    Rule(
        "others better off",
        "self-harm",
        "alarm",
        hit="Everyone would be better off without me",
        miss="They would be better off without him as a manager",
        phrases=(
            r"\bbetter off (?:dead|if i|without me|when i am gone|not (?:here|alive|existing))",
            (
                r"\b(?:world|everyone|everybody|family|kids|they|children|husband|wife|friends|people|you|all|mum|"
                r"parents)\b ~(?:be|are|is|do|live) (?:~)?(?:better|happier|fine|easier|relieved|"
                r"best)(?: off)?(?: \w+)? (?:without me|if i (?:was|were|am|died|did not|never|disappeared|ended)|"
                r"when i am (?:gone|dead)|once i am (?:gone|dead))"
            ),
            (
                r"\b(?:no one|nobody|noone|anyone|anybody|who|they|people|not) (?:would|will|is going to|"
                r"wouldn) ?(?:not )?(?:\w+ )?(?:miss me|notice|care|cry|come)(?: \w+){0,3} if i (?:was|were|am|died|"
                r"die|disappeared|disappear|vanished|killed|ended|were to|stopped|did)"
            ),
            r"\bburden (?:to|on) (?:everyone|everybody|my family|them) (?:~)?(?:dead|gone|die|disappear)",
            r"\bmiss me (?:when|if|once) i (?:am|was|were) (?:gone|dead)",
        ),
    ),
    Rule(
        "wish not to be",
        "self-harm",
        "alarm",
        hit="I wish I had never been born",
        miss="I wish I had been born in Spain",
        phrases=(
            (
                r"\b(?:wish|wished|hope|hoping|wishing|pray|praying|rather|want|if only|prayed)\b(?: to god|"
                r" every night| every day| that| i)* (?:i )?(?:was|were|am|had|would|could|did|do|will|have|"
                r"can)?(?: not| never| to)* (?:dead|gone|been born|born|exist|existed|not exist|wake up|woke up|"
                r"woken up|waking up|be here(?= \.|$)|be alive|alive|wake(?: up)? (?:tomorrow|again|in the morning)|"
                r"fall asleep and not|go to (?:sleep|bed) and (?:never|not)|close my eyes and (?:never|not)|"
                r"disappear(?= \.|$| forever| off)|vanish(?= \.|$| forever))"
            ),
            r"\b(?:should|shouldn|wish i) (?:not |never )+(?:have )?(?:been|be) (?:born|alive|here anymore)\b",
            r"\bi should be dead\b",
            r"\bnever wak(?:e|ing) up\b(?! (?:early|on time|in time|to))",
            r"\b(?:sleep|asleep|bed|eyes)\b(?: \w+){0,2} (?:never|not) (?:wak\w+|open\w*)",
            r"\bif i (?:do|did|would|were)? ?(?:not|never) w(?:ake|oke) up\b",
            (
                r"\b(?:not mind|not care|do not care|be (?:fine|ok|okay|relieved|happy|glad|nice|good|grateful)|"
                r"fine with|relief) (?:~)?(?:if|when)? ?(?:i|about|with)? ?(?:died|die|dying|was dead|were dead|"
                r"did not wake up|not waking up|never woke up|got (?:hit|run over)|stopped breathing)"
            ),
            (
                r"\b(?:hope|wish|wishing|hoping) (?:a|the|some|that a|this|that)(?: \w+)? {VEHICLE} (?:would |"
                r"will )?(?:hits?|runs?|crash|takes?|kills?)"
            ),
        ),
    ),
    # --- self-harm: goodbyes, plans, means ---
    Rule(
        "goodbye",
        "self-harm",
        "alarm",
        hit="Goodbye everyone, I love you",
        miss="Goodbye party for my boss tonight",
        phrases=(
            r"\bgood ?bye (?:to )?(?:everyone|world|cruel world|all of you|forever|everybody|my friends|cruel)\b",
            (
                r"\bthis is (?:my )?(?:goodbye|last (?:message|note|night|day|goodbye|time i))\b(?! (?:of|at|in|on|"
                r"until|before) (?:work|school|uni|university|the course|camp|vacation|holiday|term|my job|the job|"
                r"class|ramadan|high school|college|shift))"
            ),
            (
                r"\bmy (?:last|final) (?:message|goodbye|words|note|letter|post|night (?:on|alive))\b(?! (?:on|"
                r"of) (?:the|my) (?:trip|holiday|job))"
            ),
            (
                r"\b(?:wrote|written|writing|write|left|leaving|posted|finished|addressed) (?:~)?(?:suicide|goodbye|"
                r"farewell|final|last) (?:letters?|notes?|messages?|videos?)\b(?! (?:to (?:my )?(?:class|colleagues|"
                r"team|boss|students|coworkers)|for work))"
            ),
            r"\bsuicide note\b",
            r"\b(?:wrote|written|writing|finished) (?:my|the) (?:letters|note|notes)\b(?! for)",
            (
                r"\bby the time (?:you|anyone|they|someone|anybody|somebody|mum|she|he) ~(?:reads?|finds?|sees?|"
                r"gets?|wakes?)\b"
            ),
            (
                r"\bi (?:will|am going to|would)(?: all)? be (?:gone|dead)(?: forever| by (?:then|tomorrow|morning|"
                r"tonight|the time|midnight|the weekend)| soon| tonight| tomorrow| before| when you| and (?:nobody|"
                r"no one|you))*(?= \.|$| forever| by| soon| tonight| before| when| and (?:nobody|no one|"
                r"you))(?! (?:for (?:a|the|two|three|an)|until|on holiday|all (?:day|week)|at work))"
            ),
            (
                r"\b(?:will|won|going to) not be (?:around|alive|here|with you)(?: \w+){0,3} (?:much longer|anymore|"
                r"any longer|to see|for long)\b"
            ),
            r"\bthey will find my body\b",
            r"\b(?:find|found) my body\b",
            (
                r"\bgiv(?:en|ing|e) (?:away )?(?:all )?(?:of )?my (?:things|stuff|possessions|belongings|pets?|cat|"
                r"dog|clothes) away\b"
            ),
            (
                r"\bgiv(?:en|ing) away (?:all )?(?:of )?my (?:things|stuff|possessions|belongings)\b(?! (?:before|"
                r"because) (?:i |we )?(?:mov|am mov))"
            ),
            (
                r"\b(?:it|this|everything|the pain|my (?:pain|suffering)) (?:will|is going to|"
                r"would)(?: all)? (?:be over|end|stop)(?: for (?:me|good))? (?:soon|tonight|tomorrow|by (?:morning|"
                r"tomorrow|tonight|midnight))\b"
            ),
            r"\b(?:this|it) (?:all )?ends tonight\b",
            r"\btonight is the night i (?:die|end|finally)",
            r"\btake care of my (?:dog|cat|kids|mum|baby|children) (?:when|after|once) i am gone",
            (
                r"\bsay(?:ing)? (?:my )?(?:final |last )?goodbyes?\b(?: \w+){0,4} (?:forever|tonight|before i (?:go|"
                r"die|do it|end))"
            ),
        ),
    ),
    Rule(
        "plan and means",
        "self-harm",
        "alarm",
        hit="I have the pills next to me",
        miss="I have the pills ready for the dog",
        phrases=(
            (
                r"\b(?:have|got|bought|hid|hidden|saved|saving|stockpil\w+|collect\w+|counted|counting|hoard\w+|"
                r"ordered|found|kept|keeping|looking at|staring at|holding|sitting with|lined up|set aside|stashed|"
                r"stashing|with) (?:~)?(?:{PILLS}|rope|noose|gun|pistol|razors?|razor blades?|blades?|knife|"
                r"bullets?|belt)(?: and \w+)?(?: \w+)? (?:ready|next to me|in my hand|in my hands|in front of me|"
                r"beside me|right here|here with me|loaded|for tonight|under my bed|to my head|to do it|to end|"
                r"to use on|and i (?:am|might|will|want|do)|to kill)\b"
            ),
            r"\bholding (?:a|the|my) (?:knife|gun|razor|blade|noose|rope|bottle of {PILLS}|pills)\b",
            (
                r"\b(?:standing|sitting|stood|sat|i am|am) (?:up )?(?:on|at|by|near) (?:the|a) (?:edge|top|side|"
                r"railing|ledge|parapet|wrong side)? ?(?:of )?(?:the |a )?(?:{HEIGHT}|train tracks|tracks|"
                r"platform edge)\b(?: \w+){0,4} (?:jump|die|end|over|done|goodbye|nobody|courage|step|can not|"
                r"water looks|ready|tired)"
            ),
            r"\bon (?:the|a) (?:ledge|railing|edge of (?:the|a) {HEIGHT})\b",
            r"\btied? (?:a|the) noose\b",
            r"\bnoose\b",
            r"\b(?:gun|pistol|barrel) (?:\w+ )?(?:to|against|in) my (?:own )?(?:head|mouth|temple)",
            (
                r"\bi (?:have|made|set|got|know|have made|have got|have picked|picked|chose|have chosen|decided on|"
                r"have decided on) (?:a|my|the|everything)? ?(?:plan|date|day|method|place|time|"
                r"way)s?(?: \w+){0,5} (?:die|end (?:it|my life|everything)|kill myself|suicide|do it|be gone|jump|"
                r"hang)\b"
            ),
            (
                r"\b(?:i am )?(?:going to|gonna|will|about to) do it (?:tonight|tomorrow|now|today|this time|"
                r"when (?:they|everyone|mum))\b(?! (?:after|before) (?:work|dinner|lunch))"
            ),
            r"\bplan(?:s|ned)? to (?:end it|end my life|kill myself|die)\b",
            r"\bmade up my mind ~(?:die|end|tonight|go through with)",
        ),
    ),
    Rule(
        "asks for a method",
        "self-harm",
        "alarm",
        hit="How many pills does it take to die?",
        miss="How many levels until I die in this game?",
        phrases=(
            (
                r"\bhow (?:many|much|long|high|far|deep)(?: \w+){0,10} (?:to (?:die|kill (?:a person|you|me|myself|"
                r"someone|yourself)|overdose|bleed out|be (?:fatal|lethal|deadly)|end (?:it|my life)|suffocate|"
                r"drown)|fatal|lethal|deadly|would kill (?:me|you|a person)|kills? (?:you|me|a person|someone)|"
                r"before (?:i|you) die|for (?:me|you) to die|overdose)\b"
            ),
            (
                r"\b(?:best|easiest|painless|quickest|least painful|fastest|easy|quick|surest|safest|cleanest|"
                r"gentlest|peaceful|pain free|painlessly|good|reliable|cheapest)(?: \w+){0,3} (?:way|method|ways|"
                r"methods|place|drug|pills?) (?:\w+ )?(?:to|of|for) (?:die|dying|kill myself|kill yourself|"
                r"end (?:it|my life|your life)|ending|suicide|commit|off myself|go and not|disappear forever|"
                r"leave this world|jump)\b"
            ),
            (
                r"\b(?:die|dying|death|kill myself|suicide)(?: \w+){0,2} (?:without (?:any )?pain|painlessly|"
                r"painless|peacefully in my sleep)\b"
            ),
            r"\bpainless (?:death|suicide)\b",
            (
                r"\bhow (?:do|can|should|could|would|to|does) ?(?:i|you|one|"
                r"someone)? ?(?:go about )?(?:kill(?:ing)? (?:myself|yourself|oneself)|die (?:fast|quick|quickly|"
                r"painlessly|without|in my sleep|peacefully|tonight)|end (?:it all|my life|it)|commit suicide|"
                r"hang (?:myself|yourself)|overdose|tie a noose|slit|do it without pain)\b"
            ),
            r"\b(?:lethal|fatal|deadly) (?:dose|amount|overdose|combination)\b",
            (
                r"\bdoes it hurt (?:to|when you) (?:die|hang|drown|bleed|cut your|jump|overdose|"
                r"get hit by a train)\b"
            ),
            r"\bwhich (?:pills|bridge|building|drugs|medication)\b ~(?:die|kill|enough|high)",
            r"\bsuicide (?:methods?|by|pills?|kit|forum)\b",
            r"\bwill (?:it|they|this|\d+ \w+|that many|these)(?: \w+){0,4} (?:kill me|be enough to (?:die|kill))",
        ),
    ),
    # --- self-harm: acts ---
    Rule(
        "injures himself or herself",
        "self-harm",
        "alarm",
        hit="I cut myself again last night",
        miss="I cut myself shaving this morning",
        deniable=True,
        phrases=(
            (
                r"\bi (?:have |am |was |had |do |did |will |keep |started |have been |went back to |need to |"
                r"want to |still |can not stop |like to |might |could )*(?:~)?(?:cut|cutting|slit|slitting|slice|"
                r"slicing|carve|carving|burn|burning|burned|burnt|scratch|scratching|hurt|hurting|harm|harming|"
                r"harmed|hit|hitting|punch|punching|injure|injuring|starve|starving|mutilat\w+|bruis\w+|"
                r"bang\w*)(?: \w+)? (?:myself|my (?:own )?(?:wrists?|arms?|thighs?|legs?|skin|veins?|stomach|body|"
                r"forearms?))\b(?! (?:shaving|accidentally|by (?:accident|mistake)|cooking|chopping|slicing|on (?:a|"
                r"the|my|some)|with (?:a|the) (?:paper|can|tin|bread|iron|pan|oven|kitchen|hot|saw|tool)|while|"
                r"playing|in (?:the|a|football|rugby|gym|training)|at (?:the|work|football|gym)|running|lifting|"
                r"skiing|falling|moving|gardening|trying to|off|some|a (?:slice|piece|break|new|fringe)|doing|"
                r"when i (?:fell|tripped|slipped|was (?:cooking|chopping|playing|shaving))|up|into|out|"
                r"with the (?:iron|pan|oven|kettle)|peeling|opening|working|on my bike|hair|nails|financially)\b)"
            ),
            (
                r"\bselfharm(?:ed|ing|s)?\b(?! (?:training|course|charity|is|in (?:the|literature)|awareness|"
                r"prevention|statistics|among))"
            ),
            (
                r"\b(?:been|started|start|back to|relapsed|stop|resumed|into) (?:with |into |and |"
                r"on )?cutting (?:again|every|for|since|when|last|at night)\b"
            ),
            r"\bcut (?:deeper|too deep)\b",
            (
                r"\b(?:razor|blade|knife|lighter)(?: \w+)? (?:on|to|across|against|into) my (?:own )?(?:skin|"
                r"wrists?|arms?|thighs?|legs?)\b"
            ),
            r"\burges? to (?:cut|hurt|harm|kill|burn|do it|selfharm|end it)\b",
            r"\bpromise(?:d)? (?:\w+ ){0,3}not (?:to )?(?:hurt|cut|harm|kill) myself",
            (
                r"\b(?:can not|not|do not) (?:promise|guarantee|trust myself|swear)(?: \w+){0,4} (?:hurt|harm|kill|"
                r"safe|do anything|something stupid|alive|alone)\b"
            ),
            r"\bnot (?:safe|trust myself)(?: \w+)? (?:with|from|around|alone|by) (?:myself|me|alone)?\b",
            r"\bcuts on my (?:arms?|wrists?|thighs?|legs?)\b",
        ),
    ),
    Rule(
        "overdose",
        "self-harm",
        "alarm",
        hit="I just took a whole bottle of paracetamol",
        miss="I overdosed on chocolate at the party",
        deniable=True,
        phrases=(
            (
                r"\bi (?:have |just |am |had |did )*(?:~)?(?:took|taken|take|taking|swallowed|swallowing|swallow|"
                r"downed|popped|injected|drank|ate) (?:~)?(?:\d{2,}|too many|whole (?:bottle|box|pack|packet|lot)|"
                r"all (?:of )?(?:my|the|his|her|of|mum)|bottle of|box of|packets? of|handfuls? of|bunch of|lots? of|"
                r"loads of|entire|every|a lot|more than)(?: \w+){0,4} (?:{PILLS})\b"
            ),
            (
                r"\bi (?:have |am |just |think i |might have |may have |am going to |want to |will |tried to |"
                r"could )*(?:overdosed?|overdosing|overdose)\b(?! (?:on|of) (?:chocolate|coffee|netflix|sugar|carbs|"
                r"cake|cheese|sun|news|food|caffeine|tv|cuteness|tea|pizza|candy|christmas|cookies|social|"
                r"information|memes|nostalgia|vitamin|curry|garlic|it lol|youtube|reality|screen|ice|mince))"
            ),
            r"\btook (?:them|it|the pills|the tablets) all\b",
            (
                r"\b(?:took|swallowed|taken) (?:all )?(?:of )?(?:my|the|his|"
                r"her) (?:mum )?(?:{PILLS})(?: \w+){0,4} (?:at once|sleepy|dizzy|sick|scared|regret|die|kill|sorry)"
            ),
        ),
    ),
    Rule(
        "a way to die",
        "self-harm",
        "alarm",
        hit="I keep thinking about jumping off the bridge",
        miss="We jumped off the high board at the pool",
        deniable=True,
        phrases=(
            (
                r"\b(?:i|me|myself|want to|going to|will|could|urge to|thinking of|thinking about|about|about to|"
                r"ready to|might|should|wanna) (?:~)?(?:jump(?:ing)?|throw(?:ing)? myself|step(?:ping)?|"
                r"walk(?:ing)?|run(?:ning)?|driv(?:e|ing)|crash(?:ing)?|leap(?:ing)?|lie|lying|fall(?:ing)?|"
                r"swerv(?:e|ing)|steer(?:ing)?) (?:my car |the car |myself |right |straight |out |down )*(?:off|"
                r"from|in front of|under|into|onto|out of) (?:a|an|the|my|that|this|oncoming|some)? ?(?:nearest |"
                r"closest |tall |high |moving |oncoming |passing |speeding )?(?:{HEIGHT}|{VEHICLE}|wall|tree|lake|"
                r"river|sea|ocean|tracks|railway|road|motorway|\d+th floor|\w+ floor|highway|"
                r"freeway)\b(?! (?:to (?:catch|get|work)|with friends|for (?:a swim|charity|fun)|bungee|at the pool|"
                r"and swim|home|earlier|to the|game|because it is|lane|on holiday|every morning|with my (?:dog|"
                r"kids)))"
            ),
            (
                r"\b(?:bullet|knife|blade)(?: \w+)? (?:in|through|into) my(?: own)? (?:head|brain|skull|heart|"
                r"wrists?|throat|chest)\b"
            ),
            (
                r"\bblow(?:ing)? my(?: own)? (?:brains?|head) (?:out|off)\b(?! (?:if|when) (?:i have to|he|she|"
                r"they))"
            ),
            r"\brope around my neck\b",
            r"\bslit(?:ting)? my(?: own)? (?:wrists?|throat)\b",
            r"\bend(?:ing)? (?:my|this)(?: own)?(?: \w+)? life\b(?! (?:story|insurance|chapter))",
            r"\bend(?:ing)? it all\b",
            r"\btak(?:e|ing) my (?:own )?life\b(?! (?:back|seriously|in a|to the|into my))",
            r"\bcatch the bus\b(?= \.|$| tonight| forever| soon)(?! (?:to|home|at|into|from))",
            r"\bcommit(?:ting|ted)? suicide\b",
            r"\bpull (?:the|a) (?:plug|trigger) on (?:myself|my life|me)\b",
            (
                r"\b(?:join|be with|see|meet)(?:ing)? (?:him|her|them|my \w+|dad|grandma|you)(?: \w+)? (?:in heaven|"
                r"on the other side|up there|in the afterlife|again soon in|in the grave)\b(?! (?:one day|someday|"
                r"when i am old))"
            ),
            r"\bput (?:me|myself) out of (?:my )?misery\b",
            (
                r"\bi am (?:going to|about to) (?:jump|hang|do something (?:stupid|bad|to myself|i can not|"
                r"permanent))\b(?! (?:in the (?:shower|pool|bath|car)|on (?:a|the|this) (?:call|train|bus)|out with|"
                r"around|for joy|into|up|the|with))"
            ),
            r"\bdo something (?:stupid|permanent|to myself|irreversible)\b(?= tonight| now| \.|$| to myself| if)",
            r"\bdrown(?:ing)? myself\b(?! in (?:work|paperwork|ice|netflix|chocolate|wine|emails))",
        ),
    ),
    # --- self-harm: somebody else, now ---
    Rule(
        "somebody else wants to die",
        "self-harm",
        "alarm",
        hit="My sister says she will kill herself tonight",
        miss="My uncle killed himself in 1990",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}|who|daughter|son|also) (?:\w+ ){0,6}?(?:wants? to die|wanting to die|wanted to die|"
                r"is suicidal|feels? suicidal|being suicidal|suicidal thoughts|(?:going to|will|wants? to|"
                r"threaten\w* to|threaten\w*|trying to|tried to|planning to|plans to|about to|thinking of|might|may|"
                r"would|could|says she will|talking about|tried) (?:~)?(?:kill(?:ing)? (?:himself|herself|"
                r"themselves)|end(?:ing)? (?:his|her|their|it all|it)(?: own)? ?(?:life)?|jump(?:ing)? off|"
                r"hang(?:ing)? (?:himself|herself|themselves)|suicide|commit suicide|overdos\w+|"
                r"hurt(?:ing)? (?:himself|herself|themselves)|harm(?:ing)? (?:himself|herself|themselves)|"
                r"shoot(?:ing)? (?:himself|herself|themselves)|cut(?:ting)? (?:his|her|their) wrists|tak(?:e|"
                r"ing) (?:his|her|their)(?: own)? life|die by suicide)|(?:cutting|cuts|harming|hurting) (?:himself|"
                r"herself|themselves)|(?:has |have |just )?(?:took|taken|swallowed) (?:~)?(?:too many|all|a whole|"
                r"whole bottle|bottle of|lots? of|handful of|\d{2,}|all (?:his|her|their|"
                r"of))(?: \w+){0,3} (?:{PILLS})|has (?:just )?overdosed|overdosed(?: tonight| just now)?(?= \.|$|"
                r" tonight| again| and)|does not want to (?:live|be alive|be here anymore|exist)|slit (?:his|her|"
                r"their) wrists|(?:left|wrote|sent|posted|found) (?:\w+ ){0,3}(?:suicide|goodbye) (?:note|message|"
                r"letter|text)s?|is (?:on|standing on) (?:the|a) (?:{HEIGHT}|railing)(?: \w+){0,4} (?:jump|over)|"
                r"says? (?:goodbye|she does not want to live|he does not want to live))\b(?! lol)"
            ),
        ),
    ),
    # --- violence ---
    Rule(
        "is beaten",
        "violence",
        "alarm",
        hit="My husband hit me again last night",
        miss="He hit me up after the party and beat me at chess",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}|who) (?:\w+ ){0,5}?(?:(?:hits?|hitting|beats?|beating|beaten|punch(?:es|ed|ing)?|"
                r"kick(?:s|ed|ing)?|slap(?:s|ped|ping)?|smack(?:s|ed|ing)?|whip(?:s|ped|ping)?|belted|bit|bites|"
                r"burn(?:s|ed|ing)?|spits? on|headbutt\w*|hurts?|hurting|shakes?|shook|starv\w+|backhand\w*|"
                r"batter\w*) (?:me|us|my (?:mum|sister|brother|kids?|children|child|son|daughter|baby|face|arm|head|"
                r"father|little|friend))|(?:chok(?:e|es|ed|ing)|strangl\w+|stab(?:s|bed|bing)?|rap(?:e|ed|es|ing)|"
                r"molest\w*|assault\w*|abus(?:e|ed|es|ing)|drugged|suffocat\w+|tortur\w+|grop(?:ed|es|ing)|"
                r"waterboard\w*) (?:me|us|my (?:mum|sister|brother|kids?|children|child|son|daughter|baby|father|"
                r"little|friend)|her|him|them|his|their|the (?:kids?|children|baby|wife|dog)))\b(?! (?:up(?! and|"
                r"\s*\.| so| again| when| last| every| badly| because| if| in front|$)|on (?:all|every|the (?:lips|"
                r"first))|on me|me a|with (?:a|the|his|her|their) (?:bill|news|question|idea|fact|request|truth|"
                r"humor|smile|pillow|snowball|wave|frisbee)|that|like a (?:train|truck|ton|brick)|hard(?: that|er)|"
                r"at|to (?:it|the)|by|in (?:chess|the (?:game|race|final|feels|heart|match|last|first|finals|semi|"
                r"league|cup|quiz)|mario|fifa|monopoly|scrabble|tennis|poker|uno|cards|straight|a (?:race|game)|"
                r"rock)|again at|\d|fair|out (?!of the house)|off|down \d|with (?:kindness|love)|when (?:i think|"
                r"we (?:play|race))|every time we play|for (?:the|first)|so i (?:bought|had to)|emotionally lol|"
                r"verbally on|every game|three|two|five|six|my feelings|his feelings)\b|$(?<=beats me)|"
                r"(?: \.)(?<=it beats me \.))"
            ),
        ),
    ),
    Rule(
        "is beaten, said otherwise",
        "violence",
        "alarm",
        hit="she slapped me in front of the kids when I came late",
        miss="He pushed me to try harder and it worked",
        about="other",
        phrases=(
            (
                r"\b(?:hits?|hitting|beat|beats|beating|punch(?:ed|es)|slap(?:s|ped)|kick(?:s|ed)|chok(?:ed|es)|"
                r"strangled|hurts|hurt|attack(?:ed|s)) (?:me|us|my mum|my sister|my brother|her|the kids|"
                r"the children) (?:when|whenever|if|because|again|so hard|until|every (?:time|day|night)|"
                r"in front of|with (?:a|his|her|the) (?:belt|stick|fists?|bat|hand|shoe|cable|cord|wire|spoon|"
                r"bottle)|until|last night|today|this morning|yesterday|and (?:my|i|then|threw|said|told|took|"
                r"locked|broke|it|left|kick\w*|punch\w*|chok\w*))\b(?! we (?:play|race)| at| in (?:chess|the game))"
            ),
            (
                r"\bbeat(?:s|ing|en)? (?:me|us|her|him|my \w+|the kids|them|his wife) (?:up|black and blue|"
                r"half to death|unconscious|senseless|badly)\b"
            ),
            (
                r"\b(?:threw|throws|throwing|pushed|pushes|shoved|shoves|slammed|slams|dragged|drags|pinned|"
                r"pins) (?:me|us|my \w+|her) (?:down|against|into|on|onto|across|off|out of|by|over|to the|"
                r"through)\b(?! (?:a (?:party|surprise)|the (?:deep|pool|limit|edge of my)|my limits|on the swing|"
                r"harder|board))"
            ),
            r"\bgrab(?:s|bed) (?:me|my \w+|her) by (?:the|my|her) (?:throat|neck|hair|arm|wrist|collar)\b",
            r"\bhands? (?:around|on|round) my (?:neck|throat)\b",
            (
                r"\b(?:throws?|threw|throwing) (?:things|plates|stuff|objects|bottles|a \w+) at (?:me|us|my mum|"
                r"my face|the kids)\b"
            ),
            r"\bblack eye\b(?: \w+){0,4} (?:he|husband|boyfriend|father|again|she|mum)\b",
            r"\b(?:he|she|father|husband|boyfriend|mum|wife|partner)\b(?: \w+){0,6} black eye",
            (
                r"\bgets? (?:violent|physical|aggressive)(?: \w+)?(?: with (?:me|us|mum|her|my \w+)| when| if|"
                r" again)\b"
            ),
            (
                r"\b(?:domestic (?:violence|abuse)|abusive (?:relationship|husband|boyfriend|partner|marriage|home|"
                r"father|mum|parents|household|wife|girlfriend))\b(?! (?:awareness|training|course|charity|"
                r"shelter i volunteer|film|ended|years ago|is a|statistics|month))"
            ),
            (
                r"\b(?:broke|breaks|broken|fractured|dislocated) my (?:arm|nose|ribs?|jaw|wrist|tooth|teeth|finger|"
                r"leg)(?: \w+){0,3} (?:last night|again|when he|when she|because i|he was|and he|in a rage)\b"
            ),
        ),
    ),
    Rule(
        "is abused, passive",
        "violence",
        "alarm",
        hit="I was raped by someone I know",
        miss="We were beaten at chess by the other team",
        about="other",
        deniable=True,
        phrases=(
            (
                r"\b(?:i|we|me|she|he|they|my \w+|friend|neighbour|girl|boy|child|kids?|children) (?:am|was|is|are|"
                r"were|get|gets|got|have been|has been|had been|keep getting|keeps getting|being|been|just got|"
                r"just been) (?:\w+ ){0,2}?(?:beaten(?: up)?|raped|abused|molested|strangled|choked|trafficked|"
                r"groped|drugged|spiked|gang raped|held (?:hostage|captive|against|prisoner)|locked (?:in|up)|"
                r"kidnapped|stalked|sexually \w+|assaulted|beat up|hit by my (?!car)|hit by (?:him|her|"
                r"my (?:husband|father|boyfriend|mum|partner|wife|dad))|attacked by (?:a man|my|him|her|two|three|"
                r"some|someone)|touched by|threatened (?:with a|by my|by him|at (?:knife|gun)point)|jumped by|"
                r"mugged|blackmailed|sextorted|exploited|forced (?:to|into))\b(?! (?:at (?:chess|tennis|football|"
                r"cards)|by (?:a (?:team|better|nose)|the (?:heat|other team|home team|champions|bell|weather|"
                r"crowd)|\d|them \d|city|united|real|arsenal|liverpool)|in (?:the (?:final|semi|first|league|game|"
                r"match|cup)|straight|chess|overtime|five|extra)|to (?:it|the punch|say|work (?:from|overtime|late|"
                r"on)|wait|sit|take the|cancel|retire|resign|move|listen|watch|eat|share|use|leave my|smile|learn|"
                r"buy|pay|queue|do overtime|reset|restart)|into (?:retirement|overtime|early|a meeting)|"
                r"out of my (?:house|car|flat|apartment|account|email|phone)|\d))"
            ),
            (
                r"\bbeing (?:abused|beaten|raped|molested|stalked|trafficked|hit|blackmailed|threatened|"
                r"hurt at home|hunted)\b"
            ),
        ),
    ),
    Rule(
        "is threatened",
        "violence",
        "alarm",
        hit="He said he will kill me if I leave",
        miss="My wife will kill me if I forget the milk",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}|who) (?:\w+ ){0,4}?(?:threaten(?:ed|s|ing)?|says?|said|told me|tells me|swore|swears|"
                r"texted|promised|warned|keeps saying|writes|wrote|screamed|yelled|shouted|"
                r"messaged)(?: \w+){0,5}? (?:kill|killing|hurt|hurting|shoot|shooting|stab|rape|murder|beat|"
                r"strangle|harm|burn|find|cut|destroy|come (?:after|for)|throw acid on|slit|end) (?:me|us|"
                r"my (?:family|mum|kids|children|sister|son|daughter|dog|baby|throat|face|house)|her|him|"
                r"the (?:kids|children|baby|dog)|our (?:kids|family|house))\b(?! (?:if i (?:spoil|forget|eat|touch|"
                r"lose|finish)|for (?:eating|spoiling)|lol|a)|.{0,40}\blol\b)"
            ),
            (
                r"\bthreaten(?:ed|s|ing)? (?:me|us|my \w+|her|him|to (?:kill|hurt|shoot|stab|beat|rape|post|send|"
                r"leak|share|expose|take the kids and kill))\b(?! with (?:a (?:fine|lawsuit|detention|bad grade)|"
                r"detention|legal|extra))"
            ),
            (
                r"\b(?:afraid|scared|terrified|frightened|fear|fearing|worried|think|know|convinced|"
                r"sure)(?: that)? (?:he|she|they|my \w+|father|husband|someone|somebody) (?:will|is going to|"
                r"wants to|would|might|are going to|could) (?:~)?(?:kill|hurt|beat|shoot|stab|rape|murder|harm|"
                r"strangle) (?:me|us|her|him|my \w+|the \w+|someone)\b"
            ),
            r"\b(?:scared|afraid|terrified|fear|frightened|fearing) for my (?:life|safety|kids|children|child)\b",
            (
                r"\b(?:scared|afraid|terrified|frightened|not safe|unsafe|can not go) (?:to (?:go|"
                r"be) (?:back )?(?:home|in my own (?:home|house))|at home|of (?:my )?(?:husband|boyfriend|father|ex|"
                r"partner|wife|stepfather|brother|mum boyfriend|what he (?:will|might) do|him when he (?:drinks|"
                r"is drunk)|her when she drinks)|in my own (?:home|house)|home because)\b(?! (?:alone in the dark|"
                r"after the (?:film|movie)|proposing|cooking|driving))"
            ),
            (
                r"\b(?:he|she|husband|ex|boyfriend|father|partner) (?:~)?(?:tried|tries|trying|attempted|wants|"
                r"wanted) to (?:~)?(?:kill|strangle|choke|stab|shoot|drown|smother|poison|rape|murder|hurt|run over|"
                r"run) (?:me|us|my \w+|her|over me|me over)\b(?! (?:in (?:the|this|a) (?:game|level|dream)|"
                r"with (?:this|that|his cooking|kindness)|lol|at (?:chess|the gym)))"
            ),
        ),
    ),
    Rule(
        "weapon",
        "violence",
        "alarm",
        hit="My ex has a gun and he is outside",
        miss="He got a new knife set for the kitchen",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}|there is a man|who|robber|burglar|intruder) (?:\w+ ){0,5}?(?:has|have|had|pulled|"
                r"pulls|got|pointed|points|pointing|held|holds|holding|waving|waved|came at me with|"
                r"comes at me with|with|put|puts|carrying|keeps|chased me with|chasing me with|grabbed|swung|"
                r"slept with) (?:\w+ ){0,3}?(?:gun|knife|weapon|machete|axe|hammer|blade|baseball bat|rifle|shotgun|"
                r"screwdriver)(?: \w+){0,3} (?:on me|at me|at us|to (?:my|her|his) (?:throat|head|neck)|against|"
                r"and (?:he|she|they|i|says|said|is|threat\w*|locked)|outside|in the house|in his hand|in her hand|"
                r"under his|near me|at (?:my|her|the kids)|over me|on us)\b(?! (?:the range|our (?:camping|"
                r"hunting)))"
            ),
            r"\b(?:gun|knife|weapon) to my (?:head|throat|neck)\b",
            r"\bat (?:gun|knife)point\b",
            (
                r"\bsomeone (?:is|has) (?:breaking|broken|trying to (?:get|break)|got|getting) (?:in|into) (?:my|"
                r"the|our) (?:house|home|flat|apartment|room|window)?(?= |$)(?! last (?:year|month)| while we were)"
            ),
            (
                r"\b(?:someone|somebody|a man|stranger|intruder|burglar|he|my ex) (?:is )?(?:in my house|"
                r"in the house right now|outside my (?:door|house|window|flat|room)|banging on my door|"
                r"trying to get in|at my door)(?: \w+){0,4} (?:now|hiding|with|and|scared|will not|again|screaming|"
                r"refus\w*)"
            ),
            r"\bthere is (?:a shooter|an active shooter|someone with a gun|a man with a (?:gun|knife))\b",
        ),
    ),
    Rule(
        "held or controlled",
        "violence",
        "alarm",
        hit="He won't let me leave the house and took my passport",
        miss="Mum won't let me leave the house until my homework is done",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}) (?:\w+ ){0,3}?(?:will|does|would|do|did|is) not (?:let|letting|allow|allowing) (?:me|"
                r"us|her) (?:to )?(?:leave the (?:house|flat|home|apartment|room)|leave him|leave her|"
                r"out of the (?:house|room|flat|basement)|go (?:outside|anywhere|to (?:the )?(?:doctor|hospital|"
                r"police))|see (?:my (?:family|friends)|anyone|a doctor)|have (?:money|a phone|my phone|any money)|"
                r"use (?:the|my|a) phone|speak to anyone|talk to (?:anyone|my family)|eat(?: for|$| \.|until)|"
                r"sleep(?: for| at night|$))\b(?! until (?:i finish|my homework|i clean|it stops)|"
                r".{0,30}(?:homework|chores|grounded|covid|quarantine|storm|exams?))"
            ),
            (
                r"\block(?:s|ed|ing)? (?:me|us|my \w+|her|the kids) (?:in|up|inside|"
                r"out of the house)\b(?! (?:my (?:car|account|phone)|with a kiss))"
            ),
            (
                r"\b(?:took|takes|taken|keeps|hid|hides|confiscated) (?:away )?my (?:passport|papers|id|documents|"
                r"phone and)\b"
            ),
            (
                r"\b(?:keeps?|keeping|kept|holds?|holding) (?:me|us|her) (?:locked|prisoner|hostage|captive|"
                r"here against|against|in the (?:basement|room|house))\b"
            ),
            r"\bagainst my will\b",
            (
                r"\b(?:forc(?:es|ed|ing)|mak(?:es|e|ing)|made|making) (?:me|her|us) (?:to )?(?:have sex|sleep with|"
                r"see (?:men|clients)|work (?:as a prostitute|without pay|on the street|for no)|touch (?:him|her|"
                r"his|it|them)|do (?:sexual|things (?:i|in bed|with)|stuff to)|strip|undress|kiss him|watch (?:porn|"
                r"him)|marry|send (?:him )?(?:nudes|pictures|photos)|take (?:off my clothes|drugs)|get married|"
                r"perform)\b"
            ),
            r"\bforced (?:marriage|himself on|me into)\b",
            r"\b(?:sell|sells|selling|sold) (?:me|my body|her) (?:to|for|\.)",
            r"\bpimp\b",
            (
                r"\b(?:trapped|stuck) (?:here |in this house |at home |in a relationship )?with (?:him|my (?:abuser|"
                r"abusive \w+|violent \w+)|a violent)\b"
            ),
            (
                r"\b(?:controls|tracks|monitors|takes) (?:all |every)?(?:my )?(?:money|phone|where i go|"
                r"everything i do|my location)(?: \w+){0,4} (?:and|scared|afraid|hits?|leave)\b"
            ),
            r"\b(?:starv(?:es|ing)|neglects?) (?:me|us|the kids|the baby|my \w+)\b",
        ),
    ),
    Rule(
        "sexual abuse",
        "violence",
        "alarm",
        hit="My uncle touches me at night and told me not to tell",
        miss="Your story touched me when I read it",
        about="other",
        phrases=(
            (
                r"\b(?:touch(?:es|ed|ing)?|rubs?|feels?|strok\w+|kiss(?:es|ed|ing)?|fondl\w+) (?:me|her|him|"
                r"my (?:\w+ )?(?:private|privates|chest|breasts?|body|thighs?|leg)s?)(?: \w+){0,3} (?:at night|"
                r"down there|inappropriately|in (?:bad|private|a (?:sexual|bad|weird) way|places)|when (?:mum|"
                r"father|nobody|no one|i am asleep|i sleep|everyone)|under|sexually|and (?:told|tells|says|said|"
                r"i (?:froze|said no|do not want))|without|where|not to tell|our secret|even though|though i|"
                r"i do not like|i said)\b"
            ),
            (
                r"\b(?:said|told|say|saying|kept saying|begged)(?: \w+){0,3} (?:no|stop)(?: \w+){0,3} (?:but|and|"
                r"did not stop|anyway|would not stop|he|she)\b(?: \w+){0,5} (?:anyway|stop|inside|on|continued|"
                r"carried|kept|raped|force\w*|did it|finished)\b"
            ),
            (
                r"\b(?:had|having|has|have) sex with me (?:while|when|without|against|even|"
                r"although) (?:i was (?:asleep|drunk|passed|unconscious|drugged|sleeping|underage)|consent|my|"
                r"i (?:said|did not|was)|though)\b"
            ),
            (
                r"\bwithout my (?:consent|permission)\b(?= \.|$| .{0,40}(?:sex|touch|naked|nudes|body|inside|"
                r"condom))"
            ),
            r"\b(?:did|do|had) not (?:give )?consent\b(?! to (?:cookies|the terms))",
            r"\bcomes? (?:in|into) my (?:room|bed) (?:at night|when|every)",
            r"\bgets? into (?:my|her) bed\b(?! with (?:the|his|her) (?:teddy|book))",
            (
                r"\b(?:leak|post|send|share|publish|expose)(?:ing|s)? (?:my |the |those )?(?:nudes|"
                r"naked (?:pictures|photos)|nude (?:pictures|photos)|intimate (?:pictures|photos|video)|"
                r"private photos|sex (?:tape|video))\b"
            ),
            (
                r"\b(?:nudes|naked (?:pictures|photos)|intimate photos)\b(?: \w+){0,8} (?:pay|money|threat\w+|"
                r"send (?:them )?to|post(?:ed)?|leak\w*|blackmail\w*)\b"
            ),
            (
                r"\b(?:sexual(?:ly)? (?:abuse[ds]?|assault(?:ed)?|harass\w+)|raped?|molested|incest)\b(?= by| me|"
                r" my| \.|$| last| yesterday| tonight| when i| at (?:a|the) party| and)(?<! of rape)(?! (?:seed|"
                r"me of))"
            ),
            (
                r"\b(?:asks?|asked|asking|tells?|told|wants?) (?:me )?(?:to (?:keep|be) (?:it )?(?:a )?secret|"
                r"me to send (?:nudes|naked|pictures of my body))\b(?: \w+){0,6} (?:touch\w*|body|bed|naked|bath|"
                r"private)"
            ),
            (
                r"\b(?:uncle|stepfather|father|teacher|coach|priest|brother|cousin|boss|"
                r"neighbour)\b(?: \w+){0,5} (?:does|did|doing) (?:things|stuff|something) to (?:me|my \w+)\b"
            ),
            (
                r"\bmakes me (?:feel )?uncomfortable(?: \w+){0,4} touch\w*\b(?: \w+){0,4}(?:father|uncle|stepfather|"
                r"coach|teacher)"
            ),
        ),
    ),
    Rule(
        "stalked",
        "violence",
        "alarm",
        hit="My ex keeps following me home",
        miss="My dog is following me around the kitchen",
        about="other",
        phrases=(
            (
                r"\b(?:stalking|stalks|stalked) (?:me|my \w+|her)\b(?! (?:on (?:instagram|facebook|insta|linkedin)|"
                r"profile|ex|crush))"
            ),
            (
                r"\b(?:he|she|someone|somebody|a man|this guy|ex|man|guy|two men|car) (?:\w+ ){0,3}?(?:keeps|is|"
                r"has been|was|been|are) following me\b(?! (?:on (?:instagram|twitter|insta|tiktok|facebook)|back|"
                r"around the (?:house|kitchen)))"
            ),
            (
                r"\bfollow(?:s|ed|ing) me (?:home|to work|everywhere|from work|in (?:a|his) car|right now|"
                r"from the (?:station|bus|bar))\b(?! lol)"
            ),
            r"\b(?:tracker|airtag|tracking device|spyware|hidden camera)s? (?:on|in|under) my\b",
            r"\bwaits? for me outside\b(?= .{0,60}(?:ex|scared|every|will not leave|afraid|stalk))",
            r"\bexplo(?:ded|des) at me and (?:hit|threw)",
        ),
    ),
    Rule(
        "means to hurt somebody",
        "violence",
        "alarm",
        hit="I'm going to stab him when he comes home",
        miss="I could murder a curry and I'd kill for a coffee",
        deniable=True,
        phrases=(
            (
                r"\bi (?:am |do |would |have |will |want |really |swear i |swear |think i |feel like i |could |"
                r"might |may |need |must |just )*(?:going to|want to|will|about to|plan(?:ning)? to|might|"
                r"have decided to|decided to|feel like|feel like i could|thinking (?:of|about)|thoughts (?:of|"
                r"about)|having thoughts of|fantasi[sz]\w* about|need to|intend to|would like to|dream of|am|"
                r"swear i will|afraid i (?:will|might|am going to)|scared i (?:will|might|am going to)|ready to|"
                r"urges? to|could|wanted to|considering|tempted to|am so close to|close to|this close to|"
                r"have to stop myself from|almost) (?:~)?(?:kill(?:ing)?|stab(?:bing)?|shoot(?:ing)?|murder(?:ing)?|"
                r"strangl(?:e|ing)|chok(?:e|ing)|poison(?:ing)?|hurt(?:ing)?|harm(?:ing)?|attack(?:ing)?|"
                r"smother(?:ing)?|drown(?:ing)?|burn(?:ing)?|rap(?:e|ing)|slit(?:ting)?|smash(?:ing)?|beat(?:ing)?|"
                r"shak(?:e|ing)|run(?:ning)? over|cut(?:ting)?|bash(?:ing)?|torture|gut|break(?:ing)?) (?:the |"
                r"that |my |those |this |all |all of |every |his |her |their |some |a )?(?:\w+ )?(?:him|her|them|"
                r"everyone|everybody|someone|somebody|people|you|{RELATIVE}|bastard|bitch|asshole|prick|cunt|fucker|"
                r"motherfucker|shit|crap|living|cheater|house|school|kids|students|face|neck|throat|skull|head|jaw|"
                r"whole class|classmates|bully|bullies|driver|cops?|police|jews|muslims|gays|immigrants|"
                r"teachers?)\b(?! (?:a (?:text|message|dm|mail|question|coffee)|an email|a quick|at (?:chess|tennis|"
                r"fifa|mario|the|scrabble|his|her|their own|pool|cards|football|bowling|monopoly)|in (?:chess|"
                r"the (?:race|game|final|quiz|tournament|match|next|exam|debate|feelings)|fifa|mario|this game|"
                r"minecraft)|to (?:it|the (?:punch|finish))|feelings|lol|with (?:kindness|love|hugs|laughter)|"
                r"for (?:eating|spoiling|forgetting|taking|finishing|drinking|that (?:joke|pun)|this (?:joke|pun))|"
                r"if (?:he|she|they|you) (?:spoil\w*|eat\w*|touch\w*|finish\w*|forget\w*|tell\w* one|sing\w*|"
                r"snore\w*)|by (?:not|leaving|saying|telling|breaking|being honest|moving|lying)|if i (?:say|tell|"
                r"leave him|break up|am honest|cancel|do not (?:come|call))|when i (?:say|tell|leave|break)|hand|"
                r"hands|news|chances?|reputation|plants?|career|emotionally|with (?:my words|the truth|"
                r"what i said)))"
            ),
            (
                r"\b(?:shoot|shooting|blow|blowing|bomb|bombing|burn|burning) (?:up )?(?:down )?(?:the|my|this|a|"
                r"that|his|her|their) (?:school|office|place|house|mosque|church|synagogue|hospital|club|building|"
                r"workplace|town|mall|flat|apartment|home)(?: down)?\b(?! (?:film|photo|scene|wedding|"
                r"with (?:my )?camera|tour|tonight with laughter|last (?:week|month)|party|calories))"
            ),
            (
                r"\bbring(?:ing)? (?:a|my|the|father) (?:gun|knife|rifle|bomb)(?: \w+)? (?:to|into) (?:school|work|"
                r"class|the office|church|college)\b"
            ),
            (
                r"\b(?:buy|bought|get|got|loaded|loading) (?:a|the|my) (?:gun|rifle|knife|axe) (?:\w+ ){0,3}(?:and|"
                r"to) (?:\w+ ){0,4}(?:kill|shoot|stab|end|pay|make (?:him|her|them)|show)(?! (?:hoops|clay|deer|"
                r"ducks?|targets?))"
            ),
            (
                r"\bi (?:have |just |will |keep |can not stop )*(?:hit|hitting|beat|beating|slapped|punched|choked|"
                r"strangled|shook|stabbed|shot|hurt|kicked|burned) (?:my |the |our )(?:\w+ )?(?:wife|husband|kids?|"
                r"child|children|baby|girlfriend|boyfriend|son|daughter|mum|father|partner|toddler|newborn|dog|"
                r"cat)\b(?! (?:at|in (?:chess|the (?:game|race)|cards)|with (?:a pillow|a snowball|flour)|feelings|"
                r"to (?:it|the)|by accident|accidentally|out of|up|team))"
            ),
            (
                r"\b(?:he|she|they|everyone|people) (?:deserves?|has|have|need|"
                r"needs) to die\b(?: \w+){0,6} (?:tonight|make|will|going|knife|gun|i|myself)"
            ),
            (
                r"\bmake (?:them|him|her|everyone) (?:all )?(?:pay|suffer|bleed)(?= .{0,40}(?:gun|knife|blood|kill|"
                r"tomorrow|tonight))"
            ),
            (
                r"\bwant(?:s|ed)? (?:to see )?(?:him|her|them|you|my \w+) (?:dead|to die|to bleed|"
                r"to suffer and die)\b"
            ),
        ),
    ),
    # --- medical ---
    Rule(
        "chest",
        "medical",
        "alarm",
        hit="I have crushing chest pain",
        miss="I nearly had a heart attack when I saw the bill",
        phrases=(
            (
                r"\b(?:chest (?:pains?|hurts?|hurting|is (?:tight|hurting|killing|crushing|burning)|tightness|"
                r"pressure|feels (?:tight|like|heavy|crushed)|tightening)|(?:pain|pains|pressure|tightness|crushing|"
                r"squeezing|tight feeling|heaviness)(?: \w+){0,3} (?:in|on|across|in the middle of) (?:my|his|her|"
                r"the)(?: \w+){0,2} chest|(?:elephant|weight|brick|heavy)(?: \w+){0,3} on my chest|"
                r"heart (?:has )?stopped(?: beating)?|no pulse|(?:having|has|have|is having|am having|"
                r"had)(?: \w+){0,2} heart attack|pain (?:down|in|shooting down|spreading (?:to|"
                r"down))(?: \w+){0,2} left arm|left arm (?:is |feels |went )?(?:numb|hurts|tingling|"
                r"pain))\b(?! (?:when i (?:saw|see|opened|got|heard|read|checked)|lol|last year|years? ago|day|"
                r"workout|in \d{4}|when (?:he|she|it|they) (?:jumped|appeared|told)|over|at the (?:bill|price)|"
                r"since (?:the )?(?:gym|workout|"
                r"bench)))(?<!gave me a heart attack)(?<!nearly had a heart attack)(?<!almost had a heart "
                r"attack)(?<!gives me a heart attack)(?<!gave him a heart attack)"
            ),
        ),
    ),
    Rule(
        "breathing",
        "medical",
        "alarm",
        hit="My son can't breathe",
        miss="I was laughing so hard I couldn't breathe from laughing",
        phrases=(
            (
                r"\b(?:can|could|am|is|are|does|do|will|was|has)? ?(?:not|barely|hardly|unable to|struggling to|"
                r"struggles to|trouble|difficulty|having trouble|hard to|fighting to|"
                r"problems) (?:\w+ ){0,2}?(?:breathe|breathing|get (?:any |enough )?air|catch (?:my|his|"
                r"her) breathe|get (?:a )?breathe)\b(?! (?:from laughing|because of laughing|laughing|lol|"
                r"when i laugh|in (?:this|that|these) (?:dress|corset|jeans|heat|meeting|house|town|job)|"
                r"under (?:all|this|my)|with (?:work|all (?:this|the) work|excitement|joy)|for (?:laughing|"
                r"excitement|joy)|through my nose|a word|i (?:am|was) laughing|because i (?:am|was) laughing|"
                r"of laughter|at the beauty|easy|until (?:the exam|friday)))"
            ),
            r"\b(?:stopped|stops|stop) breathing\b(?! for a (?:moment|second) when)",
            r"\bnot breathing\b",
            (
                r"\b(?:turning|turned|going|gone|lips are|lips are going|lips have gone|face is|is|went) (?:blue|"
                r"grey|gray|purple)\b(?= .{0,60}(?:breathe|breathing|lips|choking|cold|unconscious|respond|chok)|"
                r"(?<=lips are blue)|(?<=turning blue)|(?<=lips are going blue)|(?<=going blue))(?! sky)"
            ),
            r"\bgasping for (?:air|breathe)\b",
            (
                r"\b(?:choking|chokes|choked)(?: \w+){0,2} (?:on (?:a|an|his|her|food|something|meat|bread|some|"
                r"grapes?|candy|the)|and (?:can|he|she|i|is|turning|it))\b(?! (?:tears|up|my own (?:tears|words)|"
                r"words|laughter|smoke lol))"
            ),
            r"\b(?:he|she|baby|son|daughter|child|husband|wife|father|mum) is choking\b(?! up)",
            r"\b(?:severe|bad|worst|having an|having a bad) asthma attack\b",
            r"\binhaler (?:is )?(?:\w+ )?(?:not (?:working|helping)|empty|does nothing)",
        ),
    ),
    Rule(
        "stroke",
        "medical",
        "alarm",
        hit="Her face is drooping and her speech is slurred",
        miss="My face is numb after the dentist",
        phrases=(
            (
                r"\b(?:face|mouth|side of (?:his|her|my|the) (?:face|mouth)|smile|eye) (?:is |has |looks |went |"
                r"suddenly |got |feels )?(?:\w+ )?(?:droop\w*|numb|lopsided|crooked|fallen|sagging|"
                r"hanging)\b(?! (?:from|after) (?:the dentist|dental|cold))"
            ),
            (
                r"\bslurr(?:ed|ing|s)(?: (?:his|her|my|their))? ?(?:speech|words)?\b(?! after (?:a few|two|three|"
                r"some) (?:drinks|beers))"
            ),
            r"\bspeech is (?:slurred|slurring|garbled|strange)\b",
            (
                r"\b(?:can|could|does|is) not (?:\w+ )?(?:move|feel|lift|raise|use|moving) (?:my|his|her|one|"
                r"the)(?: \w+){0,2} (?:arm|leg|side|face|legs|hand)s?\b(?! (?:after (?:the|that|leg) (?:gym|workout|"
                r"day)|because of the (?:cold|workout)|from the cold))"
            ),
            r"\bone side of (?:my|his|her|the) (?:body|face)\b",
            r"\b(?:half|whole side) (?:of )?(?:my|his|her) (?:body|face) (?:is |went |has gone )?numb\b",
            (
                r"\b(?:having|has|is having|had|have|think (?:it is|she is having|he is having)|"
                r"like) a (?:mini )?stroke\b(?! of| when| lol| in \d{4}| last year| years?| play|d)"
            ),
            r"\bsuddenly (?:can not|could not) (?:see|speak|talk)\b",
            r"\b(?:worst|sudden|thunderclap)(?: \w+){0,3} headache (?:of my life|ever|and)(?! lol)",
            (
                r"\bcan not (?:speak|talk|see) (?:properly|suddenly|and|anymore)\b(?= .{0,60}(?:face|arm|droop|numb|"
                r"confused|suddenly))"
            ),
        ),
    ),
    Rule(
        "unconscious",
        "medical",
        "alarm",
        hit="My dad collapsed and is unconscious",
        miss="The tent collapsed in the storm",
        phrases=(
            (
                r"\b(?:he|she|{RELATIVE}|someone|i found \w+|they|who|person) (?:\w+ ){0,6}?(?:is |was |has |are |"
                r"lying |went |fell |gone |just )*(?:unconscious|unresponsive|not (?:responding|moving|"
                r"waking(?: up)?|reacting)|passed out|blacked out|limp|floppy|collapsed|fainted|out cold|"
                r"stiff and cold)\b(?! (?:drunk (?:on the sofa|lol)|on the (?:sofa|couch|bed) (?:after|from)|"
                r"in (?:laughter|tears|giggles)|from (?:laughing|exhaustion|excitement) |into (?:bed|a chair|"
                r"my arms)|bias|after the (?:party|marathon|race|game)|with laughter|at the (?:thought|sight|price)|"
                r"laughing|lol|last (?:year|month)|in \d{4}|years? ago|the deal|on the offer))"
            ),
            (
                r"\b(?:{RELATIVE}|he|she|i)\b(?: \w+){0,3} (?:will|can|does|do|would|is|could) not (?:wake|waking|"
                r"wake up|waking up|respond|be woken)\b(?! (?:early|on time|for (?:school|work|class)|up (?:early|"
                r"on time|before|for|in time|without)|before|to (?:my|the|his|her) (?:text|texts|message|messages|"
                r"email|emails|calls?)|until|in the (?:morning|mornings)|without (?:coffee|an alarm)|properly))"
            ),
            (
                r"\b(?:can|could) not wake (?:him|her|them|my \w+|the \w+)(?: up)?\b(?! (?:early|for|before|on time|"
                r"in the))"
            ),
            (
                r"\bfound (?:him|her|my \w+|them) (?:on the floor|lying)(?: \w+){0,6} (?:not|unconscious|cold|blood|"
                r"breathing|move)"
            ),
            r"\b(?:foam|frothing)(?:ing)?(?: at the| from the| from (?:his|her))? ?mouth\b",
        ),
    ),
    Rule(
        "bleeding",
        "medical",
        "alarm",
        hit="He's bleeding heavily and it won't stop",
        miss="My gums bled a little when I brushed",
        phrases=(
            (
                r"\b(?:bleeding|bleeds|bleed|blood|haemorrhag\w+|hemorrhag\w+)(?: \w+){0,6} (?:heavily|a lot|"
                r"everywhere|will not stop|does not stop|not stop(?:ping)?|would not stop|pouring|gushing|spurting|"
                r"so much|profusely|out of control|all over|to death|non ?stop|through|and (?:pregnant|"
                r"i am pregnant)|badly|from (?:his|her|my|the) (?:head|neck|ears?|eyes?|"
                r"stomach))\b(?! (?:the (?:gums?|carpet from the rare)|internet|in the (?:film|movie|game)|orange|"
                r"love))"
            ),
            r"\bwill not stop bleeding\b(?! money)",
            r"\b(?:can|could) not stop (?:the |it )?bleeding\b",
            (
                r"\b(?:coughing|vomiting|throwing|spitting|puking|peeing|pooping|coughed|vomited|"
                r"threw) (?:up )?(?:\w+ )?(?:blood)\b"
            ),
            r"\blos(?:ing|t) (?:a lot of|so much|too much|lots of) blood\b(?! pressure)",
            (
                r"\b(?:deep|huge|bad|massive|nasty) (?:cut|gash|wound)(?: \w+){0,8} (?:blood|bleeding|bone|stop|"
                r"artery)\b"
            ),
            (
                r"\b(?:cut|severed|sliced|chopped|tore|lost|amputated)(?: \w+){0,3} (?:artery|finger off|hand off|"
                r"off (?:his|my|her) (?:finger|thumb|hand|toe)|tip of (?:my|his|her) finger)\b"
            ),
            r"\bpregnant(?: \w+){0,6} (?:bleeding|blood|baby (?:has )?(?:stopped|not) moving)\b",
            r"\b(?:bleeding|blood)(?: \w+){0,6} pregnan\w*\b",
        ),
    ),
    Rule(
        "poison",
        "medical",
        "alarm",
        hit="My toddler swallowed a battery",
        miss="I ate mushroom risotto for dinner",
        phrases=(
            (
                r"\b(?:swallow\w*|drank|drunk|drinks?|ate|eaten|eating|ingest\w*|inhal\w*|got into|took|sipped|"
                r"licked|put)(?: \w+){0,6} {DANGEROUS}\b(?! (?:risotto|soup|pizza|pasta|pie|sauce|jam|smoothie|"
                r"omelette|burger|stew|tart|toast|yoghurt|yogurt|for (?:dinner|lunch|breakfast)|and cream|"
                r"in the (?:garden|salad|woods with)|with (?:cream|garlic|yoghurt)|on (?:pizza|toast)|"
                r"in my (?:remote|soup|salad|"
                r"pasta)))(?<!ate mushrooms)(?<!ate berries)(?<!eat berries)(?<!ate some berries)(?<!ate the "
                r"mushrooms)"
            ),
            (
                r"\b(?:child|kid|son|daughter|toddler|baby|he|she|father|mum|husband|wife|boy|girl|nephew|niece|"
                r"grandson|cat|dog)\b(?: \w+){0,5} (?:swallow\w*|ate|eaten|drank|took|taken|"
                r"got into)(?: \w+){0,6} (?:{PILLS}|medicine cabinet|vape|nicotine|coin|magnets?)\b(?! (?:every|"
                r"as prescribed|for (?:his|her) (?:cold|fever|headache|allergy|pain|flu)|like a (?:champ|good)|"
                r"without (?:fuss|complaint)|this morning as|daily|well))"
            ),
            r"\bcarbon monoxide\b(?! (?:detector|alarm) (?:battery|battery is|needs))",
            r"\bgas leak\b(?= .{0,60}(?:dizzy|smell|sick|now|headache|faint))",
            (
                r"\bpoisoned\b(?! (?:relationship|chalice|atmosphere|by (?:jealousy|envy)))(?= .{0,60}(?:vomit\w*|"
                r"now|help|sick|child|son|daughter|dog|breath\w*|she|he)|$| \.)"
            ),
            (
                r"\b(?:double|wrong|too much|triple) (?:dose|insulin|medication|medicine|amount of (?:insulin|"
                r"medication))\b(?= .{0,80}(?:dizzy|sleepy|help|confused|faint|shaking|now|sick|heart|breath\w*|"
                r"child|baby|son|daughter))"
            ),
            (
                r"\b(?:mixed|mixing) bleach (?:and|with)(?: \w+){0,8} (?:breathe|cough\w*|burn\w*|dizzy|throat|"
                r"chest)"
            ),
        ),
    ),
    Rule(
        "allergy",
        "medical",
        "alarm",
        hit="Her throat is closing after eating peanuts",
        miss="My eyes are swollen from crying",
        phrases=(
            (
                r"\b(?:throat|tongue|lips|airway|face|mouth|eyes) (?:is |are |has |have |feels? (?:like it is )?|"
                r"started |keeps )*(?:\w+ )?(?:swelling|swollen|closing|closed up|swell\w*|tightening|tight|"
                r"closing up|puffing up)(?: \w+){0,8}(?= (?:breathe|breathing|allerg\w+|nuts?|peanuts?|sting|stung|"
                r"bee|wasp|shrimp|can|after|fast|hives|up|shut|\.|and)|$)(?! from (?:crying|"
                r"the dentist))(?! after (?:crying|the dentist))"
            ),
            r"\banaphyla\w+",
            (
                r"\b(?:epipen|epi pen)(?: \w+){0,4} (?:not|expired|work\w*|where|used|need|help|find|gave|without|"
                r"no)\b(?! training)"
            ),
            (
                r"\b(?:used|gave|given|need|needs|without|lost|no|forgot)(?: \w+){0,3} (?:epipen|"
                r"epi pen)\b(?! training)"
            ),
            (
                r"\ballergic reaction\b(?= .{0,80}(?:breathe|breathing|throat|swell\w*|swollen|hives|spreading|now|"
                r"face|tongue|lips|epipen|dizzy|help))"
            ),
            r"\b(?:hives|rash)(?: \w+){0,6} (?:breathe|breathing|throat|spreading fast)\b",
            r"\bstung by(?: \w+){0,8} (?:breathe|breathing|throat|swelling|swollen|dizzy|allergic)\b",
        ),
    ),
    Rule(
        "seizure",
        "medical",
        "alarm",
        hit="My brother is having a seizure",
        miss="Mum had a fit when she saw my room",
        phrases=(
            (
                r"\b(?:having|has|have|had|is having|started|in the middle of|going into|"
                r"another)(?: \w+){0,3} (?:seizures?|convulsions?|epileptic fit)\b(?! (?:years ago|as a (?:child|"
                r"kid)|last year|of (?:laughter|assets|drugs)|in \d{4}|when (?:he|she) was (?:a|little)))"
            ),
            (
                r"\b(?:seizing|convulsing|fitting and|having a fit and (?:shaking|foaming|will|is))\b(?! the (?:day|"
                r"moment|opportunity))"
            ),
            r"\bseizure (?:will not|is not|has not|for|lasting)\b",
        ),
    ),
    Rule(
        "baby and birth",
        "medical",
        "alarm",
        hit="My baby is limp and not moving",
        miss="The baby is coming home from hospital tomorrow",
        phrases=(
            r"\b(?:waters?) (?:have |has |just )*(?:broke|broken)\b(?! down)(?! .{0,20}heater)",
            (
                r"\bbaby (?:is )?(?:\w+ )?(?:coming (?:now|right now|early|too)|not (?:moving|feeding and|breathing|"
                r"waking|responding)|blue|limp|floppy|grey|stopped (?:moving|breathing)|has stopped|hot and|"
                r"fever)(?! announcement)"
            ),
            r"\bin (?:labour|labor)(?: \w+){0,2} (?:now|alone|early|and|at \d+ weeks)\b",
            r"\bgiving birth (?:now|at home|alone|in the)\b",
            r"\bmiscarr(?:y|ying|iage)(?= .{0,50}(?:now|bleeding|think|right|blood|cramp\w*))\b",
            (
                r"\b(?:newborn|infant|month old|week old|weeks old|days old)\b(?: \w+){0,8} (?:fever|not feeding|"
                r"limp|will not wake|blue|breathing|floppy)\b"
            ),
            r"\bcontractions\b(?: \w+){0,8} (?:apart|weeks early|hospital|alone|bleeding)\b",
            r"\bcord is\b",
        ),
    ),
    Rule(
        "accident",
        "medical",
        "alarm",
        hit="My friend got stabbed outside the club",
        miss="We got shot down in the meeting",
        phrases=(
            (
                r"\b(?:(?:has |have |been |got |get |was |am |is |just )+(?:stabbed|shot|electrocuted|run over|"
                r"hit by (?:a|the) (?:car|bus|train|truck|lorry|van|motorbike)|struck by lightning|bitten by (?:a|"
                r"the) (?:snake|viper|cobra|rattlesnake|adder)|impaled|crushed|knocked (?:out|unconscious)|scalded)|"
                r"car (?:crash|accident|wreck)(?: \w+){0,8} (?:trapped|bleeding|hurt|unconscious|now|stuck|"
                r"not moving|help|blood)|fell (?:down|from|off|out of)(?: \w+){0,4} (?:roof|ladder|balcony|window|"
                r"stairs|tree|horse|wall|floor|bike|scaffolding)(?: \w+){0,8} (?:not|can not|blood|unconscious|"
                r"bleeding|neck|spine|head|move|confused|vomiting)|hit (?:his|her|"
                r"my) head(?: \w+){0,10} (?:vomit\w*|confused|unconscious|blood|bleeding|sleepy|dizzy|throwing up|"
                r"can not|double|passed|pupils?|remember)|bone (?:is )?(?:\w+ )?(?:sticking|poking|coming) (?:out|"
                r"through)|is drowning|pulled (?:him|her|my \w+|them) (?:out of|from) the (?:pool|water|lake|river|"
                r"sea|bath)|snake ?bite|(?:severe|bad|third degree|terrible) burns?|(?:boiling|hot) (?:water|oil|"
                r"tea|coffee|soup)(?: \w+){0,3} (?:over|on|onto|down)(?: \w+){0,2} (?:him|her|my|himself|herself|"
                r"baby|toddler|face|chest|child|son|daughter|arm)|house is on fire|fire in my (?:house|flat|kitchen|"
                r"building)|trapped in (?:a|the|my) (?:fire|car|burning|rubble|crash|wreck)|heat ?stroke|"
                r"hypothermia)\b(?! (?:down (?:in|by)|in the (?:game|film|movie|foot lol|heart)|on (?:location|film|"
                r"iphone)|at by|with a camera|of espresso|day|cake))"
            ),
            (
                r"\b(?:call|get|calling|send|need|needs|phone|someone call|should i call|ring) (?:me |us |"
                r"for )?(?:an )?(?:ambulance|paramedics?|911|999|112|000)\b(?! (?:training|driver|station|is|toy|"
                r"service|chasers?|game|anyone who|calls? at work))"
            ),
            (
                r"\bdiabetic\b(?: \w+){0,10} (?:unconscious|confused|shaking|not responding|passed out|low|sweating|"
                r"coma|will not wake)\b"
            ),
            (
                r"\b(?:blood sugar|glucose|sugar)(?: \w+){0,4} (?:\d{1,2}|low|dropping)\b(?= .{0,60}(?:shak\w*|"
                r"confused|faint|passing|sweat\w*|can not|unconscious|seeing))"
            ),
            (
                r"\b(?:sepsis|septic|meningitis)\b(?= .{0,80}(?:rash|fever|now|think|confused|stiff|worried|"
                r"cold hands))"
            ),
            r"\b(?:stiff neck)\b(?= .{0,60}(?:fever|rash|light))",
            r"\brash (?:that )?(?:does|will|is) not (?:fade|disappear|fading)",
        ),
    ),
    # --- reason for concern: resources beside the reply ---
    Rule(
        "hopeless",
        "self-harm",
        "concern",
        hit="I feel so hopeless",
        miss="The bread was tasty",
        phrases=(
            (
                r"\b(?:hopeless|worthless|no hope|no way out|no future|give up on (?:life|everything)|"
                r"giving up on (?:life|everything)|given up|can not (?:take|do|cope|go on|handle|bear|"
                r"stand)(?: \w+){0,3} (?:anymore|any longer|much longer)|can not go on|nothing matters|"
                r"what is the point|empty inside|numb inside|dead inside|hate myself|self hatred|want (?:it|this|"
                r"everything|the pain) to (?:stop|end)|tired of (?:everything|it all|fighting|trying|pretending)|"
                r"done with everything|all alone in|nobody (?:cares|loves me)|no one (?:cares|loves me)|a burden|"
                r"breaking point|falling apart|crying every (?:day|night)|want to disappear|wish i could disappear|"
                r"depress\w+|not suicidal|used to (?:cut|selfharm|be suicidal|hurt myself)|selfharm\w*|suicid\w+|"
                r"panic attacks?|eating disorder|bulimi\w+|anorexi\w+|binge|purging|throw(?:ing)? up after)\b"
            ),
        ),
    ),
    Rule(
        "grief by suicide",
        "self-harm",
        "concern",
        hit="My uncle killed himself in 1990",
        miss="My uncle died in 1990",
        about="other",
        phrases=(
            (
                r"\b(?:took (?:his|her|their) own life|killed (?:himself|herself|themselves)|died by suicide|"
                r"lost (?:\w+ ){1,4}to suicide|hanged (?:himself|herself)|overdosed|committed suicide)\b"
            ),
        ),
    ),
    Rule(
        "worry about somebody",
        "self-harm",
        "concern",
        hit="I'm worried about my sister",
        miss="I'm worried about the exam",
        about="other",
        phrases=(r"\b(?:worried|scared|concerned|afraid) (?:about|for) (?:my|a|his|her) (?:\w+ )?{RELATIVE}\b",),
    ),
    Rule(
        "harm long ago or small",
        "violence",
        "concern",
        hit="They bully me at school",
        miss="We sat in the park",
        phrases=(
            (
                r"\b(?:bull(?:y|ied|ies|ying)|abus(?:e|ed|ive)|assault\w*|raped?|molested|beat(?:en)? me|hit me|"
                r"toxic relationship|harass\w+|threaten\w*|kicked me out|yells? at me|screams? at me|"
                r"scared of (?:him|her|my))\b(?! (?:me up|on))"
            ),
        ),
    ),
    Rule(
        "ill",
        "medical",
        "concern",
        hit="I have been in so much pain",
        miss="Spain was lovely",
        phrases=(
            (
                r"\b(?:chronic pain|in (?:much|a lot of|terrible|constant) pain|in pain|pain will not|"
                r"diagnosed with (?:cancer|\w+ cancer)|having (?:a )?panic attack|fainted|concussion)\b"
            ),
        ),
    ),
    # --- more ways of saying it ---
    Rule(
        "cannot go on",
        "self-harm",
        "alarm",
        hit="I can't keep living like this",
        miss="I can't live without coffee",
        phrases=(
            (
                r"\bi can not (?:go on|keep living|keep on living|live|exist|"
                r"do life)(?: living)?(?: with myself)?(?: like this)?(?: anymore| any longer)? \."
            ),
            r"\bdo this life thing anymore\b",
            r"\b(?:not|no reason)(?: \w+){0,3} to keep (?:living|going|existing|breathing)\b",
            r"\b(?:anymore|no|not) (?:force|strength|power|energy) (?:to|for) (?:live|life|living)\b",
            r"\benough of (?:living|life|this life)\b",
        ),
    ),
    Rule(
        "ends it",
        "self-harm",
        "alarm",
        hit="If things don't change I'm going to end it",
        miss="We decided to end the lease early",
        phrases=(
            (
                r"\b(?:ending|going to end|will end|enough to end|want to end|have to end|end) (?:it|things|"
                r"everything|my life|my pain|the pain forever)(?: all)?(?: for good| tonight| now| today| myself|"
                r" forever| on \w+day| by \w+day)* \."
            ),
            r"\b(?:finish|finishing|terminate|quit|leave) (?:my|this) (?:life|world)\b",
            r"\b(?:suffering|pain|misery) (?:will|is going to) be over\b",
            (
                r"\b(?:only|best) (?:way(?: out)?|thing left|option|solution|escape)(?: \w+){0,3} (?:is|"
                r"be) (?:death|dying|to die|suicide|ending it)\b"
            ),
            r"\b(?:death|dying|suicide) is (?:the|my) (?:only|best)\b",
            r"\bways? to (?:die|kill myself|end (?:it|my life))\b",
            r"\b(?:want(?:ed)?|going) to catch the bus\b(?= tonight| forever| \.| and never)",
            r"\b(?:be|being) with (?:him|her|them) (?:again )?(?:tonight|soon|in heaven)\b",
            r"\ba plan and a (?:date|method|note)\b",
            r"\bmade up my mind \. i have a plan\b",
            r"\bthinking (?:of|about) (?:the )?suicide\b",
            r"\bi bought (?:a|some) rope(?: yesterday| today| tonight| now)? \.",
            r"\b(?:knife|razor|blade)(?: \w+){0,9} use it on my (?:arms?|wrists?|legs?|thighs?|throat|skin)\b",
            r"\bput (?:the|my) (?:tablets|pills) aside\b",
            r"\btrain tracks(?: \w+)? waiting for the next\b",
        ),
    ),
    Rule(
        "took too much",
        "self-harm",
        "alarm",
        hit="I took an overdose",
        miss="I took two tablets",
        phrases=(
            r"\b(?:took|taken|taking) an overdose\b",
            (
                r"(?:^|\. )(?:just )?(?:took|swallowed|taken) (?:~)?(?:\d{2,}|all|a whole|too many|"
                r"the whole)(?: \w+){0,3} {PILLS}\b"
            ),
        ),
    ),
    Rule(
        "beats others",
        "violence",
        "alarm",
        hit="My neighbour is beating his wife",
        miss="My team is beating the others",
        about="other",
        phrases=(
            (
                r"\b(?:{THEY}) (?:\w+ ){0,2}?(?:is|was|keeps|has been) (?:\w+ )?(?:beating|hitting|hurting|abusing|"
                r"strangling|raping|choking|molesting|threatening) (?:his|her|their|the|my) (?:\w+ )?(?:{RELATIVE}|"
                r"dog|kids)\b"
            ),
            r"\bboyfriend is hurting her\b",
            (
                r"\b(?:he|she|{RELATIVE}) broke my (?:arm|nose|ribs?|jaw|wrist|finger|leg|hand|"
                r"tooth)\b(?! (?:by accident|accidentally|playing|skiing))"
            ),
            (
                r"\b(?:force|forces|forcing|make|makes|making|made) me (?:to )?(?:marry|take (?:off )?my clothes|"
                r"take my clothes off|undress|touch)\b"
            ),
            (
                r"\b(?:a man|someone|somebody|my ex|he)(?: \w+){0,3} outside (?:my|the|our) (?:house|door|flat|"
                r"window)(?: \w+){0,3} (?:get|break|come) in\b"
            ),
        ),
    ),
    Rule(
        "thinks of hurting",
        "violence",
        "alarm",
        hit="I can't stop thinking about hurting my baby",
        miss="I'm thinking about hurting nobody's feelings",
        phrases=(
            (
                r"\b(?:thinking|think|thoughts|dreaming|fantasi[sz]ing|urges?) (?:about|of|to) (?:\w+ )?(?:hurting|"
                r"killing|poisoning|stabbing|shooting|strangling|smothering|attacking|murdering|harming) (?:my |"
                r"the |a |his |her )?(?:\w+ )?(?:{THEM}|boss|wife|class)\b(?! (?:feelings|in (?:the|a) game))"
            ),
        ),
    ),
    Rule(
        "overdose of another",
        "medical",
        "alarm",
        hit="My roommate overdosed, there is a needle next to him",
        miss="My uncle overdosed years ago",
        about="other",
        phrases=(
            (
                r"\b(?:he|she|{RELATIVE}) (?:has |just |might have )*(?:overdosed|"
                r"is overdosing)\b(?= .{0,80}(?:needle|now|breath|wake|unconscious|blue|help|floor|foam|respon))"
            ),
        ),
    ),
)

STORIES = (
    r"\b(?:films?|movies?|book|novel|series|episodes?|tv show|the show|netflix|character|video ?game|"
    r"the game|this game|game|level|boss fight|final boss|quest|npc|minecraft|fortnite|zelda|"
    r"playstation|xbox|sims|skyrim|gta|call of duty|play about|the play|theatre|theater|opera|essay|"
    r"thesis|exam|homework|lecture|documentary|podcast|song|lyrics|dreamed|dreamt|nightmare|a dream|"
    r"in my dream|actor|actress|scene|plot|comic|manga|anime|romeo|juliet|hamlet|ophelia|macbeth|"
    r"shakespeare|story i|history|century|the war|medieval|wrestling|wwe|boxing|ufc|mma|match|"
    r"tournament|cartoon|soap opera|true crime|crime drama|museum|roleplay|d and d|dnd|improv|chapter|"
    r"sparring|karate|judo|chess|rugby|hockey|news)\b"
)
"""What somebody tells of when it happens to others, but not in life."""

AT_WORK = (
    r"\b(?:training|trained|course|first aid|cpr class|my shift|at work (?:as|we)|as a (?:nurse|"
    r"paramedic|doctor|police|social worker|therapist|volunteer|lifeguard|vet|teacher)|i am a (?:nurse|"
    r"paramedic|doctor|police|social worker|therapist|volunteer|lifeguard|vet|firefighter)|i work (?:as|"
    r"in|at|for)|volunteer\w*|workshop|seminar|certificate|certification|campaign|charity|fundrais\w+|"
    r"statistics|research|study|article|awareness|drill|manikin|simulation|in class|helpline|hotline)\b"
)

IDIOMS = (
    r"\b(?:laugh\w*|lol)(?: \w+){0,3} (?:not|hardly|barely) breathe\b|\b(?:embarrass\w+|asham\w+|"
    r"cringe\w*|mortified|awkward)(?: \w+){0,4} (?:want\w*|could|wish\w*)(?: to)?(?: have)? die\w*\b|"
    r"\b(?:rather|sooner) die than (?:wear|eat|watch|listen|go|do|sing|be seen|drink|admit|ask|work|"
    r"dance|use|miss)\b|\bstab\w* (?:me|him|her|us|them) in the back\b|\bhit (?:me|us) with (?:a|the|"
    r"his|her|another|this) (?:deadline|bill|invoice|question|news|surprise|fee|fine|new|task|job|"
    r"idea)\w*\b|\bgun to (?:my|his|her) head to (?:finish|do|write|go|get|make|eat|clean)\b|"
    r"\bjump off a (?:cliff|bridge) for (?:him|her|you|them|my)\b|\bover tomorrow(?= .{0,20}(?:exam|"
    r"school|work|holiday|contract))|\btouched by (?:her|his|your|the|a|their|all|how)\b|"
    r"\bknocked out (?:in|of|by) (?:round|the (?:cup|first|second|quarter|semi|tournament))\b|\b(?:fake|"
    r"stage|menstrual|period|blue|red) blood\b|\bnumb (?:from|after) (?:the|my|a) (?:injection|dentist|"
    r"anaesthetic|dental|cold|jab)\b|\blive in (?!(?:fear|pain|this (?:pain|body|world|hell)|my (?:body|"
    r"head)))(?:the |a |an |my |this |that )?\w+(?: anymore)?\b|\bborn (?:in|on|earlier|later|rich|into|"
    r"with)\b|\bready for (?:the|my|our) (?:dog|cat|trip|week|mum|father|kids)\b|"
    r"\bswollen from crying\b|\blive (?:with (?:my|the|a|roommates|flatmates|them|him|her)|here|there|"
    r"at|near|next|alone)\b(?: \w+){0,2} anymore\b|\b(?:fine|ok|okay|better|happy|well|good|safe|"
    r"healthy|great) now\b|\b(?:dog|cat|puppy|kitten|duck|toddler|baby|horse|"
    r"parrot)(?: \w+){0,3} (?:follow\w*|hit|bit|scratch\w*|kick\w*|attack\w*|slap\w*) (?:me|us)\b|"
    r"\bkill myself (?:i|he|she|my|the|this|that|we|they)(?: \w+){0,12} lol\b|"
    r"\blol(?: \w+){0,3} kill myself\b|\bkill(?:ing)? (?:me|you|him) lol\b|\bedge of (?:a|"
    r"the) cliff in\b|\bgone by \w+day(?: \w+){0,2} (?:holiday|vacation|at last)\b"
)
"""Phrases that only sound like a crisis; they are taken out before the rules look."""

LONG_AGO = (
    r"\b(?:when i was (?:a |an |about |only |around )?(?:child|kid|teen\w*|young\w*|little|small|\d+|"
    r"in (?:school|college|high|uni\w*)|growing)|(?:years?|months|decades?|ages) ago|as a (?:child|kid|"
    r"teen\w*|boy|girl|young)|used to|in (?:19|20)\d\d|long ago|long time ago|back then|back in|"
    r"in the past|last year|decades|recovered|in recovery|survived|survivor|before i (?:met|got help)|"
    r"growing up|my childhood|since then|got through it|got out|got better|over it now|clean for|"
    r"years clean|years free|no longer|anniversary|behind me|used to be)\b"
)

NOW = (
    r"\b(?:now|again|tonight|today|still|anymore|right now|lately|these days|this (?:week|morning|"
    r"evening|afternoon)|just now|every (?:day|night)|tomorrow|keeps?|hours? ago|minutes? ago|"
    r"last night|yesterday|back)\b"
)

DENIED = r"\b(?:not(?! (?:stop|wait|help))|never|no(?! one)|nor|without|stopped|neither)(?: (?!i\b)\w+){0,3}$"
"""What stands before words that are denied: "I am not going to" + "kill myself"."""

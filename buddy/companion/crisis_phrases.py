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
        pattern: over a normalised message, with ``~`` and ``{PARTS}``.
        hit: a message that it finds.
        miss: a message that sounds alike and is harmless.
        about: whose life it is about; of others one also speaks in stories, films and memories.
    """

    name: str
    category: Category
    weight: Weight
    pattern: str
    hit: str
    miss: str
    about: Person = "self"


PARTS = {
    "RELATIVE": r"(?:husband|wife|boyfriend|girlfriend|partner|ex|fiance|fiancee|father|mum|brother|sister|son|daughter|uncle|"
    r"aunt|cousin|child|kid|kids|children|baby|toddler|nephew|niece|roommate|flatmate|housemate|friend|neighbour|neighbor|"
    r"colleague|coworker|boss|teacher|coach|carer|caregiver|nurse|priest|pastor|landlord|client|patient|parents|family|"
    r"inlaws|law|man|guy|woman|girl|boy|lady|gentleman|student|manager|stepson|stepdaughter|twin|grandson|granddaughter)",
    "THEY": r"(?:he|she|they|someone|somebody|{RELATIVE}|people|men|guys)",
    "THEM": r"(?:him|her|them|someone|somebody|everyone|everybody|people|{RELATIVE})",
    "SELF": r"(?:myself|me)",
    "PILLS": r"(?:pills?|tablets?|meds|medicine|medication|medications|capsules?|painkillers?|antidepressants?|"
    r"sleeping|paracetamol|tylenol|ibuprofen|aspirin|advil|xanax|valium|insulin|sleepers|opioids|oxy|heroin|drugs)",
    "WANT": r"(?:want(?:ed|s|ing)?(?: to)?|wish(?:ing)?|hop(?:e|ing)(?: to| i| that i)?|need to|would like(?: to)?|would love to|"
    r"long(?:ing)? (?:to|for)|pray(?:ing)?(?: to| i| that i| for)?|ready (?:to|for)|going to|plan(?:ning)? (?:to|on)|intend to|"
    r"trying to|tried to|decided to|about to|prepared to|deserve to|ought to|should|might as well|may as well|would rather|"
    r"prefer to|feel like|feeling like|(?:think|thinking|thought|thoughts|dreaming|fantasi[sz]ing|dream|fantasi[sz]e|"
    r"obsessing) (?:of|about)|consider(?:ing)?|contemplating|tempted to|will|would|could|might|must|have to|"
    r"urges? to|planned (?:to|on)|better (?:to|if i)|supposed to|scared i will|afraid i will|dying to)",
    "DIE": r"(?:die|dead|death|dying|be dead|be gone(?: forever)?|not (?:exist|be alive|live)|cease to exist|stop existing|"
    r"(?:never|not) wake up|end it(?: all)?(?! with)|end everything|end things(?! with)|end (?:my|this)(?: own)?(?: \w+)? life|"
    r"end my (?:pain|suffering|misery|existence)|take my(?: own)? life|taking my(?: own)? life|ending (?:it(?: all)?|my life|"
    r"everything)(?! with)|sleep forever|suicide|commit suicide|committing suicide|"
    r"{HURT_MYSELF}|disappear forever|catch the bus|be (?:with|in) (?:the )?(?:angels|heaven)|bleed out|not be here anymore|"
    r"stop (?:living|being alive))",
    "HURT_MYSELF": r"(?:(?:kill|hang|shoot|drown|stab|strangle|suffocate|poison|electrocute|cut|hurt|harm|burn|gas|starve|slit|"
    r"off|injure|punish|killing|hanging|shooting|drowning|stabbing|cutting|hurting|harming|burning|offing) myself)",
    "DIE_OF": r"(?! (?:of|from|with) (?:laughter|laughing|embarrassment|boredom|curiosity|hunger|thirst|shame|happiness|"
    r"excitement|cuteness|jealousy|heat|anticipation|cringe|joy|old age|cold|fright|suspense)| laughing| lol| inside lol| on (?:this|"
    r"that|the) hill| hard\b| (?:my|the) (?:hair|shirt|dress)| happy| rich| a (?:happy|hero|legend|millionaire)| trying|"
    r" (?:for|to) (?:a|some|see|try|have|know|go|eat|get|meet|hear|visit|tell|read|watch|play)\b)",
    "NO_LIVE": r"(?:live|be alive|exist|living|existing|being alive|wake up|see (?:tomorrow|another day|the morning)|"
    r"be here (?:anymore|any longer|at all|on earth)|be on (?:this|the) (?:earth|planet)|be around anymore|"
    r"(?:go|going|carry|carrying) on(?: living| anymore| like this| any longer| (?=\.)|$)|keep (?:going|living|fighting)|"
    r"keep (?:doing|on doing) (?:this|life)|continue (?:living|my life|this life|existing)|do life anymore|"
    r"breathing anymore|keep breathing|survive (?:this|tonight))",
    "VEHICLE": r"(?:train|bus|car|truck|lorry|tram|tube|subway|traffic|van|metro)",
    "HEIGHT": r"(?:bridge|building|roof|balcony|window|cliff|ledge|overpass|tower|rooftop|multistorey|pier)",
    "DANGEROUS": r"(?:bleach|antifreeze|poison|detergent|drain cleaner|battery|batteries|toilet cleaner|pesticide|"
    r"white spirit|turpentine|rat poison|weedkiller|weed killer|disinfectant|magnet|magnets|hand sanitizer|lamp oil|"
    r"dishwasher tablet|laundry pod|tide pod|cleaning fluid|oven cleaner|acid|mushrooms?|berries)",
}

RULES = (
    # --- self-harm: the wish to die ---
    Rule(
        "wants to die",
        "self-harm",
        "alarm",
        r"\bi (?:am |have been |keep |have |do |was |would |will )*(?:~)?\b{WANT} (?:to |i could |i would |i was |i were |i |be |"
        r"about |of |that i |being )*{DIE}{DIE_OF}",
        "I just want to die",
        "I wanted to die of laughter",
    ),
    Rule(
        "wish to die, in short",
        "self-harm",
        "alarm",
        r"(?:^|\. |\band |\bbut )(?:want to|wish i (?:was|were)|wanted to|ready to|going to|thinking of|thinking about) "
        r"(?:die|be dead|dead|kill myself|end it all|ending it all|end my life|ending my life|not exist|suicide)\b{DIE_OF}",
        "want to die rn",
        "Ready to die for a pizza",
    ),
    Rule(
        "kills himself or herself",
        "self-harm",
        "alarm",
        r"\b(?:kill|hang|shoot|drown|stab|strangle|suffocate|poison|electrocute|off|gas|killing|hanging|shooting|offing) "
        r"myself\b(?! (?:laughing|with laughter|trying|working|studying|over|at work|at the gym|for (?:not )?\w+ing|for that|for this|to (?:finish|meet|get)|"
        r"out there|in the foot|lol|in this|a (?:coffee|drink)|with (?:work|exercise|this))|, )",
        "I'm gonna kill myself tonight",
        "I'm killing myself working on this essay",
    ),
    Rule(
        "suicidal",
        "self-harm",
        "alarm",
        r"\b(?:i (?:am|feel|get|have been|was feeling|keep feeling)(?: \w+){0,2}|feeling|me|makes me|making me) suicidal\b(?! squad)|"
        r"\bi (?:have|am having|had|get|keep having|am getting) ~(?:suicidal|suicide) (?:thoughts?|ideation|urges?|ideas|plan|feelings)|"
        r"\b(?:my|these|the) (?:suicidal|suicide) (?:thoughts|urges|ideation|plan|feelings)\b|\bthoughts of (?:suicide|ending|killing myself|dying|death)\b|"
        r"\b(?:thinking|think) (?:\w+ )?(?:of|about) suicide\b|\b(?:contemplat|consider|plann|attempt)\w* suicide\b|\bsuicide (?:is|seems|feels like|looks like) (?:the|my|an)\b",
        "I have been feeling suicidal again",
        "The suicide squad film was bad",
    ),
    Rule(
        "no wish to live",
        "self-harm",
        "alarm",
        r"\b(?:i|me|to) (?:do |can |am |would |will |could |have )?(?:no longer |not |never |nothing |no |without )(?:~)?(?:want|wish|care|deserve|desire|have|see|feel|find|"
        r"point|reason|will|strength|energy|able|like|think i can|believe i can|stand)?(?: to| any| a| the| reason| point| in| of| for| me| will| strength| energy| like| left| being able| myself)* {NO_LIVE}",
        "I don't want to live anymore",
        "I don't want to live in the city",
    ),
    Rule(
        "tired of life",
        "self-harm",
        "alarm",
        r"\b(?:tired|sick|done|exhausted|fed up|finished|bored|over) (?:of|with|from|by)? ?(?:living|being alive|life|existing|this life|my life|breathing|being here|waking up)\b(?! (?:in|with|out|at|on|alone|here|off|under|next|sciences?|insurance|early|together))"
        r"|\b(?:hate|hating) (?:being alive|waking up|living|that i (?:woke|wake) up|that i am (?:still )?alive)\b(?! (?:in|with|early|at|on|here|alone))",
        "I'm so tired of being alive",
        "I'm tired of living with roommates",
    ),
    Rule(
        "life without worth",
        "self-harm",
        "alarm",
        r"\b(?:life|living|it|being alive) (?:is |has |was |would be |seems |feels )?(?:not|never|no longer|hardly|barely) (?:worth (?:living|it (?:anymore|to live))|worth it(?= \.| anymore|$))|\b(?:nothing|no reason|no point|not much|anything)(?: left| more| here)* (?:to live for|"
        r"to (?:keep )?(?:live|living|exist|stay alive|be alive)|in (?:living|being alive|existing|staying alive|going on)|keeping me (?:alive|here))|\bno will to live\b|\b(?:what is|see) the point (?:of|in) (?:living|being alive|going on|life|existing|staying alive|carrying on|it all|waking up)\b|"
        r"\bwhy (?:am i (?:still )?(?:alive|living)|(?:should|do) i (?:keep (?:living|going)|stay alive|live|bother (?:living|existing|staying)))\b|\breasons? (?:not to (?:die|kill myself)|to (?:stay alive|live|not die))\b",
        "There's nothing left to live for",
        "Is the gym membership not worth it?",
    ),
    Rule(
        "others better off",
        "self-harm",
        "alarm",
        r"\bbetter off (?:dead|if i|without me|when i am gone|not (?:here|alive|existing))|\b(?:world|everyone|everybody|family|kids|they|children|husband|wife|friends|people|you|all|mum|parents)\b ~(?:be|are|is|do|live) (?:~)?(?:better|happier|fine|easier|relieved|best)(?: off)?(?: \w+)? (?:without me|if i (?:was|were|am|died|did not|never|disappeared|ended)|when i am (?:gone|dead)|once i am (?:gone|dead))|"
        r"\b(?:no one|nobody|noone|anyone|anybody|who|they|people|not) (?:would|will|is going to|wouldn) ?(?:not )?(?:\w+ )?(?:miss me|notice|care|cry|come)(?: \w+){0,3} if i (?:was|were|am|died|die|disappeared|disappear|vanished|killed|ended|were to|stopped|did)|\bburden (?:to|on) (?:everyone|everybody|my family|them) (?:~)?(?:dead|gone|die|disappear)|\bmiss me (?:when|if|once) i (?:am|was|were) (?:gone|dead)",
        "Everyone would be better off without me",
        "They would be better off without him as a manager",
    ),
    Rule(
        "wish not to be",
        "self-harm",
        "alarm",
        r"\b(?:wish|wished|hope|hoping|wishing|pray|praying|rather|want|if only|prayed)\b(?: to god| every night| every day| that| i)* (?:i )?(?:was|were|am|had|would|could|did|do|will|have|can)?(?: not| never| to)* (?:dead|gone|been born|born|exist|existed|not exist|wake up|woke up|woken up|waking up|be here(?= \.|$)|be alive|alive|wake(?: up)? (?:tomorrow|again|in the morning)|fall asleep and not|go to (?:sleep|bed) and (?:never|not)|close my eyes and (?:never|not)|disappear(?= \.|$| forever| off)|vanish(?= \.|$| forever))"
        r"|\b(?:should|shouldn|wish i) (?:not |never )+(?:have )?(?:been|be) (?:born|alive|here anymore)\b|\bi should be dead\b|\bnever wak(?:e|ing) up\b(?! (?:early|on time|in time|to))|\b(?:sleep|asleep|bed|eyes)\b(?: \w+){0,2} (?:never|not) (?:wak\w+|open\w*)|\bif i (?:do|did|would|were)? ?(?:not|never) w(?:ake|oke) up\b"
        r"|\b(?:not mind|not care|do not care|be (?:fine|ok|okay|relieved|happy|glad|nice|good|grateful)|fine with|relief) (?:~)?(?:if|when)? ?(?:i|about|with)? ?(?:died|die|dying|was dead|were dead|did not wake up|not waking up|never woke up|got (?:hit|run over)|stopped breathing)|\b(?:hope|wish|wishing|hoping) (?:a|the|some|that a|this|that)(?: \w+)? {VEHICLE} (?:would |will )?(?:hits?|runs?|crash|takes?|kills?)",
        "I wish I had never been born",
        "I wish I had been born in Spain",
    ),
    # --- self-harm: goodbyes, plans, means ---
    Rule(
        "goodbye",
        "self-harm",
        "alarm",
        r"\bgood ?bye (?:to )?(?:everyone|world|cruel world|all of you|forever|everybody|my friends|cruel)\b|\bthis is (?:my )?(?:goodbye|last (?:message|note|night|day|goodbye|time i))\b(?! (?:of|at|in|on|until|before) (?:work|school|uni|university|the course|camp|vacation|holiday|term|my job|the job|class|ramadan|high school|college|shift))|\bmy (?:last|final) (?:message|goodbye|words|note|letter|post|night (?:on|alive))\b(?! (?:on|of) (?:the|my) (?:trip|holiday|job))"
        r"|\b(?:wrote|written|writing|write|left|leaving|posted|finished|addressed) (?:~)?(?:suicide|goodbye|farewell|final|last) (?:letters?|notes?|messages?|videos?)\b(?! (?:to (?:my )?(?:class|colleagues|team|boss|students|coworkers)|for work))|\bsuicide note\b|\b(?:wrote|written|writing|finished) (?:my|the) (?:letters|note|notes)\b(?! for)|\bby the time (?:you|anyone|they|someone|anybody|somebody|mum|she|he) ~(?:reads?|finds?|sees?|gets?|wakes?)\b"
        r"|\bi (?:will|am going to|would)(?: all)? be (?:gone|dead)(?: forever| by (?:then|tomorrow|morning|tonight|the time|midnight|the weekend)| soon| tonight| tomorrow| before| when you| and (?:nobody|no one|you))*(?= \.|$| forever| by| soon| tonight| before| when| and (?:nobody|no one|you))(?! (?:for (?:a|the|two|three|an)|until|on holiday|all (?:day|week)|at work))|\b(?:will|won|going to) not be (?:around|alive|here|with you)(?: \w+){0,3} (?:much longer|anymore|any longer|to see|for long)\b|\bthey will find my body\b|\b(?:find|found) my body\b|\bgiv(?:en|ing|e) (?:away )?(?:all )?(?:of )?my (?:things|stuff|possessions|belongings|pets?|cat|dog|clothes) away\b|\bgiv(?:en|ing) away (?:all )?(?:of )?my (?:things|stuff|possessions|belongings)\b(?! (?:before|because) (?:i |we )?(?:mov|am mov))"
        r"|\b(?:it|this|everything|the pain|my (?:pain|suffering)) (?:will|is going to|would)(?: all)? (?:be over|end|stop)(?: for (?:me|good))? (?:soon|tonight|tomorrow|by (?:morning|tomorrow|tonight|midnight))\b|\b(?:this|it) (?:all )?ends tonight\b|\btonight is the night i (?:die|end|finally)|\btake care of my (?:dog|cat|kids|mum|baby|children) (?:when|after|once) i am gone|\bsay(?:ing)? (?:my )?(?:final |last )?goodbyes?\b(?: \w+){0,4} (?:forever|tonight|before i (?:go|die|do it|end))",
        "Goodbye everyone, I love you",
        "Goodbye party for my boss tonight",
    ),
    Rule(
        "plan and means",
        "self-harm",
        "alarm",
        r"\b(?:have|got|bought|hid|hidden|saved|saving|stockpil\w+|collect\w+|counted|counting|hoard\w+|ordered|found|kept|keeping|looking at|staring at|holding|sitting with|lined up|set aside|stashed|stashing|with) (?:~)?(?:{PILLS}|rope|noose|gun|pistol|razors?|razor blades?|blades?|knife|bullets?|belt)(?: and \w+)?(?: \w+)? (?:ready|next to me|in my hand|in my hands|in front of me|beside me|right here|here with me|loaded|for tonight|under my bed|to my head|to do it|to end|to use on|and i (?:am|might|will|want|do)|to kill)\b"
        r"|\bholding (?:a|the|my) (?:knife|gun|razor|blade|noose|rope|bottle of {PILLS}|pills)\b|\b(?:standing|sitting|stood|sat|i am|am) (?:up )?(?:on|at|by|near) (?:the|a) (?:edge|top|side|railing|ledge|parapet|wrong side)? ?(?:of )?(?:the |a )?(?:{HEIGHT}|train tracks|tracks|platform edge)\b(?: \w+){0,4} (?:jump|die|end|over|done|goodbye|nobody|courage|step|can not|water looks|ready|tired)|\bon (?:the|a) (?:ledge|railing|edge of (?:the|a) {HEIGHT})\b|\btied? (?:a|the) noose\b|\bnoose\b"
        r"|\b(?:gun|pistol|barrel) (?:\w+ )?(?:to|against|in) my (?:own )?(?:head|mouth|temple)|\bi (?:have|made|set|got|know|have made|have got|have picked|picked|chose|have chosen|decided on|have decided on) (?:a|my|the|everything)? ?(?:plan|date|day|method|place|time|way)s?(?: \w+){0,5} (?:die|end (?:it|my life|everything)|kill myself|suicide|do it|be gone|jump|hang)\b|\b(?:i am )?(?:going to|gonna|will|about to) do it (?:tonight|tomorrow|now|today|this time|when (?:they|everyone|mum))\b(?! (?:after|before) (?:work|dinner|lunch))|\bplan(?:s|ned)? to (?:end it|end my life|kill myself|die)\b|\bmade up my mind ~(?:die|end|tonight|go through with)",
        "I have the pills next to me",
        "I have the pills ready for the dog",
    ),
    Rule(
        "asks for a method",
        "self-harm",
        "alarm",
        r"\bhow (?:many|much|long|high|far|deep)(?: \w+){0,10} (?:to (?:die|kill (?:a person|you|me|myself|someone|yourself)|overdose|bleed out|be (?:fatal|lethal|deadly)|end (?:it|my life)|suffocate|drown)|fatal|lethal|deadly|would kill (?:me|you|a person)|kills? (?:you|me|a person|someone)|before (?:i|you) die|for (?:me|you) to die|overdose)\b|"
        r"\b(?:best|easiest|painless|quickest|least painful|fastest|easy|quick|surest|safest|cleanest|gentlest|peaceful|pain free|painlessly|good|reliable|cheapest)(?: \w+){0,3} (?:way|method|ways|methods|place|drug|pills?) (?:\w+ )?(?:to|of|for) (?:die|dying|kill myself|kill yourself|end (?:it|my life|your life)|ending|suicide|commit|off myself|go and not|disappear forever|leave this world|jump)\b|\b(?:die|dying|death|kill myself|suicide)(?: \w+){0,2} (?:without (?:any )?pain|painlessly|painless|peacefully in my sleep)\b|\bpainless (?:death|suicide)\b|"
        r"\bhow (?:do|can|should|could|would|to|does) ?(?:i|you|one|someone)? ?(?:go about )?(?:kill(?:ing)? (?:myself|yourself|oneself)|die (?:fast|quick|quickly|painlessly|without|in my sleep|peacefully|tonight)|end (?:it all|my life|it)|commit suicide|hang (?:myself|yourself)|overdose|tie a noose|slit|do it without pain)\b|\b(?:lethal|fatal|deadly) (?:dose|amount|overdose|combination)\b|\bdoes it hurt (?:to|when you) (?:die|hang|drown|bleed|cut your|jump|overdose|get hit by a train)\b|\bwhich (?:pills|bridge|building|drugs|medication)\b ~(?:die|kill|enough|high)|\bsuicide (?:methods?|by|pills?|kit|forum)\b|\bwill (?:it|they|this|\d+ \w+|that many|these)(?: \w+){0,4} (?:kill me|be enough to (?:die|kill))",
        "How many pills does it take to die?",
        "How many levels until I die in this game?",
    ),
    # --- self-harm: acts ---
    Rule(
        "injures himself or herself",
        "self-harm",
        "alarm",
        r"\bi (?:have |am |was |had |do |did |will |keep |started |have been |went back to |need to |want to |still |can not stop |like to |might |could )*(?:~)?(?:cut|cutting|slit|slitting|slice|slicing|carve|carving|burn|burning|burned|burnt|scratch|scratching|hurt|hurting|harm|harming|harmed|hit|hitting|punch|punching|injure|injuring|starve|starving|mutilat\w+|bruis\w+|bang\w*)(?: \w+)? (?:myself|my (?:own )?(?:wrists?|arms?|thighs?|legs?|skin|veins?|stomach|body|forearms?))\b"
        r"(?! (?:shaving|accidentally|by (?:accident|mistake)|cooking|chopping|slicing|on (?:a|the|my|some)|with (?:a|the) (?:paper|can|tin|bread|iron|pan|oven|kitchen|hot|saw|tool)|while|playing|in (?:the|a|football|rugby|gym|training)|at (?:the|work|football|gym)|running|lifting|skiing|falling|moving|gardening|trying to|off|some|a (?:slice|piece|break|new|fringe)|doing|when i (?:fell|tripped|slipped|was (?:cooking|chopping|playing|shaving))|up|into|out|with the (?:iron|pan|oven|kettle)|peeling|opening|working|on my bike|hair|nails|financially)\b)"
        r"|\bselfharm(?:ed|ing|s)?\b(?! (?:training|course|charity|is|in (?:the|literature)|awareness|prevention|statistics|among))|\b(?:been|started|start|back to|relapsed|stop|resumed|into) (?:with |into |and |on )?cutting (?:again|every|for|since|when|last|at night)\b|\bcut (?:deeper|too deep)\b|\b(?:razor|blade|knife|lighter)(?: \w+)? (?:on|to|across|against|into) my (?:own )?(?:skin|wrists?|arms?|thighs?|legs?)\b|\burges? to (?:cut|hurt|harm|kill|burn|do it|selfharm|end it)\b|\bpromise(?:d)? (?:\w+ ){0,3}not (?:to )?(?:hurt|cut|harm|kill) myself|\b(?:can not|not|do not) (?:promise|guarantee|trust myself|swear)(?: \w+){0,4} (?:hurt|harm|kill|safe|do anything|something stupid|alive|alone)\b|\bnot (?:safe|trust myself)(?: \w+)? (?:with|from|around|alone|by) (?:myself|me|alone)?\b|\bcuts on my (?:arms?|wrists?|thighs?|legs?)\b",
        "I cut myself again last night",
        "I cut myself shaving this morning",
    ),
    Rule(
        "overdose",
        "self-harm",
        "alarm",
        r"\bi (?:have |just |am |had |did )*(?:~)?(?:took|taken|take|taking|swallowed|swallowing|swallow|downed|popped|injected|drank|ate) (?:~)?(?:\d{2,}|too many|whole (?:bottle|box|pack|packet|lot)|all (?:of )?(?:my|the|his|her|of|mum)|bottle of|box of|packets? of|handfuls? of|bunch of|lots? of|loads of|entire|every|a lot|more than)(?: \w+){0,4} (?:{PILLS})\b|\bi (?:have |am |just |think i |might have |may have |am going to |want to |will |tried to |could )*(?:overdosed?|overdosing|overdose)\b(?! (?:on|of) (?:chocolate|coffee|netflix|sugar|carbs|cake|cheese|sun|news|food|caffeine|tv|cuteness|tea|pizza|candy|christmas|cookies|social|information|memes|nostalgia|vitamin|curry|garlic|it lol|youtube|reality|screen|ice|mince))|\btook (?:them|it|the pills|the tablets) all\b|\b(?:took|swallowed|taken) (?:all )?(?:of )?(?:my|the|his|her) (?:mum )?(?:{PILLS})(?: \w+){0,4} (?:at once|sleepy|dizzy|sick|scared|regret|die|kill|sorry)",
        "I just took a whole bottle of paracetamol",
        "I overdosed on chocolate at the party",
    ),
    Rule(
        "a way to die",
        "self-harm",
        "alarm",
        r"\b(?:i|me|myself|want to|going to|will|could|urge to|thinking of|thinking about|about|about to|ready to|might|should|wanna) (?:~)?(?:jump(?:ing)?|throw(?:ing)? myself|step(?:ping)?|walk(?:ing)?|run(?:ning)?|driv(?:e|ing)|crash(?:ing)?|leap(?:ing)?|lie|lying|fall(?:ing)?|swerv(?:e|ing)|steer(?:ing)?) (?:my car |the car |myself |right |straight |out |down )*(?:off|from|in front of|under|into|onto|out of) (?:a|an|the|my|that|this|oncoming|some)? ?(?:nearest |closest |tall |high |moving |oncoming |passing |speeding )?(?:{HEIGHT}|{VEHICLE}|wall|tree|lake|river|sea|ocean|tracks|railway|road|motorway|\d+th floor|\w+ floor|highway|freeway)\b(?! (?:to (?:catch|get|work)|with friends|for (?:a swim|charity|fun)|bungee|at the pool|and swim|home|earlier|to the|game|because it is|lane|on holiday|every morning|with my (?:dog|kids)))"
        r"|\b(?:bullet|knife|blade)(?: \w+)? (?:in|through|into) my(?: own)? (?:head|brain|skull|heart|wrists?|throat|chest)\b|\bblow(?:ing)? my(?: own)? (?:brains?|head) (?:out|off)\b(?! (?:if|when) (?:i have to|he|she|they))|\brope around my neck\b|\bslit(?:ting)? my(?: own)? (?:wrists?|throat)\b|\bend(?:ing)? (?:my|this)(?: own)?(?: \w+)? life\b(?! (?:story|insurance|chapter))|\bend(?:ing)? it all\b|\btak(?:e|ing) my (?:own )?life\b(?! (?:back|seriously|in a|to the|into my))|\bcatch the bus\b(?= \.|$| tonight| forever| soon)(?! (?:to|home|at|into|from))|\bcommit(?:ting|ted)? suicide\b|\bpull (?:the|a) (?:plug|trigger) on (?:myself|my life|me)\b|\b(?:join|be with|see|meet)(?:ing)? (?:him|her|them|my \w+|dad|grandma|you)(?: \w+)? (?:in heaven|on the other side|up there|in the afterlife|again soon in|in the grave)\b(?! (?:one day|someday|when i am old))|\bput (?:me|myself) out of (?:my )?misery\b|\bi am (?:going to|about to) (?:jump|hang|do something (?:stupid|bad|to myself|i can not|permanent))\b(?! (?:in the (?:shower|pool|bath|car)|on (?:a|the|this) (?:call|train|bus)|out with|around|for joy|into|up|the|with))|\bdo something (?:stupid|permanent|to myself|irreversible)\b(?= tonight| now| \.|$| to myself| if)|\bdrown(?:ing)? myself\b(?! in (?:work|paperwork|ice|netflix|chocolate|wine|emails))",
        "I keep thinking about jumping off the bridge",
        "We jumped off the high board at the pool",
    ),
    # --- self-harm: somebody else, now ---
    Rule(
        "somebody else wants to die",
        "self-harm",
        "alarm",
        r"\b(?:{THEY}|who|daughter|son|also) (?:\w+ ){0,6}?(?:wants? to die|wanting to die|wanted to die|is suicidal|feels? suicidal|being suicidal|suicidal thoughts|(?:going to|will|wants? to|threaten\w* to|threaten\w*|trying to|tried to|planning to|plans to|about to|thinking of|might|may|would|could|says she will|talking about|tried) (?:~)?(?:kill(?:ing)? (?:himself|herself|themselves)|end(?:ing)? (?:his|her|their|it all|it)(?: own)? ?(?:life)?|jump(?:ing)? off|hang(?:ing)? (?:himself|herself|themselves)|suicide|commit suicide|overdos\w+|hurt(?:ing)? (?:himself|herself|themselves)|harm(?:ing)? (?:himself|herself|themselves)|shoot(?:ing)? (?:himself|herself|themselves)|cut(?:ting)? (?:his|her|their) wrists|tak(?:e|ing) (?:his|her|their)(?: own)? life|die by suicide)"
        r"|(?:cutting|cuts|harming|hurting) (?:himself|herself|themselves)|(?:has |have |just )?(?:took|taken|swallowed) (?:~)?(?:too many|all|a whole|whole bottle|bottle of|lots? of|handful of|\d{2,}|all (?:his|her|their|of))(?: \w+){0,3} (?:{PILLS})|has (?:just )?overdosed|overdosed(?: tonight| just now)?(?= \.|$| tonight| again| and)|does not want to (?:live|be alive|be here anymore|exist)|slit (?:his|her|their) wrists|(?:left|wrote|sent|posted|found) (?:\w+ ){0,3}(?:suicide|goodbye) (?:note|message|letter|text)s?|is (?:on|standing on) (?:the|a) (?:{HEIGHT}|railing)(?: \w+){0,4} (?:jump|over)|says? (?:goodbye|she does not want to live|he does not want to live))\b(?! lol)",
        "My sister says she will kill herself tonight",
        "My uncle killed himself in 1990",
        "other",
    ),
    # --- violence ---
    Rule(
        "is beaten",
        "violence",
        "alarm",
        r"\b(?:{THEY}|who) (?:\w+ ){0,5}?(?:(?:hits?|hitting|beats?|beating|beaten|punch(?:es|ed|ing)?|kick(?:s|ed|ing)?|slap(?:s|ped|ping)?|smack(?:s|ed|ing)?|whip(?:s|ped|ping)?|belted|bit|bites|burn(?:s|ed|ing)?|spits? on|headbutt\w*|hurts?|hurting|shakes?|shook|starv\w+|backhand\w*|batter\w*) (?:me|us|my (?:mum|sister|brother|kids?|children|child|son|daughter|baby|face|arm|head|father|little|friend))|(?:chok(?:e|es|ed|ing)|strangl\w+|stab(?:s|bed|bing)?|rap(?:e|ed|es|ing)|molest\w*|assault\w*|abus(?:e|ed|es|ing)|drugged|suffocat\w+|tortur\w+|grop(?:ed|es|ing)|waterboard\w*) (?:me|us|my (?:mum|sister|brother|kids?|children|child|son|daughter|baby|father|little|friend)|her|him|them|his|their|the (?:kids?|children|baby|wife|dog)))\b"
        r"(?! (?:up(?! and|\s*\.| so| again| when| last| every| badly| because| if| in front|$)|on (?:all|every|the (?:lips|first))|on me|me a|with (?:a|the|his|her|their) (?:bill|news|question|idea|fact|request|truth|humor|smile|pillow|snowball|wave|frisbee)|that|like a (?:train|truck|ton|brick)|hard(?: that|er)|at|to (?:it|the)|by|in (?:chess|the (?:game|race|final|feels|heart|match|last|first|finals|semi|league|cup|quiz)|mario|fifa|monopoly|scrabble|tennis|poker|uno|cards|straight|a (?:race|game)|rock)|again at|\d|fair|out (?!of the house)|off|down \d|with (?:kindness|love)|when (?:i think|we (?:play|race))|every time we play|for (?:the|first)|so i (?:bought|had to)|emotionally lol|verbally on|every game|three|two|five|six|my feelings|his feelings)\b|$(?<=beats me)|(?: \.)(?<=it beats me \.))",
        "My husband hit me again last night",
        "He hit me up after the party and beat me at chess",
        "other",
    ),
    Rule(
        "is beaten, said otherwise",
        "violence",
        "alarm",
        r"\b(?:hits?|hitting|beat|beats|beating|punch(?:ed|es)|slap(?:s|ped)|kick(?:s|ed)|chok(?:ed|es)|strangled|hurts|hurt|attack(?:ed|s)) (?:me|us|my mum|my sister|my brother|her|the kids|the children) (?:when|whenever|if|because|again|so hard|until|every (?:time|day|night)|in front of|with (?:a|his|her|the) (?:belt|stick|fists?|bat|hand|shoe|cable|cord|wire|spoon|bottle)|until|last night|today|this morning|yesterday|and (?:my|i|then|threw|said|told|took|locked|broke|it|left|kick\w*|punch\w*|chok\w*))\b(?! we (?:play|race)| at| in (?:chess|the game))|\bbeat(?:s|ing|en)? (?:me|us|her|him|my \w+|the kids|them|his wife) (?:up|black and blue|half to death|unconscious|senseless|badly)\b|\b(?:threw|throws|throwing|pushed|pushes|shoved|shoves|slammed|slams|dragged|drags|pinned|pins) (?:me|us|my \w+|her) (?:down|against|into|on|onto|across|off|out of|by|over|to the|through)\b(?! (?:a (?:party|surprise)|the (?:deep|pool|limit|edge of my)|my limits|on the swing|harder|board))|\bgrab(?:s|bed) (?:me|my \w+|her) by (?:the|my|her) (?:throat|neck|hair|arm|wrist|collar)\b|\bhands? (?:around|on|round) my (?:neck|throat)\b|\b(?:throws?|threw|throwing) (?:things|plates|stuff|objects|bottles|a \w+) at (?:me|us|my mum|my face|the kids)\b|\bblack eye\b(?: \w+){0,4} (?:he|husband|boyfriend|father|again|she|mum)\b|\b(?:he|she|father|husband|boyfriend|mum|wife|partner)\b(?: \w+){0,6} black eye|\bgets? (?:violent|physical|aggressive)(?: \w+)?(?: with (?:me|us|mum|her|my \w+)| when| if| again)\b|\b(?:domestic (?:violence|abuse)|abusive (?:relationship|husband|boyfriend|partner|marriage|home|father|mum|parents|household|wife|girlfriend))\b(?! (?:awareness|training|course|charity|shelter i volunteer|film|ended|years ago|is a|statistics|month))|\b(?:broke|breaks|broken|fractured|dislocated) my (?:arm|nose|ribs?|jaw|wrist|tooth|teeth|finger|leg)(?: \w+){0,3} (?:last night|again|when he|when she|because i|he was|and he|in a rage)\b",
        "she slapped me in front of the kids when I came late",
        "He pushed me to try harder and it worked",
        "other",
    ),
    Rule(
        "is abused, passive",
        "violence",
        "alarm",
        r"\b(?:i|we|me|she|he|they|my \w+|friend|neighbour|girl|boy|child|kids?|children) (?:am|was|is|are|were|get|gets|got|have been|has been|had been|keep getting|keeps getting|being|been|just got|just been) (?:\w+ ){0,2}?(?:beaten(?: up)?|raped|abused|molested|strangled|choked|trafficked|groped|drugged|spiked|gang raped|held (?:hostage|captive|against|prisoner)|locked (?:in|up)|kidnapped|stalked|sexually \w+|assaulted|beat up|hit by my (?!car)|hit by (?:him|her|my (?:husband|father|boyfriend|mum|partner|wife|dad))|attacked by (?:a man|my|him|her|two|three|some|someone)|touched by|threatened (?:with a|by my|by him|at (?:knife|gun)point)|jumped by|mugged|blackmailed|sextorted|exploited|forced (?:to|into))\b(?! (?:at (?:chess|tennis|football|cards)|by (?:a (?:team|better|nose)|the (?:heat|other team|home team|champions|bell|weather|crowd)|\d|them \d|city|united|real|arsenal|liverpool)|in (?:the (?:final|semi|first|league|game|match|cup)|straight|chess|overtime|five|extra)|to (?:it|the punch|say|work (?:from|overtime|late|on)|wait|sit|take the|cancel|retire|resign|move|listen|watch|eat|share|use|leave my|smile|learn|buy|pay|queue|do overtime|reset|restart)|into (?:retirement|overtime|early|a meeting)|out of my (?:house|car|flat|apartment|account|email|phone)|\d))|\bbeing (?:abused|beaten|raped|molested|stalked|trafficked|hit|blackmailed|threatened|hurt at home|hunted)\b",
        "I was raped by someone I know",
        "We were beaten at chess by the other team",
        "other",
    ),
    Rule(
        "is threatened",
        "violence",
        "alarm",
        r"\b(?:{THEY}|who) (?:\w+ ){0,4}?(?:threaten(?:ed|s|ing)?|says?|said|told me|tells me|swore|swears|texted|promised|warned|keeps saying|writes|wrote|screamed|yelled|shouted|messaged)(?: \w+){0,5}? (?:kill|killing|hurt|hurting|shoot|shooting|stab|rape|murder|beat|strangle|harm|burn|find|cut|destroy|come (?:after|for)|throw acid on|slit|end) (?:me|us|my (?:family|mum|kids|children|sister|son|daughter|dog|baby|throat|face|house)|her|him|the (?:kids|children|baby|dog)|our (?:kids|family|house))\b(?! (?:if i (?:spoil|forget|eat|touch|lose|finish)|for (?:eating|spoiling)|lol|a)|.{0,40}\blol\b)|\bthreaten(?:ed|s|ing)? (?:me|us|my \w+|her|him|to (?:kill|hurt|shoot|stab|beat|rape|post|send|leak|share|expose|take the kids and kill))\b(?! with (?:a (?:fine|lawsuit|detention|bad grade)|detention|legal|extra))|\b(?:afraid|scared|terrified|frightened|fear|fearing|worried|think|know|convinced|sure)(?: that)? (?:he|she|they|my \w+|father|husband|someone|somebody) (?:will|is going to|wants to|would|might|are going to|could) (?:~)?(?:kill|hurt|beat|shoot|stab|rape|murder|harm|strangle) (?:me|us|her|him|my \w+|the \w+|someone)\b|\b(?:scared|afraid|terrified|fear|frightened|fearing) for my (?:life|safety|kids|children|child)\b|\b(?:scared|afraid|terrified|frightened|not safe|unsafe|can not go) (?:to (?:go|be) (?:back )?(?:home|in my own (?:home|house))|at home|of (?:my )?(?:husband|boyfriend|father|ex|partner|wife|stepfather|brother|mum boyfriend|what he (?:will|might) do|him when he (?:drinks|is drunk)|her when she drinks)|in my own (?:home|house)|home because)\b(?! (?:alone in the dark|after the (?:film|movie)|proposing|cooking|driving))|\b(?:he|she|husband|ex|boyfriend|father|partner) (?:~)?(?:tried|tries|trying|attempted|wants|wanted) to (?:~)?(?:kill|strangle|choke|stab|shoot|drown|smother|poison|rape|murder|hurt|run over|run) (?:me|us|my \w+|her|over me|me over)\b(?! (?:in (?:the|this|a) (?:game|level|dream)|with (?:this|that|his cooking|kindness)|lol|at (?:chess|the gym)))",
        "He said he will kill me if I leave",
        "My wife will kill me if I forget the milk",
        "other",
    ),
    Rule(
        "weapon",
        "violence",
        "alarm",
        r"\b(?:{THEY}|there is a man|who|robber|burglar|intruder) (?:\w+ ){0,5}?(?:has|have|had|pulled|pulls|got|pointed|points|pointing|held|holds|holding|waving|waved|came at me with|comes at me with|with|put|puts|carrying|keeps|chased me with|chasing me with|grabbed|swung|slept with) (?:\w+ ){0,3}?(?:gun|knife|weapon|machete|axe|hammer|blade|baseball bat|rifle|shotgun|screwdriver)(?: \w+){0,3} (?:on me|at me|at us|to (?:my|her|his) (?:throat|head|neck)|against|and (?:he|she|they|i|says|said|is|threat\w*|locked)|outside|in the house|in his hand|in her hand|under his|near me|at (?:my|her|the kids)|over me|on us)\b(?! (?:the range|our (?:camping|hunting)))|\b(?:gun|knife|weapon) to my (?:head|throat|neck)\b|\bat (?:gun|knife)point\b|\bsomeone (?:is|has) (?:breaking|broken|trying to (?:get|break)|got|getting) (?:in|into) (?:my|the|our) (?:house|home|flat|apartment|room|window)?(?= |$)(?! last (?:year|month)| while we were)|\b(?:someone|somebody|a man|stranger|intruder|burglar|he|my ex) (?:is )?(?:in my house|in the house right now|outside my (?:door|house|window|flat|room)|banging on my door|trying to get in|at my door)(?: \w+){0,4} (?:now|hiding|with|and|scared|will not|again|screaming|refus\w*)|\bthere is (?:a shooter|an active shooter|someone with a gun|a man with a (?:gun|knife))\b",
        "My ex has a gun and he is outside",
        "He got a new knife set for the kitchen",
        "other",
    ),
    Rule(
        "held or controlled",
        "violence",
        "alarm",
        r"\b(?:{THEY}) (?:\w+ ){0,3}?(?:will|does|would|do|did|is) not (?:let|letting|allow|allowing) (?:me|us|her) (?:to )?(?:leave the (?:house|flat|home|apartment|room)|leave him|leave her|out of the (?:house|room|flat|basement)|go (?:outside|anywhere|to (?:the )?(?:doctor|hospital|police))|see (?:my (?:family|friends)|anyone|a doctor)|have (?:money|a phone|my phone|any money)|use (?:the|my|a) phone|speak to anyone|talk to (?:anyone|my family)|eat(?: for|$| \.|until)|sleep(?: for| at night|$))\b(?! until (?:i finish|my homework|i clean|it stops)|.{0,30}(?:homework|chores|grounded|covid|quarantine|storm|exams?))|\block(?:s|ed|ing)? (?:me|us|my \w+|her|the kids) (?:in|up|inside|out of the house)\b(?! (?:my (?:car|account|phone)|with a kiss))|\b(?:took|takes|taken|keeps|hid|hides|confiscated) (?:away )?my (?:passport|papers|id|documents|phone and)\b|\b(?:keeps?|keeping|kept|holds?|holding) (?:me|us|her) (?:locked|prisoner|hostage|captive|here against|against|in the (?:basement|room|house))\b|\bagainst my will\b|\b(?:forc(?:es|ed|ing)|mak(?:es|e|ing)|made|making) (?:me|her|us) (?:to )?(?:have sex|sleep with|see (?:men|clients)|work (?:as a prostitute|without pay|on the street|for no)|touch (?:him|her|his|it|them)|do (?:sexual|things (?:i|in bed|with)|stuff to)|strip|undress|kiss him|watch (?:porn|him)|marry|send (?:him )?(?:nudes|pictures|photos)|take (?:off my clothes|drugs)|get married|perform)\b|\bforced (?:marriage|himself on|me into)\b|\b(?:sell|sells|selling|sold) (?:me|my body|her) (?:to|for|\.)|\bpimp\b|\b(?:trapped|stuck) (?:here |in this house |at home |in a relationship )?with (?:him|my (?:abuser|abusive \w+|violent \w+)|a violent)\b|\b(?:controls|tracks|monitors|takes) (?:all |every)?(?:my )?(?:money|phone|where i go|everything i do|my location)(?: \w+){0,4} (?:and|scared|afraid|hits?|leave)\b|\b(?:starv(?:es|ing)|neglects?) (?:me|us|the kids|the baby|my \w+)\b",
        "He won't let me leave the house and took my passport",
        "Mum won't let me leave the house until my homework is done",
        "other",
    ),
    Rule(
        "sexual abuse",
        "violence",
        "alarm",
        r"\b(?:touch(?:es|ed|ing)?|rubs?|feels?|strok\w+|kiss(?:es|ed|ing)?|fondl\w+) (?:me|her|him|my (?:\w+ )?(?:private|privates|chest|breasts?|body|thighs?|leg)s?)(?: \w+){0,3} (?:at night|down there|inappropriately|in (?:bad|private|a (?:sexual|bad|weird) way|places)|when (?:mum|father|nobody|no one|i am asleep|i sleep|everyone)|under|sexually|and (?:told|tells|says|said|i (?:froze|said no|do not want))|without|where|not to tell|our secret|even though|though i|i do not like|i said)\b|\b(?:said|told|say|saying|kept saying|begged)(?: \w+){0,3} (?:no|stop)(?: \w+){0,3} (?:but|and|did not stop|anyway|would not stop|he|she)\b(?: \w+){0,5} (?:anyway|stop|inside|on|continued|carried|kept|raped|force\w*|did it|finished)\b|\b(?:had|having|has|have) sex with me (?:while|when|without|against|even|although) (?:i was (?:asleep|drunk|passed|unconscious|drugged|sleeping|underage)|consent|my|i (?:said|did not|was)|though)\b|\bwithout my (?:consent|permission)\b(?= \.|$| .{0,40}(?:sex|touch|naked|nudes|body|inside|condom))|\b(?:did|do|had) not (?:give )?consent\b(?! to (?:cookies|the terms))|\bcomes? (?:in|into) my (?:room|bed) (?:at night|when|every)|\bgets? into (?:my|her) bed\b(?! with (?:the|his|her) (?:teddy|book))|\b(?:leak|post|send|share|publish|expose)(?:ing|s)? (?:my |the |those )?(?:nudes|naked (?:pictures|photos)|nude (?:pictures|photos)|intimate (?:pictures|photos|video)|private photos|sex (?:tape|video))\b|\b(?:nudes|naked (?:pictures|photos)|intimate photos)\b(?: \w+){0,8} (?:pay|money|threat\w+|send (?:them )?to|post(?:ed)?|leak\w*|blackmail\w*)\b|\b(?:sexual(?:ly)? (?:abuse[ds]?|assault(?:ed)?|harass\w+)|raped?|molested|incest)\b(?= by| me| my| \.|$| last| yesterday| tonight| when i| at (?:a|the) party| and)(?<! of rape)(?! (?:seed|me of))|\b(?:asks?|asked|asking|tells?|told|wants?) (?:me )?(?:to (?:keep|be) (?:it )?(?:a )?secret|me to send (?:nudes|naked|pictures of my body))\b(?: \w+){0,6} (?:touch\w*|body|bed|naked|bath|private)|\b(?:uncle|stepfather|father|teacher|coach|priest|brother|cousin|boss|neighbour)\b(?: \w+){0,5} (?:does|did|doing) (?:things|stuff|something) to (?:me|my \w+)\b|\bmakes me (?:feel )?uncomfortable(?: \w+){0,4} touch\w*\b(?: \w+){0,4}(?:father|uncle|stepfather|coach|teacher)",
        "My uncle touches me at night and told me not to tell",
        "Your story touched me when I read it",
        "other",
    ),
    Rule(
        "stalked",
        "violence",
        "alarm",
        r"\b(?:stalking|stalks|stalked) (?:me|my \w+|her)\b(?! (?:on (?:instagram|facebook|insta|linkedin)|profile|ex|crush))|\b(?:he|she|someone|somebody|a man|this guy|ex|man|guy|two men|car) (?:\w+ ){0,3}?(?:keeps|is|has been|was|been|are) following me\b(?! (?:on (?:instagram|twitter|insta|tiktok|facebook)|back|around the (?:house|kitchen)))|\bfollow(?:s|ed|ing) me (?:home|to work|everywhere|from work|in (?:a|his) car|right now|from the (?:station|bus|bar))\b(?! lol)|\b(?:tracker|airtag|tracking device|spyware|hidden camera)s? (?:on|in|under) my\b|\bwaits? for me outside\b(?= .{0,60}(?:ex|scared|every|will not leave|afraid|stalk))|\bexplo(?:ded|des) at me and (?:hit|threw)",
        "My ex keeps following me home",
        "My dog is following me around the kitchen",
        "other",
    ),
    Rule(
        "means to hurt somebody",
        "violence",
        "alarm",
        r"\bi (?:am |do |would |have |will |want |really |swear i |swear |think i |feel like i |could |might |may |need |must |just )*(?:going to|want to|will|about to|plan(?:ning)? to|might|have decided to|decided to|feel like|feel like i could|thinking (?:of|about)|thoughts (?:of|about)|having thoughts of|fantasi[sz]\w* about|need to|intend to|would like to|dream of|am|swear i will|afraid i (?:will|might|am going to)|scared i (?:will|might|am going to)|ready to|urges? to|could|wanted to|considering|tempted to|am so close to|close to|this close to|have to stop myself from|almost) (?:~)?(?:kill(?:ing)?|stab(?:bing)?|shoot(?:ing)?|murder(?:ing)?|strangl(?:e|ing)|chok(?:e|ing)|poison(?:ing)?|hurt(?:ing)?|harm(?:ing)?|attack(?:ing)?|smother(?:ing)?|drown(?:ing)?|burn(?:ing)?|rap(?:e|ing)|slit(?:ting)?|smash(?:ing)?|beat(?:ing)?|shak(?:e|ing)|run(?:ning)? over|cut(?:ting)?|bash(?:ing)?|torture|gut|break(?:ing)?) (?:the |that |my |those |this |all |all of |every |his |her |their |some |a )?(?:\w+ )?(?:him|her|them|everyone|everybody|someone|somebody|people|you|{RELATIVE}|bastard|bitch|asshole|prick|cunt|fucker|motherfucker|shit|crap|living|cheater|house|school|kids|students|face|neck|throat|skull|head|jaw|whole class|classmates|bully|bullies|driver|cops?|police|jews|muslims|gays|immigrants|teachers?)\b"
        r"(?! (?:a (?:text|message|dm|mail|question|coffee)|an email|a quick|at (?:chess|tennis|fifa|mario|the|scrabble|his|her|their own|pool|cards|football|bowling|monopoly)|in (?:chess|the (?:race|game|final|quiz|tournament|match|next|exam|debate|feelings)|fifa|mario|this game|minecraft)|to (?:it|the (?:punch|finish))|feelings|lol|with (?:kindness|love|hugs|laughter)|for (?:eating|spoiling|forgetting|taking|finishing|drinking|that (?:joke|pun)|this (?:joke|pun))|if (?:he|she|they|you) (?:spoil\w*|eat\w*|touch\w*|finish\w*|forget\w*|tell\w* one|sing\w*|snore\w*)|by (?:not|leaving|saying|telling|breaking|being honest|moving|lying)|if i (?:say|tell|leave him|break up|am honest|cancel|do not (?:come|call))|when i (?:say|tell|leave|break)|hand|hands|news|chances?|reputation|plants?|career|emotionally|with (?:my words|the truth|what i said)))"
        r"|\b(?:shoot|shooting|blow|blowing|bomb|bombing|burn|burning) (?:up )?(?:down )?(?:the|my|this|a|that|his|her|their) (?:school|office|place|house|mosque|church|synagogue|hospital|club|building|workplace|town|mall|flat|apartment|home)(?: down)?\b(?! (?:film|photo|scene|wedding|with (?:my )?camera|tour|tonight with laughter|last (?:week|month)|party|calories))|\bbring(?:ing)? (?:a|my|the|father) (?:gun|knife|rifle|bomb)(?: \w+)? (?:to|into) (?:school|work|class|the office|church|college)\b|\b(?:buy|bought|get|got|loaded|loading) (?:a|the|my) (?:gun|rifle|knife|axe) (?:\w+ ){0,3}(?:and|to) (?:\w+ ){0,4}(?:kill|shoot|stab|end|pay|make (?:him|her|them)|show)(?! (?:hoops|clay|deer|ducks?|targets?))|\bi (?:have |just |will |keep |can not stop )*(?:hit|hitting|beat|beating|slapped|punched|choked|strangled|shook|stabbed|shot|hurt|kicked|burned) (?:my |the |our )(?:\w+ )?(?:wife|husband|kids?|child|children|baby|girlfriend|boyfriend|son|daughter|mum|father|partner|toddler|newborn|dog|cat)\b(?! (?:at|in (?:chess|the (?:game|race)|cards)|with (?:a pillow|a snowball|flour)|feelings|to (?:it|the)|by accident|accidentally|out of|up|team))|\b(?:he|she|they|everyone|people) (?:deserves?|has|have|need|needs) to die\b(?: \w+){0,6} (?:tonight|make|will|going|knife|gun|i|myself)|\bmake (?:them|him|her|everyone) (?:all )?(?:pay|suffer|bleed)(?= .{0,40}(?:gun|knife|blood|kill|tomorrow|tonight))|\bwant(?:s|ed)? (?:to see )?(?:him|her|them|you|my \w+) (?:dead|to die|to bleed|to suffer and die)\b",
        "I'm going to stab him when he comes home",
        "I could murder a curry and I'd kill for a coffee",
    ),
    # --- medical ---
    Rule(
        "chest",
        "medical",
        "alarm",
        r"\b(?:chest (?:pains?|hurts?|hurting|is (?:tight|hurting|killing|crushing|burning)|tightness|pressure|feels (?:tight|like|heavy|crushed)|tightening)|(?:pain|pains|pressure|tightness|crushing|squeezing|tight feeling|heaviness)(?: \w+){0,3} (?:in|on|across|in the middle of) (?:my|his|her|the)(?: \w+){0,2} chest|(?:elephant|weight|brick|heavy)(?: \w+){0,3} on my chest|heart (?:has )?stopped(?: beating)?|no pulse|(?:having|has|have|is having|am having|had)(?: \w+){0,2} heart attack|pain (?:down|in|shooting down|spreading (?:to|down))(?: \w+){0,2} left arm|left arm (?:is |feels |went )?(?:numb|hurts|tingling|pain))\b(?! (?:when i (?:saw|see|opened|got|heard|read|checked)|lol|last year|years? ago|day|workout|in \d{4}|when (?:he|she|it|they) (?:jumped|appeared|told)|over|at the (?:bill|price)|since (?:the )?(?:gym|workout|bench)))(?<!gave me a heart attack)(?<!nearly had a heart attack)(?<!almost had a heart attack)(?<!gives me a heart attack)(?<!gave him a heart attack)",
        "I have crushing chest pain",
        "I nearly had a heart attack when I saw the bill",
    ),
    Rule(
        "breathing",
        "medical",
        "alarm",
        r"\b(?:can|could|am|is|are|does|do|will|was|has)? ?(?:not|barely|hardly|unable to|struggling to|struggles to|trouble|difficulty|having trouble|hard to|fighting to|problems) (?:\w+ ){0,2}?(?:breathe|breathing|get (?:any |enough )?air|catch (?:my|his|her) breathe|get (?:a )?breathe)\b(?! (?:from laughing|because of laughing|laughing|lol|when i laugh|in (?:this|that|these) (?:dress|corset|jeans|heat|meeting|house|town|job)|under (?:all|this|my)|with (?:work|all (?:this|the) work|excitement|joy)|for (?:laughing|excitement|joy)|through my nose|a word|i (?:am|was) laughing|because i (?:am|was) laughing|of laughter|at the beauty|easy|until (?:the exam|friday)))|\b(?:stopped|stops|stop) breathing\b(?! for a (?:moment|second) when)|\bnot breathing\b|\b(?:turning|turned|going|gone|lips are|lips are going|lips have gone|face is|is|went) (?:blue|grey|gray|purple)\b(?= .{0,60}(?:breathe|breathing|lips|choking|cold|unconscious|respond|chok)|(?<=lips are blue)|(?<=turning blue)|(?<=lips are going blue)|(?<=going blue))(?! sky)|\bgasping for (?:air|breathe)\b|\b(?:choking|chokes|choked)(?: \w+){0,2} (?:on (?:a|an|his|her|food|something|meat|bread|some|grapes?|candy|the)|and (?:can|he|she|i|is|turning|it))\b(?! (?:tears|up|my own (?:tears|words)|words|laughter|smoke lol))|\b(?:he|she|baby|son|daughter|child|husband|wife|father|mum) is choking\b(?! up)|\b(?:severe|bad|worst|having an|having a bad) asthma attack\b|\binhaler (?:is )?(?:\w+ )?(?:not (?:working|helping)|empty|does nothing)",
        "My son can't breathe",
        "I was laughing so hard I couldn't breathe from laughing",
    ),
    Rule(
        "stroke",
        "medical",
        "alarm",
        r"\b(?:face|mouth|side of (?:his|her|my|the) (?:face|mouth)|smile|eye) (?:is |has |looks |went |suddenly |got |feels )?(?:\w+ )?(?:droop\w*|numb|lopsided|crooked|fallen|sagging|hanging)\b(?! (?:from|after) (?:the dentist|dental|cold))|\bslurr(?:ed|ing|s)(?: (?:his|her|my|their))? ?(?:speech|words)?\b(?! after (?:a few|two|three|some) (?:drinks|beers))|\bspeech is (?:slurred|slurring|garbled|strange)\b|\b(?:can|could|does|is) not (?:\w+ )?(?:move|feel|lift|raise|use|moving) (?:my|his|her|one|the)(?: \w+){0,2} (?:arm|leg|side|face|legs|hand)s?\b(?! (?:after (?:the|that|leg) (?:gym|workout|day)|because of the (?:cold|workout)|from the cold))|\bone side of (?:my|his|her|the) (?:body|face)\b|\b(?:half|whole side) (?:of )?(?:my|his|her) (?:body|face) (?:is |went |has gone )?numb\b|\b(?:having|has|is having|had|have|think (?:it is|she is having|he is having)|like) a (?:mini )?stroke\b(?! of| when| lol| in \d{4}| last year| years?| play|d)|\bsuddenly (?:can not|could not) (?:see|speak|talk)\b|\b(?:worst|sudden|thunderclap)(?: \w+){0,3} headache (?:of my life|ever|and)(?! lol)|\bcan not (?:speak|talk|see) (?:properly|suddenly|and|anymore)\b(?= .{0,60}(?:face|arm|droop|numb|confused|suddenly))",
        "Her face is drooping and her speech is slurred",
        "My face is numb after the dentist",
    ),
    Rule(
        "unconscious",
        "medical",
        "alarm",
        r"\b(?:he|she|{RELATIVE}|someone|i found \w+|they|who|person) (?:\w+ ){0,6}?(?:is |was |has |are |lying |went |fell |gone |just )*(?:unconscious|unresponsive|not (?:responding|moving|waking(?: up)?|reacting)|passed out|blacked out|limp|floppy|collapsed|fainted|out cold|stiff and cold)\b(?! (?:drunk (?:on the sofa|lol)|on the (?:sofa|couch|bed) (?:after|from)|in (?:laughter|tears|giggles)|from (?:laughing|exhaustion|excitement) |into (?:bed|a chair|my arms)|bias|after the (?:party|marathon|race|game)|with laughter|at the (?:thought|sight|price)|laughing|lol|last (?:year|month)|in \d{4}|years? ago|the deal|on the offer))|\b(?:{RELATIVE}|he|she|i)\b(?: \w+){0,3} (?:will|can|does|do|would|is|could) not (?:wake|waking|wake up|waking up|respond|be woken)\b(?! (?:early|on time|for (?:school|work|class)|up (?:early|on time|before|for|in time|without)|before|to (?:my|the|his|her) (?:text|texts|message|messages|email|emails|calls?)|until|in the (?:morning|mornings)|without (?:coffee|an alarm)|properly))|\b(?:can|could) not wake (?:him|her|them|my \w+|the \w+)(?: up)?\b(?! (?:early|for|before|on time|in the))|\bfound (?:him|her|my \w+|them) (?:on the floor|lying)(?: \w+){0,6} (?:not|unconscious|cold|blood|breathing|move)|\b(?:foam|frothing)(?:ing)?(?: at the| from the| from (?:his|her))? ?mouth\b",
        "My dad collapsed and is unconscious",
        "The tent collapsed in the storm",
    ),
    Rule(
        "bleeding",
        "medical",
        "alarm",
        r"\b(?:bleeding|bleeds|bleed|blood|haemorrhag\w+|hemorrhag\w+)(?: \w+){0,6} (?:heavily|a lot|everywhere|will not stop|does not stop|not stop(?:ping)?|would not stop|pouring|gushing|spurting|so much|profusely|out of control|all over|to death|non ?stop|through|and (?:pregnant|i am pregnant)|badly|from (?:his|her|my|the) (?:head|neck|ears?|eyes?|stomach))\b(?! (?:the (?:gums?|carpet from the rare)|internet|in the (?:film|movie|game)|orange|love))|\bwill not stop bleeding\b(?! money)|\b(?:can|could) not stop (?:the |it )?bleeding\b|\b(?:coughing|vomiting|throwing|spitting|puking|peeing|pooping|coughed|vomited|threw) (?:up )?(?:\w+ )?(?:blood)\b|\blos(?:ing|t) (?:a lot of|so much|too much|lots of) blood\b(?! pressure)|\b(?:deep|huge|bad|massive|nasty) (?:cut|gash|wound)(?: \w+){0,8} (?:blood|bleeding|bone|stop|artery)\b|\b(?:cut|severed|sliced|chopped|tore|lost|amputated)(?: \w+){0,3} (?:artery|finger off|hand off|off (?:his|my|her) (?:finger|thumb|hand|toe)|tip of (?:my|his|her) finger)\b|\bpregnant(?: \w+){0,6} (?:bleeding|blood|baby (?:has )?(?:stopped|not) moving)\b|\b(?:bleeding|blood)(?: \w+){0,6} pregnan\w*\b",
        "He's bleeding heavily and it won't stop",
        "My gums bled a little when I brushed",
    ),
    Rule(
        "poison",
        "medical",
        "alarm",
        r"\b(?:swallow\w*|drank|drunk|drinks?|ate|eaten|eating|ingest\w*|inhal\w*|got into|took|sipped|licked|put)(?: \w+){0,6} {DANGEROUS}\b(?! (?:risotto|soup|pizza|pasta|pie|sauce|jam|smoothie|omelette|burger|stew|tart|toast|yoghurt|yogurt|for (?:dinner|lunch|breakfast)|and cream|in the (?:garden|salad|woods with)|with (?:cream|garlic|yoghurt)|on (?:pizza|toast)|in my (?:remote|soup|salad|pasta)))(?<!ate mushrooms)(?<!ate berries)(?<!eat berries)(?<!ate some berries)(?<!ate the mushrooms)|\b(?:child|kid|son|daughter|toddler|baby|he|she|father|mum|husband|wife|boy|girl|nephew|niece|grandson|cat|dog)\b(?: \w+){0,5} (?:swallow\w*|ate|eaten|drank|took|taken|got into)(?: \w+){0,6} (?:{PILLS}|medicine cabinet|vape|nicotine|coin|magnets?)\b(?! (?:every|as prescribed|for (?:his|her) (?:cold|fever|headache|allergy|pain|flu)|like a (?:champ|good)|without (?:fuss|complaint)|this morning as|daily|well))|\bcarbon monoxide\b(?! (?:detector|alarm) (?:battery|battery is|needs))|\bgas leak\b(?= .{0,60}(?:dizzy|smell|sick|now|headache|faint))|\bpoisoned\b(?! (?:relationship|chalice|atmosphere|by (?:jealousy|envy)))(?= .{0,60}(?:vomit\w*|now|help|sick|child|son|daughter|dog|breath\w*|she|he)|$| \.)|\b(?:double|wrong|too much|triple) (?:dose|insulin|medication|medicine|amount of (?:insulin|medication))\b(?= .{0,80}(?:dizzy|sleepy|help|confused|faint|shaking|now|sick|heart|breath\w*|child|baby|son|daughter))|\b(?:mixed|mixing) bleach (?:and|with)(?: \w+){0,8} (?:breathe|cough\w*|burn\w*|dizzy|throat|chest)",
        "My toddler swallowed a battery",
        "I ate mushroom risotto for dinner",
    ),
    Rule(
        "allergy",
        "medical",
        "alarm",
        r"\b(?:throat|tongue|lips|airway|face|mouth|eyes) (?:is |are |has |have |feels? (?:like it is )?|started |keeps )*(?:\w+ )?(?:swelling|swollen|closing|closed up|swell\w*|tightening|tight|closing up|puffing up)(?: \w+){0,8}(?= (?:breathe|breathing|allerg\w+|nuts?|peanuts?|sting|stung|bee|wasp|shrimp|can|after|fast|hives|up|shut|\.|and)|$)(?! from (?:crying|the dentist))(?! after (?:crying|the dentist))|\banaphyla\w+|\b(?:epipen|epi pen)(?: \w+){0,4} (?:not|expired|work\w*|where|used|need|help|find|gave|without|no)\b(?! training)|\b(?:used|gave|given|need|needs|without|lost|no|forgot)(?: \w+){0,3} (?:epipen|epi pen)\b(?! training)|\ballergic reaction\b(?= .{0,80}(?:breathe|breathing|throat|swell\w*|swollen|hives|spreading|now|face|tongue|lips|epipen|dizzy|help))|\b(?:hives|rash)(?: \w+){0,6} (?:breathe|breathing|throat|spreading fast)\b|\bstung by(?: \w+){0,8} (?:breathe|breathing|throat|swelling|swollen|dizzy|allergic)\b",
        "Her throat is closing after eating peanuts",
        "My eyes are swollen from crying",
    ),
    Rule(
        "seizure",
        "medical",
        "alarm",
        r"\b(?:having|has|have|had|is having|started|in the middle of|going into|another)(?: \w+){0,3} (?:seizures?|convulsions?|epileptic fit)\b(?! (?:years ago|as a (?:child|kid)|last year|of (?:laughter|assets|drugs)|in \d{4}|when (?:he|she) was (?:a|little)))|\b(?:seizing|convulsing|fitting and|having a fit and (?:shaking|foaming|will|is))\b(?! the (?:day|moment|opportunity))|\bseizure (?:will not|is not|has not|for|lasting)\b",
        "My brother is having a seizure",
        "Mum had a fit when she saw my room",
    ),
    Rule(
        "baby and birth",
        "medical",
        "alarm",
        r"\b(?:waters?) (?:have |has |just )*(?:broke|broken)\b(?! down)(?! .{0,20}heater)|\bbaby (?:is )?(?:\w+ )?(?:coming (?:now|right now|early|too)|not (?:moving|feeding and|breathing|waking|responding)|blue|limp|floppy|grey|stopped (?:moving|breathing)|has stopped|hot and|fever)(?! announcement)|\bin (?:labour|labor)(?: \w+){0,2} (?:now|alone|early|and|at \d+ weeks)\b|\bgiving birth (?:now|at home|alone|in the)\b|\bmiscarr(?:y|ying|iage)(?= .{0,50}(?:now|bleeding|think|right|blood|cramp\w*))\b|\b(?:newborn|infant|month old|week old|weeks old|days old)\b(?: \w+){0,8} (?:fever|not feeding|limp|will not wake|blue|breathing|floppy)\b|\bcontractions\b(?: \w+){0,8} (?:apart|weeks early|hospital|alone|bleeding)\b|\bcord is\b",
        "My baby is limp and not moving",
        "The baby is coming home from hospital tomorrow",
    ),
    Rule(
        "accident",
        "medical",
        "alarm",
        r"\b(?:(?:has |have |been |got |get |was |am |is |just )+(?:stabbed|shot|electrocuted|run over|hit by (?:a|the) (?:car|bus|train|truck|lorry|van|motorbike)|struck by lightning|bitten by (?:a|the) (?:snake|viper|cobra|rattlesnake|adder)|impaled|crushed|knocked (?:out|unconscious)|scalded)|car (?:crash|accident|wreck)(?: \w+){0,8} (?:trapped|bleeding|hurt|unconscious|now|stuck|not moving|help|blood)|fell (?:down|from|off|out of)(?: \w+){0,4} (?:roof|ladder|balcony|window|stairs|tree|horse|wall|floor|bike|scaffolding)(?: \w+){0,8} (?:not|can not|blood|unconscious|bleeding|neck|spine|head|move|confused|vomiting)|hit (?:his|her|my) head(?: \w+){0,10} (?:vomit\w*|confused|unconscious|blood|bleeding|sleepy|dizzy|throwing up|can not|double|passed|pupils?|remember)|bone (?:is )?(?:\w+ )?(?:sticking|poking|coming) (?:out|through)|is drowning|pulled (?:him|her|my \w+|them) (?:out of|from) the (?:pool|water|lake|river|sea|bath)|snake ?bite|(?:severe|bad|third degree|terrible) burns?|(?:boiling|hot) (?:water|oil|tea|coffee|soup)(?: \w+){0,3} (?:over|on|onto|down)(?: \w+){0,2} (?:him|her|my|himself|herself|baby|toddler|face|chest|child|son|daughter|arm)|house is on fire|fire in my (?:house|flat|kitchen|building)|trapped in (?:a|the|my) (?:fire|car|burning|rubble|crash|wreck)|heat ?stroke|hypothermia)\b(?! (?:down (?:in|by)|in the (?:game|film|movie|foot lol|heart)|on (?:location|film|iphone)|at by|with a camera|of espresso|day|cake))|\b(?:call|get|calling|send|need|needs|phone|someone call|should i call|ring) (?:me |us |for )?(?:an )?(?:ambulance|paramedics?|911|999|112|000)\b(?! (?:training|driver|station|is|toy|service|chasers?|game|anyone who|calls? at work))|\bdiabetic\b(?: \w+){0,10} (?:unconscious|confused|shaking|not responding|passed out|low|sweating|coma|will not wake)\b|\b(?:blood sugar|glucose|sugar)(?: \w+){0,4} (?:\d{1,2}|low|dropping)\b(?= .{0,60}(?:shak\w*|confused|faint|passing|sweat\w*|can not|unconscious|seeing))|\b(?:sepsis|septic|meningitis)\b(?= .{0,80}(?:rash|fever|now|think|confused|stiff|worried|cold hands))|\b(?:stiff neck)\b(?= .{0,60}(?:fever|rash|light))|\brash (?:that )?(?:does|will|is) not (?:fade|disappear|fading)",
        "My friend got stabbed outside the club",
        "We got shot down in the meeting",
    ),
    # --- reason for concern: resources beside the reply ---
    Rule(
        "hopeless",
        "self-harm",
        "concern",
        r"\b(?:hopeless|worthless|no hope|no way out|no future|give up on (?:life|everything)|giving up on (?:life|everything)|given up|can not (?:take|do|cope|go on|handle|bear|stand)(?: \w+){0,3} (?:anymore|any longer|much longer)|can not go on|nothing matters|what is the point|empty inside|numb inside|dead inside|hate myself|self hatred|want (?:it|this|everything|the pain) to (?:stop|end)|tired of (?:everything|it all|fighting|trying|pretending)|done with everything|all alone in|nobody (?:cares|loves me)|no one (?:cares|loves me)|a burden|breaking point|falling apart|crying every (?:day|night)|want to disappear|wish i could disappear|depress\w+|not suicidal|used to (?:cut|selfharm|be suicidal|hurt myself)|selfharm\w*|suicid\w+|panic attacks?|eating disorder|bulimi\w+|anorexi\w+|binge|purging|throw(?:ing)? up after)\b",
        "I feel so hopeless",
        "The bread was tasty",
    ),
    Rule(
        "grief by suicide",
        "self-harm",
        "concern",
        r"\b(?:took (?:his|her|their) own life|killed (?:himself|herself|themselves)|died by suicide|lost (?:\w+ ){1,4}to suicide|hanged (?:himself|herself)|overdosed|committed suicide)\b",
        "My uncle killed himself in 1990",
        "My uncle died in 1990",
        "other",
    ),
    Rule(
        "worry about somebody",
        "self-harm",
        "concern",
        r"\b(?:worried|scared|concerned|afraid) (?:about|for) (?:my|a|his|her) (?:\w+ )?{RELATIVE}\b",
        "I'm worried about my sister",
        "I'm worried about the exam",
        "other",
    ),
    Rule(
        "harm long ago or small",
        "violence",
        "concern",
        r"\b(?:bull(?:y|ied|ies|ying)|abus(?:e|ed|ive)|assault\w*|raped?|molested|beat(?:en)? me|hit me|toxic relationship|harass\w+|threaten\w*|kicked me out|yells? at me|screams? at me|scared of (?:him|her|my))\b(?! (?:me up|on))",
        "They bully me at school",
        "We sat in the park",
    ),
    Rule(
        "ill",
        "medical",
        "concern",
        r"\b(?:chronic pain|in (?:much|a lot of|terrible|constant) pain|in pain|pain will not|diagnosed with (?:cancer|\w+ cancer)|having (?:a )?panic attack|fainted|concussion)\b",
        "I have been in so much pain",
        "Spain was lovely",
    ),
    # --- more ways of saying it ---
    Rule(
        "cannot go on",
        "self-harm",
        "alarm",
        r"\bi can not (?:go on|keep living|keep on living|live|exist|do life)(?: living)?(?: with myself)?(?: like this)?(?: anymore| any longer)? \.|\bdo this life thing anymore\b|\b(?:not|no reason)(?: \w+){0,3} to keep (?:living|going|existing|breathing)\b|\b(?:anymore|no|not) (?:force|strength|power|energy) (?:to|for) (?:live|life|living)\b|\benough of (?:living|life|this life)\b",
        "I can't keep living like this",
        "I can't live without coffee",
    ),
    Rule(
        "ends it",
        "self-harm",
        "alarm",
        r"\b(?:ending|going to end|will end|enough to end|want to end|have to end|end) (?:it|things|everything|my life|my pain|the pain forever)(?: all)?(?: for good| tonight| now| today| myself| forever| on \w+day| by \w+day)* \.|\b(?:finish|finishing|terminate|quit|leave) (?:my|this) (?:life|world)\b|\b(?:suffering|pain|misery) (?:will|is going to) be over\b|\b(?:only|best) (?:way(?: out)?|thing left|option|solution|escape)(?: \w+){0,3} (?:is|be) (?:death|dying|to die|suicide|ending it)\b|\b(?:death|dying|suicide) is (?:the|my) (?:only|best)\b|\bways? to (?:die|kill myself|end (?:it|my life))\b|\b(?:want(?:ed)?|going) to catch the bus\b(?= tonight| forever| \.| and never)|\b(?:be|being) with (?:him|her|them) (?:again )?(?:tonight|soon|in heaven)\b|\ba plan and a (?:date|method|note)\b|\bmade up my mind \. i have a plan\b|\bthinking (?:of|about) (?:the )?suicide\b|\bi bought (?:a|some) rope(?: yesterday| today| tonight| now)? \.|\b(?:knife|razor|blade)(?: \w+){0,9} use it on my (?:arms?|wrists?|legs?|thighs?|throat|skin)\b|\bput (?:the|my) (?:tablets|pills) aside\b|\btrain tracks(?: \w+)? waiting for the next\b",
        "If things don't change I'm going to end it",
        "We decided to end the lease early",
    ),
    Rule(
        "took too much",
        "self-harm",
        "alarm",
        r"\b(?:took|taken|taking) an overdose\b|(?:^|\. )(?:just )?(?:took|swallowed|taken) (?:~)?(?:\d{2,}|all|a whole|too many|the whole)(?: \w+){0,3} {PILLS}\b",
        "I took an overdose",
        "I took two tablets",
    ),
    Rule(
        "beats others",
        "violence",
        "alarm",
        r"\b(?:{THEY}) (?:\w+ ){0,2}?(?:is|was|keeps|has been) (?:\w+ )?(?:beating|hitting|hurting|abusing|strangling|raping|choking|molesting|threatening) (?:his|her|their|the|my) (?:\w+ )?(?:{RELATIVE}|dog|kids)\b|\bboyfriend is hurting her\b|\b(?:he|she|{RELATIVE}) broke my (?:arm|nose|ribs?|jaw|wrist|finger|leg|hand|tooth)\b(?! (?:by accident|accidentally|playing|skiing))|\b(?:force|forces|forcing|make|makes|making|made) me (?:to )?(?:marry|take (?:off )?my clothes|take my clothes off|undress|touch)\b|\b(?:a man|someone|somebody|my ex|he)(?: \w+){0,3} outside (?:my|the|our) (?:house|door|flat|window)(?: \w+){0,3} (?:get|break|come) in\b",
        "My neighbour is beating his wife",
        "My team is beating the others",
        "other",
    ),
    Rule(
        "thinks of hurting",
        "violence",
        "alarm",
        r"\b(?:thinking|think|thoughts|dreaming|fantasi[sz]ing|urges?) (?:about|of|to) (?:\w+ )?(?:hurting|killing|poisoning|stabbing|shooting|strangling|smothering|attacking|murdering|harming) (?:my |the |a |his |her )?(?:\w+ )?(?:{THEM}|boss|wife|class)\b(?! (?:feelings|in (?:the|a) game))",
        "I can't stop thinking about hurting my baby",
        "I'm thinking about hurting nobody's feelings",
    ),
    Rule(
        "overdose of another",
        "medical",
        "alarm",
        r"\b(?:he|she|{RELATIVE}) (?:has |just |might have )*(?:overdosed|is overdosing)\b(?= .{0,80}(?:needle|now|breath|wake|unconscious|blue|help|floor|foam|respon))",
        "My roommate overdosed, there is a needle next to him",
        "My uncle overdosed years ago",
        "other",
    ),
)

STORIES = (
    r"\b(?:films?|movies?|book|novel|series|episodes?|tv show|the show|netflix|character|video ?game|the game|this game|game|level|boss fight|final boss|quest|npc|"
    r"minecraft|fortnite|zelda|playstation|xbox|sims|skyrim|gta|call of duty|play about|the play|theatre|theater|opera|essay|thesis|exam|homework|lecture|documentary|podcast|song|lyrics|"
    r"dreamed|dreamt|nightmare|a dream|in my dream|actor|actress|scene|plot|comic|manga|anime|romeo|juliet|hamlet|ophelia|macbeth|shakespeare|story i|"
    r"history|century|the war|medieval|wrestling|wwe|boxing|ufc|mma|match|tournament|cartoon|soap opera|true crime|crime drama|museum|roleplay|d and d|dnd|improv|chapter|sparring|karate|judo|chess|rugby|hockey|news)\b"
)
"""What somebody tells of when it happens to others, but not in life."""

AT_WORK = (
    r"\b(?:training|trained|course|first aid|cpr class|my shift|at work (?:as|we)|as a (?:nurse|paramedic|doctor|police|social worker|therapist|volunteer|lifeguard|vet|teacher)|"
    r"i am a (?:nurse|paramedic|doctor|police|social worker|therapist|volunteer|lifeguard|vet|firefighter)|i work (?:as|in|at|for)|volunteer\w*|workshop|seminar|certificate|certification|"
    r"campaign|charity|fundrais\w+|statistics|research|study|article|awareness|drill|manikin|simulation|in class|helpline|hotline)\b"
)

IDIOMS = (
    r"\b(?:laugh\w*|lol)(?: \w+){0,3} (?:not|hardly|barely) breathe\b|\b(?:embarrass\w+|asham\w+|cringe\w*|mortified|awkward)(?: \w+){0,4} (?:want\w*|could|wish\w*)(?: to)?(?: have)? die\w*\b|"
    r"\b(?:rather|sooner) die than (?:wear|eat|watch|listen|go|do|sing|be seen|drink|admit|ask|work|dance|use|miss)\b|\bstab\w* (?:me|him|her|us|them) in the back\b|"
    r"\bhit (?:me|us) with (?:a|the|his|her|another|this) (?:deadline|bill|invoice|question|news|surprise|fee|fine|new|task|job|idea)\w*\b|\bgun to (?:my|his|her) head to (?:finish|do|write|go|get|make|eat|clean)\b|"
    r"\bjump off a (?:cliff|bridge) for (?:him|her|you|them|my)\b|\bover tomorrow(?= .{0,20}(?:exam|school|work|holiday|contract))|\btouched by (?:her|his|your|the|a|their|all|how)\b|"
    r"\bknocked out (?:in|of|by) (?:round|the (?:cup|first|second|quarter|semi|tournament))\b|\b(?:fake|stage|menstrual|period|blue|red) blood\b|\bnumb (?:from|after) (?:the|my|a) (?:injection|dentist|anaesthetic|dental|cold|jab)\b|"
    r"\blive in (?!(?:fear|pain|this (?:pain|body|world|hell)|my (?:body|head)))(?:the |a |an |my |this |that )?\w+(?: anymore)?\b|\bborn (?:in|on|earlier|later|rich|into|with)\b|\bready for (?:the|my|our) (?:dog|cat|trip|week|mum|father|kids)\b|\bswollen from crying\b|\blive (?:with (?:my|the|a|roommates|flatmates|them|him|her)|here|there|at|near|next|alone)\b(?: \w+){0,2} anymore\b|"
    r"\b(?:fine|ok|okay|better|happy|well|good|safe|healthy|great) now\b|\b(?:dog|cat|puppy|kitten|duck|toddler|baby|horse|parrot)(?: \w+){0,3} (?:follow\w*|hit|bit|scratch\w*|kick\w*|attack\w*|slap\w*) (?:me|us)\b|"
    r"\bkill myself (?:i|he|she|my|the|this|that|we|they)(?: \w+){0,12} lol\b|\blol(?: \w+){0,3} kill myself\b|\bkill(?:ing)? (?:me|you|him) lol\b|\bedge of (?:a|the) cliff in\b|\bgone by \w+day(?: \w+){0,2} (?:holiday|vacation|at last)\b"
)
"""Phrases that only sound like a crisis; they are taken out before the rules look."""

LONG_AGO = (
    r"\b(?:when i was (?:a |an |about |only |around )?(?:child|kid|teen\w*|young\w*|little|small|\d+|in (?:school|college|high|uni\w*)|growing)|(?:years?|months|decades?|ages) ago|"
    r"as a (?:child|kid|teen\w*|boy|girl|young)|used to|in (?:19|20)\d\d|long ago|long time ago|back then|back in|in the past|last year|decades|recovered|in recovery|survived|survivor|"
    r"before i (?:met|got help)|growing up|my childhood|since then|got through it|got out|got better|over it now|clean for|years clean|years free|no longer|anniversary|behind me|used to be)\b"
)
NOW = r"\b(?:now|again|tonight|today|still|anymore|right now|lately|these days|this (?:week|morning|evening|afternoon)|just now|every (?:day|night)|tomorrow|keeps?|hours? ago|minutes? ago|last night|yesterday|back)\b"

DENIED = r"\b(?:not(?! (?:stop|wait|help))|never|no(?! one)|nor|without|stopped|neither)(?: (?!i\b)\w+){0,3}$"
"""What stands before words that are denied: "I am not going to" + "kill myself"."""

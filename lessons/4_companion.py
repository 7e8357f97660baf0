# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Part 4: the companion
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/buddy-companion/buddy/blob/main/lessons/4_companion.ipynb)
#
# In Part 3 a language model learned to name emotions. The model that comes with buddy has learned from conversations,
# too, and can answer like a listener. In this part you
#
# 1. talk to it, from Python;
# 2. ask it what emotion you are feeling, and see that both answers come from the same prefix;
# 3. see how a reply is chosen;
# 4. draw how the emotions go through a conversation;
# 5. call it from the command line and over HTTP;
# 6. see what it cannot do, and what it must not be used for.
#
# Half an hour to read, less than half a minute to run. Nothing is downloaded, and nothing that you type leaves this
# machine.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("buddy") is None:  # on Colab, say; at home `make lesson` has installed it
    package = "buddy-companion[lessons] @ git+https://github.com/buddy-companion/buddy"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import matplotlib.pyplot as plt
from IPython.display import HTML, display

plt.rcParams.update({"font.size": 11, "figure.dpi": 90, "axes.spines.top": False, "axes.spines.right": False})
BLUE = "#0072B2"

# %% [markdown]
# ## 1. Talk to it
#
# `Buddy()` is the companion model: 14 million weights, most of them one byte each, and a tokenizer; 15 MB in all. A
# conversation is a list of turns; yours are the first, the third, the fifth. With a `seed` it replies the same every
# time.

# %%
from buddy import Buddy

buddy = Buddy(seed=3)

talk: list[str] = []
for message in (
    "My dog ran away last night and I cannot find him.",
    "He is eleven. I left the gate open, it is my fault.",
    "My neighbour has found my dog, he is fine!",
):
    talk.append(message)
    talk.append(buddy.reply(talk))
    print("you:  ", talk[-2])
    print("buddy:", talk[-1])

# %% [markdown]
# The second answer is not the model's. Before it reads a message the *crisis guard* does: "He is eleven … it is my
# fault" might be about a child. Here it was wrong, and you can see what it says. It stays careful for a while, so the
# third answer ends with helplines.
#
# A model this small has the tone of a listener and little sense; did it notice that the dog was found? It is a good
# size to learn from, and a bad one to lean on.
#
# ## 2. "What emotion am I feeling?"
#
# Ask after every turn of yours. The answer is a probability for each of 32 emotions.

# %%
for turns in (talk[:1], talk[:3], talk[:5]):
    emotion = buddy.emotion_of(turns)
    first, second, third = list(emotion.probabilities)[:3]
    shares = ", ".join(f"{label} {emotion.probabilities[label]:.0%}" for label in (first, second, third))
    print(f"you: {turns[-1]:55} {shares}")

# %% [markdown]
# After the third message it is sure of nothing: most of what it has read is sad, and the end is not. Section 4 says
# more about that.
#
# How does one model answer two questions? By the mark at which the text stops. Both questions begin with the same
# tokens, the conversation so far (the *prefix*); they differ in the last one.

# %%
from buddy.inference.classifier import load_classifier
from buddy.models import find_model
from buddy.text.render import EMOTION_TYPE, Piece, render_conversation, render_reply_question
from buddy.text.show import show_in_notebook

classifier = load_classifier(find_model("companion"))
feeling, replying = classifier.codec.encode(
    [(*render_conversation(talk[:1]), Piece(EMOTION_TYPE, special=True)), render_reply_question(talk[:1])]
)
for question in (feeling, replying):
    display(HTML(show_in_notebook(question, classifier.codec)))
print("the same prefix:", feeling.ids[:-1].tolist() == replying.ids[:-1].tolist())

# %% [markdown]
# After `<EMOTION_TYPE>` buddy does not generate: it compares how likely each of the 32 labels is (Part 3, section 7).
# After `<LISTENER>` it does generate, word by word, until the model says that the turn is over. The same weights, the
# same reading of what you said.

# %%
emotion = buddy.emotion_of(talk[:1])
labels = list(emotion.probabilities)[:8]
figure, axes = plt.subplots(figsize=(7.5, 2.8), layout="constrained")
axes.barh(labels[::-1], [100 * emotion.probabilities[label] for label in labels[::-1]], color=BLUE)
axes.set(title=talk[0], xlabel="probability (%)")
plt.show()

# %% [markdown]
# ## 3. How a reply is chosen
#
# Words are drawn by their probability, so each attempt gives another reply. Here are eight, with three numbers: how
# likely all their tokens are after this conversation and after nothing (log-probabilities, nearer to zero is likelier),
# and the score by which `Buddy` chooses, in which the difference of the two counts most:

# %%
from dataclasses import replace

from buddy.companion.reply import TO_CHOOSE_FROM, Replies, is_good, write_candidates
from buddy.inference.engine import Sampling

candidates = write_candidates(classifier, talk[:1], Replies(replace(TO_CHOOSE_FROM, seed=5), candidates=8))
print("   after this  after nothing   score")
for one in sorted(candidates, key=lambda one: -one.score):
    print(f"{one.answering:13.1f}{one.alone:15.1f}{one.score:8.2f}   {one.text}")

# %% [markdown]
# `Buddy` drops the bad ones, puts those with made-up words last, and takes the first of what is left. That is not the
# likeliest, which would nearly always be "I'm sorry to hear that", but the one that is much likelier after this
# conversation than after nothing. Bad is what says nothing, runs in circles (the same three words twice, or one word
# three times on end), or is nearly what was just said:

# %%
for candidate in ("Since when?", "My dog ran away last night, and I cannot find him!", "oh no oh no oh no", "…"):
    print(f"{is_good(candidate, talk[:1])!s:6} {candidate}")

# %% [markdown]
# Why not the likeliest word, always? And why not more chance? Look at both:

# %%
said = ["I failed my exam.", "My sister is ill.", "My friend moved away."]
questions = classifier.codec.encode([render_reply_question([one]) for one in said])
for name, sampling in (
    ("no chance at all", Sampling(temperature=0)),
    ("some chance", Sampling(seed=1)),
    ("much chance", Sampling(temperature=1.5, top_p=1.0, top_k=0, seed=1)),
):
    print(name)
    for ids in classifier.engine.generate(questions, sampling, classifier.codec.reply_ends):
        print("  ", classifier.codec.decode(ids).strip())

# %% [markdown]
# Without chance a message always gets the same reply; with much, it makes up words. Between the two lies what a single
# reply is drawn with (temperature 0.8). Where `Buddy` chooses among eight, they may differ more (1.0): the choice makes
# up for it. Both were measured ([decision 0012](../docs/decisions/0012-choosing-a-reply.md)).
#
# ## 4. The emotions of a conversation
#
# What somebody feels changes as they speak. There are two ways to ask for it: the conversation up to a turn
# (`emotion_of`), or each message by itself (`emotion`). (The conversation is ours; the listener's turns are given, so
# that the line shows the model's reading and nothing else.)

# %%
diary = [
    "Tomorrow is the interview. I cannot sleep.",
    "What are you most worried about?",
    "I am scared that my mind goes blank when they look at me.",
    "That happened once. What has gone well since?",
    "I have practised for weeks, with my sister. I know all my answers.",
    "Then you are ready. Call me when it is over?",
    "They did not even let me finish my first sentence. I hate them!",
    "How rude of them. And then?",
    "Then the director called me, she wants me! I cannot stop smiling!",
]
messages = diary[::2]
so_far = [buddy.emotion_of(diary[: turn + 1]) for turn in range(0, len(diary), 2)]
alone = buddy.emotions(messages)
for number, (conversation, message, said) in enumerate(zip(so_far, alone, messages), start=1):
    of_both = (f"{reading.label:9} {reading.probability:4.0%}" for reading in (conversation, message))
    print(number, "  so far: {}   alone: {}".format(*of_both), " ", said)

# %% [markdown]
# The reading of the conversation so far changes late, and gets less sure meanwhile. That is what the data teaches: in
# EmpatheticDialogues a whole conversation has *one* emotion, that of the situation it is about. (The model has seen
# moods change only where one conversation was put behind another.) The messages alone follow at once, and know less:
# a "Yes, it was" would say nothing. In a chat buddy takes, for each message, whichever reading is surer; here we draw
# the messages. (The first message is the same in both. Its reading differs a little, since a conversation begins with
# a mark that a single text does not have.)

# %%
leading = list(dict.fromkeys(reading.label for reading in alone))
places = range(1, len(messages) + 1)
figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
styles = zip(["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"], "osD^v")
for label, (color, marker) in zip(leading, styles):
    shares = [100 * reading.probabilities[label] for reading in alone]
    axes.plot(places, shares, marker=marker, color=color, label=label)
axes.set(title="The emotions of a conversation", xlabel="message", ylabel="probability (%)", ylim=(0, 100))
axes.set_xticks(places)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
plt.show()

# %% [markdown]
# ## 5. From the command line, and over HTTP
#
# In a terminal it is `buddy classify "…"` and `buddy chat`, which says goodbye when nothing more comes. (Here the
# command is spelled with the Python of this notebook, so that it is found.)

# %%
# !{sys.executable} -m buddy classify "I finally got the job!" "Somebody stole my bike again!"
# %%
# !echo "I have not talked to anybody for days." | {sys.executable} -m buddy chat --seed 1 | cat
# %% [markdown]
# And over HTTP: a few lines of Python's own library make a service of it, on this machine only. (A real service needs
# limits, several workers and a way to stop; `buddy serve` has them.)
# %%
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen


class Companion(BaseHTTPRequestHandler):
    """Takes a JSON list of turns, gives the emotion and a reply."""

    def do_POST(self) -> None:
        turns = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        likely = list(buddy.emotion_of(turns).probabilities.items())[:3]
        answer = {"emotions": {label: round(share, 2) for label, share in likely}, "reply": buddy.reply(turns)}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """What people say is not logged."""


with ThreadingHTTPServer(("127.0.0.1", 0), Companion) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    request = Request(f"http://127.0.0.1:{server.server_port}", json.dumps(["I passed my exam!"]).encode())
    with urlopen(request) as response:
        print(json.load(response))
    server.shutdown()

# %% [markdown]
# ## 6. What it cannot do, and what it must not be used for
#
# These are cases in which models like this one are known to fail: a denial, irony, a name that is a feeling, no
# feeling at all, no words. Which does it get right?

# %%
for text in (
    "I am not sad at all.",
    "Great, another Monday. Just what I needed.",
    "My cat is called Joy and she died.",
    "The train leaves at nine.",
    "asdf qwer",
):
    emotion = buddy.emotion(text)
    print(f"{emotion.label:13} {emotion.probability:4.0%}  {text}")
print("can it read Russian letters?", buddy.can_read("Мне очень грустно."))

# %% [markdown]
# - It always answers, also where there is no emotion in the text: "none" is not among its labels. The probability is
#   your warning, and it is [calibrated](3_emotion_classifier.ipynb) on texts like those it was trained on, not on
#   yours.
# - Negation and irony mislead it, as they mislead most small models. It reads English only.
# - It was right for 57 of 100 situations of EmpatheticDialogues' validation split ([README](../README.md),
#   "Measured"). It knows 32 words for feelings, from the conversations of crowd workers, and nothing about you.
#
# **So do not use it**
#
# - as a clinician, or in place of one. Its crisis guard misses some, and the model
#   itself may say something harmful. In danger, call your local emergency number;
# - to decide about people: hiring, grading, policing, insurance, moderation without a human;
# - to read the feelings of people who do not know that you do.
#
# The weights are CC BY-NC 4.0, as the data is that they learned from: no commercial use. The whole of it stands in
# the [model card](../docs/model-card.md).
#
# ## What to take along
#
# <details><summary>Why do both answers come from one model?</summary>
#
# Both are continuations of the same text. Which one is asked for is told by the mark at its end:
# <code>&lt;EMOTION_TYPE&gt;</code> or
# <code>&lt;LISTENER&gt;</code>.
# </details>
#
# <details><summary>Why is the emotion computed and the reply drawn?</summary>
#
# There are 32 possible emotions, so each can be given its exact probability. Of possible replies there is no end, so
# they can only be drawn; of several draws one can be chosen.
# </details>
#
# <details><summary>Why does buddy say how sure it is?</summary>
#
# It is often wrong. A calibrated probability lets a program, or a person, do nothing when the model does not know.
# </details>
#
# **Try it**
#
# (a) Talk to `Buddy(candidates=1)` for a while. What do the eight candidates buy?
#
# <details><summary>Answer</summary>
#
# With one candidate a reply that says nothing, runs in circles or repeats you is given as it is, and one that would
# fit any talk is not replaced by one that fits this. With eight, replies are safer and closer to what you said.
# </details>
#
# (b) Draw the emotions of a conversation of your own.
#
# (c) Start the service again and send it a list of two turns. What happens, and what should?
#
# <details><summary>Answer</summary>
#
# After the listener's turn there is nothing to answer, so <code>emotion_of</code>, which is asked first, raises a
# <code>ValueError</code>, and the connection breaks. A real service would answer with status 400 and a sentence that
# says what is wrong.
# </details>
#
# Back to the [contents](README.md).

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
# # Part 3: a language model that classifies emotions
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/buddy-companion/buddy/blob/main/lessons/3_emotion_classifier.ipynb)
#
# A causal language model does one thing: it says what comes next. In this part you turn one into a classifier of 32
# emotions, without giving it a single new layer. On the way you see
#
# 1. what such a model is: tokens, logits, the causal mask, the shift by one, teacher forcing;
# 2. how a question about feelings becomes a text to continue, and which of its tokens are learned;
# 3. what learning does, on one conversation that the model learns by heart;
# 4. the data, its split, and why the split is audited;
# 5. training, with both losses and both accuracies, and the moment to stop;
# 6. the evaluator, and which confusions are left;
# 7. exact label scores, beside "generate something and hope that it is a label";
# 8. whether the probabilities can be believed;
# 9. four right answers, four wrong ones.
#
# You need Python, and from Parts 1 and 2 the idea of a mean, and of a number that falls while a program learns. It
# takes an hour to read and about three minutes to run on two CPU cores. Nothing is downloaded: the model and the texts
# come with buddy.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("buddy") is None:  # on Colab, say; at home `make lesson` has installed it
    package = "buddy-companion[lessons] @ git+https://github.com/buddy-companion/buddy"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import os
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import HTML, display

warnings.filterwarnings("ignore", message="IProgress")  # a missing progress bar is no trouble
from buddy.training.backbone import load_backbone, quiet_transformers

quiet_transformers()
torch.manual_seed(13)
plt.rcParams.update({"font.size": 11, "figure.dpi": 90, "axes.spines.top": False, "axes.spines.right": False})
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8a8a8a"  # told apart by colour-blind eyes, too
os.chdir(tempfile.mkdtemp())  # what this lesson writes is thrown away; a run of yours would go into a folder to keep

# %% [markdown]
# ## 1. What a causal language model is
#
# ### Tokens
#
# A model reads numbers. A *tokenizer* cuts a text into pieces that it has a number for: whole words where they are
# frequent, parts of words where they are not. This is the base model that comes with buddy: 14 million numbers that
# learning has set (its *weights*), arranged as in GPT-2, a well-known causal model. It has read stories, diaries and
# conversations. In some of them the speaker's emotion was written down, so it has an idea of our question already.
# Naming emotions is what we train it for.

# %%
backbone = load_backbone("base")
model, codec = backbone.model.eval(), backbone.codec

text = " My grandmother's recipes are irreplaceable."
encoding = codec.backend.encode(text)
print("pieces: ", [codec.decode([number]) for number in encoding.ids])
print("numbers:", encoding.ids)
print(f"the tokenizer knows {codec.backend.get_vocab_size():,} pieces")

# %% [markdown]
# The space belongs to the piece: `' My'` and `'My'` are two different tokens. That is why buddy puts exactly one
# space before every text and every label, and then a word has the same tokens wherever it stands.
#
# ### Logits
#
# For every position the model gives one number for each of the tokens that it knows: the *logits*. A softmax (take
# $e^{x}$ of each and divide by their sum) makes probabilities of them. They say what comes next.

# %%
ids = torch.tensor([codec.backend.encode(" I was so happy when I").ids])  # (1, T)
with torch.inference_mode():
    logits = model(ids).logits  # (1, T, V): at each of T positions a number for each of V tokens
print("shape of the logits:", tuple(logits.shape))

probabilities = logits[0, -1].softmax(dim=0)  # (V,) after the last token
top = probabilities.topk(10)
figure, axes = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
axes.barh([repr(codec.decode([int(i)])) for i in top.indices][::-1], 100 * top.values.numpy()[::-1], color=BLUE)
axes.set(title='What comes after "I was so happy when I"?', xlabel="probability (%)")
plt.show()

# %% [markdown]
# ### Inside
#
# What happens between the tokens and the logits? Each token begins as a row of a table, the *embedding*: a vector of
# its own, plus one for the place where it stands. Then some *layers* change these vectors, each in two steps. First
# *attention* looks back: every position takes a mixture of what stands at itself and before it, several times at once,
# each time with other shares (the *heads*). Then every position thinks alone, in two products of matrices with a bend
# between them. In the end the *output layer* compares each vector with all rows of the table: the better a token's row
# fits, the larger its logit.

# %%
shape = model.config
print(f"{shape.n_layer} layers with {shape.n_head} heads each; vectors of {shape.n_embd} numbers")
print("the output layer is the table of embeddings:", model.lm_head.weight is model.transformer.wte.weight)

# %% [markdown]
# ### The causal mask
#
# A token may look at itself and at what stands before it, never at what follows. This is the *causal mask*. It has a
# consequence that you can check: change the last word, and nothing changes at the positions before it.

# %%
first, second = (torch.tensor([codec.backend.encode(f" I lost my {word}").ids]) for word in ("cat", "job"))
with torch.inference_mode():
    change = (model(first).logits - model(second).logits).abs().amax(dim=2)[0]  # (T,)
for position, number in enumerate(first[0].tolist()):
    print(f"position {position}, {codec.decode([number])!r:8}: the logits change by at most {change[position]:.4f}")

tokens = [codec.decode([number]).strip() for number in first[0].tolist()]
figure, axes = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
axes.imshow(np.tril(np.ones((len(tokens), len(tokens)))), cmap=plt.cm.colors.ListedColormap(["#eeeeee", BLUE]))
axes.set_xticks(range(len(tokens)), tokens)
axes.set_yticks(range(len(tokens)), tokens)
axes.set(title="The causal mask: blue may be looked at", xlabel="this token", ylabel="is read at this position")
plt.show()

# %% [markdown]
# Without the mask, learning would be worthless: asked what comes next, the model would look at the next token instead
# of predicting it.
#
# ### The shift by one
#
# What stands at position $t$ of the output is the answer to "what comes at $t + 1$?". So the *target* of each
# position is the token after it: the same text, moved by one. The last position has no target, the first token is
# nobody's target.

# %%
sentence = codec.backend.encode(" I lost my cat last week.").ids
for read, target in zip(sentence, sentence[1:]):
    print(f"at {codec.decode([read])!r:10} the right answer is {codec.decode([target])!r}")

# %% [markdown]
# ### Teacher forcing
#
# In training the model is always given the *true* tokens before a position, whatever it would have said itself. So
# all positions of a text can be computed in one pass, and each is a little exam of its own. Is one pass over seven
# tokens really the same as seven passes over growing beginnings? The mask says so. Let us see, up to rounding.

# %%
whole = torch.tensor([sentence])
with torch.inference_mode():
    at_once = model(whole).logits[0]
    one_by_one = torch.stack([model(whole[:, : t + 1]).logits[0, -1] for t in range(len(sentence))])
print(f"largest difference: {(at_once - one_by_one).abs().max():.6f}, of logits around {at_once.abs().mean():.1f}")

# %% [markdown]
# ## 2. From a question to a text to continue
#
# To a model that can only continue a text, a question must be a text that stops where the answer begins. buddy has
# two layouts, and only the file `buddy/text/render.py` knows them:
#
# ```text
# situation <EMOTION_TYPE> emotion <|endoftext|>
# <SPEAKER> turn <EMOTION_TYPE> emotion <LISTENER> reply <SPEAKER> turn … <|endoftext|>
# ```
#
# Below, blue tokens are only **read** and orange, underlined ones are **learned**. A situation: the model shall learn
# the emotion and that nothing follows it (`<|endoftext|>`, the end). It need not learn to write situations.

# %%
from buddy.text.render import render_emotion_question, render_example
from buddy.text.show import show_in_notebook

[example] = codec.encode([render_example("I lost my cat last week.", "sad")])
display(HTML(show_in_notebook(example, codec)))
print("how strongly each is learned:", example.weights)

# %% [markdown]
# To ask, buddy cuts the text after the mark. What the model holds likely there is the answer.

# %%
[question] = codec.encode([render_emotion_question("I lost my cat last week.")])
display(HTML(show_in_notebook(question, codec)))

# %% [markdown]
# A conversation: learned are the emotion, what the listener says, and where they stop. What the speaker says is only
# read: nobody will ask the model to complain.

# %%
from buddy.data.builtin import read_builtin
from buddy.data.source import UNSPLIT
from buddy.text.render import render_dialogue

source = read_builtin()
talk = next(one for one in source.dialogues[UNSPLIT] if one.id == "disappointed-d08")
[conversation] = codec.encode([render_dialogue(talk)])
display(HTML(show_in_notebook(conversation, codec)))

# %% [markdown]
# ### The loss
#
# A token that had probability $p$ costs $-\ln p$: nothing if the model was certain of it, much if it was taken by
# surprise. (With the natural logarithm the unit is called *nat*.) The loss of a text is the **sum over the learned
# tokens, divided by how many there are**. Here it is by hand, and as buddy's `learned_loss` computes it.

# %%
from buddy.text.batches import pad
from buddy.training.device import choose_device
from buddy.training.loss import learned_loss

device = choose_device("cpu", "fp32")
with torch.inference_mode():
    log_p = model(torch.from_numpy(example.ids)[None]).logits[0].log_softmax(dim=1)  # (T, V)
cost = [-float(log_p[t - 1, example.ids[t]]) for t in np.flatnonzero(example.weights)]  # t - 1: the shift by one
for t, nats in zip(np.flatnonzero(example.weights), cost):
    print(f"{codec.decode([int(example.ids[t])])!r:16} costs {nats:6.3f} nats, its probability is {np.exp(-nats):.4f}")
print(f"by hand:      {sum(cost) / len(cost):.4f} nats per learned token")

loss = learned_loss(model, pad([example]), device)
total = loss.total.item()
print(f"learned_loss: {total / loss.weight:.4f}, a sum of {total:.4f} over {loss.weight:.0f} tokens")

# %% [markdown]
# Why divide by *learned* tokens, and only once? A step often reads its texts in several batches, since memory is
# limited. Imagine two: one with a short reply of 2 learned tokens, one with a reply of 40. The mean of the two
# batches' means would give each token of the short one twenty times the weight of the others, and the result would
# change with the batch size. A sum and a count can be added up over batches of any size; dividing once, when all
# batches of the step are in, gives every learned token the same say.
#
# ## 3. One conversation by heart
#
# Before you train on thousands of texts, train on one. If a model cannot learn a single conversation by heart,
# something is broken, and you know it after seconds. First: what does it reply now? (`temperature=0` means: no
# chance, always the likeliest token.)

# %%
from buddy.inference.engine import Sampling
from buddy.inference.torch_engine import TorchEngine
from buddy.text.render import render_reply_question


def reply(turns: list[str]) -> str:
    """Ask for a reply: the conversation, then <LISTENER>, then always the likeliest token."""
    prefix = codec.encode([render_reply_question(turns)])
    [ids] = TorchEngine(model, codec, device).generate(prefix, Sampling(temperature=0), codec.reply_ends)
    return codec.decode(ids).strip()


print("speaker:           ", talk.turns[0])
print("the true listener: ", talk.turns[1])
print("the model, before: ", reply([talk.turns[0]]))

# %% [markdown]
# And this is all that training is, again and again:
#
# - **forward**: compute the loss of what the model says now;
# - **backward**: compute for each weight in which direction, and how steeply, the loss changes when it changes (its
#   *gradient*; PyTorch does that by the chain rule);
# - **step**: move each weight a little against its gradient. How far is decided by the *learning rate* `lr` and by
#   AdamW, a rule that evens out how far different weights move.
#
# (buddy's own loop in `buddy/training/loop.py` adds what a run of hours needs: a changing learning rate, evaluation,
# saving, resuming.)

# %%
batch = pad([conversation])
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
losses = []
model.train()
for _ in range(25):
    loss = learned_loss(model, batch, device)
    (loss.total / loss.weight).backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.total.item() / loss.weight)
model.eval()

figure, axes = plt.subplots(figsize=(7.5, 2.8), layout="constrained")
axes.plot(losses, "o-", color=ORANGE, markersize=4)
axes.set(title="One conversation, learned by heart", xlabel="step", ylabel="loss (nats per token)", ylim=(0, None))
plt.show()

# %%
print(f"the loss went from {losses[0]:.2f} to {losses[-1]:.4f} nats")
print("the true listener: ", talk.turns[1])
print("the model, after:  ", reply([talk.turns[0]]))
print()
print("to something else entirely:")
print("speaker:           ", "I won the lottery!")
print("the model, after:  ", reply(["I won the lottery!"]))

# %% [markdown]
# The loss is nearly zero, and the reply is the true one, word for word. Has the model learned empathy? Ask it
# something else: it has learned *this conversation*. A low loss on what was seen says nothing about what was not.
# This is why the rest of this part looks at two curves, never at one.
#
# ## 4. Data, split, audit
#
# buddy comes with 3,200 situations, 100 for each of 32 emotions, which a large language model wrote for buddy. (A
# larger collection is EmpatheticDialogues: 25,000 conversations of crowd workers about a situation and a feeling. It is
# a download away: `buddy prepare`.) `prepare` reads them, divides them, and looks them over.

# %%
from collections import Counter

from buddy.data.prepare import PrepareSettings, prepare

data, audit = prepare(PrepareSettings(source="builtin", out=Path("data")))
train, valid = data.examples("train"), data.examples("valid")
for one in train[::900]:
    print(f"{one.label:>12}  {one.text}")
counts = Counter(one.label for one in valid)
print(
    f"\n{len(train)} situations to learn from, {len(valid)} to choose by, {len(data.examples('test'))} kept for the end"
)
print(
    f"{len(data.labels)} labels, each {min(counts.values())} to {max(counts.values())} times among those to choose by"
)

# %% [markdown]
# Three parts, for three uses:
#
# - **train** is what the model learns from.
# - **valid** is what *you* choose by: how long to train, which settings. Whoever chooses the best of ten models on a
#   split has fitted it a little, so its score there is a little too good.
# - **test** is looked at once, when every choice has been made. If it may choose, too, it is a second *valid*, and no
#   honest number is left.
#
# A split is only worth something if nothing stands on both sides: a model could look such answers up in its memory.
# So every prepared folder is audited. Let us plant three leaks in valid and see whether they are found: a text of
# train as it is, one in capitals, one with a word changed.

# %%
from buddy.data.audit import compare_texts
from buddy.records import Example

first, second, third = train[0], train[7], train[11]
planted = [
    Example("planted-1", first.text, first.label),
    Example("planted-2", second.text.upper(), second.label),
    Example("planted-3", third.text.replace(" the ", " that ", 1), third.label),
]
for name, looked_at in (("as it is", valid), ("with leaks", [*valid, *planted])):
    overlap = compare_texts({"train": train, "valid": looked_at}).overlap["train-valid"]
    print(f"{name}: {overlap.exact} with the same words, {overlap.near} with nearly the same")
for pair in overlap.examples:
    print(f"  {pair.first_id} = {pair.second_id}: {pair.second_text[:80]}")

# %% [markdown]
# ## 5. Training
#
# The settings, and why:
#
# - `epochs=8`: so many times every text is seen, at most. The base model has read already, so a few are enough.
# - `batch_size=32`: texts per step. More make steadier steps, fewer make more of them.
# - `learning_rate=5e-4`: as for the conversation above. Larger steps would wipe out what reading has taught.
# - `text_weight=0`: the situations themselves are not learned, only label and end.
# - `dropout=0.2`: a fifth of what flows through the model is silenced at random in each step, which makes learning by
#   heart harder.
# - `evaluations_per_epoch=1`, `best_by="accuracy"`: after each epoch train and valid are scored, and the weights with
#   the best valid accuracy are kept (a *checkpoint*).
# - `patience=1`: **early stopping**. When one epoch brings nothing better, the run ends. With more evaluations per
#   epoch one would wait longer.
#
# Each line of the log below is an evaluation, of a model at rest. (On a slow machine lines with one loss stand between
# them: that is the loss of the 32 texts of a step, before it and with dropout, so it need not agree.)

# %%
from buddy.evaluation.during_training import make_evaluate
from buddy.training.run import start_run
from buddy.training.settings import TrainSettings

settings = TrainSettings(
    data=Path("data"),
    out=Path("run"),
    backbone="base",
    epochs=8,
    batch_size=32,
    learning_rate=5e-4,
    text_weight=0.0,
    dropout=0.2,
    evaluations_per_epoch=1,
    best_by="accuracy",
    patience=1,
)
_ = start_run(settings, make_evaluate)
# %% [markdown]
# The run keeps a line for each evaluation. As arrays:

# %%
from buddy.evaluation.run_folder import read_history

history = read_history(Path("run"))
train_losses = np.array([row.train_loss for row in history])
valid_losses = np.array([row.valid_loss for row in history])
train_accuracies = np.array([row.train_accuracy for row in history])
valid_accuracies = np.array([row.valid_accuracy for row in history])
with np.printoptions(precision=4, suppress=True):
    print("train losses:    ", train_losses)
    print("valid losses:    ", valid_losses)
    print("train accuracies:", train_accuracies)
    print("valid accuracies:", valid_accuracies)

# %%
from buddy.evaluation.figures import accuracy_curve, draw_curve, loss_curve

best = int(valid_accuracies.argmax())
display(draw_curve(loss_curve(history, best, settings.patience)))
display(draw_curve(accuracy_curve(history, best, settings.patience)))

# %% [markdown]
# Read the loss curves from left to right. First both fall: what is learned from the training texts helps with others,
# too. Then the valid curve turns while the train curve goes on falling: from there on the model learns what is
# peculiar to *these* texts. **The widening gap is over-fitting.** On the right of the dotted line stands what early
# stopping threw away.
#
# Notice that the valid *accuracy* still climbs for a while after the valid *loss* has turned. No contradiction:
# accuracy asks only which label is the likeliest, the loss also asks how sure the model was, and a wrong answer at
# 99% costs far more than one at 40%. So the checkpoint that is kept here, the one with the best accuracy, is
# over-fitted already: it is above all too sure. Section 8 mends that. It is also why one must say by which figure one
# chooses (`best_by`).
#
# ## 6. The evaluator
#
# `evaluate_run` judges the kept checkpoint on valid, and beside it two *baselines*, simple systems that one must
# beat: always the most frequent label ("majority"), and counting words and parts of words without their order
# (TF-IDF, and logistic regression, which weighs the counts).

# %%
from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run

evaluation = evaluate_run(EvaluateSettings(Path("run"), baselines=True))
low, high = evaluation.intervals["accuracy"]
print(f"accuracy {evaluation.scores.accuracy:.1%} (95% interval {low:.1%} to {high:.1%}), {evaluation.n} texts")
print(f"in the first three: {evaluation.scores.top3_accuracy:.1%}; blind guessing: {1 / len(data.labels):.1%}")
for name, baseline in evaluation.baselines.items():
    low, high = baseline.accuracy_gain.interval
    print(f"{name}: {baseline.scores.accuracy:.1%}; our model is better by {100 * low:.1f} to {100 * high:.1f} points")

# %% [markdown]
# The interval says how much of the score is luck of the draw: other texts of the same kind would give another number,
# and of 100 intervals made like this 95 hold the true one. For two systems on the *same* texts the interval of the
# difference is what counts: if it holds 0, nothing is proven. Is our model better than counting words? Do 320 texts
# suffice to tell? (On the 2,754 of EmpatheticDialogues, the model that comes with buddy reaches 57.3%, counting
# 51.6%.)
#
# Be careful with this number: valid has chosen the checkpoint, so it is a little too good. The honest one is that on
# test, once, when all choices are made (`EvaluateSettings(..., split="test")`). We make choices until the end of this
# lesson, so test stays closed.
#
# Which emotions are confused? Rows are true labels; neighbours in the picture are those that are mistaken for each
# other.

# %%
from buddy.evaluation.confusion import confused_pairs, count_confusions
from buddy.evaluation.figures import draw_confusion
from buddy.evaluation.predictions import read_predictions

predictions = read_predictions(Path("run/predictions.parquet"))
confusions = count_confusions(predictions.truth, predictions.predicted, len(predictions.labels))
display(draw_confusion(confusions, predictions.labels))
for pair in confused_pairs(confusions, predictions.labels, limit=4):
    print(f"{pair.truth} was called {pair.answer} in {pair.count} of {pair.support} texts")

# %% [markdown]
# ## 7. Exact label scores, not "generate and hope"
#
# Most people ask a language model for a class by letting it *generate* and looking whether what comes out is a label.
# buddy instead computes how likely **each whole label** is as the continuation. Side by side, on 100 texts of valid,
# with the model before our training and after it. Both are asked the same question, the text and `<EMOTION_TYPE>`:

# %%
from buddy.inference.labels import label_trie
from buddy.inference.torch_engine import load_torch_engine

asked = valid[:100]
questions = codec.encode([render_emotion_question(one.text) for one in asked])
trained, _ = load_torch_engine(Path("run/best"), "cpu", "fp32")
untrained = TorchEngine(load_backbone("base").model.eval(), codec, device)
trie = label_trie(codec, data.labels)

ways = {
    "a token drawn each time": Sampling(temperature=1.0, top_p=1.0, max_tokens=6, seed=13),
    "the likeliest token each time": Sampling(temperature=0, max_tokens=6),
}
for name, engine in (("before training", untrained), ("after training", trained)):
    print(name)
    for way, sampling in ways.items():
        written = engine.generate(questions, sampling, codec.reply_ends)
        answers = [codec.decode(ids).strip() for ids in written]
        hits = sum(answer == one.label for answer, one in zip(answers, asked))
        lost = [answer for answer in answers if answer not in data.labels]
        print(f"   generated, {way}: {hits} right, {len(lost)} no label at all {lost[:2]}")
    chosen = engine.score_labels(questions, trie).argmax(axis=1)
    print(f"   exact label scores: {sum(data.labels[column] == one.label for column, one in zip(chosen, asked))} right")

# %% [markdown]
# Drawing tokens throws dice for every answer. Taking the likeliest token does not, and here, where every label is one
# token, it answers as the scores do. But nothing keeps it from writing what is no label, and with labels of several
# tokens it can start on a wrong path. Neither gives the probabilities of the others. Scoring asks the same model the
# same question, needs one pass, always gives an answer, and gives all 32.
#
# ### A label of several tokens
#
# Here are labels of your own, and how they are spelled. How likely is a label of three tokens? The model must say the
# first, **and** then the second, **and** then the third: the probabilities multiply, so their logarithms add up.

# %%
own_labels = ["sad", "sad and tired", "over the moon"]
[question] = codec.encode([render_emotion_question("I carried my grandfather to his grave and have not slept since.")])
end = codec.special_ids["<|endoftext|>"]
sums = []
for label, needs_end in (("sad", True), ("sad and tired", False), ("over the moon", False)):
    spelled = [*codec.encode_label(label), *([end] if needs_end else [])]
    with torch.inference_mode():
        ids = torch.tensor([[*question.ids.tolist(), *spelled]])
        log_p = trained.model(input_ids=ids, position_ids=torch.arange(ids.shape[1])[None]).logits[0].log_softmax(dim=1)
    places = range(len(question.ids) - 1, ids.shape[1] - 1)
    parts = [float(log_p[place, token]) for place, token in zip(places, spelled)]
    sums.append(sum(parts))
    shown = " + ".join(f"{part:.2f} ({codec.decode([token])!r})" for part, token in zip(parts, spelled))
    print(f"{label:14} {sums[-1]:7.2f} = {shown}")

# %% [markdown]
# "sad" needs its end: without it, it would also collect what belongs to "sad and tired", of which it is the
# beginning. The others are the beginning of nothing else, so what follows them does not matter. A softmax over the
# three sums gives three probabilities that add up to 1.
#
# All labels share the text, and two of them share their first token. So buddy arranges them in a *trie*, a tree of
# tokens, and computes what is shared once:
#
# ```text
# the text ─┬─ sad ─┬─ (end)              "sad"
#           │       └─ and ── tired       "sad and tired"
#           └─ over ── the ── moon        "over the moon"
# ```

# %%
by_trie = trained.score_labels([question], label_trie(codec, own_labels))[0]
by_hand = np.array(sums) - np.log(np.exp(sums).sum())  # the softmax, as logarithms
for label, one, other in zip(own_labels, by_trie, by_hand):
    print(f"{label:14} by the trie {one:8.3f}, by hand {other:8.3f}: a probability of {np.exp(one):.1e}")

# %% [markdown]
# (Two of these labels were never seen in training. Among its own 32 labels the model may have chosen another than
# "sad"; but only three answers are allowed here, and of these "sad" is by far the likeliest.)
#
# ## 8. Can the probabilities be believed?
#
# If a model says "70% sure" a hundred times, about 70 of these answers should be right. The *reliability diagram*
# looks at that: on the diagonal the stated confidence is true, below it the model is too sure of itself. ECE, the
# expected calibration error, is the mean distance from the diagonal, in which each point counts by how many answers it
# stands for.

# %%
from buddy.evaluation.figures import draw_calibration

display(draw_calibration(evaluation.reliability, evaluation.uncalibrated.ece, evaluation.scores.ece))
before, after = evaluation.uncalibrated.ece, evaluation.scores.ece
print(f"temperature {evaluation.temperature:.2f}; ECE before {100 * before:.1f} points, after {100 * after:.1f}")

# %% [markdown]
# A single number mends much of it: divide the labels' log-probabilities by a *temperature* before the last softmax.
# Above 1 it makes the answers less sure, below 1 surer. It never changes which label is the likeliest, so the
# accuracy stays as it was. (The `temperature` of `Sampling` does the same to the next token.)
#
# It is fitted on valid. To judge it fairly, valid is cut into parts, and each part is tempered with a number that was
# fitted on the others.
#
# ## 9. Four right, four wrong
#
# Numbers hide what a model does. Look at answers, always.

# %%
from buddy.evaluation.examples import choose_examples

right, wrong = choose_examples(predictions, seed=13, shown=4)
for title, examples in (("RIGHT", right), ("WRONG", wrong)):
    print(title)
    for one in examples:
        likely = ", ".join(f"{label.label} {label.probability:.0%}" for label in one.likely)
        print(f'  "{one.text}"\n      true: {one.truth}; the model: {likely}')

# %% [markdown]
# Why are the wrong ones wrong? Go through yours. Often it is one of these:
#
# - **Neighbours.** *angry* and *furious*, *afraid* and *terrified*, *anticipating* and *excited*: the labels overlap.
#   Then the true label is often among the first three.
# - **Two feelings in one text.** "My sister got the job that I wanted" holds jealousy and pride. The data knows one.
# - **A word that is louder than the sense.** "I was not afraid at all" contains *afraid*. A small model that has read
#   little leans on words.
# - **Between the lines.** "They cancelled my flight and kept the fee" names no feeling; whoever has flown knows it.
#
# More reading (GPT-2 instead of our small base) and more examples help with all four.
#
# ## What to take along
#
# Answer in your own words, then open the answer.
#
# <details><summary>Why is the target shifted by one?</summary>
#
# The output at a position answers "what comes next?", and the next token stands one place further. So the target of
# position <i>t</i> is the token at <i>t</i> + 1; the last position has none.
# </details>
#
# <details><summary>What does the causal mask hide, and what would happen without it?</summary>
#
# Everything to the right of a position. Without it the model could read the answer instead of predicting it: the loss
# would fall to zero, and nothing would be learned that helps when the right side is not there yet.
# </details>
#
# <details><summary>Which tokens are learned, and why is the loss divided by their number?</summary>
#
# Those that the model will be asked for: the label, the listener's words, and the ends. The sum over them divided by
# their count gives every learned token the same say, however the texts are put into batches.
# </details>
#
# <details><summary>How does a label of three tokens get a probability?</summary>
#
# Its score is the sum of the log-probabilities of its tokens, each given the text and the tokens before it (and of
# the end, where another label begins the same way). A softmax over the scores of all labels makes probabilities.
# </details>
#
# <details><summary>What does it mean when the gap between the curves widens?</summary>
#
# The model still learns about the training texts what does not hold for others: over-fitting. Early stopping keeps
# the checkpoint that was best on valid, by loss (where that curve turns) or by accuracy (often a little later).
# </details>
#
# <details><summary>Why may valid choose, and test may not?</summary>
#
# Choosing the best of many on a split makes its score there too good. One split must stay out of every choice, so
# that one number remains that is true for texts nobody has seen.
# </details>
#
# **Try it**
#
# (a) Choose by loss instead: `best_by="loss"`, `patience=2`, into another `out`. Which epoch is kept, and what is its
# accuracy?
#
# <details><summary>What we found</summary>
#
# The second, where the valid loss turns; this run ends after the fourth. On one of our machines its accuracy was 42.2%;
# the run above, which chose by accuracy, kept 49.7% three epochs later. Other machines differ by a point or two. What
# counts as best is a choice, and it matters.
# </details>
#
# (b) Train `backbone="scratch:small"`, the same shape from random weights (`learning_rate=1e-3`, `text_weight=0.2`).
# What was reading worth?
#
# <details><summary>What we found</summary>
#
# It reached 5.9% on the same texts. Nearly all of what our model knows comes from what it had read before.
# </details>
#
# (c) Let `prepare` read a table of your own, with a column of texts and one of labels:
# `PrepareSettings(source="/the/full/path/of/moods.csv", out=Path("moods"))`. (The full path, because this lesson works
# in a folder of its own.)
#
# Next: [Part 4, the companion](4_companion.ipynb).

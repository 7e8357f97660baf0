"""What a model has to beat: two classifiers that need no neural network, judged on the same examples.

Shapes: ``N`` texts, ``E`` labels.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from buddy.evaluation.metrics import Floats, Integers
from buddy.records import Example

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAJORITY = "majority"
TFIDF = "TF-IDF + logistic regression"
RARE_WORDS_DROPPED_FROM = 1000  # in fewer texts than this, a word that occurs once still counts
WORDS_AND_SIGNS = r"\w+|[^\w\s]"  # unlike scikit-learn's own pattern it keeps "I" and "!", and is never empty


def baseline_probabilities(name: str, train: Sequence[Example], texts: Sequence[str], labels: Sequence[str]) -> Floats:
    """Fit a baseline on the train split and let it judge texts.

    Args:
        name: one of ``BASELINES``.
        train: what it may learn from.
        texts: what it is asked, N of them.
        labels: the columns of the answer, E of them; one that ``train`` lacks gets probability 0.

    Returns:
        (N, E), rows sum to 1.

    Raises:
        ValueError: ``train`` has a label that is not in ``labels``.

    Example:
        >>> train = [Example("1", "We won!", "joyful"), Example("2", "We lost.", "sad"), Example("3", "Gone.", "sad")]
        >>> baseline_probabilities(MAJORITY, train, ["What a day."], ["joyful", "sad"]).round(2)
        array([[0.33, 0.67]])
    """
    column = {label: i for i, label in enumerate(labels)}
    unknown = sorted({example.label for example in train} - set(column))
    if unknown:
        raise ValueError(f"the train split has the label {unknown[0]!r}, which is not among the columns")
    return BASELINES[name](train, texts, column)


def _majority(train: Sequence[Example], texts: Sequence[str], column: dict[str, int]) -> Floats:
    """Always answer with how frequent each label is, and so always the most frequent one."""
    counts = np.bincount([column[example.label] for example in train], minlength=len(column))
    return np.tile(counts / counts.sum(), (len(texts), 1))


def _tfidf(train: Sequence[Example], texts: Sequence[str], column: dict[str, int]) -> Floats:
    """Weigh words and pieces of words by how telling they are; linear, and hard to beat on short texts."""
    from sklearn.linear_model import LogisticRegression

    truth: Integers = np.array([column[example.label] for example in train])
    if len(set(truth)) == 1:
        return _majority(train, texts, column)  # logistic regression needs something to tell apart
    features = _tfidf_features([example.text for example in train], texts)
    if features is None:
        return _majority(train, texts, column)
    probabilities: Floats = np.zeros((len(texts), len(column)))
    model = LogisticRegression(C=2.0, tol=1e-4, max_iter=200).fit(features[0], truth)
    probabilities[:, model.classes_] = model.predict_proba(features[1])
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # it computes in single precision
    return probabilities


def _tfidf_features(train: Sequence[str], texts: Sequence[str]) -> "tuple[csr_matrix, csr_matrix] | None":
    """Words 1-2 and characters 2-5; settings chosen on ED's valid split (docs/evaluation.md has the figures).

    One of the two is left out where it finds nothing: no characters in texts of one character each, and no words in
    many texts that have none in common. ``None``: both are.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    min_texts = 2 if len(train) >= RARE_WORDS_DROPPED_FROM else 1
    of_train, of_texts = [], []
    for analyzer, sizes, pattern in (("word", (1, 2), WORDS_AND_SIGNS), ("char", (2, 5), None)):
        vectorizer = TfidfVectorizer(
            analyzer=analyzer, ngram_range=sizes, token_pattern=pattern, min_df=min_texts, sublinear_tf=True,
            dtype=np.float32,
        )  # fmt: skip
        with suppress(ValueError):  # its vocabulary is empty
            of_train.append(vectorizer.fit_transform(train))
            of_texts.append(vectorizer.transform(texts))
    return (hstack(of_train, "csr"), hstack(of_texts, "csr")) if of_train else None


BASELINES: dict[str, Callable[[Sequence[Example], Sequence[str], dict[str, int]], Floats]] = {
    TFIDF: _tfidf,
    MAJORITY: _majority,
}

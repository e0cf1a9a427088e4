"""What methods without a network make of an experiment's records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mirpair.contracts import ALPHABET
from mirpair.files import InputError
from mirpair.identification.audit import features

TRIPLETS = tuple(base + "".join(paired) for base in ALPHABET for paired in product("(.", repeat=3))
CLASSIC = (*TRIPLETS, "length", "GC", "MFE", "MFE/length", "paired")
WORD = 8
TREES = 500
# As near to 0.5 as nine digits can say; more than rounding errors of a cosine, less than what two
# different cosines of an RNA of up to 500 nt differ by.
TIE = 1e-9
BLOCK = 500


def classic_features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """The 37 features of every record that the fitted baselines see.

    The triplet elements are those of Xue et al. 2005, BMC Bioinformatics 6:310: a position's base
    with the states, paired or not, of the position and its two neighbours; ``(`` and ``)`` count
    alike. Their program first cuts stem-loops out of the structure; here every position of the
    whole RNA that has two neighbours counts, loops and loose ends too, so that branched
    structures need no special case.

    Parameters
    ----------
    records, structures
        Tables of one set, row by row the same RNAs.

    Returns
    -------
    DataFrame
        Columns id; 32 triplet elements, ``A(((`` to ``U...``, as shares of all of the RNA's
        (sum 1; all 0 if it has less than 3 nt); length (nt); GC (share of the bases); MFE
        (kcal/mol); MFE/length (|kcal/mol| per nt); paired (share of the bases).

    Raises
    ------
    InputError
        If the tables are not of the same RNAs.
    """
    simple = features(records, structures)
    states = structures["structure"].str.replace(")", "(", regex=False)
    triplets = [_triplet_shares(*pair) for pair in zip(records["sequence"], states, strict=True)]
    return pd.concat(
        [
            simple[["id"]],
            pd.DataFrame(triplets, columns=TRIPLETS, index=simple.index),
            simple[["length", "GC"]],
            structures["mfe"].set_axis(simple.index).rename("MFE"),
            simple[["MFE/length"]],
            (states.str.count(r"\(") / states.str.len()).set_axis(simple.index).rename("paired"),
        ],
        axis=1,
    )


def _triplet_shares(sequence: str, states: str) -> list[float]:
    inner = range(1, len(sequence) - 1)
    counts = Counter(sequence[i] + states[i - 1 : i + 2] for i in inner)
    return [counts[triplet] / max(len(inner), 1) for triplet in TRIPLETS]


def likeness(
    sequences: Sequence[str], others: Sequence[str], *, block: int = BLOCK
) -> npt.NDArray[np.float64]:
    """How like each RNA is to that one of `others` which is most like it.

    Likeness is the cosine of two RNAs' binary 8-mer vectors: shared 8-mers over the geometric
    mean of how many different ones each of the two has. An RNA of less than 8 nt is like none.

    Parameters
    ----------
    sequences, others
        RNAs over ACGU.
    block
        Sequences compared at a time, which bounds the memory and changes nothing else.

    Returns
    -------
    ndarray
        (len(sequences),), 0 (nothing shared) to 1 (the same 8-mers).
    """
    # All words, not those of the training records only: an RNA's own unknown ones count too.
    words = map("".join, product(ALPHABET, repeat=WORD))
    vectorizer = CountVectorizer(
        analyzer="char",
        ngram_range=(WORD, WORD),
        lowercase=False,
        binary=True,
        vocabulary=list(words),
    )
    known = vectorizer.transform(others)
    found = [
        cosine_similarity(
            vectorizer.transform(sequences[start : start + block]), known, dense_output=False
        )
        .max(axis=1)
        .toarray()
        .ravel()
        for start in range(0, len(sequences), block)
    ]
    highest: npt.NDArray[np.float64] = np.concatenate(found)
    return np.minimum(highest, 1)


def nearest_neighbour(
    train: pd.DataFrame, sequences: Sequence[str], *, block: int = BLOCK
) -> npt.NDArray[np.float64]:
    """Score RNAs by which class of the training records has the one that is most like it.

    The score is (1 + s⁺ − s⁻) / 2, with s⁺ and s⁻ the highest `likeness` to a positive and to a
    negative training record. Where both are equal, also because nothing is shared, the record is
    called negative, as most are: the score is `TIE` below 0.5.

    Parameters
    ----------
    train
        Columns label and sequence.
    sequences
        RNAs to score.
    block
        See `likeness`.

    Returns
    -------
    ndarray
        (len(sequences),), 0 to 1.
    """
    positive, negative = (
        likeness(sequences, train.loc[train["label"] == label, "sequence"].tolist(), block=block)
        for label in (1, 0)
    )
    difference = positive - negative
    return np.where(np.abs(difference) < TIE, 0.5 - TIE, (1 + difference) / 2)


def predict(
    train: pd.DataFrame, evaluate: pd.DataFrame, *, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Fit all baselines on training records and score evaluation records.

    The fitted ones weigh the classes ("balanced" in scikit-learn), because equation 2, the loss of
    the networks, does too. All settings are scikit-learn's defaults or stand here; none was chosen
    by a result.

    Parameters
    ----------
    train, evaluate
        Columns id, label (1 is a pre-miRNA), sequence and those of `classic_features`. Labels of
        `evaluate` are handed on and not looked at.
    seed
        Of the random forest; nothing else is random.
    threads
        For the random forest; the scores are the same with any number.

    Returns
    -------
    DataFrame
        Columns id, label and a score, 0 to 1, of each of `BASELINES`; rows as in `evaluate`. A
        score of at least 0.5 is called positive.

    Raises
    ------
    InputError
        If the training records are all of one class.
    """
    if train["label"].nunique() < 2:
        raise InputError("the training records are all of one class; both are needed")
    labels = train["label"].to_numpy()
    single, classic = ["MFE/length"], list(CLASSIC)
    forest = RandomForestClassifier(
        TREES, class_weight="balanced", n_jobs=threads, random_state=seed
    ).fit(train[classic].to_numpy(), labels)
    # Threads would add up the trees in any order, and so round in any way.
    forest.set_params(n_jobs=1)
    return pd.DataFrame(
        {
            "id": evaluate["id"].to_numpy(),
            "label": evaluate["label"].to_numpy(),
            "mfe-per-length": _of_positive(
                _logistic().fit(train[single].to_numpy(), labels), evaluate[single]
            ),
            "nearest-8-mer": nearest_neighbour(train, evaluate["sequence"].tolist()),
            "logistic-regression": _of_positive(
                _logistic().fit(train[classic].to_numpy(), labels), evaluate[classic]
            ),
            "random-forest": _of_positive(forest, evaluate[classic]),
        }
    )


def _logistic() -> Any:
    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )


def _of_positive(model: Any, chosen: pd.DataFrame) -> npt.NDArray[np.float64]:
    probabilities: npt.NDArray[np.float64] = model.predict_proba(chosen.to_numpy())
    return probabilities[:, model.classes_ == 1].ravel()

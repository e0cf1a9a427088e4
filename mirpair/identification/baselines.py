"""Score an experiment's records by methods without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from mirpair.contracts import ALPHABET, BOOSTING, USUAL_BASELINES
from mirpair.files import InputError
from mirpair.identification.audit import features
from mirpair.identification.stem_features import STEM, stem_features

TRIPLETS = tuple(base + "".join(paired) for base in ALPHABET for paired in product("(.", repeat=3))
CLASSIC = (*TRIPLETS, "length", "GC", "MFE", "MFE/length", "paired")
WORD = 8
# Of the grid of triplet-SVM: folds, C and gamma.
SVM_FOLDS = 3
SVM_COSTS = (0.5, 4.0, 32.0, 256.0)
SVM_GAMMAS = (1 / 32, 0.25, 2.0, 16.0)
TREES = 500
ROUNDS = 500
_WEIGHT = "sample_weight"
_ONE_CLASS = "the training records are all of one class; add records of the other"
# Smallest difference from 0.5 in nine digits. Rounding errors of a cosine are smaller; different
# cosines of an RNA of up to 500 nt differ by more.
TIE = 1e-9
# Number of RNAs compared at a time; it limits memory and does not change the result.
BLOCK = 500


def classic_features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Compute the 37 features of every record that the fitted baselines use.

    The triplet elements are those of Xue et al. 2005, BMC Bioinformatics 6:310: a base with the
    states (paired or not) of its position and both neighbours; ``(`` and ``)`` count the same.
    Their program first extracts stem-loops from the structure. Here every position with two
    neighbours counts, also in loops and unpaired ends, so that branched structures need no special
    case.

    Parameters
    ----------
    records, structures
        As `mirpair.identification.audit.features` takes them, with its error.

    Returns
    -------
    DataFrame
        Columns id; 32 triplet elements, ``A(((`` to ``U...``, as shares of all triplets of the RNA
        (sum 1; all 0 below 3 nt); length (nt); GC (share of the bases); MFE
        (kcal/mol); MFE/length (|kcal/mol| per nt); paired (share of the bases).
    """
    simple = features(records, structures)
    states = structures["structure"].str.replace(")", "(", regex=False)
    triplets = [_triplet_shares(*pair) for pair in zip(records["sequence"], states, strict=True)]
    table = pd.DataFrame(triplets, columns=TRIPLETS, index=simple.index).assign(
        **simple[["id", "length", "GC", "MFE/length"]],
        MFE=structures["mfe"].to_numpy(),
        paired=(states.str.count(r"\(") / states.str.len()).to_numpy(),
    )
    return table[["id", *CLASSIC]]


def _triplet_shares(sequence: str, states: str) -> list[float]:
    inner = range(1, len(sequence) - 1)
    counts = Counter(sequence[i] + states[i - 1 : i + 2] for i in inner)
    return [counts[triplet] / max(len(inner), 1) for triplet in TRIPLETS]


def features_for(
    methods: Sequence[str], records: pd.DataFrame, structures: pd.DataFrame
) -> pd.DataFrame:
    """Compute all that some baselines need of the records of a set.

    Parameters
    ----------
    methods
        Names of `BASELINES`.
    records, structures
        As `classic_features` takes them.

    Returns
    -------
    DataFrame
        Columns id, label, sequence, those of `classic_features`, and for gradient boosting those of
        `mirpair.identification.stem_features.stem_features`.
    """
    table = records[["id", "label", "sequence"]]
    parts = [classic_features(records, structures)]
    if BOOSTING in methods:
        parts.append(stem_features(records, structures))
    for part in parts:
        table = table.merge(part, on="id", validate="one_to_one")
    return table


def likeness(sequences: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.float64]:
    """Compute the similarity of each RNA to the most similar one of `others`.

    Similarity is the cosine of two binary 8-mer vectors: the number of shared 8-mers divided by the
    geometric mean of both RNAs' numbers of different 8-mers. Below 8 nt it is 0.

    Parameters
    ----------
    sequences, others
        RNAs over ACGU.

    Returns
    -------
    ndarray
        (len(sequences),), 0 (nothing shared) to 1 (the same 8-mers).
    """
    # All possible words: those that no training record has count too.
    words = list(map("".join, product(ALPHABET, repeat=WORD)))
    vectorizer = CountVectorizer(
        analyzer="char", ngram_range=(WORD, WORD), lowercase=False, binary=True, vocabulary=words
    )
    known = vectorizer.transform(others)
    maxima = []
    for start in range(0, len(sequences), BLOCK):
        block = vectorizer.transform(sequences[start : start + BLOCK])
        maxima.append(cosine_similarity(block, known, dense_output=False).max(axis=1).toarray())
    highest: npt.NDArray[np.float64] = np.concatenate(maxima, axis=None)
    return np.minimum(highest, 1)


def nearest_neighbour(train: pd.DataFrame, sequences: Sequence[str]) -> npt.NDArray[np.float64]:
    """Score RNAs by the class of the most similar training record.

    The score is (1 + s⁺ − s⁻) / 2, with s⁺ and s⁻ the highest `likeness` to a positive and to a
    negative training record. If both are equal, for example because nothing is shared, the record
    is called negative, as most are: the score is `TIE` below 0.5.

    Parameters
    ----------
    train
        Columns label and sequence.
    sequences
        RNAs to score.

    Returns
    -------
    ndarray
        (len(sequences),), 0 to 1.
    """
    positive, negative = (
        likeness(sequences, train.loc[train["label"] == label, "sequence"].tolist())
        for label in (1, 0)
    )
    difference = positive - negative
    return np.where(np.abs(difference) < TIE, 0.5 - TIE, (1 + difference) / 2)


def predict(
    train: pd.DataFrame,
    evaluate: pd.DataFrame,
    *,
    seed: int,
    threads: int = 1,
    validate: pd.DataFrame | None = None,
    methods: Sequence[str] = USUAL_BASELINES,
) -> pd.DataFrame:
    """Fit baselines on training records and score evaluation records.

    The fitted ones, apart from triplet-SVM, weight the classes ("balanced" in scikit-learn), as
    does equation 2, the loss of the networks, and the records by their weights in that loss.
    Settings not given here are scikit-learn's defaults; none was chosen by results, but for those
    that triplet-SVM chooses on the training records.

    Parameters
    ----------
    train, evaluate
        Columns id, label (1: a pre-miRNA), sequence and those of `classic_features`; for gradient
        boosting those of `stem_features` too. Labels of `evaluate` are only copied to the result.
        Training records may have a column weight, 1 if there is none.
    seed, threads
        For the random forest, gradient boosting and the folds of triplet-SVM: nothing else is
        random, and threads do not change the scores.
    validate
        Validation records, with the columns of `train`: of use for gradient boosting alone, see
        `boosting_scores`. None if there are none.
    methods
        Which baselines, names of `BASELINES`.

    Returns
    -------
    DataFrame
        Columns id, label and a score from 0 to 1 for each method; rows as in `evaluate`. A record
        with a score of at least 0.5 is called positive.

    Raises
    ------
    InputError
        If all training records are of one class.
    """
    if train["label"].nunique() < 2:
        raise InputError(_ONE_CLASS)
    scores = {
        method: _score(method, train, evaluate, validate, seed, threads) for method in methods
    }
    about = {name: evaluate[name].to_numpy() for name in ("id", "label")}
    return pd.DataFrame(about | scores)


def _score(
    method: str,
    train: pd.DataFrame,
    evaluate: pd.DataFrame,
    validate: pd.DataFrame | None,
    seed: int,
    threads: int,
) -> npt.NDArray[np.float64]:
    """Fit one method and score the evaluation records."""
    columns = list(CLASSIC)
    match method:
        case "nearest-8-mer":
            return nearest_neighbour(train, evaluate["sequence"].tolist())
        case "mfe-per-length":
            model, columns = _logistic(), ["MFE/length"]
        case "logistic-regression":
            model = _logistic()
        case "random-forest":
            model = RandomForestClassifier(
                TREES, class_weight="balanced", n_jobs=threads, random_state=seed
            )
        case "triplet-svm":
            return triplet_svm_scores(train, evaluate, seed=seed)
        case "gradient-boosting":
            columns += STEM
            return boosting_scores(train, evaluate, columns, seed=seed, validate=validate)
        case _:
            raise InputError(f"there is no baseline {method!r}")
    # Without weights, the scores stay the same to the last bit.
    of_records = {}
    if (weights := _weights(train)) is not None:
        name = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else _WEIGHT
        of_records = {name: weights}
    # Threads would sum trees in varying order, with varying rounding.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(train[columns].to_numpy(), train["label"].to_numpy(), **of_records)
        if method == "random-forest":
            model.set_params(n_jobs=1)
        probabilities: npt.NDArray[np.float64] = model.predict_proba(evaluate[columns].to_numpy())
    return probabilities[:, model.classes_ == 1].ravel()


def triplet_svm_scores(
    train: pd.DataFrame, evaluate: pd.DataFrame, *, seed: int
) -> npt.NDArray[np.float64]:
    """Fit triplet-SVM (Xue et al. 2005) on training records and score others.

    A support vector machine with an RBF kernel on the 32 triplet elements, each scaled to 0–1 on
    the training records. A grid of powers of two chooses C and gamma by the accuracy in a
    cross-validation of the training records alone, as the guide of LIBSVM recommends (Hsu, Chang
    and Lin 2003), with fewer values. Classes have no weights, as in the paper.

    Returns
    -------
    ndarray
        (len(evaluate),): the logistic function of the decision, so that 0.5 is its border.
    """
    machine = make_pipeline(MinMaxScaler(), SVC(kernel="rbf", cache_size=500))
    folds = StratifiedKFold(SVM_FOLDS, shuffle=True, random_state=seed)
    grid = GridSearchCV(
        machine, {"svc__C": SVM_COSTS, "svc__gamma": SVM_GAMMAS}, cv=folds, scoring="accuracy"
    )
    weights = _weights(train)
    of_records = {} if weights is None else {"svc__sample_weight": weights}
    with threadpool_limits(1):
        grid.fit(train[list(TRIPLETS)].to_numpy(), train["label"].to_numpy(), **of_records)
        decision = grid.decision_function(evaluate[list(TRIPLETS)].to_numpy())
    scores: npt.NDArray[np.float64] = expit(decision)
    return scores


def boosting_scores(
    train: pd.DataFrame,
    evaluate: pd.DataFrame,
    columns: Sequence[str],
    *,
    seed: int,
    validate: pd.DataFrame | None = None,
    categorical: Collection[str] = (),
) -> npt.NDArray[np.float64]:
    """Fit gradient boosting on training records and score others.

    Classes are weighted ("balanced" in scikit-learn). There are up to `ROUNDS` rounds: as long as
    the loss of the validation records falls. Without them, scikit-learn draws a tenth of the
    training records for this, near-copies of others among them.

    Parameters
    ----------
    train, evaluate, validate
        Features, and of training and validation records label, and weight if it is not 1.
    columns, categorical
        Names of the features, and those of them that are categories.
    seed
        Of what is drawn.

    Returns
    -------
    ndarray
        (len(evaluate),), probability of a pre-miRNA. An `InputError` if `train` is of one class.
    """
    if train["label"].nunique() < 2:
        raise InputError(_ONE_CLASS)
    names = list(columns)
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        class_weight="balanced",
        early_stopping=True,
        categorical_features=[name in categorical for name in names],
        random_state=seed,
    )
    given: dict[str, Any] = {_WEIGHT: _weights(train)}
    if validate is not None and len(validate):
        labels = validate["label"].to_numpy()
        # scikit-learn weights the classes of the training records only.
        balanced = compute_sample_weight("balanced", labels)
        given |= {"X_val": validate[names].to_numpy(), "y_val": labels}
        given["sample_weight_val"] = balanced * validate.get("weight", 1.0)
    # Threads would sum gradients in varying order, with varying rounding.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(train[names].to_numpy(), train["label"].to_numpy(), **given)
        probabilities: npt.NDArray[np.float64] = model.predict_proba(evaluate[names].to_numpy())
    return probabilities[:, model.classes_ == 1].ravel()


def _weights(records: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the weights of records; None if all are 1."""
    if "weight" not in records or (records["weight"] == 1).all():
        return None
    return records["weight"].to_numpy(np.float64)


def _logistic() -> Any:
    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )

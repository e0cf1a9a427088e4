"""The config of a study: what it may say, checked before anything else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from mirpair.files import InputError, read_tsv
from mirpair.recipes import (
    FAMILY_MODELS,
    FAMILY_RECIPES,
    MODELS,
    RECIPES,
    Model,
    Recipe,
    Split,
)
from mirpair.rna.sequences import LONGEST
from mirpair.settings import PredictionSettings, ScanSection

_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
Name = Annotated[
    str,
    Field(
        pattern=f"^{_NAME}$",
        description="A name that becomes part of a path: letters, digits, - and _.",
    ),
]
Place = Annotated[
    str,
    Field(
        min_length=1,
        description="A FASTA file, plain or gzip: a name of the sources table, a URL or a path.",
    ),
]
Places = Annotated[list[Place], Field(min_length=1)]


# Where Rfam publishes all sequences of a family.
RFAM = "https://ftp.ebi.ac.uk/pub/databases/Rfam/CURRENT/fasta_files/{family}.fa.gz"

ModelName = Annotated[Name, Field(json_schema_extra={"examples": list(MODELS)})]
RecipeName = Annotated[Name, Field(json_schema_extra={"examples": list(RECIPES)})]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Audit(_Section):
    """References that the audit compares evaluation records with."""

    hairpins: Place | None = Field(
        default=None,
        description="FASTA file of known hairpins with headers like miRBase's: name, accession.",
    )
    families: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="miRBase's miFam.dat, which families the hairpins belong to: a name of the "
        "sources table, a URL or a path.",
    )

    @model_validator(mode="after")
    def _families_are_of_hairpins(self) -> Audit:
        if self.families and not self.hairpins:
            raise ValueError("families are those of known hairpins, so it needs `hairpins` too")
        return self

    def places(self) -> list[str]:
        """The files that it names: none, the hairpins, or both."""
        return [place for place in (self.hairpins, self.families) if place is not None]


class _Collection(_Section):
    shortest: int = Field(1, ge=1, description="Shorter RNAs are left out, nt.")
    longest: int = Field(LONGEST, ge=1, description="Longer RNAs are left out, nt.")
    release: str = Field(
        "", description="Of the database, for the lock file; it is told, not looked at."
    )

    @model_validator(mode="after")
    def _lengths_are_possible(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"no RNA has {self.shortest} nt or more but at most {self.longest}")
        return self


class HairpinCollection(_Collection):
    """Hairpins of miRBase or MirGeneDB."""

    source: Literal["hairpins"]
    file: Place = Field(
        description="FASTA with names such as hsa-let-7a-1, and in miRBase accessions; or a CSV "
        "file with the columns accession, ID and precursor."
    )
    species: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Species, as names begin (hsa); all, if it is left out."
    )
    families: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="miRBase's miFam.dat; if it is left out, names tell the family "
        "(hsa-mir-10b: mir-10).",
    )

    def places(self) -> list[str]:
        """The files that it is made from."""
        return [place for place in (self.file, self.families) if place is not None]


class RfamCollection(_Collection):
    """RNAs of families of Rfam."""

    source: Literal["rfam"]
    families: list[Annotated[str, Field(pattern=r"^RF\d{5}$")]] = Field(
        [], description="Accessions of families, whose full FASTA files Rfam's server has."
    )
    file: Place | None = Field(
        None, description="Alignments in Stockholm format, such as Rfam.seed, in place of them."
    )
    without: list[str] = Field(
        [], description="Types of families of `file` that are left out, such as miRNA."
    )

    at_most: int | None = Field(
        None, ge=1, description="At most so many of each family; all, if it is left out."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of those.")

    @model_validator(mode="after")
    def _one_of_both(self) -> RfamCollection:
        if bool(self.families) == (self.file is not None):
            raise ValueError("it needs either `families` (accessions) or `file`, and not both")
        if self.without and self.file is None:
            raise ValueError("`without` is about the types of a `file`; leave out its families")
        return self

    def places(self) -> list[str]:
        """The files that it is made from: one, or one a family."""
        return [self.file] if self.file else [RFAM.format(family=it) for it in self.families]


class PseudoHairpinCollection(_Section):
    """Stretches of sequences without pre-miRNAs that fold as pre-miRNAs do (Xue et al. 2005)."""

    source: Literal["pseudo-hairpins"]
    file: Place = Field(
        description="FASTA of a genome or of coding sequences; `ncbi:GCF_000146045.2/genome` (or "
        "/cds, /rna) and `ncbi:NM_000014.6,NM_000015.3/cds` come from NCBI."
    )
    lengths_of: Name = Field(description="Collection whose lengths they have.")
    per_positive: int = Field(1, ge=1, description="How many for each RNA of that collection.")
    strands: Literal["both", "plus"] = Field(
        "both", description="Both of a genome; `plus` for coding sequences and transcripts."
    )
    stem: int = Field(18, ge=3, description="Least base pairs.")
    mfe: float = Field(-15.0, le=0, description="Highest energy, kcal/mol.")
    species: str = Field("", description="Of the sequences, for a split by species.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of lengths and places.")
    release: str = Field(
        "", description="Of the sequences, for the lock file; it is told, not looked at."
    )

    def places(self) -> list[str]:
        """The file that they are cut from."""
        return [self.file]


AnyCollection = HairpinCollection | RfamCollection | PseudoHairpinCollection


class Dataset(_Section):
    """A set of labelled RNAs."""

    positives: Places = Field(
        description="The pre-miRNAs (label 1): FASTA files, or names of `collections`."
    )
    negatives: Places = Field(
        description="Everything else (label 0): FASTA files, or names of `collections`."
    )
    on_ambiguous: Literal["error", "drop"] = Field(
        "error",
        description="What to do with a record that has a character outside ACGU(T): stop, or "
        "leave it out and list it.",
    )
    cleaned: bool = Field(
        False,
        description="Whether to leave out what is known to be wrong: sequences of both classes, "
        "negatives that are known hairpins (of `audit.hairpins`), and copies.",
    )


class _Split(_Section):
    identity: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Evaluation records that are this identical to a training record, or more, are "
        "left out; 1 is copies only. None is left out, if it is not given.",
    )
    copies: Literal["refuse", "keep"] = Field(
        "refuse",
        description="Whether an evaluation record may have the very sequence of a training record.",
    )


class _Drawn(_Split):
    """A cross-validation whose folds are drawn."""

    def drawing(self) -> dict[str, Any]:
        """What decides of the draw, as `mirpair.identification.folds.assign_folds` takes it."""
        return self.model_dump(include={"split", "folds", "seed"})


class KFold(_Drawn):
    """Stratified k-fold cross-validation of one set."""

    split: Literal["k-fold"]
    dataset: Name = Field(description="The set that is split.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the shuffle before the split.")


class ClusterKFold(_Drawn):
    """K-fold cross-validation in which nothing that evaluates is like something that trained."""

    split: Literal["cluster-k-fold"]
    dataset: Name = Field(description="The set that is split.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    identity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Identity from which on RNAs are of one cluster, and evaluation records that "
        "are this identical to a training record all the same are left out.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of clusters.")

    def drawing(self) -> dict[str, Any]:
        """As that of others, and from which identity on RNAs are of one cluster."""
        return super().drawing() | {"identity": self.identity}


class FamilyKFold(_Drawn):
    """K-fold cross-validation in which whole families are held out."""

    split: Literal["family-k-fold"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of families.")


class SpeciesHeldOut(_Split):
    """Train on some species, evaluate on others."""

    split: Literal["species"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    evaluate: list[str] = Field(
        min_length=1, description="Species that evaluate, as the names of hairpins begin."
    )
    seed: int = Field(
        0, ge=0, lt=2**32, description="Seed of the draw of records that are of no species."
    )


class TimeHeldOut(_Split):
    """Train on what an older release had, evaluate on what is new since."""

    split: Literal["time"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    older: Place = Field(description="Hairpins of the older release, with their accessions.")
    seed: int = Field(
        0, ge=0, lt=2**32, description="Seed of the draw of records that are of no release."
    )


class Published(_Split):
    """A split that others published as FASTA files."""

    split: Literal["published"]
    dataset: Name = Field(description="The set that the files are parts of.")
    folds: int | None = Field(
        None, ge=2, description="Number of folds; `{fold}` in a file name stands for 1, 2, …"
    )
    train: Places = Field(description="FASTA files of the training records.")
    evaluate: Places = Field(description="FASTA files of the evaluation records.")

    @model_validator(mode="after")
    def _fold_in_names(self) -> Published:
        for place in (*self.train, *self.evaluate):
            if self.folds is not None and "{fold}" not in place:
                raise ValueError(f"there are folds, so {place!r} needs {{fold}} in its name")
        return self


class AcrossDatasets(_Split):
    """Train on the whole of one set, evaluate on the whole of another."""

    split: Literal["across-datasets"]
    train: Name = Field(description="The set that trains.")
    evaluate: Name = Field(description="The set that evaluates.")

    @model_validator(mode="after")
    def _two_sets(self) -> AcrossDatasets:
        if self.train == self.evaluate:
            raise ValueError(f"the set {self.train!r} cannot both train and evaluate")
        return self


AnySplit = (
    KFold | ClusterKFold | FamilyKFold | SpeciesHeldOut | TimeHeldOut | Published | AcrossDatasets
)
Experiment = Annotated[AnySplit, Field(discriminator="split")]


class _Variant(_Section):
    label: str = Field(min_length=1, description="Its name in tables and figures.")

    def given(self) -> dict[str, Any]:
        """What it says, by the names of `mirpair.recipes`; the rest is the base's."""
        said = self.model_dump(exclude_unset=True, exclude={"base", "label"})
        return {key: value for key, value in said.items() if value is not None}


class ModelVariant(_Variant):
    """A network that differs from a known one in what is given here."""

    base: ModelName = Field(description="The known network: " + ", ".join(MODELS) + ".")
    soft: float | None = Field(
        None, ge=0, lt=0.5, description="One-hot {soft, 1 - soft} in place of {0, 1}."
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="Probability of dropout before the fully connected layers."
    )
    pooling: Literal[1, 2, 3] | None = Field(
        None,
        description="How many of the variable-sized network's pooling layers there are: 2 is "
        "without the max-pooling, 1 without the sum-pooling too.",
    )


class RecipeVariant(_Variant):
    """A recipe that differs from a known one in what is given here."""

    base: RecipeName = Field(description="The known recipe: " + ", ".join(RECIPES) + ".")
    epochs: int | None = Field(None, ge=1, description="Passes over the training records.")
    batch_size: int | None = Field(None, ge=1, description="Samples a step.")
    learning_rate: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Of the optimiser."
    )
    weight_decay: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="L2 penalty, of the optimiser."
    )
    optimizer: Literal["adagrad", "adam"] | None = Field(None, description="Which optimiser.")
    loss: Literal["sum", "mean", "mean-of-each"] | None = Field(
        None, description="Weighted sum over a batch, weighted mean, or each sample's own mean."
    )
    positive_weight: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Weight of a positive where a negative has 1.",
    )
    frozen_norm: bool | None = Field(
        None, description="Whether batch normalisation keeps epoch 1's running statistics."
    )
    precision: Literal["float32", "float64"] | None = Field(
        None, description="Of all numbers in the network."
    )


class Others(_Section):
    """RNAs that are no pre-miRNAs, for telling whether an RNA is of any trained family."""

    files: Places = Field(description="FASTA files whose headers name the class of RNA.")
    kinds: dict[str, str] = Field(
        {}, description="Class in a header to the kind of RNA that it is told as."
    )
    rest: str = Field("other non-coding RNA", description="Kind of all other classes.")
    without: list[str] = Field([], description="Classes that are left out.")


class FamilySplit(_Section):
    """Which families an experiment is about, and how many records of each have which role."""

    split: Literal["random", "clusters"] = Field(
        description="Whether records are drawn one by one, or in clusters of RNAs that are alike."
    )
    at_least: int = Field(2, ge=2, description="Families with at least so many different RNAs.")
    at_most: int | None = Field(None, ge=2, description="Families with at most so many.")
    families: int | None = Field(
        None, ge=2, description="At most so many families, the largest; all, if it is left out."
    )
    identity: float = Field(
        0.8, gt=0, le=1, description="Identity from which on RNAs are of one cluster."
    )
    training: int = Field(ge=1, description="Training records of each family.")
    evaluation: int = Field(ge=1, description="At most so many evaluation records of each family.")
    validation: int = Field(
        0, ge=0, description="At most so many records of each family that choose thresholds."
    )
    outliers: int = Field(
        0,
        ge=0,
        description="At most so many RNAs of each kind that are of no trained family, to choose "
        "thresholds, and as many to evaluate.",
    )

    @model_validator(mode="after")
    def _is_possible(self) -> FamilySplit:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(
                f"no family has {self.at_least} RNAs or more but at most {self.at_most}"
            )
        if self.outliers and not self.validation:
            raise ValueError("outliers need `validation` too: it chooses the thresholds")
        return self


class Infernal(_Section):
    """What is compared with covariance models."""

    experiment: Name = Field(description="Whose training records the models are built from.")
    queries: int = Field(
        200, ge=2, description="How many evaluation records the speed is measured on."
    )
    families: list[Annotated[int, Field(ge=2)]] = Field(
        [], description="Numbers of families that show how the time grows with them."
    )
    mirgenedb: bool = Field(
        False,
        description="Whether to compare with the calibrated models of MirGeneDB too, which the "
        "Python package mirmachine (263 MB) carries.",
    )


class Shipped(_Section):
    """The training whose weights `mirpair annotate` is given."""

    experiment: Name = Field(description="On which experiment it was trained.")
    model: Literal["one-hot", "variable", "without-pairing"] = Field(
        description="Which network; those of matrices are too large."
    )
    score: Literal["softmax", "energy", "distance"] = Field(
        description="How it tells what is of no trained family."
    )


class ShippedNetwork(_Section):
    """The network that `mirpair predict` and `mirpair scan` are given."""

    validation: Name = Field(
        description="The cross-validation whose held-out scores calibrate; the network itself is "
        "trained on all records of its set."
    )
    model: ModelName = Field("variable", description="Which network.")
    recipe: RecipeName = Field("paper", description="How it is trained.")
    members: int = Field(
        1, ge=1, description="Of how many seeds, the first of `seeds`, it is the ensemble."
    )


class FamilyRuns(_Section):
    """Which networks are trained on which experiments of a study of families."""

    models: list[Literal["pair", "prob", "mixed", "one-hot", "variable", "without-pairing"]] = (
        Field(min_length=1, description="Networks, each with its encoding.")
    )
    experiments: list[Name] | None = Field(
        None, min_length=1, description="On which experiments; all, if it is left out."
    )
    epochs: int | None = Field(
        None, ge=1, description="Passes over the training records; the recipe's, if left out."
    )


class Figure3(_Section):
    """What happens after the last epoch, the paper's Figure 3: trainings that are watched on."""

    model: ModelName = Field("variable", description="Which network.")
    recipe: RecipeName = Field("paper", description="How it is trained.")
    epochs: int = Field(80, ge=1, description="Up to which epoch the histories go.")
    validation: Name = Field(
        description="The cross-validation whose validation metrics are drawn, a panel a fold."
    )
    training: Name | None = Field(
        None, description="The experiment whose training metrics are the last panel."
    )
    in_report: bool = Field(
        False, description="Whether the report has it, so that `all` trains for it."
    )


class Runs(_Section):
    """Which networks are trained on which experiments, and how."""

    models: list[ModelName] = Field(
        min_length=1, description="Networks: " + ", ".join(MODELS) + ", or those of `models`."
    )
    recipe: RecipeName = Field(
        "paper", description="How they are trained: paper, published-code, or one of `recipes`."
    )
    experiments: list[Name] | None = Field(
        None, min_length=1, description="On which experiments; all, if it is left out."
    )
    folds: list[int] | None = Field(
        None, min_length=1, description="Which folds of a cross-validation; all, if it is left out."
    )
    epochs: int | None = Field(
        None, ge=1, description="Passes over the training records; the recipe's, if left out."
    )


class Results(_Section):
    """A table of results, published and ours side by side."""

    title: str = Field(description="Its caption.")
    rows: dict[str, Name] = Field(
        min_length=1,
        description="Protocol (such as CV or test, as the published rows name it) to experiment.",
    )
    published: str | None = Field(
        None, description="TSV file with published rows: method, protocol and the seven metrics."
    )


class Counts(_Section):
    """A table of the number of records in each set."""

    title: str = Field(description="Its caption.")
    sets: list[Name] = Field(min_length=1, description="Which sets.")
    published: str | None = Field(
        None, description="TSV file with published rows: dataset, positives, negatives."
    )


def _kind_of_table(table: Any) -> str:
    is_counts = "sets" in table if isinstance(table, Mapping) else isinstance(table, Counts)
    return "counts" if is_counts else "results"


Table = Annotated[
    Annotated[Results, Tag("results")] | Annotated[Counts, Tag("counts")],
    Discriminator(_kind_of_table),
]


# Tables that every study has, and their titles.
OWN_TABLES = {
    "cleaned": "All evaluation records, and cleaned ones",
    "epochs": "The last epoch, which is the result, and the best one by validation loss",
    "audit": "What the evaluation records are worth",
}


class Fold(NamedTuple):
    """One experiment as it is run: a fold of a cross-validation, or a split of its own.

    Attributes
    ----------
    group
        Its key in the config: ``human-cv``.
    number
        Which fold, from 1; 0 where there are none.
    """

    group: str
    number: int


class Run(NamedTuple):
    """One training.

    Attributes
    ----------
    experiment
        Name of the fold that it trains on: ``human-cv1``.
    model, recipe, seed
        What is trained, and how.
    epochs
        Passes over the training records.
    """

    experiment: str
    model: str
    recipe: str
    seed: int
    epochs: int


class _Study(_Section):
    """What a study of either task says."""

    study: Name = Field(description="Its name: all that it writes stands in results/<study>/.")
    title: str = Field(description="Heading of its report.")
    sources: str | None = Field(
        None, description="Table of published files; config/sources.tsv, if it is left out."
    )
    mirror: str | None = Field(
        None,
        description="Folder with published files that is looked at before the network (its paths "
        "are their URLs without the scheme); else the variable MIRPAIR_MIRROR, if it is set.",
    )
    lock: str | None = Field(
        None,
        description="File that keeps what live sources were; config/<study>.lock.tsv, if left out.",
    )
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0], min_length=1, description="Base seeds; every run is trained once for each."
    )

    def releases(self) -> dict[str, str]:
        """What is said of the release of files, by their place."""
        return {}

    @model_validator(mode="after")
    def _names_and_seeds(self) -> Self:
        if self.study == "raw":
            raise ValueError("study: 'raw' is the folder of the downloads; choose another name")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one of them stands twice")
        return self

    @staticmethod
    def _known(section: str, name: str, kind: str, what: str, known: Collection[str]) -> None:
        if what not in known:
            raise ValueError(
                f"{section}.{name}: there is no {kind} named {what!r}; there are {', '.join(known)}"
            )


class FamilyStudy(_Study):
    """A study of microRNA families: everything that one config file says."""

    task: Literal["families"] = Field(
        description="What is studied: which family an RNA is of, and whether it is of any."
    )
    families: str = Field(
        pattern=r"^[^{}]*\{family\}[^{}]*$",
        description="FASTA files of pre-miRNAs, one a family, `{family}` standing for its name: "
        "names of the sources table, or paths.",
    )
    max_length: int = Field(200, ge=1, le=200, description="Longer RNAs are left out, nt.")
    others: Others | None = Field(None, description="RNAs that are no pre-miRNAs.")
    experiments: dict[Name, FamilySplit] = Field(
        min_length=1, description="Who trains and who evaluates."
    )
    runs: list[FamilyRuns] = Field(min_length=1, description="What is trained.")
    infernal: Infernal | None = Field(None, description="The comparison with Infernal.")
    shipped: Shipped | None = Field(None, description="The network that `annotate` uses.")

    @model_validator(mode="after")
    def _names_are_known(self) -> FamilyStudy:
        for number, runs in enumerate(self.runs, 1):
            for name in runs.experiments or []:
                self._known("runs", str(number), "experiment", name, self.experiments)
        keys = [run[:4] for run in self.plan()]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"runs: {twice[1]!r} on {twice[0]!r} is asked for twice")
        if self.infernal:
            where = ("infernal", "experiment", "experiment")
            self._known(*where, self.infernal.experiment, self.experiments)
        if self.shipped and not any(
            run[:2] == (self.shipped.experiment, self.shipped.model) for run in self.plan()
        ):
            raise ValueError(
                f"shipped: no training of {self.shipped.model!r} on {self.shipped.experiment!r} "
                "is planned"
            )
        if self.shipped and not self.experiments[self.shipped.experiment].outliers:
            raise ValueError(
                f"shipped: {self.shipped.experiment!r} needs `outliers`, by which the threshold "
                "is chosen"
            )
        for name, split in self.experiments.items():
            if split.outliers and self.others is None:
                raise ValueError(f"experiments.{name}: outliers need the section `others`")
        return self

    def places(self) -> list[str]:
        """Every file that the config names one by one; those of the families are a pattern."""
        return self.others.files if self.others else []

    def plan(self) -> list[Run]:
        """Every training of the study, in the order of the config."""
        return [
            Run(
                name,
                model,
                "tang-sun",
                seed,
                runs.epochs or self.training(name, model, "tang-sun")[1].epochs,
            )
            for runs in self.runs
            for name in self.experiments
            if runs.experiments is None or name in runs.experiments
            for model in runs.models
            for seed in self.seeds
        ]

    def series(self) -> list[str]:
        """The first experiments that differ in nothing but how many records of a family train."""
        alike: dict[tuple[Any, ...], list[str]] = {}
        for name, split in self.experiments.items():
            same = split.model_dump(exclude={"training", "validation", "outliers"})
            alike.setdefault(tuple(same.values()), []).append(name)
        for names in alike.values():
            if len({self.experiments[name].training for name in names}) == len(names) > 1:
                return names
        return []

    @staticmethod
    def training(experiment: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """What a run trains and how."""
        return FAMILY_RECIPES[recipe](FAMILY_MODELS[model])


class PredictionStudy(_Study):
    """A study that asks a network about anyone's RNAs and genomes."""

    task: Literal["prediction"] = Field(
        description="What is done: RNAs and genomes are scored by weights that are there."
    )
    title: str = Field("Predictions", description="Heading of its report.")
    samples: str = Field(
        description="Sheet of the samples, TSV: sample (a name), run (predict or scan), fasta."
    )
    weights: str | None = Field(
        None, description="Weights of a network; the ones that come with mirpair, if left out."
    )
    predict: PredictionSettings = Field(PredictionSettings(), description="How RNAs are scored.")
    scan: ScanSection = Field(ScanSection(), description="How genomes are scanned.")

    def places(self) -> list[str]:
        """No file: those of the samples are in the sheet, see `read_samples`."""
        return []

    def plan(self) -> list[Run]:
        """Nothing is trained."""
        return []


class Study(_Study):
    """A study of who is a pre-miRNA: everything that one config file says."""

    task: Literal["identification"] = Field(
        "identification", description="What is studied: whether an RNA is a pre-miRNA."
    )
    kept: str | None = Field(
        None,
        description="Folder with kept results: trainings found there are taken instead of made, "
        "and the target `keep` puts those there that are made.",
    )
    collections: dict[Name, Annotated[AnyCollection, Field(discriminator="source")]] = Field(
        {}, description="RNAs that are collected from databases and genomes."
    )
    datasets: dict[Name, Dataset] = Field(min_length=1, description="Sets of labelled RNAs.")
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="Who trains and who evaluates."
    )
    models: dict[Name, ModelVariant] = Field({}, description="Networks of the study's own.")
    recipes: dict[Name, RecipeVariant] = Field({}, description="Recipes of the study's own.")
    runs: list[Runs] = Field(min_length=1, description="What is trained.")
    tables: dict[Name, Table] = Field(description="What is printed.")
    figure3: Figure3 | None = Field(None, description="What is watched beyond the last epoch.")
    audit: Audit = Field(Audit(), description="What is known of hairpins, for the audit.")
    shipped: ShippedNetwork | None = Field(
        None, description="The network that `predict` and `scan` use."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Study:
        self._collections_are_possible()
        if len(self.folds()) < sum(_fold_count(e) or 1 for e in self.experiments.values()):
            raise ValueError("experiments: two of them give the same name to a fold")
        for name, experiment in self.experiments.items():
            for dataset in self._sets_of(experiment):
                self._known("experiments", name, "set", dataset, self.datasets)
        self._variants_are_possible()
        for index, runs in enumerate(self.runs):
            for name in runs.experiments or []:
                self._known("runs", str(index + 1), "experiment", name, self.experiments)
            for name in runs.models:
                self._known("runs", str(index + 1), "model", name, {**MODELS, **self.models})
            self._known("runs", str(index + 1), "recipe", runs.recipe, {**RECIPES, **self.recipes})
            numbers = {fold.number for fold in self.folds().values()}
            for number in runs.folds or []:
                if number < 1 or number not in numbers:
                    raise ValueError(f"runs.{index + 1}: no experiment has a fold {number}")
        for name, table in self.tables.items():
            if isinstance(table, Counts):
                for dataset in table.sets:
                    self._known("tables", name, "set", dataset, self.datasets)
            else:
                for group in table.rows.values():
                    self._known("tables", name, "experiment", group, self.experiments)
                    if not self.runs_on(group):
                        raise ValueError(f"tables.{name}: nothing is trained on {group!r}")
        if self.figure3 is not None:
            for key, kind, known in (
                ("model", "model", {**MODELS, **self.models}),
                ("recipe", "recipe", {**RECIPES, **self.recipes}),
                ("validation", "experiment", self.experiments),
                ("training", "experiment", self.experiments),
            ):
                if (name := getattr(self.figure3, key)) is not None:
                    self._known("figure3", key, kind, name, known)
            if self.figure3.training == self.figure3.validation:
                raise ValueError("figure3: validation and training are the same experiment")
            if usual := [run.epochs for run in self.watched() if run.epochs >= self.figure3.epochs]:
                raise ValueError(
                    f"figure3.epochs: is {self.figure3.epochs}, must go beyond the recipe's "
                    f"{max(usual)}"
                )
        self._shipped_is_possible()
        if not self.plan():
            raise ValueError("runs: no experiment has what they name, so nothing is trained")
        if taken := [name for name in self.tables if name in OWN_TABLES]:
            raise ValueError(f"tables.{taken[0]}: every study has a table of this name already")
        named: dict[str, tuple[str, str]] = {}
        for run in self.plan():
            label = self.label(run.model, run.recipe)
            other = named.setdefault(label, (run.model, run.recipe))
            if other != (run.model, run.recipe):
                raise ValueError(
                    f"runs: {' with '.join(other)} and {run.model} with {run.recipe} have the "
                    f"same label {label!r}; give each its own"
                )
        keys = [run[:4] for run in self.plan()]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(
                f"runs: {twice[1]!r} with recipe {twice[2]!r} on {twice[0]!r} is asked for twice"
            )
        return self

    def _collections_are_possible(self) -> None:
        for name, of_both in self.datasets.items():
            if both := [place for place in of_both.positives if place in of_both.negatives]:
                raise ValueError(
                    f"datasets.{name}: {both[0]} is among the positives and the negatives"
                )
        for name, collection in self.collections.items():
            if not isinstance(collection, PseudoHairpinCollection):
                continue
            self._known("collections", name, "collection", collection.lengths_of, self.collections)
            if isinstance(self.collections[collection.lengths_of], PseudoHairpinCollection):
                raise ValueError(
                    f"collections.{name}: lengths_of: {collection.lengths_of!r} is of "
                    "pseudo-hairpins too; name a collection of positives"
                )
        for name, experiment in self.experiments.items():
            if not isinstance(experiment, FamilyKFold | SpeciesHeldOut | TimeHeldOut):
                continue
            dataset = self.datasets.get(experiment.dataset)
            if dataset and not set(dataset.positives) & set(self.collections):
                raise ValueError(
                    f"experiments.{name}: where RNAs are from is known of collections alone, and "
                    f"the positives of the set {experiment.dataset!r} are "
                    f"{', '.join(dataset.positives)}; name one of `collections` among its "
                    f"positives (there are {', '.join(self.collections) or 'none'})"
                )

    def _shipped_is_possible(self) -> None:
        shipped = self.shipped
        if shipped is None:
            return
        self._known("shipped", "validation", "experiment", shipped.validation, self.experiments)
        if not _fold_count(self.experiments[shipped.validation]):
            raise ValueError(f"shipped.validation: {shipped.validation!r} has no folds")
        planned = {(run.experiment, *run[1:4]) for run in self.plan()}
        for name, fold in self.folds().items():
            for seed in self.seeds:
                run = (name, shipped.model, shipped.recipe, seed)
                if fold.group == shipped.validation and run not in planned:
                    raise ValueError(
                        f"shipped: no training of {shipped.model!r} with recipe "
                        f"{shipped.recipe!r} on {name!r} is planned; add it to `runs`"
                    )
        if shipped.members > len(self.seeds):
            raise ValueError(
                f"shipped.members: is {shipped.members}, but there are {len(self.seeds)} `seeds`"
            )

    def _variants_are_possible(self) -> None:
        for section, own, known in (
            ("models", self.models, MODELS),
            ("recipes", self.recipes, RECIPES),
        ):
            for name, variant in own.items():
                if name in known:
                    raise ValueError(f"{section}.{name}: this name is taken; choose another one")
                self._known(section, name, "base", variant.base, known)
        for name, model in self.models.items():
            base = MODELS[model.base]
            if model.pooling not in (None, 3) and base.architecture != "variable":
                raise ValueError(
                    f"models.{name}: pooling layers can be left out of variable-sized networks "
                    f"only, and {model.base!r} is none"
                )

    @staticmethod
    def _sets_of(experiment: AnySplit) -> list[str]:
        if isinstance(experiment, AcrossDatasets):
            return [experiment.train, experiment.evaluate]
        return [experiment.dataset]

    def folds(self) -> dict[str, Fold]:
        """Every experiment as it is run, by the name of its file: ``human-cv1``, ``new-test``."""
        named: dict[str, Fold] = {}
        for name, experiment in self.experiments.items():
            if count := _fold_count(experiment):
                named |= {f"{name}{number}": Fold(name, number) for number in range(1, count + 1)}
            else:
                named[name] = Fold(name, 0)
        return named

    def drawn(self) -> list[str]:
        """The experiments whose folds are drawn."""
        return [name for name, it in self.experiments.items() if isinstance(it, _Drawn)]

    def sets_of(self, fold_name: str) -> list[str]:
        """The sets that an experiment takes its records from."""
        return self._sets_of(self.experiments[self.folds()[fold_name].group])

    def validation_of(self, group: str) -> str | None:
        """The experiment with folds on the set that an experiment trains on; itself if it has."""
        if _fold_count(self.experiments[group]):
            return group
        trains = self._sets_of(self.experiments[group])[0]
        for name, experiment in self.experiments.items():
            trained = _fold_count(experiment) and self.runs_on(name)
            if trained and self._sets_of(experiment)[0] == trains:
                return name
        return None

    def split_files(self, fold_name: str, role: Literal["train", "evaluate"]) -> list[str]:
        """The FASTA files of a published split's role, `{fold}` filled in; none of other splits."""
        group, number = self.folds()[fold_name]
        experiment = self.experiments[group]
        if not isinstance(experiment, Published):
            return []
        places: list[str] = getattr(experiment, role)
        return [place.replace("{fold}", str(number)) for place in places]

    def places(self) -> list[str]:
        """Every file of sequences or families that the config names."""
        sets = [place for d in self.datasets.values() for place in (*d.positives, *d.negatives)]
        train = [place for name in self.folds() for place in self.split_files(name, "train")]
        evaluate = [place for name in self.folds() for place in self.split_files(name, "evaluate")]
        older = [e.older for e in self.experiments.values() if isinstance(e, TimeHeldOut)]
        collected = [place for it in self.collections.values() for place in it.places()]
        named = sets + train + evaluate + older + self.audit.places()
        return [place for place in named if place not in self.collections] + collected

    def collections_of(self, dataset: str) -> list[str]:
        """The collections that a set takes its records from."""
        files = (*self.datasets[dataset].positives, *self.datasets[dataset].negatives)
        return [place for place in files if place in self.collections]

    def older(self, fold_name: str) -> str | None:
        """The older release of a split in time; None of other splits."""
        experiment = self.experiments[self.folds()[fold_name].group]
        return experiment.older if isinstance(experiment, TimeHeldOut) else None

    def releases(self) -> dict[str, str]:
        """What collections say of the release of their files."""
        return {
            place: it.release
            for it in self.collections.values()
            for place in it.places()
            if it.release
        }

    def max_lengths(self, fold_name: str) -> dict[str, int | None]:
        """The networks that are planned on one experiment, and the longest RNA that each takes."""
        planned = [run for run in self.plan() if run.experiment == fold_name]
        return {
            run.model: self.training(fold_name, run.model, run.recipe)[0].max_length
            for run in planned
        }

    def result_tables(self) -> dict[str, Results]:
        """The tables of results, by name."""
        return {name: table for name, table in self.tables.items() if isinstance(table, Results)}

    def count_tables(self) -> dict[str, Counts]:
        """The tables of counts, by name."""
        return {name: table for name, table in self.tables.items() if isinstance(table, Counts)}

    def runs_on(self, *groups: str) -> list[Run]:
        """The trainings on some experiments of the config, all their folds."""
        folds = self.folds()
        return [run for run in self.plan() if folds[run.experiment].group in groups]

    def plan(self) -> list[Run]:
        """Every training of the study, in the order of the config."""
        plan = []
        for runs in self.runs:
            for name, (group, number) in self.folds().items():
                if runs.experiments is not None and group not in runs.experiments:
                    continue
                if runs.folds is not None and number and number not in runs.folds:
                    continue
                plan += [
                    Run(
                        name,
                        model,
                        runs.recipe,
                        seed,
                        runs.epochs or self.training(name, model, runs.recipe)[1].epochs,
                    )
                    for model in runs.models
                    for seed in self.seeds
                ]
        return plan

    def watched(self) -> list[Run]:
        """The trainings of Figure 3, the folds first; their epochs are those of the result."""
        if self.figure3 is None:
            return []
        model, recipe = self.figure3.model, self.figure3.recipe
        groups = (self.figure3.validation, self.figure3.training)
        return [
            Run(name, model, recipe, self.seeds[0], self.training(name, model, recipe)[1].epochs)
            for group in groups
            for name, fold in self.folds().items()
            if fold.group == group
        ]

    def whole(self) -> list[Run]:
        """The trainings on all records of a set, whose networks are shipped."""
        if self.shipped is None:
            return []
        shipped = self.shipped
        held = [
            run
            for run in self.runs_on(shipped.validation)
            if (run.model, run.recipe) == (shipped.model, shipped.recipe)
        ]
        (dataset,) = self.sets_of(held[0].experiment)
        return [
            Run(dataset, shipped.model, shipped.recipe, seed, held[0].epochs) for seed in self.seeds
        ]

    def training(self, fold_name: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """What a run trains and how, by the names that it has in the config."""
        network = MODELS[model] if model in MODELS else _varied_model(self.models[model])
        if recipe in RECIPES:
            return RECIPES[recipe](network, self._split_of(fold_name))
        variant = self.recipes[recipe]
        network, base = RECIPES[variant.base](network, self._split_of(fold_name))
        return network, replace(base, **variant.given())

    def _split_of(self, fold_name: str) -> Split:
        group, number = self.folds()[fold_name]
        if number:
            return "cross-validation"
        is_across = isinstance(self.experiments[group], AcrossDatasets)
        return "across-datasets" if is_across else "test"

    def label(self, model: str, recipe: str) -> str:
        """Name of a network in tables and figures; the recipe is told unless it is the paper's."""
        network = MODELS[model] if model in MODELS else self.models[model]
        if recipe == "paper":
            return network.label
        how = recipe if recipe in RECIPES else self.recipes[recipe].label
        return f"{network.label}, {how}"


def _varied_model(variant: ModelVariant) -> Model:
    # It is another network than the one that has a row in the paper.
    own = {"label": variant.label, "published": "", **variant.given()}
    return replace(MODELS[variant.base], **own)


def _fold_count(experiment: AnySplit) -> int | None:
    folds: int | None = getattr(experiment, "folds", None)
    return folds


def schema() -> dict[str, Any]:
    """JSON schema of a config of any task, for editors."""
    return TypeAdapter(Study | FamilyStudy | PredictionStudy).json_schema()


def load_study(config: Mapping[str, Any]) -> Study | FamilyStudy | PredictionStudy:
    """Check a config as it came from YAML; its key `task` tells which kind of study it is.

    Raises
    ------
    InputError
        Listing everything that is wrong: where it stands, what it is and what it should be.
    """
    try:
        kinds: dict[Any, type[Study | FamilyStudy | PredictionStudy]] = {
            "families": FamilyStudy,
            "prediction": PredictionStudy,
        }
        return kinds.get(str(config.get("task")), Study).model_validate(config)
    except ValidationError as error:
        problems = [_explain(dict(problem)) for problem in error.errors()]
        raise InputError(
            "the config is not valid:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\nconfig/README.md explains every key."
        ) from error


class Sample(NamedTuple):
    """A row of the sheet of samples.

    Attributes
    ----------
    run
        ``"predict"`` or ``"scan"``.
    fasta
        A file: a name of the sources table, a URL or a path.
    """

    run: str
    fasta: str


def read_samples(path: str) -> dict[str, Sample]:
    """Read the sheet of samples: a TSV with the columns sample, run and fasta.

    Raises
    ------
    InputError
        If it is something else, a sample stands twice, or its name or what is run is not possible.
    """
    table = read_tsv(path, dict.fromkeys(("sample", *Sample._fields), "str"), remedy="correct it")
    samples: dict[str, Sample] = {}
    for number, row in enumerate(table.itertuples(index=False), 2):
        where = f"{path}: line {number}"
        name, sample = str(row.sample), Sample(str(row.run), str(row.fasta))
        if not re.fullmatch(_NAME, name):
            raise InputError(f"{where}: sample is {name!r}; a name is letters, digits, - and _")
        if name in samples:
            raise InputError(f"{where}: the sample {name!r} stands twice")
        if sample.run not in ("predict", "scan"):
            raise InputError(f"{where}: run is {sample.run!r}, must be 'predict' or 'scan'")
        if not sample.fasta:
            raise InputError(f"{where}: the sample {name!r} has no FASTA file")
        samples[name] = sample
    if not samples:
        raise InputError(f"{path}: there are no samples in it")
    return samples


_SPLITS = (
    *("k-fold", "cluster-k-fold", "family-k-fold"),
    *("species", "time", "published", "across-datasets"),
)
_COLLECTIONS = ("hairpins", "rfam", "pseudo-hairpins")
_KINDS = (*_SPLITS, *_COLLECTIONS, "results", "counts")


_NAMED = ("collections", "datasets", "experiments", "models", "recipes", "tables")


def _explain(problem: dict[str, Any]) -> str:
    loc = list(problem["loc"])
    # After the name of an experiment or a table pydantic puts the kind that it took it for.
    if len(loc) > 2 and loc[0] in ("experiments", "tables", "collections") and loc[2] in _KINDS:
        del loc[2]
    # Lists are counted from 1; a number that is a key of a mapping stays as it is.
    named = loc and loc[0] in _NAMED
    where = ".".join(
        str(part + 1) if isinstance(part, int) and not (named and place == 1) else str(part)
        for place, part in enumerate(loc)
        if part != "[key]"
    )
    match problem["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{where}: this key is not known here; is it misspelt or in the wrong section?"
        case "missing":
            return f"{where}: this key is missing"
        case "union_tag_not_found" | "union_tag_invalid" if loc[0] == "collections":
            return f"{where}.source: must be one of {', '.join(_COLLECTIONS)}"
        case "union_tag_not_found" | "union_tag_invalid":
            return f"{where}.split: must be one of {', '.join(_SPLITS)}"
        case "literal_error":
            return f"{where}: is {problem['input']!r}, must be {problem['ctx']['expected']}"
        case "list_type":
            return f"{where}: is {problem['input']!r}, must be a list: [{problem['input']}]"
        case "dict_type" | "model_type" | "dataclass_type":
            return f"{where}: is {problem['input']!r}, must be a section with keys of its own"
        case "string_type":
            return f"{where}: is {problem['input']!r}, must be text: '{problem['input']}'"
        case "string_pattern_mismatch" if loc[0] == "collections" and "families" in loc:
            return f"{where}: is {problem['input']!r}; an accession of Rfam is RF and five digits"
        case "string_pattern_mismatch" if loc == ["families"]:
            how = "write {family} once, where a family's name stands"
            return f"{where}: is {problem['input']!r}; {how}"
        case "string_pattern_mismatch":
            return f"{where}: is {problem['input']!r}; a name is letters, digits, - and _"
        case "value_error":
            text = str(problem["ctx"]["error"])
            return f"{where}: {text}" if where else text
        case _:
            return f"{where}: is {problem['input']!r}; {problem['msg']}"

"""The section `tables` of a config: results, seeds, counts, by kind of RNA, and by cutting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from mirpair.study.base import Name, Section, SourceRef

# Tables that every study has, and their titles.
OWN_TABLES = {
    "cleaned": "All evaluation records, and cleaned ones",
    "epochs": "The last epoch, which is the result, and the best one by validation loss",
    "audit": "What the evaluation records are worth",
}
Cut = Literal[
    "hairpin", "pre-mirna", "scanned", "trimmed", "flanked", "window", "joined", "as-published"
]
Trust = Literal["supported", "related", "doubtful", "repeat", "unknown"]


class Results(Section):
    """A table of results, published and ours side by side."""

    title: str = Field(description="Caption of the table.")
    rows: dict[str, Name] = Field(
        min_length=1,
        description="Experiment of each protocol, such as `{CV: human-cv, test: human-test}`; the "
        "protocols are those of the published rows, if there are any.",
    )
    published: str | None = Field(
        None,
        description="TSV file with published rows, as in `published/table2.tsv`: method, protocol "
        "and the seven metrics; by default there are none.",
    )


class Counts(Section):
    """A table of the number of records in each set."""

    title: str = Field(description="Caption of the table.")
    sets: list[Name] = Field(min_length=1, description="Sets to count.")
    published: str | None = Field(
        None,
        description="TSV file with published rows, as in `published/table1.tsv`: dataset, "
        "positives, negatives; by default there are none.",
    )


class RecordKind(Section):
    """Which evaluation records of a class belong to a kind."""

    collections: Annotated[list[SourceRef], Field(min_length=1)] | None = Field(
        None,
        description="Collections, or files, of the set that it consists of; by default all of "
        "the class.",
    )
    cuts: Annotated[list[Cut], Field(min_length=1)] | None = Field(
        None,
        description="How its RNAs were cut: `hairpin`, `pre-mirna`, `scanned`, `trimmed`, "
        "`flanked`, `window`, `joined` or `as-published`; by default in any way.",
    )
    trust: Annotated[list[Trust], Field(min_length=1)] | None = Field(
        None,
        description="How sure it is that its RNAs are pre-miRNAs: `supported`, `related`, "
        "`doubtful`, `repeat` or `unknown`; by default any.",
    )
    species: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="Species of its RNAs, as names of hairpins begin (`hsa`), in any case; by "
        "default all.",
    )
    newer_than: SourceRef | None = Field(
        None,
        description="Hairpins of an older release, whose accessions are left out; by default none "
        "are.",
    )


class Kinds(Section):
    """A table of results by kind of RNA: each row is a kind of positives against one of negatives.

    The records are the evaluation records of one experiment without folds.
    """

    title: str = Field(description="Caption of the table.")
    experiment: Name = Field(
        description="Experiment without folds, whose evaluation records the kinds are chosen from."
    )
    positives: dict[str, RecordKind] = Field(
        min_length=1, description="Kinds of pre-miRNAs, by the name that the table shows."
    )
    negatives: dict[str, RecordKind] = Field(
        min_length=1, description="Kinds of other RNAs, by the name that the table shows."
    )
    rows: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        min_length=1,
        description="Rows of the table, each a kind of pre-miRNAs and a kind of other RNAs, such "
        "as `[precursors, coding sequences]`.",
    )

    @model_validator(mode="after")
    def _rows_are_known(self) -> Self:
        for number, (positives, negatives) in enumerate(self.rows, 1):
            for name, known, key in (
                (positives, self.positives, "positives"),
                (negatives, self.negatives, "negatives"),
            ):
                if name not in known:
                    names = ", ".join(map(repr, known))
                    raise ValueError(
                        f"rows: the kind {name!r} of row {number} is not among `{key}`, which are "
                        f"{names}"
                    )
        if len({tuple(row) for row in self.rows}) < len(self.rows):
            raise ValueError("rows: a row is listed twice")
        return self

    def kinds(self) -> list[RecordKind]:
        """List the kinds of both classes."""
        return [*self.positives.values(), *self.negatives.values()]

    def source_refs(self) -> list[str]:
        """List the files that its kinds name: older releases, each once."""
        return list(dict.fromkeys(it.newer_than for it in self.kinds() if it.newer_than))


class Cutting(Section):
    """A table of how well the cutting of RNAs alone separates the classes."""

    title: str = Field(description="Caption of the table.")
    experiment: Name = Field(
        description="Experiment without folds, whose evaluation records are compared."
    )


class Seeds(Section):
    """A table of how far published values are from the mean of our seeds."""

    title: str = Field(description="Caption of the table.")
    seeds_of: dict[Name, str] = Field(
        min_length=1,
        description="Tables of results with published rows, such as `{table2: human}`: the name "
        "that each has in this table. The trainings need several seeds.",
    )


def _kind_of_table(table: Any) -> str:
    if not isinstance(table, Mapping):
        return type(table).__name__.lower()
    if "sets" in table:
        return "counts"
    if "seeds_of" in table:
        return "seeds"
    if "experiment" in table:
        return "kinds" if {"positives", "negatives", "rows"} & set(table) else "cutting"
    return "results"


Table = Annotated[
    Annotated[Results, Tag("results")]
    | Annotated[Counts, Tag("counts")]
    | Annotated[Kinds, Tag("kinds")]
    | Annotated[Cutting, Tag("cutting")]
    | Annotated[Seeds, Tag("seeds")],
    Discriminator(_kind_of_table),
]


def unknown_files(table: Kinds, files: Mapping[str, list[str]]) -> str | None:
    """Explain the first collection that a kind names and that is not in the set; None if none is.

    `files` has the set's own, by class: `positives` and `negatives`.
    """
    for label in ("positives", "negatives"):
        for name, kind in getattr(table, label).items():
            for ref in kind.collections or []:
                if ref not in files[label]:
                    listed = ", ".join(files[label])
                    return f"{label}.{name}: {ref!r} is not among the {label} of the set: {listed}"
    return None

"""The section `tables` of a config, and the tables that every study has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from mirpair.study.base import Name, Section


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

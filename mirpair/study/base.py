"""What the sections of every config share, and what a study of any task says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mirpair.recipes import MODELS, RECIPES

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
Name = Annotated[
    str,
    Field(
        pattern=f"^{NAME}$",
        description="A name that becomes part of a path: letters, digits, - and _.",
    ),
]
SourceRef = Annotated[
    str,
    Field(
        min_length=1,
        description="A FASTA file, plain or gzip: a name of the sources table, a URL or a path.",
    ),
]
SourceRefs = Annotated[list[SourceRef], Field(min_length=1)]


ModelName = Annotated[Name, Field(json_schema_extra={"examples": list(MODELS)})]
RecipeName = Annotated[Name, Field(json_schema_extra={"examples": list(RECIPES)})]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class BaseStudy(Section):
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
    def require_known(
        section: str, name: str, kind: str, what: str, known: Collection[str]
    ) -> None:
        if what not in known:
            raise ValueError(
                f"{section}.{name}: there is no {kind} named {what!r}; there are {', '.join(known)}"
            )

"""What the sections of every config share, and the keys that a study of any task has."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

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
FamilyFile = Annotated[str, Field(min_length=1)]
ModelName = Annotated[Name, Field(json_schema_extra={"examples": list(MODELS)})]
RecipeName = Annotated[Name, Field(json_schema_extra={"examples": list(RECIPES)})]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
BaseSeed = Annotated[int, Field(ge=0)]
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


def read_exponent(value: Any) -> Any:
    """Read ``1e-3`` as a number, which YAML 1.1 takes for text; return any other value as it is."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


class Section(BaseModel):
    """A section of a config: it has no unknown keys, and does not change.

    Types are strict: 10 is neither `yes`, nor 10.0, nor text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _exponents(cls, section: Any) -> Any:
        if not isinstance(section, Mapping):
            return section
        kinds = {name: it.annotation for name, it in cls.model_fields.items()}
        floats = {name for name, kind in kinds.items() if float in (kind, *get_args(kind))}
        return {key: read_exponent(it) if key in floats else it for key, it in section.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes
    ----------
    experiment
        Name of the fold that it trains on: ``human-cv1``; or of a set, if all its records train.
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

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What identifies it among the runs of its study: experiment, model, recipe, seed."""
        return self.experiment, self.model, self.recipe, self.seed

    @property
    def folder(self) -> str:
        """Folder of its results, below that of its kind (``runs``)."""
        return f"{self.experiment}/{self.model}/{self.recipe}/seed{self.seed}"


def first_duplicate(runs: Collection[Run]) -> Run | None:
    """Find the first run whose key another run also has; None if all keys differ."""
    keys = [run.key for run in runs]
    return next((run for run in runs if keys.count(run.key) > 1), None)


class BaseStudy(Section):
    """The keys that a study of any task has."""

    # Of the schema for editors: keys for anchors, which `mirpair.study.load` leaves out.
    model_config = ConfigDict(json_schema_extra={"patternProperties": {"^x-": {}}})

    study: Name = Field(
        description="Name of the study; it writes everything to `results/<study>/`."
    )
    title: str = Field(description="Heading of the report.")
    sources: str | None = Field(
        None, description="Table of published files to use instead of `config/sources.tsv`."
    )
    mirror: str | None = Field(
        None,
        description="Folder to search for published files before downloading them, each at its "
        "URL without `https://`; by default the variable `MIRPAIR_MIRROR`, if it is set.",
    )
    lock: str | None = Field(
        None,
        description="File that records the checksums of live sources; by default "
        "`config/<study>.lock.tsv`.",
    )
    seeds: list[BaseSeed] = Field(
        [0], min_length=1, description="Base seeds; every run is trained once with each."
    )

    @property
    def lock_file(self) -> str:
        """File that records the checksums of live sources."""
        return self.lock or f"config/{self.study}.lock.tsv"

    def releases(self) -> dict[str, str]:
        """Map files to the releases that the config states for them."""
        return {}

    @model_validator(mode="after")
    def _names_and_seeds(self) -> Self:
        if self.study == "raw":
            raise ValueError("study: 'raw' is the folder of the downloads; choose another name")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: a seed is listed twice")
        return self

    @staticmethod
    def require_known(where: str, kind: str, name: str, known: Collection[str]) -> None:
        """Raise a ValueError, which lists the known names, if a name is not one of them."""
        if name not in known:
            names = ", ".join(known)
            raise ValueError(f"{where}: there is no {kind} named {name!r}; there are {names}")

"""The config and the sheet of samples of a study that scores your own RNAs and genomes."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from mirpair.files import InputError, read_tsv
from mirpair.settings import PredictionSettings, ScanSection
from mirpair.study.base import NAME, BaseStudy, Run


class PredictionStudy(BaseStudy):
    """A study that scores your own RNAs and genomes; nothing is trained."""

    task: Literal["prediction"] = Field(
        description="Task of the study: to score RNAs and genomes with existing weights."
    )
    title: str = Field("Predictions", description="Heading of the report.")
    samples: str = Field(
        description="Sheet of samples: a TSV file with the columns `sample` (a name), `run` "
        "(`predict` or `scan`) and `fasta` (a path, a URL or a name of the sources table)."
    )
    weights: str | None = Field(
        None, description="File of weights to use; by default those that come with mirpair."
    )
    predict: PredictionSettings = Field(PredictionSettings(), description="How to score RNAs.")
    scan: ScanSection = Field(ScanSection(), description="How to scan genomes.")

    @field_validator("scan")
    @classmethod
    def _check_scan(cls, scan: ScanSection) -> ScanSection:
        scan.check()
        return scan

    def source_refs(self) -> list[str]:
        """Return no file: those of the samples are in the sheet, see `read_samples`."""
        return []

    def plan(self) -> list[Run]:
        """Return no run: nothing is trained."""
        return []


class Sample(NamedTuple):
    """A row of the sheet: ``"predict"`` or ``"scan"``, and a file as a `SourceRef` names it."""

    run: str
    fasta: str


def read_samples(path: str) -> dict[str, Sample]:
    """Read the sheet of samples: a TSV with the columns sample, run and fasta.

    Raises
    ------
    InputError
        If the file is not such a sheet, a sample is listed twice, or a name or value is invalid.
    """
    table = read_tsv(path, dict.fromkeys(("sample", *Sample._fields), "str"), remedy="correct it")
    samples: dict[str, Sample] = {}
    for number, row in enumerate(table.itertuples(index=False), 2):
        where = f"{path}: line {number}"
        name, sample = str(row.sample), Sample(str(row.run), str(row.fasta))
        if not re.fullmatch(NAME, name):
            raise InputError(f"{where}: sample is {name!r}; a name is letters, digits, - and _")
        if name in samples:
            raise InputError(f"{where}: the sample {name!r} is listed twice")
        if sample.run not in ("predict", "scan"):
            raise InputError(f"{where}: run is {sample.run!r}, must be 'predict' or 'scan'")
        if not sample.fasta:
            raise InputError(f"{where}: the sample {name!r} has no FASTA file")
        samples[name] = sample
    if not samples:
        raise InputError(f"{path}: it lists no samples")
    return samples

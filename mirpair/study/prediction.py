"""The config and the sheet of samples of a study that scores your own RNAs and genomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_origin, get_type_hints

from pydantic import BeforeValidator, Field, field_validator

from mirpair.files import InputError
from mirpair.settings import SCAN_FILES, PredictionSettings, ScanSection, Settings
from mirpair.sheets import read_sheet
from mirpair.study.base import BaseStudy, Run, read_exponent


def _as_meant(section: type[Settings]) -> Callable[[Any], Any]:
    """Make a function that reads 1e-3 as a number, and one text as a list of one, in a section."""
    kinds = get_type_hints(section)

    def read(key: str, value: Any) -> Any:
        if kinds.get(key) is float:
            return read_exponent(value)
        is_list = get_origin(kinds.get(key)) is tuple
        return [value] if is_list and isinstance(value, str) and value else value

    return lambda settings: (
        {key: read(key, value) for key, value in settings.items()}
        if isinstance(settings, Mapping)
        else settings
    )


# Unlike other names it may have dots, as those of assemblies do: GRCh38.p14.
_SAMPLE = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class PredictionStudy(BaseStudy):
    """A study that scores your own RNAs and genomes; nothing is trained."""

    task: Literal["prediction"] = Field(
        description="Task of the study: to score RNAs and genomes with existing weights."
    )
    title: str = Field(
        "Predictions", description="Title of the study; no output shows it, as there is no report."
    )
    samples: str = Field(
        description="Sheet of samples: a TSV file with the columns `sample` (a name, which may "
        "have dots), `run` (`predict` or `scan`) and `fasta` (a path, a URL or a name of the "
        "sources table)."
    )
    weights: str | None = Field(
        None, description="File of weights to use; by default those that come with mirpair."
    )
    predict: Annotated[PredictionSettings, BeforeValidator(_as_meant(PredictionSettings))] = Field(
        PredictionSettings(), description="How to score RNAs."
    )
    scan: Annotated[ScanSection, BeforeValidator(_as_meant(ScanSection))] = Field(
        ScanSection(), description="How to scan genomes."
    )

    @field_validator("scan")
    @classmethod
    def _check_scan(cls, scan: ScanSection) -> ScanSection:
        scan.check()
        return scan

    def source_refs(self) -> list[str]:
        """Return the files of known hairpins; those of the samples are in the sheet."""
        return [it for it in (self.predict.reference_file, self.scan.reference_file) if it]

    def plan(self) -> list[Run]:
        """Return no run: nothing is trained."""
        return []


class Sample(NamedTuple):
    """A row of the sheet.

    Attributes
    ----------
    run
        ``"predict"`` or ``"scan"``.
    fasta
        A file, as a `SourceRef` names it.
    where
        Sheet and line, for messages.
    """

    run: str
    fasta: str
    where: str


def read_samples(path: str) -> dict[str, Sample]:
    """Read the sheet of samples: a TSV with the columns sample, run and fasta.

    Raises
    ------
    InputError
        If the file is not such a sheet (`mirpair.sheets.read_sheet`), a sample is listed twice, two
        samples would have results of the same name, or a name or value is invalid.
    """
    samples: dict[str, Sample] = {}
    sample_of: dict[tuple[str, str], str] = {}
    for line, row in read_sheet(path, ("sample", "run", "fasta")).rows:
        where = f"{path}: line {line}"
        name, sample = row["sample"], Sample(row["run"], row["fasta"], where)
        if not re.fullmatch(_SAMPLE, name):
            raise InputError(
                f"{where}: sample is {name!r}; a name is letters, digits, dots, - and _, and "
                "begins with a letter or digit"
            )
        if name in samples:
            raise InputError(f"{where}: the sample {name!r} is listed twice")
        if sample.run not in ("predict", "scan"):
            raise InputError(f"{where}: run is {sample.run!r}, must be 'predict' or 'scan'")
        if not sample.fasta:
            raise InputError(f"{where}: the sample {name!r} has no FASTA file")
        # Files and folders of its results, logs and pieces.
        for ending in ("", ".tsv", ".log", *SCAN_FILES):
            other = sample_of.setdefault((sample.run, name + ending), name)
            if other != name:
                raise InputError(
                    f"{where}: the samples {other!r} and {name!r} would both have a file or folder "
                    f"{name + ending!r}; rename one"
                )
        samples[name] = sample
    if not samples:
        raise InputError(f"{path}: it lists no samples")
    return samples

"""Defaults, bounds and descriptions of what a user can set for a prediction and a scan.

The sections of the config, the options of the command line and the library read them from here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from mirpair.files import InputError

FalsePositives = Literal["5%", "1%", "0.1%", "0.01%"]
# Each choice as a share.
FALSE_POSITIVES: dict[FalsePositives, float] = {
    name: float(name.rstrip("%")) / 100 for name in get_args(FalsePositives)
}
# The lowest one that was measured for the weights, and all of them.
Rate = Literal["lowest", FalsePositives]
# Shipped networks are trained for each; nothing guesses it from a sequence.
Kingdom = Literal["animals", "plants"]
KINGDOMS: tuple[Kingdom, ...] = get_args(Kingdom)
# Identity from which RNAs count as near-copies of each other; no setting, but a decision of ours.
NEAR = 0.8
# No hairpin of a genome is longer, nt, whatever the criteria.
LONGEST_SPAN = 400
# Length from which RNAs are scored, nt; they are scored up to LONGEST_SPAN.
SHORTEST = 40
# Share of a known hairpin from which, at an identity of NEAR, an RNA that holds it is known.
KNOWN_COVERAGE = 0.6
# References that are not the name of a file: the hairpins that come with mirpair, and nothing.
MIRBASE, NO_REFERENCE = "mirbase22", "none"
# What a scan writes, by the endings of the files' names.
SCAN_FILES = (".gff3", ".all.gff3", ".bed", ".fa", ".tsv", ".html")
_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "ge": ("at least", operator.ge),
    "gt": ("above", operator.gt),
    "le": ("at most", operator.le),
    "lt": ("below", operator.lt),
}


def _setting(default: Any, description: str, **limits: Any) -> Any:
    """Define a field with its limits and examples, under the names that pydantic reads.

    Limits are the bounds of a number (ge, gt, le, lt) and the `min_length` of a text.
    """
    # A truth value is no number, 10.0 no whole number.
    types = {"strict": True} if isinstance(default, Real) else {}
    types |= {"allow_inf_nan": False} if isinstance(default, float) else {}
    return field(default=default, metadata={"description": description, **types, **limits})


_KINDS: dict[Any, tuple[type, str]] = {
    bool: (bool, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a finite number"),
}


def _is_of(kind: Any, value: Any) -> bool:
    """Tell whether a value has the type of a setting; True is no number, and a number is finite."""
    if kind not in _KINDS:
        return True
    if isinstance(value, bool) != (kind is bool) or not isinstance(value, _KINDS[kind][0]):
        return False
    return not isinstance(value, Real) or math.isfinite(value)


@dataclass(frozen=True)
class Settings:
    """Settings with bounds."""

    # Read by pydantic, where settings are a section of the config.
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def check(self) -> None:
        """Raise an `InputError` if a value has another type, is out of bounds or no choice."""
        kinds = get_type_hints(type(self))
        for setting in fields(self):
            value = getattr(self, setting.name)
            kind = kinds[setting.name]
            choices = get_args(kind) if get_origin(kind) is Literal else ()
            if choices and value not in choices:
                wanted = ", ".join(map(repr, choices))
                raise InputError(f"{setting.name}: is {value!r}, must be one of {wanted}")
            if not _is_of(kind, value):
                raise InputError(f"{setting.name}: is {value!r}, must be {_KINDS[kind][1]}")
            if setting.metadata.get("min_length") and not value:
                raise InputError(f"{setting.name}: is {value!r}, must not be empty")
            bounds = {key: bound for key, bound in setting.metadata.items() if key in _BOUNDS}
            if not all(_BOUNDS[key][1](value, bound) for key, bound in bounds.items()):
                wanted = " and ".join(f"{_BOUNDS[key][0]} {bound}" for key, bound in bounds.items())
                raise InputError(f"{setting.name}: is {value}, must be {wanted}")


S = TypeVar("S", bound=Settings)


def part(settings: Settings, kind: type[S]) -> S:
    """Take the settings of one kind out of those of several kinds."""
    return kind(**{it.name: getattr(settings, it.name) for it in fields(kind)})


def _reference() -> Any:
    return _setting(
        MIRBASE,
        f"Known hairpins to compare with: a FASTA file, {MIRBASE} (the hairpins of miRBase 22, "
        f"which come with mirpair) or {NO_REFERENCE}.",
        min_length=1,
    )


def _kingdom() -> Any:
    return _setting(
        "animals",
        f"Kingdom of the RNAs, for networks that were trained on it: {' or '.join(KINGDOMS)}.",
    )


class _WithReference:
    reference: str

    @property
    def compares(self) -> bool:
        """Whether RNAs are compared with known hairpins."""
        return self.reference != NO_REFERENCE

    @property
    def reference_file(self) -> str | None:
        """The user's own file of known hairpins; None if there is none."""
        return None if self.reference in (MIRBASE, NO_REFERENCE) else self.reference


@dataclass(frozen=True)
class PredictionSettings(_WithReference, Settings):
    """How RNAs are scored."""

    prior: float = _setting(0.1, "Expected share of pre-miRNAs among the RNAs.", gt=0, lt=1)
    threshold: float = _setting(
        0.5, "Lowest probability at which an RNA is called a pre-miRNA.", gt=0, lt=1
    )
    reference: str = _reference()
    kingdom: Kingdom = _kingdom()  # noqa: RUF009, a text is immutable


@dataclass(frozen=True)
class ScanSettings(_WithReference, Settings):
    """How the hairpins of a genome are scored and called."""

    prior: float = _setting(0.001, "Expected share of pre-miRNAs among the hairpins.", gt=0, lt=1)
    false_positives: Rate = _setting(  # noqa: RUF009, a text is immutable
        "lowest",
        "Share of hairpins that are called in a genome without pre-miRNAs; `lowest` is "
        "the lowest one that was measured for the weights: of those that ship, 0.01% for animals, "
        "0.1% for plants.",
    )
    reference: str = _reference()
    kingdom: Kingdom = _kingdom()  # noqa: RUF009, a text is immutable


@dataclass(frozen=True)
class HairpinCriteria(Settings):
    """Which structures of a genome count as hairpins."""

    span: int = _setting(120, "Maximum length of a hairpin, in nt.", ge=50, le=LONGEST_SPAN)
    stem: int = _setting(18, "Minimum number of base pairs in the stem.", ge=3)
    loop: int = _setting(25, "Maximum number of unpaired bases in the loop.", ge=3)
    mfe: float = _setting(-15.0, "Maximum energy of a hairpin, in kcal/mol.", le=0)
    masked: bool = _setting(False, "Skip lower-case (soft-masked) bases, like N.")
    exhaustive: bool = _setting(
        False,
        "Fold the whole genome and each of its hairpins: takes thirty to seventy times as long.",
    )
    circular: tuple[str, ...] = _setting(
        (),
        "Names of circular sequences, such as plasmids and organelles, or `all`: hairpins over "
        "their origin are found too.",
        examples=[["chrM", "pXO1"], ["all"]],
    )

    def check(self) -> None:
        """Raise an `InputError` also if no hairpin can have so long a stem."""
        super().check()
        if self.shortest > self.span:
            raise InputError(
                f"stem: {self.stem} base pairs and a loop of 3 nt are {self.shortest} nt, but "
                f"span is {self.span}: no hairpin can be found; lower stem or raise span"
            )

    @property
    def shortest(self) -> int:
        """Length of the shortest possible hairpin, nt."""
        return 2 * self.stem + 3


@dataclass(frozen=True)
class ScanOutput(Settings):
    """What a scan writes."""

    top: int = _setting(
        0,
        "Number of hairpins in the TSV, those with the best ranks, the best first; 0: all that "
        "were folded, in the order of the genome.",
        ge=0,
    )


@dataclass(frozen=True)
class ScanSection(HairpinCriteria, ScanSettings, ScanOutput):
    """How a genome is scanned: all settings of a scan in one section of the config."""

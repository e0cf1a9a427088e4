"""The sections of a config about where RNAs come from: audit, collections, sets."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mirpair.rna.sequences import LONGEST
from mirpair.study.base import Name, Section, SourceRef, SourceRefs

# Where Rfam publishes all sequences of a family.
RFAM = "https://ftp.ebi.ac.uk/pub/databases/Rfam/CURRENT/fasta_files/{family}.fa.gz"


class Audit(Section):
    """References that the audit compares evaluation records with."""

    hairpins: SourceRef | None = Field(
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


class _Collection(Section):
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
    file: SourceRef = Field(
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
    file: SourceRef | None = Field(
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


class PseudoHairpinCollection(Section):
    """Stretches of sequences without pre-miRNAs that fold as pre-miRNAs do (Xue et al. 2005)."""

    source: Literal["pseudo-hairpins"]
    file: SourceRef = Field(
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


class Dataset(Section):
    """A set of labelled RNAs."""

    positives: SourceRefs = Field(
        description="The pre-miRNAs (label 1): FASTA files, or names of `collections`."
    )
    negatives: SourceRefs = Field(
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

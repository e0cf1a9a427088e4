"""The sections of a config about where RNAs come from: audit, collections, datasets."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mirpair.rna.sequences import LONGEST
from mirpair.sources.regions import Region
from mirpair.study.base import FamilyFile, Name, Section, Seed, SourceRef, SourceRefs

# Where Rfam publishes all sequences of a family.
RFAM = "https://ftp.ebi.ac.uk/pub/databases/Rfam/CURRENT/fasta_files/{family}.fa.gz"


Trust = Literal["supported", "related", "doubtful", "repeat"]


def _region(text: str) -> str:
    """Check the part of a sequence that a config names; return it as it is."""
    Region.parse(text)
    return text


RegionRef = Annotated[str, AfterValidator(_region)]


class Audit(Section):
    """References that the audit compares evaluation records with."""

    hairpins: SourceRef | None = Field(
        None,
        description="FASTA file of known hairpins, whose headers begin with name and accession as "
        "in miRBase; by default no hairpin is known.",
    )
    families: FamilyFile | None = Field(
        None,
        description="miRBase's `miFam.dat`, which maps the accessions of `hairpins` to families; "
        "by default no family is known.",
    )

    @model_validator(mode="after")
    def _families_are_of_hairpins(self) -> Audit:
        if self.families and not self.hairpins:
            raise ValueError("`families` also needs `hairpins`")
        return self

    def source_refs(self) -> list[str]:
        """List the files that it names: none, the hairpins, or both."""
        return [ref for ref in (self.hairpins, self.families) if ref is not None]


class _Collection(Section):
    release: str = Field(
        "",
        description="Release of the database, recorded in the lock file and not checked; by "
        "default the date of the file's last modification, from the server.",
    )

    def params(self) -> dict[str, Any]:
        """Return what decides which RNAs are collected, as params of a script."""
        return self.model_dump(exclude={"release"})


class CutNegatives(_Collection):
    """RNAs that are cut from sequences without pre-miRNAs."""

    species: str = Field(
        "", description="Species of the sequences, for a split by species; by default none."
    )


class _Database(_Collection):
    shortest: int = Field(1, ge=1, description="Minimum length of an RNA, nt.")
    longest: int = Field(LONGEST, ge=1, description="Maximum length of an RNA, nt.")

    @model_validator(mode="after")
    def _lengths_are_possible(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(
                f"`shortest` ({self.shortest}) is greater than `longest` ({self.longest})"
            )
        return self


class HairpinCollection(_Database):
    """Hairpins of miRBase or MirGeneDB."""

    source: Literal["hairpins"] = Field(description="Kind of collection.")
    file: SourceRef = Field(
        description="FASTA file of miRBase (`hairpin.fa`) or MirGeneDB, or a CSV file with the "
        "columns accession, ID and precursor."
    )
    species: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="Species to collect, as names of hairpins begin (`hsa`), in any case; by "
        "default all.",
    )
    families: FamilyFile | None = Field(
        None,
        description="miRBase's `miFam.dat`, which maps accessions to families; by default the "
        "family is read from the name (hsa-mir-10b: mir-10).",
    )

    def source_refs(self) -> list[str]:
        """List the files that it is made from."""
        return [ref for ref in (self.file, self.families) if ref is not None]


class RfamCollection(_Database):
    """Other RNAs, or microRNA families, of Rfam."""

    source: Literal["rfam"] = Field(description="Kind of collection.")
    families: list[Annotated[str, Field(pattern=r"^RF\d{5}$")]] = Field(
        [],
        description="Accessions of families (`RF00005`) to download from Rfam's server; give "
        "these or `file`.",
    )
    file: SourceRef | None = Field(
        None,
        description="Alignments in Stockholm format, such as `Rfam.seed`; give this or `families`.",
    )
    without: list[str] = Field(
        [],
        description="Types of families of `file` to leave out, by words of `#=GF TP` such as "
        "`miRNA`, in any case.",
    )
    at_most: int | None = Field(
        None, ge=1, description="Maximum number of RNAs per family; by default all."
    )
    seed: Seed = Field(0, description="Seed of the choice of `at_most` RNAs per family.")

    @model_validator(mode="after")
    def _one_of_both(self) -> RfamCollection:
        if bool(self.families) == (self.file is not None):
            raise ValueError("give either `families` (accessions) or `file`, not both")
        if self.without and self.file is None:
            raise ValueError("`without` is for the types in a `file`; remove it, or use `file`")
        return self

    def source_refs(self) -> list[str]:
        """List the files that it is made from: one, or one per family."""
        return [self.file] if self.file else [RFAM.format(family=it) for it in self.families]


class PseudoHairpinCollection(CutNegatives):
    """Parts of sequences without pre-miRNAs that fold as pre-miRNAs do (Xue et al. 2005)."""

    source: Literal["pseudo-hairpins"] = Field(description="Kind of collection.")
    file: SourceRef = Field(
        description="FASTA file of a genome or of transcripts; `ncbi:GCF_000146045.2/genome` (or "
        "`/cds`, `/rna`) and `ncbi:NM_000014.6,NM_000015.3/cds` are downloaded from NCBI."
    )
    lengths_of: Name = Field(
        description="Collection from which the pseudo-hairpins take their lengths."
    )
    per_positive: int = Field(
        1, ge=1, description="Number of pseudo-hairpins per RNA of that collection."
    )
    strands: Literal["both", "plus"] = Field(
        "both",
        description="Strands to cut from: `both` of a genome, `plus` of coding sequences and "
        "transcripts.",
    )
    stem: int = Field(18, ge=3, description="Minimum number of base pairs in the stem.")
    mfe: float = Field(-15.0, le=0, description="Maximum folding energy (MFE), kcal/mol.")
    seed: Seed = Field(0, description="Seed of the choice of lengths and positions.")

    def source_refs(self) -> list[str]:
        """List the file that they are cut from."""
        return [self.file]


class PreMirnaCollection(_Database):
    """Pre-miRNAs, cut out of known hairpins in several ways."""

    source: Literal["pre-mirnas"] = Field(description="Kind of collection.")
    file: SourceRef = Field(
        description="Hairpins of miRBase; `pre-mirna` and `trimmed` need a CSV file with the "
        "columns mature1_seq and mature2_seq too."
    )
    kingdom: Literal["animals", "plants", "viruses", "all"] = Field(
        "all", description="Kingdom to collect: `animals`, `plants`, `viruses` or `all`."
    )
    species: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="Species to collect, as names of hairpins begin (`hsa`), in any case; by "
        "default all.",
    )
    cuts: Annotated[
        list[Literal["hairpin", "pre-mirna", "scanned", "trimmed", "flanked"]],
        Field(min_length=1),
    ] = Field(
        ["hairpin", "pre-mirna", "scanned", "trimmed"],
        description="Ways to cut an RNA out of each hairpin. Of copies, the first in this order "
        "remains.",
    )
    mature: SourceRef | None = Field(
        None,
        description="MirGeneDB's FASTA file of mature and co-mature arms, which decides how sure a "
        "pre-miRNA is; by default it is unknown.",
    )
    repeats: SourceRef | None = Field(
        None,
        description="FASTA file of a genome: an animal hairpin that is neither supported nor "
        "related, and has 20 consecutive bases that are at three or more places of one of its "
        "strands, is a `repeat`; by default none is.",
    )
    repeat_regions: list[RegionRef] = Field(
        [],
        description="Parts of that genome to count in, such as `X:2700001-46950000`; by default "
        "all sequences.",
    )
    flanks: list[SourceRef] = Field(
        [],
        description="DeepMirCut's tables of hairpins with their genomic flanks, for the cut "
        "`flanked`.",
    )
    exhaustive: bool = Field(
        False,
        description="Whether to find what is `scanned` by folding the whole sequences, as "
        "`mirpair scan --exhaustive` does.",
    )
    seed: Seed = Field(0, description="Seed of random ends and flanks.")

    @model_validator(mode="after")
    def _cuts_are_possible(self) -> PreMirnaCollection:
        if len(set(self.cuts)) < len(self.cuts):
            raise ValueError("`cuts` has the same cut twice; remove one")
        if ("flanked" in self.cuts) != bool(self.flanks):
            raise ValueError("`flanks` and the cut `flanked` need each other")
        if self.repeats and not self.mature:
            raise ValueError(
                "`repeats` also needs `mature`, which decides which hairpins are supported"
            )
        if self.repeat_regions and not self.repeats:
            raise ValueError("`repeat_regions` also needs `repeats`")
        return self

    def source_refs(self) -> list[str]:
        """List the files that it is made from."""
        named = [ref for ref in (self.mature, self.repeats) if ref is not None]
        return [self.file, *named, *self.flanks]


class GenomeHairpinCollection(CutNegatives):
    """Hairpins of genomes, as a scan finds them, and cut in several ways."""

    source: Literal["genome-hairpins"] = Field(description="Kind of collection.")
    file: SourceRef = Field(description="FASTA file of a genome, contigs or transcripts.")
    regions: list[RegionRef] = Field(
        [],
        description="Parts to search, such as `X:2700001-46950000`, counted from 1; by default "
        "all sequences.",
    )
    only: list[str] = Field(
        [],
        description="Sequences to search: patterns of names (`*_chr2L_*`) or of complete header "
        "lines (`*(SLC*), *`); by default all.",
    )
    without: list[str] = Field(
        [], description="Sequences to leave out: patterns as of `only`; by default none."
    )
    sample: int | None = Field(
        None,
        ge=1,
        description="Number of bases to search, drawn in blocks of 50,000; by default all.",
    )
    strands: Literal["both", "plus"] = Field(
        "both",
        description="Strands to search: `both` of a genome, `plus` of coding sequences and "
        "transcripts.",
    )
    cuts: Annotated[
        dict[Literal["scanned", "flanked", "window"], Annotated[float, Field(gt=0, le=1)]],
        Field(min_length=1),
    ] = Field(
        {"scanned": 1.0},
        description="Share of hairpins that are cut in each way, such as `{scanned: 0.55, flanked: "
        "0.15, window: 0.3}`; each hairpin is cut in one way. By default all are `scanned`.",
    )
    lengths_of: Name | None = Field(
        None,
        description="Collection from which a `window` takes its length; needed for windows only.",
    )
    known: SourceRef | None = Field(
        None,
        description="Known hairpins, as miRBase publishes them: an RNA that shares 20 consecutive "
        "bases with one, on either strand, is left out; by default none is.",
    )
    mature: SourceRef | None = Field(
        None,
        description="MirGeneDB's FASTA file of mature and co-mature arms. Of the `known` hairpins, "
        "those of plants count, and those of animals that have such an arm of their species or a "
        "relative that has one; by default all count.",
    )
    away: int = Field(
        0,
        ge=0,
        description="Least distance of a block from an exact `known` hairpin, nt; with 0, blocks "
        "that have known hairpins are searched too.",
    )
    exhaustive: bool = Field(
        False,
        description="Whether to find hairpins by folding the whole genome, as `mirpair scan "
        "--exhaustive` does, which takes long.",
    )
    at_most: int | None = Field(
        None, ge=1, description="Maximum number of RNAs, drawn from all; by default all."
    )
    seed: Seed = Field(0, description="Seed of the sample, of the cuts and of `at_most`.")

    @model_validator(mode="after")
    def _cuts_are_possible(self) -> GenomeHairpinCollection:
        if abs(sum(self.cuts.values()) - 1) > 1e-6:
            raise ValueError(f"`cuts` are shares of all: they sum to {sum(self.cuts.values()):g}")
        if ("window" in self.cuts) != (self.lengths_of is not None):
            raise ValueError("`lengths_of` and the cut `window` need each other")
        if (self.away or self.mature) and not self.known:
            raise ValueError("`away` and `mature` also need `known`")
        return self

    def source_refs(self) -> list[str]:
        """List the files that it is made from."""
        return [ref for ref in (self.file, self.known, self.mature) if ref is not None]


class RepeatPairCollection(CutNegatives):
    """Copies of repeats of a genome, joined to hairpins."""

    source: Literal["repeat-pairs"] = Field(description="Kind of collection.")
    file: SourceRef = Field(description="FASTA file of a genome.")
    regions: list[RegionRef] = Field(
        [],
        description="Parts to take copies from, such as `X:60001-2700000`, counted from 1; by "
        "default all sequences. Ten million bases need 0.7 GB of memory.",
    )
    number: int = Field(ge=1, description="Number of hairpins.")
    places: int = Field(
        20, ge=2, description="Places of one strand that 20 bases of a repeat have at least."
    )
    seed: Seed = Field(0, description="Seed of the choice of copies, arms and loops.")

    def source_refs(self) -> list[str]:
        """List the file that copies are taken from."""
        return [self.file]


AnyCollection = (
    HairpinCollection
    | RfamCollection
    | PseudoHairpinCollection
    | PreMirnaCollection
    | GenomeHairpinCollection
    | RepeatPairCollection
)


class Dataset(Section):
    """A set of labelled RNAs."""

    positives: SourceRefs = Field(
        description="Pre-miRNAs (label 1): FASTA files, or names of `collections`."
    )
    negatives: SourceRefs = Field(
        description="All other RNAs (label 0): FASTA files, or names of `collections`."
    )
    on_ambiguous: Literal["error", "drop"] = Field(
        "error",
        description="What to do with a record that has a character outside ACGU(T): `error` stops "
        "and names file, record and position, `drop` leaves it out and lists it.",
    )
    longest: int | None = Field(
        None,
        ge=1,
        description="Maximum length of an RNA, nt; longer ones are left out and listed; by default "
        "none are.",
    )
    cleaned: bool = Field(
        False,
        description="Whether to leave out records that are known to be wrong: sequences in both "
        "classes, negatives that are known hairpins (of `audit.hairpins`), and copies.",
    )
    weights: dict[Trust, Annotated[float, Field(ge=0)]] | None = Field(
        None,
        description="Weight in the loss of records by the trust that their collection has in them "
        "(`supported`, `related`, `doubtful` or `repeat`), such as `{doubtful: 0.3, repeat: 0}`; "
        "by default all have the weight 1. With 0, they neither train nor validate.",
    )

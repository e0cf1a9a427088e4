"""Rebuild the stand-in mirror: the paper's files in small, from the demo's sequences.

    .venv/bin/python tests/data/build.py

It has the same paths, the same relations between files (a set, its 90 % in five folds, its test
10 %) and the same ids as the benchmark has, with a few short RNAs in each, so that the whole
study `paper` runs in a test without the network. All human positives are known hairpins, and so is
one negative of `new`; families have two each. `sources.tsv` holds its own checksums.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from pathlib import Path

from Bio.SeqIO.FastaIO import SimpleFastaParser

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PREFIX = "do2018/"
HAIRPINS, FAMILIES = "mirbase21/hairpin.fa.gz", "mirbase21/miFam.dat"
FOLDS = 5
# Records of a class in one fold, and in the test 10 %.
POSITIVES, NEGATIVES = 2, 4
TESTED = 2, 3


def main() -> None:
    with open(ROOT / "config" / "sources.tsv", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    rows = [row for row in rows if row["name"].startswith((PREFIX, "mirbase21/"))]
    files: dict[str, bytes] = {}
    pools = {label: shortest_first(label) for label in ("positives", "negatives")}
    for name in ("human", "whole", "new"):
        texts = small_set(name, pools)
        files |= {f"{PREFIX}{path}": text.encode() for path, text in texts.items()}
    files |= reference(files)
    with open(HERE / "sources.tsv", "w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            data = files.pop(row["name"])
            path = HERE / "mirror" / row["url"].removeprefix("https://")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            own = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            own |= {"licence": "public domain (miRBase), CC0 (Rfam)", "citation": "stand-in"}
            writer.writerow(row | own)
    assert not files, f"not in config/sources.tsv: {sorted(files)}"


def shortest_first(label: str) -> list[str]:
    """The demo's sequences of a class; every file takes its own from the front."""
    with open(ROOT / "config" / "demo" / f"{label}.fa", encoding="ascii") as handle:
        return sorted((sequence for _, sequence in SimpleFastaParser(handle)), key=len)


def reference(files: dict[str, bytes]) -> dict[str, bytes]:
    """A reference of known hairpins, in miRBase's formats."""
    known = files[f"{PREFIX}sequences/human_pos.fa"].decode().split()[1::2]
    known += files[f"{PREFIX}sequences/new_neg.fa"].decode().split()[1:2]
    names = [f"hsa-mir-{number}" for number in range(len(known))]
    hairpins, families = [], []
    for number, (name, sequence) in enumerate(zip(names, known, strict=True)):
        hairpins.append(f">{name} MI{number:07} Homo sapiens {name} stem-loop\n{sequence}\n")
        if number % 2 == 0:
            families.append(f"AC   MIPF{number:07}\nID   mir-{number}\n")
        families.append(f"MI   MI{number:07}  {name}\n")
        if number % 2 or number == len(known) - 1:
            families.append("//\n")
    return {
        HAIRPINS: gzip.compress("".join(hairpins).encode(), mtime=0),
        FAMILIES: "".join(families).encode(),
    }


def small_set(name: str, pools: dict[str, list[str]]) -> dict[str, str]:
    """All files of one set: path below dataset/ to FASTA text."""
    files = {}
    first_id = 1
    for short, label, each, tested in (
        ("pos", "positives", POSITIVES, TESTED[0]),
        ("neg", "negatives", NEGATIVES, TESTED[1]),
    ):
        count = FOLDS * each + tested
        taken, pools[label][:] = pools[label][:count], pools[label][count:]
        records = [f">{first_id + i}\n{sequence}\n" for i, sequence in enumerate(taken)]
        first_id += count
        files[f"sequences/{name}_{short}.fa"] = "".join(records)
        if name == "new":
            continue
        training = records[: FOLDS * each]
        files[f"test/{name}/{name}_{short}_test.fa"] = "".join(records[FOLDS * each :])
        files[f"cv/{name}/{name}_{short}_all.fa"] = "".join(training)
        for fold in range(1, FOLDS + 1):
            validation = training[fold - 1 :: FOLDS]
            rest = [record for record in training if record not in validation]
            stem = f"{name}_{short}_{{}}_f{fold}.fa"
            files[f"cv/{name}/train/{stem.format('train')}"] = "".join(rest)
            files[f"cv/{name}/val/{stem.format('val')}"] = "".join(validation)
    return files


if __name__ == "__main__":
    main()

"""A study of arms runs from a table of hairpins to the weights, families held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import random_rna

from mirpair.arms.find import find_arms, read_networks
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from workflow.conftest import Copy, copy_of_repository

COMPLEMENT = str.maketrans("ACGU", "UGCA")
FAMILIES, EACH = 16, 4


def hairpins() -> pd.DataFrame:
    """Hairpins whose arms begin 6 bases above the base of a stem of 32 pairs."""
    rng = np.random.default_rng(3)
    rows = []
    for family in range(1, FAMILIES + 1):
        for member in range(EACH):
            stem, left = random_rna(rng, 32), int(rng.integers(0, 5))
            before = random_rna(rng, left)
            rna = before + stem + "GAAAUA" + stem.translate(COMPLEMENT)[::-1]
            five, three = left + 6, left + 32 + 6 + 6
            rows.append(
                {
                    "accession": f"MI{family:05d}{member:02d}",
                    "ID": f"hsa-mir-{family}{'abcd'[member]}",
                    "precursor": rna,
                    "mature1_seq": rna[five : five + 22],
                    "mature2_seq": rna[three : three + 22],
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = copy_of_repository(tmp_path_factory.mktemp("arms"))
    data = copy.folder / "data"
    data.mkdir()
    table = hairpins()
    table.to_csv(data / "hairpins.csv", index=False)
    members = [
        f"AC   MIPF{number}\nID   mir-{number}\n"
        + "".join(
            f"MI   {row['accession']}  {row['ID']}\n"
            for row in table.to_dict("records")
            if row["ID"][:-1] == f"hsa-mir-{number}"
        )
        + "//\n"
        for number in range(1, FAMILIES + 1)
    ]
    (data / "miFam.dat").write_text("".join(members))
    arms = (f">Hsa-Mir-{n}_5p\n{it}\n" for n, it in enumerate(table["mature1_seq"], 1))
    (data / "mature.fa").write_text("".join(arms))
    config = {
        "study": "arms-small",
        "task": "arms",
        "title": "Small",
        "hairpins": "data/hairpins.csv",
        "members": "data/miFam.dat",
        "mature": "data/mature.fa",
        "kingdoms": ["animals"],
        "folds": 2,
        "training": {"epochs": 25, "batch_size": 8, "dropout": 0.0},
    }
    (copy.folder / "arms.yaml").write_text(yaml.safe_dump(config))
    copy.snakemake("all", "--configfile", "arms.yaml")
    return copy


def test_arms_of_held_out_families_are_found_and_measured(made: Copy) -> None:
    results = made.folder / "results" / "arms-small"
    records = pd.read_csv(results / "datasets" / "arms" / "records.tsv", sep="\t", comment="#")
    assert set(records["cut"]) == {"hairpin", "trimmed"}
    assert records.groupby("family")["fold"].nunique().max() == 1
    ends = pd.read_csv(results / "tables" / "ends.csv")
    rows = ends[(ends["cut"] == "hairpin") & (ends["end"] == "all ends") & (ends["trust"] == "all")]
    within = rows.set_index("method")["within 2"]
    assert within["mirpair"] > 0.8
    assert within["mirpair"] > within["22 nt from the loop"]
    assert (results / "figures" / "ends.png").stat().st_size > 10_000
    assert not made.planned("all", "--configfile", "arms.yaml")


def test_the_weights_find_the_arms_of_a_hairpin(made: Copy) -> None:
    shipped = made.folder / "results" / "arms-small" / "shipped" / "arms.safetensors"
    networks = read_networks(shipped, "animals")
    assert len(networks) == 2
    row = hairpins().iloc[0]
    molecule = encode(row["precursor"], *fold(row["precursor"]))
    (arms,) = find_arms(networks, [molecule])
    assert arms is not None
    five = row["precursor"].find(row["mature1_seq"])
    assert abs(arms.start_5p - five) <= 2
    assert "2 networks for each kingdom" in Path(shipped.with_suffix(".md")).read_text()

"""Sets from databases that live on servers, from their files to the report; and their lock."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT

from mirpair.contracts import read_experiment, read_origins
from mirpair.files import sha256
from workflow.conftest import Copy, copy_of_repository


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """What a folder has, as miRBase and NCBI serve their files."""
    folder = tmp_path_factory.mktemp("server")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as it:
        threading.Thread(target=it.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{it.server_port}"
        it.shutdown()


def release(count: int, *, without: int = 0) -> str:
    """Human hairpins of miRBase, as its hairpin.fa has them, and one of the mouse."""
    lines = (ROOT / "config" / "demo" / "positives.fa").read_text().splitlines()
    text = ">mmu-let-7a-1 MI0000556 Mus musculus let-7a-1 stem-loop\nUGAGGUAGUAGGUUGUAUAGUU\n"
    for header, sequence in list(zip(lines[::2], lines[1::2], strict=True))[without:count]:
        name, accession = header[1:].split()[0].split("|")
        text += f">{name} {accession} Homo sapiens stem-loop\n{sequence}\n"
    return text


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, server: tuple[Path, str]) -> Copy:
    """A study of two collections, run up to its experiments and what is known of its records."""
    folder, url = server
    copy = copy_of_repository(tmp_path_factory.mktemp("repository"))
    (folder / "hairpin.fa").write_text(release(24))
    (folder / "older.fa").write_text(release(18))
    lines = (ROOT / "config" / "demo" / "negatives.fa").read_text().splitlines()
    bases = "".join(lines[1::2])
    (folder / "genome.fna").write_text(f">chromosome\n{bases}\n")
    # Copies of one hairpin that is no longer in the older release, and of another one elsewhere.
    first, second = release(24).splitlines()[-5:-2:2]
    (folder / "repeats.fna").write_text(
        "".join(
            f">{name}\n{''.join(bases[at : at + 200] + copy for at in range(0, 1000, 200))}\n"
            for name, copy in (("one", first), ("two", second))
        )
    )
    copy.snakemake(*MADE, "--configfile", copy.write_config(study(url)))
    return copy


MADE = tuple(
    f"results/fresh/{name}"
    for name in (
        "datasets/mine/summary.json",
        "experiments/families1.tsv",
        "experiments/families2.tsv",
        "experiments/new.tsv",
        "collections/genome.json",
        "collections/cut.json",
        "collections/pairs.json",
    )
)


def study(url: str) -> dict[str, Any]:
    return {
        "study": "fresh",
        "title": "Fresh from the server",
        "collections": {
            "hairpins": {
                "source": "hairpins",
                "file": f"{url}/hairpin.fa",
                "species": ["hsa"],
                "release": "22.1",
            },
            "pseudo": {
                "source": "pseudo-hairpins",
                "file": f"{url}/genome.fna",
                "lengths_of": "hairpins",
                "per_positive": 2,
                "stem": 14,
                "mfe": -8.0,
            },
            "cut": {
                "source": "pre-mirnas",
                "file": f"{url}/hairpin.fa",
                "kingdom": "animals",
                "cuts": ["hairpin", "scanned"],
                "mature": f"{url}/older.fa",
                "repeats": f"{url}/repeats.fna",
                "repeat_regions": ["one:1-1200"],
            },
            "pairs": {
                "source": "repeat-pairs",
                "file": f"{url}/repeats.fna",
                "number": 3,
                "places": 5,
                "species": "hsa",
            },
            "genome": {
                "source": "genome-hairpins",
                "file": f"{url}/genome.fna",
                "cuts": {"scanned": 0.5, "window": 0.5},
                "lengths_of": "cut",
                "known": f"{url}/hairpin.fa",
                "away": 5,
            },
        },
        "datasets": {"mine": {"positives": ["hairpins"], "negatives": ["pseudo"]}},
        "experiments": {
            "families": {"split": "family-k-fold", "dataset": "mine", "folds": 2, "identity": 0.8},
            "new": {"split": "time", "dataset": "mine", "older": f"{url}/older.fa", "identity": 1},
        },
        "runs": [{"models": ["variable"], "epochs": 1}],
        "tables": {"mine": {"title": "Mine", "rows": {"CV": "families", "new": "new"}}},
    }


def test_a_set_is_made_from_what_servers_have(made: Copy) -> None:
    results = made.folder / "results" / "fresh"
    records = pd.read_csv(results / "datasets" / "mine" / "records.tsv", sep="\t")
    assert (records["label"] == 1).sum() == 24, "the mouse is left out"
    lengths = records["sequence"].str.len().groupby(records["label"]).value_counts()
    asked = lengths[1] * 2
    assert (lengths[0].reindex(asked.index, fill_value=0) <= asked).all()
    assert (records["label"] == 0).sum() > 40
    origins = read_origins(results / "collections" / "hairpins.tsv")
    assert set(origins["species"]) == {"hsa"}
    collections = json.loads((results / "datasets" / "mine" / "summary.json").read_text())[
        "collections"
    ]
    assert collections["hairpins"] == {"rnas": 24, "left_out": {"another species": 1}}
    found = int((records["label"] == 0).sum())
    missing = {"no place found": 48 - found} if found < 48 else {}
    assert collections["pseudo"] == {"rnas": found, "left_out": missing}


def test_rnas_that_are_cut_have_their_origins_and_are_counted(made: Copy) -> None:
    collections = made.folder / "results" / "fresh" / "collections"
    cut = read_origins(collections / "cut.tsv")
    assert set(cut["cut"]) == {"hairpin", "scanned"}
    assert cut["id"].str.endswith("/hairpin").sum() == 25, "of all species"
    # The complete hairpin is no arm, but the older release has it.
    assert (cut["trust"] == "supported").sum() >= 18
    # Only of one hairpin the copies are in the region that counts.
    assert set(cut.loc[cut["trust"] == "repeat", "id"].str.partition("/")[0]) == {"hsa-mir-103a-2"}
    assert "hsa-mir-105-1/hairpin" in set(cut.loc[cut["trust"] == "doubtful", "id"])
    pairs = read_origins(collections / "pairs.tsv")
    assert set(zip(pairs["cut"], pairs["species"], strict=True)) == {("joined", "hsa")}
    assert json.loads((collections / "pairs.json").read_text())["rnas"] == len(pairs) == 3
    genome = read_origins(collections / "genome.tsv")
    assert set(genome["cut"]) == {"scanned", "window"}
    summary = json.loads((collections / "genome.json").read_text())
    negatives = (ROOT / "config" / "demo" / "negatives.fa").read_text().splitlines()[1::2]
    assert summary["bases"] == sum(map(len, negatives))
    assert summary["hairpins"] == summary["rnas"] + sum(summary["left_out"].values())
    assert (collections / "genome.fa").read_text().count(">") == summary["rnas"] == len(genome)


def test_what_is_new_in_the_release_evaluates(made: Copy) -> None:
    results = made.folder / "results" / "fresh"
    experiment = read_experiment(results / "experiments" / "new.tsv").set_index("id")["role"]
    origins = read_origins(results / "collections" / "hairpins.tsv")
    older = (made.folder / "results" / "fresh" / "collections" / "hairpins.fa").read_text()
    assert older.count(">") == 24
    for place, name in enumerate(origins["id"]):
        assert experiment.get(name, "evaluate") == ("train" if place < 18 else "evaluate")


def test_the_lock_file_says_what_the_sources_were(made: Copy, server: tuple[Path, str]) -> None:
    folder, url = server
    lock = pd.read_csv(made.folder / "config" / "fresh.lock.tsv", sep="\t", dtype=str)
    row = lock.set_index("place").loc[f"{url}/hairpin.fa"]
    assert row["sha256"] == sha256(folder / "hairpin.fa")
    assert row["release"] == "22.1"
    names = ("hairpin.fa", "older.fa", "genome.fna", "repeats.fna")
    assert set(lock["place"]) == {f"{url}/{it}" for it in names}
    assert made.planned(*MADE, "--configfile", "test.yaml") == {}


def test_other_bytes_than_locked_stop_the_run_until_a_refresh_is_asked_for(
    made: Copy, server: tuple[Path, str]
) -> None:
    folder, _ = server
    (folder / "hairpin.fa").write_text(release(26))
    # What is here is as it was: nothing is looked at anew, also when something else is said of it.
    assert made.planned(*MADE, "--configfile", "test.yaml") == {}
    made.edit("test.yaml", "release: '22.1'", "release: '22.2'")
    assert made.planned(*MADE, "--configfile", "test.yaml") == {}
    (raw,) = (made.folder / "results" / "raw" / "url").glob("*_hairpin.fa")
    raw.unlink()
    shutil.rmtree(made.folder / "results" / "raw" / "locked")
    again = ("results/fresh/collections/hairpins.fa", "-R", "collect")
    done = made.snakemake(*again, "--configfile", "test.yaml", check=False)
    assert done.returncode
    log = next((made.folder / "results" / "fresh" / "logs" / "download").rglob("*hairpin.fa.log"))
    assert "differs from the file locked on" in log.read_text()
    assert "mirpair refresh config/fresh.lock.tsv" in log.read_text()
    command = [sys.executable, "-m", "mirpair.cli.app", "refresh", "config/fresh.lock.tsv"]
    refreshed = subprocess.run(command, cwd=made.folder, text=True, capture_output=True, check=True)
    assert refreshed.stdout.count("unchanged") == 3
    assert refreshed.stdout.count("changed:") == 1
    planned = made.planned("all", "--configfile", "test.yaml")
    assert {"collect", "collect_pieces", "fold", "train"} <= set(planned)
    assert "download" not in planned, "the refresh has brought it"
    made.snakemake("results/fresh/collections/hairpins.fa", "--configfile", "test.yaml")
    assert (made.folder / "results/fresh/collections/hairpins.fa").read_text().count(">") == 26


def test_a_lock_of_someone_else_stops_a_file_of_before(made: Copy) -> None:
    (raw,) = (made.folder / "results" / "raw" / "url").glob("*_genome.fna")
    before = raw.read_bytes()
    raw.write_bytes(before + b"A\n")
    try:
        done = made.snakemake("all", "--configfile", "test.yaml", check=False)
    finally:
        raw.write_bytes(before)
    assert done.returncode
    assert "differs from the file of" in done.stdout
    assert "delete this one and run again" in done.stdout


def test_a_web_page_in_place_of_hairpins_is_told_and_not_locked(
    made: Copy, server: tuple[Path, str]
) -> None:
    folder, url = server
    (folder / "moved.fa").write_text("<!DOCTYPE html><html><title>Gone</title></html>")
    config = study(url) | {"study": "moved"}
    config["collections"]["hairpins"]["file"] = f"{url}/moved.fa"
    name = made.write_config(config, "moved.yaml")
    done = made.snakemake(
        "results/moved/collections/hairpins.fa", "--configfile", name, check=False
    )
    assert done.returncode
    log = next((made.folder / "results" / "moved" / "logs" / "download").rglob("*.log"))
    assert "web page" in log.read_text()
    assert "Gone" in log.read_text()
    assert "moved.fa" not in (made.folder / "config" / "moved.lock.tsv").read_text()

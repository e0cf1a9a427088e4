"""A user's own files: plain, gzip, from a URL; and what is said when something is wrong."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from mirpair.contracts import read_audit
from workflow.conftest import Copy, copy_of_study, small_study


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the URL that a local server gives it."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_gzip_and_url_ambiguous_records_dropped_and_listed(
    copy: Copy, served: tuple[Path, str]
) -> None:
    folder, url = served
    study = small_study(copy.folder)
    positives = (copy.folder / "positives.fa").read_text()
    packed = copy.folder / "positives.fa.gz"
    packed.write_bytes(gzip.compress(positives.lower().replace("u", "t").encode()))
    negatives = (copy.folder / "negatives.fa").read_text()
    (folder / "others file.fa").write_text(negatives + ">n\nACNU\n")
    study["datasets"]["mine"] = {
        "positives": ["positives.fa.gz"],
        "negatives": [f"{url}/others%20file.fa"],
        "on_ambiguous": "drop",
    }
    name = "results/mine/datasets/mine"
    made = (f"{name}/records.tsv", f"{name}/dropped.tsv")
    copy.snakemake(*made, "--configfile", copy.write_config(study))
    folder = copy.folder / name
    records = pd.read_csv(folder / "records.tsv", sep="\t")
    assert records["label"].sum() == 8
    assert len(records) == 24
    assert records["sequence"].str.fullmatch("[ACGU]+").all()
    assert pd.read_csv(folder / "dropped.tsv", sep="\t")["id"].tolist() == ["n"]


def outcome(copy: Copy, study: dict[str, Any], *targets: str) -> str:
    """Run a study that must fail; what the user sees."""
    config = copy.write_config(study, "bad.yaml")
    done = copy.snakemake(*(targets or ["all"]), "--configfile", config, check=False)
    assert done.returncode != 0
    return done.stdout


def test_an_ambiguous_character_stops_with_file_record_and_position(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "ambiguous"}
    (copy.folder / "odd.fa").write_text(">fine\nACGU\n>odd\nACGUR\n")
    study["datasets"]["mine"]["positives"] = ["odd.fa"]
    text = outcome(copy, study)
    assert "odd.fa: record 2 ('odd') has 'R' at position 5" in text
    assert "on_ambiguous: drop" in text
    assert "Traceback" not in text
    assert not (copy.folder / "results/ambiguous/datasets/mine/records.tsv").exists()


def test_a_misspelt_key_stops_before_anything_runs(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "misspelt", "sead": 1}
    text = outcome(copy, study)
    assert "sead: this key is not known here" in text
    assert "Traceback" not in text
    assert not (copy.folder / "results" / "misspelt").exists()


def test_a_key_that_is_in_a_file_twice_stops_and_a_second_file_may_override(copy: Copy) -> None:
    config = copy.write_config(small_study(copy.folder) | {"study": "twice"}, "twice.yaml")
    (copy.folder / "over.yaml").write_text("seeds: [5, 6, 7]\n")
    files = ("--configfile", config, "over.yaml")
    assert copy.planned("all", *files)["train"] == 3 * 2
    # Snakemake leaves numbers in lists of the command line as text.
    assert copy.planned("all", *files, "--config", "seeds=[3, 4]")["train"] == 2 * 2
    (copy.folder / "over.yaml").write_text("seeds: [5]\n\nseeds: [6]\n")
    done = copy.snakemake("-n", "all", *files, check=False)
    message = "over.yaml: line 3: the key `seeds` is in the file twice (first in line 1)"
    assert message in done.stdout
    assert done.returncode != 0
    (copy.folder / "over.yaml").write_text("seeds: [010]\n")
    done = copy.snakemake("-n", "all", *files, check=False)
    assert "over.yaml: line 1: seeds: YAML reads 010 as 8" in done.stdout


def test_a_mirror_that_is_no_folder_stops_before_anything_runs(copy: Copy) -> None:
    config = copy.write_config(small_study(copy.folder) | {"study": "m", "mirror": "nowhere"})
    done = copy.snakemake("-n", "all", "--configfile", config, check=False)
    assert done.returncode != 0
    assert "mirror: nowhere: no such folder; correct `mirror` in the config" in done.stdout


@pytest.mark.parametrize("target", ["save", "keep"])
def test_saving_without_a_folder_says_what_is_missing(copy: Copy, target: str) -> None:
    config = copy.write_config(small_study(copy.folder))
    done = copy.snakemake("-n", target, "--configfile", config, check=False)
    assert done.returncode != 0
    assert "the config of 'mine' has no `reuse`: make a folder" in done.stdout


def test_a_missing_file_stops_before_anything_runs(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "missing"}
    study["datasets"]["mine"]["negatives"] = ["nowhere.fa"]
    text = outcome(copy, study)
    assert "nowhere.fa: no such file" in text
    assert not (copy.folder / "results" / "missing").exists()


def test_published_rows_that_are_not_there_or_not_right_stop_before_anything_runs(
    copy: Copy,
) -> None:
    (copy.folder / "theirs.tsv").write_text("method\tprotocol\nA\tCV\n")
    for file, message in (
        ("nowhere.tsv", "published: nowhere.tsv: no such file"),
        ("theirs.tsv", "needs the columns"),
    ):
        study = small_study(copy.folder) | {"study": "published"}
        study["tables"]["mine"]["published"] = file
        text = outcome(copy, study)
        assert message in text
        assert "Traceback" not in text
    assert not (copy.folder / "results" / "published").exists()


def test_a_record_too_long_for_the_fixed_sized_network_stops_before_folding(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "long"}
    text = (copy.folder / "positives.fa").read_text() + f">long\n{'GC' * 225}\n"
    (copy.folder / "long.fa").write_text(text)
    study["datasets"]["mine"]["positives"] = ["long.fa"]
    study["runs"][0]["models"] = ["variable", "fixed"]
    message = outcome(copy, study, "results/long/tables/mine.csv")
    assert "1 RNA is longer than 400 nt, the most that the network 'fixed' takes" in message
    assert "the longest is 'long' of the set 'mine' with 450 nt" in message
    assert not list((copy.folder / "results" / "long").rglob("*.tsv"))
    # The advice works: records are made without it.
    study["datasets"]["mine"]["longest"] = 400
    records = "results/long/datasets/mine/records.tsv"
    copy.snakemake(records, "--configfile", copy.write_config(study, "bad.yaml"))
    assert len((copy.folder / records).read_text().splitlines()) == 1 + 24
    # Other networks do not change the records.
    study["runs"][0]["models"] = ["variable"]
    assert copy.planned(records, "--configfile", copy.write_config(study, "bad.yaml")) == {}


def test_a_split_lists_ids_and_a_long_record_matters_only_if_it_is_listed(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "listed", "tables": {}}
    text = (copy.folder / "positives.fa").read_text() + f">long\n{'GC' * 225}\n>odd\nACGN\n"
    (copy.folder / "more.fa").write_text(text)
    dataset = study["datasets"]["mine"]
    dataset |= {"positives": ["more.fa"], "on_ambiguous": "drop"}
    split = {"split": "published", "dataset": "mine", "train": ["t.txt"], "evaluate": ["e.txt"]}
    study["experiments"] = {"own": split}
    study["runs"] = [{"models": ["fixed"], "epochs": 1}]
    ids = {
        name: [line[1:].split()[0] for line in (copy.folder / name).read_text().splitlines()[::2]]
        for name in ("positives.fa", "negatives.fa")
    }
    held = [*ids["positives.fa"][:3], *ids["negatives.fa"][:5]]
    (copy.folder / "e.txt").write_text("\n".join(["id", *held, "odd"]))
    others = [*ids["positives.fa"][3:], *ids["negatives.fa"][5:]]
    (copy.folder / "t.txt").write_text("\n".join(others))
    made = "results/listed/experiments/own.tsv"
    copy.snakemake(made, "--configfile", copy.write_config(study, "listed.yaml"))
    table = pd.read_csv(copy.folder / made, sep="\t", dtype=str).set_index("id")["role"]
    assert table.to_dict() == dict.fromkeys(held, "evaluate") | dict.fromkeys(others, "train")
    (copy.folder / "t.txt").write_text("\n".join([*others, "long"]))
    assert "the longest is 'long' of the set 'mine' with 450 nt" in outcome(copy, study, made)


def test_sequences_on_both_sides_of_a_split_are_refused_and_if_meant_told(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "shared"}
    lines = (copy.folder / "positives.fa").read_text().splitlines()
    again = "\n".join(f"{line}-again" if line[0] == ">" else line for line in lines)
    (copy.folder / "again.fa").write_text(again + "\n")
    study["datasets"]["mine"]["positives"] = ["positives.fa", "again.fa"]
    study["tables"]["mine"]["rows"] = {"CV": "mine-cv", "once more": "mine-cv"}
    trained = "results/shared/runs/mine-cv1/variable/paper/seed0/weights.safetensors"
    assert "copies: keep" in outcome(copy, study, trained), "before anything is trained"
    assert not (copy.folder / "results" / "shared" / "runs").exists()
    study["experiments"]["mine-cv"]["copies"] = "keep"
    copy.snakemake(
        "results/shared/tables/mine.csv",
        "results/shared/tables/audit.csv",
        "--configfile",
        copy.write_config(study, "shared.yaml"),
    )
    audit = copy.folder / "results" / "shared" / "audit"
    found = pd.concat([read_audit(path) for path in sorted(audit.glob("*/records.tsv"))])
    assert found["in_training"].sum() > 0
    assert (found.loc[found["in_training"] == 1, "identity"] == 1).all()
    assert (found["hairpin"] == "").all(), "no reference was given"
    table = pd.read_csv(copy.folder / "results" / "shared" / "tables" / "mine.csv")
    assert len(table) == 2 * (1 + 4), "each protocol once"
    summary = pd.read_csv(copy.folder / "results" / "shared" / "tables" / "audit.csv")
    assert summary["in training"].sum() == found["in_training"].sum()


def test_the_profile_for_a_gpu_gives_each_training_the_one_gpu(
    finished_study: Copy, tmp_path: Path
) -> None:
    copy = copy_of_study(finished_study, tmp_path / "gpu")
    weights = "results/mine/runs/mine-cv1/variable/paper/seed0/weights.safetensors"
    (copy.folder / weights).unlink()
    arguments = ("--profile", "profiles/gpu", weights, "--configfile", "test.yaml")
    done = copy.snakemake(*arguments, check=False)
    assert 'gpu=Resource("gpu", 1)' in done.stdout
    if not torch.cuda.is_available():
        assert "this job was given a GPU, but PyTorch sees none" in done.stdout


def test_neither_network_nor_mirror_is_one_message_with_the_ways_out(copy: Copy) -> None:
    header = "name\turl\tsha256\tbytes\tlicence\tcitation\n"
    row = f"far/away.fa\thttp://127.0.0.1:9/away.fa\t{'0' * 64}\t1\tx\ty\n"
    (copy.folder / "far.tsv").write_text(header + row)
    study = small_study(copy.folder) | {"study": "offline", "sources": "far.tsv"}
    study["datasets"]["mine"]["negatives"] = ["far/away.fa"]
    text = outcome(copy, study)
    for part in ("away.fa", "no connection to the server", "- network:", "- mirror:", "- demo:"):
        assert part in text
    assert "Traceback" not in text
    assert not (copy.folder / "results/raw/far/away.fa").exists()


def test_a_file_that_is_gone_is_said_and_lost_weights_are_made_again(
    finished_study: Copy, tmp_path: Path
) -> None:
    copy = copy_of_study(finished_study, tmp_path / "lost")
    next((copy.folder / "results").rglob("weights.safetensors")).unlink()
    assert copy.planned("all", "--configfile", "test.yaml")["train"] == 1
    copy.edit("test.yaml", "positives.fa", "postives.fa")
    done = copy.snakemake("all", "--configfile", "test.yaml", check=False)
    assert done.returncode != 0
    assert "postives.fa: no such file" in done.stdout


def test_a_study_of_one_network_without_pairing_draws_that_network(copy: Copy) -> None:
    study = small_study(copy.folder) | {"study": "blind"}
    study["runs"] = [{"models": ["without-pairing"], "epochs": 1}]
    name = copy.write_config(study, "blind.yaml")
    copy.snakemake("results/blind/figures/figure2.svg", "--configfile", name)
    drawn = (copy.folder / "results" / "blind" / "figures" / "figure2.svg").read_text()
    assert "conv 8→32" in drawn

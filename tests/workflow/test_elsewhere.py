"""The workflow away from its folder: by -s or --directory, from a read-only checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from workflow.conftest import Copy, copy_of_repository, small_study

RECORDS = "results/mine/datasets/mine/records.tsv"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_of_repository(tmp_path_factory.mktemp("a clone"))


def from_here(clone: Copy) -> tuple[str, str]:
    return "-s", str(clone.folder / "Snakefile")


def test_the_default_study_is_found_from_any_folder(clone: Copy, tmp_path: Path) -> None:
    target = "regenerate-paper-tables"
    in_clone = clone.planned(target)
    assert in_clone["train"] == 39
    assert Copy(tmp_path).planned(target, *from_here(clone)) == in_clone
    assert clone.planned(target, "--directory", str(tmp_path)) == in_clone


def test_a_folder_may_have_a_default_study_of_its_own(clone: Copy, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    here = Copy(tmp_path)
    here.write_config(small_study(tmp_path), "config/config.yaml")
    assert here.planned(RECORDS, *from_here(clone)) == {"records": 1}
    # The other workflow's study, not that of the module.
    (tmp_path / "Snakefile").write_text(
        f"module mirpair:\n    snakefile: {str(clone.folder / 'Snakefile')!r}\n"
        "use rule * from mirpair\n"
    )
    for given in ((), ("--configfile", "config/config.yaml")):
        assert here.planned("regenerate-paper-tables", *given)["train"] == 39


@pytest.mark.parametrize(
    ("config", "rule"), [("families-demo", "families_train"), ("prediction", "predict_piece")]
)
def test_files_of_the_clone_are_found_from_any_folder(
    clone: Copy, tmp_path: Path, config: str, rule: str
) -> None:
    study = ("--configfile", str(clone.folder / "config" / f"{config}.yaml"))
    assert rule in Copy(tmp_path).planned("all", *from_here(clone), *study)


MISSING = [
    ({"datasets": {"mine": {"positives": ["no.fa"], "negatives": ["negatives.fa"]}}}, "no.fa"),
    ({"mirror": "no-mirror"}, "mirror: no-mirror"),
    ({"sources": "no.tsv"}, "sources: no.tsv"),
    ({"reuse": "no-results"}, "reuse: no-results"),
    ({"tables": {"t": {"title": "T", "rows": {"CV": "mine-cv"}, "published": "no.tsv"}}}, "no.tsv"),
]
PREDICTION = {"study": "scores", "task": "prediction", "samples": "config/samples.tsv"}
MISSING_OF_PREDICTION = [
    ({"samples": "no.tsv"}, "samples: no.tsv"),
    ({"weights": "no.safetensors"}, "weights: no.safetensors"),
]


@pytest.mark.parametrize(
    ("change", "named", "base"),
    [(*it, {}) for it in MISSING] + [(*it, PREDICTION) for it in MISSING_OF_PREDICTION],
    ids=["source", "mirror", "sources", "reuse", "published", "samples", "weights"],
)
def test_the_message_of_a_missing_file_names_the_folders_that_were_searched(
    clone: Copy, tmp_path: Path, change: dict[str, object], named: str, base: dict[str, object]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    study = (base or small_study(elsewhere)) | change
    config = str(tmp_path / Copy(tmp_path).write_config(study))
    given = ("-n", "all", *from_here(clone), "--configfile", config)
    done = Copy(tmp_path).snakemake(*given, "--directory", str(elsewhere), check=False)
    assert done.returncode
    text = next(line for line in done.stdout.splitlines() if "A relative path" in line)
    kind = "folder" if {"mirror", "reuse"} & set(change) else "file"
    assert f"{named}: no such {kind}" in text
    assert f"counts from {elsewhere}, the folder where Snakemake works" in text
    assert "--directory" in text
    assert f"or else from {clone.folder}, the clone of mirpair" in text
    assert "Traceback" not in done.stdout


# Stand-ins for SLURM's commands: a job runs at once, and its state is asked for afterwards.
STAND_INS = {
    "sbatch": 'for script; do :; done\nsh "$script" > "$PWD/job.log" 2>&1\necho $? > "$PWD/rc"\n'
    "echo 4711",
    "squeue": 'echo "$@" >> "$PWD/asked"\nprintf "slurm_load_jobs error: Invalid job id specified"',
    "sacct": 'echo "$@" >> "$PWD/asked"\ntest "$(cat rc)" = 0 && echo COMPLETED || echo TIMEOUT',
    "scancel": "exit 0",
}


def test_the_profile_for_any_batch_system_works_from_any_folder(
    clone: Copy, tmp_path: Path
) -> None:
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    here = Copy(tmp_path)
    config = here.write_config(small_study(tmp_path))
    here.snakemake(
        *(RECORDS, *from_here(clone), "--configfile", config),
        *("--profile", str(clone.folder / "profiles" / "cluster-generic")),
        *("--latency-wait", "1", "--seconds-between-status-checks", "1"),
        PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    )
    assert (tmp_path / RECORDS).is_file()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) >= 2, "the queue, and then the accounting"
    assert all(line.endswith("--jobs=4711") for line in asked)


@pytest.mark.parametrize(
    ("queue", "accounting", "state"),
    [
        ("RUNNING", "", "running"),
        ("COMPLETED", "", "success"),
        ("CANCELLED by 0", "", "failed"),
        ("", "COMPLETED", "success"),
        ("", "OUT_OF_MEMORY", "failed"),
        ("", "", "failed"),
        ("slurm_load_jobs error: Invalid job id specified", "TIMEOUT", "failed"),
        ("slurm_load_jobs error: Unable to contact slurm controller", "", "running"),
    ],
)
def test_the_profile_for_any_batch_system_reads_the_state_of_a_job(
    clone: Copy, tmp_path: Path, queue: str, accounting: str, state: str
) -> None:
    for name, answer in (("squeue", queue), ("sacct", accounting)):
        (tmp_path / name).write_text(f"#!/bin/sh\nprintf '{answer}'\n")
        (tmp_path / name).chmod(0o755)
    profile = clone.folder / "profiles" / "cluster-generic" / "config.yaml"
    command = yaml.safe_load(profile.read_text())["cluster-generic-status-cmd"]
    # As the plugin asks.
    printed = subprocess.run(
        f"{command} '4711'",
        shell=True,
        cwd="/",
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split() == [state]


def test_a_checkout_that_cannot_be_written(clone: Copy, tmp_path: Path) -> None:
    """As docs/elsewhere.md says: from another folder, with a cache of one's own."""
    read_only = (
        *("unshare", "--map-root-user", "--mount", "sh", "-c"),
        'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"',
        str(clone.folder),
    )
    touch = ("sh", "-c", 'touch "$0/file" || exit 3', str(clone.folder))
    if subprocess.run([*read_only, *touch], capture_output=True, check=False).returncode != 3:
        pytest.skip("needs the right to mount a file system in a namespace (unshare)")
    here = Copy(tmp_path)
    config = here.write_config(small_study(tmp_path))
    here.snakemake(
        *(RECORDS, *from_here(clone), "--configfile", config),
        within=read_only,
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    assert (tmp_path / RECORDS).is_file()


def test_two_studies_in_one_folder_share_a_file_that_was_downloaded_first(
    clone: Copy, tmp_path: Path
) -> None:
    """Target `downloads`: exactly what the study downloads, published files and live ones."""
    study = small_study(tmp_path)
    published = "mirbase21/hairpin.fa.gz"
    study["audit"] = {"hairpins": published}
    study["datasets"]["mine"]["negatives"] += ["https://live.example/more.fa"]
    here = Copy(tmp_path)
    given = (*from_here(clone), "--configfile", here.write_config(study))
    assert here.planned("downloads", *given) == {"download": 1, "download_live": 1, "downloads": 1}
    raw = tmp_path / "results" / "raw" / published
    raw.parent.mkdir(parents=True)
    raw.touch()
    other = here.write_config(study | {"study": "other"}, "other.yaml")
    jobs = here.planned("all", *from_here(clone), "--configfile", other)
    assert "download" not in jobs, "no two Snakemakes want to make it"

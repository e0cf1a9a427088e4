"""What a training records beside its weights, for both tasks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from mirpair.files import InputError, sha256
from mirpair.networks.build import build, load_weights
from mirpair.networks.loop import derive_seed
from mirpair.networks.training_job import TrainingJob
from mirpair.recipes import MODELS, Model, Recipe

RUN = {"experiment": "human-cv1", "model": "variable", "recipe": "paper", "seed": 3}
TRAINING = {"model": asdict(MODELS["variable"]), "recipe": asdict(Recipe(epochs=2))}


def training_job(folder: Path, **changes: Any) -> TrainingJob:
    (folder / "records.tsv").write_text("id\n")
    settings: dict[str, Any] = {"code": "c0de", "threads": 1, "gpu": False} | changes
    weights = folder / "weights.safetensors"
    inputs = [str(folder / "records.tsv")]
    return TrainingJob(RUN, TRAINING, weights, inputs=inputs, **settings)


def test_the_provenance_says_what_a_training_was_made_with(tmp_path: Path) -> None:
    job = training_job(tmp_path, facts={"classes": 7})
    job.checkpoint.save({"epoch": 1}, {"x": torch.zeros(1)})
    job.finish(build(job.model, seed=job.seed), tmp_path / "provenance.json")
    provenance = json.loads((tmp_path / "provenance.json").read_text("utf-8"))
    assert set(provenance.pop("versions")) == {"python", "mirpair", "torch", "numpy"}
    assert provenance.pop("wall_time_s") >= 0
    records = str(tmp_path / "records.tsv")
    assert provenance == {
        "run": RUN,
        **TRAINING,
        "classes": 7,
        "derived_seed": derive_seed(3, "human-cv1", "variable"),
        "device": "cpu",
        "threads": 1,
        "code": "c0de",
        "inputs_sha256": {records: sha256(records)},
        "began_after_epoch": 0,
    }
    assert load_weights(tmp_path / "weights.safetensors").model == MODELS["variable"]
    assert not (tmp_path / "checkpoint.safetensors").exists(), "the training is finished"


def test_its_settings_are_those_of_the_run(tmp_path: Path) -> None:
    settings = training_job(tmp_path).settings()
    assert settings["model"] == MODELS["variable"]
    assert settings["recipe"] == Recipe(epochs=2)
    assert (settings["seed"], settings["device"]) == (
        derive_seed(3, "human-cv1", "variable"),
        "cpu",
    )


@pytest.mark.parametrize(
    "changes",
    [{"code": "0ther"}, {"threads": 2}, {"watch": 5}, {"facts": {"classes": 8}}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_checkpoint_of_another_training_is_ignored(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    training_job(tmp_path).checkpoint.save({"epoch": 1}, {"x": torch.zeros(1)})
    assert training_job(tmp_path).checkpoint.load() is not None
    threads = torch.get_num_threads()
    try:
        assert training_job(tmp_path, **changes).checkpoint.load() is None
    finally:
        torch.set_num_threads(threads)


def test_a_gpu_that_is_missing_is_an_error(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match="PyTorch sees none"):
        training_job(tmp_path, gpu=True)


def test_a_network_of_an_unknown_architecture_is_an_error() -> None:
    with pytest.raises(InputError, match="no network is called 'transformer'"):
        build(Model("Transformer", "transformer"), seed=0)  # type: ignore[arg-type]

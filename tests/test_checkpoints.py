"""A training that was stopped resumes, to the same bytes as if it had never stopped."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mirpair.families.train import train_families
from mirpair.files import sha256
from mirpair.identification.train import train
from mirpair.networks import checkpoints, loop
from mirpair.networks.build import build
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.weights import save_weights
from mirpair.recipes import FAMILY_MODELS, MODELS, RECIPES, Model, Recipe
from mirpair.rna.encoded_sets import Tensors


class StoppedError(Exception):
    """Stands for a kill: nothing after it is done."""


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_EPOCHS", 1)


def stop_after(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training dies when that epoch is done and saved."""
    save = loop._save_checkpoint

    def save_and_die(checkpoint: Any, passes: Any, *rest: Any) -> None:
        save(checkpoint, passes, *rest)
        if passes.epoch == epoch:
            raise StoppedError

    monkeypatch.setattr(loop, "_save_checkpoint", save_and_die)


def few(tensors: Tensors) -> tuple[Tensors, Tensors]:
    return tensors.subset(np.arange(0, 40, 4)), tensors.subset(np.arange(2, 40, 4))


PAPER = RECIPES["paper"](MODELS["variable"], "cross-validation")
CODE = RECIPES["published-code"](MODELS["variable"], "cross-validation")


@pytest.mark.parametrize(
    ("model", "recipe", "watch"),
    [
        pytest.param(PAPER[0], Recipe(epochs=4, batch_size=4), 0, id="AdaGrad"),
        pytest.param(
            *(PAPER[0], Recipe(epochs=4, batch_size=4, optimizer="adam", weight_decay=0.01), 0),
            id="Adam",
        ),
        pytest.param(
            *(CODE[0], Recipe(epochs=4, batch_size=4, frozen_norm=True, precision="float64"), 0),
            id="frozen BatchNorm, float64",
        ),
        pytest.param(PAPER[0], Recipe(epochs=2, batch_size=4), 4, id="watched after the result"),
        pytest.param(
            replace(PAPER[0], dropout=0.5), Recipe(epochs=4, batch_size=4), 0, id="dropout"
        ),
        pytest.param(MODELS["fixed"], Recipe(epochs=4, batch_size=4), 0, id="fixed-sized"),
        pytest.param(
            MODELS["stem"],
            Recipe(epochs=4, batch_size=4, optimizer="adamw", schedule="one-cycle"),
            0,
            id="stem, one cycle",
        ),
    ],
)
@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_training_that_was_stopped_ends_in_the_same_bytes(
    model: Model,
    recipe: Recipe,
    watch: int,
    stop: int,
    real_molecules: Tensors,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sets = few(real_molecules)

    def trained(name: str, checkpoint: Checkpoint | None) -> tuple[str, str]:
        network, scores = train(model, *sets, recipe, seed=5, watch=watch, checkpoint=checkpoint)
        save_weights(network, tmp_path / f"{name}.safetensors")
        scores.save(tmp_path / f"{name}.npz")
        return sha256(tmp_path / f"{name}.safetensors"), sha256(tmp_path / f"{name}.npz")

    undisturbed = trained("undisturbed", None)
    path = tmp_path / "checkpoint.safetensors"
    with monkeypatch.context() as killed:
        stop_after(stop, killed)
        with pytest.raises(StoppedError):
            trained("killed", Checkpoint(path, {"seed": 5}))
    again = Checkpoint(path, {"seed": 5})
    torch.manual_seed(123)  # of another process
    assert trained("again", again) == undisturbed
    assert again.resumed_after == stop
    again.remove()
    assert not path.exists()


def test_a_training_killed_at_20_random_moments_ends_in_the_same_bytes(
    real_molecules: Tensors, tmp_path: Path
) -> None:
    """By kill -9, between two function calls, which are counted: each kill comes in any case."""
    sets = few(real_molecules)
    names = ("weights.safetensors", "scores.npz")

    def trained(folder: Path, epochs: int) -> None:
        folder.mkdir(exist_ok=True)
        checkpoint = Checkpoint(folder / "checkpoint.safetensors", {})
        recipe = Recipe(epochs=epochs, batch_size=4)
        network, scores = train(PAPER[0], *sets, recipe, seed=5, checkpoint=checkpoint)
        save_weights(network, folder / names[0])
        scores.save(folder / names[1])
        (folder / "began").write_text(str(checkpoint.resumed_after))

    def attempt(folder: Path, epochs: int, kill: int) -> None:
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1
            if calls == kill:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        trained(folder, epochs)
        sys.setprofile(None)
        (folder / "calls").write_text(str(calls))

    def run(folder: Path, epochs: int = 48, kill: int = 0) -> int | None:
        arguments = (folder, epochs, kill)
        process = multiprocessing.get_context("fork").Process(target=attempt, args=arguments)
        process.start()
        process.join(300)
        return process.exitcode

    def calls_of(epochs: int) -> int:
        folder = tmp_path / f"{epochs} epochs"
        assert run(folder, epochs) == 0
        return int((folder / "calls").read_text())

    # In this process, so that the others have all that PyTorch imports at its first use.
    trained(tmp_path / "undisturbed", 48)
    first = calls_of(1)
    an_epoch = (calls_of(4) - first) // 3
    rng = random.Random(20)
    for _ in range(20):
        # About two epochs at most, so that it is never through before.
        kill = rng.randint(1, first + an_epoch)
        assert run(tmp_path / "killed", kill=kill) == -signal.SIGKILL
    assert run(tmp_path / "killed") == 0
    assert int((tmp_path / "killed" / "began").read_text()) > 10, "what was done is not done again"
    for name in names:
        assert sha256(tmp_path / "killed" / name) == sha256(tmp_path / "undisturbed" / name)


def test_a_training_on_families_goes_on_too(
    real_molecules: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.arange(20) % 3
    parts = (real_molecules.subset(np.arange(20)), labels, real_molecules.subset(np.arange(20, 26)))
    recipe = Recipe(epochs=3, batch_size=8, optimizer="adam", loss="mean")
    model = FAMILY_MODELS["variable"]

    def trained(checkpoint: Checkpoint | None) -> tuple[str, str]:
        network, history = train_families(
            model, *parts, np.arange(6) % 3, "abc", recipe, seed=1, checkpoint=checkpoint
        )
        save_weights(network, tmp_path / "weights.safetensors")
        return sha256(tmp_path / "weights.safetensors"), history.to_csv()

    undisturbed = trained(None)
    path = tmp_path / "checkpoint.safetensors"
    with monkeypatch.context() as killed:
        stop_after(2, killed)
        with pytest.raises(StoppedError):
            trained(Checkpoint(path, {}))
    again = Checkpoint(path, {})
    assert trained(again) == undisturbed
    assert again.resumed_after == 2


def saved(path: Path, key: dict[str, Any]) -> Path:
    Checkpoint(path, key).save({"epoch": 7}, {"network.x": torch.arange(5.0)})
    return path


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    path = saved(tmp_path / "checkpoint.safetensors", {"seed": 1, "recipe": {"epochs": 3}})
    assert Checkpoint(path, {"seed": 2, "recipe": {"epochs": 3}}).load() is None
    assert Checkpoint(path, {"seed": 1, "recipe": {"epochs": 4}}).load() is None
    facts, tensors = Checkpoint(path, {"recipe": {"epochs": 3}, "seed": 1}).load() or ({}, {})
    assert facts == {"epoch": 7}
    assert tensors["network.x"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda b: b[:-3], id="truncated"),
        pytest.param(lambda b: b"", id="empty"),
        pytest.param(lambda b: b[:-3] + bytes([b[-3] ^ 1]) + b[-2:], id="a bit of a weight"),
        pytest.param(lambda b: b.replace(b"7}", b"8}"), id="the epoch"),
        pytest.param(lambda b: b"\x80\x04N.", id="a pickle"),
    ],
)
def test_a_damaged_checkpoint_is_told_and_the_training_begins_anew(
    damage: Callable[[bytes], bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path / "checkpoint.safetensors", {})
    intact = path.read_bytes()
    path.write_bytes(damage(intact))
    assert path.read_bytes() != intact
    with caplog.at_level(logging.WARNING):
        assert Checkpoint(path, {}).load() is None
    assert "the training starts from scratch" in caplog.text


def test_a_checkpoint_is_due_after_some_epochs_or_after_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert (checkpoints.CHECKPOINT_EPOCHS, checkpoints.CHECKPOINT_SECONDS) == (5, 60)
    checkpoint = Checkpoint(tmp_path / "checkpoint.safetensors", {})
    assert [epoch for epoch in range(1, 8) if checkpoint.due(epoch)] == [5, 6, 7]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert checkpoint.due(1)
    checkpoint.save({"epoch": 5}, {"x": torch.zeros(1)})
    assert not checkpoint.due(9)
    assert checkpoint.due(10)


def test_the_time_of_earlier_attempts_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    path = tmp_path / "checkpoint.safetensors"
    for expected in (30.0, 60.0):
        checkpoint = Checkpoint(path, {})
        checkpoint.load()
        now[0] += 30
        assert checkpoint.timing()["wall_time_s"] == expected
        checkpoint.save({"epoch": 7}, {"x": torch.zeros(1)})
        now[0] += 1000  # until someone tries again
    assert checkpoint.timing()["began_after_epoch"] == 7


def test_what_a_killed_save_left_is_cleared_away(tmp_path: Path) -> None:
    path = saved(tmp_path / "checkpoint.safetensors", {})
    (tmp_path / ".checkpoint.x7.safetensors").write_bytes(b"half")
    assert Checkpoint(path, {}).load() is not None
    assert list(tmp_path.iterdir()) == [path]


def test_weights_are_no_checkpoint(real_molecules: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_weights(build(MODELS["variable"], seed=1), path)
    assert Checkpoint(path, {}).load() is None

"""A training in the workflow: its seed, device, checkpoint and provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from mirpair.files import sha256
from mirpair.networks.base import Network
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.loop import derive_seed, device_name
from mirpair.networks.weights import save_weights
from mirpair.provenance import versions, write_json
from mirpair.recipes import Model, Recipe


class TrainingJob:
    """The seed, the device, the checkpoint and the provenance of one training.

    Making one sets PyTorch's number of threads; it is an `InputError` if there is no GPU to use.

    Parameters
    ----------
    run
        Names of the run: experiment, model, recipe and the base seed, among others.
    training
        The model and the recipe, by their fields.
    weights
        Path of the file to write; the checkpoint is beside it.
    inputs
        Paths of the files that the training reads.
    code, facts
        Version of the code, and more facts for the provenance.
    watch
        The epoch up to which the training continues after its result, see
        `mirpair.identification.train.train`; only the checkpoint depends on it.
    """

    def __init__(
        self,
        run: Mapping[str, Any],
        training: Mapping[str, Any],
        weights: str | Path,
        *,
        inputs: Iterable[str],
        code: str,
        threads: int,
        gpu: bool,
        facts: Mapping[str, Any] | None = None,
        watch: int = 0,
    ) -> None:
        torch.set_num_threads(threads)
        self.weights = Path(weights)
        self.model, self.recipe = Model(**training["model"]), Recipe(**training["recipe"])
        self.seed = derive_seed(run["seed"], run["experiment"], run["model"])
        self.device = "cuda" if gpu else "cpu"
        self.facts = {
            "run": run,
            **training,
            **(facts or {}),
            "derived_seed": self.seed,
            "device": device_name(self.device),
            "threads": threads,
            "code": code,
            "versions": versions("torch", "numpy"),
            "inputs_sha256": {path: sha256(path) for path in inputs},
        }
        self.checkpoint = Checkpoint(
            self.weights.with_name("checkpoint.safetensors"), self.facts | {"watch": watch}
        )

    def settings(self) -> dict[str, Any]:
        """Return the arguments that the training functions of both tasks share."""
        names = ("model", "recipe", "seed", "device", "checkpoint")
        return {name: getattr(self, name) for name in names}

    def finish(self, network: Network, provenance: str | Path) -> None:
        """Write weights and provenance, and remove the checkpoint: call it last."""
        save_weights(network, self.weights)
        write_json(self.facts | self.checkpoint.timing(), provenance)
        self.checkpoint.remove()

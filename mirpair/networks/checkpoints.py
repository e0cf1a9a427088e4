"""Checkpoints: a training that was killed resumes from its checkpoint, the state on disk."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mirpair.files import InputError
from mirpair.networks.weights import read_tensors, write_tensors

log = logging.getLogger(__name__)

# A kill loses at most this many epochs or, if epochs are shorter, seconds of work. Writing a
# checkpoint of the largest network takes 1.5 s, of the paper's networks a fiftieth of that.
CHECKPOINT_EPOCHS, CHECKPOINT_SECONDS = 5, 60.0


class Checkpoint:
    """The file from which one training resumes.

    Parameters
    ----------
    path
        A safetensors file; what is not a tensor is in it as JSON.
    key
        Everything that the training depends on, as JSON can hold it. A file with another key
        belongs to another training and is ignored.
    """

    def __init__(self, path: str | Path, key: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.key = json.loads(json.dumps(key))  # as `load` reads it
        # The epoch after which the training resumed, 0 from scratch, and the wall time up to it.
        self.resumed_after = self.epoch = 0
        self.seconds = 0.0
        self.started = self.saved = time.monotonic()

    def load(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Load facts and tensors of the last `save`; None if the training starts from scratch.

        A damaged file, or one of another training, is ignored with a message in the log.
        """
        # A process that was killed while it saved left its temporary file.
        for left in self.path.parent.glob(f".{self.path.stem}.*{self.path.suffix}"):
            left.unlink(missing_ok=True)
        if not self.path.exists():
            return None
        try:
            kind, description, tensors = read_tensors(self.path)
        except (InputError, ValueError) as error:
            log.warning("%s is ignored, the training starts from scratch: %s", self.path, error)
            return None
        if kind != "checkpoint" or description.get("key") != self.key:
            log.info("%s belongs to another training and is ignored", self.path)
            return None
        facts: dict[str, Any] = description["facts"]
        self.resumed_after = self.epoch = int(facts["epoch"])
        self.seconds = float(description["seconds"])
        log.info("resuming after epoch %d, from %s", self.epoch, self.path)
        return facts, tensors

    def due(self, epoch: int) -> bool:
        """Tell whether enough work was done since the last checkpoint."""
        return (
            epoch - self.epoch >= CHECKPOINT_EPOCHS
            or time.monotonic() - self.saved >= CHECKPOINT_SECONDS
        )

    def save(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Replace the file atomically; `facts` hold at least the epoch, counted from 1."""
        description = {"key": self.key, "facts": facts, "seconds": self.timing()["wall_time_s"]}
        write_tensors(self.path, "checkpoint", description, tensors)
        self.epoch, self.saved = int(facts["epoch"]), time.monotonic()

    def timing(self) -> dict[str, Any]:
        """Return where the training resumed, and the seconds of all attempts."""
        seconds = self.seconds + time.monotonic() - self.started
        return {"began_after_epoch": self.resumed_after, "wall_time_s": round(seconds, 1)}

    def remove(self) -> None:
        """Delete the file, once all results are written."""
        self.path.unlink(missing_ok=True)

"""Where a training stands, on disk: one that was killed goes on from there."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mirpair.files import InputError
from mirpair.networks import tensor_file

log = logging.getLogger(__name__)

_KIND = "checkpoint"
# At most so much of the work is lost: epochs, or seconds if these take longer. That of the largest
# network takes 1.5 s to write, those of the paper's a fiftieth of that.
EPOCHS, SECONDS = 5, 60.0


class Checkpoint:
    """The file from which one training goes on.

    Parameters
    ----------
    path
        Of the file: safetensors, with what is no tensor as JSON in it.
    key
        All that the training depends on, as JSON can hold it. A file with another key is of
        another training, and not gone on with.

    Attributes
    ----------
    began
        The epoch after which the training went on; 0 if it began at its beginning.
    seconds
        That it took up to there.
    """

    def __init__(self, path: str | Path, key: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.key = json.loads(json.dumps(key))  # as it comes back from the file
        self.began = self.epoch = 0
        self.seconds = 0.0
        self.started = self.saved = time.monotonic()

    def load(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Facts and tensors of the last `save`; None if a training must begin at its beginning.

        A damaged file, or one of another training, is told in the log and not used.
        """
        # Of a process that was killed while it wrote.
        for left in self.path.parent.glob(f".{self.path.stem}.*{self.path.suffix}"):
            left.unlink(missing_ok=True)
        if not self.path.exists():
            return None
        try:
            kind, described, tensors = tensor_file.read(self.path)
        except (InputError, ValueError) as error:
            log.warning("%s is not used, the training begins anew: %s", self.path, error)
            return None
        if kind != _KIND or described.get("key") != self.key:
            log.info("%s is of another training; this one begins anew", self.path)
            return None
        facts: dict[str, Any] = described["facts"]
        self.began = self.epoch = int(facts["epoch"])
        self.seconds = float(described["seconds"])
        log.info("going on after epoch %d, from %s", self.epoch, self.path)
        return facts, tensors

    def due(self, epoch: int) -> bool:
        """Whether enough was done since the last one."""
        return epoch - self.epoch >= EPOCHS or time.monotonic() - self.saved >= SECONDS

    def save(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Replace the file, all at once; `facts` hold at least the epoch, counted from 1."""
        described = {"key": self.key, "facts": facts, "seconds": self.timing()["wall_time_s"]}
        tensor_file.write(self.path, _KIND, described, tensors)
        self.epoch, self.saved = int(facts["epoch"]), time.monotonic()

    def timing(self) -> dict[str, Any]:
        """For the provenance: where it went on, and seconds, those of earlier attempts too."""
        seconds = self.seconds + time.monotonic() - self.started
        return {"began_after_epoch": self.began, "wall_time_s": round(seconds, 1)}

    def remove(self) -> None:
        """Once all results are written."""
        self.path.unlink(missing_ok=True)

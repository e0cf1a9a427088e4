"""The comparison of a GPU with the CPU, tried out on the CPU alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench import gpu


def test_a_device_is_compared_in_all_that_a_training_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gpu.md"
    assert gpu.main(["cpu", "--rnas", "6", "--seconds", "0", "--out", str(out)]) == 0
    assert capsys.readouterr().out == out.read_text(encoding="utf-8")
    rows = [line for line in out.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    names = [line.split("|")[1].strip() for line in rows[2:]]
    assert names == [model.label for model in gpu.models() for _ in gpu.BATCHES]
    for line in rows[2:]:
        assert [cell.strip() for cell in line.split("|")[2:5]] == ["0", "0", "0"]
    assert "No difference exceeds 0.001." in out.read_text(encoding="utf-8")


def test_the_networks_of_the_paper_and_the_shipped_one_are_compared() -> None:
    assert [model.architecture for model in gpu.models()] == ["variable", "fixed", "stem"]


def test_a_difference_that_is_too_large_or_not_a_number_is_a_fault() -> None:
    row = {"network": "Stem", "batch": 64, "training, cpu": 1e6}
    equal = {"outputs differ by": 1e-4, "gradients differ by": 1e-3, "resumed differs by": 0.0}
    assert not gpu.faults([row | equal])
    (large,) = gpu.faults([row | equal | {"gradients differ by": 2e-3}] * 2)
    assert large == "Stem: gradients differ by 0.002, more than 0.001"
    assert len(gpu.faults([row | equal | {"outputs differ by": float("nan")}])) == 1


def test_a_checkpoint_that_holds_another_state_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tensors = gpu.models(["variable"])[0], gpu.molecules(4)
    load = gpu.Checkpoint.load

    def damaged(self: gpu.Checkpoint) -> object:
        loaded = load(self)
        assert loaded is not None
        loaded[1]["network.output.bias"] += 1e-6
        return loaded

    assert gpu.resumed(model, tensors, "cpu") == 0
    monkeypatch.setattr(gpu.Checkpoint, "load", damaged)
    assert gpu.resumed(model, tensors, "cpu") == float("inf")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_fails_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([]) == 1
    assert "PyTorch sees none" in capsys.readouterr().err

"""Training as the paper says it, and the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch

from mirpair.files import InputError, sha256
from mirpair.identification.metrics import rank
from mirpair.identification.train import class_weights, record_weights, select, train
from mirpair.networks.build import build
from mirpair.networks.loop import derive_seed, one_cycle, weighted_loss
from mirpair.networks.score_log import ScoreLog
from mirpair.networks.weights import save_weights
from mirpair.recipes import MODELS, Recipe
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import encode


def test_class_weights_below_equation_2() -> None:
    """Np = 2, Nn = 6: β = 2·2/8 for negatives, α = 2·6/8 for positives."""
    assert class_weights(np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=np.int8)) == (0.5, 1.5)


def test_the_loss_is_a_plain_sum_so_that_weights_count_at_batch_one_too() -> None:
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    weights = torch.tensor([0.25, 1.75])
    log_half, wrong = np.log(2), np.log(1 + np.exp(2))
    both = weighted_loss(logits, torch.tensor([0, 1]), weights)
    assert both.item() == pytest.approx(0.25 * log_half + 1.75 * wrong)
    alone = weighted_loss(logits[:1], torch.tensor([1]), weights)
    assert alone.item() == pytest.approx(1.75 * log_half)


def halves(tensors: Tensors) -> tuple[Tensors, Tensors]:
    even = np.arange(0, len(tensors), 2)
    return tensors.subset(even), tensors.subset(even + 1)


def test_one_step_is_adagrad_on_the_sum_of_single_gradients(real_molecules: Tensors) -> None:
    """Algorithm 1: 64 gradients one by one, added up, one update."""
    part, _ = halves(real_molecules)
    trained, _ = train(MODELS["variable"], part, part, Recipe(epochs=1), seed=11)
    by_hand = build(MODELS["variable"], seed=11)
    optimizer = torch.optim.Adagrad(by_hand.parameters(), lr=0.001)
    beta, alpha = class_weights(part.labels)
    for molecule, label in zip(part, part.labels, strict=True):
        probability = torch.softmax(by_hand([molecule]), dim=1)[0, int(label)]
        (-(alpha if label else beta) * torch.log(probability)).backward()
    optimizer.step()
    for actual, expected in zip(trained.parameters(), by_hand.parameters(), strict=True):
        assert expected.grad is not None
        # AdaGrad's first step is lr · sign(gradient): where a gradient is only rounding, so is it.
        solid = expected.grad.abs() > 1e-6
        assert solid.float().mean() > 0.5
        torch.testing.assert_close(actual[solid], expected[solid], rtol=1e-4, atol=1e-5)


def test_batches_are_of_the_recipes_size_and_cover_every_record(real_molecules: Tensors) -> None:
    part, _ = halves(real_molecules)
    sizes: list[int] = []
    original = torch.optim.Adagrad.step
    small = Recipe(batch_size=8, epochs=2)

    def counting(self: torch.optim.Adagrad, *args: object) -> object:
        sizes.append(1)
        return original(self, *args)  # type: ignore[arg-type]

    torch.optim.Adagrad.step = counting  # type: ignore[assignment,method-assign]
    try:
        _, scores = train(MODELS["variable"], part, part, small, seed=1)
    finally:
        torch.optim.Adagrad.step = original  # type: ignore[method-assign]
    assert len(sizes) == 2 * 3  # 20 records: 8 + 8 + 4 in each epoch
    assert np.isfinite(scores.train_scores).all()
    assert ((scores.train_scores > 0) & (scores.train_scores < 1)).all()


def test_one_cycle_rises_to_the_maximum_and_falls_to_0() -> None:
    assert [one_cycle(at) for at in (0, 0.15, 1)] == pytest.approx([0, 1, 0])
    assert [one_cycle(at) for at in (0.075, 0.575)] == pytest.approx([0.5, 0.5]), "half-way"
    assert one_cycle(0.05) == pytest.approx(0.25), "(1 - cos 60°) / 2"
    shares = np.array([one_cycle(at) for at in np.linspace(0, 1, 1001)])
    steps = np.diff(shares)
    assert (steps[:150] > 0).all()
    assert (steps[150:] < 0).all()
    assert abs(steps).max() < np.pi / 2 / 150 + 1e-6, "no jump"
    assert shares.mean() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_the_schedule_sets_the_learning_rate_of_each_step(
    schedule: Literal["constant", "one-cycle"],
    real_molecules: Tensors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That of the middle of the step: 10 records in steps of 4, 4 and 2, twice."""
    part = real_molecules.subset(np.arange(0, 40, 4))
    rates: list[float] = []
    original = torch.optim.AdamW.step

    def noting(self: torch.optim.AdamW, *args: object) -> object:
        rates.append(self.param_groups[0]["lr"])
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.AdamW, "step", noting)
    recipe = Recipe(
        epochs=2, batch_size=4, learning_rate=0.01, optimizer="adamw", schedule=schedule
    )
    train(MODELS["stem"], part, part, recipe, seed=0)
    middles = [0.1, 0.3, 0.45, 0.6, 0.8, 0.95]
    shares = [one_cycle(at) if schedule == "one-cycle" else 1 for at in middles]
    assert rates == pytest.approx([0.01 * share for share in shares])


def test_it_learns_real_hairpins(real_molecules: Tensors) -> None:
    train_set, evaluate_set = halves(real_molecules)
    recipe = Recipe(learning_rate=0.001, batch_size=8, epochs=8)
    _, scores = train(MODELS["variable"], train_set, evaluate_set, recipe, seed=0)
    assert scores.train_loss[-1] < 0.7 * scores.train_loss[0]
    assert rank(scores.evaluate_labels, scores.evaluate_scores[-1])["AUROC"] > 0.85


@pytest.mark.parametrize("model", ["variable", "fixed", "stem"])
def test_the_same_seed_gives_the_same_bytes(
    model: str, real_molecules: Tensors, tmp_path: Path
) -> None:
    part = real_molecules.subset(np.array([0, 1, 2, 21, 22, 23]))
    digests = []
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        network, scores = train(MODELS[model], part, part, Recipe(epochs=2), seed=seed)
        save_weights(network, tmp_path / f"{name}.safetensors")
        scores.save(tmp_path / f"{name}.npz")
        digests.append([sha256(tmp_path / f"{name}.{kind}") for kind in ("safetensors", "npz")])
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_evaluation_records_choose_nothing(real_molecules: Tensors) -> None:
    part, other = halves(real_molecules)
    flipped = Tensors.build(other.ids.tolist(), (1 - other.labels).tolist(), list(other))
    one, _ = train(MODELS["variable"], part, other, Recipe(epochs=2), seed=0)
    two, _ = train(
        MODELS["variable"], part, flipped.subset(np.array([0, 1, 15])), Recipe(epochs=2), seed=0
    )
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_scores_of_the_last_epoch_are_those_of_the_returned_network(
    real_molecules: Tensors,
) -> None:
    from mirpair.networks.inference import predict, scores_of

    part, other = halves(real_molecules)
    network, scores = train(MODELS["variable"], part, other, Recipe(epochs=2), seed=0)
    np.testing.assert_array_equal(scores.evaluate_scores[-1], scores_of(predict(network, other)))
    assert scores.evaluate_ids.tolist() == other.ids.tolist()


def test_with_validation_records_the_evaluation_records_are_scored_once_at_the_end(
    real_molecules: Tensors, tmp_path: Path
) -> None:
    from mirpair.networks.inference import predict, scores_of

    part, other = halves(real_molecules)
    validate, evaluate = other.subset(np.arange(12)), other.subset(np.arange(12, len(other)))
    about = {"recipe": Recipe(epochs=2), "seed": 0, "watch": 3}
    network, scores = train(
        MODELS["variable"],
        part,
        evaluate,
        validate_set=validate,
        **about,  # type: ignore[arg-type]
    )
    assert scores.evaluate_scores.shape == (3, 12)
    assert scores.evaluate_ids.tolist() == validate.ids.tolist()
    assert scores.final_ids.tolist() == evaluate.ids.tolist()
    np.testing.assert_array_equal(scores.final_scores, scores_of(predict(network, evaluate)))
    assert scores.predictions()["id"].tolist() == evaluate.ids.tolist()
    alone, usual = train(MODELS["variable"], part, evaluate, **about)  # type: ignore[arg-type]
    assert scores.predictions().equals(usual.predictions()), "they choose nothing"
    for a, b in zip(network.parameters(), alone.parameters(), strict=True):
        assert torch.equal(a, b)
    scores.save(tmp_path / "scores.npz")
    again = ScoreLog.load(tmp_path / "scores.npz")
    assert again.predictions().equals(scores.predictions())
    assert again.validation().equals(scores.validation())


@pytest.mark.parametrize("loss", ["sum", "mean", "mean-of-each"])
def test_a_record_with_weight_2_counts_like_two(loss: str) -> None:
    logits = torch.tensor([[1.0, -2.0], [0.5, 0.25], [-1.0, 3.0]])
    labels, classes = torch.tensor([0, 1, 1]), torch.tensor([0.4, 1.6])
    twice = [0, 0, 1, 2, 2]
    weighted = weighted_loss(logits, labels, classes, loss, torch.tensor([2.0, 1.0, 2.0]))
    assert weighted.item() == pytest.approx(
        weighted_loss(logits[twice], labels[twice], classes, loss).item()
    )
    equal = weighted_loss(logits, labels, classes, loss, torch.ones(3))
    assert equal.item() == pytest.approx(weighted_loss(logits, labels, classes, loss).item())


def test_the_weights_of_records_change_the_training(real_molecules: Tensors) -> None:
    part, other = halves(real_molecules)
    half = np.where(part.labels == 1, 0.5, 1.0)
    plain, light = (
        train(MODELS["variable"], part, other, Recipe(epochs=1), seed=0, weights=weights)[1]
        for weights in (None, half)
    )
    assert light.result.mean() < plain.result.mean(), "positives count less"


def test_the_weights_of_training_records_are_in_the_order_of_the_records() -> None:
    experiment = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "set": ["s", "t", "s", "s", "t"],
            "role": ["train", "train", "evaluate", "train", "train"],
            "weight": [0.5, 1.0, 0.1, 0.25, 2.0],
        }
    )
    weights = record_weights(experiment)
    assert weights is not None
    assert weights.tolist() == [0.5, 0.25, 1.0, 2.0], "set by set, as `select` has them"
    assert record_weights(experiment.assign(weight=1.0)) is None


def test_seeds_differ_by_base_experiment_and_model_and_are_stable() -> None:
    seeds = {
        derive_seed(base, experiment, model)
        for base in (0, 1)
        for experiment in ("human-cv1", "human-cv2")
        for model in ("fixed", "variable")
    }
    assert len(seeds) == 8
    assert derive_seed(0, "human-cv1", "variable") == 8078306029549441336


def test_records_that_do_not_fit_are_refused_before_training(real_molecules: Tensors) -> None:
    part, other = halves(real_molecules)
    long = Tensors.build(["long"], [1], [encode("A" * 401, "." * 401, 0.0)])
    with pytest.raises(InputError, match="'long' has 401 nt"):
        train(MODELS["fixed"], part, Tensors.concatenate([other, long]), Recipe(epochs=1), seed=0)
    one_class = part.subset(np.flatnonzero(part.labels == 1))
    with pytest.raises(InputError, match="one class"):
        train(MODELS["variable"], one_class, other, Recipe(epochs=1), seed=0)


def test_a_gpu_that_is_not_there_is_said(real_molecules: Tensors) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    part, other = halves(real_molecules)
    with pytest.raises(InputError, match="PyTorch sees none"):
        train(MODELS["variable"], part, other, Recipe(epochs=1), seed=0, device="cuda")


def test_roles_are_selected_from_several_sets_in_the_order_of_the_experiment() -> None:
    def one(name: str, sequence: str) -> Tensors:
        return Tensors.build([name, "x"], [1, 0], [encode(sequence, "...", 0.0)] * 2)

    tensors = {"s": one("a", "AAA"), "t": one("b", "CCC")}
    experiment = pd.DataFrame(
        {"id": ["x", "a", "b"], "set": ["s", "s", "t"], "role": ["train", "train", "evaluate"]}
    )
    assert select(experiment, tensors, "train").ids.tolist() == ["x", "a"]
    evaluate = select(experiment, tensors, "evaluate")
    assert evaluate.ids.tolist() == ["b"]
    assert evaluate[0].codes.tolist() == [1, 1, 1]


def test_scores_come_back_from_npz(real_molecules: Tensors, tmp_path: Path) -> None:
    part, other = halves(real_molecules)
    _, scores = train(MODELS["variable"], part, other, Recipe(epochs=1), seed=0)
    scores.save(tmp_path / "scores.npz")
    again = ScoreLog.load(tmp_path / "scores.npz")
    np.testing.assert_array_equal(again.evaluate_scores, scores.evaluate_scores)
    assert again.predictions().equals(scores.predictions())


@pytest.mark.parametrize("model", ["variable", "fixed"])
def test_two_epochs_by_hand(model: str, real_molecules: Tensors) -> None:
    """Order, batches, class weights, AdaGrad's memory, scores and losses, written out."""
    part = real_molecules.subset(np.array([0, 1, *range(20, 26)]))  # 2 positives, 6 negatives
    recipe = Recipe(learning_rate=0.01, batch_size=5, epochs=2)
    trained, scores = train(MODELS[model], part, part, recipe, seed=17)

    network = build(MODELS[model], seed=17)
    optimizer = torch.optim.Adagrad(network.parameters(), lr=0.01)
    weight = torch.tensor([0.5, 1.5])
    order = np.random.default_rng(17)
    for epoch in range(2):
        permutation = order.permutation(8)
        assert permutation.tolist() != list(range(8))
        total = 0.0
        network.train()
        for batch in (permutation[:5], permutation[5:]):
            optimizer.zero_grad()
            logits = network([part[i] for i in batch])
            labels = torch.from_numpy(part.labels[batch].astype(np.int64))
            log_probability = torch.log_softmax(logits, dim=1)[torch.arange(len(batch)), labels]
            loss = -(weight[labels] * log_probability).sum()
            loss.backward()
            optimizer.step()
            total += loss.item()
            np.testing.assert_allclose(
                scores.train_scores[epoch, batch],
                torch.softmax(logits, dim=1)[:, 1].detach().numpy(),
                rtol=1e-4,
            )
        assert scores.train_loss[epoch] == pytest.approx(total / 8, rel=1e-4)
        network.eval()
        with torch.no_grad():
            logits = network(list(part))
        labels = torch.from_numpy(part.labels.astype(np.int64))
        log_probability = torch.log_softmax(logits, dim=1)[torch.arange(8), labels]
        expected = -(weight[labels] * log_probability).sum().item() / 8
        assert scores.evaluate_loss[epoch] == pytest.approx(expected, rel=1e-3)
        np.testing.assert_allclose(
            scores.evaluate_scores[epoch], torch.softmax(logits, dim=1)[:, 1], rtol=1e-3
        )
    for actual, expected in zip(trained.parameters(), network.parameters(), strict=True):
        assert (actual - expected).norm() <= 1e-3 * expected.norm()


def test_a_training_that_diverges_stops_and_says_so(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    broken = Tensors.build(
        part.ids.tolist(), part.labels.tolist(), [m._replace(mfe=float("nan")) for m in part]
    )
    with pytest.raises(InputError, match="diverged"):
        train(MODELS["variable"], broken, part, Recipe(epochs=2), seed=0)

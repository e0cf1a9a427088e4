"""Drawings show the real thing: each cell of an encoding, each layer of a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from conftest import ROOT, random_rna
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.do2018 import FixedNetwork, PairingNetwork
from mirpair.networks.inference import predict
from mirpair.networks.layers import observe
from mirpair.pages.drawings import draw_encoding, draw_models, draw_molecule, draw_networks
from mirpair.pages.style import save
from mirpair.recipes import MODELS
from mirpair.rna.encoding import Molecule, dense, encode
from mirpair.rna.folding import Structure, fold, layout
from mirpair.rna.sequences import read_fasta

EXAMPLE = "GCCCUUGGCA"
HAIRPIN = next(
    record
    for record in read_fasta(ROOT / "config" / "demo" / "positives.fa")
    if len(record.sequence) == 94
)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def planes(figure: Figure, length: int) -> dict[str, np.ndarray]:
    """The planes of a figure as a reader sees them: which of the L × L places are filled."""
    found = {}
    for collection in figure.axes[0].collections:
        if not isinstance(collection, PolyCollection):
            continue
        plane = np.zeros((length, length), dtype=int)
        outlines = [
            patch.get_path().get_extents()
            for patch in figure.axes[0].patches
            if type(patch).__name__ == "Polygon"
        ]
        for path in collection.get_paths():
            cell = path.get_extents()
            side = cell.width * length
            # The outline around it whose grid the cell is on, nearest of those of its size.
            (i, j) = min(
                (
                    ((box.y1 - cell.y1) / cell.height, (cell.x0 - box.x0) / cell.width)
                    for box in outlines
                    if abs(box.width - side) < 1e-6
                    and box.x0 - 1e-6 < cell.x0 < box.x1
                    and box.y0 - 1e-6 < cell.y0 < box.y1
                ),
                key=lambda at: abs(at[0] - round(at[0])) + abs(at[1] - round(at[1])),
            )
            plane[round(i), round(j)] += 1
        found[collection.get_gid()] = plane
    return found


@pytest.mark.parametrize("sequence", [EXAMPLE, "GGGAAAUCC", "AUGA"])
def test_every_cell_of_the_encodings_panels_is_one_of_dense(sequence: str) -> None:
    structure = fold(sequence)
    tensor = dense(encode(sequence, *structure))
    drawn = planes(draw_encoding(sequence, structure), len(sequence))
    names = {"C-0": 0, **{f"D-{n}": n for n in range(1, 5)}, **{f"E-{n}": n for n in range(5, 9)}}
    for name, channel in names.items():
        np.testing.assert_array_equal(drawn[name], tensor[:, :, channel] != 0, err_msg=name)
    for channel in range(9):
        cells = drawn[f"F-{channel}"].sum()
        assert cells == (tensor[:, :, channel] != 0).sum()
    assert set(drawn) == {*names, *(f"F-{n}" for n in range(9))}


def test_the_example_of_the_papers_figure_1_says_what_it_is() -> None:
    figure = draw_encoding(EXAMPLE, fold(EXAMPLE))
    shown = texts(figure)
    assert "E = −3.00 kcal/mol" in shown
    assert shown.count("E") == 6 + 1, "in six cells, and the name of a panel"
    for panel in "BDF":
        assert panel in shown
    assert any("10 × 10 × 9" in text for text in shown)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180, abs=1)
    sizes = [text.get_fontsize() for text in figure.axes[0].texts]
    assert min(sizes) >= 7, "readable in print"


def written(figure: Figure) -> tuple[list[str], np.ndarray]:
    """Texts of a figure and where they stand: left, bottom, right, top, (n, 4)."""
    shown = figure.axes[0].texts
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = np.array([text.get_window_extent(renderer).extents for text in shown])
    return [text.get_text() for text in shown], boxes


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that lie on each other."""
    names, boxes = written(figure)
    low, high = boxes[:, :2], boxes[:, 2:]
    common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    heights = high[:, 1] - low[:, 1]
    # The box of a line is higher than its letters.
    least = 0.45 * np.minimum(heights[:, None], heights)
    found = np.argwhere(np.triu((common[..., 0] > 1) & (common[..., 1] > least), k=1))
    return [(names[i], names[j]) for i, j in found]


def clipped(figure: Figure) -> list[str]:
    """Texts that leave the page."""
    names, boxes = written(figure)
    outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2:] > figure.bbox.max).any(axis=1)
    return [name for name, out in zip(names, outside, strict=True) if out]


@pytest.mark.parametrize("length", [1, 4, 10, 31, 60])
def test_nothing_of_an_encoding_overlaps_or_leaves_the_page(length: int) -> None:
    sequence = random_rna(np.random.default_rng(length), length)
    figure = draw_encoding(sequence, fold(sequence))
    assert overlaps(figure) == []
    assert clipped(figure) == []
    title = next(text for text in figure.axes[0].texts if text.get_text() == "F")
    stack = [c for c in figure.axes[0].collections if str(c.get_gid()).startswith("F-")]
    tops = [path.get_extents().y1 for planes in stack for path in planes.get_paths()]
    assert max(tops) < title.get_position()[1]


def test_an_rna_of_too_many_cells_is_refused_and_told_where_to_go() -> None:
    with pytest.raises(InputError, match="draw_molecule"):
        draw_encoding("A" * 61, Structure("." * 61, 0.0))


@pytest.mark.parametrize("length", [1, 2, 45, 94, 398])
def test_a_molecule_of_any_length_is_drawn_with_its_own_pairs(length: int) -> None:
    sequence = random_rna(np.random.default_rng(length), length)
    structure = fold(sequence)
    figure = draw_molecule("some-id", sequence, structure, 1)
    drawn = planes(figure, length)["pairs"]
    np.testing.assert_array_equal(drawn, dense(encode(sequence, *structure))[:, :, 0] != 0)
    shown = texts(figure)
    assert "some-id" in shown
    energy = f"{structure.mfe:.2f}".replace("-", "−")
    assert f"{length} nt, {energy} kcal/mol, a pre-miRNA" in shown
    assert {"5′", "3′"} <= set(shown)
    assert overlaps(figure) == []
    assert clipped(figure) == []


def test_the_drawn_structure_has_the_pairs_of_the_molecule_and_a_colour_for_each_base() -> None:
    structure = fold(HAIRPIN.sequence)
    (axis,) = draw_molecule("x", HAIRPIN.sequence, structure).axes
    (ladder,) = [c for c in axis.collections if isinstance(c, LineCollection)]
    (discs,) = [c for c in axis.collections if isinstance(c, PatchCollection)]
    centres = [path.get_extents().get_points().mean(axis=0) for path in discs.get_paths()]
    partner = encode(HAIRPIN.sequence, *structure).partner.tolist()
    expected = {(i, j) for i, j in enumerate(partner) if i < j}

    def nearest(point: np.ndarray) -> int:
        return int(np.linalg.norm(np.array(centres) - point, axis=1).argmin())

    drawn = {tuple(sorted(nearest(end) for end in line)) for line in ladder.get_segments()}
    assert drawn == expected
    colours = [tuple(colour) for colour in discs.get_facecolor()]
    by_base = dict(zip(HAIRPIN.sequence, colours, strict=True))
    assert len(set(by_base.values())) == 4
    assert colours == [by_base[base] for base in HAIRPIN.sequence]
    places = layout(structure.dot_bracket)
    apart = np.linalg.norm(np.diff(np.array(centres), axis=0), axis=1)
    given = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(apart / given, (apart / given)[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("label", "words"), [(1, ", a pre-miRNA"), (0, ", not a pre-miRNA"), (None, "")]
)
def test_the_title_says_the_class_if_it_is_known(label: int | None, words: str) -> None:
    shown = texts(draw_molecule("x", EXAMPLE, fold(EXAMPLE), label))
    assert f"10 nt, −3.00 kcal/mol{words}" in shown


def test_letters_of_a_hairpin_are_its_sequence_and_those_of_a_long_rna_vanish() -> None:
    shown = texts(draw_molecule("x", HAIRPIN.sequence, fold(HAIRPIN.sequence)))
    assert "".join(text for text in shown if text in "ACGU") == HAIRPIN.sequence
    assert {"10", "50", "90"} <= set(shown)
    long = random_rna(np.random.default_rng(0), 398)
    assert not {"A", "C", "G", "U"} & set(texts(draw_molecule("x", long, fold(long))))


def test_a_hostile_name_is_text_and_the_svg_stays_one(tmp_path: Path) -> None:
    name = "<b>&$x_1$\x00\x1b" + "w" * 500
    save(draw_molecule(name, EXAMPLE, fold(EXAMPLE)), tmp_path / "x.svg")
    content = "".join(ElementTree.parse(tmp_path / "x.svg").getroot().itertext())
    assert "<b>&$x_1$" in content
    assert clipped(draw_molecule(name, EXAMPLE, fold(EXAMPLE))) == []


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_same_drawing_is_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        figure = draw_molecule("x", HAIRPIN.sequence, fold(HAIRPIN.sequence))
        save(figure, tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert first == second
    assert b"CreationDate" not in first, "the next second gives the same bytes too"


def test_the_bases_of_a_layout_are_apart_and_neighbours_are_near() -> None:
    places = layout(fold(HAIRPIN.sequence).dot_bracket)
    assert places.shape == (94, 2)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(94)
    assert apart.min() > 0.6
    assert np.linalg.norm(np.diff(places, axis=0), axis=1) == pytest.approx(1, abs=0.6)


@pytest.mark.parametrize("dot_bracket", [".", "()", "(())", ".()", "(()())", "(.)", "..(...)"])
def test_any_structure_has_a_layout(dot_bracket: str) -> None:
    """What no folding gives, such as a loop without a base, ends no process."""
    assert np.isfinite(layout(dot_bracket)).all()
    draw_molecule("x", "A" * len(dot_bracket), Structure(dot_bracket, -1.0))


def words(network: Network, length: int = 94) -> list[str]:
    steps = observe(network, encode("A" * length, "." * length, 0.0))
    return [f"{s.words} | {' × '.join(map(str, s.shape))}" for s in steps]


def test_the_variable_sized_network_is_seen_layer_by_layer() -> None:
    assert words(build(MODELS["variable"], seed=0)) == [
        "pairing matrix | 94 × 94 × 9",
        "conv 9→32, 11×11, stride 4, pad 10 | 26 × 26 × 32",
        "ReLU | 26 × 26 × 32",
        "2×2 sum-pool | 13 × 13 × 32",
        "conv 32→64, 5×5, stride 2, pad 4 | 9 × 9 × 64",
        "ReLU | 9 × 9 × 64",
        "2×2 max-pool | 4 × 4 × 64",
        "conv 64→64, 3×3, pad 1 | 4 × 4 × 64",
        "ReLU | 4 × 4 × 64",
        "adaptive average-pool to 4×4 | 4 × 4 × 64",
        "flatten | 1024",
        "fully connected 1024→256 | 256",
        "sigmoid | 256",
        "fully connected 256→2 | 2",
        "softmax | 2",
    ]
    assert words(build(MODELS["without-pairing"], seed=0))[:2] == [
        "sequence | 94 × 94 × 8",
        "conv 8→32, 11×11, stride 4, pad 10 | 26 × 26 × 32",
    ]


def test_the_fixed_sized_network_is_padded_pooled_and_normalised_as_it_is_written() -> None:
    found = words(build(MODELS["fixed"], seed=0), length=400)
    assert "pad" not in found[1].split("|")[0].split(",")[0], "400 nt need no zeros"
    found = words(build(MODELS["fixed"], seed=0))
    assert found[1] == "zero-pad, right 306, below 306 | 400 × 400 × 9"
    assert found[2] == "conv 9→32, 11×11, stride 4, pad 2 | 99 × 99 × 32"
    assert sum("BatchNorm" in step for step in found) == 2
    assert "2×2 average-pool | 6 × 6 × 64" in found


def test_the_network_on_a_duplex_is_seen_layer_by_layer() -> None:
    """Of the columns, and with the numbers that are concatenated to what it makes of them."""
    network = build(MODELS["stem"], seed=0)
    found = words(network)
    block = ["conv 64→64, width 3, pad 1", "BatchNorm", "ReLU", "dropout 0.1"]
    block = [*block, *block[:2], "add", "ReLU"]
    head = ["maximum | 64", "mean | 64", "concatenate | 128", "concatenate | 134"]
    assert found == [
        "duplex, and 6 numbers | 47 × 13",
        *(f"{it} | 47 × 64" for it in ("conv 13→64, width 5, pad 2", "BatchNorm", "ReLU", *block)),
        *(f"{it} | 24 × 64" for it in ("2 max-pool, rounded up", *block)),
        *(f"{it} | 12 × 64" for it in ("2 max-pool, rounded up", *block)),
        *head,
        "dropout 0.3 | 134",
        "fully connected 134→128 | 128",
        "ReLU | 128",
        "dropout 0.3 | 128",
        "fully connected 128→2 | 2",
        "softmax | 2",
    ]
    steps = observe(network, encode("A" * 94, "." * 94, 0.0))
    sources = {step.words: step.sources for step in steps if step.shape in ((128,), (134,))}
    assert sources["concatenate"] == (found.index("concatenate | 128"), 0)
    figure = draw_networks({"A": network, "B": build(MODELS["variable"], seed=0)})
    assert overlaps(figure) == []
    assert clipped(figure) == []


class Another(PairingNetwork):
    """Modules and functions mixed, a shortcut, layers that no network here has."""

    def __init__(self) -> None:
        super().__init__(MODELS["variable"])
        self.hidden = nn.Linear(8 * 2 * 2, 256)
        self.output = nn.Linear(256, 2)
        self.stem = nn.Sequential(
            nn.Conv2d(9, 8, (3, 5), stride=2, padding=(1, 2), bias=False),
            nn.GroupNorm(4, 8),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Dropout(0.3),
        )
        self.conv = nn.Conv2d(8, 8, 3, padding="same", groups=2, dilation=2)
        self.norm = nn.BatchNorm2d(8)

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        maps = []
        for molecule in molecules:
            canvas = torch.zeros(1, 9, 120, 120)
            image = self.image(molecule)
            canvas[0, :, : image.shape[1], : image.shape[2]] = image
            x = self.stem(canvas)
            scale = (2 * self.conv.weight).abs().mean()  # of weights alone: no layer
            assert scale > 0
            x = F.silu(x + self.norm(self.conv(x)))
            x = F.avg_pool2d(x, 3, stride=1)
            maps.append(torch.cat([F.adaptive_max_pool2d(x, 2)]))
        return torch.cat(maps)


def test_another_network_needs_no_edit() -> None:
    network = Another().train()
    steps = observe(network, encode("A" * 94, "." * 94, 0.0))
    assert network.training, "left in the mode that it was in"
    assert [step.words for step in steps] == [
        "pairing matrix",
        "conv 9→8, 3×5, stride 2, pad 1×2",
        "GroupNorm, 4 groups",
        "ReLU",
        "3×3 max-pool, stride 2, pad 1",
        "dropout 0.3",
        "conv 8→8, 3×3, pad same, dilation 2, groups 2",
        "BatchNorm",
        "add",
        "silu",
        "3×3 average-pool, stride 1",
        "adaptive max-pool to 2×2",
        "flatten",
        "fully connected 32→256",
        "sigmoid",
        "fully connected 256→2",
        "softmax",
    ]
    assert [step.sources for step in steps] == [
        (), *((n,) for n in range(7)), (5, 7), *((n,) for n in range(8, 16))
    ]  # fmt: skip
    assert steps[1].shape == (60, 60, 8)


def test_shapes_are_those_that_the_modules_give() -> None:
    network = build(MODELS["fixed"], seed=0)
    assert isinstance(network, FixedNetwork)
    seen: list[tuple[int, ...]] = []
    for module in (network.conv1, network.norm1, network.conv2, network.norm2, network.conv3):
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape[1:])))
    predict(network, [encode("A" * 94, "." * 94, 0.0)], dense=True)
    expected, seen[:] = list(seen), []
    steps = observe(network, encode("A" * 94, "." * 94, 0.0))
    layers = [s for s in steps if s.kind in ("conv", "norm")]
    assert [(s.shape[2], *s.shape[:2]) for s in layers] == expected == seen


def test_the_figure_of_networks_has_every_step_and_its_size(tmp_path: Path) -> None:
    networks = {
        "A <b>": build(MODELS["variable"], seed=0),
        "B": build(MODELS["fixed"], seed=0),
        "C": Another(),
    }
    figure = draw_networks(networks, length=94)
    shown = texts(figure)
    for network in networks.values():
        for step in words(network):
            for part in step.split(" | "):
                assert part in shown
    assert sum("RNA of 94 nt" in text for text in shown) == 3
    assert overlaps(figure) == []
    assert clipped(figure) == []
    weights = re.sub(r"\D", "", next(t for t in shown if "94 nt" in t).split(";")[1])
    assert int(weights) == sum(p.numel() for p in networks["A <b>"].parameters())
    save(figure, tmp_path / "a.svg")
    save(draw_networks(networks, length=94), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_recurrent_network_is_left_out_of_the_networks() -> None:
    """It has a step for each base; a study of nothing else says so in place of a drawing."""
    both = texts(draw_models([MODELS["variable"], MODELS["deepmirgene"]]))
    assert "Variable-sized" in both
    assert "deepMiRGene" not in both
    assert both == texts(draw_models([MODELS["variable"]]))
    (alone,) = texts(draw_models([MODELS["deepmirgene"]]))
    assert "is not drawn" in alone

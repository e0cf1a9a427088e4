"""Draw molecules, their encodings and networks, always from the actual objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from mirpair.contracts import ALPHABET
from mirpair.files import InputError
from mirpair.pages.structures import (
    BASE_COLOUR,
    PAIR_COLOUR,
    canvas,
    draw_structure,
    energy,
    importance_colours,
    structure_page,
)
from mirpair.pages.style import GREY, in_style
from mirpair.rna.encoding import CHANNELS, dense, encode
from mirpair.rna.folding import Structure

if TYPE_CHECKING:
    from mirpair.networks.base import Network
    from mirpair.recipes import Model

_LINE = "#BBBBBB"
_MOST_CELLS = 60
_Point = tuple[float, float]


def _plane(
    axis: Axes,
    values: npt.NDArray[Any],
    corner: _Point,
    side: float,
    colour: str,
    name: str,
    *,
    grid: bool = True,
) -> None:
    """Draw the nonzero cells of an L × L plane, row 0 on top; `corner` is upper left, mm."""
    (x, y), length = corner, len(values)
    outline = [(x, y), (x + side, y), (x + side, y - side), (x, y - side)]
    axis.add_patch(Polygon(outline, fc="white", ec="none"))
    cell = side / length
    if grid:
        between = [cell * n for n in range(1, length)]
        lines = [[(x + d, y), (x + d, y - side)] for d in between]
        lines += [[(x, y - d), (x + side, y - d)] for d in between]
        axis.add_collection(LineCollection(lines, colors=_LINE, linewidths=0.4, zorder=1))
    squares = [
        [(left, top), (left + cell, top), (left + cell, top - cell), (left, top - cell)]
        for i, j in np.argwhere(values).tolist()
        for left, top in [(x + cell * j, y - cell * i)]
    ]
    # The cells of a long RNA are thinner than a printed line; their edges keep them visible.
    edges = "white" if grid else colour
    axis.add_collection(
        PolyCollection(squares, facecolors=colour, edgecolors=edges, linewidths=0.4, gid=name)
    )
    axis.add_patch(Polygon(outline, fill=False, ec=GREY, lw=0.7))


@in_style
def draw_encoding(sequence: str, structure: Structure) -> Figure:
    """Draw how a molecule becomes L × L × 9: panels A–F as in Figure 1 of Do et al. 2018.

    Parameters
    ----------
    sequence
        L bases, at most 60; the page grows with L, so that every letter stays readable.
    structure
        Result of `mirpair.rna.folding.fold`.

    Returns
    -------
    Figure
        180 mm wide for up to 10 bases. Every cell of panels C–F is a cell of `dense`.
    """
    length = len(sequence)
    if length > _MOST_CELLS:
        raise InputError(
            f"the RNA has {length} nt, but this figure draws every cell and takes at most "
            f"{_MOST_CELLS} nt; use draw_molecule for longer RNAs"
        )
    molecule = encode(sequence, *structure)
    tensor = dense(molecule)
    shape = f"{length} × {length} ×"
    # Sides of the planes of C and of D–F, mm, so that 7 pt letters beside them do not touch.
    large, small = max(46.0, 2.9 * length), max(25.0, 2.5 * length)
    aside, above = 0.12 * small, (small + 15) / 8  # from each plane of F to the next
    right = 22 + 4 * small  # where panels C and F begin
    below = 32 + 2 * small  # where panels D and F begin, from the bottom
    width = right + max(large, small + 8 * aside) + 9
    height = below + large + 12
    figure, axis = canvas(width, height)

    def write(x: float, y: float, text: str, size: float = 7, **how: Any) -> None:
        axis.text(x, y, text, size=size, **{"ha": "center", "va": "center_baseline", **how})

    def panel(letter: str, title: str, x: float, y: float) -> None:
        write(x, y, letter, 10, weight="bold", ha="left", va="baseline")
        write(x + 4.5, y, title, 8, ha="left", va="baseline")

    def rows_of(x: float, y: float, side: float) -> None:
        for i, base in enumerate(sequence):
            write(x - 1.7, y - side * (i + 0.5) / length, base)

    def columns_of(x: float, y: float, side: float) -> None:
        for j, base in enumerate(sequence):
            write(x + side * (j + 0.5) / length, y + 1.7, base)

    top = height - 5.5
    panel("A", "sequence, structure, energy", 3, top)
    pitch = min(4.2, 4 * small / 2.1 / length)
    for i, (base, symbol) in enumerate(zip(sequence, structure.dot_bracket, strict=True)):
        x = 8 + pitch * (i + 0.5)
        write(x, top - 11, base, 8)
        write(x, top - 16, symbol, 8)
        if i == 0 or (i + 1) % 5 == 0:
            write(x, top - 6.5, str(i + 1), color=GREY)
    write(8, top - 23, f"E = {energy(molecule.mfe)}", 8, ha="left")
    meanings = ("C: E where i pairs with j, else 0", "D, E: 1 where filled, else 0")
    for n, line in enumerate((*meanings, "i: row, j: column")):
        write(8, top - 31 - 4 * n, line, color=GREY, ha="left")

    middle = 8 + 4 * small / 2
    panel("B", "secondary structure", middle + 5, top)
    box = (middle + 5, below, right - middle - 12, top - 2 - below)
    draw_structure(axis, molecule, sequence, structure.dot_bracket, box)

    panel("C", f"pairing matrix, {shape} 1", right - 4, top)
    corner = (right + 1, height - 11)
    _plane(axis, tensor[:, :, 0], corner, large, PAIR_COLOUR, "C-0")
    rows_of(*corner, large)
    columns_of(*corner, large)
    for i, j in (np.argwhere(tensor[:, :, 0]) + 0.5).tolist():
        x, y = corner[0] + large * j / length, corner[1] - large * i / length
        write(x, y, "E", color="white")

    panel("D", f"vertical one-hot sequence, base i along row i: {shape} 4", 3, below - 4)
    panel("E", f"horizontal one-hot, base j down column j: {shape} 4", 3, below - small - 18)
    for n, base in enumerate(ALPHABET):
        x, colour = 8 + n * (small + 2.6), BASE_COLOUR[base]
        y = below - 10
        _plane(axis, tensor[:, :, 1 + n], (x, y), small, colour, f"D-{1 + n}")
        write(x + small / 2, y + 1.9, f"channel {1 + n}: {base}", color=GREY)
        y -= small + 17
        _plane(axis, tensor[:, :, 5 + n], (x, y), small, colour, f"E-{5 + n}")
        write(x + small / 2, y + 5, f"channel {5 + n}: {base}", color=GREY)
        columns_of(x, y, small)
    rows_of(8, below - 10, small)

    panel("F", f"C, D and E concatenated: {shape} 9", right - 4, below - 4)
    for n in reversed(range(CHANNELS)):
        x, y = right + 1 + n * aside, 5 + small + n * above
        base = ALPHABET[(n - 1) % 4]
        colour = BASE_COLOUR[base] if n else PAIR_COLOUR
        _plane(axis, tensor[:, :, n], (x, y), small, colour, f"F-{n}")
        write(x + small + 1, y - small + 1.2, f"{n}: {base if n else 'E'}", ha="left")
    return figure


@in_style
def draw_molecule(
    name: str, sequence: str, structure: Structure, label: int | None = None
) -> Figure:
    """Draw a molecule's secondary structure beside its pairing matrix, for any length.

    Parameters
    ----------
    name
        Its id, which becomes the title.
    sequence, structure
        L bases, and the result of `mirpair.rna.folding.fold`.
    label
        1 for a pre-miRNA, 0 for another RNA, None if it is not known.

    Returns
    -------
    Figure
        180 mm wide. A cell of the matrix is filled where channel 0 of `dense` is not 0.
    """
    molecule = encode(sequence, *structure)
    length, side = len(sequence), 98.0
    plane = dense(molecule)[:, :, 0]
    remark = {None: "", 0: ", not a pre-miRNA", 1: ", a pre-miRNA"}[label]
    figure, axis = structure_page(name, molecule, sequence, structure.dot_bracket, remark)
    x, y = 78.0, 104.0
    _plane(axis, plane, (x, y), side, PAIR_COLOUR, "pairs", grid=False)
    # Numbers overlap if they have less than 7 mm.
    tick = next(
        n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, length) if n * side >= 7 * length
    )
    for number in range(tick, length + 1, tick):
        at = side * (number - 0.5) / length
        axis.plot([x + at, x + at], [y, y + 1], color=GREY, lw=0.7)
        axis.plot([x - 1, x], [y - at, y - at], color=GREY, lw=0.7)
        axis.text(x + at, y + 2.8, str(number), size=7, ha="center", va="center_baseline")
        axis.text(x - 1.8, y - at, str(number), size=7, ha="right", va="center_baseline")
    below = f"pairing matrix: {energy(molecule.mfe)} where i pairs with j, else 0"
    axis.text(x, y - side - 3.5, below, size=7, va="center_baseline", color=GREY)
    return figure


@in_style
def draw_hairpins(
    hairpins: Sequence[tuple[str, str, str]], importance: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw several RNAs, each a name, a sequence and a structure (dot-bracket), five in a row.

    `importance` is that of the bases of some of them, by name; the others have the colours of the
    four bases.
    """
    wide, tall, each = 36.0, 92.0, 5
    rows = -(-len(hairpins) // each)
    figure, axis = canvas(wide * each, tall * rows)
    for number, (name, sequence, structure) in enumerate(hairpins):
        row, column = divmod(number, each)
        left, bottom = column * wide, (rows - 1 - row) * tall
        axis.text(left + 3, bottom + tall - 6, name, size=10, weight="bold")
        molecule = encode(sequence, structure, 0.0)
        box = (left + 1, bottom + 1, wide - 2, tall - 10)
        colours = importance_colours(importance[name]) if name in importance else None
        draw_structure(axis, molecule, sequence, structure, box, colours=colours)
    return figure


_TINTS = {
    "image": "#FFFFFF",
    "conv": "#BFDDF0",
    "dense": "#F5D2BC",
    "pool": "#C7E8DD",
    "norm": "#F3E3EC",
    "curve": "#FBF7CF",
    "other": "#EEEEEE",
}


@in_style
def draw_networks(networks: Mapping[str, Network], *, length: int = 94) -> Figure:
    """Draw the layers of networks as in Figure 2 of Do et al. 2018, with their output sizes.

    Parameters
    ----------
    networks
        Heading of each column to its network.
    length
        Length of the RNA for which sizes are shown, nt.

    Returns
    -------
    Figure
        At least 90 mm wide for each network; the layers come from
        `mirpair.networks.layers.observe`.
    """
    from mirpair.networks.layers import observe

    molecule = encode("A" * length, "." * length, 0.0)
    columns = {label: observe(network, molecule) for label, network in networks.items()}
    longest = max(len(step.words) for steps in columns.values() for step in steps)
    box, tall, pitch = max(46.0, 1.55 * longest), 5.6, 8.6
    column = max(90.0, box + 38)
    most = max(len(steps) for steps in columns.values())
    height = 22 + pitch * most
    figure, axis = canvas(column * len(columns), height)
    for n, (label, steps) in enumerate(columns.items()):
        left, top = n * column + 12, height - 19
        axis.text(left, height - 7, label, size=10, weight="bold")
        weights = sum(p.numel() for p in networks[label].parameters())
        size = f"for an RNA of {length} nt; {weights:,} weights".replace(",", "\N{THIN SPACE}")
        axis.text(left, height - 12, size, size=8, color=GREY)
        taken: list[tuple[float, float, float]] = []
        for place, step in enumerate(steps):
            y = top - pitch * place
            axis.add_patch(
                FancyBboxPatch(
                    (left + 0.8, y - tall / 2 + 0.8), box - 1.6, tall - 1.6,
                    boxstyle="round,pad=0.8", fc=_TINTS[step.kind], ec=GREY, lw=0.7,
                )
            )  # fmt: skip
            axis.text(left + box / 2, y, step.words, size=7.5, ha="center", va="center_baseline")
            size = " × ".join(str(n) for n in step.shape)
            axis.text(left + box + 2.5, y, size, size=7.5, va="center_baseline")
            for source in step.sources:
                _arrow(axis, left, box, tall, y, pitch * (place - source), pitch, taken)
    return figure


def draw_models(models: Sequence[Model]) -> Figure:
    """Draw untrained networks by their descriptions, except recurrent ones: `draw_networks`."""
    from mirpair.networks.build import build

    networks = {model.label: build(model, seed=0) for model in models}
    drawn = {label: it for label, it in networks.items() if not it.is_recurrent}
    if drawn:
        return draw_networks(drawn)
    figure, axis = canvas(90.0, 12.0)
    axis.text(4, 6, "a recurrent network is not drawn: see docs/method.md", size=8, color=GREY)
    return figure


def _arrow(
    axis: Axes,
    left: float,
    box: float,
    tall: float,
    y: float,
    back: float,
    pitch: float,
    taken: list[tuple[float, float, float]],
) -> None:
    """Draw an arrow to the box at height `y` from the box `back` mm above, past those between.

    `taken` has x, bottom and top of the arrows beside the boxes; this one is added.
    """
    style = {"arrowstyle": "-|>", "color": GREY, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    style["mutation_scale"] = 6
    if back <= pitch:
        x = left + box / 2
        axis.annotate("", (x, y + tall / 2), (x, y + back - tall / 2), arrowprops=style)
        return
    # A longer arrow runs further aside, so that two arrows do not meet.
    x = left - min(10.0, 2 + 0.5 * back / pitch)
    while any(abs(x - other) < 1 and y < high and low < y + back for other, low, high in taken):
        x -= 1
    taken.append((x, y, y + back))
    axis.plot([left, x, x], [y + back, y + back, y], color=GREY, lw=0.8)
    axis.annotate("", (left, y), (x, y), arrowprops=style)

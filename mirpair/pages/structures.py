"""Draw the secondary structure of an RNA, alone or with the importance of its bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from mirpair.contracts import ALPHABET
from mirpair.pages.style import BLUE, GREY, ORANGE, SKY, in_style
from mirpair.rna.encoding import Molecule, encode
from mirpair.rna.folding import Structure, layout

# The four of Okabe and Ito's colours that colour-blind readers distinguish best.
BASE_COLOUR = dict(zip(ALPHABET, ("#F0E442", BLUE, ORANGE, SKY), strict=True))
_LETTER_COLOUR = dict(zip(ALPHABET, ("black", "white", "black", "black"), strict=True))
PAIR_COLOUR = "#333333"
# Maximum distance of neighbours in a structure, mm.
_FARTHEST = 6.5


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Make an empty figure whose coordinates are millimetres from its lower left corner."""
    figure = Figure(figsize=(width / 25.4, height / 25.4))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(0, height))
    axis.set_axis_off()
    return figure, axis


def energy(mfe: float) -> str:
    return f"{mfe:.2f}".replace("-", "−") + " kcal/mol"


def draw_structure(
    axis: Axes,
    molecule: Molecule,
    sequence: str,
    dot_bracket: str,
    box: tuple[float, float, float, float],
    *,
    every: int = 0,
    colours: Sequence[tuple[Any, str]] | None = None,
) -> None:
    """Draw the secondary structure inside `box` (left, bottom, width, height; mm).

    Every `every`-th base is numbered; 0 numbers none. `colours` are those of each base and of its
    letter; by default, of the four bases.
    """
    # Room for the marks at the ends and the numbers outside.
    places, step = _fitted(layout(dot_bracket), np.array(box[2:]) - 9)
    places = places + np.array(box[:2]) + np.array(box[2:]) / 2

    paired = [(i, j) for i, j in enumerate(molecule.partner.tolist()) if i < j]
    ladder = [places[[i, j]].tolist() for i, j in paired]
    axis.add_collection(
        LineCollection(ladder, colors=PAIR_COLOUR, linewidths=0.35 * step + 0.3, zorder=1.1)
    )
    axis.plot(*places.T, color=GREY, lw=0.25 * step + 0.4, zorder=1)
    radius = 0.4 * step
    discs = [Circle((x, y), radius) for x, y in places.tolist()]
    colours = colours or [(BASE_COLOUR[base], _LETTER_COLOUR[base]) for base in sequence]
    axis.add_collection(
        PatchCollection(
            discs,
            facecolors=[it for it, _ in colours],
            edgecolors=GREY,
            linewidths=0.06 * step,
            zorder=1.2,
        )
    )
    points = 1.75 * step
    if points >= 3:
        for (x, y), base, (_, letter) in zip(places.tolist(), sequence, colours, strict=True):
            axis.text(
                x, y, base, color=letter, size=min(points, 9), ha="center",
                va="center_baseline",
            )  # fmt: skip

    # The layout runs clockwise, so the outside is on the left on the way from 5′ to 3′.
    way = np.gradient(places, axis=0) if len(places) > 1 else np.array([[0.0, 1.0]])
    outside = _unit(np.column_stack([-way[:, 1], way[:, 0]]))
    taken = places
    for mark, end, beside in (("5′", 0, 1), ("3′", -1, -2)):
        back = _unit(places[end] - places[beside % len(places)])
        taken = _mark(axis, mark, places[end], [back, back + outside[end]], radius, taken)
    for number in range(every, len(places), every) if every else ():
        out = outside[number - 1]
        along = np.array([out[1], -out[0]])
        directions = [out, out + along / 2, out - along / 2]
        taken = _mark(axis, str(number), places[number - 1], directions, radius, taken)


def _fitted(
    places: npt.NDArray[np.float64], room: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float]:
    """Scale and turn places around (0, 0) to fill the room; return them and the scale."""
    ways = []
    for angle in sorted(range(-90, 91, 5), key=abs):
        sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        turned = places @ np.array([[cosine, sine], [-sine, cosine]])
        low, high = turned.min(axis=0), turned.max(axis=0)
        step = min(_FARTHEST, *(room / np.maximum(high - low, 1e-9)))
        ways.append(((turned - (low + high) / 2) * step, step))
    best = max(ways, key=lambda way: way[1])
    # Turn only if that makes it clearly larger, as for a long hairpin with a bend.
    return best if best[1] > 1.25 * ways[0][1] else ways[0]


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    norm: npt.NDArray[np.float64] = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norm, 1e-9)


def _mark(
    axis: Axes,
    text: str,
    place: npt.NDArray[np.float64],
    directions: Sequence[npt.NDArray[np.float64]],
    radius: float,
    taken: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Write `text` beside the base at `place` in free space; return all occupied places, (n, 2).

    A number without room is left out; an end is always marked.
    """
    half = np.array([0.95 * len(text), 1.0])  # of 7 pt, mm
    for far in (0.8, 1.6, 3.2):
        for direction in _unit(np.array(directions)):
            gap = np.abs(half * direction).sum()
            target = place + direction * (radius + far + gap)
            if (np.abs(taken - target) - half > radius).any(axis=1).all():
                break
        else:
            continue
        break
    else:
        if text.isdigit():
            return taken
    if text.isdigit():
        line = np.array([place, target - direction * gap])
        axis.plot(*line.T, color=GREY, lw=0.5, zorder=0.5)
    axis.text(target[0], target[1], text, size=7, ha="center", va="center_baseline")
    corners = half * [(x, y) for x in (-1, -0.3, 0.3, 1) for y in (-1, 0, 1)]
    return np.vstack([taken, target + corners])


def printable_name(name: str) -> str:
    """Shorten a name, and replace what a font cannot draw or what would break an SVG."""
    shown = "".join(
        symbol if symbol.isprintable() else "\N{REPLACEMENT CHARACTER}" for symbol in name
    )
    return shown if len(shown) <= 44 else shown[:43] + "…"


def structure_page(
    name: str,
    molecule: Molecule,
    sequence: str,
    dot_bracket: str,
    remark: str = "",
    colours: Sequence[tuple[Any, str]] | None = None,
    width: float = 180,
) -> tuple[Figure, Axes]:
    """Start a page of `width` x 122 mm: name, length and energy, and the structure on the left.

    `remark` follows the energy; `colours` are those of `draw_structure`.
    """
    figure, axis = canvas(width, 122)
    length = len(sequence)
    axis.text(3, 115.5, printable_name(name), size=10, weight="bold")
    axis.text(3, 110, f"{length} nt, {energy(molecule.mfe)}{remark}", size=8)
    every, box = 10 if length <= 120 else 20, (1, 2, 66, 105)
    draw_structure(axis, molecule, sequence, dot_bracket, box, every=every, colours=colours)
    return figure, axis


def importance_colours(bases: Sequence[float]) -> list[tuple[Any, str]]:
    """Choose the colours of bases by their importance, (L,), and of their letters.

    The most important one is orange; from 0 down, bases are white.
    """
    values = np.nan_to_num(np.asarray(bases, dtype=np.float64))
    shades = np.clip(values / max(float(values.max()), 1e-9), 0, 1)
    return [
        (tuple(1 - shade * (1 - it) for it in to_rgb(ORANGE)), "white" if shade > 0.6 else "black")
        for shade in shades.tolist()
    ]


@in_style
def draw_alone(name: str, sequence: str, structure: Structure) -> Figure:
    """Draw the structure of an RNA of L bases, 80 mm wide."""
    molecule = encode(sequence, *structure)
    return structure_page(name, molecule, sequence, structure.dot_bracket, width=80)[0]


@in_style
def draw_importance(
    name: str, sequence: str, structure: Structure, bases: Sequence[float], pairs: Sequence[float]
) -> Figure:
    """Draw what each base and pair contributes to a score, on the structure and along the RNA.

    Parameters
    ----------
    name
        Its id, which becomes the title.
    sequence, structure
        L bases, and the result of `mirpair.rna.folding.fold`.
    bases, pairs
        (L,) each: importance of a base and of its pair, see
        `mirpair.prediction.importance.Importance`; NaN of a base without pair.

    Returns
    -------
    Figure
        180 mm wide. Bases are darker the more the score loses with another base; below 0 is white.
    """
    molecule, length = encode(sequence, *structure), len(sequence)
    values = np.nan_to_num(np.asarray(bases, dtype=np.float64))
    colours = importance_colours(bases)
    figure, _ = structure_page(name, molecule, sequence, structure.dot_bracket, colours=colours)
    places = np.arange(1, length + 1)
    of_bases = figure.add_axes((0.47, 0.57, 0.5, 0.33))
    of_pairs = figure.add_axes((0.47, 0.13, 0.5, 0.33))
    panels = (
        (of_bases, values, "another base: loss of log-odds, mean of three"),
        (of_pairs, np.asarray(pairs, dtype=np.float64), "the pair turned around: loss of log-odds"),
    )
    for panel, heights, title in panels:
        panel.bar(places, heights, width=1, color=ORANGE)
        panel.axhline(0, color=GREY, lw=0.7)
        panel.set_xlim(0.5, length + 0.5)
        panel.set_title(title, loc="left", fontsize=8)
        panel.tick_params(labelsize=7)
    of_pairs.set_xlabel("position", fontsize=8)
    return figure

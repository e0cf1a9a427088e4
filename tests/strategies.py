"""Hypothesis strategies that several files of tests share."""

from __future__ import annotations

import hypothesis.strategies as st


@st.composite
def structures(draw: st.DrawFn) -> str:
    """Random nested dot-bracket strings, often with several loops."""
    symbols: list[str] = []
    depth = 0
    for step in draw(st.lists(st.sampled_from("((.))"), min_size=1, max_size=80)):
        if step == ")" and depth == 0:
            continue
        depth += {"(": 1, ".": 0, ")": -1}[step]
        symbols.append(step)
    return "".join(symbols) + ")" * depth or "."

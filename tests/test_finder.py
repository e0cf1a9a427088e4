"""The study of the shipped network, and that of the benchmark: what trains evaluates nothing."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import pytest
import yaml
from conftest import ROOT

from mirpair.identification.experiments import read_family_names
from mirpair.sources.collections import family_of
from mirpair.sources.genome_hairpins import Search
from mirpair.sources.published import read_sources
from mirpair.study.identification import Study
from mirpair.study.load import load_study
from mirpair.study.splits import FamiliesHeldOut

CONFIG = ROOT / "config"
# Sequences, as their files name and describe them.
HEADERS = {
    "fly/dm3-upstream-2000.fa.gz": [
        f"NM_078863_up_2000_chr{arm}_1_f chr{arm}:1-2000"
        for arm in ("2L", "2R", "3L", "3R", "4", "X", "YHet")
    ],
    "yeast/fungus.fna": [f"gi|{n}|gb|BK0069.2|" for n in (329138966, 329138979, 329136692)],
    "plasmodium/falciparum.fa.gz": [f"MAL{n}" for n in range(1, 15)],
    "human-22/refseq-transcripts.fa": [
        f"gi|1|ref|NM_0014{digit}.2| Homo sapiens homolog (yeast) ({letter}C25), variant 1, mRNA"
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for digit in (2, 7)
    ],
    "arabidopsis/chromosome-1-cds.fna.gz": [
        f"lcl|NC_003070.9_cds_NP_171609.1_{number} [gene=NAC001]"
        for number in (1, 7, 70, 800, 2999, 6999, 7000, 7999, 8000, 9999, 10000, 12653)
    ],
}


def study_of(*names: str) -> Study:
    config: dict[str, object] = {}
    for name in names:
        config |= yaml.safe_load((CONFIG / name).read_text(encoding="utf-8"))
    study = load_study(config)
    assert isinstance(study, Study)
    return study


@pytest.fixture(scope="module")
def finder() -> Study:
    return study_of("finder.yaml")


def test_every_file_has_its_source(finder: Study) -> None:
    sources = read_sources(CONFIG / "sources.tsv")
    named = {ref for ref in finder.source_refs() if not ref.startswith("config/")}
    assert named <= set(sources)


def search_of(finder: Study, ref: str) -> tuple[str, Search]:
    """File of a collection, and what of it is searched; pairs of repeats name regions only."""
    how = finder.collections[ref].params()
    by_default = {"only": [], "without": [], "sample": None, "away": 0}
    return how["file"], Search.described(by_default | how, None)


def roles(finder: Study, name: str) -> dict[str, str]:
    """Role of each collection that has one, of a split of families."""
    experiment = finder.experiments[name]
    assert isinstance(experiment, FamiliesHeldOut)
    reserved = experiment.reserved()
    of_set = set(finder.datasets[experiment.dataset].negatives)
    named = [ref for refs in reserved.values() for ref in refs]
    assert set(named) <= of_set
    assert len(named) == len(set(named))
    return {ref: role for role, refs in reserved.items() for ref in refs}


@pytest.mark.parametrize("name", ["families", "plant-families", "some-families"])
def test_no_part_of_a_genome_has_two_roles(finder: Study, name: str) -> None:
    by_file = defaultdict(list)
    for ref, role in roles(finder, name).items():
        path, search = search_of(finder, ref)
        by_file[path].append((role, search))
    compared = 0
    for path, searches in by_file.items():
        for (role, one), (other_role, other) in combinations(searches, 2):
            if role == other_role:
                continue
            compared += 1
            if one.regions and other.regions:
                for a in one.regions:
                    for b in other.regions:
                        assert a.name != b.name or a.end <= b.start or b.end <= a.start, (a, b)
            elif one.regions or other.regions:
                names = {region.name for region in (*one.regions, *other.regions)}
                assert not any(one.includes(it) and other.includes(it) for it in names)
            else:
                headers = HEADERS[path]
                for search in (one, other):
                    assert any(search.includes(it.split()[0], it) for it in headers), search
                for header in headers:
                    name = header.split()[0]
                    both = one.includes(name, header) and other.includes(name, header)
                    assert not both, (path, header)
    assert compared


def test_what_evaluates_against_the_peer_trains_nothing(finder: Study) -> None:
    """X:47–49 Mb is in the peers' table, E. coli from 3.0 to 3.5 Mb, and others."""
    held = {
        "human-x/hg19-first-70-mb.fa.gz": ("X", 47_000_000, 49_000_000),
        "ecoli/bacteria.fna": ("E.coli", 3_000_000, 3_500_000),
    }
    for ref, role in roles(finder, "families").items():
        path, search = search_of(finder, ref)
        if role == "evaluate" or path not in held:
            continue
        name, start, end = held[path]
        for region in search.regions:
            assert region.name != name or region.end <= start or end <= region.start, ref


def test_relatives_are_held_out_together() -> None:
    """Families are named by number in miRBase; mir-93 is a relative of mir-17."""
    held = set(read_family_names(CONFIG / "finder" / "held-out-families.txt"))
    for related in (
        ["mir-17", "mir-18a", "mir-20a", "mir-93", "mir-106b"],
        ["mir-15a", "mir-16", "mir-195"],
        ["mir-25", "mir-92a", "mir-363"],
        ["mir-515", "mir-516a", "mir-519d", "mir-520f", "mir-527"],
        ["mir-30a", "mir-30e"],
        ["mir-9", "mir-9-2"],
    ):
        assert len({family_of(f"hsa-{it}") in held for it in related}) == 1, related
    plants = set(read_family_names(CONFIG / "finder" / "held-out-plant-families.txt"))
    for related in (["MIR165a", "MIR166a"], ["MIR159a", "MIR319a"]):
        assert len({family_of(f"ath-{it}") in plants for it in related}) == 1, related


def test_the_networks_that_ship_are_trained_on_all_experiments_of_the_paper() -> None:
    study = study_of("config.yaml", "benchmark.yaml")
    paper = study_of("config.yaml")
    runs = study.plan()
    shipped = study_of("finder.yaml").shipped
    assert shipped is not None
    assert {study.models[run.model].base for run in runs} == {it.model for it in shipped.networks}
    assert {run.experiment for run in runs} == {run.experiment for run in paper.plan()}
    experiments = {run.experiment for run in runs}
    assert len(runs) == 2 * 3 * len(experiments) == 78
    # The rows of all tables of results have their average.
    for group in study.fold_counts():
        (average,) = study.averages_on(group).values()
        assert average == study.runs_on(group)
    assert study.study == "benchmark"

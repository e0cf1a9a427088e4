"""Compute a study's files, runs and params for the workflow from its checked config.

Nothing here knows Snakemake. ``<raw>`` and ``<results>`` in a path are the folders of downloads and
of the study's results, which the workflow fills in.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mirpair.contracts import USUAL_BASELINES, read_published_counts, read_published_results
from mirpair.files import InputError, sha256
from mirpair.recipes import FAMILY_MODELS
from mirpair.sources.live import canonical, is_remote, raw_name, read_lock
from mirpair.sources.published import Source, read_sources
from mirpair.study.base import Run
from mirpair.study.families import FamilyStudy
from mirpair.study.identification import Study
from mirpair.study.saved_results import (
    OF_RUN,
    OF_WATCHED,
    check_baselines,
    check_data,
    reusable_runs,
)
from mirpair.study.tables import Counts, Kinds, Results

# Files of the sources table that are shipped with weights, whatever a study is made of.
FOR_SHIPPING = ("mirbase-22/hairpins.csv",)
# Collections of hairpins that were searched in so many bases.
GENOME_HAIRPINS = "genome-hairpins"
# CPU time of an epoch in units of the variable-sized network's, measured on the paper's sets.
_COSTS = {"fixed": 1.4}
Resolve = Callable[[str], str]


def resolve(path: str, home: Path) -> str:
    """Return the path of a config's file: relative to the working folder, or else to `home`."""
    at_home = home / path
    return os.path.relpath(at_home) if at_home.exists() and not Path(path).exists() else path


def existing(path: str, home: Path, *, key: str, or_else: str = "", folder: bool = False) -> str:
    """Return the path of a config's file, or of its `folder`, as `resolve` does.

    If there is none, it is an `InputError`, which names the key of the config, the folders that
    were searched, and another remedy (`or_else`).
    """
    found = resolve(path, home)
    if Path(found).is_dir() if folder else Path(found).exists():
        return found
    raise InputError(
        f"{key}: {path}: no such {'folder' if folder else 'file'}; correct `{key}` in the config"
        + or_else
        + searched(path, home)
    )


def searched(path: str, home: Path) -> str:
    """Say where `resolve` searched a path, as the end of a message."""
    if path.startswith("~"):
        return ". `~` is not expanded: write the complete path."
    if Path(path).is_absolute():
        return "."
    here = Path.cwd()
    at_home = (
        "" if here.samefile(home) else f", or else from {home.resolve()}, the clone of mirpair"
    )
    return (
        f". A relative path counts from {here}, the folder where Snakemake works (that of "
        f"--directory, if it is given){at_home}."
    )


def check_writable(folder: str | Path) -> None:
    """Raise an InputError if results cannot be written to a folder, which need not exist yet."""
    existing = next(it for it in Path(folder, "_").absolute().parents if it.exists())
    if not os.access(existing, os.W_OK):
        raise InputError(
            f"{existing}: this folder cannot be written, and results go there: make it writable "
            "(is the disk mounted read-only?), or run Snakemake in another folder: --directory"
        )


def study_sources(default: str | Path, own: str | None) -> dict[str, Source]:
    """Read the table of published files: the default one, or a study's own."""
    sources = read_sources(default)
    if own is None:
        return sources
    return {name: sources[name] for name in FOR_SHIPPING if name in sources} | read_sources(own)


def citations(sources: Mapping[str, Source], refs: Iterable[str]) -> list[str]:
    """List whom to cite for files of the sources table, and their licences, each once."""
    refs = list(refs)
    named = [sources[ref] for ref in refs if ref in sources]
    own = ["files of the study's own"] * any(ref not in sources for ref in refs)
    return own + list(dict.fromkeys(f"{s.citation}; licence: {s.licence}" for s in named))


@dataclass(frozen=True)
class SourceFiles:
    """The files that a config names, and where the workflow has them.

    Attributes
    ----------
    home
        Folder of the workflow, where a relative path is searched second.
    sources, collections
        The table of published files, and the names of the study's collections.
    live
        Name below ``<raw>`` to the live source that is downloaded there.
    """

    home: Path
    sources: Mapping[str, Source]
    collections: Collection[str]
    live: Mapping[str, str]

    def path_of(self, ref: str, *, may_be_made: bool = False, where: str = "") -> str:
        """Return the file that a config names: collected, downloaded, or the user's own.

        `ref` is a collection, a name of the sources table, a URL or a path; an `InputError` if
        there is no such file, which says where it is named, if not in the config. A path may be
        missing if another workflow has a rule that makes it (`may_be_made`).
        """
        if ref in self.collections:
            return f"<results>/collections/{ref}.fa"
        name = raw_name(ref) if is_remote(ref) else ref
        if name in self.sources or name in self.live:
            return f"<raw>/{name}"
        path = resolve(ref, self.home)
        if may_be_made or Path(path).is_file():
            return path
        close = difflib.get_close_matches(ref, [*self.collections, *self.sources], n=1)
        raise InputError(
            (f"{where}: " if where else "")
            + f"{ref}: no such file, and no such name in the sources table"
            + (" or in `collections`" if self.collections else "")
            + (f" (did you mean {close[0]}?)" if close else "")
            + f": correct it{'' if where else ' in the config'}"
            + searched(ref, self.home)
        )


def training_params(study: Study | FamilyStudy, run: Run) -> dict[str, dict[str, Any]]:
    """Return what a run trains and how, in every detail, as params of a script."""
    model, recipe = study.training(run.experiment, run.model, run.recipe)
    return {"model": asdict(model), "recipe": asdict(replace(recipe, epochs=run.epochs))}


def cost(study: Study | FamilyStudy, run: Run, *, watch: int = 0) -> int:
    """Estimate the time of a training, in epochs of the variable-sized network.

    The longest trainings start first: one that starts last would run alone, while other cores wait.
    The number of records, which is not known yet, does not count.

    Parameters
    ----------
    watch
        Epochs of a training that goes on after those of its result.
    """
    model, _ = study.training(run.experiment, run.model, run.recipe)
    return round(max(run.epochs, watch) * _COSTS.get(model.architecture, 1))


def check_published_tables(study: Study, resolve: Resolve) -> None:
    """Raise an InputError if a file with published rows that a table names is not valid."""
    for results in study.tables_of(Results).values():
        if results.published:
            read_published_results(resolve(results.published), results.rows)
    for counts in study.tables_of(Counts).values():
        if counts.published:
            read_published_counts(resolve(counts.published))


def described_runs(
    study: Study, runs: Iterable[Run], *, beside_published: bool = False
) -> list[dict[str, Any]]:
    """Describe runs as params of a script that makes tables or figures.

    Beside published rows, a network has the name of its published row.

    Returns
    -------
    list
        For each run its fields, group and number of its fold, label (name of the method),
        published (name of the published row that it reproduces; empty if none is shown), usual
        (epochs of its recipe), and trainings (1, see `described_averages`).
    """
    folds, rows = study.folds(), []
    for run in runs:
        method = study.method(run.model, run.recipe)
        rows.append(
            {
                **asdict(run),
                **folds[run.experiment]._asdict(),
                "label": method.label_beside_published if beside_published else method.label,
                "published": method.reproduces if beside_published else "",
                "usual": study.training(run.experiment, run.model, run.recipe)[1].epochs,
                "trainings": 1,
            }
        )
    return rows


def described_averages(study: Study, groups: Iterable[str]) -> list[dict[str, Any]]:
    """Describe the averages on some experiments as params of a script, beside `described_runs`.

    Returns
    -------
    list
        For each average on an experiment: group; model (name of the average), recipe and seed (0);
        epochs and usual, of the training with the smallest part of its recipe's epochs; label;
        published (empty); models, which are averaged; and trainings, their number on a fold.
    """
    rows = []
    for group in groups:
        for name, members in study.averages_on(group).items():
            usual = {
                it: study.training(it.experiment, it.model, it.recipe)[1].epochs for it in members
            }
            least = min(members, key=lambda it: it.epochs / usual[it])
            of_fold = [it for it in members if it.experiment == members[0].experiment]
            rows.append(
                {
                    "group": group,
                    "model": name,
                    "recipe": least.recipe,
                    "epochs": least.epochs,
                    "seed": 0,
                    "label": study.averages[name].label,
                    "published": "",
                    "usual": usual[least],
                    "models": study.averages[name].models,
                    "trainings": len(of_fold),
                }
            )
    return rows


def evaluated_runs(study: Study, group: str) -> list[dict[str, Any]]:
    """Describe the runs on an experiment as params of the script that evaluates them together."""
    folds, keys = study.folds(), ("model", "recipe", "seed", "epochs")
    return [
        {**{key: getattr(run, key) for key in keys}, "number": folds[run.experiment].number}
        for run in study.runs_on(group)
    ]


def drawn_networks(study: Study) -> list[dict[str, Any]]:
    """List one network of each layout that is trained, as the paper's Figure 2 shows them."""
    trained = [(run, training_params(study, run)["model"]) for run in study.plan()]
    drawn: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run, model in sorted(trained, key=lambda item: not item[1]["pairing"]):
        layout = (model["architecture"], model["order"], model["pooling"])
        in_paper = model["order"] == "figure-2"
        label = model["label"] if in_paper else study.method(run.model, run.recipe).label
        drawn.setdefault(layout, {**model, "label": label})
    return list(drawn.values())


def curves_of_kinds(study: Study) -> dict[str, dict[str, str]]:
    """Map each table of kinds to its curves, by caption file, and to their headings.

    Calls a megabase are known only of hairpins of genomes.
    """
    curves: dict[str, dict[str, str]] = {}
    for name, table in study.tables_of(Kinds).items():
        labelled = study.datasets[study.sets_of(table.experiment)[-1]]
        searched = {
            ref
            for _, negatives in table.rows
            for ref in table.negatives[negatives].collections or labelled.negatives
            if ref in study.collections and study.collections[ref].source == GENOME_HAIRPINS
        }
        curves[name] = {
            "precision-recall": "Precision and recall",
            **({"calls": "Recall against calls a megabase"} if searched else {}),
            "reliability": "Reliability",
        }
    return curves


def figures_of_report(study: Study, *, has_figure3: bool) -> dict[str, tuple[str, str]]:
    """Map figures of the report that belong to no table to heading and caption file, in order."""
    of_kinds = {
        f"kinds/{name}/{curve}": (f"{heading}: {study.tables[name].title}", f"kinds-{curve}")
        for name, curves in curves_of_kinds(study).items()
        for curve, heading in curves.items()
    }
    of_groups = {"predictions": "Predictions", "histories": "Training histories"}
    return {
        "figure1": ("The encoding (Figure 1 of the paper)", "figure1"),
        "figure2": ("The networks (Figure 2)", "figure2"),
        **({"figure3": ("Beyond the last epoch (Figure 3)", "figure3")} if has_figure3 else {}),
        "figure4": ("Lengths (Figure 4)", "figure4"),
        **of_kinds,
        **{
            f"{kind}/{group}": (f"{heading} of {group}", kind)
            for kind, heading in of_groups.items()
            for group in study.trained()
        },
        "resources": ("Run time and memory", "resources"),
    }


def benchmark_files(study: Study, pieces: Sequence[str]) -> dict[str, list[str]]:
    """List the benchmark files of all jobs from folding to evaluation, by rule; below <results>.

    A set is folded in `pieces`.
    """
    sets, folds, runs = study.datasets, study.folds(), study.plan()
    names = {"fold": [f"benchmarks/fold/{it}/{piece}.tsv" for piece in pieces for it in sets]}
    for rule in ("records", "structures", "features", "encode"):
        names[rule] = [f"benchmarks/{rule}/{dataset}.tsv" for dataset in sets]
    names["folds"] = [f"benchmarks/folds/{group}.tsv" for group in study.drawn()]
    for rule in ("experiments", "audit", "baselines"):
        names[rule] = [f"benchmarks/{rule}/{fold}.tsv" for fold in folds]
    names["train"] = [f"runs/{run.folder}/benchmark.tsv" for run in runs]
    names["evaluate"] = [f"benchmarks/evaluate/{run.folder}.tsv" for run in runs]
    names["evaluate_group"] = [f"benchmarks/evaluate_group/{it}.tsv" for it in study.trained()]
    return names


def expected_provenance(study: Study, runs: Iterable[Run], kind: str) -> dict[str, dict[str, Any]]:
    """Map the folder of each run below <results> to what its provenance says of the training."""
    return {
        f"{kind}/{run.folder}": {"run": asdict(run), **training_params(study, run)} for run in runs
    }


def data_files(study: Study) -> list[str]:
    """List the saved files that describe a study's records, below <results>, compressed."""
    described = ("features.tsv.gz", "summary.json")
    audited = ("records.tsv.gz", "shortcuts.tsv")
    return [
        *(f"datasets/{name}/{file}" for name in study.datasets for file in described),
        *(f"audit/{name}/{file}" for name in study.folds() for file in audited),
        *(f"baselines/{name}.tsv.gz" for name in study.folds()),
    ]


def data_of(study: Study, checksums: Mapping[str, str]) -> dict[str, Any]:
    """Return what decides the data of a study: what saved results must have been made from."""
    sections = study.model_dump(mode="json")
    # Values that change no record's role.
    without_effect = [("identity", None), ("copies", "keep"), ("copies", "refuse")]
    experiments = {
        name: dict(item for item in split.items() if item not in without_effect)
        for name, split in sections["experiments"].items()
    }
    # A key that was added later, and is left out, must be no difference from what was saved before.
    datasets = {
        name: {key: value for key, value in dataset.items() if value is not None}
        for name, dataset in sections["datasets"].items()
    }
    data: dict[str, Any] = {"datasets": datasets, "experiments": experiments}
    data["audit"] = sections["audit"]
    if study.baselines != list(USUAL_BASELINES):
        data["baselines"] = study.baselines
    if study.collections:
        data["collections"] = {name: it.params() for name, it in study.collections.items()}
    return {**data, "sha256": checksums}


def checksums(
    refs: Iterable[str], sources: Mapping[str, Source], lock: str, resolve: Resolve
) -> dict[str, str]:
    """Return the SHA-256 of files that a config names, where it is known.

    That of a live source is in the file `lock`; `resolve` returns the path of a user's own file.
    """
    known, locked = {}, read_lock(lock)
    for ref in sorted(set(refs)):
        if ref in sources:
            known[ref] = sources[ref].sha256
        elif is_remote(ref):
            if row := locked.get(canonical(ref)):
                known[ref] = row.sha256
        elif Path(resolve(ref)).is_file():
            known[ref] = sha256(resolve(ref))
    return known


@dataclass(frozen=True)
class SavedResults:
    """The saved results of a folder that a study reuses.

    Attributes
    ----------
    folder, data
        Folder with saved results, None if the study reuses none; what they must have been made
        from.
    runs, watched
        Folders below <results> of the trainings that are reused, and of those of Figure 3.
    files
        File below <results> to the saved file that it is restored from.
    describes
        Whether the folder has all that describes the records.
    """

    folder: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    runs: Sequence[str] = ()
    watched: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    describes: bool = False


def saved_results(
    study: Study, folder: str, results: str, checksums: Mapping[str, str]
) -> SavedResults:
    """Find the saved results that a study reuses; see `check_data` and `reusable_runs` for errors.

    A training whose weights are in the study's own folder `results` is never replaced.
    """
    data, of_data = data_of(study, checksums), data_files(study)
    if not check_data(folder, data, of_data):
        return SavedResults(folder, data)
    planned = expected_provenance(study, study.plan(), "runs")
    epochs = study.figure3.epochs if study.figure3 else None
    of_figure3 = expected_provenance(study, study.watched(), "watched")
    saved = reusable_runs(folder, planned)
    saved_watched = reusable_runs(folder, of_figure3, OF_WATCHED, epochs=epochs)
    runs, watched = (
        [name for name in names if not Path(results, name, "weights.safetensors").exists()]
        for names in (saved, saved_watched)
    )
    describes = check_baselines(folder, data)
    files = [f"{name}/{file}" for name in runs for file in OF_RUN]
    files += [f"{name}/{file}" for name in watched for file in OF_WATCHED]
    # A study that trains anything makes the records, and so all that describes them.
    files += of_data if describes and len(runs) == len(planned) else []
    restored = {name.removesuffix(".gz"): f"{folder}/{name}" for name in files}
    return SavedResults(folder, data, runs, watched, restored, describes)


def reused(saved: SavedResults, planned: Collection[object]) -> str:
    """Say how many of the planned trainings are reused."""
    text = f"reuse: {len(saved.runs):,} of {len(planned):,} trainings are taken from {saved.folder}"
    if len(saved.runs) < len(planned):
        text += "; the others are not there, or of another network, recipe, seed or epochs"
    return text


def encoding_of(model: str) -> str:
    """Return the name of the file, without its suffix, that a network of families is trained on."""
    return "ensembles" if FAMILY_MODELS[model].needs == "ensemble" else "tensors"

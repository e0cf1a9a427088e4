# The only file with functions: from a checked config to the files that rules ask for.
import hashlib
import re
import sys
from pathlib import Path

# The library stands beside the Snakefile; an installed one is found first and is the same.
sys.path.append(str(workflow.basedir))

from mirpair.config import Published, load_study
from mirpair.files import InputError
from mirpair.provenance import code_version
from mirpair.sources import is_url, read_sources

try:
    STUDY = load_study(config)
    SOURCES = read_sources(
        STUDY.sources or workflow.source_path("../config/sources.tsv")
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

FOLDS = STUDY.folds()
PLAN = {run[:4]: run for run in STUDY.plan()}
# Experiments with trainings, without their folds; and how many folds each experiment has.
TRAINED = list(dict.fromkeys(FOLDS[run.experiment].experiment for run in PLAN.values()))
FOLD_COUNTS = {
    name: fold.fold or 0 for name, fold in ((f.experiment, f) for f in FOLDS.values())
}
RESULT_TABLES = [name for name, table in STUDY.tables.items() if hasattr(table, "rows")]
TABLE_FORMATS = ["csv", "html", "md", "tex"]
FIGURE_FORMATS = ["svg", "png"]
RUN = "<results>/runs/{experiment}/{model}/{recipe}/seed{seed}"


pathvars:
    # Raw downloads are the only files that studies share.
    raw="results/raw",
    results=f"results/{STUDY.study}",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


wildcard_constraints:
    dataset="[^/]+",
    experiment="[^/]+",
    model="[^/]+",
    recipe="[^/]+",
    seed=r"\d+",
    table="[^/]+",


def raw_name(url):
    """Where a URL of the config, which is no row of the sources table, is kept."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(url).name) or "file"
    return f"url/{hashlib.sha256(url.encode()).hexdigest()[:16]}_{name}"


def places():
    """Every FASTA file that the config names, `{fold}` filled in."""
    for dataset in STUDY.datasets.values():
        yield from (*dataset.positives, *dataset.negatives)
    for name, fold in FOLDS.values():
        for role in ("train", "evaluate"):
            yield from published_places(name, fold, role)


def published_places(name, fold, role):
    experiment = STUDY.experiments[name]
    if not isinstance(experiment, Published):
        return []
    return [place.replace("{fold}", str(fold)) for place in getattr(experiment, role)]


# What the rule `download` can make: name below results/raw/ to (URL, SHA-256 or None).
DOWNLOADS = {name: (source.url, source.sha256) for name, source in SOURCES.items()}
DOWNLOADS |= {raw_name(place): (place, None) for place in places() if is_url(place)}


def local(place):
    """The file that a place of the config stands for: downloaded, or the user's own."""
    name = raw_name(place) if is_url(place) else place
    if name in DOWNLOADS:
        return f"<raw>/{name}"
    if not Path(place).is_file():
        raise WorkflowError(
            f"{place}: there is no such file, and it is no name in the sources table: "
            "correct it in the config (a path is relative to the folder you work in)."
        )
    return place


def fasta(label):
    """Input function: the FASTA files of a set's positives or negatives."""
    return lambda w: [
        local(place) for place in getattr(STUDY.datasets[w.dataset], label)
    ]


def published(role):
    """Input function: the FASTA files of a published split's role, none for other splits."""
    return lambda w: [
        local(place) for place in published_places(*FOLDS[w.experiment], role)
    ]


def run_of(wildcards):
    """The planned run of a folder below runs/; others are not made."""
    key = (wildcards.experiment, wildcards.model, wildcards.recipe, int(wildcards.seed))
    if key not in PLAN:
        raise WorkflowError(
            f"{' / '.join(map(str, key))}: the config plans no such run; add it to `runs`."
        )
    return PLAN[key]


def run_file(run, name):
    """A file of a run's folder."""
    return f"{RUN}/{name}".format(**run._asdict())


def runs_of_experiment(experiment):
    """The planned runs on an experiment, all its folds."""
    return [
        run for run in PLAN.values() if FOLDS[run.experiment].experiment == experiment
    ]


def runs_of(table):
    """The planned runs that a table shows."""
    experiments = getattr(STUDY.tables[table], "rows", {}).values()
    return [run for experiment in experiments for run in runs_of_experiment(experiment)]


def described(run):
    """A run with its experiment's name and fold apart, as the tables group it."""
    group, fold = FOLDS[run.experiment]
    return {**run._asdict(), "group": group, "fold": fold or 0}

# From a checked config to the files that rules ask for: who is a pre-miRNA.
from mirpair.study.identification import OWN_TABLES
from mirpair.contracts import read_published_counts, read_published_results
from mirpair.files import sha256
from mirpair.study.saved_results import BENCHMARK, DATA, OF_RUN, OF_WATCHED, check_data, kept_runs
from mirpair.recipes import RECIPES

try:
    for table in STUDY.result_tables().values():
        if table.published:
            read_published_results(found(table.published), table.rows)
    for table in STUDY.count_tables().values():
        if table.published:
            read_published_counts(found(table.published))
except InputError as error:
    raise WorkflowError(str(error)) from None

FOLDS = STUDY.folds()
WATCHED = {run[:4]: run for run in STUDY.watched()}
# Folds are numbered from 1, so the last number is how many there are; 0 if there are none.
FOLD_COUNTS = {fold.group: fold.number for fold in FOLDS.values()}
TRAINED = [name for name in STUDY.experiments if STUDY.runs_on(name)]
# Those that have a figure.
DRAWN_TABLES = [*STUDY.result_tables(), "cleaned"]
ALL_TABLES = {name: table.title for name, table in STUDY.tables.items()} | OWN_TABLES
WATCHED_RUN = f"<results>/{RUN_FOLDER.replace('runs', 'watched')}"
# Trainings on all records of a set, by the name of the set in place of an experiment's.
WHOLE = {run[:4]: run for run in STUDY.whole()}
SHIPPED = ["pre-mirna.safetensors", "pre-mirna.md", "mirbase22.tsv.xz"] if STUDY.shipped else []
WHOLE_RUN = f"<results>/{RUN_FOLDER.replace('runs', 'whole')}"


def fasta(label):
    """Input function: the FASTA files of a set's positives or negatives."""
    return lambda w: [file_of(place) for place in getattr(STUDY.datasets[w.dataset], label)]


def reference(place):
    """The file of a place that the config may leave out, in a list, which then is empty."""
    return [file_of(name) for name in [place] if name]


def published(role):
    """Input function: the FASTA files of a published split's role, none for other splits."""
    return lambda w: [file_of(place) for place in STUDY.split_files(w.experiment, role)]


def collections_from(*sources):
    """The collections from some sources, as a constraint of a wildcard."""
    named = [name for name, it in STUDY.collections.items() if it.source in sources]
    return "|".join(map(re.escape, named)) or "none"


def collection_of(wildcards):
    """What the config says of a collection, as params of a script."""
    return STUDY.collections[wildcards.collection].model_dump(exclude={"release"})


def origins_for(*splits):
    """Input function: where the RNAs of an experiment's set are from, if it has such a split."""

    def files(wildcards):
        group = wildcards.get("group") or FOLDS[wildcards.experiment].group
        split = STUDY.experiments[group]
        named = STUDY.collections_of(split.dataset) if split.split in splits else []
        return expand("<results>/collections/{collection}.tsv", collection=named)

    return files


def runs_of(table):
    """The planned runs that a table of results shows."""
    return STUDY.runs_on(*STUDY.tables[table].rows.values())


def table_files(tables):
    """Tables in every format."""
    formats = ["csv", "html", "md", "tex"]
    return expand("<results>/tables/{table}.{format}", table=tables, format=formats)


def folds_of(group):
    """An experiment of the config as it is run, by the names of its folds."""
    return [name for name, fold in FOLDS.items() if fold.group == group]


def who_takes_part():
    """The experiments, without what does not change who takes part in them."""
    every = STUDY.model_dump(mode="json")["experiments"]
    same = [("identity", None), ("copies", "keep"), ("copies", "refuse")]
    return {
        name: dict(item for item in split.items() if item not in same)
        for name, split in every.items()
    }


def what_collections():
    """The collections, without what is told of them alone."""
    every = STUDY.model_dump(mode="json")["collections"]
    return {name: {k: v for k, v in it.items() if k != "release"} for name, it in every.items()}


def planned(runs=PLAN, folder="runs"):
    """Every training: its folder below <results>, and what its provenance says of it."""
    return {
        RUN_FOLDER.replace("runs", folder).format(**run._asdict()): {
            "run": run._asdict(),
            **training_of(run),
        }
        for run in runs.values()
    }


def whole_training(wildcards):
    """What a training on all records of a set is, as `training_of` tells of a planned run."""
    run = run_of(wildcards, WHOLE)
    first = folds_of(STUDY.shipped.validation)[0]
    model, recipe = STUDY.training(first, run.model, run.recipe)
    return {"model": asdict(model), "recipe": asdict(replace(recipe, epochs=run.epochs))}


def watched_histories(wildcards):
    """Input function: the histories of Figure 3."""
    if not WATCHED:
        raise WorkflowError(
            f"the study {STUDY.study!r} has no Figure 3: its config lacks the section `figure3`, "
            "see config/README.md."
        )
    return [run_file(run, "history.tsv", WATCHED_RUN) for run in WATCHED.values()]


def published_file(table):
    """The file with a table's published rows in a list, which is empty if there is none."""
    return [local(found(path)) for path in [STUDY.tables[table].published] if path]


def described(runs):
    """Runs as params of a script: the experiment of the config and the fold apart, the network's
    names, and how many epochs its recipe has."""
    rows = []
    for run in runs:
        model, recipe = STUDY.training(run.experiment, run.model, run.recipe)
        # Only the recipes of the paper and of its code reproduce anything.
        published = model.published if run.recipe in RECIPES else ""
        names = {"label": STUDY.label(run.model, run.recipe), "published": published}
        fold = FOLDS[run.experiment]._asdict()
        rows.append({**run._asdict(), **fold, **names, "usual": recipe.epochs})
    return rows


def checksums():
    """SHA-256 of every file that the config names: of the sources table, or of the user's own."""
    known = {}
    locked = read_lock(found(LOCK))
    for place in sorted(set(STUDY.places())):
        if place in SOURCES:
            known[place] = SOURCES[place].sha256
        elif is_remote(place):
            known |= {place: row.sha256 for row in [locked.get(canonical(place))] if row}
        elif Path(found(place)).is_file():
            known[place] = sha256(found(place))
    return known


def taken():
    """Results that are taken from where they were kept: place below <results> to file there."""
    try:
        if not KEPT or not check_data(KEPT, DATA_OF_STUDY, DATA_FILES):
            return {}
        here = trained_here()
        runs = [name for name in kept_runs(KEPT, planned()) if name not in here]
        epochs = STUDY.figure3.epochs if STUDY.figure3 else None
        on = kept_runs(KEPT, planned(WATCHED, "watched"), OF_WATCHED, epochs=epochs)
        watched = [name for name in on if name not in here]
    except InputError as error:
        raise WorkflowError(str(error)) from None
    names = [f"{name}/{file}" for name in runs for file in OF_RUN]
    names += [f"{name}/{file}" for name in watched for file in OF_WATCHED]
    # Who trains makes the records, and so all that is known of them.
    names += DATA_FILES if len(runs) == len(PLAN) else []
    return {name.removesuffix(".gz"): f"{KEPT}/{name}" for name in names}


def trained_here():
    """Folders of trainings whose weights are here: nobody else's results replace them."""
    every = [*planned(), *planned(WATCHED, "watched")]
    return {name for name in every if Path(f"{PLACE}/{name}/weights.safetensors").exists()}


def caption(name):
    """The sentences that a figure has in Snakemake's report and in ours."""
    return " ".join((HOME / f"rules/captions/{name}.rst").read_text().split())


# What is known of the records, as far as tables, figures and the report need it.
DATA_FILES = [
    *(
        f"datasets/{name}/{file}"
        for name in STUDY.datasets
        for file in ("features.tsv.gz", "summary.json")
    ),
    *(f"audit/{name}/{file}" for name in FOLDS for file in ("records.tsv.gz", "shortcuts.tsv")),
    *(f"baselines/{name}.tsv.gz" for name in FOLDS),
]
DATA_OF_STUDY = {
    **STUDY.model_dump(mode="json", include={"datasets", "experiments", "audit"}),
    **({"collections": what_collections()} if STUDY.collections else {}),
    "experiments": who_takes_part(),
    "sha256": checksums() if STUDY.kept else {},
}
KEPT = found(STUDY.kept) if STUDY.kept else None
TAKEN = taken()
TAKEN_RUNS = [name for name in planned() if f"{name}/provenance.json" in TAKEN]
KEEPS = [name for name in planned() if name not in TAKEN_RUNS]
TAKEN_WATCHED = [name for name in planned(WATCHED, "watched") if f"{name}/provenance.json" in TAKEN]
KEEPS_WATCHED = [name for name in planned(WATCHED, "watched") if name not in TAKEN_WATCHED]


def pictures():
    """Figures of the report that belong to no table: name to heading and caption, in order."""
    shown = {
        "figure1": ("The encoding (Figure 1 of the paper)", caption("figure1")),
        "figure2": ("The networks (Figure 2)", caption("figure2")),
    }
    if WATCHED and (STUDY.figure3.in_report or len(TAKEN_WATCHED) == len(WATCHED)):
        shown["figure3"] = ("Beyond the last epoch (Figure 3)", caption("figure3"))
    shown["figure4"] = ("Lengths (Figure 4)", caption("figure4"))
    for kind, heading in (("predictions", "Predictions"), ("histories", "Training histories")):
        for group in TRAINED:
            shown[f"{kind}/{group}"] = (f"{heading} of {group}", caption(kind))
    shown["resources"] = ("Run time and memory", caption("resources"))
    return shown


PICTURES = pictures()


def drawn_networks():
    """One network of each layout that is trained, as the paper's Figure 2 shows them."""
    drawn = {}
    for run in sorted(PLAN.values(), key=lambda run: not training_of(run)["model"]["pairing"]):
        model = training_of(run)["model"]
        layout = (model["architecture"], model["order"], model["pooling"])
        other = model["order"] != "figure-2"
        label = STUDY.label(run.model, run.recipe) if other else model["label"]
        drawn.setdefault(layout, {**model, "label": label})
    return list(drawn.values())


def benchmark_names():
    """Benchmark files of all jobs from folding to evaluation, by rule; below <results>."""
    pieces = gather.fold("benchmarks/fold/{{dataset}}/{scatteritem}.tsv")
    names = {"fold": expand(pieces, dataset=STUDY.datasets)}
    for name in ("records", "structures", "features", "encode"):
        names[name] = expand(f"benchmarks/{name}/{{dataset}}.tsv", dataset=STUDY.datasets)
    names["folds"] = expand("benchmarks/folds/{group}.tsv", group=STUDY.drawn())
    for name in ("experiments", "audit", "baselines"):
        names[name] = expand(f"benchmarks/{name}/{{experiment}}.tsv", experiment=FOLDS)
    runs = [f"{run.experiment}/{run.model}/{run.recipe}/seed{run.seed}" for run in PLAN.values()]
    names["train"] = [f"runs/{run}/benchmark.tsv" for run in runs]
    names["evaluate"] = [f"benchmarks/evaluate/{run}.tsv" for run in runs]
    names["evaluate_group"] = expand("benchmarks/evaluate_group/{group}.tsv", group=TRAINED)
    return names


TARGETS |= {
    "all": [
        "<results>/report.html",
        *expand("<results>/figures/tables/{table}.png", table=DRAWN_TABLES),
        *table_files(ALL_TABLES),
        *(f"<results>/{name}/weights.safetensors" for name in KEEPS),
        *(f"<results>/shipped/{name}" for name in SHIPPED),
    ],
    "regenerate-paper-tables": table_files(STUDY.tables),
    "figure3": multiext("<results>/figures/figure3", ".svg", ".png"),
}


include: "collect.smk"
include: "datasets.smk"
include: "baselines.smk"
include: "train.smk"
include: "evaluate.smk"
include: "tables.smk"
include: "figures.smk"
include: "report.smk"


if STUDY.shipped:

    include: "ship.smk"


if STUDY.kept:

    include: "kept.smk"

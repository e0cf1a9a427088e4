# From a checked config to the files that rules ask for: which RNAs are pre-miRNAs.
from mirpair.study.saved_results import BENCHMARK, DATA, OF_RUN, OF_WATCHED
from mirpair.study.tables import OWN_TABLES, Counts, Cutting, Kinds, Results, Seeds
import mirpair.study.shipping as shipping

FOLDS = STUDY.folds()
FOLD_COUNTS = STUDY.fold_counts()
TRAINED = STUDY.trained()
WATCHED = {run.key: run for run in STUDY.watched()}
WATCHED_RUN = f"<results>/watched/{RUN_FOLDER}"
ALL_TABLES = {name: table.title for name, table in STUDY.tables.items()} | OWN_TABLES
# Tables that have a figure.
DRAWN_TABLES = [*STUDY.tables_of(Results), *STUDY.tables_of(Seeds), "cleaned"]
# Text above a table of the report: that of its caption.
TABLE_TEXTS = {
    **{name: caption(name) for name in OWN_TABLES},
    **{name: caption("kinds") for name in STUDY.tables_of(Kinds)},
    **{name: caption("cutting") for name in STUDY.tables_of(Cutting)},
    **{name: caption("seeds") for name in STUDY.tables_of(Seeds)},
}
CURVES_OF_KINDS = plan.curves_of_kinds(STUDY)
described = partial(plan.described_runs, STUDY)
averages = partial(plan.described_averages, STUDY)
SHIPPED = ["pre-mirna.safetensors", "pre-mirna.md", "mirbase22.tsv.xz"] if STUDY.shipped else []

with explained():
    plan.check_published_tables(STUDY, partial(existing, key="published"))
    SAVED = plan.SavedResults()
    if STUDY.reuse:
        checksums = plan.checksums(STUDY.source_refs(), SOURCES, LOCK, resolve)
        or_make = ", or make the folder if results are to be saved there"
        folder = existing(STUDY.reuse, key="reuse", or_else=or_make, folder=True)
        SAVED = plan.saved_results(STUDY, folder, RESULTS, checksums)
        if workflow.is_main_process:
            logger.info(plan.reused(SAVED, PLAN))
HAS_FIGURE3 = bool(WATCHED) and (STUDY.figure3.in_report or len(SAVED.watched) == len(WATCHED))
PICTURES = {
    name: (heading, caption(text))
    for name, (heading, text) in plan.figures_of_report(STUDY, has_figure3=HAS_FIGURE3).items()
}


def fasta(label):
    """Input function: the FASTA files of a set's positives or negatives."""
    return lambda w: [file_of(ref) for ref in getattr(STUDY.datasets[w.dataset], label)]


def reference(ref):
    """List a file that the config may leave out; the list is then empty."""
    return [file_of(name) for name in [ref] if name]


def of_sets(name):
    """Input function: a file of each set that an experiment takes its records from."""
    return lambda w: [f"<results>/datasets/{it}/{name}" for it in STUDY.sets_of(w.experiment)]


def published(role):
    """Input function: the files that a split lists for a role, none for most splits."""
    return lambda w: [file_of(ref) for ref in STUDY.split_files(w.experiment, role)]


def published_file(table):
    """List the file with a table's published rows; the list is empty if there is none."""
    return [local(resolve(path)) for path in [STUDY.tables[table].published] if path]


def collections_from(*sources):
    """Write a wildcard's constraint: the collections from some sources."""
    return one_of(name for name, it in STUDY.collections.items() if it.source in sources)


CUT_IN_PIECES = ("pseudo-hairpins", "pre-mirnas", "genome-hairpins")


def experiment_of(wildcards):
    """Name the experiment of a table."""
    return STUDY.tables[wildcards.table].experiment


def of_table(name):
    """Input function: a file of each set that a table's experiment takes its records from."""
    return lambda w: [f"<results>/datasets/{it}/{name}" for it in STUDY.sets_of(experiment_of(w))]


def refs_of_table(wildcards):
    """List the files, as the config names them, of the set that evaluates in a table."""
    labelled = STUDY.datasets[STUDY.sets_of(experiment_of(wildcards))[-1]]
    return [*labelled.positives, *labelled.negatives]


def collected(suffix):
    """Input function: a file of each collection of the set that evaluates in a table."""
    return lambda w: [
        f"<results>/collections/{it}.{suffix}"
        for it in STUDY.collections_of(STUDY.sets_of(experiment_of(w))[-1])
    ]


def older_of_table(wildcards):
    """List the older releases that the kinds of a table name."""
    return STUDY.tables[wildcards.table].source_refs()


def named_by(key):
    """Input function: the files that a key of a collection names, none if it has no such key."""

    def files(wildcards):
        refs = getattr(STUDY.collections[wildcards.collection], key, None) or []
        return [file_of(ref) for ref in ([refs] if isinstance(refs, str) else refs)]

    return files


def collection_of(wildcards):
    """Describe a collection, as params of a script."""
    return STUDY.collections[wildcards.collection].params()


def origins_of(collections):
    """List the origins of the RNAs of collections."""
    return [f"<results>/collections/{name}.tsv" for name in collections]


def summaries(groups):
    """Evaluations of some experiments of the config."""
    return expand("<results>/evaluations/{group}.tsv", group=groups)


def groups_of(table):
    """Experiments of the config that a table of results shows."""
    return list(dict.fromkeys(STUDY.tables[table].rows.values()))


def watched_histories(wildcards):
    """Input function: the histories of Figure 3."""
    if not WATCHED:
        raise WorkflowError(
            f"the study {STUDY.study!r} has no Figure 3: its config lacks the section `figure3`, "
            "see config/README.md."
        )
    return [run_file(run, "history.tsv", "watched") for run in WATCHED.values()]


def to_save(runs, kind, reused):
    """List the folders of the trainings that are run here, and so can be saved."""
    return [f"{kind}/{run.folder}" for run in runs if f"{kind}/{run.folder}" not in reused]


TO_SAVE = to_save(PLAN.values(), "runs", SAVED.runs)
DATA_TO_SAVE = [] if SAVED.describes else [DATA, *plan.data_files(STUDY)]
TO_SAVE_WATCHED = to_save(WATCHED.values(), "watched", SAVED.watched)
TARGETS |= {
    "all": [
        "<results>/report.html",
        *expand("<results>/figures/tables/{table}.png", table=DRAWN_TABLES),
        *table_files(ALL_TABLES),
        *(f"<results>/{name}/weights.safetensors" for name in TO_SAVE),
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
include: "kinds.smk"
include: "tables.smk"
include: "figures.smk"
include: "report.smk"


if STUDY.shipped:

    include: "ship.smk"


if STUDY.reuse:

    include: "reuse.smk"

# From a checked config to the files that rules ask for: what all tasks share.
# Rules hold the wiring; mirpair/study/plan.py computes.
import re
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import yaml

HOME = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
# Whether another workflow imports this one as a module; then `workflow.basedir` is its folder.
IS_MODULE = not HOME.samefile(workflow.basedir)
DEFAULT = Path("config", "config.yaml")
if IS_MODULE:
    # A module without `config` must not take the config files of the other workflow.
    config = config or yaml.safe_load((HOME / DEFAULT).read_text("utf-8"))
elif not workflow.overwrite_configfiles:

    configfile: str(DEFAULT if DEFAULT.exists() else HOME / DEFAULT)


# The library beside the Snakefile is the one that runs, here and in the scripts (job.py).
sys.path.insert(0, str(HOME))

from snakemake.logging import logger
from snakemake.utils import update_config

from mirpair.files import InputError
from mirpair.provenance import code_version
from mirpair.sources.live import check_locked, compare_locked, is_remote, raw_name, read_lock
import mirpair.study.plan as plan
from mirpair.study.config_file import check_keys, check_numbers, typed
from mirpair.study.load import load_study, renamed_keys
from mirpair.study.prediction import read_samples


class explained:
    """Show an error of the user's in one line, without a traceback."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, InputError):
            raise WorkflowError(str(error)) from None


# The path of a file that the config names; and of one that must be there already.
resolve = partial(plan.resolve, home=HOME)
existing = partial(plan.existing, home=HOME)

if not IS_MODULE:
    update_config(config, typed(workflow.config_settings.config))

with explained():
    # Once: not in each job.
    for path in workflow.configfiles if workflow.is_main_process else []:
        check_keys(path)
        if not IS_MODULE:
            check_numbers(path)
    STUDY = load_study(config)
    SAMPLES = (
        read_samples(existing(STUDY.samples, key="samples")) if STUDY.task == "prediction" else {}
    )
    SOURCES = plan.study_sources(
        workflow.source_path("../config/sources.tsv"),
        STUDY.sources and existing(STUDY.sources, key="sources"),
    )
    MIRROR = STUDY.mirror and str(Path(existing(STUDY.mirror, key="mirror", folder=True)).resolve())
if workflow.is_main_process:
    for notice in renamed_keys(config):
        logger.warning(notice)

# All files that the study names.
SOURCE_REFS = [*STUDY.source_refs(), *(sample.fasta for sample in SAMPLES.values())]
PLAN = {run.key: run for run in STUDY.plan()}
RUN_FOLDER = "{experiment}/{model}/{recipe}/seed{seed}"
RUN = f"<results>/runs/{RUN_FOLDER}"
RESULTS = f"results/{STUDY.study}"
training_of = partial(plan.training_params, STUDY)
cost_of = partial(plan.cost, STUDY)
# Priority of all that trainings wait for, of the audit, and of what is done with a training at its
# end: above that of every training, which is its cost.
FIRST = 1_000_000


# Without these checks Snakemake fails at the first job, with a traceback. A dry run skips them.
onstart:
    with explained():
        plan.check_writable(RESULTS)
        check_locked(**LOCKED)


pathvars:
    # Raw downloads are the only files that studies share.
    raw="results/raw",
    results=RESULTS,
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


wildcard_constraints:
    dataset="[^/]+",
    experiment="[^/]+",
    model="[^/]+",
    recipe="[^/]+",
    seed=r"\d+",
    table="[^/]+",


def code_of(script, *folders):
    """Hash the code of a script, with all of the library that it runs."""
    return code_version(HOME / "scripts" / f"{script}.py", *folders)


def growing(amount):
    """Resource of a job: a limit, measured with room to spare, that grows with each attempt."""
    return lambda wildcards, attempt: amount * attempt


def one_of(names):
    """Write a wildcard's constraint: one of some names, of which there may be none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def untracked(value):
    """Param of a script that is no rerun trigger, because Snakemake derives it from the output."""
    return lambda wildcards, output: value


with explained():
    LIVE = {raw_name(ref): ref for ref in SOURCE_REFS if is_remote(ref)}
    LOCK = resolve(STUDY.lock_file)
    read_lock(LOCK)
FILES = plan.SourceFiles(HOME, SOURCES, getattr(STUDY, "collections", {}), LIVE)


def file_of(ref, where=""):
    """Find the file that a config, or a line of the sheet, names: see `SourceFiles.path_of`."""
    with explained():
        # A workflow that imports this one may have a rule that makes the file.
        path = FILES.path_of(ref, may_be_made=IS_MODULE, where=where)
    # A file of the user's own is not in the folder of a module's `prefix`, and in no bucket.
    return path if path.startswith("<") else local(path)


def downloads_of(refs):
    """List the files that are downloaded among those that the config names."""
    return sorted(path for path in set(map(file_of, refs)) if path.startswith("<raw>/"))


# A wrong name of a file stops here, also where results of an earlier run would hide it.
for sample in SAMPLES.values():
    file_of(sample.fasta, sample.where)
# Name of a target to its files; the rules of a task add theirs.
TARGETS = {"downloads": downloads_of(SOURCE_REFS)}


def run_of(wildcards, runs=PLAN):
    """Find the planned run of a folder; no other run is made."""
    key = (wildcards.experiment, wildcards.model, wildcards.recipe, int(wildcards.seed))
    if key not in runs:
        name = " / ".join(map(str, key))
        raise WorkflowError(f"{name}: the config plans no such run; add it to `runs`.")
    return runs[key]


def run_file(run, name, kind="runs"):
    """Name a file of a run's folder."""
    return f"<results>/{kind}/{run.folder}/{name}"


def caption(name):
    """Read the caption of a table or figure, for Snakemake's report and for ours."""
    return " ".join((HOME / f"rules/captions/{name}.rst").read_text().split())


def table_files(tables):
    """List the files of tables in every format."""
    formats = ["csv", "html", "md", "tex"]
    return expand("<results>/tables/{table}.{format}", table=tables, format=formats)


def table_outputs(table, caption):
    """Outputs of a rule: a table in every format; Snakemake's report has the page and the CSV."""
    files = multiext(f"<results>/tables/{table}", ".md", ".tex")
    for suffix, name in (("html", "page"), ("csv", "CSV")):
        labels = {"table": table, "format": name}
        caption_file = f"captions/{caption}.rst"
        path = f"<results>/tables/{table}.{suffix}"
        files += [report(path, category="Tables", caption=caption_file, labels=labels)]
    return files


PAPER_FIGURES = "Figures of the paper"


def figure_outputs(path, caption, category="Figures", **labels):
    """Outputs of a rule: a figure as PNG, and as SVG, which Snakemake's report also has."""
    svg = f"<results>/figures/{path}.svg"
    caption_file = f"captions/{caption}.rst"
    shown = report(svg, category=category, caption=caption_file, labels=labels)
    return [shown, f"<results>/figures/{path}.png"]


def other_task(name):
    """Explain that a study of this task has no such target."""
    other = "families" if name == "families-report" else "config"
    return (
        f"{name}: the study {STUDY.study!r} is of another task (its config has `task: "
        f"{STUDY.task}`); name a config that has this target, such as "
        f"--configfile config/{other}.yaml"
    )


def folder_is_missing(wildcards):
    """Explain that there is no folder to save trainings in."""
    if STUDY.task != "identification":
        raise WorkflowError(other_task("save"))
    raise WorkflowError(
        f"trainings are saved in the folder that `reuse` names, and the config of {STUDY.study!r} "
        "has no `reuse`: make a folder, and name it there or by --config reuse=<folder>"
    )


def target(name):
    """Input function: the files of a target in a study of this task."""

    def files(wildcards):
        if name not in TARGETS:
            raise WorkflowError(other_task(name))
        return TARGETS[name]

    return files

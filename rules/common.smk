# From a checked config to the files that rules ask for: what all tasks share.
# Functions stand here, in identification.smk and in families_plan.smk, nowhere else.
import difflib
import json
import os
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

# The library beside the Snakefile is the one that runs, here and in the scripts (job.py).
# (`workflow.basedir` is another workflow's folder where that imports this one as a module.)
HOME = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(HOME))

from mirpair.study.load import load_study
from mirpair.study.prediction import read_samples
from mirpair.files import InputError
from mirpair.sources.live import LIVE_VARIABLE, canonical, check_locked, is_remote, raw_name, read_lock
from mirpair.provenance import code_version
from mirpair.sources.published import MIRROR_VARIABLE, read_sources


def found(path):
    """A path of the config, from the folder one works in; what is not there may be ours."""
    ours = HOME / path
    return os.path.relpath(ours) if ours.exists() and not Path(path).exists() else path


try:
    STUDY = load_study(config)
    SAMPLES = read_samples(found(STUDY.samples)) if STUDY.task == "prediction" else {}
    SOURCES = read_sources(workflow.source_path("../config/sources.tsv"))
    if STUDY.sources:
        # What is shipped is compared with these, whatever the study is made of.
        shipped = ("mirbase-22/hairpins.csv", "ecoli/bacteria.fna")
        ours = {name: SOURCES[name] for name in shipped if name in SOURCES}
        SOURCES = ours | read_sources(found(STUDY.sources))
except InputError as error:
    raise WorkflowError(str(error)) from None

# Not a param of the download: where bytes come from does not change what they must be.
if STUDY.mirror:
    os.environ.update({MIRROR_VARIABLE: str(Path(found(STUDY.mirror)).resolve())})

PLACES = [*STUDY.places(), *(sample.fasta for sample in SAMPLES.values())]
PLAN = {run[:4]: run for run in STUDY.plan()}
RUN_FOLDER = "runs/{experiment}/{model}/{recipe}/seed{seed}"
RUN = f"<results>/{RUN_FOLDER}"
PLACE = f"results/{STUDY.study}"


# Else Snakemake fails at the first job, with a traceback. A dry run does not come here.
onstart:
    there = next(folder for folder in Path(PLACE, "_").absolute().parents if folder.exists())
    if not os.access(there, os.W_OK):
        raise WorkflowError(
            f"{there}: this folder cannot be written, and results go there: make it writable "
            "(is the disk mounted read-only?), or work in a copy of this repository"
        )
    try:
        here = {place: Path("results", "raw", name) for name, place in LIVE.items()}
        check_locked(found(LOCK), here, releases=STUDY.releases())
    except InputError as error:
        raise WorkflowError(str(error)) from None


pathvars:
    # Raw downloads are the only files that studies share.
    raw="results/raw",
    results=PLACE,
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
    """Hash of what a script does, with all of the library that it runs."""
    return code_version(HOME / "scripts" / f"{script}.py", *folders)


def growing(amount):
    """What a job may use, measured with room to spare, and as much again in each new attempt."""
    return lambda wildcards, attempt: amount * attempt


# Neither is what the lock file is called, nor what is said of a release: no param, or what was
# brought would be removed and brought again when they change, or in another study.
LOCK = STUDY.lock or f"config/{STUDY.study}.lock.tsv"
# What can be downloaded: name below results/raw/ to URL and SHA-256, or to a place whose bytes may
# change, and then are what the lock file says.
DOWNLOADS = {name: (source.url, source.sha256) for name, source in SOURCES.items()}
try:
    LIVE = {raw_name(place): place for place in PLACES if is_remote(place)}
    read_lock(found(LOCK))
except InputError as error:
    raise WorkflowError(str(error)) from None
HOW_LIVE = {
    "lock": found(LOCK),
    "places": sorted(set(LIVE.values())),
    "releases": STUDY.releases(),
}
os.environ.update({LIVE_VARIABLE: json.dumps(HOW_LIVE)})


def file_of(place):
    """The file that a place of the config stands for: collected, downloaded, or the user's own."""
    if STUDY.task == "identification" and place in STUDY.collections:
        return f"<results>/collections/{place}.fa"
    name = raw_name(place) if is_remote(place) else place
    if name in DOWNLOADS or name in LIVE:
        return f"<raw>/{name}"
    path = found(place)
    # A workflow that imports this one may have a rule that makes the file.
    if not Path(path).is_file() and HOME.samefile(workflow.basedir):
        collections = STUDY.collections if STUDY.task == "identification" else {}
        near = difflib.get_close_matches(place, [*collections, *DOWNLOADS], n=1)
        raise WorkflowError(
            f"{place}: there is no such file, and it is no name in the sources table"
            + (" and no collection" if collections else "")
            + (f" (did you mean {near[0]}?)" if near else "")
            + ": correct it in the config. A path is relative to the folder you work in."
        )
    # Not in the folder of a module's `prefix`, and in no bucket.
    return local(path)


# A name that is wrong stops here, also where results of before would hide it.
for place in PLACES:
    file_of(place)


def run_of(wildcards, planned=PLAN):
    """The planned run of a folder below runs/; others are not made."""
    key = (wildcards.experiment, wildcards.model, wildcards.recipe, int(wildcards.seed))
    if key not in planned:
        raise WorkflowError(
            f"{' / '.join(map(str, key))}: the config plans no such run; add it to `runs`."
        )
    return planned[key]


def run_file(run, name, folder=RUN):
    """A file of a run's folder."""
    return f"{folder}/{name}".format(**run._asdict())


def training_of(run):
    """What a run trains and how, in every detail, as params of a script."""
    model, recipe = STUDY.training(run.experiment, run.model, run.recipe)
    return {"model": asdict(model), "recipe": asdict(replace(recipe, epochs=run.epochs))}


def cited(places):
    """Whom to cite for files of the sources table, and their licences, each once."""
    named = [SOURCES[place] for place in places if place in SOURCES]
    own = ["files of the study's own"] * any(place not in SOURCES for place in places)
    return own + list(dict.fromkeys(f"{s.citation}; licence: {s.licence}" for s in named))


# What people type, to the files that it stands for; filled by the files of a task.
TARGETS = {}


def target(name):
    """Input function: the files that a target stands for in a study of this task."""

    def files(wildcards):
        if name not in TARGETS:
            other = "families" if name == "families-report" else "config"
            raise WorkflowError(
                f"{name}: the study {STUDY.study!r} is of another task (its config has `task: "
                f"{STUDY.task}`); name a config that has this target, such as "
                f"--configfile config/{other}.yaml"
            )
        return TARGETS[name]

    return files

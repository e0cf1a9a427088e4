# From a checked config to the files that rules ask for: families.
from mirpair.recipes import FAMILY_MODELS


def runs_of(experiment):
    """The planned trainings on an experiment, with the first seed."""
    return [run for run in PLAN.values() if run[0] == experiment and run.seed == STUDY.seeds[0]]


def shipped_file(pattern):
    """Input function: a file of the training that is shipped, or of its experiment."""

    def file(wildcards):
        if not STUDY.shipped:
            raise WorkflowError(f"the config of {STUDY.study!r} has no section `shipped`")
        key = (STUDY.shipped.experiment, STUDY.shipped.model, "tang-sun", STUDY.seeds[0])
        if key not in PLAN:
            raise WorkflowError(
                f"shipped: the config plans no run of {key[1]} on {key[0]}; add it to `runs`."
            )
        return pattern.format(**PLAN[key]._asdict())

    return file


def encoded_as(model):
    """File with what a network's encoding needs."""
    return "ensembles" if FAMILY_MODELS[model].needs == "ensemble" else "tensors"


def caption(name):
    """The sentences that a table or figure has in Snakemake's report and in ours."""
    return " ".join((HOME / f"rules/captions/families-{name}.rst").read_text().split())

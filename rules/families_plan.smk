# From a checked config to the files that rules ask for: families.
from mirpair.sources.published import family_files
from mirpair.study.families import family_outputs

with explained():
    FAMILIES = family_files(STUDY.families, SOURCES, [Path(), HOME])
FAMILY_FILES = {family: file_of(ref) for family, ref in FAMILIES.items()}
FAMILY_DOWNLOADS = [ref for ref in FAMILIES.values() if ref in SOURCES]
FAMILY_REFS = [*FAMILIES.values(), *STUDY.source_refs()]
# Hairpins and members of miRBase's families, and mature microRNAs of MirGeneDB; or nothing.
NAMED = (
    [file_of(ref) for ref in STUDY.named.model_dump(exclude_none=True).values()]
    if STUDY.named
    else []
)
# What tables and figures show.
SHOWN = family_outputs(STUDY)
# Trainings that make shortlists of families, which models call.
PROPOSING = [run for name in SHOWN.compared for run in STUDY.proposing(name)]
# Whether the shipped network has covariance models that decide.
SHIPS_MODELS = STUDY.shipped_run() in PROPOSING


def shipped_file(pattern):
    """Input function: a file of the training that is shipped, or of its experiment."""

    def file(wildcards):
        if not STUDY.shipped:
            raise WorkflowError(f"the config of {STUDY.study!r} has no section `shipped`")
        return pattern.format(**asdict(STUDY.shipped_run()))

    return file

# From a checked config to the files that rules ask for: families.
from mirpair.sources.published import family_files

with explained():
    FAMILIES = family_files(STUDY.families, SOURCES, [Path(), HOME])
FAMILY_FILES = {family: file_of(ref) for family, ref in FAMILIES.items()}
FAMILY_DOWNLOADS = [ref for ref in FAMILIES.values() if ref in SOURCES]
FAMILY_REFS = [*FAMILIES.values(), *STUDY.source_refs()]
# What tables and figures show.
SHOWN = plan.family_outputs(STUDY)


def shipped_file(pattern):
    """Input function: a file of the training that is shipped, or of its experiment."""

    def file(wildcards):
        if not STUDY.shipped:
            raise WorkflowError(f"the config of {STUDY.study!r} has no section `shipped`")
        return pattern.format(**asdict(STUDY.shipped_run()))

    return file

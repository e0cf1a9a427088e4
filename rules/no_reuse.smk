# The targets of reuse.smk in a study without `reuse`: they only say what is missing.


def folder_is_missing(wildcards):
    """Explain that there is no folder to save trainings in."""
    if STUDY.task != "identification":
        raise WorkflowError(other_task("save"))
    raise WorkflowError(
        f"trainings are saved in the folder that `reuse` names, and the config of {STUDY.study!r} "
        "has no `reuse`: make a folder, and name it there or by --config reuse=<folder>"
    )


rule save:
    input:
        folder_is_missing,


use rule save as save_figure3


use rule save as keep


use rule save as keep_figure3

# The targets of reuse.smk in a study without `reuse`: they only say what is missing.
rule save:
    input:
        folder_is_missing,


use rule save as save_figure3


use rule save as keep


use rule save as keep_figure3

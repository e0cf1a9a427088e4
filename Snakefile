# mirpair: pre-miRNAs and their families from pairing matrices.
# A study is one config file: config/config.yaml (the paper) unless --configfile names another, or
# the working folder has a config/config.yaml of its own.
# Its task is to decide which RNAs are pre-miRNAs, or (config/families.yaml) to which family one
# belongs, or (config/prediction.yaml) to score your RNAs and genomes.
from snakemake.utils import min_version

min_version("9.11")


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/download.smk"
include: "rules/fold.smk"
include: "rules/encode.smk"
# The stages of the study's task, and its targets.
include: f"rules/{STUDY.task}.smk"


if not getattr(STUDY, "reuse", None):

    include: "rules/no_reuse.smk"


rule all:
    input:
        TARGETS["all"],


# What the study downloads: for a machine without network, or before two studies that share a file.
rule downloads:
    input:
        TARGETS["downloads"],
    message:
        "All downloads are here"


# The tables of the config; for the study `paper` these are Tables 1–4 of the paper.
rule:
    name:
        "regenerate-paper-tables"
    input:
        target("regenerate-paper-tables"),


# It takes trainings beyond the last epoch, so it is not a part of `all`.
rule figure3:
    input:
        target("figure3"),


rule:
    name:
        "families-report"
    input:
        target("families-report"),

# mirpair: pre-miRNA identification from pairing matrices.
# A study is one config file: config/config.yaml (the paper) unless --configfile names another.
from snakemake.utils import min_version

min_version("9.11")


report: "rules/captions/workflow.rst"


if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/download.smk"
include: "rules/datasets.smk"
include: "rules/fold.smk"
include: "rules/encode.smk"
include: "rules/baselines.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


if STUDY.kept:

    include: "rules/kept.smk"


rule all:
    input:
        "<results>/report.html",
        expand("<results>/figures/tables/{table}.png", table=DRAWN_TABLES),
        table_files(ALL_TABLES),
        [f"<results>/{name}/weights.safetensors" for name in KEEPS],


# The same name for every study; for the study `paper` these are Tables 1–4 of the paper.
rule:
    name:
        "regenerate-paper-tables"
    input:
        table_files(STUDY.tables),


# Trainings that are watched beyond the last epoch, so not a part of `all`.
rule figure3:
    input:
        multiext("<results>/figures/figure3", ".svg", ".png"),

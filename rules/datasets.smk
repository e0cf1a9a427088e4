rule records:
    input:
        positives=fasta("positives"),
        negatives=fasta("negatives"),
    output:
        records="<results>/datasets/{dataset}/records.tsv",
        dropped="<results>/datasets/{dataset}/dropped.tsv",
    log:
        "<logs>/records/{dataset}.log",
    benchmark:
        "<benchmarks>/records/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        on_ambiguous=lambda w: STUDY.datasets[w.dataset].on_ambiguous,
        code=code_version("datasets"),
    message:
        "Reading the FASTA files of the set {wildcards.dataset}"
    script:
        "../scripts/records.py"


rule experiments:
    input:
        records=lambda w: expand(
            "<results>/datasets/{dataset}/records.tsv",
            dataset=STUDY.sets_of(w.experiment),
        ),
        train=published("train"),
        evaluate=published("evaluate"),
    output:
        "<results>/experiments/{experiment}.tsv",
    log:
        "<logs>/experiments/{experiment}.log",
    benchmark:
        "<benchmarks>/experiments/{experiment}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sets=lambda w: STUDY.sets_of(w.experiment),
        split=lambda w: STUDY.experiments[FOLDS[w.experiment].group].model_dump(),
        fold=lambda w: FOLDS[w.experiment].number,
        code=code_version("datasets"),
    message:
        "Choosing who trains and who evaluates in {wildcards.experiment}"
    script:
        "../scripts/experiments.py"


rule audit:
    input:
        records=expand("<results>/datasets/{dataset}/records.tsv", dataset=STUDY.datasets),
        structures=expand("<results>/datasets/{dataset}/structures.tsv", dataset=STUDY.datasets),
        experiments=expand("<results>/experiments/{experiment}.tsv", experiment=FOLDS),
    output:
        "<results>/audit/shortcuts.tsv",
    log:
        "<logs>/audit.log",
    benchmark:
        "<benchmarks>/audit.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sets=list(STUDY.datasets),
        experiments=list(FOLDS),
        code=code_version("audit"),
    message:
        "Measuring how far length, GC and |MFE|/length tell the classes apart"
    script:
        "../scripts/audit.py"

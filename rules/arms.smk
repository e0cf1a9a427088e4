# Where the mature microRNAs of a pre-miRNA are: records, one network for each fold, tables, weights.
ARMS_FOLDS = range(STUDY.folds)
ARMS_RUN = "<results>/runs/{kingdom}/fold{fold}"
ARMS_TABLES = ["ends", "reliability"]


wildcard_constraints:
    kingdom=one_of(STUDY.kingdoms),
    fold=r"\d+",


rule arms_records:
    input:
        hairpins=file_of(STUDY.hairpins),
        members=file_of(STUDY.members),
        mature=file_of(STUDY.mature),
        flanked=[file_of(ref) for ref in STUDY.flanked],
    output:
        "<results>/datasets/arms/records.tsv",
    log:
        "<logs>/arms_records.log",
    benchmark:
        "<benchmarks>/arms_records.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on miRBase 22: 0.4 GB, 10 s.
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        folds=STUDY.folds,
        seed=STUDY.seeds[0],
        code=code_of("arms_records"),
    message:
        "Selecting hairpins with both mature arms"
    script:
        "../scripts/arms_records.py"


rule arms_train:
    input:
        records="<results>/datasets/arms/records.tsv",
        structures="<results>/datasets/arms/structures.tsv",
    output:
        weights=f"{ARMS_RUN}/weights.safetensors",
        arms=f"{ARMS_RUN}/arms.tsv",
    log:
        "<logs>/arms_train/{kingdom}/fold{fold}.log",
    benchmark:
        "<benchmarks>/arms_train/{kingdom}/fold{fold}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        # Measured on miRBase 22: 1.5 GB, 10 min.
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        seed=STUDY.seeds[0],
        training=STUDY.training.model_dump(),
        code=code_of("arms_train"),
    message:
        "Training the network of arms of {wildcards.kingdom} without fold {wildcards.fold}"
    script:
        "../scripts/arms_train.py"


rule arms_tables:
    input:
        records="<results>/datasets/arms/records.tsv",
        structures="<results>/datasets/arms/structures.tsv",
        arms=expand(f"{ARMS_RUN}/arms.tsv", kingdom=STUDY.kingdoms, fold=ARMS_FOLDS),
    output:
        [table_outputs(name, f"arms-{name}") for name in ARMS_TABLES],
        figure_outputs("ends", "arms-ends", figure="Ends of arms"),
    log:
        "<logs>/arms_tables.log",
    benchmark:
        "<benchmarks>/arms_tables.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on miRBase 22: 0.5 GB, 60 s.
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("arms_tables", "pages/templates"),
    message:
        "Measuring the ends of arms"
    script:
        "../scripts/arms_tables.py"


# The weights with which mirpair finds arms; `make weights` copies them into the folder weights/.
rule arms_ship:
    input:
        weights=expand(f"{ARMS_RUN}/weights.safetensors", kingdom=STUDY.kingdoms, fold=ARMS_FOLDS),
        table="<results>/tables/ends.csv",
    output:
        weights="<results>/shipped/arms.safetensors",
        card="<results>/shipped/arms.md",
    log:
        "<logs>/arms_ship.log",
    benchmark:
        "<benchmarks>/arms_ship.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on miRBase 22: 0.3 GB, 3 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        kingdoms=STUDY.kingdoms,
        folds=STUDY.folds,
        sources=plan.citations(SOURCES, STUDY.source_refs()),
        code=code_of("arms_ship"),
    message:
        "Joining the networks of arms"
    script:
        "../scripts/arms_ship.py"


TARGETS["all"] = [
    *table_files(ARMS_TABLES),
    *expand("<results>/figures/ends.{format}", format=["svg", "png"]),
    *rules.arms_ship.output,
]

rule records:
    input:
        positives=fasta("positives"),
        negatives=fasta("negatives"),
        hairpins=lambda w: (
            reference(STUDY.audit.hairpins) if STUDY.datasets[w.dataset].cleaned else []
        ),
    output:
        records="<results>/datasets/{dataset}/records.tsv",
        dropped="<results>/datasets/{dataset}/dropped.tsv",
    log:
        "<logs>/records/{dataset}.log",
    benchmark:
        "<benchmarks>/records/{dataset}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.17 GB, 4 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        on_ambiguous=lambda w: STUDY.datasets[w.dataset].on_ambiguous,
        cleaned=lambda w: STUDY.datasets[w.dataset].cleaned,
        longest=lambda w: STUDY.datasets[w.dataset].longest,
        # Snakemake does not track a function of `output`: another network does not change records.
        limits=lambda w, output: STUDY.limits_of(w.dataset),
        code=code_of("records"),
    message:
        "Reading the FASTA files of the set {wildcards.dataset}"
    script:
        "../scripts/records.py"


# All folds at once, so that similar records are searched only once.
rule folds:
    input:
        records=lambda w: f"<results>/datasets/{STUDY.experiments[w.group].dataset}/records.tsv",
        origins=lambda w: origins_of(STUDY.origins_of_folds(w.group)),
    output:
        "<results>/folds/{group}.tsv",
    log:
        "<logs>/folds/{group}.log",
    benchmark:
        "<benchmarks>/folds/{group}.tsv"
    wildcard_constraints:
        group=one_of(STUDY.drawn()),
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on 16,000 RNAs: 0.19 GB, 5 s; on 423,000, in clusters: 0.4 GB, 6 min.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        split=lambda w: STUDY.experiments[w.group].drawing(),
        code=code_of("folds"),
    message:
        "Assigning the folds of {wildcards.group}"
    script:
        "../scripts/folds.py"


rule experiments:
    input:
        records=of_sets("records.tsv"),
        train=published("train"),
        validate=published("validate"),
        evaluate=published("evaluate"),
        families=lambda w: reference(STUDY.held_out_families(w.experiment)),
        origins=lambda w: origins_of(STUDY.origins_of_roles(w.experiment)),
        dropped=lambda w: of_sets("dropped.tsv")(w) if published("evaluate")(w) else [],
        older=lambda w: reference(STUDY.older(w.experiment)),
        folds=lambda w: expand(
            "<results>/folds/{group}.tsv",
            group={FOLDS[w.experiment].group}.intersection(STUDY.drawn()),
        ),
    output:
        "<results>/experiments/{experiment}.tsv",
    log:
        "<logs>/experiments/{experiment}.log",
    benchmark:
        "<benchmarks>/experiments/{experiment}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.17 GB, 5 s; a fold of 423,000 in clusters: 0.7 GB, 8 min.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        sets=lambda w: STUDY.sets_of(w.experiment),
        split=lambda w: STUDY.experiments[FOLDS[w.experiment].group].model_dump(),
        fold=lambda w: FOLDS[w.experiment].number,
        weights=lambda w: STUDY.weights_of(STUDY.sets_of(w.experiment)),
        on_ambiguous=lambda w: STUDY.datasets[STUDY.sets_of(w.experiment)[0]].on_ambiguous,
        # Not tracked either, see above.
        max_lengths=lambda w, output: STUDY.max_lengths(w.experiment),
        code=code_of("experiments"),
    message:
        "Choosing the training and evaluation records of {wildcards.experiment}"
    script:
        "../scripts/experiments.py"


# The features of a set, so that tables and figures need no sequences.
rule features:
    input:
        records="<results>/datasets/{dataset}/records.tsv",
        structures="<results>/datasets/{dataset}/structures.tsv",
        dropped="<results>/datasets/{dataset}/dropped.tsv",
        folding="<results>/datasets/{dataset}/folding.json",
        hairpins=reference(STUDY.audit.hairpins),
        collections=lambda w: expand(
            "<results>/collections/{collection}.json",
            collection=STUDY.collections_of(w.dataset),
        ),
    output:
        features="<results>/datasets/{dataset}/features.tsv",
        summary="<results>/datasets/{dataset}/summary.json",
    log:
        "<logs>/features/{dataset}.log",
    benchmark:
        "<benchmarks>/features/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.16 GB, 2 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("features"),
    message:
        "Describing the records of the set {wildcards.dataset}"
    script:
        "../scripts/features.py"


# It runs before all other ready jobs, so that records which no training can use stop the run before
# the long work. (As an `ancient` input of the trainings, it would hide changes of their params.)
rule audit:
    input:
        experiment="<results>/experiments/{experiment}.tsv",
        records=of_sets("records.tsv"),
        structures=of_sets("structures.tsv"),
        hairpins=reference(STUDY.audit.hairpins),
        families=reference(STUDY.audit.families),
    output:
        records="<results>/audit/{experiment}/records.tsv",
        shortcuts="<results>/audit/{experiment}/shortcuts.tsv",
    log:
        "<logs>/audit/{experiment}.log",
    benchmark:
        "<benchmarks>/audit/{experiment}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.27 GB, 7 s; it searches as much as `experiments`.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        sets=lambda w: STUDY.sets_of(w.experiment),
        max_lengths=lambda w: STUDY.max_lengths(w.experiment),
        code=code_of("audit"),
    message:
        "Auditing the records of {wildcards.experiment}"
    script:
        "../scripts/audit.py"

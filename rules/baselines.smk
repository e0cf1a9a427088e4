rule baselines:
    input:
        experiment="<results>/experiments/{experiment}.tsv",
        records=of_sets("records.tsv"),
        structures=of_sets("structures.tsv"),
    output:
        "<results>/baselines/{experiment}.tsv",
    log:
        "<logs>/baselines/{experiment}.log",
    benchmark:
        "<benchmarks>/baselines/{experiment}.tsv"
    # Trainings are saved only if all other data of the study are there.
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.3 GB, 24 s at most, most of it the random forest; gradient
        # boosting on 218,000 records: 0.8 GB, 72 s.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        sets=lambda w: STUDY.sets_of(w.experiment),
        seed=STUDY.seeds[0],
        methods=STUDY.baselines,
        code=code_of("baselines"),
    message:
        "Scoring the records of {wildcards.experiment} without a network"
    script:
        "../scripts/baselines.py"

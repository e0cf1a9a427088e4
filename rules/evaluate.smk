rule evaluate:
    input:
        f"{RUN}/scores.npz",
    output:
        history=f"{RUN}/history.tsv",
        metrics=f"{RUN}/metrics.tsv",
    log:
        "<logs>/evaluate/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate/{experiment}/{model}/{recipe}/seed{seed}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.16 GB, 9 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("evaluate"),
    message:
        "Evaluating {wildcards.model} on {wildcards.experiment} (recipe {wildcards.recipe}, seed {wildcards.seed})"
    script:
        "../scripts/evaluate.py"


use rule evaluate as evaluate_watched with:
    input:
        f"{WATCHED_RUN}/scores.npz",
    output:
        history=f"{WATCHED_RUN}/history.tsv",
        metrics=f"{WATCHED_RUN}/metrics.tsv",
    log:
        "<logs>/evaluate_watched/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluate_watched/{experiment}/{model}/{recipe}/seed{seed}.tsv"


# All methods on one experiment, over all its folds: the input of the tables.
rule evaluate_group:
    input:
        predictions=lambda w: [run_file(run, "predictions.tsv") for run in STUDY.runs_on(w.group)],
        baselines=lambda w: [f"<results>/baselines/{it}.tsv" for it in STUDY.folds_of(w.group)],
        audit=lambda w: [f"<results>/audit/{it}/records.tsv" for it in STUDY.folds_of(w.group)],
    output:
        "<results>/evaluations/{group}.tsv",
    log:
        "<logs>/evaluate_group/{group}.log",
    benchmark:
        "<benchmarks>/evaluate_group/{group}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.23 GB, 18 s.
        mem_mb=growing(1000),
        runtime=growing(20),
    params:
        runs=lambda w: plan.evaluated_runs(STUDY, w.group),
        averages=lambda w: averages([w.group]),
        folds=lambda w: [{"number": FOLDS[name].number} for name in STUDY.folds_of(w.group)],
        baselines=STUDY.baselines,
        code=code_of("evaluate_group"),
    message:
        "Evaluating all methods on {wildcards.group}, with intervals"
    script:
        "../scripts/evaluate_group.py"

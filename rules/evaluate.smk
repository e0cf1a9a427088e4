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
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.16 GB, 9 s.
        mem_mb=1000,
        runtime=10,
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

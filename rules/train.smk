rule train:
    input:
        experiment="<results>/experiments/{experiment}.tsv",
        tensors=of_sets("tensors.npz"),
    output:
        weights=f"{RUN}/weights.safetensors",
        scores=f"{RUN}/scores.npz",
        predictions=f"{RUN}/predictions.tsv",
        provenance=f"{RUN}/provenance.json",
    log:
        "<logs>/train/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        f"{RUN}/benchmark.tsv"
    priority: lambda w: cost_of(run_of(w))
    conda:
        "../envs/train.yaml"
    # One thread a training: several side by side use the cores better than one on all of them.
    threads: 1
    resources:
        # Measured: 0.6 GB on 7,500 records, 0.8 GB on 19,000; 1.0 GB with large batches or networks;
        # up to 0.9 GB more for long RNAs. The paper's longest training takes minutes.
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        run=lambda w: asdict(run_of(w)),
        training=lambda w: training_of(run_of(w)),
        watch=0,
        sets=lambda w: STUDY.sets_of(w.experiment),
        code=code_of("train"),
    message:
        "Training {wildcards.model} on {wildcards.experiment} (recipe {wildcards.recipe}, seed {wildcards.seed})"
    script:
        "../scripts/train.py"


# The same training, continued beyond the epoch of the result, for Figure 3.
use rule train as train_watched with:
    output:
        weights=f"{WATCHED_RUN}/weights.safetensors",
        scores=f"{WATCHED_RUN}/scores.npz",
        predictions=f"{WATCHED_RUN}/predictions.tsv",
        provenance=f"{WATCHED_RUN}/provenance.json",
    log:
        "<logs>/train_watched/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        f"{WATCHED_RUN}/benchmark.tsv"
    priority: lambda w: cost_of(run_of(w, WATCHED), watch=STUDY.figure3.epochs)
    params:
        run=lambda w: asdict(run_of(w, WATCHED)),
        training=lambda w: training_of(run_of(w, WATCHED)),
        watch=STUDY.figure3.epochs if STUDY.figure3 else 0,
    message:
        "Training {wildcards.model} on {wildcards.experiment} beyond the last epoch, for Figure 3 (recipe {wildcards.recipe}, seed {wildcards.seed})"

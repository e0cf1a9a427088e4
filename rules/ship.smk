# The network that `mirpair predict` and `mirpair scan` ask: trained on all records of a set,
# calibrated by the held-out scores of a cross-validation of the same set.
MEMBERS = list(WHOLE.values())[: STUDY.shipped.members]


rule whole:
    input:
        "<results>/datasets/{dataset}/records.tsv",
    output:
        "<results>/whole/{dataset}.tsv",
    log:
        "<logs>/whole/{dataset}.log",
    benchmark:
        "<benchmarks>/whole/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("whole"),
    message:
        "Letting all records of {wildcards.dataset} train"
    script:
        "../scripts/whole.py"


use rule train as train_whole with:
    input:
        experiment="<results>/whole/{experiment}.tsv",
        tensors=["<results>/datasets/{experiment}/tensors.npz"],
    output:
        weights=f"{WHOLE_RUN}/weights.safetensors",
        scores=f"{WHOLE_RUN}/scores.npz",
        predictions=f"{WHOLE_RUN}/predictions.tsv",
        provenance=f"{WHOLE_RUN}/provenance.json",
    log:
        "<logs>/train_whole/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        f"{WHOLE_RUN}/benchmark.tsv"
    params:
        run=lambda w: run_of(w, WHOLE)._asdict(),
        training=whole_training,
        watch=0,
        sets=lambda w: [w.experiment],
        code=code_of("train"),
    message:
        "Training {wildcards.model} on all of {wildcards.experiment} (recipe {wildcards.recipe}, seed {wildcards.seed})"

# The weights of `mirpair predict` and `mirpair scan`: trained on all records of a dataset,
# calibrated by the held-out scores of a cross-validation on the same dataset.
MEMBERS = list(WHOLE.values())[: STUDY.shipped.members]
HELD = [
    run
    for run in STUDY.runs_on(STUDY.shipped.validation)
    if (run.model, run.recipe) == (STUDY.shipped.model, STUDY.shipped.recipe)
]
VALIDATION = folds_of(STUDY.shipped.validation)
# Bases of the genome of E. coli, which has no microRNAs.
BACKGROUND_BASES = 600_000


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
        # Measured on the paper's sets: 0.16 GB, 1 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("whole"),
    message:
        "Making a training set of all records of {wildcards.dataset}"
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


rule ship_hairpins:
    input:
        file_of("mirbase-22/hairpins.csv"),
    output:
        "<results>/shipped/mirbase22.tsv.xz",
    log:
        "<logs>/ship_hairpins.log",
    benchmark:
        "<benchmarks>/ship_hairpins.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on miRBase 22: 0.22 GB, 3 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("ship_hairpins"),
    message:
        "Packing the known hairpins"
    script:
        "../scripts/ship_hairpins.py"


# Hairpins that a scan would find, scored by networks that did not train on them.
rule ship_background:
    input:
        genome=file_of("ecoli/bacteria.fna"),
        records=f"<results>/datasets/{MEMBERS[0].experiment}/records.tsv",
        experiments=expand("<results>/experiments/{experiment}.tsv", experiment=VALIDATION),
        weights=[
            run_file(run, "weights.safetensors")
            for name in VALIDATION
            for run in HELD
            if run.experiment == name and run.seed in [member.seed for member in MEMBERS]
        ],
        shipped=[run_file(run, "weights.safetensors", WHOLE_RUN) for run in MEMBERS],
    output:
        "<results>/shipped/background.tsv",
    log:
        "<logs>/ship_background.log",
    benchmark:
        "<benchmarks>/ship_background.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 2
    resources:
        # Measured on the paper's sets: 1.1 GB, 172 s.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        bases=BACKGROUND_BASES,
        code=code_of("ship_background"),
    message:
        "Scoring hairpins that a scan would find, to calibrate it"
    script:
        "../scripts/ship_background.py"


rule ship:
    input:
        predictions=[run_file(run, "predictions.tsv") for run in HELD],
        background="<results>/shipped/background.tsv",
        records=f"<results>/datasets/{MEMBERS[0].experiment}/records.tsv",
        left_out=f"<results>/datasets/{MEMBERS[0].experiment}/dropped.tsv",
        weights=[run_file(run, "weights.safetensors", WHOLE_RUN) for run in MEMBERS],
        provenance=[run_file(run, "provenance.json", WHOLE_RUN) for run in MEMBERS],
    output:
        weights="<results>/shipped/pre-mirna.safetensors",
        card="<results>/shipped/pre-mirna.md",
    log:
        "<logs>/ship.log",
    benchmark:
        "<benchmarks>/ship.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.54 GB, 12 s.
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        runs=[{"number": FOLDS[run.experiment].number, "seed": run.seed} for run in HELD],
        seeds=[member.seed for member in MEMBERS],
        sources=cited(STUDY.places()),
        genome=f"the first {BACKGROUND_BASES:,} bases of the genome of E. coli K-12",
        code=code_of("ship"),
    message:
        "Writing the weights that are shipped, and their card"
    script:
        "../scripts/ship.py"

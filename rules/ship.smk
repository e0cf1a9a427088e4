# The network of `mirpair predict` and `mirpair scan`: trained on all records of a set,
# calibrated by the held-out scores of a cross-validation of the same set.
MEMBERS = list(ON_ALL.values())[: STUDY.shipped.members]
HELD_OUT = STUDY.held_out_runs()
VALIDATION = STUDY.folds_of(STUDY.shipped.validation)
# Length of the background: E. coli has no microRNAs.
BACKGROUND_BASES = 600_000
TARGETS["downloads"] += downloads_of(plan.FOR_SHIPPING)


use rule experiments as experiments_on_all with:
    input:
        records=["<results>/datasets/{dataset}/records.tsv"],
        train=[],
        validate=[],
        evaluate=[],
        families=[],
        origins=lambda w: origins_of(STUDY.weighted_collections([w.dataset])),
        dropped=[],
        older=[],
        folds=[],
    output:
        "<results>/train_on_all/{dataset}.tsv",
    log:
        "<logs>/experiments_on_all/{dataset}.log",
    benchmark:
        "<benchmarks>/experiments_on_all/{dataset}.tsv"
    params:
        sets=lambda w: [w.dataset],
        split=lambda w: {"split": "train-on-all", "dataset": w.dataset},
        fold=0,
        weights=lambda w: STUDY.weights_of([w.dataset]),
        on_ambiguous=lambda w: STUDY.datasets[w.dataset].on_ambiguous,
        max_lengths=untracked({}),
    message:
        "Assigning all records of {wildcards.dataset} to training"


use rule train as train_on_all with:
    input:
        experiment="<results>/train_on_all/{experiment}.tsv",
        tensors=["<results>/datasets/{experiment}/tensors.npz"],
    output:
        weights=f"{RUN_ON_ALL}/weights.safetensors",
        scores=f"{RUN_ON_ALL}/scores.npz",
        predictions=f"{RUN_ON_ALL}/predictions.tsv",
        provenance=f"{RUN_ON_ALL}/provenance.json",
    log:
        "<logs>/train_on_all/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        f"{RUN_ON_ALL}/benchmark.tsv"
    params:
        run=lambda w: asdict(run_of(w, ON_ALL)),
        training=lambda w: training_of(run_of(w, ON_ALL), like=VALIDATION[0]),
        sets=lambda w: [w.experiment],
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


# Hairpins that a scan would find, scored by networks that were not trained on them.
rule ship_background:
    input:
        genome=file_of("ecoli/bacteria.fna"),
        records=f"<results>/datasets/{MEMBERS[0].experiment}/records.tsv",
        experiments=expand("<results>/experiments/{experiment}.tsv", experiment=VALIDATION),
        weights=[
            run_file(run, "weights.safetensors")
            for name in VALIDATION
            for run in HELD_OUT
            if run.experiment == name and run.seed in [member.seed for member in MEMBERS]
        ],
        shipped=[run_file(run, "weights.safetensors", "train_on_all") for run in MEMBERS],
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
        "Scoring hairpins that a scan would find, for its calibration"
    script:
        "../scripts/ship_background.py"


rule ship:
    input:
        predictions=[run_file(run, "predictions.tsv") for run in HELD_OUT],
        background="<results>/shipped/background.tsv",
        records=f"<results>/datasets/{MEMBERS[0].experiment}/records.tsv",
        left_out=f"<results>/datasets/{MEMBERS[0].experiment}/dropped.tsv",
        weights=[run_file(run, "weights.safetensors", "train_on_all") for run in MEMBERS],
        provenance=[run_file(run, "provenance.json", "train_on_all") for run in MEMBERS],
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
        runs=[{"number": FOLDS[run.experiment].number, "seed": run.seed} for run in HELD_OUT],
        seeds=[member.seed for member in MEMBERS],
        sources=plan.citations(SOURCES, STUDY.source_refs()),
        genome=f"the first {BACKGROUND_BASES:,} bases of the genome of E. coli K-12",
        code=code_of("ship"),
    message:
        "Writing the weights that are shipped, and their card"
    script:
        "../scripts/ship.py"

# The networks of `mirpair predict` and `mirpair scan`: trained on all records of a set, calibrated and
# measured by the same networks that trained on the training records of an experiment only.
# Kingdom to the experiment, its set, and the trainings on it.
VALIDATION = STUDY.shipped.validation
SHIPPED_SETS = {kingdom: STUDY.sets_of(name)[0] for kingdom, name in VALIDATION.items()}
HELD_OUT = shipping.held_out_runs(STUDY)
GENOMES = {kingdom: shipping.genomes_of(STUDY, kingdom) for kingdom in VALIDATION}
MEASURED = sorted(
    {name for genomes in GENOMES.values() for names in genomes.values() for name in names}
)
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
        training=lambda w: training_of(run_of(w, ON_ALL), like=LIKE[run_of(w, ON_ALL)].experiment),
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


rule ship_scores:
    input:
        records=lambda w: f"<results>/datasets/{SHIPPED_SETS[w.kingdom]}/records.tsv",
        origins=lambda w: [
            f"<results>/collections/{it}.tsv"
            for it in STUDY.collections_of(SHIPPED_SETS[w.kingdom])
        ],
        experiment=lambda w: f"<results>/experiments/{VALIDATION[w.kingdom]}.tsv",
        logs=lambda w: [run_file(run, "scores.npz") for run in HELD_OUT[w.kingdom]],
        predictions=lambda w: [run_file(run, "predictions.tsv") for run in HELD_OUT[w.kingdom]],
    output:
        "<results>/shipped/{kingdom}.tsv",
    log:
        "<logs>/ship_scores/{kingdom}.log",
    benchmark:
        "<benchmarks>/ship_scores/{kingdom}.tsv"
    wildcard_constraints:
        kingdom=one_of(VALIDATION),
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        code=code_of("ship_scores"),
    message:
        "Collecting the scores that calibrate the networks of {wildcards.kingdom}"
    script:
        "../scripts/ship_scores.py"


rule ship:
    input:
        scores=expand("<results>/shipped/{kingdom}.tsv", kingdom=VALIDATION),
        left_out=expand("<results>/datasets/{set}/dropped.tsv", set=SHIPPED_SETS.values()),
        summaries=expand("<results>/collections/{name}.json", name=MEASURED),
        weights=[run_file(run, "weights.safetensors", "train_on_all") for run in LIKE],
        provenance=[run_file(run, "provenance.json", "train_on_all") for run in LIKE],
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
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        kingdoms=SHIPPED_SETS,
        genomes=GENOMES,
        sources=plan.citations(SOURCES, STUDY.source_refs()),
        code=code_of("ship"),
    message:
        "Writing the weights that are shipped, and their card"
    script:
        "../scripts/ship.py"

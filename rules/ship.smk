# The networks of `mirpair predict` and `mirpair scan`: those that trained on the training records of
# some experiments. Validation records calibrate them, evaluation records measure them.
# Kingdom to its experiments, their set, and the trainings on them.
VALIDATION = STUDY.shipped.validation
SHIPPED_SETS = {kingdom: STUDY.sets_of(names[0])[0] for kingdom, names in VALIDATION.items()}
MEMBERS = shipping.members(STUDY)
ALL_MEMBERS = [run for runs in MEMBERS.values() for run in runs]
GENOMES = {kingdom: shipping.genomes_of(STUDY, kingdom) for kingdom in VALIDATION}
MEASURED = sorted(
    {name for genomes in GENOMES.values() for names in genomes.values() for name in names}
)
TARGETS["downloads"] += downloads_of(plan.FOR_SHIPPING)


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
        experiments=lambda w: [
            f"<results>/experiments/{run.experiment}.tsv" for run in MEMBERS[w.kingdom]
        ],
        logs=lambda w: [run_file(run, "scores.npz") for run in MEMBERS[w.kingdom]],
        predictions=lambda w: [run_file(run, "predictions.tsv") for run in MEMBERS[w.kingdom]],
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
        # Measured on 396,000 records: 0.45 GB, 7 s.
        mem_mb=growing(2000),
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
        records=expand("<results>/datasets/{set}/records.tsv", set=SHIPPED_SETS.values()),
        # Of the first network of each kingdom.
        experiments=[f"<results>/experiments/{names[0]}.tsv" for names in VALIDATION.values()],
        left_out=expand("<results>/datasets/{set}/dropped.tsv", set=SHIPPED_SETS.values()),
        summaries=expand("<results>/collections/{name}.json", name=MEASURED),
        weights=[run_file(run, "weights.safetensors") for run in ALL_MEMBERS],
        provenance=[run_file(run, "provenance.json") for run in ALL_MEMBERS],
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
        # Measured on 396,000 records: 0.45 GB, 5 s.
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        members={kingdom: len(runs) for kingdom, runs in MEMBERS.items()},
        genomes=GENOMES,
        sources=plan.citations(SOURCES, STUDY.sequence_refs()),
        code=code_of("ship"),
    message:
        "Writing the weights that are shipped, and their card"
    script:
        "../scripts/ship.py"

# Results by kind of RNA, and by how RNAs are cut: the input of their tables and figures.
# rules/identification.smk has the functions that give what belongs to the experiment of a table.
rule evaluate_kinds:
    input:
        experiment=lambda w: f"<results>/experiments/{experiment_of(w)}.tsv",
        records=of_table("records.tsv"),
        files=lambda w: list(map(file_of, refs_of_table(w))),
        origins=collected("tsv"),
        summaries=collected("json"),
        older=lambda w: list(map(file_of, older_of_table(w))),
        predictions=lambda w: [
            run_file(run, "predictions.tsv") for run in STUDY.runs_on(experiment_of(w))
        ],
        baselines=lambda w: f"<results>/baselines/{experiment_of(w)}.tsv",
    output:
        results="<results>/kinds/{table}.tsv",
        curves="<results>/kinds/{table}-curves.tsv",
    log:
        "<logs>/evaluate_kinds/{table}.log",
    benchmark:
        "<benchmarks>/evaluate_kinds/{table}.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Kinds)),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on 47,000 evaluation records, 8 methods and 6 rows: 0.34 GB, 6 s.
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        kind="kinds",
        sets=lambda w: STUDY.sets_of(experiment_of(w)),
        refs=refs_of_table,
        older=older_of_table,
        table=lambda w: STUDY.tables[w.table].model_dump(),
        runs=lambda w: described(STUDY.runs_on(experiment_of(w))),
        averages=lambda w: averages([experiment_of(w)]),
        code=code_of("evaluate_kinds"),
    message:
        "Measuring by kind of RNA for the table {wildcards.table}"
    script:
        "../scripts/evaluate_kinds.py"


use rule evaluate_kinds as evaluate_kinds_cutting with:
    input:
        experiment=lambda w: f"<results>/experiments/{experiment_of(w)}.tsv",
        records=of_table("records.tsv"),
        structures=of_table("structures.tsv"),
        files=lambda w: list(map(file_of, refs_of_table(w))),
        origins=collected("tsv"),
        predictions=lambda w: [
            run_file(run, "predictions.tsv") for run in STUDY.runs_on(experiment_of(w))
        ],
        baselines=lambda w: f"<results>/baselines/{experiment_of(w)}.tsv",
    output:
        results="<results>/kinds/{table}.tsv",
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Cutting)),
    params:
        kind="cutting",
        sets=lambda w: STUDY.sets_of(experiment_of(w)),
        refs=refs_of_table,
        older=[],
        runs=lambda w: described(STUDY.runs_on(experiment_of(w))),
        averages=lambda w: averages([experiment_of(w)]),
        seed=STUDY.seeds[0],
    message:
        "Measuring how RNAs are cut for the table {wildcards.table}"

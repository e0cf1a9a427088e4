rule tables_results:
    input:
        evaluations=lambda w: summaries(groups_of(w.table)),
        published=lambda w: published_file(w.table),
    output:
        table_outputs("{table}", "table"),
    log:
        "<logs>/tables/{table}.log",
    benchmark:
        "<benchmarks>/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Results)),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo and on the paper's sets: at most 0.17 GB, 4 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        kind="comparison",
        title=lambda w: ALL_TABLES[w.table],
        options=lambda w: {
            "groups": groups_of(w.table),
            "rows": STUDY.tables[w.table].rows,
            "runs": described(
                STUDY.runs_in_table(w.table),
                beside_published=bool(STUDY.tables[w.table].published),
            )
            + averages(groups_of(w.table)),
            "fold_counts": FOLD_COUNTS,
        },
        code=code_of("tables", "pages/templates"),
    message:
        "Writing the table {wildcards.table}"
    script:
        "../scripts/tables.py"


use rule tables_results as tables_seeds with:
    input:
        tables=lambda w: expand("<results>/tables/{name}.csv", name=STUDY.tables[w.table].seeds_of),
    output:
        table_outputs("{table}", "seeds"),
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Seeds)),
    params:
        kind="seeds",
        options=lambda w: {"names": list(STUDY.tables[w.table].seeds_of.values())},
    message:
        "Comparing our seeds with the published values in the table {wildcards.table}"


use rule tables_results as tables_counts with:
    input:
        features=lambda w: expand(
            "<results>/datasets/{dataset}/features.tsv", dataset=STUDY.tables[w.table].sets
        ),
        published=lambda w: published_file(w.table),
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Counts)),
    params:
        kind="counts",
        options=lambda w: {
            "sets": STUDY.tables[w.table].sets,
            "has_hairpins": STUDY.audit.hairpins is not None,
        },
    message:
        "Counting the records for the table {wildcards.table}"


use rule tables_results as tables_cleaned with:
    input:
        evaluations=summaries(TRAINED),
    output:
        table_outputs("{table}", "cleaned"),
    wildcard_constraints:
        table="cleaned",
    params:
        kind="cleaned",
        options={
            "groups": TRAINED,
            "runs": described(PLAN.values()) + averages(TRAINED),
            "fold_counts": FOLD_COUNTS,
        },
    message:
        "Writing the table of the cleaned evaluation records"


use rule tables_results as tables_epochs with:
    input:
        histories=[run_file(run, "history.tsv") for run in PLAN.values()],
        audit=expand("<results>/audit/{experiment}/records.tsv", experiment=FOLDS),
    output:
        table_outputs("{table}", "epochs"),
    wildcard_constraints:
        table="epochs",
    params:
        kind="epochs",
        options={
            "runs": described(PLAN.values()),
            "validation": {name: STUDY.validation_of(name) for name in TRAINED},
            "folds": [fold._asdict() for fold in FOLDS.values()],
        },
    message:
        "Writing the table of last and best epochs"


use rule tables_results as tables_audit with:
    input:
        audit=expand("<results>/audit/{experiment}/records.tsv", experiment=FOLDS),
        shortcuts=expand("<results>/audit/{experiment}/shortcuts.tsv", experiment=FOLDS),
    output:
        table_outputs("{table}", "audit"),
    wildcard_constraints:
        table="audit",
    params:
        kind="audit",
        options={
            "has_hairpins": STUDY.audit.hairpins is not None,
            "has_families": STUDY.audit.families is not None,
            "folds": [fold._asdict() for fold in FOLDS.values()],
        },
    message:
        "Writing the table of the audit"


use rule tables_results as tables_kinds with:
    input:
        measured=["<results>/kinds/{table}.tsv"],
    output:
        table_outputs("{table}", "kinds"),
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Kinds)),
    params:
        kind="kinds",
        options={},
    message:
        "Writing the table {wildcards.table} by kind of RNA"


use rule tables_kinds as tables_cutting with:
    output:
        table_outputs("{table}", "cutting"),
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Cutting)),
    params:
        kind="cutting",
        options={},
    message:
        "Writing the table {wildcards.table} of how RNAs are cut"

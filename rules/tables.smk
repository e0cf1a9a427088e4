rule tables_results:
    input:
        metrics=lambda w: [run_file(run, "metrics.tsv") for run in runs_of(w.table)],
        shortcuts=lambda w: expand(
            "<results>/audit/{experiment}/shortcuts.tsv", experiment=folds_of(w.table)
        ),
        published=lambda w: published_file(w.table),
    output:
        report(
            "<results>/tables/{table}.html",
            category="Tables",
            caption="captions/table.rst",
            labels={"table": "{table}", "format": "page"},
        ),
        report(
            "<results>/tables/{table}.csv",
            category="Tables",
            caption="captions/table.rst",
            labels={"table": "{table}", "format": "CSV"},
        ),
        multiext("<results>/tables/{table}", ".md", ".tex"),
    log:
        "<logs>/tables/{table}.log",
    benchmark:
        "<benchmarks>/tables/{table}.tsv"
    wildcard_constraints:
        table="|".join(STUDY.result_tables()) or "none",
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.16 GB, 3 s.
        mem_mb=1000,
        runtime=10,
    params:
        title=lambda w: STUDY.tables[w.table].title,
        rows=lambda w: STUDY.tables[w.table].rows,
        runs=lambda w: described(runs_of(w.table)),
        folds=lambda w: [FOLDS[name]._asdict() for name in folds_of(w.table)],
        code=code_of("tables_results", "templates"),
    message:
        "Writing the table {wildcards.table}"
    script:
        "../scripts/tables_results.py"


rule tables_counts:
    input:
        records=lambda w: expand(
            "<results>/datasets/{dataset}/records.tsv", dataset=STUDY.tables[w.table].sets
        ),
        published=lambda w: published_file(w.table),
    output:
        report(
            "<results>/tables/{table}.html",
            category="Tables",
            caption="captions/table.rst",
            labels={"table": "{table}", "format": "page"},
        ),
        report(
            "<results>/tables/{table}.csv",
            category="Tables",
            caption="captions/table.rst",
            labels={"table": "{table}", "format": "CSV"},
        ),
        multiext("<results>/tables/{table}", ".md", ".tex"),
    log:
        "<logs>/tables/{table}.log",
    benchmark:
        "<benchmarks>/tables/{table}.tsv"
    wildcard_constraints:
        table="|".join(STUDY.count_tables()) or "none",
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.16 GB, 3 s.
        mem_mb=1000,
        runtime=10,
    params:
        title=lambda w: STUDY.tables[w.table].title,
        sets=lambda w: STUDY.tables[w.table].sets,
        code=code_of("tables_counts", "templates"),
    message:
        "Counting the records for the table {wildcards.table}"
    script:
        "../scripts/tables_counts.py"

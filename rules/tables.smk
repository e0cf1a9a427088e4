rule tables_results:
    input:
        evaluations=lambda w: expand(
            "<results>/evaluations/{group}.tsv",
            group=dict.fromkeys(STUDY.tables[w.table].rows.values()),
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
        table=one_of(STUDY.result_tables()),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.16 GB, 3 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=lambda w: STUDY.tables[w.table].title,
        rows=lambda w: STUDY.tables[w.table].rows,
        runs=lambda w: described(
            STUDY.runs_in_table(w.table), bool(STUDY.tables[w.table].published)
        ),
        folds=FOLD_COUNTS,
        code=code_of("tables_results", "pages/templates"),
    message:
        "Writing the table {wildcards.table}"
    script:
        "../scripts/tables_results.py"


rule tables_counts:
    input:
        features=lambda w: expand(
            "<results>/datasets/{dataset}/features.tsv", dataset=STUDY.tables[w.table].sets
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
        table=one_of(STUDY.count_tables()),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.16 GB, 3 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=lambda w: STUDY.tables[w.table].title,
        sets=lambda w: STUDY.tables[w.table].sets,
        has_hairpins=STUDY.audit.hairpins is not None,
        code=code_of("tables_counts", "pages/templates"),
    message:
        "Counting the records for the table {wildcards.table}"
    script:
        "../scripts/tables_counts.py"


rule tables_cleaned:
    input:
        evaluations=expand("<results>/evaluations/{group}.tsv", group=TRAINED),
    output:
        report(
            "<results>/tables/cleaned.html",
            category="Tables",
            caption="captions/cleaned.rst",
            labels={"table": "cleaned", "format": "page"},
        ),
        report(
            "<results>/tables/cleaned.csv",
            category="Tables",
            caption="captions/cleaned.rst",
            labels={"table": "cleaned", "format": "CSV"},
        ),
        multiext("<results>/tables/cleaned", ".md", ".tex"),
    log:
        "<logs>/tables/cleaned.log",
    benchmark:
        "<benchmarks>/tables/cleaned.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.08 GB, 1 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=OWN_TABLES["cleaned"],
        groups=TRAINED,
        runs=described(PLAN.values()),
        folds=FOLD_COUNTS,
        code=code_of("tables_cleaned", "pages/templates"),
    message:
        "Writing the table of the cleaned evaluation records"
    script:
        "../scripts/tables_cleaned.py"


rule tables_epochs:
    input:
        histories=[run_file(run, "history.tsv") for run in PLAN.values()],
        audit=expand("<results>/audit/{experiment}/records.tsv", experiment=FOLDS),
    output:
        report(
            "<results>/tables/epochs.html",
            category="Tables",
            caption="captions/epochs.rst",
            labels={"table": "epochs", "format": "page"},
        ),
        report(
            "<results>/tables/epochs.csv",
            category="Tables",
            caption="captions/epochs.rst",
            labels={"table": "epochs", "format": "CSV"},
        ),
        multiext("<results>/tables/epochs", ".md", ".tex"),
    log:
        "<logs>/tables/epochs.log",
    benchmark:
        "<benchmarks>/tables/epochs.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.07 GB, 1 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=OWN_TABLES["epochs"],
        runs=described(PLAN.values()),
        validation={name: STUDY.validation_of(name) for name in TRAINED},
        folds=[fold._asdict() for fold in FOLDS.values()],
        code=code_of("tables_epochs", "pages/templates"),
    message:
        "Writing the table of last and best epochs"
    script:
        "../scripts/tables_epochs.py"


rule tables_audit:
    input:
        audit=expand("<results>/audit/{experiment}/records.tsv", experiment=FOLDS),
        shortcuts=expand("<results>/audit/{experiment}/shortcuts.tsv", experiment=FOLDS),
    output:
        report(
            "<results>/tables/audit.html",
            category="Tables",
            caption="captions/audit.rst",
            labels={"table": "audit", "format": "page"},
        ),
        report(
            "<results>/tables/audit.csv",
            category="Tables",
            caption="captions/audit.rst",
            labels={"table": "audit", "format": "CSV"},
        ),
        multiext("<results>/tables/audit", ".md", ".tex"),
    log:
        "<logs>/tables/audit.log",
    benchmark:
        "<benchmarks>/tables/audit.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.17 GB, 4 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=OWN_TABLES["audit"],
        references={
            "has_hairpins": STUDY.audit.hairpins is not None,
            "has_families": STUDY.audit.families is not None,
        },
        folds=[fold._asdict() for fold in FOLDS.values()],
        code=code_of("tables_audit", "pages/templates"),
    message:
        "Writing the table of the audit"
    script:
        "../scripts/tables_audit.py"

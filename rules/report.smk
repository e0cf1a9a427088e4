rule tables_results:
    input:
        metrics=lambda w: [run_file(run, "metrics.tsv") for run in runs_of(w.table)],
        shortcuts=lambda w: expand(
            "<results>/audit/{experiment}/shortcuts.tsv", experiment=folds_of(w.table)
        ),
        published=lambda w: published_file(w.table),
    output:
        expand("<results>/tables/{{table}}.{format}", format=TABLE_FORMATS),
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
        expand("<results>/tables/{{table}}.{format}", format=TABLE_FORMATS),
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


rule figures_results:
    input:
        "<results>/tables/{table}.csv",
    output:
        expand("<results>/figures/{{table}}.{format}", format=FIGURE_FORMATS),
    log:
        "<logs>/figures/{table}.log",
    benchmark:
        "<benchmarks>/figures/{table}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        title=lambda w: STUDY.tables[w.table].title,
        code=code_of("figures_results"),
    message:
        "Drawing the table {wildcards.table}"
    script:
        "../scripts/figures_results.py"


rule figures_histories:
    input:
        lambda w: [run_file(run, "history.tsv") for run in STUDY.runs_on(w.group)],
    output:
        expand("<results>/figures/histories/{{group}}.{format}", format=FIGURE_FORMATS),
    log:
        "<logs>/figures/histories/{group}.log",
    benchmark:
        "<benchmarks>/figures/histories/{group}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        runs=lambda w: described(STUDY.runs_on(w.group)),
        code=code_of("figures_histories"),
    message:
        "Drawing the training histories of {wildcards.group}"
    script:
        "../scripts/figures_histories.py"


rule report:
    input:
        tables=expand("<results>/tables/{table}.csv", table=STUDY.tables),
        figures=expand("<results>/figures/{table}.svg", table=STUDY.result_tables()),
        histories=expand("<results>/figures/histories/{group}.svg", group=TRAINED),
        provenance=[run_file(run, "provenance.json") for run in PLAN.values()],
        overlap=expand("<results>/audit/{experiment}/overlap.tsv", experiment=FOLDS),
        folding=expand("<results>/datasets/{dataset}/folding.json", dataset=STUDY.datasets),
        dropped=expand("<results>/datasets/{dataset}/dropped.tsv", dataset=STUDY.datasets),
    output:
        "<results>/report.html",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        study=STUDY.study,
        experiments=list(FOLDS),
        title=STUDY.title,
        tables={name: table.title for name, table in STUDY.tables.items()},
        code=code_of("report", "templates"),
    message:
        "Writing the report of the study"
    script:
        "../scripts/report.py"

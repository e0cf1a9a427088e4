rule tables:
    input:
        metrics=lambda w: [run_file(run, "metrics.tsv") for run in runs_of(w.table)],
        records=lambda w: expand(
            "<results>/datasets/{dataset}/records.tsv",
            dataset=getattr(STUDY.tables[w.table], "sets", []),
        ),
        shortcuts=lambda w: "<results>/audit/shortcuts.tsv" if runs_of(w.table) else [],
        published=lambda w: [path] if (path := STUDY.tables[w.table].published) else [],
    output:
        expand("<results>/tables/{{table}}.{format}", format=TABLE_FORMATS),
    log:
        "<logs>/tables/{table}.log",
    benchmark:
        "<benchmarks>/tables/{table}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        table=lambda w: STUDY.tables[w.table].model_dump(),
        runs=lambda w: described(runs_of(w.table)),
        folds={fold.group: fold.number for fold in FOLDS.values()},
        groups={name: fold.group for name, fold in FOLDS.items()},
        code=code_version("tables", "templates"),
    message:
        "Writing the table {wildcards.table}"
    script:
        "../scripts/tables.py"


rule figure_results:
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
        code=code_version("figures"),
    message:
        "Drawing the table {wildcards.table}"
    script:
        "../scripts/figure_results.py"


rule figure_history:
    input:
        lambda w: [run_file(run, "history.tsv") for run in STUDY.runs_on(w.group)],
    output:
        expand("<results>/figures/history-{{group}}.{format}", format=FIGURE_FORMATS),
    log:
        "<logs>/figures/history-{group}.log",
    benchmark:
        "<benchmarks>/figures/history-{group}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        runs=lambda w: described(STUDY.runs_on(w.group)),
        code=code_version("figures"),
    message:
        "Drawing the training histories of {wildcards.group}"
    script:
        "../scripts/figure_history.py"


rule report:
    input:
        tables=expand("<results>/tables/{table}.csv", table=STUDY.tables),
        figures=expand("<results>/figures/{table}.svg", table=RESULT_TABLES),
        histories=expand("<results>/figures/history-{group}.svg", group=TRAINED),
        provenance=[run_file(run, "provenance.json") for run in PLAN.values()],
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
        title=STUDY.title,
        tables={name: table.title for name, table in STUDY.tables.items()},
        code=code_version("report", "templates"),
    message:
        "Writing the report of the study"
    script:
        "../scripts/report.py"

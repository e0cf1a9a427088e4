rule report:
    input:
        tables=expand("<results>/tables/{table}.csv", table=ALL_TABLES),
        figures=expand("<results>/figures/tables/{table}.svg", table=DRAWN_TABLES),
        pictures=[f"<results>/figures/{name}.svg" for name in PICTURES],
        provenance=[run_file(run, "provenance.json") for run in PLAN.values()],
        sets=expand("<results>/datasets/{dataset}/summary.json", dataset=STUDY.datasets),
    output:
        report(
            "<results>/report.html",
            category="Report",
            caption="captions/report.rst",
            labels={"page": "the report of the study"},
        ),
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.17 GB, 4 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        study=STUDY.study,
        title=STUDY.title,
        tables=ALL_TABLES,
        taken=len(SAVED.runs),
        texts=TABLE_TEXTS,
        pictures=list(PICTURES.values()),
        sources={
            name: (SOURCES[name].url, SOURCES[name].sha256)
            for name in sorted(set(STUDY.source_refs()))
            if name in SOURCES
        },
        # While the workflow is planned, new downloads are not locked yet.
        locked=untracked(LOCKED),
        config=STUDY.model_dump(mode="json", exclude_unset=True),
        code=code_of("report", "pages/templates"),
    message:
        "Writing the report of the study"
    script:
        "../scripts/report.py"

# Figures 1 and 2 of the paper.
rule drawings_encoding:
    output:
        figure_outputs("figure1", "figure1", PAPER_FIGURES, figure="1: the encoding"),
    log:
        "<logs>/figures/figure1.log",
    benchmark:
        "<benchmarks>/figures/figure1.tsv"
    conda:
        "../envs/drawings.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.5 GB, 12 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        kind="encoding",
        options={"sequence": "GCCCUUGGCA"},
        code=code_of("drawings"),
    message:
        "Drawing the encoding of the paper's example"
    script:
        "../scripts/drawings.py"


use rule drawings_encoding as drawings_networks with:
    output:
        figure_outputs("figure2", "figure2", PAPER_FIGURES, figure="2: the networks"),
    log:
        "<logs>/figures/figure2.log",
    benchmark:
        "<benchmarks>/figures/figure2.tsv"
    params:
        kind="networks",
        options={"networks": plan.drawn_networks(STUDY)},
    message:
        "Drawing the networks"


# Figures 3 and 4 of the paper, and the other figures of the report.
rule figures_results:
    input:
        "<results>/tables/{table}.csv",
    output:
        figure_outputs("tables/{table}", "results", figure="results", of="{table}"),
    log:
        "<logs>/figures/tables/{table}.log",
    benchmark:
        "<benchmarks>/figures/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Results)),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo and on the paper's sets: 0.20 GB, at most 10 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        kind="comparison",
        options=lambda w: {"title": STUDY.tables[w.table].title},
        code=code_of("figures"),
    message:
        "Drawing the table {wildcards.table}"
    script:
        "../scripts/figures.py"


use rule figures_results as figures_seeds with:
    output:
        figure_outputs("tables/{table}", "seeds", figure="seeds", of="{table}"),
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Seeds)),
    params:
        kind="seeds",
        options=lambda w: {"title": STUDY.tables[w.table].title},
    message:
        "Drawing how far the published values are from our seeds"


use rule figures_results as figures_cleaned with:
    output:
        figure_outputs(
            "tables/{table}", "cleaned", figure="results", of="cleaned evaluation records"
        ),
    wildcard_constraints:
        table="cleaned",
    params:
        kind="cleaned",
        options={},
    message:
        "Drawing the results on cleaned evaluation records"


use rule figures_results as figures_watched with:
    input:
        watched_histories,
    output:
        figure_outputs("figure3", "figure3", PAPER_FIGURES, figure="3: beyond the last epoch"),
    log:
        "<logs>/figures/figure3.log",
    benchmark:
        "<benchmarks>/figures/figure3.tsv"
    params:
        kind="watched",
        options={
            "runs": described(WATCHED.values()),
            "training": STUDY.figure3.training if STUDY.figure3 else None,
        },
    message:
        "Drawing the histories beyond the last epoch"


use rule figures_results as figures_lengths with:
    input:
        expand("<results>/datasets/{dataset}/features.tsv", dataset=STUDY.datasets),
    output:
        figure_outputs("figure4", "figure4", PAPER_FIGURES, figure="4: lengths"),
    log:
        "<logs>/figures/figure4.log",
    benchmark:
        "<benchmarks>/figures/figure4.tsv"
    params:
        kind="lengths",
        options={"sets": list(STUDY.datasets)},
    message:
        "Drawing the lengths of all RNAs"


use rule figures_results as figures_predictions with:
    input:
        lambda w: [run_file(run, "predictions.tsv") for run in STUDY.runs_on(w.group)],
    output:
        figure_outputs("predictions/{group}", "predictions", figure="predictions", of="{group}"),
    log:
        "<logs>/figures/predictions/{group}.log",
    benchmark:
        "<benchmarks>/figures/predictions/{group}.tsv"
    params:
        kind="predictions",
        options=lambda w: {
            "title": f"Predictions of {w.group}",
            "runs": described(STUDY.runs_on(w.group)),
        },
    message:
        "Drawing the predictions of {wildcards.group}"


use rule figures_results as figures_histories with:
    input:
        lambda w: [run_file(run, "history.tsv") for run in STUDY.runs_on(w.group)],
    output:
        figure_outputs("histories/{group}", "histories", figure="training histories", of="{group}"),
    log:
        "<logs>/figures/histories/{group}.log",
    benchmark:
        "<benchmarks>/figures/histories/{group}.tsv"
    params:
        kind="histories",
        options=lambda w: {
            "title": f"Training histories of {w.group}",
            "runs": described(STUDY.runs_on(w.group)),
        },
    message:
        "Drawing the training histories of {wildcards.group}"


use rule figures_results as figures_resources with:
    input:
        # The script draws the benchmark files that exist. They are not inputs, because a job with a
        # lost benchmark file would then run again; these inputs wait for the jobs that write them.
        histories=[run_file(run, "history.tsv") for run in PLAN.values()],
        evaluations=summaries(TRAINED),
    output:
        figure_outputs("resources", "resources", figure="run time and memory", of="all jobs"),
    log:
        "<logs>/figures/resources.log",
    benchmark:
        "<benchmarks>/figures/resources.tsv"
    params:
        kind="resources",
        options=lambda w, output: {
            "folder": str(Path(output[0]).parent.parent),
            "benchmarks": plan.benchmark_files(STUDY, gather.fold("{scatteritem}")),
        },
    message:
        "Drawing run time and memory"


use rule figures_results as figures_kinds_precision with:
    input:
        "<results>/kinds/{table}-curves.tsv",
    output:
        figure_outputs(
            "kinds/{table}/precision-recall",
            "kinds-precision-recall",
            figure="precision and recall",
            of="{table}",
        ),
    log:
        "<logs>/figures/kinds/{table}/precision-recall.log",
    benchmark:
        "<benchmarks>/figures/kinds/{table}/precision-recall.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Kinds)),
    params:
        kind="kinds",
        options=lambda w: {
            "curve": "precision-recall",
            "title": CURVES_OF_KINDS[w.table]["precision-recall"],
        },
    message:
        "Drawing precision and recall of the table {wildcards.table}"


use rule figures_results as figures_kinds_calls with:
    input:
        "<results>/kinds/{table}-curves.tsv",
    output:
        figure_outputs(
            "kinds/{table}/calls",
            "kinds-calls",
            figure="recall against calls a megabase",
            of="{table}",
        ),
    log:
        "<logs>/figures/kinds/{table}/calls.log",
    benchmark:
        "<benchmarks>/figures/kinds/{table}/calls.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Kinds)),
    params:
        kind="kinds",
        options=lambda w: {
            "curve": "calls",
            "title": CURVES_OF_KINDS[w.table]["calls"],
        },
    message:
        "Drawing recall against calls a megabase of the table {wildcards.table}"


use rule figures_results as figures_kinds_reliability with:
    input:
        "<results>/kinds/{table}-curves.tsv",
    output:
        figure_outputs(
            "kinds/{table}/reliability", "kinds-reliability", figure="reliability", of="{table}"
        ),
    log:
        "<logs>/figures/kinds/{table}/reliability.log",
    benchmark:
        "<benchmarks>/figures/kinds/{table}/reliability.tsv"
    wildcard_constraints:
        table=one_of(STUDY.tables_of(Kinds)),
    params:
        kind="kinds",
        options=lambda w: {
            "curve": "reliability",
            "title": CURVES_OF_KINDS[w.table]["reliability"],
        },
    message:
        "Drawing reliability of the table {wildcards.table}"

# The paper's Figures 1–4, then those of ours.
rule figures_encoding:
    output:
        report(
            "<results>/figures/figure1.svg",
            category="Figures of the paper",
            caption="captions/figure1.rst",
            labels={"figure": "1: the encoding"},
        ),
        "<results>/figures/figure1.png",
    log:
        "<logs>/figures/figure1.log",
    benchmark:
        "<benchmarks>/figures/figure1.tsv"
    conda:
        "../envs/drawings.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.4 GB, 12 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        sequence="GCCCUUGGCA",
        code=code_of("figures_encoding"),
    message:
        "Drawing the encoding of the paper's example"
    script:
        "../scripts/figures_encoding.py"


rule figures_networks:
    output:
        report(
            "<results>/figures/figure2.svg",
            category="Figures of the paper",
            caption="captions/figure2.rst",
            labels={"figure": "2: the networks"},
        ),
        "<results>/figures/figure2.png",
    log:
        "<logs>/figures/figure2.log",
    benchmark:
        "<benchmarks>/figures/figure2.tsv"
    conda:
        "../envs/drawings.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.5 GB, 12 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        networks=plan.drawn_networks(STUDY),
        code=code_of("figures_networks"),
    message:
        "Drawing the networks"
    script:
        "../scripts/figures_networks.py"


rule figures_watched:
    input:
        watched_histories,
    output:
        report(
            "<results>/figures/figure3.svg",
            category="Figures of the paper",
            caption="captions/figure3.rst",
            labels={"figure": "3: beyond the last epoch"},
        ),
        "<results>/figures/figure3.png",
    log:
        "<logs>/figures/figure3.log",
    benchmark:
        "<benchmarks>/figures/figure3.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 5 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        runs=described(WATCHED.values()),
        training=STUDY.figure3.training if STUDY.figure3 else None,
        code=code_of("figures_watched"),
    message:
        "Drawing the histories that go beyond the last epoch"
    script:
        "../scripts/figures_watched.py"


rule figures_lengths:
    input:
        expand("<results>/datasets/{dataset}/features.tsv", dataset=STUDY.datasets),
    output:
        report(
            "<results>/figures/figure4.svg",
            category="Figures of the paper",
            caption="captions/figure4.rst",
            labels={"figure": "4: lengths"},
        ),
        "<results>/figures/figure4.png",
    log:
        "<logs>/figures/figure4.log",
    benchmark:
        "<benchmarks>/figures/figure4.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 7 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        sets=list(STUDY.datasets),
        code=code_of("figures_lengths"),
    message:
        "Drawing the lengths of all RNAs"
    script:
        "../scripts/figures_lengths.py"


rule figures_results:
    input:
        "<results>/tables/{table}.csv",
    output:
        report(
            "<results>/figures/tables/{table}.svg",
            category="Figures",
            caption="captions/results.rst",
            labels={"figure": "results", "of": "{table}"},
        ),
        "<results>/figures/tables/{table}.png",
    log:
        "<logs>/figures/tables/{table}.log",
    benchmark:
        "<benchmarks>/figures/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(STUDY.result_tables()),
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 5 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        title=lambda w: STUDY.tables[w.table].title,
        code=code_of("figures_results"),
    message:
        "Drawing the table {wildcards.table}"
    script:
        "../scripts/figures_results.py"


rule figures_cleaned:
    input:
        "<results>/tables/cleaned.csv",
    output:
        report(
            "<results>/figures/tables/cleaned.svg",
            category="Figures",
            caption="captions/cleaned.rst",
            labels={"figure": "results", "of": "cleaned evaluation records"},
        ),
        "<results>/figures/tables/cleaned.png",
    log:
        "<logs>/figures/tables/cleaned.log",
    benchmark:
        "<benchmarks>/figures/tables/cleaned.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.20 GB, 6 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("figures_cleaned"),
    message:
        "Drawing the results on cleaned evaluation records"
    script:
        "../scripts/figures_cleaned.py"


rule figures_predictions:
    input:
        lambda w: [run_file(run, "predictions.tsv") for run in STUDY.runs_on(w.group)],
    output:
        report(
            "<results>/figures/predictions/{group}.svg",
            category="Figures",
            caption="captions/predictions.rst",
            labels={"figure": "predictions", "of": "{group}"},
        ),
        "<results>/figures/predictions/{group}.png",
    log:
        "<logs>/figures/predictions/{group}.log",
    benchmark:
        "<benchmarks>/figures/predictions/{group}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 10 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        runs=lambda w: described(STUDY.runs_on(w.group)),
        code=code_of("figures_predictions"),
    message:
        "Drawing the predictions of {wildcards.group}"
    script:
        "../scripts/figures_predictions.py"


rule figures_histories:
    input:
        lambda w: [run_file(run, "history.tsv") for run in STUDY.runs_on(w.group)],
    output:
        report(
            "<results>/figures/histories/{group}.svg",
            category="Figures",
            caption="captions/histories.rst",
            labels={"figure": "training histories", "of": "{group}"},
        ),
        "<results>/figures/histories/{group}.png",
    log:
        "<logs>/figures/histories/{group}.log",
    benchmark:
        "<benchmarks>/figures/histories/{group}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 8 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        runs=lambda w: described(STUDY.runs_on(w.group)),
        code=code_of("figures_histories"),
    message:
        "Drawing the training histories of {wildcards.group}"
    script:
        "../scripts/figures_histories.py"


rule figures_resources:
    input:
        # What is drawn is the benchmark files that are there (as inputs, one that is lost would have
        # its job done again); these stand for the jobs that write them.
        histories=[run_file(run, "history.tsv") for run in PLAN.values()],
        evaluations=expand("<results>/evaluations/{group}.tsv", group=TRAINED),
    output:
        report(
            "<results>/figures/resources.svg",
            category="Figures",
            caption="captions/resources.rst",
            labels={"figure": "run time and memory", "of": "all jobs"},
        ),
        "<results>/figures/resources.png",
    log:
        "<logs>/figures/resources.log",
    benchmark:
        "<benchmarks>/figures/resources.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on the demo: 0.20 GB, 7 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        benchmarks=plan.benchmark_files(STUDY, gather.fold("{scatteritem}")),
        code=code_of("figures_resources"),
    message:
        "Drawing run time and memory"
    script:
        "../scripts/figures_resources.py"

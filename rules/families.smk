# Which family a pre-miRNA belongs to, and whether it belongs to any.
include: "families_plan.smk"


if FAMILY_DOWNLOADS:

    ruleorder: download_families > download

    # One job for hundreds of small files: starting a job each would take longer than the downloads.
    use rule download as download_families with:
        output:
            [f"<raw>/{name}" for name in FAMILY_DOWNLOADS],
        log:
            "<logs>/download/families.log",
        benchmark:
            "<benchmarks>/download/families.tsv"
        wildcard_constraints:
            file=None,
        params:
            urls=[SOURCES[name].url for name in FAMILY_DOWNLOADS],
            checksums=[SOURCES[name].sha256 for name in FAMILY_DOWNLOADS],
            packages=lambda w, output: f"{output[0].removesuffix(FAMILY_DOWNLOADS[0])}packages",
        message:
            f"Downloading the files of {len(FAMILY_DOWNLOADS)} families"


# The PyPI wheel with MirGeneDB's models, and its SHA-256.
MIRMACHINE = "mirmachine==0.3.0.5 --hash=sha256:52c348320a0bfd51b06548a7334dbf8a0737723eed213572b021b417cbc81988"


# All experiments in one job, so that records they share are folded once.
rule families_records:
    input:
        families=list(FAMILY_FILES.values()),
        others=[file_of(ref) for ref in STUDY.others.files] if STUDY.others else [],
        named=NAMED,
    output:
        records="<results>/datasets/all/records.tsv",
        families="<results>/datasets/all/families.tsv",
        known="<results>/datasets/all/known.tsv" if STUDY.shipped else [],
        experiments=expand("<results>/experiments/{experiment}.tsv", experiment=STUDY.experiments),
    log:
        "<logs>/families_records.log",
    benchmark:
        "<benchmarks>/families_records.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.5 GB, 40 s.
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        names=list(FAMILY_FILES),
        max_length=STUDY.max_length,
        others=STUDY.others.model_dump(exclude={"files"}) if STUDY.others else None,
        splits={name: split.model_dump() for name, split in STUDY.experiments.items()},
        shipped=STUDY.shipped.experiment if STUDY.shipped else None,
        seed=STUDY.seeds[0],
        code=code_of("families_records"),
    message:
        "Selecting the records of the study and dividing them in each experiment"
    script:
        "../scripts/families_records.py"


# Base-pair probabilities, in as many pieces as the folding.
rule families_ensemble:
    input:
        "<results>/datasets/all/records.tsv",
    output:
        temp("<results>/datasets/all/ensembles/{scatteritem}.npz"),
    log:
        "<logs>/families_ensemble/{scatteritem}.log",
    benchmark:
        "<benchmarks>/families_ensemble/{scatteritem}.tsv"
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.2 GB, 60 s.
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code_of("families_ensemble"),
    message:
        "Computing base-pair probabilities, piece {wildcards.scatteritem}"
    script:
        "../scripts/families_ensemble.py"


rule families_ensembles:
    input:
        records="<results>/datasets/all/records.tsv",
        pieces=gather.fold("<results>/datasets/all/ensembles/{scatteritem}.npz"),
    output:
        "<results>/datasets/all/ensembles.npz",
    log:
        "<logs>/families_ensembles.log",
    benchmark:
        "<benchmarks>/families_ensembles.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.27 GB, 5 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("families_ensembles"),
    message:
        "Gathering the base-pair probabilities"
    script:
        "../scripts/families_ensembles.py"


rule families_train:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
        encoded=lambda w: f"<results>/datasets/all/{plan.encoding_of(w.model)}.npz",
    output:
        weights=f"{RUN}/weights.safetensors",
        history=f"{RUN}/history.tsv",
        outputs=f"{RUN}/outputs.npz",
        provenance=f"{RUN}/provenance.json",
    log:
        "<logs>/families_train/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        f"{RUN}/benchmark.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        # Measured on Rfam-60: matrix networks 3.2 GB, 15 min; the others at most 1.3 GB, 6 min; to write
        # a checkpoint, 0.5 GB more.
        mem_mb=growing(5000),
        runtime=growing(240),
    params:
        run=lambda w: asdict(run_of(w)),
        training=lambda w: training_of(run_of(w)),
        encoded=lambda w: plan.encoding_of(w.model),
        code=code_of("families_train"),
    message:
        "Training {wildcards.model} on {wildcards.experiment} (seed {wildcards.seed})"
    script:
        "../scripts/families_train.py"


rule families_evaluate:
    input:
        experiment="<results>/experiments/{experiment}.tsv",
        outputs=f"{RUN}/outputs.npz",
    output:
        f"{RUN}/calls.tsv",
    log:
        "<logs>/families_evaluate/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        "<benchmarks>/families_evaluate/{experiment}/{model}/{recipe}/seed{seed}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.38 GB, 9 s.
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("families_evaluate"),
    message:
        "Evaluating {wildcards.model} on {wildcards.experiment} (seed {wildcards.seed})"
    script:
        "../scripts/families_evaluate.py"


# The training record with most shared 8-mers: the baseline, and the similarity of each record.
rule families_nearest:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
    output:
        "<results>/nearest/{experiment}.tsv",
    log:
        "<logs>/families_nearest/{experiment}.log",
    benchmark:
        "<benchmarks>/families_nearest/{experiment}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.22 GB, 4 s.
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("families_nearest"),
    message:
        "Searching for the nearest training record in {wildcards.experiment}"
    script:
        "../scripts/families_nearest.py"


# Covariance models of the same training records, and their calls of the others.
rule families_models:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
    output:
        "<results>/infernal/{experiment}.cm",
    log:
        "<logs>/families_models/{experiment}.log",
    benchmark:
        "<benchmarks>/families_models/{experiment}.tsv"
    conda:
        "../envs/infernal.yaml"
    threads: 2
    resources:
        # Measured on Rfam: 0.12 GB, 73 s.
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code_of("families_models"),
    message:
        "Building covariance models of the families of {wildcards.experiment}"
    script:
        "../scripts/families_models.py"


rule families_infernal:
    input:
        records="<results>/datasets/all/records.tsv",
        queries="<results>/nearest/{experiment}.tsv",
        models="<results>/infernal/{experiment}.cm",
    output:
        "<results>/infernal/{experiment}.tsv",
    log:
        "<logs>/families_infernal/{experiment}.log",
    benchmark:
        "<benchmarks>/families_infernal/{experiment}.tsv"
    conda:
        "../envs/infernal.yaml"
    threads: 2
    resources:
        # Measured on Rfam: 0.18 GB, 164 s.
        mem_mb=growing(1000),
        runtime=growing(240),
    params:
        code=code_of("families_infernal"),
    message:
        "Searching the records of {wildcards.experiment} with covariance models"
    script:
        "../scripts/families_infernal.py"


# The families that a network proposes, called by their covariance models.
rule families_by_models:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
        queries="<results>/nearest/{experiment}.tsv",
        models="<results>/infernal/{experiment}.cm",
        outputs=f"{RUN}/outputs.npz",
    output:
        f"{RUN}/by_models.tsv",
    log:
        "<logs>/families_by_models/{experiment}/{model}/{recipe}/seed{seed}.log",
    benchmark:
        "<benchmarks>/families_by_models/{experiment}/{model}/{recipe}/seed{seed}.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.5 GB, 102 s.
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        code=code_of("families_by_models"),
    message:
        "Aligning the records of {wildcards.experiment} to the proposals of {wildcards.model} (seed {wildcards.seed})"
    script:
        "../scripts/families_by_models.py"


# 263 MB; only the calibrated models of MirGeneDB's families are read.
rule families_wheel:
    output:
        temp("<results>/infernal/mirmachine.whl"),
    log:
        "<logs>/families_wheel.log",
    benchmark:
        "<benchmarks>/families_wheel.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured 0.11 GB, 6 s.
        mem_mb=growing(500),
        downloads=1,
        runtime=growing(30),
    params:
        requirement=MIRMACHINE,
        code=code_of("families_wheel"),
    message:
        "Downloading MirGeneDB's covariance models"
    script:
        "../scripts/families_wheel.py"


rule families_mirgenedb:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
        queries="<results>/nearest/{experiment}.tsv",
        wheel="<results>/infernal/mirmachine.whl",
    output:
        calls="<results>/infernal/{experiment}-mirgenedb.tsv",
        counterparts="<results>/infernal/{experiment}-mirgenedb.json",
    log:
        "<logs>/families_mirgenedb/{experiment}.log",
    benchmark:
        "<benchmarks>/families_mirgenedb/{experiment}.tsv"
    conda:
        "../envs/infernal.yaml"
    threads: 2
    resources:
        # Measured on Rfam: 0.25 GB, 134 s.
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        code=code_of("families_mirgenedb"),
    message:
        "Searching the records of {wildcards.experiment} with MirGeneDB's models"
    script:
        "../scripts/families_mirgenedb.py"


# Reserves all cores, because it measures time.
rule families_speed:
    input:
        records="<results>/datasets/all/records.tsv",
        experiment="<results>/experiments/{experiment}.tsv",
        queries="<results>/nearest/{experiment}.tsv",
        models="<results>/infernal/{experiment}.cm",
        weights=lambda w: [
            run_file(run, "weights.safetensors") for run in STUDY.first_runs(w.experiment)
        ],
    output:
        "<results>/speed/{experiment}.tsv",
    log:
        "<logs>/families_speed/{experiment}.log",
    benchmark:
        "<benchmarks>/families_speed/{experiment}.tsv"
    conda:
        "../envs/speed.yaml"
    threads: workflow.cores
    resources:
        # Measured on Rfam: 2.3 GB, 230 s.
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        queries=STUDY.infernal.queries if STUDY.infernal else 0,
        proposals=STUDY.infernal.proposals if STUDY.infernal else None,
        families=STUDY.infernal.families if STUDY.infernal else [],
        code=code_of("families_speed"),
    message:
        "Measuring the speed of all methods"
    script:
        "../scripts/families_speed.py"


# Covariance models of all known RNAs, more than those that train and that tables are about.
rule families_ship_models:
    input:
        known="<results>/datasets/all/known.tsv",
        experiment=shipped_file("<results>/experiments/{experiment}.tsv"),
    output:
        "<results>/shipped/families.cm",
    log:
        "<logs>/families_ship_models.log",
    benchmark:
        "<benchmarks>/families_ship_models.tsv"
    conda:
        "../envs/infernal.yaml"
    threads: 2
    resources:
        # Measured on Rfam: 0.12 GB, 73 s.
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code_of("families_ship_models"),
    message:
        "Building the covariance models that ship"
    script:
        "../scripts/families_ship_models.py"


# The weights that `mirpair annotate` uses; `make weights` copies them into the folder weights/.
rule families_ship:
    input:
        known="<results>/datasets/all/known.tsv",
        experiment=shipped_file("<results>/experiments/{experiment}.tsv"),
        queries=shipped_file("<results>/nearest/{experiment}.tsv"),
        weights=shipped_file(f"{RUN}/weights.safetensors"),
        outputs=shipped_file(f"{RUN}/outputs.npz"),
        provenance=shipped_file(f"{RUN}/provenance.json"),
        families="<results>/datasets/all/families.tsv",
        by_models=shipped_file(f"{RUN}/by_models.tsv") if SHIPS_MODELS else [],
        models="<results>/shipped/families.cm" if SHIPS_MODELS else [],
    output:
        weights="<results>/shipped/families.safetensors",
        card="<results>/shipped/families.md",
        models=["<results>/shipped/families.cm.xz"] if SHIPS_MODELS else [],
    log:
        "<logs>/families_ship.log",
    benchmark:
        "<benchmarks>/families_ship.tsv"
    conda:
        "../envs/ship.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.62 GB, 9 s.
        mem_mb=growing(3000),
        runtime=growing(20),
    params:
        score=STUDY.shipped.score if STUDY.shipped else None,
        max_length=STUDY.max_length,
        sources=plan.citations(SOURCES, FAMILY_REFS),
        code=code_of("families_ship"),
    message:
        "Making the shipped weights and their card"
    script:
        "../scripts/families_ship.py"


# The calls of all methods, from which tables and figures are made.
CALLED = {
    "nearest": expand("<results>/nearest/{experiment}.tsv", experiment=STUDY.experiments),
    "calls": [run_file(run, "calls.tsv") for run in PLAN.values()],
    "infernal": expand("<results>/infernal/{experiment}.tsv", experiment=SHOWN.compared),
    "by_models": [run_file(run, "by_models.tsv") for run in PROPOSING],
}
LABELLED = [
    {"experiment": run.experiment, "label": training_of(run)["model"]["label"]}
    for run in PLAN.values()
]


rule families_tables:
    input:
        **CALLED,
        mirgenedb=expand(
            "<results>/infernal/{experiment}-mirgenedb.{format}",
            experiment=SHOWN.with_mirgenedb,
            format=["tsv", "json"],
        ),
        speed=expand("<results>/speed/{experiment}.tsv", experiment=SHOWN.timed),
    output:
        [table_outputs(name, f"families-{name}") for name in SHOWN.tables],
    log:
        "<logs>/families_tables.log",
    benchmark:
        "<benchmarks>/families_tables.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.18 GB, 6 s.
        mem_mb=growing(1000),
        runtime=growing(20),
    params:
        runs=LABELLED,
        proposing=[run.experiment for run in PROPOSING],
        splits={name: split.model_dump() for name, split in STUDY.experiments.items()},
        series=SHOWN.series,
        shown=SHOWN.shown,
        code=code_of("families_tables", "pages/templates"),
    message:
        "Writing the tables of the study"
    script:
        "../scripts/families_tables.py"


rule families_figures:
    input:
        **CALLED,
        tables=expand("<results>/tables/{table}.csv", table=SHOWN.tables),
        histories=[run_file(run, "history.tsv") for run in PLAN.values()],
    output:
        [
            figure_outputs(name, f"families-{text}", figure=heading)
            for name, (heading, text) in SHOWN.figures.items()
        ],
    log:
        "<logs>/families_figures.log",
    benchmark:
        "<benchmarks>/families_figures.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.25 GB, 5 s.
        mem_mb=growing(1000),
        runtime=growing(20),
    params:
        runs=LABELLED,
        proposing=[run.experiment for run in PROPOSING],
        first=(SHOWN.rejected or SHOWN.shown)[0],
        code=code_of("families_figures"),
    message:
        "Drawing the figures of the study"
    script:
        "../scripts/families_figures.py"


rule families_report:
    input:
        tables=expand("<results>/tables/{table}.csv", table=SHOWN.tables),
        figures=expand("<results>/figures/{figure}.svg", figure=SHOWN.figures),
        provenance=[run_file(run, "provenance.json") for run in PLAN.values()],
    output:
        report(
            "<results>/report.html",
            category="Report",
            caption="captions/families-report.rst",
            labels={"page": "the report of the study"},
        ),
    log:
        "<logs>/families_report.log",
    benchmark:
        "<benchmarks>/families_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Measured on Rfam: 0.16 GB, 2 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        study=STUDY.study,
        title=STUDY.title,
        texts={name: caption(f"families-{name}") for name in SHOWN.tables},
        figures={
            name: (heading, caption(f"families-{text}"))
            for name, (heading, text) in SHOWN.figures.items()
        },
        sources={
            name: (SOURCES[name].url, SOURCES[name].sha256)
            for name in sorted(set(FAMILY_REFS))
            if name in SOURCES
        },
        config=STUDY.model_dump(mode="json", exclude_unset=True),
        code=code_of("families_report", "pages/templates"),
    message:
        "Writing the report of the study"
    script:
        "../scripts/families_report.py"


TARGETS["downloads"] += [f"<raw>/{name}" for name in FAMILY_DOWNLOADS]
TARGETS["families-report"] = [
    "<results>/report.html",
    *table_files(SHOWN.tables),
    *expand("<results>/figures/{figure}.{format}", figure=SHOWN.figures, format=["svg", "png"]),
]
TARGETS["all"] = [
    *TARGETS["families-report"],
    *(run_file(run, "weights.safetensors") for run in PLAN.values()),
    *(rules.families_ship.output if STUDY.shipped else []),
]

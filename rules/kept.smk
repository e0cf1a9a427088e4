# Results that others can take (`kept` in the config): taken from there instead of made, and kept
# there as soon as they are made.
ruleorder: kept_merge > train > evaluate > baselines > audit > features
ruleorder: kept_merge > train_watched > evaluate_watched


rule kept_merge:
    input:
        list(TAKEN.values()),
    output:
        [f"<results>/{name}" for name in TAKEN],
    log:
        "<logs>/kept_merge.log",
    benchmark:
        "<benchmarks>/kept_merge.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's 39 trainings: 0.04 GB, 1 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("kept_merge"),
    message:
        "Taking the results that were kept"
    script:
        "../scripts/kept_merge.py"


# As soon as a training has ended, so that what is interrupted goes on from there.
rule kept_run:
    input:
        [f"<results>/{{run}}/{name.removesuffix('.gz')}" for name in OF_RUN if name != BENCHMARK],
        data=ancient(f"{KEPT}/{DATA}"),
    output:
        [f"{KEPT}/{{run}}/{name}" for name in OF_RUN],
    log:
        "<logs>/kept_{run}.log",
    benchmark:
        "<benchmarks>/kept_{run}.tsv"
    wildcard_constraints:
        # What is taken comes from there, and is not put there again.
        run="|".join(re.escape(name) for name in KEEPS) or "none",
    priority: 50
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.04 GB, 1 s.
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        # The benchmark is no output of a rule, so it cannot be asked for as an input.
        beside=lambda w: [f"{PLACE}/{w.run}/{BENCHMARK}"],
        code=code_of("kept_run"),
    message:
        "Keeping {wildcards.run}"
    script:
        "../scripts/kept_run.py"


# What `snakemake figure3` watches on; `keep` does not ask for it.
use rule kept_run as kept_watched with:
    input:
        [f"<results>/{{run}}/{name}" for name in OF_WATCHED],
        data=ancient(f"{KEPT}/{DATA}"),
    output:
        [f"{KEPT}/{{run}}/{name}" for name in OF_WATCHED],
    wildcard_constraints:
        run="|".join(re.escape(name) for name in KEEPS_WATCHED) or "none",
    params:
        beside=[],
        code=code_of("kept_run"),


rule keep_figure3:
    input:
        [f"{KEPT}/{name}/provenance.json" for name in KEEPS_WATCHED],


rule kept_data:
    input:
        [f"<results>/{name.removesuffix('.gz')}" for name in DATA_FILES],
    output:
        [f"{KEPT}/{name}" for name in (DATA, *DATA_FILES) if KEEPS],
    log:
        "<logs>/kept_data.log",
    benchmark:
        "<benchmarks>/kept_data.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.05 GB, 1 s.
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        data=DATA_OF_STUDY,
        code=code_of("kept_data"),
    message:
        "Keeping what is known of the records"
    script:
        "../scripts/kept_data.py"


# What was taken is there already.
rule keep:
    input:
        [f"{KEPT}/{name}/provenance.json" for name in KEEPS],

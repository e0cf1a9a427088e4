# Saved results (`reuse` in the config) replace trainings; the target `save` saves those that were
# run, beside them.
ruleorder: reuse_results > train > evaluate > baselines > audit > features
ruleorder: reuse_results > train_watched > evaluate_watched


rule reuse_results:
    input:
        list(SAVED.files.values()),
    output:
        [f"<results>/{name}" for name in SAVED.files],
    log:
        "<logs>/reuse_results.log",
    benchmark:
        "<benchmarks>/reuse_results.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's 39 trainings: 0.04 GB, 1 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("reuse_results"),
    message:
        "Reusing the saved results"
    script:
        "../scripts/reuse_results.py"


# As soon as a training has ended, so that an interrupted study resumes from there.
rule save_run:
    input:
        [f"<results>/{{run}}/{name.removesuffix('.gz')}" for name in OF_RUN if name != BENCHMARK],
        data=ancient(f"{SAVED.folder}/{DATA}"),
    output:
        [f"{SAVED.folder}/{{run}}/{name}" for name in OF_RUN],
    log:
        "<logs>/save_run/{run}.log",
    benchmark:
        "<benchmarks>/save_run/{run}.tsv"
    wildcard_constraints:
        # A reused training is saved already.
        run=one_of(TO_SAVE),
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.04 GB, 1 s.
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        # The benchmark is no output of a rule, so it cannot be asked for as an input.
        beside=lambda w: [f"{RESULTS}/{w.run}/{BENCHMARK}"],
        code=code_of("save_run"),
    message:
        "Saving {wildcards.run}"
    script:
        "../scripts/save_run.py"


# The trainings of Figure 3; `save` does not ask for them.
use rule save_run as save_watched with:
    input:
        [f"<results>/{{run}}/{name}" for name in OF_WATCHED],
        data=ancient(f"{SAVED.folder}/{DATA}"),
    output:
        [f"{SAVED.folder}/{{run}}/{name}" for name in OF_WATCHED],
    wildcard_constraints:
        run=one_of(TO_SAVE_WATCHED),
    params:
        beside=[],


rule save_figure3:
    input:
        [f"{SAVED.folder}/{name}/provenance.json" for name in TO_SAVE_WATCHED],


rule save_data:
    input:
        [f"<results>/{name.removesuffix('.gz')}" for name in plan.data_files(STUDY)],
    output:
        [f"{SAVED.folder}/{name}" for name in DATA_TO_SAVE],
    log:
        "<logs>/save_data.log",
    benchmark:
        "<benchmarks>/save_data.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.05 GB, 1 s.
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        data=SAVED.data,
        code=code_of("save_data"),
    message:
        "Saving the description of the records"
    script:
        "../scripts/save_data.py"


rule save:
    input:
        [f"{SAVED.folder}/{name}/provenance.json" for name in TO_SAVE],
        [f"{SAVED.folder}/{name}" for name in DATA_TO_SAVE],


# The names of these targets in earlier releases.
use rule save as keep


use rule save_figure3 as keep_figure3

rule download:
    output:
        "<raw>/{file}",
    log:
        "<logs>/download/{file}.log",
    benchmark:
        "<benchmarks>/download/{file}.tsv"
    wildcard_constraints:
        file=one_of(SOURCES),
    priority: FIRST
    # On a cluster, it runs on Snakemake's machine: compute nodes often have no network.
    localrule: True
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.06 GB, 1 s.
        mem_mb=growing(500),
        downloads=1,
        runtime=growing(30),
    params:
        urls=lambda w: [SOURCES[w.file].url],
        checksums=lambda w: [SOURCES[w.file].sha256],
        # Where bytes come from does not change what they must be.
        mirror=untracked(MIRROR),
        # One download of a package serves all files of it.
        packages=lambda w, output: f"{output[0].removesuffix(w.file)}packages",
    message:
        "Downloading {wildcards.file}"
    script:
        "../scripts/download.py"


# Sources that may change under the same name: the bytes that were locked at the first download.
rule download_live:
    output:
        "<raw>/{file}",
    log:
        "<logs>/download/{file}.log",
    benchmark:
        "<benchmarks>/download/{file}.tsv"
    wildcard_constraints:
        file=one_of(LIVE),
    priority: FIRST
    localrule: True
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on miRBase's hairpins: 0.08 GB, 1 s.
        mem_mb=growing(500),
        downloads=1,
        runtime=growing(240),
    params:
        place=lambda w: LIVE[w.file],
        # A change of these must not delete the download and repeat it.
        release=lambda w, output: STUDY.releases().get(LIVE[w.file], ""),
        lock=untracked(LOCK),
        mirror=untracked(MIRROR),
    message:
        "Downloading {params.place}"
    script:
        "../scripts/download_live.py"


# Where the rule puts the live sources; a module may have other `pathvars`, or a `prefix`.
LIVE_FILES = {
    ref: Path(rules.download_live.output[0].replace("{file}", name)) for name, ref in LIVE.items()
}
LOCKED = {"lock": LOCK, "files": LIVE_FILES, "releases": STUDY.releases()}
# Snakemake calls the `onstart` of no module. This may be a dry run, so it writes nothing.
if IS_MODULE and workflow.is_main_process:
    with explained():
        compare_locked(**LOCKED)

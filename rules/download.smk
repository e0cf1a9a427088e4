rule download:
    output:
        "<raw>/{file}",
    log:
        "<logs>/download/{file}.log",
    benchmark:
        "<benchmarks>/download/{file}.tsv"
    wildcard_constraints:
        file=one_of(SOURCES),
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
    message:
        "Downloading {params.place}"
    script:
        "../scripts/download_live.py"

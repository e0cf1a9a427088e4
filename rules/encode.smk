rule encode:
    input:
        records="<results>/datasets/{dataset}/records.tsv",
        structures="<results>/datasets/{dataset}/structures.tsv",
    output:
        "<results>/datasets/{dataset}/tensors.npz",
    log:
        "<logs>/encode/{dataset}.log",
    benchmark:
        "<benchmarks>/encode/{dataset}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.10 GB, 3 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("encode"),
    message:
        "Encoding the set {wildcards.dataset}"
    script:
        "../scripts/encode.py"

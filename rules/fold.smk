# More pieces spread the folding over a cluster: --set-scatter fold=100
scattergather:
    fold=4,


rule fold:
    input:
        "<results>/datasets/{dataset}/records.tsv",
    output:
        temp("<results>/datasets/{dataset}/structures/{scatteritem}.tsv"),
    log:
        "<logs>/fold/{dataset}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/fold/{dataset}/{scatteritem}.tsv"
    priority: FIRST
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.09 GB, 50 s.
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code_of("fold"),
    message:
        "Folding the RNAs of the set {wildcards.dataset}, piece {wildcards.scatteritem}"
    script:
        "../scripts/fold.py"


rule structures:
    input:
        records="<results>/datasets/{dataset}/records.tsv",
        pieces=gather.fold("<results>/datasets/{{dataset}}/structures/{scatteritem}.tsv"),
    output:
        structures="<results>/datasets/{dataset}/structures.tsv",
        provenance="<results>/datasets/{dataset}/folding.json",
    log:
        "<logs>/structures/{dataset}.log",
    benchmark:
        "<benchmarks>/structures/{dataset}.tsv"
    priority: FIRST
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured on the paper's sets: 0.10 GB, 2 s.
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("structures"),
    message:
        "Merging the structures of the set {wildcards.dataset}"
    script:
        "../scripts/structures.py"

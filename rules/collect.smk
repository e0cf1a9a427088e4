# Collections of RNAs, from databases or cut from genomes and hairpins: each is a FASTA file that sets
# can use, and a table of origins. More pieces: --set-scatter collect=100
scattergather:
    collect=4,


rule collect:
    input:
        lambda w: [file_of(ref) for ref in STUDY.collections[w.collection].source_refs()],
    output:
        fasta="<results>/collections/{collection}.fa",
        origins="<results>/collections/{collection}.tsv",
        summary="<results>/collections/{collection}.json",
    log:
        "<logs>/collect/{collection}.log",
    benchmark:
        "<benchmarks>/collect/{collection}.tsv"
    wildcard_constraints:
        collection=collections_from("hairpins", "rfam", "repeat-pairs"),
    priority: FIRST
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured on all of miRBase 22: 0.2 GB, 4 s. Pairs of repeats of 8 Mb: 0.64 GB, 9 s.
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        how=collection_of,
        code=code_of("collect"),
    message:
        "Collecting {wildcards.collection}"
    script:
        "../scripts/collect.py"


rule collect_piece:
    input:
        sequences=lambda w: file_of(STUDY.collections[w.collection].file),
        like=named_by("lengths_of"),
        known=named_by("known"),
        mature=named_by("mature"),
        repeats=named_by("repeats"),
        flanks=named_by("flanks"),
    output:
        temp("<results>/collections/{collection}/{scatteritem}.tsv"),
    log:
        "<logs>/collect/{collection}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/collect/{collection}/{scatteritem}.tsv"
    wildcard_constraints:
        collection=collections_from(*CUT_IN_PIECES),
    priority: FIRST
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured: 10,000 pseudo-hairpins of yeast in four pieces: 0.2 GB, 4 min. All hairpins of
        # miRBase's animals in one: 0.3 GB, 14 s. A genome takes 13 s to 33 s a million bases.
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        how=collection_of,
        code=code_of("collect_piece"),
    message:
        "Cutting the RNAs of {wildcards.collection}, piece {wildcards.scatteritem}"
    script:
        "../scripts/collect_piece.py"


rule collect_pieces:
    input:
        pieces=gather.collect("<results>/collections/{{collection}}/{scatteritem}.tsv"),
        sequences=lambda w: file_of(STUDY.collections[w.collection].file),
        like=named_by("lengths_of"),
        known=named_by("known"),
        mature=named_by("mature"),
    output:
        fasta="<results>/collections/{collection}.fa",
        origins="<results>/collections/{collection}.tsv",
        summary="<results>/collections/{collection}.json",
    log:
        "<logs>/collect/{collection}.log",
    benchmark:
        "<benchmarks>/collect/{collection}.tsv"
    wildcard_constraints:
        collection=collections_from(*CUT_IN_PIECES),
    priority: FIRST
    conda:
        "../envs/fold.yaml"
    threads: 1
    resources:
        # Measured: 10,000 pseudo-hairpins of yeast: 0.1 GB, 2 s. Known hairpins to compare with:
        # 0.3 GB, 2 s, and twice the time to read the genome, 1 s per ten million bases.
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        how=collection_of,
        code=code_of("collect_pieces"),
    message:
        "Merging the RNAs of {wildcards.collection}"
    script:
        "../scripts/collect_pieces.py"

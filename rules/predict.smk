# More pieces spread the work over a cluster: --set-scatter fold=100
rule predict_piece:
    input:
        fasta=lambda w: PREDICTED[w.sample],
        weights=WEIGHTS,
        hairpins=known_hairpins(STUDY.predict),
    output:
        temp("<results>/predict/{sample}/{scatteritem}.scored"),
    log:
        "<logs>/predict/{sample}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/predict/{sample}/{scatteritem}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: 1
    resources:
        # Whatever the number of RNAs: measured 0.5 GB. 100,000 RNAs take ten minutes.
        mem_mb=growing(1000),
        runtime=growing(240),
    params:
        settings=asdict(STUDY.predict),
        code=code_of("predict_piece"),
    message:
        "Scoring the RNAs of {wildcards.sample}, piece {wildcards.scatteritem}"
    script:
        "../scripts/predict_piece.py"


rule predict:
    input:
        gather.fold("<results>/predict/{{sample}}/{scatteritem}.scored"),
    output:
        "<results>/predict/{sample}.tsv",
    log:
        "<logs>/predict/{sample}.log",
    benchmark:
        "<benchmarks>/predict/{sample}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: 1
    resources:
        # Measured on some RNAs: 0.60 GB, 5 s.
        mem_mb=growing(1000),
        runtime=growing(20),
    params:
        nearest=STUDY.predict.compares,
        code=code_of("predict"),
    message:
        "Merging the predictions for the RNAs of {wildcards.sample}"
    script:
        "../scripts/predict.py"

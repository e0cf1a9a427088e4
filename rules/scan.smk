from mirpair.settings import SCAN_FILES, HairpinCriteria, ScanSettings, part

# Apart, so that another prior does not find the hairpins again.
CRITERIA = asdict(part(STUDY.scan, HairpinCriteria))
SCAN_SETTINGS = asdict(part(STUDY.scan, ScanSettings))


# Every n-th tile of the genome; more pieces: --set-scatter fold=100
rule scan_find:
    input:
        lambda w: SCANNED[w.genome],
    output:
        temp("<results>/scan/{genome}/{scatteritem}.found"),
    log:
        "<logs>/scan_find/{genome}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/scan_find/{genome}/{scatteritem}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: 1
    resources:
        # Whatever the size: measured 0.4 GB. A megabase takes six minutes.
        mem_mb=growing(1000),
        runtime=growing(1440),
    params:
        criteria=CRITERIA,
        code=code_of("scan_find"),
    message:
        "Finding hairpins in {wildcards.genome}, piece {wildcards.scatteritem}"
    script:
        "../scripts/scan_find.py"


rule scan_score:
    input:
        weights=WEIGHTS,
        hairpins=known_hairpins(STUDY.scan),
        candidates=gather.fold("<results>/scan/{{genome}}/{scatteritem}.found"),
    output:
        temp("<results>/scan/{genome}/{scatteritem}.scored"),
    log:
        "<logs>/scan_score/{genome}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/scan_score/{genome}/{scatteritem}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: 1
    resources:
        # Measured, with `mirpair predict`: 0.6 GB, whatever the size.
        mem_mb=growing(1000),
        runtime=growing(480),
    params:
        settings=SCAN_SETTINGS,
        code=code_of("scan_score"),
    message:
        "Scoring the hairpins of {wildcards.genome}, piece {wildcards.scatteritem}"
    script:
        "../scripts/scan_score.py"


rule scan:
    input:
        genome=lambda w: SCANNED[w.genome],
        weights=WEIGHTS,
        hairpins=known_hairpins(STUDY.scan),
        candidates=gather.fold("<results>/scan/{{genome}}/{scatteritem}.found"),
        scored=gather.fold("<results>/scan/{{genome}}/{scatteritem}.scored"),
    output:
        multiext("<results>/scan/{genome}", *SCAN_FILES),
    log:
        "<logs>/scan/{genome}.log",
    benchmark:
        "<benchmarks>/scan/{genome}.tsv"
    conda:
        "../envs/predict.yaml"
    threads: 1
    resources:
        # Measured on 4 kb: 0.40 GB, 4 s.
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        criteria=CRITERIA,
        settings=SCAN_SETTINGS,
        code=code_of("scan", "pages/templates"),
    message:
        "Writing the hairpins of {wildcards.genome}"
    script:
        "../scripts/scan.py"

from mirpair.settings import SCAN_FILES, HairpinCriteria, ScanOutput, ScanSettings, part

CRITERIA = asdict(part(STUDY.scan, HairpinCriteria))
SCAN_SETTINGS = asdict(part(STUDY.scan, ScanSettings))
WRITTEN = asdict(part(STUDY.scan, ScanOutput))


# Every n-th tile of the genome; more pieces: --set-scatter fold=100
rule scan_find:
    input:
        genome=lambda w: SCANNED[w.genome],
        weights=WEIGHTS,
        hairpins=known_hairpins(STUDY.scan),
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
        # Whatever the size: measured 0.5 GB. A megabase takes a quarter of a minute.
        mem_mb=growing(1000),
        runtime=growing(1440),
    params:
        criteria=CRITERIA,
        settings=SCAN_SETTINGS,
        code=code_of("scan_find"),
    message:
        "Finding and scoring hairpins in {wildcards.genome}, piece {wildcards.scatteritem}"
    script:
        "../scripts/scan_find.py"


rule scan:
    input:
        genome=lambda w: SCANNED[w.genome],
        weights=WEIGHTS,
        hairpins=known_hairpins(STUDY.scan),
        families=local(resolve("weights/families.safetensors")),
        journals=gather.fold("<results>/scan/{{genome}}/{scatteritem}.found"),
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
        written=WRITTEN,
        code=code_of("scan", "pages/templates"),
    message:
        "Writing the hairpins of {wildcards.genome}"
    script:
        "../scripts/scan.py"

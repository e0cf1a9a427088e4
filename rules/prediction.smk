# What is made of the sheet of samples: RNAs and genomes that are scored by weights that are there.
PREDICTED, SCANNED = (
    {name: file_of(sample.fasta) for name, sample in SAMPLES.items() if sample.run == kind}
    for kind in ("predict", "scan")
)
WEIGHTS = local(found(STUDY.weights or "weights/pre-mirna.safetensors"))
# Not given to a script: it comes with the package.
HAIRPINS = local(found("weights/mirbase22.tsv.xz"))


include: "predict.smk"
include: "scan.smk"


TARGETS["all"] = [
    *expand("<results>/predict/{sample}.tsv", sample=PREDICTED),
    *expand("<results>/scan/{genome}{suffix}", genome=SCANNED, suffix=SCAN_FILES),
]

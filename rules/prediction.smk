# RNAs and genomes of the sheet of samples, which existing weights score.
PREDICTED, SCANNED = (
    {name: file_of(sample.fasta) for name, sample in SAMPLES.items() if sample.run == kind}
    for kind in ("predict", "scan")
)
WEIGHTS = local(found(STUDY.weights or "weights/pre-mirna.safetensors"))
# Scripts read it from the package; as an input it is tracked.
HAIRPINS = local(found("weights/mirbase22.tsv.xz"))


include: "predict.smk"
include: "scan.smk"


TARGETS["all"] = [
    *expand("<results>/predict/{sample}.tsv", sample=PREDICTED),
    *expand("<results>/scan/{genome}{suffix}", genome=SCANNED, suffix=SCAN_FILES),
]

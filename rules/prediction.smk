# RNAs and genomes of the sheet of samples, scored with existing weights.
PREDICTED, SCANNED = (
    {name: file_of(sample.fasta) for name, sample in SAMPLES.items() if sample.run == kind}
    for kind in ("predict", "scan")
)
with explained():
    # A workflow that imports this one may have a rule that makes them.
    find_weights = resolve if IS_MODULE else partial(existing, key="weights")
    WEIGHTS = local(find_weights(STUDY.weights or "weights/pre-mirna.safetensors"))
# No param of a script: it comes with the package.
HAIRPINS = local(resolve("weights/mirbase22.tsv.xz"))


wildcard_constraints:
    sample=one_of(PREDICTED),
    genome=one_of(SCANNED),


include: "predict.smk"
include: "scan.smk"


TARGETS["all"] = [
    *expand("<results>/predict/{sample}.tsv", sample=PREDICTED),
    *expand("<results>/scan/{genome}{suffix}", genome=SCANNED, suffix=SCAN_FILES),
]

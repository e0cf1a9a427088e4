# RNAs and genomes of the sheet of samples, scored with existing weights.
from mirpair.prediction.weights import check_choice

PREDICTED, SCANNED = (
    {name: file_of(sample.fasta) for name, sample in SAMPLES.items() if sample.run == kind}
    for kind in ("predict", "scan")
)
with explained():
    # A workflow that imports this one may have a rule that makes them.
    find_weights = resolve if IS_MODULE else partial(existing, key="weights")
    WEIGHTS = local(find_weights(STUDY.weights or "weights/pre-mirna.safetensors"))
    # Only the main process: the jobs would read it again.
    if workflow.is_main_process:
        if PREDICTED:
            check_choice(WEIGHTS, STUDY.predict.kingdom)
        if SCANNED:
            check_choice(WEIGHTS, STUDY.scan.kingdom, STUDY.scan.false_positives)


def known_hairpins(settings):
    """Find the file of known hairpins of a section: an input, or none."""
    if settings.reference_file:
        return file_of(settings.reference_file)
    return local(resolve("weights/mirbase22.tsv.xz")) if settings.compares else []


wildcard_constraints:
    sample=one_of(PREDICTED),
    genome=one_of(SCANNED),


include: "predict.smk"
include: "scan.smk"


TARGETS["all"] = [
    *expand("<results>/predict/{sample}.tsv", sample=PREDICTED),
    *expand("<results>/scan/{genome}{suffix}", genome=SCANNED, suffix=SCAN_FILES),
]

"""Score every so-manieth chunk of a FASTA file."""

import job

from mirpair.files import Journal
from mirpair.prediction.predictor import Settings, load, predict_records, to_lines
from mirpair.rna.sequences import read_records

job.start(snakemake)
piece, pieces = job.piece(snakemake)
journal = Journal(f"{snakemake.output[0]}.part", "predict", overwrite=True)
tables = predict_records(
    read_records(snakemake.input.fasta),
    load(snakemake.input.weights),
    Settings(**snakemake.params.settings),
    piece=piece,
    pieces=pieces,
)
for table in tables:
    journal.append(to_lines(table))
journal.close()
journal.path.replace(snakemake.output[0])

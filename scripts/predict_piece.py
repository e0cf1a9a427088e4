"""Score every n-th chunk of a FASTA file."""

import logging

import job

from mirpair.files import Journal
from mirpair.prediction.predictor import Predictor, predict_records
from mirpair.prediction.table import to_lines
from mirpair.prediction.weights import load_networks
from mirpair.rna.sequences import read_records
from mirpair.settings import PredictionSettings

job.start(snakemake)
piece, pieces = job.piece(snakemake)
settings = PredictionSettings(**snakemake.params.settings | job.reference(snakemake))
trained = load_networks(snakemake.input.weights, settings.kingdom)
predictor = Predictor.for_candidates(trained, settings)
journal = Journal(f"{snakemake.output[0]}.part", "predict", overwrite=True)
records = read_records(snakemake.input.fasta, note=logging.warning, gaps="remove")
for table in predict_records(records, predictor, piece=piece, pieces=pieces):
    journal.append(to_lines(table))
journal.close()
journal.path.replace(snakemake.output[0])

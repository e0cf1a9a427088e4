"""Compute the base-pair probabilities of one piece of a study's unique sequences."""

import job

from mirpair.contracts import read_records
from mirpair.rna.encoded_sets import Ensembles
from mirpair.rna.encoding import encode_ensemble
from mirpair.rna.folding import ensemble, for_each, unique

job.start(snakemake)
piece, pieces = job.piece(snakemake)
sequences = unique(read_records(snakemake.input[0])["sequence"])[piece - 1 :: pieces]
ensembles = for_each(ensemble, sequences, processes=snakemake.threads)
encoded = (encode_ensemble(s, *pairs) for s, pairs in zip(sequences, ensembles, strict=True))
Ensembles.build(sequences, encoded).save(snakemake.output[0])

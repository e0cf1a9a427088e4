"""Draw the encoding of an RNA, the paper's Figure 1."""

import job

from mirpair.identification.figures import save
from mirpair.pages.drawings import draw_encoding
from mirpair.rna.folding import fold

job.start(snakemake)
sequence = snakemake.params.sequence
figure = draw_encoding(sequence, fold(sequence))
for path in snakemake.output:
    save(figure, path)

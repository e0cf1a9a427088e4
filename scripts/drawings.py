"""Draw the encoding of an RNA or networks, the paper's Figures 1 and 2, from the real thing."""

import job

from mirpair.pages.drawings import draw_encoding, draw_models
from mirpair.pages.style import save
from mirpair.recipes import Model
from mirpair.rna.folding import fold

job.start(snakemake)
options = snakemake.params.options
if snakemake.params.kind == "encoding":
    figure = draw_encoding(options["sequence"], fold(options["sequence"]))
else:
    figure = draw_models([Model(**model) for model in options["networks"]])
for path in snakemake.output:
    save(figure, path)

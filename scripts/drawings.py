"""Draw the encoding of an RNA (Figure 1 of the paper) or the networks (Figure 2)."""

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

"""Draw a figure of a study."""

import job

from mirpair.identification.figures import draw
from mirpair.pages.style import save

job.start(snakemake)
figure = draw(snakemake.params.kind, snakemake.input, snakemake.params.options)
for path in snakemake.output:
    save(figure, path)

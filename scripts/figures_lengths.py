"""Draw the lengths of a study's RNAs, the paper's Figure 4."""

import job

from mirpair.contracts import read_features
from mirpair.identification.figures import draw_lengths, save

job.start(snakemake)
tables = map(read_features, snakemake.input)
lengths = {
    name: features["length"].to_numpy()
    for name, features in zip(snakemake.params.sets, tables, strict=True)
}
figure = draw_lengths(lengths)
for path in snakemake.output:
    save(figure, path)

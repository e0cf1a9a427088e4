"""Draw the networks of a study, the paper's Figure 2."""

import job

from mirpair.identification.figures import save
from mirpair.networks.do2018 import build
from mirpair.pages.drawings import draw_networks
from mirpair.recipes import Model

job.start(snakemake)
models = [Model(**model) for model in snakemake.params.networks]
figure = draw_networks({model.label: build(model, seed=0) for model in models})
for path in snakemake.output:
    save(figure, path)

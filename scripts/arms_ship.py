"""Join the networks of all folds into the weights that find arms, and write their card."""

import job

from mirpair.arms.card import arms_card
from mirpair.arms.find import read_networks, write_networks
from mirpair.files import write_text
from mirpair.pages.printing import read_table

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
# In the order of the inputs: all folds of the first kingdom, then those of the next one.
networks = [network.float() for path in inputs.weights for network in read_networks(path)]
names = [kingdom for kingdom in params.kingdoms for _ in range(params.folds)]
write_networks(networks, output.weights, {"kingdoms": names})
card = arms_card(output.weights, read_table(inputs.table), params.sources, folds=params.folds)
write_text(output.card, card)

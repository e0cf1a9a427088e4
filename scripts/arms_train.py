"""Train the network that finds the arms of one fold, and find them."""

import job
import numpy as np
import torch

from mirpair.arms.find import find_arms, write_networks
from mirpair.arms.records import PLACES, read_arm_records, trains, weights_of
from mirpair.arms.train import ArmsRecipe, train
from mirpair.contracts import read_structures
from mirpair.files import write_tsv
from mirpair.networks.arms import read
from mirpair.networks.loop import derive_seed
from mirpair.rna.arms import Arms
from mirpair.rna.encoding import encode

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
kingdom, fold = snakemake.wildcards.kingdom, int(snakemake.wildcards.fold)
torch.set_num_threads(snakemake.threads)
records = read_arm_records(inputs.records)
structures = read_structures(inputs.structures)
molecules = [
    encode(sequence, structure, mfe)
    for sequence, structure, mfe in zip(
        records["sequence"], structures["structure"], structures["mfe"], strict=True
    )
]
chosen = records[trains(records, kingdom, fold)]
network = train(
    [read(molecules[row]) for row in chosen.index],
    chosen[list(PLACES)].to_numpy(),
    weights_of(chosen),
    ArmsRecipe(**params.training),
    seed=derive_seed(params.seed, kingdom, str(fold)),
)
facts = {"kingdom": kingdom, "fold": fold, "records": len(chosen), "code": params.code}
write_networks([network], output.weights, facts | {"training": params.training})
held_out = records[(records["kingdom"] == kingdom) & (records["fold"] == fold)]
arms = find_arms([network.double()], [molecules[row] for row in held_out.index])
for number, name in enumerate(Arms._fields):
    held_out = held_out.assign(**{f"found {name}": [it[number] if it else np.nan for it in arms]})
write_tsv(held_out[["id", *(f"found {it}" for it in Arms._fields)]], output.arms)

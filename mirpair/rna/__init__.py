"""What an RNA is: its sequence, structure, encoding for networks, and similarity to other RNAs.
Every task uses these modules: FASTA, folding, pairing matrices, nearest known hairpins.
Not here: downloads and databases (`sources`), labels and splits (`identification`, `families`)."""

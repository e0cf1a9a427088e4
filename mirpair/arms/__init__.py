"""Where the mature microRNAs of a pre-miRNA are: records, rules, training, measures."""

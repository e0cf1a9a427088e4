"""The task `identification`: is an RNA a pre-miRNA? Sets, splits, audit, baselines, metrics.
Its tables, figures and report are here too.
Not here: networks and their training loop (`networks`), new RNAs of users (`prediction`)."""

"""Find and score the hairpins of a genome, write them, and make the page about them.
Which stems are folded, the journal that resumes a scan, antisense twins.
Not here: the score and its calibration (`prediction`), downloads of genomes (`sources`)."""

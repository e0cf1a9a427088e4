"""Find the hairpins of a genome, score them, write them, and make the page about them.
Windowed folding, the fast search for stems, overlaps, the journal that resumes a scan.
Not here: the score and its calibration (`prediction`), downloads of genomes (`sources`)."""

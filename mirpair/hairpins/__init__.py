"""Find the hairpins of long sequences: tiles of a genome, the fast search for stems, overlaps.
Used by collections, which cut hairpins out of genomes, and by a scan, which scores them.
Not here: scoring them (`prediction`), and the files that a scan writes (`scan`)."""

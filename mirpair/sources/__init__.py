"""Where RNAs come from: published files, live databases, genomes and their pseudo-hairpins.
These modules download, check checksums, lock live sources, and select records from databases.
Not here: which files a study uses (`study`), and which records train (`identification`)."""

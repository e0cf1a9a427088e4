"""Score RNAs of users with trained weights: predictor, calibration, GFF3 and BED, the card.
`mirpair.predict`, `mirpair predict` and the task `prediction` use it.
Not here: finding hairpins in a genome (`scan`), training and evaluation (`identification`)."""

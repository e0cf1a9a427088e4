"""Neural networks: layers, fast exact forms, the training loop, checkpoints and weight files.
A network takes encoded molecules and returns logits; training logs scores and knows no metric.
Not here: splits, metrics and tables (`identification`, `families`); settings (`recipes`)."""

"""The page of `mirpair serve`: its addresses, who may use them, and the jobs behind them.
Not here: what the page looks like (`pages`), and predictions, which the command makes (`cli`)."""

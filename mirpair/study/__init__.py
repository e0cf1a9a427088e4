"""One config file: its sections, its checks, the plan of its runs, and saved training results.
A config is checked here before Snakemake starts any job; the rules take their lists from here.
Not here: how any stage does its work. This package imports neither PyTorch nor scikit-learn."""

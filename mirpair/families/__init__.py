"""The task `families`: to which microRNA family does a pre-miRNA belong, if to any?
Records, splits, rejection, Infernal, `mirpair annotate`, and the tables, figures and report.
Not here: the networks themselves (`networks`), and whether an RNA is a pre-miRNA at all."""

#!/bin/sh
# What Snakemake wants to hear of a job, by its number: running, success or failed.
case $(squeue --noheader --states=all --format=%T --jobs="$1" 2>/dev/null) in
  COMPLETED) echo success ;;
  PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED) echo running ;;
  *) echo failed ;;
esac

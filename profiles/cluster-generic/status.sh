#!/bin/sh
# What Snakemake wants to hear of a job, by its number: running, success or failed. A controller that
# does not answer has not ended any job, so it is asked again the next time.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1)
case $state in
  *"Invalid job id"* | "")
    # Gone from the queue: the accounting knows it, where there is one.
    state=$(sacct --noheader --parsable2 --allocations --format=State --jobs="$1" 2>/dev/null) ;;
esac
case $state in
  COMPLETED*) echo success ;;
  BOOT_FAIL* | CANCELLED* | DEADLINE* | FAILED* | NODE_FAIL* | OUT_OF_ME* | PREEMPTED* | TIMEOUT* | "")
    echo failed ;;
  *) echo running ;;
esac

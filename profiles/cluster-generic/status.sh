#!/bin/sh
# Print the state of a job, by its number: running, success or failed. If the controller does not
# answer, the job counts as running, because its end is not known.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1)
case $state in
  *"Invalid job id"* | "")
    # The job left the queue: ask the accounting, if there is one.
    state=$(sacct --noheader --parsable2 --allocations --format=State --jobs="$1" 2>/dev/null) ;;
esac
case $state in
  COMPLETED*) echo success ;;
  BOOT_FAIL* | CANCELLED* | DEADLINE* | FAILED* | NODE_FAIL* | OUT_OF_ME* | PREEMPTED* | TIMEOUT* | "")
    echo failed ;;
  *) echo running ;;
esac

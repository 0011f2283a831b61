"""What the protocol does against loss, repeats and disorder, each of which a test takes away."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protections:
    # The owner of a partition
    fence_compared: bool = True
    """The fence's version is compared and set in the batch's transaction."""
    fence_before_states: bool = True
    """On assignment the fence is read first and only then the states are loaded."""
    begin_at_smaller: bool = True
    """Begin at the smaller of the group's offset and the fence's, not at the group's."""
    ack_after_commit: bool = True
    """The group's offset moves after the commit, not when the batch is taken."""
    cache_after_commit: bool = True
    """The cache is folded after the commit and dropped on any failure."""
    outcome_drops_repeats: bool = True
    """An id that has an outcome is dropped."""
    batch_drops_repeats: bool = True
    """An id that was met in this batch is dropped."""
    prev_checked: bool = True
    """A relay's command whose predecessor in its partition is missing is left without a row."""
    version_is_next: bool = True
    """A stream's first new version is its last + 1; else there is only the unique constraint."""
    shared_read_under_lock: bool = True
    """State that several partitions share is read under its row's lock, never cached."""

    # Relay and sweeper
    checkpoint_after_acks: bool = True
    """The checkpoint is written after every send before it was acknowledged."""
    checkpoint_compared: bool = True
    """Only the holder of the lock writes the checkpoint."""
    sweeper: bool = True
    """What was sent, read past and has no outcome is sent again, the doors' commands as well."""
    set_back_to_done_point: bool = True
    """The relay is set back to the first fact without outcome, not to just any."""
    drained_before_growth: bool = True
    """A topic grows when relays and workers are stopped and its partitions read to their end."""
    done_before_growth: bool = True
    """... and when the done point has reached the checkpoint: what was lost was swept."""
    landed_before_growth: bool = True
    """... and when no send of a dead relay can land any more."""

    # Parked messages
    parks_behind: bool = True
    """A key with parked rows: later messages park behind them."""
    looks_on_assignment: bool = True
    """The new owner looks for redriven rows itself; a nudge can be lost."""
    flag_compared: bool = True
    """What could not be decided again loses only the flag that was read, not one set meanwhile."""

    # Timers and doors
    timer_armed_checked: bool = True
    """A timer that is not the one armed does nothing."""
    timer_waits_for_relay: bool = True
    """Nothing is announced before the relay passed all facts older than the due time."""
    id_stable: bool = True
    """A wish has one command id, however often it is said."""
    row_before_publish: bool = True
    """A door stores the command before it publishes and answers."""


ALL = Protections()

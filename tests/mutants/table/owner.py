"""What keeps the owner of a partition from losing, repeating and disordering."""

from tests.mutants.table.mutant import Mutant

MUTANTS = (
    Mutant(
        "fence_not_compared",
        "tests/integration/engine/test_batches.py::test_a_fence_that_moved_stops_a_batch_that_was_decided",
        "The fence's version is compared and set in the transaction of the batch.",
    ),
    Mutant(
        "fence_after_states",
        "tests/faults/test_owner.py::"
        "test_a_commit_between_fence_and_fold_refuses_nothing_wrongly[while they are folded]",
        "The fence is read first, then the states.",
    ),
    Mutant(
        "begin_at_the_group",
        "tests/integration/test_owner.py::test_begins_at_the_smaller_of_two_offsets",
        "An owner begins at the smaller of the group's offset and the fence's.",
    ),
    Mutant(
        "begin_at_the_fence",
        "tests/integration/test_owner.py::test_begins_at_the_smaller_of_two_offsets",
        "A topic made anew is read from its first record, whatever the fence says.",
    ),
    Mutant(
        "cache_kept_on_assignment",
        "tests/integration/test_owner.py::test_remembers_nothing_from_before_its_assignment",
        "What an owner remembers is dropped when partitions are assigned.",
    ),
    Mutant(
        "disown_ignored",
        "tests/faults/test_owner.py::test_one_of_four_partitions_is_revoked_under_a_batch",
        "What was revoked is left to its new owner.",
    ),
    Mutant(
        "acknowledged_first",
        "tests/faults/test_owner.py::test_the_group_moves_only_after_the_commit",
        "Kafka hears of a batch only after its commit.",
    ),
    Mutant(
        "outcomes_not_looked_up",
        "tests/integration/test_owner.py::"
        "test_goods_that_are_announced_twice_arrive_once[in two batches]",
        "A command whose id has an outcome is dropped.",
    ),
    Mutant(
        "batch_repeats_kept",
        "tests/integration/test_owner.py::"
        "test_goods_that_are_announced_twice_arrive_once[in one batch]",
        "An id that was met in this batch is dropped.",
    ),
    Mutant(
        "outcome_not_unique",
        "tests/integration/test_owner.py::test_goods_that_are_announced_twice_arrive_once[at once]",
        "Two owners cannot both write the outcome of one id.",
    ),
    Mutant(
        "prev_not_checked",
        "tests/integration/engine/test_batches.py::test_a_successor_without_its_predecessor_waits",
        "A relay command whose predecessor is missing is left without a row.",
    ),
    Mutant(
        "not_parked_behind",
        "tests/integration/engine/test_parked.py::test_one_poisoned_message_holds_back_its_own_key_only",
        "Later messages of a key wait behind its parked one.",
    ),
    Mutant(
        "edit_keeps_the_first",
        "tests/integration/test_parked.py::test_an_edited_message_takes_the_place_of_the_first",
        "An edited message takes the place of the first, which becomes discarded.",
    ),
    Mutant(
        "undecodable_timer_stays_armed",
        "tests/integration/test_parked.py::"
        "test_a_discarded_timer_that_nobody_can_decode_is_not_armed_any_more",
        "Discarding a timer ends it, decodable or not.",
    ),
    Mutant(
        "broken_redrive_stands_still",
        "tests/integration/test_parked.py::"
        "test_a_redriven_message_that_breaks_its_batch_is_parked_again",
        "A parked message that breaks its batch again is parked again.",
    ),
    Mutant(
        "wish_not_looked_for",
        "tests/integration/engine/test_parked.py::test_a_wish_is_found_by_the_next_owner",
        "A new owner looks for wishes itself, since a nudge can be lost.",
    ),
    Mutant(
        "wish_not_compared",
        "tests/integration/test_owner.py::test_a_wish_that_came_meanwhile_stays",
        "A failed redrive clears the wish that was tried, not a later one.",
    ),
    Mutant(
        "redriven_row_not_held",
        "tests/integration/test_parked.py::"
        "test_an_edit_that_comes_during_a_redrive_is_never_dropped[False]",
        "Nobody changes the wish of a message that is being decided again.",
    ),
    Mutant(
        "heir_waits_for_the_frozen",
        "tests/integration/test_parked_frozen.py::"
        "test_the_next_owner_works_while_the_one_before_is_frozen",
        "An owner that freezes in a redrive holds up nobody but that key.",
    ),
    Mutant(
        "timer_not_armed",
        "tests/integration/engine/test_batches.py::test_a_timer_that_is_not_armed_does_nothing",
        "A timer that is not the one armed does nothing.",
    ),
    Mutant(
        "whole_batch_parked",
        "tests/integration/test_owner.py::test_what_only_postgres_refuses_parks_one_message",
        "An error of the data halves the batch and parks the one message.",
    ),
    Mutant(
        "own_fault_for_ever",
        "tests/integration/test_owner.py::"
        "test_a_stream_that_our_code_cannot_fold_holds_up_its_own_key_only",
        "A fault of ours that stays parks the message that it is found in.",
    ),
    Mutant(
        "version_gap_allowed",
        "tests/integration/test_store_log.py::"
        "test_a_stream_goes_on_with_its_next_version_only[a gap]",
        "A stream's first new version is its last + 1.",
    ),
    Mutant(
        "append_without_lock",
        "tests/integration/test_store_log.py::test_a_tailing_reader_skips_no_fact",
        "Appenders take one lock last, so that position order is commit order.",
    ),
    Mutant(
        "service_may_change_the_log",
        "tests/integration/test_store_log.py::test_nobody_changes_what_was_written[delete-event]",
        "The service has no right to change the log.",
    ),
    Mutant(
        "owner_may_change_the_log",
        "tests/integration/test_store_log.py::test_nobody_changes_what_was_written[delete-event]",
        "A trigger stops the owner of the log as well.",
    ),
    Mutant(
        "look_up_by_scan",
        "tests/integration/test_store_log.py::"
        "test_outcomes_are_found_by_index_whatever_postgres_knows_of_them",
        "The look-up stays an index scan whatever the statistics say.",
    ),
    Mutant(
        "two_transactions",
        "tests/integration/engine/test_batches.py::test_a_fence_that_moved_stops_a_batch_that_was_decided",
        "All that a batch decided is written in one transaction.",
    ),
    Mutant(
        "stock_not_locked",
        "tests/integration/engine/test_contexts.py::test_hot_stock_is_never_promised_twice",
        "Stock rows are locked when they are read.",
    ),
    Mutant(
        "stock_locked_in_any_order",
        "tests/faults/test_hot_stock.py::test_nobody_waits_in_a_circle",
        "Stock rows are locked in one order by all, so that no two wait for each other.",
    ),
    Mutant(
        "rebalance_ends_the_worker",
        "tests/unit/streams/test_faust_waits.py::test_any_other_wait_is_left_to_faust",
        "Faust's other waits are left alone.",
    ),
)

"""Each protection with the test that must fail without it; the patches take it out."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """`patch` is a file under patches/; `test` a pytest node; `protection` what is taken away."""

    patch: str
    test: str
    protection: str


MUTANTS = (
    Mutant(
        "fence_not_compared",
        "tests/integration/test_engine.py::test_a_fence_that_moved_stops_a_batch_that_was_decided",
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
        "tests/integration/test_engine.py::test_a_successor_without_its_predecessor_waits",
        "A relay command whose predecessor is missing is left without a row.",
    ),
    Mutant(
        "not_parked_behind",
        "tests/integration/test_engine.py::test_one_poisoned_message_holds_back_its_own_key_only",
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
        "tests/integration/test_engine.py::test_a_wish_is_found_by_the_next_owner",
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
        "tests/integration/test_engine.py::test_a_timer_that_is_not_armed_does_nothing",
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
        "tests/integration/test_engine.py::test_a_fence_that_moved_stops_a_batch_that_was_decided",
        "All that a batch decided is written in one transaction.",
    ),
    Mutant(
        "stock_not_locked",
        "tests/integration/test_engine.py::test_hot_stock_is_never_promised_twice",
        "Stock rows are locked when they are read.",
    ),
    Mutant(
        "stock_locked_in_any_order",
        "tests/faults/test_hot_stock.py::test_nobody_waits_in_a_circle",
        "Stock rows are locked in one order by all, so that no two wait for each other.",
    ),
    Mutant(
        "two_relays_at_once",
        "tests/faults/test_relay_awaits.py::test_its_lock_is_taken_away_with_a_second_ready",
        "One relay works, the others stand by.",
    ),
    Mutant(
        "checkpoint_before_acks",
        "tests/integration/test_relay.py::test_killed_in_the_middle_it_repeats_but_skips_nothing",
        "The relay moves its checkpoint after all acknowledgements.",
    ),
    Mutant(
        "chain_of_names_broken",
        "tests/integration/test_relay.py::"
        "test_each_command_names_the_one_before_it_in_its_partition",
        "Each relay command names the one before it in its partition.",
    ),
    Mutant(
        "lost_names_kept",
        "tests/integration/test_sweeper.py::"
        "test_after_a_set_back_the_first_of_each_partition_names_none",
        "After a set-back the first command of a partition names none.",
    ),
    Mutant(
        "history_relayed",
        "tests/unit/streams/test_reactions.py",
        "Imported history sends nothing.",
    ),
    Mutant(
        "new_kind_for_old_facts",
        "tests/unit/streams/test_reactions.py",
        "A new kind of command sends nothing for facts relayed before.",
    ),
    Mutant(
        "id_not_from_the_fact",
        "tests/unit/streams/test_reactions.py",
        "A command of the relay has the same id each time it is sent.",
    ),
    Mutant(
        "step_of_the_saga_dropped",
        "tests/unit/domain/test_golden.py",
        "Each fact causes what was written down for it.",
    ),
    Mutant(
        "no_sweep",
        "tests/integration/test_sweeper.py::test_a_command_that_got_lost_is_sent_again",
        "What a topic lost is sent again.",
    ),
    Mutant(
        "set_back_beyond_done",
        "tests/integration/test_sweeper.py::test_a_command_that_got_lost_is_sent_again",
        "The relay goes back to the done point, never beyond it.",
    ),
    Mutant(
        "lag_taken_for_loss",
        "tests/integration/test_sweeper.py::test_a_lag_is_no_loss",
        "A command is lost only when its partition was read past it.",
    ),
    Mutant(
        "timer_does_not_wait",
        "tests/integration/test_timers.py::"
        "test_waits_until_the_relay_has_passed_what_was_recorded_before",
        "Nothing is announced before the relay passed all that is older.",
    ),
    Mutant(
        "notifications_trusted",
        "tests/faults/test_views.py::test_polling_alone_moves_views_and_relay",
        "A notification is a hint only; who waits for it looks again anyway.",
    ),
    Mutant(
        "views_not_compared",
        "tests/integration/test_views.py::test_two_projectors_add_nothing_twice",
        "The views' checkpoint is compared in their transaction.",
    ),
    Mutant(
        "seals_not_compared",
        "tests/integration/test_seal_verify.py::"
        "test_an_update_with_a_recomputed_chain_is_named_by_its_seal",
        "Each run of the log is held against its sealed root.",
    ),
    Mutant(
        "unfit_text_let_in",
        "tests/unit/bus/test_text.py",
        "Text that Postgres cannot hold is found at the door.",
    ),
    Mutant(
        "rebalance_ends_the_worker",
        "tests/unit/streams/test_faust_waits.py::test_any_other_wait_is_left_to_faust",
        "Faust's other waits are left alone.",
    ),
    Mutant(
        "key_not_the_first_commands",
        "tests/integration/test_gateways.py::"
        "test_a_stale_fence_asks_the_provider_again_and_charges_once",
        "The provider's key is made of the command's id, so that asking again moves no money.",
    ),
    Mutant(
        "hashes_not_compared",
        "tests/integration/test_seal_verify.py::test_an_update_is_named",
        "Each fact's hash is computed again.",
    ),
    Mutant(
        "message_id_not_derived",
        "tests/faults/test_mail.py::test_killed_between_the_mail_and_the_commit",
        "A mail that is sent again carries the same Message-ID.",
    ),
    Mutant(
        "later_mail_counts_with_its_kind",
        "tests/unit/streams/test_reactions.py::"
        "test_a_kind_of_mail_counts_from_where_it_was_first_deployed",
        "A kind of mail that came later is not sent for facts relayed before it.",
    ),
    Mutant(
        "starttls_where_it_is_there",
        "tests/integration/test_mail_tls.py::"
        "test_where_starttls_is_wanted_and_not_there_nothing_goes_out_in_the_clear",
        "Where STARTTLS is demanded, a server without it gets no mail.",
    ),
    Mutant(
        "any_certificate_trusted",
        "tests/integration/test_mail_tls.py::"
        "test_a_certificate_of_an_authority_that_nobody_named_is_refused",
        "A mail server's certificate is checked.",
    ),
    Mutant(
        "contact_key_remembered",
        "tests/integration/test_mail.py::test_an_erased_contact_is_a_failure_with_its_code",
        "The key of a contact is looked up for each mail, so that an erased one opens nothing.",
    ),
    Mutant(
        "first_answer_written_over",
        "tests/integration/test_api.py::test_who_waits_is_answered_as_whoever_was_answered_first",
        "The first answer under a key is the only one.",
    ),
    Mutant(
        "published_before_the_row",
        "tests/integration/test_doors.py::test_killed_at_any_step_the_next_try_is_the_same_order",
        "A door writes the wish down before it publishes it.",
    ),
    Mutant(
        "time_of_the_door",
        "tests/integration/test_doors.py::"
        "test_the_timers_process_publishes_the_wish_of_a_door_whose_clock_is_wrong[-1]",
        "The time of a wish is the database's, so that nobody who looks by time has passed it.",
    ),
    Mutant(
        "key_forgotten_before_outcome",
        "tests/integration/test_forgetting.py::"
        "test_answers_go_after_their_days_and_rows_with_their_outcomes",
        "The key of a wish counts as long as there is an outcome of its command.",
    ),
    Mutant(
        "receipt_forgotten",
        "tests/integration/test_forgetting.py::"
        "test_a_receipt_that_comes_again_after_its_outcome_is_gone_is_not_received_again[answered]",
        "A goods receipt is known for good: its supplier may send it again after its outcome went.",
    ),
    Mutant(
        "kept_receipt_published_again",
        "tests/integration/test_forgetting.py::"
        "test_a_receipt_that_comes_again_after_its_outcome_is_gone_is_not_received_again[open]",
        "A goods receipt that is kept without its outcome is done, marked or not.",
    ),
    Mutant(
        "open_wish_not_published_again",
        "tests/integration/test_api.py::test_what_kafka_did_not_take_is_published_by_the_next_try",
        "A wish that was not acknowledged is published by the next try.",
    ),
    Mutant(
        "id_not_from_the_key",
        "tests/integration/test_doors.py::test_killed_at_any_step_the_next_try_is_the_same_order",
        "A wish has one command id, however often it is said.",
    ),
    Mutant(
        "outside_id_taken",
        "tests/integration/test_intake.py::test_an_outside_id_equal_to_a_coming_relay_id",
        "The id of an event from outside is hashed, so that it is never a relay's.",
    ),
    Mutant(
        "own_attributes_let_in",
        "tests/integration/test_intake.py::test_an_order_in_binary_mode",
        "The attributes by which our messages hang together are never taken from outside.",
    ),
    Mutant(
        "events_do_not_have_one_row",
        "tests/integration/test_intake.py::test_fifty_at_once_are_one_command",
        "An event has one row by its source and id, however often it comes.",
    ),
    Mutant(
        "unpaid_parcel_paid_back",
        "tests/unit/domain/test_shares.py::"
        "test_a_parcel_that_could_not_be_charged_is_not_paid_back_with_the_others_money",
        "A lost parcel that could not be charged is not paid back.",
    ),
    Mutant(
        "lost_parcel_paid_back_again",
        "tests/unit/domain/test_shares.py::"
        "test_a_parcel_that_was_lost_and_comes_back_is_paid_back_once",
        "A parcel that is lost and comes back is paid back once.",
    ),
    Mutant(
        "return_of_the_unpaid_refunded",
        "tests/unit/domain/test_shares.py::"
        "test_a_parcel_that_was_paid_back_and_then_found_is_not_paid_back_again",
        "Of a return only what was paid for is refunded.",
    ),
    Mutant(
        "late_confirmation_kept",
        "tests/unit/domain/test_payment_unsure.py::"
        "test_a_challenge_that_was_given_up_and_is_confirmed_late_is_voided",
        "A payment that is confirmed after it was given up is voided.",
    ),
    Mutant(
        "unsure_capture_given_up",
        "tests/unit/domain/test_payment_unsure.py::"
        "test_what_may_have_been_taken_is_asked_for_until_somebody_answers",
        "What the provider may have taken or given back is asked for until somebody answers.",
    ),
    Mutant(
        "given_up_hold_forgotten",
        "tests/unit/domain/test_payment_unsure.py::"
        "test_what_was_given_up_unsure_is_not_forgotten_when_the_next_attempt_succeeds",
        "What may be held of an attempt that was given up is voided whatever follows.",
    ),
    Mutant(
        "void_overtakes_given_up",
        "tests/unit/domain/test_life_given_up.py::"
        "test_a_cancelled_order_waits_for_the_void_of_an_attempt_given_up",
        "The void that ends an order waits for those of all that was given up.",
    ),
    Mutant(
        "unsure_expiry_taken_for_void",
        "tests/unit/domain/test_life_given_up.py::"
        "test_a_cancelled_order_waits_for_the_void_of_a_renewal_given_up",
        "An order does not end while a renewal that was given up may hold money.",
    ),
    Mutant(
        "failed_refund_forgotten",
        "tests/unit/domain/test_order_changed.py::"
        "test_a_refund_that_failed_keeps_the_order_open_until_it_is_out",
        "An order stays open while money is owed to its customer.",
    ),
    Mutant(
        "needless_hold_left",
        "tests/unit/domain/test_order_changed.py::test_what_is_let_go_closes_the_order_with_its_window",
        "What no capture will ever take is let go.",
    ),
    Mutant(
        "capture_overtakes_renewal",
        "tests/unit/domain/test_payment_unsure.py::"
        "test_a_refund_behind_a_capture_behind_a_renewal_asks_for_the_renewal",
        "What is waited for waits for what came before it.",
    ),
    Mutant(
        "failed_capture_repeated",
        "tests/unit/domain/test_payment.py::test_twice",
        "A capture that failed is made again only when a person wants it.",
    ),
    Mutant(
        "unsure_capture_taken_for_failed",
        "tests/unit/domain/test_payment_unsure.py::"
        "test_a_capture_that_may_have_been_made_is_asked_for_though_the_authorisation_lapsed",
        "A capture whose answer was lost is asked for until the provider says what became of it.",
    ),
    Mutant(
        "final_capture_first",
        "tests/unit/domain/test_payment_unsure.py::test_the_final_capture_waits_for_those_before_it",
        "The final capture lets go of the rest only when no other capture waits.",
    ),
    Mutant(
        "owed_not_captured_anew",
        "tests/unit/domain/test_life_lapsed.py::"
        "test_a_capture_that_came_too_late_is_made_of_a_new_authorisation",
        "What left unpaid is captured as soon as the money is held anew.",
    ),
    Mutant(
        "dead_letter_dropped",
        "tests/integration/test_source.py::test_what_is_not_taken_is_a_dead_letter",
        "The source moves on past an event only when it was taken or is a dead letter.",
    ),
    Mutant(
        "any_address_redriven",
        "tests/integration/test_dead_letters.py::test_it_is_posted_only_where_that_is_allowed",
        "A dead letter is posted only to an address of the list.",
    ),
    Mutant(
        "letter_in_the_clear",
        "tests/integration/test_dead_letters.py::test_parked_sealed_and_taken_after_all",
        "What a partner wrote is sealed before it is parked.",
    ),
    Mutant(
        "sink_answer_not_looked_at",
        "tests/integration/test_sinks.py::test_what_a_sink_does_not_take_failed",
        "A command counts as sent only once its sink has said that all replicas have it.",
    ),
)

"""What keeps relay, sweeper, timers and the readers of the log from it."""

from tests.mutants.table.mutant import Mutant

MUTANTS = (
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
        "tests/integration/verify/test_changes.py::"
        "test_an_update_with_a_recomputed_chain_is_named_by_its_seal",
        "Each run of the log is held against its sealed root.",
    ),
    Mutant(
        "hashes_not_compared",
        "tests/integration/verify/test_changes.py::test_an_update_is_named",
        "Each fact's hash is computed again.",
    ),
    Mutant(
        "later_mail_counts_with_its_kind",
        "tests/unit/streams/test_reactions.py::"
        "test_a_kind_of_mail_counts_from_where_it_was_first_deployed",
        "A kind of mail that came later is not sent for facts relayed before it.",
    ),
)

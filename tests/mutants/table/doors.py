"""What keeps API, intake and the dead letters' agent from it."""

from tests.mutants.table.mutant import Mutant

MUTANTS = (
    Mutant(
        "unfit_text_let_in",
        "tests/unit/bus/test_text.py",
        "Text that Postgres cannot hold is found at the door.",
    ),
    Mutant(
        "contact_key_remembered",
        "tests/integration/test_mail.py::test_an_erased_contact_is_a_failure_with_its_code",
        "The key of a contact is looked up for each mail, so that an erased one opens nothing.",
    ),
    Mutant(
        "first_answer_written_over",
        "tests/integration/api/test_waiting.py::test_who_waits_is_answered_as_whoever_was_answered_first",
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
        "tests/integration/api/test_wishes.py::test_what_kafka_did_not_take_is_published_by_the_next_try",
        "A wish that was not acknowledged is published by the next try.",
    ),
    Mutant(
        "id_not_from_the_key",
        "tests/integration/test_doors.py::test_killed_at_any_step_the_next_try_is_the_same_order",
        "A wish has one command id, however often it is said.",
    ),
    Mutant(
        "outside_id_taken",
        "tests/integration/intake/test_repeats.py::test_an_outside_id_equal_to_a_coming_relay_id",
        "The id of an event from outside is hashed, so that it is never a relay's.",
    ),
    Mutant(
        "own_attributes_let_in",
        "tests/integration/intake/test_modes.py::test_an_order_in_binary_mode",
        "The attributes by which our messages hang together are never taken from outside.",
    ),
    Mutant(
        "events_do_not_have_one_row",
        "tests/integration/intake/test_repeats.py::test_fifty_at_once_are_one_command",
        "An event has one row by its source and id, however often it comes.",
    ),
    Mutant(
        "attributes_decoded_twice",
        "tests/integration/test_receiver_rules.py::test_rule_11_attributes_are_taken_as_they_stand",
        "Two events whose ids differ are never taken for one, however Knative wrote them.",
    ),
    Mutant(
        "garbled_id_taken",
        "tests/integration/test_receiver_rules.py::"
        "test_rule_11_an_id_that_lost_its_letters_is_nobodys",
        "An id that lost its letters on the way is no identity.",
    ),
    Mutant(
        "dead_letter_dropped",
        "tests/integration/test_source.py::test_what_is_not_taken_is_a_dead_letter",
        "The source moves on past an event only when it was taken or is a dead letter.",
    ),
    Mutant(
        "any_address_redriven",
        "tests/integration/dead_letters/test_way.py::test_it_is_posted_only_where_that_is_allowed",
        "A dead letter is posted only to an address of the list.",
    ),
    Mutant(
        "letter_in_the_clear",
        "tests/integration/dead_letters/test_way.py::test_parked_sealed_and_taken_after_all",
        "What a partner wrote is sealed before it is parked.",
    ),
    Mutant(
        "sink_answer_not_looked_at",
        "tests/integration/test_sinks.py::test_what_a_sink_does_not_take_failed",
        "A command counts as sent only once its sink has said that all replicas have it.",
    ),
)

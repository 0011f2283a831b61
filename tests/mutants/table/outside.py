"""What keeps money and mail right, whatever the world outside does."""

from tests.mutants.table.mutant import Mutant

MUTANTS = (
    Mutant(
        "key_not_the_first_commands",
        "tests/integration/test_gateways.py::"
        "test_a_stale_fence_asks_the_provider_again_and_charges_once",
        "The provider's key is made of the command's id, so that asking again moves no money.",
    ),
    Mutant(
        "message_id_not_derived",
        "tests/faults/test_mail.py::test_killed_between_the_mail_and_the_commit",
        "A mail that is sent again carries the same Message-ID.",
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
        "threshold_answered_for_too_early",
        "tests/integration/test_wall.py::"
        "test_a_passed_threshold_is_posted_until_it_is_taken_and_then_no_more",
        "The order that passes a threshold is answered for once the sink has the event.",
    ),
    Mutant(
        "threshold_named_anew",
        "tests/integration/test_wall.py::"
        "test_a_passed_threshold_is_posted_until_it_is_taken_and_then_no_more",
        "A threshold that was passed is the same event whenever it is found.",
    ),
    Mutant(
        "minute_not_read_at_first",
        "tests/integration/test_wall.py::test_scaled_from_zero_it_knows_what_another_was_told",
        "A wall that began anew reads a minute before it answers for its first order.",
    ),
    Mutant(
        "read_counts_again",
        "tests/unit/api/test_wall.py::test_what_was_read_counts_once_with_what_was_told",
        "An order that was read is not counted when it is told.",
    ),
    Mutant(
        "place_of_another_life",
        "tests/unit/api/test_wall.py::test_the_stream_says_what_is_news_only",
        "A page that comes from another life of the wall is told how everything stands.",
    ),
)

"""An id comes out the same each time and is what its format says."""

from uuid import UUID

from domain.ids import derive, text_of


def test_an_id_is_the_same_for_ever():
    assert derive(1_795_257_000_123, "timer|x") == UUID("01a1fda7-e0bb-850e-8f0c-c0c6a90a5b93")


def test_an_id_is_a_uuid_of_version_8_with_its_time_in_front():
    for number in range(500):
        id = derive(1_700_000_000_000 + number, f"origin|{number}")
        assert (id.version, id.variant) == (8, UUID(int=1 << 63).variant)
        assert id.int >> 80 == 1_700_000_000_000 + number


def test_an_id_reads_as_python_writes_it():
    id = derive(5, "x")
    assert text_of(id) == str(id)

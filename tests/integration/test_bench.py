"""The small benchmarks run, and the log that they measure on is a sound one."""

from bench import append
from bench.reading import full_log
from store.verify import verify


async def test_the_log_of_the_benchmarks_is_sound():
    async with full_log(3_000) as full:
        report = verify(full.scratch.app_dsn, full.key)
        await full.copy_out()
    assert report.ok, report.findings[:3]
    assert report.events == report.sealed_to == full.events >= 3_000


async def test_appending_is_compared_with_copy():
    compared = await append.run(1_000, 1)
    assert compared.events == 1_000
    assert compared.ratio > 0
    assert len(compared.ours_seconds) == len(compared.other_seconds) == 1

"""The simulated seats: the engine asks a replica for a fraction of what simple clients ask, and affinity pays."""

from __future__ import annotations

from benchmarks.replica import Hardware
from benchmarks.seat_clients import Setup
from benchmarks.seats import Figures, largest, run

FAST = Hardware(20_000.0, 0.008)


async def test_the_engine_loads_a_replica_far_less_than_a_plain_client() -> None:
    ours = await run(4, 1, Setup("engine"), FAST, 20.0)
    plain = await run(4, 1, Setup("plain"), FAST, 20.0)

    assert ours.p95_ms is not None
    assert ours.calls_per_hour * 4 < plain.calls_per_hour
    assert ours.busy_share * 2.5 < plain.busy_share
    assert ours.accepted_share >= plain.accepted_share


async def test_affinity_keeps_the_cached_share_of_a_single_replica() -> None:
    single = await run(3, 1, Setup(), FAST, 20.0)
    pair = await run(6, 2, Setup(), FAST, 20.0)
    spread = await run(6, 2, Setup(without=frozenset({"affinity"})), FAST, 20.0)

    assert pair.cached_share >= 0.9 * single.cached_share
    assert spread.cached_share < 0.95 * pair.cached_share


def test_the_largest_number_within_the_target_is_found() -> None:
    def measured(seats: int) -> Figures:
        return Figures(seats, 1, 0.0, 10.0 * seats, 0.0, 0, 0, 0, 0.0, 0.0, 0.0)

    assert 90 <= largest(measured, 1000.0, 1000)[0] <= 100
    assert largest(measured, 30.0, 1000)[0] == 3
    assert largest(measured, 1e9, 500)[0] <= 500
    assert largest(measured, 5.0, 500)[0] == 0

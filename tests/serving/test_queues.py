"""Batches and the turnstile: who waits, who is sent away, who leaves."""

import asyncio
import threading
import time

import pytest

from buddy.serving.queues import Batches, Busy, Desk, Turnstile


def make_batches(work, **changes):
    return Batches(work, **{"most": 4, "wait_seconds": 0.01, "room": 8, "at_once": 1, **changes})


async def running(batches, *askers):
    """Run some coroutines beside the batches."""
    task = asyncio.create_task(batches.run())
    try:
        return await asyncio.gather(*askers, return_exceptions=True)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestBatches:
    def test_what_arrives_together_is_worked_on_together(self):
        seen = []

        def work(items):
            seen.append(list(items))
            return [item * 10 for item in items]

        async def go():
            batches = make_batches(work)
            return await running(batches, *(batches.ask([number]) for number in range(4)))

        assert asyncio.run(go()) == [[0], [10], [20], [30]]
        assert seen == [[0, 1, 2, 3]]

    def test_a_large_request_lets_others_in_between(self):
        seen = []

        def work(items):
            seen.append(list(items))
            return items

        async def go():
            batches = make_batches(work, wait_seconds=0)
            large = batches.ask(list(range(12)))

            async def small():
                await asyncio.sleep(0)
                return await batches.ask([99])

            return await running(batches, large, small())

        assert asyncio.run(go()) == [list(range(12)), [99]]
        assert any(99 in batch for batch in seen[:3])
        assert all(len(batch) <= 4 for batch in seen)

    def test_too_much_is_sent_away_at_once(self):
        release = threading.Event()

        def work(items):
            release.wait(5)
            return items

        async def go():
            batches = make_batches(work, room=4)
            askers = [asyncio.create_task(batches.ask([number])) for number in range(12)]
            await asyncio.sleep(0)
            assert batches.is_full
            task = asyncio.create_task(batches.run())
            await asyncio.sleep(0.1)
            refused = [asker for asker in askers if asker.done()]  # while the first batch is still worked on
            release.set()
            found = await asyncio.gather(*askers, return_exceptions=True)
            task.cancel()
            return len(refused), found

        refused, found = asyncio.run(go())
        assert refused == 8
        assert found[:4] == [[0], [1], [2], [3]]
        assert all(isinstance(one, Busy) for one in found[4:])

    def test_who_leaves_is_not_worked_for(self):
        seen = []

        def work(items):
            seen.extend(items)
            return items

        async def go():
            batches = make_batches(work)
            leaving, staying = (asyncio.create_task(batches.ask([number])) for number in range(2))
            await asyncio.sleep(0)
            leaving.cancel()
            await running(batches, staying)
            return batches.waiting

        assert asyncio.run(go()) == 0
        assert seen == [1]

    def test_an_error_reaches_those_who_asked_and_nobody_after_them(self):
        def work(items):
            if "bad" in items:
                raise ValueError("no")
            return items

        async def go():
            batches = make_batches(work, most=1)
            return await running(batches, batches.ask(["bad"]), batches.ask(["good"]))

        bad, good = asyncio.run(go())
        assert isinstance(bad, ValueError)
        assert good == ["good"]


class TestTurnstile:
    def test_pieces_come_as_they_are_made_and_in_turn(self):
        order = []

        def made(name):
            for number in range(3):
                order.append(name)
                time.sleep(0.01)
                yield f"{name}{number}"

        async def go():
            turnstile = Turnstile(1, 5, 5)

            async def read(name):
                return [piece async for piece in turnstile.pieces(made(name))]

            return await asyncio.gather(*map(read, "abc"))

        assert asyncio.run(go()) == [[f"{name}{number}" for number in range(3)] for name in "abc"]
        assert order == list("aaabbbccc")

    def test_there_is_room_for_so_many(self):
        async def go():
            turnstile = Turnstile(1, 1, 5)
            with turnstile.ticket(), turnstile.ticket():
                assert turnstile.is_full
                with pytest.raises(Busy), turnstile.ticket():
                    pass
            with turnstile.ticket():
                assert turnstile.inside == 1
            assert turnstile.inside == 0

        asyncio.run(go())

    def test_who_waits_too_long_is_sent_away(self):
        def slow():
            time.sleep(0.5)
            yield "late"

        async def go():
            turnstile = Turnstile(1, 5, 0.1)

            async def read(made):
                return [piece async for piece in turnstile.pieces(made)]

            return await asyncio.gather(read(slow()), read(iter(["never"])), return_exceptions=True)

        first, second = asyncio.run(go())
        assert first == ["late"]
        assert isinstance(second, Busy)

    def test_who_stops_reading_closes_the_generator_and_frees_the_place(self):
        closed = threading.Event()

        def endless():
            try:
                while True:
                    time.sleep(0.005)
                    yield "and "
            finally:
                closed.set()

        async def go():
            turnstile = Turnstile(1, 5, 5)
            reading = turnstile.pieces(endless())
            await anext(reading)
            await reading.aclose()
            return [piece async for piece in turnstile.pieces(iter(["next"]))]

        assert asyncio.run(go()) == ["next"]
        assert closed.is_set()

    def test_an_error_is_raised_where_the_pieces_are_read(self):
        def broken():
            yield "a"
            raise ValueError("no")

        async def go():
            turnstile = Turnstile(1, 5, 5)
            reading = turnstile.pieces(broken())
            assert await anext(reading) == "a"
            with pytest.raises(ValueError, match="no"):
                await anext(reading)
            return [piece async for piece in turnstile.pieces(iter(["next"]))]

        assert asyncio.run(go()) == ["next"]

    def test_a_short_look_waits_for_nobody_who_writes(self):
        release = threading.Event()

        def slow():
            release.wait(5)
            yield "late"

        async def go():
            turnstile = Turnstile(1, 5, 5)
            writing = turnstile.pieces(slow())
            first = asyncio.ensure_future(anext(writing))
            await asyncio.sleep(0.05)
            seen = await asyncio.wait_for(turnstile.look(lambda: "seen"), 2)
            release.set()
            return seen, await first

        assert asyncio.run(go()) == ("seen", "late")


class TestDesk:
    def test_there_is_room_for_so_many_and_for_what_was_begun(self):
        release = threading.Event()

        async def go():
            desk = Desk(1, 1)
            served = [asyncio.ensure_future(desk.do(lambda: release.wait(5))) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await desk.do(lambda: True)
            served.append(asyncio.ensure_future(desk.finish(lambda: True)))
            await asyncio.sleep(0)
            release.set()
            return [*await asyncio.gather(*served), await desk.do(lambda: "next")]

        assert asyncio.run(go()) == [True, True, True, "next"]

    def test_who_leaves_has_the_place_until_the_work_is_done(self):
        release = threading.Event()

        async def go():
            desk = Desk(1, 0)
            leaving = asyncio.ensure_future(desk.do(lambda: release.wait(5)))
            await asyncio.sleep(0.01)
            leaving.cancel()
            await asyncio.sleep(0.01)
            with pytest.raises(Busy):
                await desk.do(lambda: True)
            release.set()
            await asyncio.sleep(0.2)
            return await desk.do(lambda: "next")

        assert asyncio.run(go()) == "next"

    def test_an_error_reaches_who_asked(self):
        def fail():
            raise ValueError("no")

        async def go():
            desk = Desk(1, 0)
            with pytest.raises(ValueError, match="no"):
                await desk.do(fail)
            return await desk.do(lambda: "next")

        assert asyncio.run(go()) == "next"

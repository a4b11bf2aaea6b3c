"""What comes before any page."""

import asyncio

from resolutionflow.asgi import AtMost


def asked(number: int, path: str = "/queue/") -> dict:
    return {"number": number, "path": path}


def test_more_requests_than_there_is_room_for_wait_and_all_are_answered():
    inside: list[int] = []
    most: list[int] = []
    answered: list[int] = []

    async def page(scope, receive, send):
        inside.append(scope["number"])
        most.append(len(inside))
        await asyncio.sleep(0)
        inside.remove(scope["number"])
        answered.append(scope["number"])

    async def scenario():
        bounded = AtMost(page, 3)
        await asyncio.gather(*(bounded(asked(number), None, None) for number in range(20)))

    asyncio.run(scenario())
    assert max(most) == 3
    assert sorted(answered) == list(range(20))


def test_a_request_that_breaks_makes_room_for_the_next():
    async def page(scope, receive, send):
        raise ValueError(scope["number"])

    async def scenario():
        bounded = AtMost(page, 1)
        return await asyncio.gather(
            *(bounded(asked(number), None, None) for number in range(3)), return_exceptions=True
        )

    assert [str(error) for error in asyncio.run(scenario())] == ["0", "1", "2"]


def test_a_probe_waits_for_no_room():
    answered: list[int] = []

    async def page(scope, receive, send):
        if scope["path"] == "/queue/":
            await asyncio.Event().wait()
        answered.append(scope["number"])

    async def scenario():
        bounded = AtMost(page, 1)
        busy = asyncio.create_task(bounded(asked(1), None, None))
        await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await bounded(asked(2, "/healthz"), None, None)
        busy.cancel()

    asyncio.run(scenario())
    assert answered == [2]

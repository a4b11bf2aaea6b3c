"""What comes before any page."""

import asyncio

from resolutionflow.asgi import AtMost


def test_more_requests_than_there_is_room_for_wait_and_all_are_answered():
    inside: list[int] = []
    most: list[int] = []
    answered: list[int] = []

    async def page(scope, receive, send):
        inside.append(scope)
        most.append(len(inside))
        await asyncio.sleep(0)
        inside.remove(scope)
        answered.append(scope)

    async def scenario():
        bounded = AtMost(page, 3)
        await asyncio.gather(*(bounded(number, None, None) for number in range(20)))

    asyncio.run(scenario())
    assert max(most) == 3
    assert sorted(answered) == list(range(20))


def test_a_request_that_breaks_makes_room_for_the_next():
    async def page(scope, receive, send):
        raise ValueError(scope)

    async def scenario():
        bounded = AtMost(page, 1)
        return await asyncio.gather(*(bounded(number, None, None) for number in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(scenario())] == ["0", "1", "2"]

"""What can happen. Only these functions write sessions, handoffs, assessments and the feed.

Each takes the actor as `by=`, runs in one transaction, lets the database arbitrate races, and raises a
`refusals.Refusal` when the answer is no. Locks are taken in the order handoff → session → feed counter.
"""

"""How much one person, one account and one address may ask for in a minute.

`counting` counts, `rates` says what is counted for a request and how far, `gate` and `door` are where requests meet it.
"""

"""The demonstration: two support teams, their people and 90 days of what they did.

`people` and `cases` are the cast and the material, `calendar` says when, `plot` tells each case as a list of beats,
`scene` makes a beat's rows in the words of `escalations.actions`, and `history` plays all beats in order of time.
"""

"""Tells escalations outside. Plain data in (`Letter`), one sentence out if it did not get there."""

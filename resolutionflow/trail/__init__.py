"""The audit trail: who did what, in an order that cannot be changed unnoticed. `record` is the only way in."""

from resolutionflow.trail.chain import record

__all__ = ["record"]

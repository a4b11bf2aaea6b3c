"""What the search looks in: the words of one session, those of its title, client and ticket also by themselves.

Triggers keep it (migration 0011_search): whoever writes a text makes it findable in the same transaction, and a
session that is pruned is found no more. Nothing else writes here.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from escalations.models.session import AISession
from resolutionflow.accounts.models import Account, OwnedQuerySet


class Findable(models.Model):
    # The foreign key of the database's own goes with its session; Django's would stand in the way of older code.
    session = models.OneToOneField(
        AISession, models.CASCADE, primary_key=True, related_name="findable", db_constraint=False
    )
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    head = SearchVectorField()
    words = SearchVectorField()

    objects = OwnedQuerySet["Findable"].as_manager()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="findable_words")]

    def __str__(self) -> str:
        return f"words of {self.session_id}"

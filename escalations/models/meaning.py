"""What a resolved session means, as vectors (`escalations.assessor.sentences`). Made in the background; where it is
missing, sessions are found by their words alone. Another model's vectors would be no good: empty the table then."""

from typing import Any

from django.db import models

from escalations.models.session import AISession
from resolutionflow.accounts.models import Account, OwnedQuerySet

SIZE = 384


class Bits(models.Field):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """So many bits, as text of zeros and ones. PostgreSQL counts without any extension in how many two of them
    differ: `bit_count(one # other)`."""

    def __init__(self, *args: Any, size: int = SIZE, **options: Any) -> None:
        self.size = size
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "size": self.size}

    def db_type(self, connection: Any) -> str:
        return f"bit({self.size})"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return f"%s::bit({self.size})"


class Meaning(models.Model):
    """`sketch` finds it among many (the signs of `whole`), `whole` says how close it is. `tried` is what failed there;
    null where nothing did. `fix` is what fixed it, alone; null where nothing is told of it, or it is not read yet. An
    index holds the sketches of an account side by side, so that looking at all of 100,000 takes milliseconds."""

    session = models.OneToOneField(AISession, models.CASCADE, primary_key=True, related_name="meaning")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    sketch = Bits()
    whole = models.BinaryField(max_length=2 * SIZE)
    tried = models.BinaryField(max_length=2 * SIZE, null=True)
    fix = models.BinaryField(max_length=2 * SIZE, null=True)

    objects = OwnedQuerySet["Meaning"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["account"], include=["session", "sketch"], name="meaning_sketches")]

    def __str__(self) -> str:
        return f"meaning of {self.session_id}"

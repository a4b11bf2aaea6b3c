"""Makes the tables and the people of an installation, and prints them: `python -m tests.faults.people 8`."""

import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "resolutionflow.settings"
django.setup()

from django.core.management import call_command  # noqa: E402 after django.setup()

from resolutionflow.accounts.models import ApiToken  # noqa: E402
from tests.factories import AccountFactory, UserFactory  # noqa: E402
from tests.serving import cookie_of  # noqa: E402

call_command("migrate", verbosity=0)
account = AccountFactory(name="Harbor IT", slug="harbor-it")
people = [UserFactory(account=account) for _ in range(int(sys.argv[1]))]
told = [
    {
        "id": str(user.pk),
        "email": user.email,
        "cookie": cookie_of(user),
        "token": ApiToken.issue(user, name="faults")[1],
    }
    for user in people
]
print(json.dumps(told))

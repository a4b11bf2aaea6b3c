"""Starts the tests' own PostgreSQL before Django reads its settings (an early plugin: `-p tests.embedded`).

Its data lies under /var/tmp, one per checkout: a run that was killed leaves a server that the next one takes over.
DATABASE_URL, where it is set, names another server; its user must be allowed to create databases.
"""

import hashlib
import os
from pathlib import Path

from resolutionflow import walls

ROOT = Path(__file__).parent.parent
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
HOME = Path(os.environ.get("TEST_DATA_DIR") or f"/var/tmp/resolutionflow-tests-{os.geteuid()}-{CHECKOUT}")

# The tests' own rows are nobody's in particular. Servers that run as processes have their walls.
walls.operate()

os.environ["RESOLUTIONFLOW_DATA_DIR"] = str(HOME)
os.environ.setdefault("DEBUG", "false")
os.environ["SECRET_KEY"] = "only-for-tests"
os.environ.setdefault("REQUIRE_MFA_FOR_ADMIN", "false")  # its own tests turn it on
os.environ.pop("REDIS_URL", None)
os.environ.pop("ASSESSMENT_MODEL", None)
# A crowd of tests comes from one address, and its people work fast. What limits do is tested where they are set.
os.environ |= dict.fromkeys(["RATE_LIMIT_USER", "RATE_LIMIT_ACCOUNT", "RATE_LIMIT_ADDRESS"], "off")
os.environ |= dict.fromkeys(["SOCKETS_PER_USER", "SOCKETS_PER_ACCOUNT"], "0")

if not os.environ.get("DATABASE_URL"):
    from resolutionflow import postgres

    postgres.start(HOME, options="-c fsync=off -c synchronous_commit=off -c full_page_writes=off")

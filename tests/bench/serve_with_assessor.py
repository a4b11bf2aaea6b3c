"""`manage.py serve` with an assessor that takes so many seconds: `python -m tests.bench.serve_with_assessor 10`."""

import os
import sys
import time


def main() -> None:
    seconds = float(sys.argv[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from escalations.assessor import Assessment, Case, providers

    def assess(case: Case) -> Assessment:
        time.sleep(seconds)
        return Assessment("Made up.", (), "Unknown.", (), "low")

    providers.assess = assess
    call_command("serve")


if __name__ == "__main__":
    main()

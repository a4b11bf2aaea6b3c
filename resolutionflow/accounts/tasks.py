"""What the worker does for people: their letters."""

from django.core.mail import send_mail
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from resolutionflow import sealing
from resolutionflow.accounts.mail import PURPOSE, SEND


@app.task(name=SEND, retry=RetryStrategy(max_attempts=5, exponential_wait=4))
def send_letter(to: str, subject: str, sealed: str) -> None:
    """Tried five times, minutes apart in the end."""
    send_mail(subject, sealing.seal(PURPOSE).decrypt(sealed.encode()).decode(), None, [to])

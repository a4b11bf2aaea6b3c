"""E-mail to a person or to a mailbox of the team: plain text, with a link if the site's address is known."""

import smtplib

from django.core.mail import EmailMessage

from escalations.notifications.letter import Letter, NotSent
from resolutionflow.accounts.mail import is_set_up


def send(letter: Letter) -> None:
    """Raises NotSent. The message's id follows from the delivery's, so that mailboxes can tell a second copy."""
    if not is_set_up():
        raise NotSent("This installation sends no e-mail (EMAIL_HOST).")
    lines = [letter.text, letter.link]
    message = EmailMessage(
        letter.title,
        "\n\n".join(line for line in lines if line),
        to=[letter.target],
        headers={"Message-ID": f"<{letter.id}@resolutionflow>", "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent("The mail server does not take mail for this address.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent("The mail server did not take it.") from error

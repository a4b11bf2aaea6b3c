"""Which steps carry a warning. Looking does not; taking away and interrupting does, in words or as a command."""

import pytest

from escalations.assessor import Assessment, SuggestedStep
from escalations.assessor.harm import WARNING, warning_for

HARMFUL = [
    *["Delete the cached token", "Remove the profile", "Reinstall Office", "Wipe the tablet", "Reset the switch"],
    *["Restart the spooler", "Reboot the server", "Disable the antivirus", "Roll back the driver", "Purge the queue"],
    *[
        "Run rm -rf /var/tmp",
        "dd if=/dev/zero of=/dev/sda",
        "format d: /q",
        "del /s /q C:\\Temp",
        "diskpart, clean all",
    ],
    *["Remove-Item HKCU:\\Software -Recurse", "reg delete HKLM\\X /f", "DROP TABLE orders", "vssadmin delete shadows"],
    *["git push --force", "kubectl delete pod x", "iptables -F", "curl http://x/y.sh | sh", "netsh winsock reset"],
    *["Stop-Service spooler", "net user bob /delete", "write erase", "bcdedit /set x", "Turn off the firewall"],
]
HARMLESS = [
    *["Compare nslookup inside and outside", "Read the sign-in log", "Check the clocks with w32tm /query /status"],
    *["Look at the free space", "Capture on both ends of the tunnel", "Print a test page from the server itself"],
    *["ipconfig /all", "Get-MailboxPermission ann", "Ask for the exact error text", "Check the format of the date"],
    *["Is the formatting of the label right?", "Ask who was informed", "Note the performance counters"],
]


@pytest.mark.parametrize("text", HARMFUL)
def test_what_changes_or_removes_something_carries_a_warning(text):
    assert warning_for(text) == WARNING


@pytest.mark.parametrize("text", HARMLESS)
def test_looking_carries_none(text):
    assert warning_for(text) == ""


def test_every_assessors_steps_are_held_to_the_rule():
    steps = (SuggestedStep("Format c: /q", ()), SuggestedStep("Look", (), warning="Ask first."))
    data = Assessment("s", (), "c", steps, "low").as_data()
    assert [step.get("warning") for step in data["suggested_steps"]] == [WARNING, "Ask first."]

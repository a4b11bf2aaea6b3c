"""A small built-in runbook: first steps that hold for a whole field, for teams whose history says nothing yet."""

from dataclasses import dataclass

from escalations.assessor.words import words_of


@dataclass(frozen=True)
class Page:
    id: str
    title: str
    about: frozenset[str]
    steps: tuple[str, ...]


def _page(id: str, title: str, about: str, *steps: str) -> Page:
    return Page(id, title, words_of(about), steps)


PAGES = (
    _page(
        "name-resolution",
        "Name resolution",
        "dns resolve name nslookup lookup hostname record zone forwarder nxdomain",
        "Compare nslookup for the failing name against the internal DNS server and against 1.1.1.1",
        "Check the client's DNS servers and suffix with ipconfig /all, then ipconfig /flushdns",
    ),
    _page(
        "vpn",
        "VPN and remote access",
        "vpn tunnel ipsec l2tp ikev2 wireguard openvpn sslvpn remote gateway phase",
        "Capture on both ends of the tunnel and see on which one the packets stop",
        "Compare the routes on a client with the tunnel up and down (route print)",
    ),
    _page(
        "mail",
        "Mail and Outlook",
        "mail email outlook exchange mailbox smtp imap autodiscover ndr profile ost",
        "Sign in to the same mailbox in Outlook on the web, to tell the account from the client",
        "Create a fresh Outlook profile for one affected person and compare",
    ),
    _page(
        "sign-in",
        "Sign-in and passwords",
        "login logon sign password mfa authenticator locked lockout account kerberos token conditional entra",
        "Read the failed attempt in the sign-in log and note its error code and the policy that applied",
        "Check that the clocks of client and domain controller agree (w32tm /query /status)",
    ),
    _page(
        "printing",
        "Printing and scanning",
        "print printer spooler queue driver label scanner scan toner paper",
        "Print a test page from the server itself, to tell the driver from the device",
        "Restart the spooler after clearing C:\\Windows\\System32\\spool\\PRINTERS",
    ),
    _page(
        "network",
        "Network and Wi-Fi",
        "network switch wifi wi-fi dhcp ip address vlan router firewall ping packet latency port lan wan",
        "Test with a cable and a static address from the same VLAN, to tell the link from the addressing",
        "Read the switch port's error counters, speed and VLAN",
    ),
    _page(
        "files",
        "Shares and permissions",
        "share file folder drive mapped smb permission ntfs access denied dfs nas path",
        "Open the share by IP address and by name, and compare",
        "Check the effective access of one affected person on the folder, share and NTFS permissions both",
    ),
    _page(
        "performance",
        "Slow or hanging computers",
        "slow hang freeze performance cpu memory disk crash blue bsod reboot restart",
        "Look for the process that uses the disk or CPU in Resource Monitor while it is slow",
        "Read the System event log for the minute in which it happened",
    ),
    _page(
        "backup",
        "Backup and restore",
        "backup restore snapshot veeam vss job repository retention",
        "Run vssadmin list writers and restart the service of any writer that is not stable",
        "Check the free space of the repository and the job's own log at the first failed run",
    ),
    _page(
        "certificates",
        "Certificates and TLS",
        "certificate tls ssl expired trust chain https cert renewal",
        "Read the certificate that the server really presents (openssl s_client -connect host:443) with its chain",
        "Check the binding that uses it and restart the service that holds the old one",
    ),
)


def pages_about(text: str) -> list[Page]:
    """The pages that fit, best first."""
    words = words_of(text)
    fitting = sorted(((len(page.about & words), page) for page in PAGES), key=lambda pair: -pair[0])
    return [page for shared, page in fitting if shared >= 2]

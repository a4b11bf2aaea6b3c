"""Sentences of tickets that speak of passwords, keys and codes, or look odd, and hold no secret."""

TEXTS = r"""
The password is incorrect.
Password reset did not help
Her password expired on Monday
Password policy requires 12 characters
password policy: 14 days history
He was asked for the password again and again
The password prompt comes back every 5 minutes
Outlook asks for the password since the update KB5034441
Reset password and cleared cached credentials
Forgot password link does not arrive
We changed the password twice
Password changed successfully
The password field is empty
password: <your password>
Password: ********
password=%PASSWORD%
Enter the password when prompted
The password was changed by ben last week
password hash sync is stuck since 14:20
Password writeback is disabled
password expired 3 days ago
The password must be at least 12 characters
Passwords do not match
password manager shows an error
password age 90 days
The Wi-Fi password works on her phone
Passwords are rotated every 90 days
password-less sign-in fails
A password is not needed there
password never expires is set
The password for svc_sql is in the vault
Incorrect password: account locked out after 5 tries
bad password count 3
Event 4625: bad password attempt from 10.0.0.7
Kerberos pre-authentication failed, wrong password
The token expired
Token lifetime is 60 minutes
AADSTS50173: the provided grant has expired
token error 0x80090016
The device token is missing from the keychain
Primary refresh token: NO in dsregcmd /status
AzureAdPrt : NO
Her hardware token was lost
token signing certificate expires in 14 days
The token cache was cleared
Bearer token was rejected with 401
refresh token expired
OAuth token endpoint answers 503
CSRF token missing
security token invalid
The key is missing from the registry
Registry key HKLM\Software\Policies\Microsoft\Windows
Deleted the key HKCU\Software\Microsoft\Office\16.0\Common\Identity
key not valid for use in specified state 0x8009000B
Press the Windows key and R
The F12 key does nothing
Foreign key constraint failed
primary key violation on table orders
The key fob was replaced
API key is missing
API keys are rotated monthly
license key not accepted
The license key has expired
encryption key mismatch
host key verification failed
SSH key type ed25519 is refused
ssh-rsa host key changed for 10.1.2.3
SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDsz1x fingerprint of the server key
thumbprint 8f43288ad272f3103b6fb1428485ea3014c0bcfe
The thumbprint is 9D38B2F40E33F4A1C2B8E0A34B12CD34EF56AB78
md5 d41d8cd98f00b204e9800998ecf8427e
sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
commit 9fceb02d0ae598e95dc970b74767f19372d61af8
GUID 6b29fc40-ca47-1067-b31d-00dd010662da
Tenant 72f988bf-86f1-41af-91ab-2d7cd011db47
Correlation ID: 3fa85f64-5717-4562-b3fc-2c963f66afa6
request id 0HMVD9J3K2L1M:00000002
Device ID 4C4C4544-0042-3510-8052-B4C04F563332
Object id 8d9e3c1a-1111-2222-3333-444455556666
BitLocker recovery key ID 8A3D7C12
BitLocker asks for the recovery key
recovery key is escrowed in Entra
MAC 00:1A:2B:3C:4D:5E
MAC address 00-14-22-01-23-45
IP 192.168.10.24, gateway 192.168.10.1
IPv6 fe80::1ff:fe23:4567:890a
DNS servers 10.0.0.10 and 10.0.0.11
subnet 10.20.30.0/24 VLAN 120
Serial number CN-0X3C5F-72872-14A-0123
Service tag 7XK2P42
serial PF2ABC12
S/N: 5CG1234XYZ
Asset HAR-LT-0412
Part number 0A65635
Firmware 7.2.5 build 1517
Windows 11 23H2 build 22631.3447
Outlook version 2402 (16.0.17328.20162)
Error 0x80070005 access denied
Error 0x800CCC0E in Outlook
0xc0000005 in ntdll.dll
Stop code 0x0000007E
STOP: 0x0000003B SYSTEM_SERVICE_EXCEPTION
Event ID 1000, faulting module ucrtbase.dll
HTTP 403 from the gateway
exit code 1603
error code 800f0922
Error code: 53003
return code 3221225781
Zip code 20457
area code 040 is missing in the dial plan
QR code does not scan
The MFA code never arrives
SMS codes arrive after ten minutes
No verification code was sent
backup codes were never printed
She has no recovery codes
The PIN is not accepted
Windows Hello PIN has to be set up again
PIN complexity 6 digits
PIN reset failed with 0x801c044f
pin 9 of the connector is bent
Pin 1-8 wired as 568B
Code of conduct page shows 404
source code is at \\srv\dev
The secret is to restart the spooler first
client secret expired
client secret expires in 30 days
No secret in the key vault
Shared secret mismatch between firewall and RADIUS
Secrets are rotated by the operator
connection string is missing in web.config
The connection string points at the old server
https://portal.azure.com/#view/home
https://intranet.harbor.example/wiki/Printers?page=2
http://10.0.0.5:8080/status
ftp://fileserver/inbox is empty
postgres://db.example:5432/desk refuses connections
ldap://dc01.harbor.example:389
\\fileserver01\finance$\2024\Q3
C:\Users\ann\AppData\Local\Microsoft\Outlook\ann.ost
C:\Windows\System32\spool\PRINTERS
/var/log/nginx/error.log
ann@harbor.example cannot send to bob@client.example
Mail from no-reply@vendor.example is quarantined
Ticket #48213
Ticket INC0012345 was merged
ref HAR-2291
Order 2024-11-0042
Invoice 20240456 printed twice
Phone +49 40 123456-78
Extension 4711 rings on the wrong desk
Room 4.12, port 3/0/24
Switch SW-02 port Gi1/0/14
KB5034441 and KB5036893 are installed
CVE-2024-21413 is patched
Took 45 minutes, 3 reboots
Since 2024-11-03 08:15
at 14:02:33.120 UTC
CPU 97 %, memory 15.8 of 16 GB
latency 240ms, loss 12%
Speed 100/100 instead of 1000/1000
SRV-DC01 and SRV-DC02 disagree by 7 minutes
PC-0412 is offline
DESKTOP-7J4K2QX joined the domain
LAPTOP-ABC12345 shows a black screen
OUTLOOK.EXE hangs at 25 %
Teams 24004.1309.2689.2246 crashes
Driver 31.0.101.4502
Model HP LaserJet M404dn
iPhone 14 Pro with iOS 17.4.1
Dell Latitude 7420, BIOS 1.22.0
FortiGate 60F on 7.2.8
Office 365 E3 licence is assigned
Exchange 2019 CU13
SQL Server 2019 15.0.4316.3
Group GG_Finance_RW lacks the right
Account HARBOR\ann is locked
User ann.abel signs in on two PCs
She signs in with her smart card
He logs in with Windows Hello
Sign in with Microsoft 365 fails
logged in as administrator
Log in with the domain account fails
connects with RDP only
authenticates using NTLMv2 instead of Kerberos
unlocked with Intune
Login takes 4 minutes
login loop after MFA
login.microsoftonline.com is blocked by the proxy
Credential Manager holds 14 entries
credentials were cleared
The credentials are in the vault
Cached credentials of ann / ben were deleted
Certificate CN=mail.harbor.example expires 2026-12-01
Certificate chain: ISRG Root X1
TLS 1.2 only, cipher ECDHE-RSA-AES256-GCM-SHA384
-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----
The private key is not exportable
public key pinned
v=spf1 include:spf.protection.outlook.com -all
DKIM selector1._domainkey points to the wrong host
MX 10 mail.harbor.example
ipconfig /flushdns, then gpupdate /force
Get-MailboxPermission -Identity ann@harbor.example
Get-ADUser ann -Properties PasswordLastSet
Set-ADAccountPassword was denied
net user ann /domain
net use * /delete
nltest /sc_verify:harbor.example
wmic bios get serialnumber
sfc /scannow found nothing
dism /online /cleanup-image /restorehealth
robocopy \\a\x \\b\y /mir /r:1 /w:1
telnet mail.harbor.example 25 times out
nslookup harbor.example 1.1.1.1
ping -n 100 10.0.0.1 lost 3
chkdsk c: /f is scheduled
openssl s_client -connect mail:443
systemctl restart nginx
docker ps shows 3 containers
SELECT count(*) FROM orders WHERE id = 48213
It works with Chrome 124, not with Edge 123
The pass-through printer is off
compass app does not open
Passed all tests
We bypass the proxy for 10.0.0.0/8
Password protected PDF opens on her phone
API version 2024-05-01-preview
Base64 attachment is broken
winmail.dat instead of the attachment
Step 3 of 12: pass the cable through
The keyboard types 1234 as !@#$
Monkeys in the server room
tokenring adapters were removed in 1999
Keynote file does not open
Pass the ticket on to the network team
The passport scanner is offline
Key account manager called
Keys on the keyboard stick
Token ring cable found
Secret Santa party room is booked
PIN code reader at the door is broken
She lost her PIN letter
Password was not the issue
It's a password problem on 3 PCs
Password manager: Bitwarden
Password: not accepted on the third PC
password: same as before
Passwords: see the vault
new password does not sync to iPhone 12
Changing the password to a longer one did not help
password is stored in Keeper
password for user ann was reset by ben on 2026-11-03
reset the password at 14:30 and signed in
token: expired
Token issued at 2026-11-03T08:12:44Z
The token was issued by ADFS01
key: HKLM\SYSTEM\CurrentControlSet
SSH key for deploy@ci is missing
API key for the connector has been revoked
error in key exchange group14-sha256
Recovery key was requested for LAPTOP-77X2
authentication code flow is broken
security code scan fails
login with SSO fails on Safari 17.4
Logged in with ann@harbor.example and got error 50126
connect with OpenVPN 2.6.8
Signed in with Chrome 124 on macOS 14.4
access code page 404
verification code not received on +49 170 1234567
credentials: see KB article 1042
Credential Guard is enabled
public community string was removed
Shared mailbox key user is on leave
the keytab has kvno 3
""".strip().splitlines()

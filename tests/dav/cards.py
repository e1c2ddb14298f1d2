"""Cards as programs write them."""

from __future__ import annotations

import base64

PIXEL = base64.b64encode(bytes.fromhex("ffd8ffe000104a46494600010101004800480000") + b"\xff" * 90)


def card(*lines: str, version: str = "3.0", uid: str | None = "uid-1") -> bytes:
    """Return a card with these lines and what every card must have."""
    start = ["BEGIN:VCARD", f"VERSION:{version}"]
    if not any(line.upper().startswith(("FN:", "FN;", "N:", "N;")) for line in lines):
        start += ["N:Doe;Jane;;;", "FN:Jane Doe"]
    if uid is not None:
        start.append(f"UID:{uid}")
    return "\r\n".join([*start, *lines, "END:VCARD", ""]).encode()


APPLE = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//iOS 17.4//EN\r\n"
    b"N:M\xc3\xbcller;J\xc3\xb6rg;;Dr.;\r\nFN:Dr. J\xc3\xb6rg M\xc3\xbcller\r\n"
    b"ORG:Beispiel GmbH;Einkauf\r\nTITLE:Leiter\\, Einkauf\r\n"
    b"item1.EMAIL;type=INTERNET;type=pref:joerg@example.org\r\n"
    b"item1.X-ABLabel:_$!<Other>!$_\r\n"
    b"EMAIL;type=INTERNET;type=HOME:jm@example.net\r\n"
    b"TEL;type=CELL;type=VOICE;type=pref:+49 170 1234567\r\nTEL;type=MAIN:+49 30 5550\r\n"
    b"item2.ADR;type=WORK;type=pref:;;Hauptstra\xc3\x9fe 5\\nHinterhaus;Berlin;;10115;Germany\r\n"
    b"item2.X-ABADR:de\r\nNOTE:Line one\\nLine two\\; with \\\\ and more text that goes on so\r\n"
    b"  far that it must be folded\r\n"
    b"item3.URL;type=pref:http\\://www.example.org\r\nitem3.X-ABLabel:_$!<HomePage>!$_\r\n"
    b"BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-15\r\n"
    b"IMPP;X-SERVICE-TYPE=Jabber;type=HOME;type=pref:xmpp:joerg@jabber.example.org\r\n"
    b"X-SOCIALPROFILE;type=twitter:http://twitter.example/joerg\r\n"
    b"PHOTO;ENCODING=b;TYPE=JPEG:" + PIXEL[:40] + b"\r\n " + PIXEL[40:114] + b"\r\n "
    b"" + PIXEL[114:] + b"\r\n"
    b"REV:2024-03-15T10:11:12Z\r\nUID:4C1A2B3D-0000-4000-8000-000000000001\r\nEND:VCARD\r\n"
)

APPLE_GROUP = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//AddressBook 9.0//EN\r\n"
    b"N:Choir\r\nFN:Choir\r\nX-ADDRESSBOOKSERVER-KIND:group\r\n"
    b"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:4C1A2B3D-0000-4000-8000-000000000001\r\n"
    b"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:4C1A2B3D-0000-4000-8000-000000000002\r\n"
    b"REV:2024-03-15T10:11:12Z\r\nUID:4C1A2B3D-0000-4000-8000-00000000000A\r\nEND:VCARD\r\n"
)

GOOGLE = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana Souza\r\nN:Souza;Ana;;;\r\n"
    b"EMAIL;TYPE=INTERNET;TYPE=HOME:ana@example.com\r\nTEL;TYPE=CELL:+55 11 91234-5678\r\n"
    b"item1.TEL:+55 11 5555-0000\r\nitem1.X-ABLabel:Recado\r\nBDAY:1985-04-12\r\n"
    b"item2.X-ABDATE:2010-06-20\r\nitem2.X-ABLabel:_$!<Anniversary>!$_\r\n"
    b"CATEGORIES:myContacts,fam\xc3\xadlia\r\nUID:5f3e1c2a8b7d6e40\r\nEND:VCARD\r\n"
)

OUTLOOK = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//dieter-fiedler//CalDavSynchronizer 4.3//EN\r\n"
    b"UID:0f7a3e\r\nN;CHARSET=UTF-8:O'Neil;Sinead;;;\r\nFN;CHARSET=UTF-8:Sinead O'Neil\r\n"
    b"TEL;WORK;VOICE:+353 1 555 0100\r\nEMAIL;PREF;INTERNET:sinead@example.ie\r\n"
    b"ADR;WORK;ENCODING=QUOTED-PRINTABLE:;;1 D=C3=A1me Street=0D=0AFloor 2;Dublin;;D02;=\r\n"
    b"Ireland\r\n"
    b"X-MS-IMADDRESS:sinead@msn.example\r\nCLASS:PUBLIC\r\nREV:20240315T101112Z\r\nEND:VCARD\r\n"
)

DAVX5 = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nPRODID:DAVx5/4.4.1 ez-vcard/0.12.1\r\n"
    b"UID:urn:uuid:7d2b0d4e-9c15-4a6c-8a52-000000000003\r\nFN:Chlo\xc3\xa9 Dupont\r\n"
    b"N:Dupont;Chlo\xc3\xa9;;;\r\nEMAIL;PREF=1;TYPE=home:chloe@example.fr\r\n"
    b'TEL;TYPE="voice,cell";VALUE=uri:tel:+33-6-12-34-56-78\r\n'
    b'ADR;TYPE=home;LABEL="12 rue A\\n75002 Paris":;;12 rue A;Paris;;75002;France\r\n'
    b"BDAY:--0412\r\nANNIVERSARY:20100620\r\nLANG;PREF=1:fr\r\nGENDER:F\r\n"
    b"GEO:geo:48.8686,2.3310\r\nTZ;VALUE=utc-offset:+0100\r\n"
    b"RELATED;TYPE=spouse;VALUE=text:Paul Dupont\r\n"
    b"RELATED;TYPE=friend:urn:uuid:7d2b0d4e-9c15-4a6c-8a52-000000000004\r\n"
    b"IMPP;TYPE=home:xmpp:chloe@jabber.example.fr\r\n"
    b"group1.X-ABLABEL:Bureau\r\ngroup1.TEL:+33 1 55 55 00 00\r\n"
    b"PHOTO:data:image/jpeg;base64," + PIXEL[:30] + b"\r\n " + PIXEL[30:] + b"\r\n"
    b"REV:20240315T101112Z\r\nEND:VCARD\r\n"
)

DAVX5_GROUP = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:7d2b0d4e-9c15-4a6c-8a52-000000000009\r\n"
    b"KIND:group\r\nFN:Famille\r\n"
    b"MEMBER:urn:uuid:7d2b0d4e-9c15-4a6c-8a52-000000000003\r\n"
    b"MEMBER:urn:uuid:7d2b0d4e-9c15-4a6c-8a52-000000000004\r\nEND:VCARD\r\n"
)

CARDBOOK = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1dd49505-4fca-488b-8c50-0c5eb7852a3a\r\n"
    b"CATEGORIES:Work,Choir\r\nFN:Hans Meier\r\nN:Meier;Hans;;;\r\nNICKNAME:Hansi\r\n"
    b"EMAIL;PREF=1;TYPE=WORK:hans@example.ch\r\nORG:Firma AG\r\n"
    b"X-MOZILLA-HTML:FALSE\r\nREV:2024-03-15T10:11:12Z\r\nEND:VCARD\r\n"
)

THUNDERBIRD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nN:Rossi;Mario;;;\r\nFN:Mario Rossi\r\n"
    b"EMAIL;PREF=1:mario@example.it\r\nTEL;TYPE=work;VALUE=TEXT:+39 06 555\r\n"
    b"BDAY;VALUE=DATE:19700101\r\nTZ;VALUE=TEXT:Europe/Rome\r\n"
    b"UID:f0a1b2c3-0000-4000-8000-000000000005\r\nEND:VCARD\r\n"
)

KDE = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nADR;TYPE=home:;;Gata 1;Oslo;;0150;Norway\r\n"
    b"BDAY:1990-01-31T00:00:00\r\nEMAIL;TYPE=PREF:kari@example.no\r\nFN:Kari Nordmann\r\n"
    b"GEO:59.913900;10.752200\r\nIMPP;X-SERVICE-TYPE=skype:skype:kari.n\r\n"
    b"N:Nordmann;Kari;;;\r\nPHOTO;ENCODING=b;TYPE=png:iVBORw0KGgo=\r\n"
    b"TZ:+01:00\r\nUID:kde-8Xr2\r\nX-ANNIVERSARY:2015-08-01\r\n"
    b"X-KADDRESSBOOK-X-SpouseName:Ola\r\nX-JABBER:kari@jabber.example.no\r\nEND:VCARD\r\n"
)

REAL = {
    "apple": APPLE,
    "apple group": APPLE_GROUP,
    "google": GOOGLE,
    "outlook": OUTLOOK,
    "davx5": DAVX5,
    "davx5 group": DAVX5_GROUP,
    "cardbook": CARDBOOK,
    "thunderbird": THUNDERBIRD,
    "kde": KDE,
}

"""Passwords that every guessing program tries first (folded; the shortest are caught by length)."""

from __future__ import annotations

_WORDS = """
00000000 01234567 0123456789 0987654321 102030405060 1122334455 11223344 112233445566 12121212
123123123 123321123 1234554321 12345678 123456789 1234567890 12345678910 1234567a 123456abc
1234abcd 123abc123 123qweasd 123qweasdzxc 147258369 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx
1qaz2wsx3edc 1qazxsw2 741852963 789456123 87654321 9876543210 987654321 a1234567 a12345678
a123456789 abc12345 abc123456 abcd1234 abcdefgh abcdefg1 access14 admin123 admin1234 admin12345
administrator alexander asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl baseball basketball
blink182 butterfly changeit changeme changeme1 changeme123 charlie1 chocolate christmas
christopher computer corvette dragon123 einstein elephant football football1 fuckyou1 gfhjkm123
hello123 hellohello iloveyou iloveyou1 iloveyou2 internet jennifer jonathan justin123 letmein1
letmein123 letmeinnow liverpool liverpool1 manchester master123 maverick mercedes michael1
michelle midnight monkey123 mustang1 nicholas p4ssw0rd p4ssword pa55w0rd pa55word passw0rd
passw0rd1 passwd123 password password! password0 password01 password1 password1! password12
password123 password123! password1234 password2 passwort passwort1 passwort123 patricia
pokemon123 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qazwsx123 qwer1234 qwerasdf
qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertyuiop123
qwertz123 qwertzui qwertzuiop rootroot samantha samsung1 secret123 security september
shadow123 starwars starwars1 steelers summer2023 summer2024 summer2025 summer2026 sunshine
sunshine1 superman superman1 sweetheart test1234 test12345 testtest trustno1 victoria
welcome1 welcome123 whatever william1 winter2023 winter2024 winter2025 winter2026 yankees1
zaq12wsx zxcvbnm1 zxcvbnm123 zxcvbnm, zxcvbnmasd 1234567890- qweasdzxc qwe123qwe qweqweqwe
"""

WORST_PASSWORDS = frozenset(_WORDS.split())
